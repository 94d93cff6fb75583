package geofence

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/paulmach/orb"
)

const (
	maxZones       = 100_000
	maxIndexPoints = 1_000_000
	maxRadius      = 10_000.0 // metres; beyond, the plane is no longer good enough
)

// Index is a set of zones made ready for queries. It is immutable: any number of
// goroutines may query it. The zero value holds no zones.
type Index struct {
	zones  []Zone
	shapes shapes
	tree   tree // over the polygons of shapes
}

// NewIndex checks and indexes the zones and keeps their order; later changes to
// the slice or to an Area do not change its answers. The error names every
// mistake of every zone, ids used twice included. No zones are no mistake.
func NewIndex(zones []Zone) (*Index, error) {
	if err := checkZones(zones); err != nil {
		return nil, err
	}
	x := &Index{zones: slices.Clone(zones)}
	var boxes []box
	for i, z := range zones {
		x.shapes.add(uint32(i), z.Area)
	}
	for i := range x.shapes.polygons {
		boxes = append(boxes, *x.shapes.outer(uint32(i)))
	}
	x.tree = newTree(boxes)
	return x, nil
}

// checkZones counts before it looks closer, so that it ends soon whatever it is given.
func checkZones(zones []Zone) error {
	if len(zones) > maxZones {
		return fmt.Errorf("index zones: %d zones: use at most %d", len(zones), maxZones)
	}
	points := 0
	for _, z := range zones {
		points += countPoints(z.Area)
	}
	if points > maxIndexPoints {
		return fmt.Errorf("index zones: %d points in all: simplify to at most %d", points, maxIndexPoints)
	}
	var mistakes []error
	seen := make(map[string]int, len(zones))
	for i, z := range zones {
		if err := z.check(); err != nil {
			mistakes = append(mistakes, split(err)...)
		}
		if first, twice := seen[z.ID]; twice && z.ID != "" {
			mistakes = append(mistakes, fmt.Errorf("zone %q: zones %d and %d have this id: give each its own", z.ID, first+1, i+1))
			continue
		}
		seen[z.ID] = i
	}
	return join(mistakes)
}

// Len returns the number of zones.
func (x *Index) Len() int { return len(x.zones) }

// Zone returns the zone with index i, 0 <= i < Len. Its Area is shared and must
// not be changed.
func (x *Index) Zone(i int) Zone { return x.zones[i] }

// Containing appends to dst the indices, ascending, of the zones that wholly
// contain the circle of radius metres round p; the package comment says what that
// means. It allocates only where dst lacks room. A p or radius that is not a
// number, or a radius that is negative or beyond 10 km, is in no zone.
func (x *Index) Containing(p orb.Point, radius float64, dst []int) []int {
	if len(x.tree.nodes) == 0 || !(radius >= 0 && radius <= maxRadius) {
		return dst
	}
	from := len(dst)
	c := circle{centre: p, radius: radius}
	px, py := float32(p[0]), float32(p[1])
	var stack [stackSize]uint32
	stack[0] = uint32(len(x.tree.nodes) - 1)
	for depth := 1; depth > 0; {
		depth--
		n := stack[depth]
		at := &x.tree.nodes[n]
		for hits := at.match(px, py); hits != 0; hits &= hits - 1 {
			child := at.first + uint32(bits.TrailingZeros32(hits))
			if int(n) >= x.tree.leaves {
				stack[depth] = child
				depth++
				continue
			}
			item := x.tree.items[child]
			if c.project(); x.shapes.contains(item, &c) {
				dst = append(dst, int(x.shapes.polygons[item].zone))
			}
		}
	}
	slices.Sort(dst[from:])
	return dst
}
