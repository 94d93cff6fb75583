package geofence

import (
	"fmt"
	"math"
	"testing"

	"github.com/paulmach/orb"
)

// plane places metres east and north of an origin on the map.
type plane struct{ origin orb.Point }

var copenhagen = plane{orb.Point{12.5683, 55.6761}}

func (p plane) at(east, north float64) orb.Point {
	perLon, perLat := metresPerDegree(p.origin[1])
	return orb.Point{p.origin[0] + east/perLon, p.origin[1] + north/perLat}
}

// ring closes the corners, given as pairs of metres east and north.
func (p plane) ring(metres ...float64) orb.Ring {
	var r orb.Ring
	for i := 0; i < len(metres); i += 2 {
		r = append(r, p.at(metres[i], metres[i+1]))
	}
	return append(r, r[0])
}

func (p plane) square(east, north, size float64) orb.Ring {
	return p.ring(east, north, east+size, north, east+size, north+size, east, north+size)
}

// star is a ring of n corners that lie in turn at the two distances.
func (p plane) star(n int, near, far float64) orb.Ring {
	var metres []float64
	for i := range n {
		r := near
		if i%2 == 1 {
			r = far
		}
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		metres = append(metres, r*cos, r*sin)
	}
	return p.ring(metres...)
}

func mustIndex(tb testing.TB, areas ...orb.Geometry) *Index {
	tb.Helper()
	var zones []Zone
	for i, g := range areas {
		z, err := NewZone(fmt.Sprintf("zone-%d", i), "", g)
		if err != nil {
			tb.Fatal(err)
		}
		zones = append(zones, z)
	}
	x, err := NewIndex(zones)
	if err != nil {
		tb.Fatal(err)
	}
	return x
}
