package geofence

import (
	"github.com/paulmach/orb"
)

// onBorder is the distance, in metres, below which a point is on a side. It is
// far above the rounding of a crossing test and far below anything measured.
const onBorder = 1e-6

// circle is a query: radius metres round centre, and after project the plane
// that touches the ellipsoid there.
type circle struct {
	centre         orb.Point
	radius         float64
	reach2         float64 // a side must be farther than the root of this
	perLon, perLat float64 // metres per degree; 0 before project
	box            orb.Bound
	rounded        box
}

// project makes the plane, once: most queries end before they need it.
func (c *circle) project() {
	if c.perLat != 0 {
		return
	}
	c.perLon, c.perLat = metresPerDegree(c.centre[1])
	reach := max(c.radius, onBorder)
	c.reach2 = reach * reach
	// A little wider than the circle, so that rounding hides no side.
	lon, lat := reach/c.perLon*(1+1e-9)+1e-12, reach/c.perLat*(1+1e-9)+1e-12
	c.box.Min = orb.Point{c.centre[0] - lon, c.centre[1] - lat}
	c.box.Max = orb.Point{c.centre[0] + lon, c.centre[1] + lat}
	c.rounded = boxOf(c.box)
}

// along follows the sides between consecutive points and returns whether a ray
// from the centre to the east meets them an odd number of times, and whether
// the circle is free of them all. Where it is not, it stops at once.
func (c *circle) along(points []orb.Point) (odd, free bool) {
	a := points[0]
	for _, b := range points[1:] {
		switch {
		case a[1] < c.box.Min[1] && b[1] < c.box.Min[1], a[1] > c.box.Max[1] && b[1] > c.box.Max[1]:
		case a[0] < c.box.Min[0] && b[0] < c.box.Min[0]:
		case a[0] > c.box.Max[0] && b[0] > c.box.Max[0]:
			odd = odd != ((a[1] > c.centre[1]) != (b[1] > c.centre[1]))
		default:
			east, free := c.side(a, b)
			if !free {
				return false, false
			}
			odd = odd != east
		}
		a = b
	}
	return odd, true
}

// side does the same for the side from a to b, in metres.
func (c *circle) side(a, b orb.Point) (east, free bool) {
	x1, y1 := (a[0]-c.centre[0])*c.perLon, (a[1]-c.centre[1])*c.perLat
	x2, y2 := (b[0]-c.centre[0])*c.perLon, (b[1]-c.centre[1])*c.perLat
	dx, dy := x2-x1, y2-y1
	turn := x1*y2 - x2*y1
	length2 := dx*dx + dy*dy
	ahead := -(x1*dx + y1*dy) // how far along the side the centre lies, times its length
	switch {
	case ahead <= 0:
		free = x1*x1+y1*y1 > c.reach2
	case ahead >= length2:
		free = x2*x2+y2*y2 > c.reach2
	default:
		free = turn*turn > c.reach2*length2
	}
	return (y1 > 0) != (y2 > 0) && (turn > 0) == (y2 > y1), free
}
