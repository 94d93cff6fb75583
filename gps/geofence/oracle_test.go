package geofence

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
	"pgregory.net/rapid"
)

// The oracle answers the same question slowly and by other means: orb's point in
// polygon, distances by projecting on each side in turn, and hundreds of points
// on the circle. It shares only metresPerDegree with the index, which
// TestErrorBound checks against the ellipsoid.

// onPlane maps an area to metres round p.
func onPlane(area orb.MultiPolygon, p orb.Point) orb.MultiPolygon {
	perLon, perLat := metresPerDegree(p[1])
	flat := area.Clone()
	for _, polygon := range flat {
		for _, ring := range polygon {
			for i, q := range ring {
				ring[i] = orb.Point{(q[0] - p[0]) * perLon, (q[1] - p[1]) * perLat}
			}
		}
	}
	return flat
}

// clearance is the distance from the origin to the nearest side of any ring.
func clearance(flat orb.MultiPolygon) float64 {
	least := math.Inf(1)
	for _, polygon := range flat {
		for _, ring := range polygon {
			for i := 1; i < len(ring); i++ {
				a, b := ring[i-1], ring[i]
				dx, dy := b[0]-a[0], b[1]-a[1]
				along := 0.0
				if l := dx*dx + dy*dy; l > 0 {
					along = min(max(-(a[0]*dx+a[1]*dy)/l, 0), 1)
				}
				least = min(least, math.Hypot(a[0]+along*dx, a[1]+along*dy))
			}
		}
	}
	return least
}

// holders counts the polygons that hold q, and the rings that do.
func holders(flat orb.MultiPolygon, q orb.Point) (polygons, rings int) {
	for _, polygon := range flat {
		if planar.PolygonContains(polygon, q) {
			polygons++
		}
		for _, ring := range polygon {
			if planar.RingContains(ring, q) {
				rings++
			}
		}
	}
	return polygons, rings
}

// drawArea draws one to three polygons that may be apart, overlap or nest, with
// up to two holes each.
func drawArea(t *rapid.T, m plane) orb.MultiPolygon {
	var area orb.MultiPolygon
	for range rapid.IntRange(1, 3).Draw(t, "polygons") {
		east := rapid.Float64Range(-150, 150).Draw(t, "east")
		north := rapid.Float64Range(-150, 150).Draw(t, "north")
		size := rapid.Float64Range(20, 150).Draw(t, "size")
		centre := plane{m.at(east, north)}
		polygon := orb.Polygon{drawRing(t, centre, size, 2*size)}
		switch rapid.IntRange(0, 2).Draw(t, "holes") {
		case 1:
			polygon = append(polygon, drawRing(t, centre, size/4, size*0.9))
		case 2:
			left, right := plane{centre.at(-size/2, 0)}, plane{centre.at(size/2, 0)}
			polygon = append(polygon, drawRing(t, left, size/8, size/3), drawRing(t, right, size/8, size/3))
		}
		area = append(area, polygon)
	}
	return area
}

// drawRing draws a ring that circles m once, its corners between the distances.
func drawRing(t *rapid.T, m plane, near, far float64) orb.Ring {
	n := rapid.IntRange(3, 40).Draw(t, "corners")
	turn := rapid.Float64Range(0, 1).Draw(t, "turn")
	var metres []float64
	for i := range n {
		r := near + (far-near)*rapid.Float64Range(0, 1).Draw(t, "r")
		if n < 8 {
			r = (near + far) / 2 // so few sides must not cut into the inner circle by far
		}
		sin, cos := math.Sincos(2 * math.Pi * (float64(i) + turn) / float64(n))
		metres = append(metres, r*cos, r*sin)
	}
	return m.ring(metres...)
}

// drawPoint draws a point anywhere, or close to a corner or a side.
func drawPoint(t *rapid.T, m plane, area orb.MultiPolygon) orb.Point {
	kind := rapid.IntRange(0, 3).Draw(t, "kind")
	if kind == 0 {
		return m.at(rapid.Float64Range(-400, 400).Draw(t, "px"), rapid.Float64Range(-400, 400).Draw(t, "py"))
	}
	polygon := rapid.SampledFrom(area).Draw(t, "polygon")
	ring := rapid.SampledFrom(polygon).Draw(t, "ring")
	i := rapid.IntRange(1, len(ring)-1).Draw(t, "side")
	a, b := ring[i-1], ring[i]
	f := float64(kind-1) / 2 // a corner, the middle of a side, the next corner
	by := rapid.SampledFrom([]float64{0, 1e-3, 0.1, 3, 30}).Draw(t, "by")
	angle := rapid.Float64Range(0, 2*math.Pi).Draw(t, "angle")
	near := plane{orb.Point{a[0] + f*(b[0]-a[0]), a[1] + f*(b[1]-a[1])}}
	return near.at(by*math.Cos(angle), by*math.Sin(angle))
}

func TestContainingAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := plane{orb.Point{rapid.Float64Range(-179, 179).Draw(t, "lon"), rapid.Float64Range(-80, 80).Draw(t, "lat")}}
		var zones []Zone
		for i := range rapid.IntRange(1, 3).Draw(t, "zones") {
			z, err := NewZone(string(rune('a'+i)), "", drawArea(t, m))
			if err != nil {
				t.Skip(err)
			}
			zones = append(zones, z)
		}
		x, err := NewIndex(zones)
		if err != nil {
			t.Fatal(err)
		}
		p := drawPoint(t, m, zones[0].Area)
		radius := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 5), rapid.Float64Range(0, 100)).Draw(t, "radius")

		want, got := []int{}, x.Containing(p, radius, []int{})
		for i, z := range zones {
			flat := onPlane(z.Area, p)
			c := clearance(flat)
			if math.Abs(c-radius) < 1e-5 {
				return // either answer is right
			}
			polygons, rings := holders(flat, orb.Point{})
			if c > radius && polygons == 1 && !holed(z.Area, flat, rings) {
				want = append(want, i)
				checkCircle(t, flat, radius)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("at %v, radius %v: want -, got +:\n%s", p, radius, diff)
		}
	})
}

// holed reports whether a hole that holds the origin cuts the one polygon that
// does: rings other than that polygon's must enclose all of its corners and be
// free of its sides.
func holed(area, flat orb.MultiPolygon, rings int) bool {
	enclosing := 1 // its own outer ring
	for i, polygon := range flat {
		if !planar.PolygonContains(polygon, orb.Point{}) {
			continue
		}
		for j, other := range area {
			for _, ring := range other {
				if j != i && surrounds(ring, area[i][0]) {
					enclosing++
				}
			}
		}
	}
	return rings != enclosing
}

func surrounds(ring, inner orb.Ring) bool {
	for _, p := range inner {
		if !planar.RingContains(ring, p) {
			return false
		}
	}
	// A dense walk along both finds any crossing of shapes this coarse.
	for i := 1; i < len(inner); i++ {
		for k := range 200 {
			f := float64(k) / 200
			a, b := inner[i-1], inner[i]
			if !planar.RingContains(ring, orb.Point{a[0] + f*(b[0]-a[0]), a[1] + f*(b[1]-a[1])}) {
				return false
			}
		}
	}
	return true
}

// checkCircle wants every point of the circle in exactly one polygon.
func checkCircle(t *rapid.T, flat orb.MultiPolygon, radius float64) {
	for k := range 360 {
		sin, cos := math.Sincos(float64(k) * radians)
		if polygons, _ := holders(flat, orb.Point{radius * cos, radius * sin}); polygons != 1 {
			t.Fatalf("%d polygons hold the point of the circle at %d°", polygons, k)
		}
	}
}

// TestErrorBound compares the plane with straight lines through the ellipsoid,
// which over these distances differ from its surface by less than a micrometre,
// and with the bound in the package comment.
func TestErrorBound(t *testing.T) {
	for _, lat := range []float64{0, 10, -33.9, 45, 55.7, -60, 69.6, 85} {
		p := plane{orb.Point{12.5, lat}}
		for _, d := range []float64{1, 20, 100, 1000} {
			bound := d*d/6371e3*(0.2*math.Tan(math.Abs(lat)*radians)+0.01) + 1e-5
			worst := 0.0
			for k := range 360 {
				sin, cos := math.Sincos(float64(k) * radians)
				q := p.at(d*cos, d*sin)
				worst = max(worst, math.Abs(distance(q, p.origin)-chord(q, p.origin)))
			}
			if worst > bound {
				t.Errorf("latitude %v, %v m: wrong by %.3g m, bound %.3g", lat, d, worst, bound)
			}
		}
	}
}

func chord(a, b orb.Point) float64 {
	x1, y1, z1 := ecef(a)
	x2, y2, z2 := ecef(b)
	return math.Sqrt((x1-x2)*(x1-x2) + (y1-y2)*(y1-y2) + (z1-z2)*(z1-z2))
}

func ecef(p orb.Point) (x, y, z float64) {
	sinLat, cosLat := math.Sincos(p[1] * radians)
	sinLon, cosLon := math.Sincos(p[0] * radians)
	n := equatorRadius / math.Sqrt(1-eccentricity2*sinLat*sinLat)
	return n * cosLat * cosLon, n * cosLat * sinLon, n * (1 - eccentricity2) * sinLat
}
