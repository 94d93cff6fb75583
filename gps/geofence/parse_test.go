package geofence

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

const (
	squareJSON = `[[12.56,55.67],[12.57,55.67],[12.57,55.68],[12.56,55.68],[12.56,55.67]]`
	holeJSON   = `[[12.562,55.672],[12.563,55.672],[12.563,55.673],[12.562,55.673],[12.562,55.672]]`
)

// featureJSON is a feature with an id, as JSON, and a geometry.
func featureJSON(id, kind, coordinates string) string {
	return fmt.Sprintf(`{"type":"Feature","id":%s,"properties":null,"geometry":{"type":%q,"coordinates":%s}}`, id, kind, coordinates)
}

func collectionJSON(features ...string) string {
	return `{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`
}

func TestParseZone(t *testing.T) {
	hole := within6(12.562, 55.672, 12.563, 55.673)
	tests := []struct {
		name string
		json string
		want Zone
	}{
		{"polygon", featureJSON(`"a"`, "Polygon", "["+squareJSON+"]"), Zone{ID: "a", Area: orb.MultiPolygon{{box6}}}},
		{"polygon with a hole", featureJSON(`"a"`, "Polygon", "["+squareJSON+","+holeJSON+"]"), Zone{ID: "a", Area: orb.MultiPolygon{{box6, hole}}}},
		{"multipolygon", featureJSON(`"a"`, "MultiPolygon", "[["+squareJSON+","+holeJSON+"],["+holeJSON+"]]"), Zone{ID: "a", Area: orb.MultiPolygon{{box6, hole}, {hole}}}},
		{"number for an id", featureJSON(`17`, "Polygon", "["+squareJSON+"]"), Zone{ID: "17", Area: orb.MultiPolygon{{box6}}}},
		{"altitudes", featureJSON(`"a"`, "Polygon", "["+strings.ReplaceAll(squareJSON, "],", ",8.5],")+"]"), Zone{ID: "a", Area: orb.MultiPolygon{{box6}}}},
		{
			"name and foreign members",
			`{"type":"Feature","id":"a","bbox":[1,2,3,4],"properties":{"name":"Nørregade","colour":"red"},"title":1,"geometry":{"type":"Polygon","crs":null,"coordinates":[` + squareJSON + `]}}`,
			Zone{ID: "a", Name: "Nørregade", Area: orb.MultiPolygon{{box6}}},
		},
		{"no properties", `{"type":"Feature","id":"a","geometry":{"type":"Polygon","coordinates":[` + squareJSON + `]}}`, Zone{ID: "a", Area: orb.MultiPolygon{{box6}}}},
		{
			"name of another kind",
			`{"type":"Feature","id":"a","properties":{"name":["x"]},"geometry":{"type":"Polygon","coordinates":[` + squareJSON + `]}}`,
			Zone{ID: "a", Area: orb.MultiPolygon{{box6}}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseZone([]byte(tt.json))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func TestParseZoneRefuses(t *testing.T) {
	polygon := func(points string) string { return featureJSON(`"a"`, "Polygon", "[["+points+"]]") }
	const noID = `parse zone: feature has no id: tasks name their zones by it, set "id" beside "type" (not in "properties")`
	tests := []struct {
		name string
		json string
		want string
	}{
		{"empty", ``, `parse zone: byte 0 of the JSON: unexpected end of JSON input`},
		{"broken", `{"type":"Feature",}`, `parse zone: byte 19 of the JSON: invalid character '}' looking for beginning of object key string`},
		{"list", `[]`, `parse zone: byte 1 of the JSON: the whole is of the wrong kind: array`},
		{"geometry a string", `{"type":"Feature","id":"a","geometry":"x"}`, `parse zone: byte 41 of the JSON: member "geometry" is of the wrong kind: string`},
		{"null", `null`, `parse zone: type is "": a zone is a Feature`},
		{"collection", collectionJSON(), `parse zone: type is "FeatureCollection": a zone is a Feature`},
		{"no id", `{"type":"Feature","properties":{"id":"a"},"geometry":{"type":"Polygon","coordinates":[]}}`, noID},
		{"id null", featureJSON(`null`, "Polygon", `[]`), noID},
		{"id empty", featureJSON(`""`, "Polygon", `[]`), `parse zone: zone without id: tasks name their zones by id, give it one`},
		{"id a list", featureJSON(`["a"]`, "Polygon", `[]`), `parse zone: feature id is ["a"]: use a string or a number`},
		{"no geometry", `{"type":"Feature","id":"a","geometry":null}`, `zone "a": no geometry: draw a Polygon or a MultiPolygon`},
		{"line", featureJSON(`"a"`, "LineString", squareJSON), `zone "a": geometry is a "LineString": a zone is a Polygon or a MultiPolygon`},
		{"polygon one list short", featureJSON(`"a"`, "Polygon", squareJSON), `zone "a": outer ring: point 1: 12.56 is not a list of numbers: write [longitude, latitude]`},
		{"polygon two lists short", featureJSON(`"a"`, "Polygon", `[12.56,55.67]`), `zone "a": coordinates of a Polygon are a list of rings of points [longitude, latitude]`},
		{"multipolygon as polygon", featureJSON(`"a"`, "MultiPolygon", `[12.56]`), `zone "a": coordinates of a MultiPolygon are a list of polygons of rings of points [longitude, latitude]`},
		{"no coordinates", `{"type":"Feature","id":"a","geometry":{"type":"Polygon"}}`, `zone "a": coordinates of a Polygon are a list of rings of points [longitude, latitude]`},
		{"coordinates null", featureJSON(`"a"`, "Polygon", `null`), `zone "a": polygon has no rings: draw an outer ring`},
		{"one number", polygon(`[12.56,55.67],[12.57]`), `zone "a": outer ring: point 2: [12.57] has 1 number: write [longitude, latitude]`},
		{"four numbers", polygon(`[12.56,55.67,1,2]`), `zone "a": outer ring: point 1: [12.56,55.67,1,2] has 4 numbers: write [longitude, latitude]`},
		{"number null", polygon(`[12.56,null]`), `zone "a": outer ring: point 1: [12.56,null] holds null: write [longitude, latitude]`},
		{"number in quotes", polygon(`[12.56,"55.67"]`), `zone "a": outer ring: point 1: [12.56,"55.67"] is not a list of numbers: write [longitude, latitude]`},
		{"number too large", polygon(`[12.56,1e999]`), `zone "a": outer ring: point 1: [12.56,1e999] is not a list of numbers: write [longitude, latitude]`},
		{"point null", polygon(`null`), `zone "a": outer ring: point 1: null has 0 numbers: write [longitude, latitude]`},
		{"in a hole of the second polygon", featureJSON(`"a"`, "MultiPolygon", "[["+squareJSON+"],["+squareJSON+",[[1]]]]"), `zone "a": polygon 2: hole 1: point 1: [1] has 1 number: write [longitude, latitude]`},
		{"two points", polygon(`[12.56,55.67],[12.57,55.67]`), `zone "a": outer ring: 2 points: a ring needs at least 4, the last equal to the first`},
		{"too large", strings.Repeat(" ", 64<<20+1), `parse zone: 67108865 bytes of GeoJSON: use at most 67108864`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			z, err := ParseZone([]byte(tt.json))
			if err == nil {
				t.Fatalf("got %v, want an error", z)
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func TestParseZones(t *testing.T) {
	got, err := ParseZones([]byte(collectionJSON(featureJSON(`"b"`, "Polygon", "["+squareJSON+"]"), featureJSON(`"a"`, "Polygon", "["+holeJSON+"]"))))
	if err != nil {
		t.Fatal(err)
	}
	want := []Zone{
		{ID: "b", Area: orb.MultiPolygon{{box6}}},
		{ID: "a", Area: orb.MultiPolygon{{within6(12.562, 55.672, 12.563, 55.673)}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestParseZonesRefuses(t *testing.T) {
	bad := featureJSON(`"a"`, "Polygon", "[[[1,2]],[[3,4]]]")
	good := featureJSON(`"b"`, "Polygon", "["+squareJSON+"]")
	tests := []struct {
		name string
		json string
		want string
	}{
		{"broken", `{"features":[}`, `parse zones: byte 14 of the JSON: invalid character '}' looking for beginning of value`},
		{"feature alone", good, `parse zones: type is "Feature": zones are the features of a FeatureCollection`},
		{"no features", `{"type":"FeatureCollection"}`, `parse zones: FeatureCollection without features: give it a list, [] for no zones`},
		{"features not a list", `{"type":"FeatureCollection","features":{}}`, `parse zones: byte 40 of the JSON: member "features" is of the wrong kind: object`},
		{"too large", strings.Repeat(" ", 64<<20+1), `parse zones: 67108865 bytes of GeoJSON: use at most 67108864`},
		{"too many", collectionJSON("0" + strings.Repeat(",0", 100_000)), `parse zones: 100001 features: use at most 100000`},
		{
			"every mistake", collectionJSON(bad, good, `7`, `{"type":"Feature"}`, featureJSON(`"c"`, "Point", "[1,2]")),
			`feature 1: zone "a": outer ring: 1 point: a ring needs at least 4, the last equal to the first
feature 1: zone "a": hole 1: 1 point: a ring needs at least 4, the last equal to the first
feature 3: parse zone: byte 1 of the JSON: the whole is of the wrong kind: number
feature 4: parse zone: feature has no id: tasks name their zones by it, set "id" beside "type" (not in "properties")
feature 5: zone "c": geometry is a "Point": a zone is a Polygon or a MultiPolygon`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			zones, err := ParseZones([]byte(tt.json))
			if err == nil {
				t.Fatalf("got %v, want an error", zones)
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

// Whatever the bytes, parsing ends with zones that can be indexed and asked, or
// with an error.
func FuzzParseZones(f *testing.F) {
	f.Add([]byte(collectionJSON(featureJSON(`"a"`, "Polygon", "["+squareJSON+","+holeJSON+"]"))))
	f.Add([]byte(collectionJSON(featureJSON(`1`, "MultiPolygon", "[["+squareJSON+","+holeJSON+"],["+holeJSON+"]]"))))
	f.Add([]byte(collectionJSON(featureJSON(`"b"`, "Polygon", `[[[12.56,55.67],[12.57,55.68],[12.57,55.67],[12.56,55.68],[12.56,55.67]]]`))))
	f.Add([]byte(collectionJSON(featureJSON(`"c"`, "Polygon", `[[[0,0],[null],[],0]]`))))
	f.Add([]byte(`{"type":"FeatureCollection","features":[{},null,{"type":"Feature","id":[]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		zones, err := ParseZones(data)
		if err != nil {
			if zones != nil || err.Error() == "" {
				t.Fatalf("zones %v beside error %q", zones, err)
			}
			return
		}
		x, err := NewIndex(zones)
		if err != nil {
			if !strings.Contains(err.Error(), "have this id") {
				t.Fatalf("parsed zones refused: %v", err)
			}
			return
		}
		for i, z := range zones {
			for _, polygon := range z.Area {
				askAround(t, x, i, polygon)
			}
		}
	})
}

// askAround asks about the corners of a polygon of zone i, none of which lies in
// the zone, and about its middle.
func askAround(t *testing.T, x *Index, i int, polygon orb.Polygon) {
	t.Helper()
	for _, ring := range polygon {
		for _, p := range ring {
			if slices.Contains(x.Containing(p, 0, nil), i) {
				t.Fatalf("zone %d holds its own corner %v", i, p)
			}
		}
	}
	p := polygon.Bound().Center()
	for _, j := range x.Containing(p, 10, nil) {
		if c := clearance(onPlane(x.Zone(j).Area, p)); c < 10-1e-5 {
			t.Fatalf("zone %d holds a circle of 10 m with %v m to its border", j, c)
		}
	}
}

// shared finds the folder of real data that lies beside the repository, or skips.
func shared(tb testing.TB, parts ...string) string {
	tb.Helper()
	root := os.Getenv("GADEBLIK_SHARED")
	for dir := "."; root == ""; dir = filepath.Join(dir, "..") {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			root = filepath.Join(dir, "..", "shared")
		}
		if len(dir) > 64 {
			tb.Skip("no go.mod above this folder")
		}
	}
	path := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		tb.Skipf("no real data: %v", err)
	}
	return path
}
