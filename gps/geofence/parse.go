package geofence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/paulmach/orb"
)

const maxBytes = 64 << 20 // of GeoJSON: ten thousand pretty-printed zones fit twice

// feature is what a zone needs of a GeoJSON Feature; other members are for others.
type feature struct {
	Type       string          `json:"type"`
	ID         json.RawMessage `json:"id"`
	Geometry   *geometry       `json:"geometry"`
	Properties json.RawMessage `json:"properties"`
}

type geometry struct {
	Type        string          `json:"type"`
	Coordinates json.RawMessage `json:"coordinates"`
}

// ParseZones makes zones of the features of a GeoJSON FeatureCollection, in
// order, and ignores what else the collection holds. The error names every
// mistake (of a very long list the first fifty); features are counted from 1.
// That no two zones have one id is for [NewIndex] to check.
func ParseZones(collection []byte) ([]Zone, error) {
	if len(collection) > maxBytes {
		return nil, fmt.Errorf("parse zones: %d bytes of GeoJSON: use at most %d", len(collection), maxBytes)
	}
	var c struct {
		Type     string             `json:"type"`
		Features *[]json.RawMessage `json:"features"`
	}
	if err := json.Unmarshal(collection, &c); err != nil {
		return nil, fmt.Errorf("parse zones: %w", jsonError(err))
	}
	if c.Type != "FeatureCollection" {
		return nil, fmt.Errorf("parse zones: type is %.40q: zones are the features of a FeatureCollection", c.Type)
	}
	if c.Features == nil {
		return nil, errors.New("parse zones: FeatureCollection without features: give it a list, [] for no zones")
	}
	if n := len(*c.Features); n > maxZones {
		return nil, fmt.Errorf("parse zones: %d features: use at most %d", n, maxZones)
	}
	zones := make([]Zone, 0, len(*c.Features))
	var mistakes []error
	for i, raw := range *c.Features {
		zone, err := ParseZone(raw)
		if err != nil {
			for _, e := range split(err) {
				mistakes = append(mistakes, fmt.Errorf("feature %d: %w", i+1, e))
			}
		}
		zones = append(zones, zone)
	}
	if mistakes != nil {
		return nil, join(mistakes)
	}
	return zones, nil
}

// ParseZone makes a zone of one GeoJSON Feature with a Polygon or MultiPolygon.
// The zone's id is the feature's id, a string or a number; its name is the
// property "name", where that is a string. Altitudes are ignored.
func ParseZone(data []byte) (Zone, error) {
	if len(data) > maxBytes {
		return Zone{}, fmt.Errorf("parse zone: %d bytes of GeoJSON: use at most %d", len(data), maxBytes)
	}
	var f feature
	if err := json.Unmarshal(data, &f); err != nil {
		return Zone{}, fmt.Errorf("parse zone: %w", jsonError(err))
	}
	if f.Type != "Feature" {
		return Zone{}, fmt.Errorf("parse zone: type is %.40q: a zone is a Feature", f.Type)
	}
	id, err := f.id()
	if err != nil {
		return Zone{}, fmt.Errorf("parse zone: %w", err)
	}
	if f.Geometry == nil {
		return NewZone(id, "", nil)
	}
	g, err := f.Geometry.polygons()
	if err != nil {
		return Zone{}, fmt.Errorf("zone %q: %w", id, err)
	}
	return NewZone(id, f.name(), g)
}

func (f *feature) id() (string, error) {
	raw := bytes.TrimSpace(f.ID)
	if len(raw) == 0 || string(raw) == "null" {
		return "", errors.New(`feature has no id: tasks name their zones by it, set "id" beside "type" (not in "properties")`)
	}
	if c := raw[0]; c == '-' || '0' <= c && c <= '9' {
		return string(raw), nil
	}
	var id string
	if err := json.Unmarshal(raw, &id); err != nil {
		return "", fmt.Errorf("feature id is %.40s: use a string or a number", raw)
	}
	return id, checkID(id)
}

// name is decoration: properties of any other form leave it empty.
func (f *feature) name() string {
	var p struct {
		Name any `json:"name"`
	}
	if json.Unmarshal(f.Properties, &p) != nil {
		return ""
	}
	name, _ := p.Name.(string)
	return name
}

func (g *geometry) polygons() (orb.Geometry, error) {
	var area orb.MultiPolygon
	switch g.Type {
	case "Polygon":
		var rings [][]json.RawMessage
		if json.Unmarshal(g.Coordinates, &rings) != nil {
			return nil, errors.New("coordinates of a Polygon are a list of rings of points [longitude, latitude]")
		}
		polygon, err := decodePolygon(rings)
		if err != nil {
			return nil, err
		}
		area = orb.MultiPolygon{polygon}
	case "MultiPolygon":
		var polygons [][][]json.RawMessage
		if json.Unmarshal(g.Coordinates, &polygons) != nil {
			return nil, errors.New("coordinates of a MultiPolygon are a list of polygons of rings of points [longitude, latitude]")
		}
		for i, rings := range polygons {
			polygon, err := decodePolygon(rings)
			if err != nil {
				return nil, fmt.Errorf("polygon %d: %w", i+1, err)
			}
			area = append(area, polygon)
		}
	default:
		return nil, fmt.Errorf("geometry is a %.40q: a zone is a Polygon or a MultiPolygon", g.Type)
	}
	return area, nil
}

func decodePolygon(rings [][]json.RawMessage) (orb.Polygon, error) {
	polygon := make(orb.Polygon, 0, len(rings))
	for i, points := range rings {
		ring := make(orb.Ring, 0, len(points))
		for k, raw := range points {
			p, err := decodePoint(raw)
			if err != nil {
				return nil, fmt.Errorf("%s: point %d: %w", ringName(i), k+1, err)
			}
			ring = append(ring, p)
		}
		polygon = append(polygon, ring)
	}
	return polygon, nil
}

// decodePoint reads a position strictly: a missing or null number must not turn
// into a zero, which is a place off the coast of Africa.
func decodePoint(raw json.RawMessage) (orb.Point, error) {
	var numbers []*float64
	if json.Unmarshal(raw, &numbers) != nil {
		return orb.Point{}, fmt.Errorf("%.40s is not a list of numbers: write [longitude, latitude]", raw)
	}
	if len(numbers) != 2 && len(numbers) != 3 {
		return orb.Point{}, fmt.Errorf("%.40s has %s: write [longitude, latitude]", raw, count(len(numbers), "number"))
	}
	if numbers[0] == nil || numbers[1] == nil {
		return orb.Point{}, fmt.Errorf("%.40s holds null: write [longitude, latitude]", raw)
	}
	return orb.Point{*numbers[0], *numbers[1]}, nil
}

// jsonError says where the JSON breaks off, which the standard library knows
// but does not print.
func jsonError(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("byte %d of the JSON: %w", syntax.Offset, err)
	}
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		member := "the whole"
		if mismatch.Field != "" {
			member = fmt.Sprintf("member %q", mismatch.Field)
		}
		return fmt.Errorf("byte %d of the JSON: %s is of the wrong kind: %s", mismatch.Offset, member, mismatch.Value)
	}
	return err
}
