package geofence

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// checkArea returns the first mistake of every ring, and, where the rings of a
// polygon are well formed, the first mistake between them.
func checkArea(area orb.MultiPolygon) []error {
	if len(area) == 0 {
		return []error{errors.New("geometry has no polygons: draw one")}
	}
	if n := countPoints(area); n > maxPoints {
		return []error{fmt.Errorf("area has %d points: simplify it to at most %d", n, maxPoints)}
	}
	var mistakes []error
	for i, polygon := range area {
		for _, err := range checkPolygon(polygon) {
			if len(area) > 1 {
				err = fmt.Errorf("polygon %d: %w", i+1, err)
			}
			mistakes = append(mistakes, err)
		}
	}
	return mistakes
}

func countPoints(area orb.MultiPolygon) int {
	n := 0
	for _, polygon := range area {
		for _, ring := range polygon {
			n += len(ring)
		}
	}
	return n
}

func checkPolygon(polygon orb.Polygon) []error {
	if len(polygon) == 0 {
		return []error{errors.New("polygon has no rings: draw an outer ring")}
	}
	var mistakes []error
	for i, ring := range polygon {
		if err := checkRing(ring); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", ringName(i), err))
		}
	}
	if mistakes != nil {
		return mistakes
	}
	if err := checkCrossings(polygon); err != nil {
		return []error{err}
	}
	if area := squareMetres(polygon[0]); area < minArea {
		return []error{fmt.Errorf("outer ring: area %.2g m² is below %g m²: no vehicle fits, draw it larger", area, minArea)}
	}
	return checkHoles(polygon)
}

func ringName(i int) string {
	if i == 0 {
		return "outer ring"
	}
	return fmt.Sprintf("hole %d", i)
}

// checkRing looks at one ring by itself, crossings apart.
func checkRing(r orb.Ring) error {
	if len(r) < 4 {
		return fmt.Errorf("%s: a ring needs at least 4, the last equal to the first", count(len(r), "point"))
	}
	for i, p := range r {
		if err := checkPoint(p); err != nil {
			return fmt.Errorf("point %d %s: %w", i+1, at(p), err)
		}
	}
	if r[0] != r[len(r)-1] {
		return fmt.Errorf("not closed: starts at %s and ends at %s, repeat the first point at the end", at(r[0]), at(r[len(r)-1]))
	}
	for i := 1; i < len(r); i++ {
		if math.Abs(r[i][0]-r[i-1][0]) > 180 {
			return fmt.Errorf("crosses the antimeridian from %s to %s: cut it at longitude 180 into the polygons of a MultiPolygon", at(r[i-1]), at(r[i]))
		}
	}
	if onOneLine(r) {
		return fmt.Errorf("no area: all its points lie on one line through %s", at(r[0]))
	}
	return nil
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func checkPoint(p orb.Point) error {
	lon, lat := p[0], p[1]
	if math.IsNaN(lon) || math.IsInf(lon, 0) || math.IsNaN(lat) || math.IsInf(lat, 0) {
		return errors.New("not a finite number: write degrees")
	}
	if math.Abs(lat) > maxLatitude {
		swapped := ""
		if math.Abs(lat) > 90 && math.Abs(lat) <= 180 && math.Abs(lon) <= maxLatitude {
			swapped = "; GeoJSON wants [longitude, latitude], these look swapped"
		}
		return fmt.Errorf("latitude %s is outside -%g..%g%s", degrees(lat), maxLatitude, maxLatitude, swapped)
	}
	if math.Abs(lon) > 180 {
		return fmt.Errorf("longitude %s is outside -180..180", degrees(lon))
	}
	return nil
}

// onOneLine compares every point with the first side of any length.
func onOneLine(r orb.Ring) bool {
	second := slices.IndexFunc(r, func(p orb.Point) bool { return p != r[0] })
	if second < 0 {
		return true
	}
	return !slices.ContainsFunc(r, func(p orb.Point) bool { return orient(r[0], r[second], p) != 0 })
}

func squareMetres(r orb.Ring) float64 {
	var twice float64
	for i := 1; i < len(r); i++ {
		a, b := r[i-1], r[i]
		twice += (a[0]-r[0][0])*(b[1]-r[0][1]) - (b[0]-r[0][0])*(a[1]-r[0][1])
	}
	perLon, perLat := metresPerDegree(r.Bound().Center()[1])
	return math.Abs(twice) / 2 * perLon * perLat
}

// checkHoles expects rings that do not cross each other. A query takes every
// hole out of its polygon wherever it lies; these are mistakes all the same,
// since whoever drew them meant something else.
func checkHoles(polygon orb.Polygon) []error {
	var mistakes []error
	for i, hole := range polygon[1:] {
		if k := slices.IndexFunc(hole, func(p orb.Point) bool { return locate(p, polygon[0]) == outside }); k >= 0 {
			mistakes = append(mistakes, fmt.Errorf("%s: point %d %s lies outside the outer ring: make it a polygon of its own or move it in", ringName(i+1), k+1, at(hole[k])))
			continue
		}
		if other := surrounding(polygon[1:], i); other >= 0 {
			mistakes = append(mistakes, fmt.Errorf("%s: lies inside %s: make an island a polygon of its own", ringName(i+1), ringName(other+1)))
		}
	}
	return mistakes
}

// surrounding returns the hole that holds a point of holes[i] in its inside, or -1.
func surrounding(holes []orb.Ring, i int) int {
	box := holes[i].Bound()
	return slices.IndexFunc(holes, func(other orb.Ring) bool {
		if &other[0] == &holes[i][0] || !other.Bound().Intersects(box) {
			return false
		}
		return slices.ContainsFunc(holes[i], func(p orb.Point) bool { return locate(p, other) == inside })
	})
}
