package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

// shapes is the geometry of all zones in four flat slices, so that a query
// walks memory forwards. Positions in a slice stand for pointers.
type shapes struct {
	polygons []polygon // those of one zone lie together
	rings    []ring    // those of one polygon lie together, the outer ring first
	runs     []run     // those of one ring lie together, in order
	points   []orb.Point
}

type polygon struct {
	zone        uint32
	first, end  uint32 // rings
	start, stop uint32 // the polygons of the zone, if some other box meets ours; else equal
	islandIn    uint32 // how many rings of other polygons of the zone enclose this one
}

type ring struct {
	box        box
	first, end uint32 // runs
}

// run is a stretch of consecutive sides: points[first] to points[last].
type run struct {
	box         box
	lat         float64 // of points[first], here so that many queries need no points
	first, last uint32
}

// box is a bound rounded to float32, which halves the memory a query touches.
// Rounding never turns <= into >, so boxes that miss each other when rounded miss
// each other indeed.
type box struct{ minX, maxX, minY, maxY float32 }

func boxOf(b orb.Bound) box {
	return box{float32(b.Min[0]), float32(b.Max[0]), float32(b.Min[1]), float32(b.Max[1])}
}

func (b *box) misses(c *box) bool {
	return b.maxX < c.minX || b.minX > c.maxX || b.maxY < c.minY || b.minY > c.maxY
}

// add appends the polygons of a zone, which must be valid.
func (s *shapes) add(zone uint32, area orb.MultiPolygon) {
	start := uint32(len(s.polygons))
	for _, p := range area {
		first := uint32(len(s.rings))
		for _, r := range p {
			s.addRing(r)
		}
		s.polygons = append(s.polygons, polygon{
			zone: zone, first: first, end: uint32(len(s.rings)),
		})
	}
	stop := uint32(len(s.polygons))
	for i := start; i < stop; i++ {
		p := &s.polygons[i]
		if s.crowded(i, start, stop) {
			p.start, p.stop = start, stop
			p.islandIn = enclosing(area, int(i-start))
		}
	}
}

func (s *shapes) addRing(r orb.Ring) {
	base, first := len(s.points), uint32(len(s.runs))
	s.points = append(s.points, r...)
	sides := len(r) - 1
	// About as many runs as sides in a run: the least to look at in all.
	size := max(fanout, int(math.Sqrt(float64(sides))))
	for i := 0; i < sides; i += size {
		last := min(i+size, sides)
		s.runs = append(s.runs, run{
			box:   boxOf(orb.LineString(r[i : last+1]).Bound()),
			lat:   r[i][1],
			first: uint32(base + i), last: uint32(base + last),
		})
	}
	s.rings = append(s.rings, ring{box: boxOf(r.Bound()), first: first, end: uint32(len(s.runs))})
}

// crowded reports whether another polygon of start..stop has a box that meets
// that of polygon i.
func (s *shapes) crowded(i, start, stop uint32) bool {
	for j := start; j < stop; j++ {
		if j != i && !s.outer(j).misses(s.outer(i)) {
			return true
		}
	}
	return false
}

// outer returns the box round polygon i.
func (s *shapes) outer(i uint32) *box { return &s.rings[s.polygons[i].first].box }

// enclosing counts the rings of other polygons that enclose area[i].
func enclosing(area orb.MultiPolygon, i int) uint32 {
	var n uint32
	outer := area[i][0]
	box := outer.Bound()
	for j, other := range area {
		if j == i {
			continue
		}
		for _, r := range other {
			b := r.Bound()
			if b.Contains(box.Min) && b.Contains(box.Max) && encloses(r, outer) {
				n++
			}
		}
	}
	return n
}

// contains reports whether the zone of polygon i contains the circle by virtue
// of that polygon.
func (s *shapes) contains(i uint32, c *circle) bool {
	p := &s.polygons[i]
	if _, solid, free := s.polygon(p, c); !free || !solid {
		return false
	}
	var around uint32
	for j := p.start; j < p.stop; j++ {
		if j == i || s.outer(j).misses(&c.rounded) {
			continue
		}
		rings, solid, free := s.polygon(&s.polygons[j], c)
		if !free || solid {
			return false
		}
		around += rings
	}
	return around == p.islandIn
}

// polygon returns how many rings of p hold the circle's centre, whether they
// leave it in the polygon proper, and whether the circle is free of all sides.
// Unless it is free, the others mean nothing.
func (s *shapes) polygon(p *polygon, c *circle) (rings uint32, solid, free bool) {
	for i := p.first; i < p.end; i++ {
		r := &s.rings[i]
		if r.box.misses(&c.rounded) {
			continue
		}
		odd, free := s.ring(r, c)
		if !free {
			return 0, false, false
		}
		if odd {
			rings++
			solid = i == p.first
		}
	}
	return rings, solid, true
}

// ring returns whether a ray to the east meets the ring an odd number of times
// and whether the circle is free of all its sides.
func (s *shapes) ring(r *ring, c *circle) (odd, free bool) {
	for i := r.first; i < r.end; i++ {
		u := &s.runs[i]
		if u.box.maxY < c.rounded.minY || u.box.minY > c.rounded.maxY || u.box.maxX < c.rounded.minX {
			continue
		}
		if u.box.minX > c.rounded.maxX {
			next := i + 1
			if next == r.end {
				next = r.first
			}
			odd = odd != ((u.lat > c.centre[1]) != (s.runs[next].lat > c.centre[1]))
			continue
		}
		crossed, free := c.along(s.points[u.first : u.last+1])
		if !free {
			return false, false
		}
		odd = odd != crossed
	}
	return odd, true
}
