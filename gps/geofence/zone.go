package geofence

import (
	"errors"
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/paulmach/orb"
)

const (
	maxPoints    = 10_000 // of one zone: crossings are looked for in pairs of sides
	maxID        = 128    // bytes
	maxLatitude  = 85.0   // degrees; metres per degree lose their meaning at the poles
	minArea      = 1.0    // square metres of an outer ring; less is a slip of the hand
	maxComplaint = 50     // mistakes spelt out in one error
)

// Zone is an area that tasks name. Area holds closed rings of [longitude,
// latitude] in degrees, the outer ring of each polygon first and its holes after
// it. A Zone from [NewZone], [ParseZone] or [ParseZones] is valid; one put
// together by hand is checked by [NewIndex].
type Zone struct {
	ID   string
	Name string
	Area orb.MultiPolygon
}

// NewZone makes a zone of a polygon or multipolygon, of which it keeps a copy.
// The error names every ring that is wrong, what is wrong with it and the mend;
// polygons, holes and points are counted from 1.
func NewZone(id, name string, g orb.Geometry) (Zone, error) {
	z := Zone{ID: id, Name: name}
	switch g := g.(type) {
	case orb.Polygon:
		z.Area = orb.MultiPolygon{g}
	case orb.MultiPolygon:
		z.Area = g
	case nil:
		return Zone{}, fmt.Errorf("zone %q: no geometry: draw a Polygon or a MultiPolygon", id)
	default:
		return Zone{}, fmt.Errorf("zone %q: geometry is a %s: a zone is a Polygon or a MultiPolygon", id, g.GeoJSONType())
	}
	if err := z.check(); err != nil {
		return Zone{}, err
	}
	z.Area = z.Area.Clone()
	return z, nil
}

// check returns every mistake of the zone.
func (z Zone) check() error {
	if err := checkID(z.ID); err != nil {
		return err
	}
	mistakes := checkArea(z.Area)
	for i, err := range mistakes {
		mistakes[i] = fmt.Errorf("zone %q: %w", z.ID, err)
	}
	return join(mistakes)
}

func checkID(id string) error {
	if id == "" {
		return errors.New("zone without id: tasks name their zones by id, give it one")
	}
	if len(id) > maxID {
		return fmt.Errorf("zone %q...: id has %d bytes: use at most %d", id[:16], len(id), maxID)
	}
	if !utf8.ValidString(id) {
		return fmt.Errorf("zone %q: id is not UTF-8", id)
	}
	for _, r := range id {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("zone %q: id holds the unprintable character %q: leave it out", id, r)
		}
	}
	return nil
}

// join is errors.Join with a bound: a file of ten thousand bad zones must not
// become a message that nobody can send.
func join(errs []error) error {
	if more := len(errs) - maxComplaint; more > 0 {
		errs = append(errs[:maxComplaint:maxComplaint], fmt.Errorf("and %d more", more))
	}
	return errors.Join(errs...)
}

// split returns the errors that join put together.
func split(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// at writes a point as GeoJSON does.
func at(p orb.Point) string {
	return "[" + degrees(p[0]) + ", " + degrees(p[1]) + "]"
}

func degrees(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
