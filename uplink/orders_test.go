package uplink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

// The parts of a small but complete set of orders.
const (
	goodHeader = `{"version":5,"fleet":"cph","vehicles":["v1","v2"],"not_before":"2026-05-01T00:00:00+02:00","not_after":"2026-10-01T00:00:00Z"}`
	goodZone   = `{"type":"Feature","id":"z","properties":{"name":"Zone Z"},"geometry":{"type":"Polygon","coordinates":[[[12.5,55.6],[12.6,55.6],[12.6,55.7],[12.5,55.6]]]}}`
	goodTask   = `{"id":"t","purpose":"p","legal_basis":"l","controller":"c","zones":["z"],"labels":["car"],"action":"count"}`
)

func ordersOf(header, features, tasks string) []byte {
	return fmt.Appendf(nil, `{"type":"FeatureCollection","gadeblik":%s,"features":[%s],"tasks":[%s]}`, header, features, tasks)
}

func goodOrders() []byte { return ordersOf(goodHeader, goodZone, goodTask) }

func TestParseOrders(t *testing.T) {
	payload := goodOrders()
	got, err := ParseOrders(payload)
	if err != nil {
		t.Fatal(err)
	}
	want := Header{
		Version: 5, Fleet: "cph", Vehicles: []string{"v1", "v2"},
		NotBefore: time.Date(2026, 4, 30, 22, 0, 0, 0, time.UTC), NotAfter: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC),
	}
	if d := cmp.Diff(want, got.Header); d != "" {
		t.Errorf("header (-want +got):\n%s", d)
	}
	if got.Digest != hexDigest(payload) {
		t.Errorf("digest %s, want that of the payload", got.Digest)
	}
	if len(got.Tasks) != 1 || string(got.Tasks[0]) != goodTask {
		t.Errorf("tasks %s, want the one as written", got.Tasks)
	}
	f := got.Features.Features[0]
	ring := orb.Ring{{12.5, 55.6}, {12.6, 55.6}, {12.6, 55.7}, {12.5, 55.6}}
	if d := cmp.Diff(orb.Geometry(orb.Polygon{ring}), f.Geometry); d != "" || f.ID != "z" || f.Properties["name"] != "Zone Z" {
		t.Errorf("feature %v %v (-want +got):\n%s", f.ID, f.Properties, d)
	}
	clear(payload)
	if !bytes.Equal(got.Payload, goodOrders()) || string(got.Tasks[0]) != goodTask {
		t.Error("the orders share memory with what they were parsed from")
	}
}

func TestParseOrdersMultiPolygonWithHoleAndHeights(t *testing.T) {
	zone := `{"type":"Feature","id":"m","properties":null,"bbox":[1,2,3,4],"geometry":{"type":"MultiPolygon","coordinates":[
		[[[0,0,7],[9,0],[9,9],[0,0]],[[1,1],[2,1],[2,2],[1,1]]],
		[[[20,0],[21,0],[21,1],[20,0]]]]}}`
	got, err := ParseOrders(ordersOf(goodHeader, zone, goodTask))
	if err != nil {
		t.Fatal(err)
	}
	want := orb.MultiPolygon{
		{{{0, 0}, {9, 0}, {9, 9}, {0, 0}}, {{1, 1}, {2, 1}, {2, 2}, {1, 1}}},
		{{{20, 0}, {21, 0}, {21, 1}, {20, 0}}},
	}
	if d := cmp.Diff(orb.Geometry(want), got.Features.Features[0].Geometry); d != "" {
		t.Errorf("geometry (-want +got):\n%s", d)
	}
}

func TestParseOrdersTakesForeignMembers(t *testing.T) {
	payload := strings.Replace(string(goodOrders()), `{"type":"FeatureCollection"`, `{"$schema":"x","crs":{"a":[1]},"type":"FeatureCollection"`, 1)
	payload = strings.Replace(payload, `"geometry":{`, `"note":1,"geometry":{"colour":"red",`, 1)
	if _, err := ParseOrders([]byte(payload)); err != nil {
		t.Error(err)
	}
}

func TestParseOrdersMistakes(t *testing.T) {
	header := func(old, replacement string) []byte {
		return ordersOf(strings.Replace(goodHeader, old, replacement, 1), goodZone, goodTask)
	}
	zone := func(old, replacement string) []byte {
		return ordersOf(goodHeader, strings.Replace(goodZone, old, replacement, 1), goodTask)
	}
	task := func(old, replacement string) []byte {
		return ordersOf(goodHeader, goodZone, strings.Replace(goodTask, old, replacement, 1))
	}
	ring := `[[[12.5,55.6],[12.6,55.6],[12.6,55.7],[12.5,55.6]]]`
	for _, tt := range []struct {
		name    string
		payload []byte
		want    string
	}{
		{"empty", nil, "the document is empty"},
		{"white", []byte(" \n"), "the document is empty"},
		{"mark", []byte("\xef\xbb\xbf{}"), "the document starts with a byte order mark; save it as UTF-8 without one"},
		{"latin 1", []byte("{\"a\":\"\xe6\"}"), "the document is not UTF-8 text"},
		{"garbage", []byte("PK\x03\x04"), "line 1, column 1: invalid character 'P' looking for beginning of value"},
		{"syntax", []byte("{\n  \"a\": tru\n}"), `line 2, column 11: invalid character '\n' in literal true (expecting 'e')`},
		{"truncated", goodOrders()[:100], "line 1, column 100: unexpected end of JSON input"},
		{"two documents", []byte("{} {}"), "line 1, column 4: invalid character '{' after top-level value"},
		{"list", []byte("[]"), "the orders must be a GeoJSON FeatureCollection (got a list)"},
		{"nothing there", []byte("{}"), "type: is missing\ngadeblik: is missing\nfeatures: is missing\ntasks: is missing"},
		{"nearly there", []byte(`{"Type":"FeatureCollection","gadeblikk":{},"feature":[],"task":[]}`),
			"type: is missing; rename \"Type\" to it\ngadeblik: is missing; rename \"gadeblikk\" to it\nfeatures: is missing; rename \"feature\" to it\ntasks: is missing; rename \"task\" to it"},
		{"twice", header(`"fleet":"cph"`, `"fleet":"cph","fleet":"other"`), "gadeblik.fleet: appears twice"},
		{"twice, spelt in two ways", zone(`"id":"z"`, `"id":"z","\u0069d":"y"`), "features[0].id: appears twice"},
		{"deep", zone(`"Zone Z"`, strings.Repeat("[", 40)+strings.Repeat("]", 40)), "the document is nested deeper than 32 levels"},

		{"version negative", header(`"version":5`, `"version":-1`), "gadeblik.version: must be a positive integer (got -1)"},
		{"version zero", header(`"version":5`, `"version":0`), "gadeblik.version: must be a positive integer (got 0)"},
		{"version fraction", header(`"version":5`, `"version":5.5`), "gadeblik.version: must be a positive integer (got 5.5)"},
		{"version text", header(`"version":5`, `"version":"5"`), `gadeblik.version: must be a positive integer (got "5")`},
		{"version huge", header(`"version":5`, `"version":9007199254740992`), "gadeblik.version: must be a positive integer (got 9007199254740992)"},
		{"header list", ordersOf(`[]`, goodZone, goodTask), "gadeblik: must be an object (got a list)"},
		{"header empty", ordersOf(`{}`, goodZone, goodTask), "gadeblik.version: is missing\ngadeblik.fleet: is missing\ngadeblik.vehicles: is missing\ngadeblik.not_before: is missing\ngadeblik.not_after: is missing"},
		{"unknown in header", header(`"fleet"`, `"feet"`), "gadeblik.feet: is not known here; did you mean fleet?\ngadeblik.fleet: is missing"},
		{"case in header", header(`"fleet":"cph"`, `"Fleet":"evil","fleet":"cph"`), "gadeblik.Fleet: is not known here; did you mean fleet?"},
		{"fleet", header(`"cph"`, `"a/b"`), `gadeblik.fleet: must be 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit (got "a/b")`},
		{"fleet number", header(`"cph"`, `7`), `gadeblik.fleet: must be text (got 7)`},
		{"time", header(`"2026-10-01T00:00:00Z"`, `"1 October"`), `gadeblik.not_after: must be a time such as 2026-05-01T06:00:00Z (got "1 October")`},
		{"time order", header(`"2026-10-01T00:00:00Z"`, `"2026-04-30T22:00:00Z"`), `gadeblik.not_after: must be after not_before (got "2026-04-30T22:00:00Z")`},
		{"no vehicles", header(`["v1","v2"]`, `[]`), `gadeblik.vehicles: must name the vehicles, or be ["*"] for all of the fleet (got an empty list)`},
		{"vehicles text", header(`["v1","v2"]`, `"*"`), `gadeblik.vehicles: must be a list (got "*")`},
		{"star and more", header(`["v1","v2"]`, `["v1","*"]`), `gadeblik.vehicles[1]: stands for all vehicles and must then be alone (got "*")`},
		{"vehicle twice", header(`"v2"`, `"v1"`), `gadeblik.vehicles[1]: is named twice (got "v1")`},
		{"vehicle null", header(`"v2"`, `null`), "gadeblik.vehicles[1]: must be text (got null)"},
		{"vehicle wild", header(`"v2"`, `"+"`), `gadeblik.vehicles[1]: must be 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit (got "+")`},

		{"no zones", ordersOf(goodHeader, ``, goodTask), "features: must be a list with at least one zone (got a list)"},
		{"null zone", ordersOf(goodHeader, `null`, goodTask), "features[0]: must be a Feature object (got null)"},
		{"feature type", zone(`"Feature"`, `"Point"`), `features[0].type: must be "Feature" (got "Point")`},
		{"number id", zone(`"id":"z"`, `"id":1`), "features[0].id: must be printable text of 1 to 64 bytes, by which tasks name the zone (got 1)"},
		{"no id", zone(`"id":"z",`, ``), "features[0].id: must be printable text of 1 to 64 bytes, by which tasks name the zone (it is missing)"},
		{"same id", ordersOf(goodHeader, goodZone+","+goodZone, goodTask), `features[1].id: is the id of features[0] too (got "z")`},
		{"name", zone(`"Zone Z"`, `7`), "features[0].properties.name: must be text (got 7)"},
		{"properties", zone(`{"name":"Zone Z"}`, `[]`), "features[0].properties: must be an object or null (got a list)"},
		{"null geometry", ordersOf(goodHeader, `{"type":"Feature","id":"z","geometry":null}`, goodTask), "features[0].geometry: must be a Polygon or MultiPolygon (got null)"},
		{"point", zone(`"Polygon"`, `"Point"`), `features[0].geometry.type: must be "Polygon" or "MultiPolygon" (got "Point")`},
		{"case in geometry", zone(`"coordinates"`, `"Coordinates"`), "features[0].geometry.coordinates: is missing"},
		{"flat", zone(ring, `[12.5,55.6]`), "features[0].geometry.coordinates[0]: must be a list of positions (got 12.5)\nfeatures[0].geometry.coordinates[1]: must be a list of positions (got 55.6)"},
		{"no rings", zone(ring, `[]`), "features[0].geometry.coordinates: must be a list of rings (got a list)"},
		{"short position", zone(`[12.6,55.6]`, `[12.6]`), "features[0].geometry.coordinates[0][1]: must be a position, [longitude, latitude] (got [12.6])"},
		{"text position", zone(`[12.6,55.6]`, `["12.6","55.6"]`), `features[0].geometry.coordinates[0][1]: must be a position, [longitude, latitude] (got ["12.6","55.6"])`},
		{"null position", zone(`[12.6,55.6]`, `[12.6,null]`), "features[0].geometry.coordinates[0][1]: must be a position, [longitude, latitude] (got [12.6,null])"},
		{"endless position", zone(`[12.6,55.6]`, `[1e999,55.6]`), "features[0].geometry.coordinates[0][1]: must be a position, [longitude, latitude] (got [1e999,55.6])"},

		{"no tasks", ordersOf(goodHeader, goodZone, ``), "tasks: must be a list with at least one task (got a list)"},
		{"null task", ordersOf(goodHeader, goodZone, `null`), "tasks[0]: must be an object (got null)"},
		{"unknown in task", task(`"action"`, `"min_scor":0.4,"actoin":"survey","action"`), "tasks[0].min_scor: is not known here; did you mean min_score?\ntasks[0].actoin: is not known here; did you mean action?"},
		{"unknown in schedule", task(`"action"`, `"schedule":{"time_zone":"UTC"},"action"`), "tasks[0].schedule.time_zone: is not known here; did you mean timezone?"},
		{"unknown in models", task(`"action"`, `"models":{"secondary":"x"},"action"`), "tasks[0].models.secondary: is not known here; known are fallback, primary"},
		{"task id", task(`"t"`, `"../t"`), `tasks[0].id: must be 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit (got "../t")`},
		{"no task id", task(`"id":"t",`, ``), "tasks[0].id: is missing"},
		{"same task id", ordersOf(goodHeader, goodZone, goodTask+","+goodTask), `tasks[1].id: is the id of tasks[0] too (got "t")`},
		{"everything at once", ordersOf(strings.Replace(goodHeader, "5", "-1", 1), strings.Replace(goodZone, `"z"`, `""`, 1), `{"ID":"t","id":"a b"}`),
			"gadeblik.version: must be a positive integer (got -1)\n" +
				"features[0].id: must be printable text of 1 to 64 bytes, by which tasks name the zone (got \"\")\n" +
				"tasks[0].ID: is not known here; did you mean id?\n" +
				"tasks[0].id: must be 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit (got \"a b\")"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, err := ParseOrders(tt.payload)
			if err == nil {
				t.Fatalf("took them, want %s", tt.want)
			}
			if d := cmp.Diff(tt.want, err.Error()); d != "" || o != nil {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestParseOrdersLimits(t *testing.T) {
	big := append(goodOrders(), bytes.Repeat([]byte(" "), maxOrders)...)
	if _, err := ParseOrders(big); err == nil || !strings.HasSuffix(err.Error(), "bytes, at most 4194304 are allowed") {
		t.Errorf("large: %v", err)
	}
	many := []byte("[" + strings.Repeat("1,", maxJSONValues) + "1]")
	if _, err := ParseOrders(many); err == nil || err.Error() != "the document has more than 1048576 values" {
		t.Errorf("many values: %v", err)
	}
	deep := []byte(strings.Repeat("[", 1<<20))
	if _, err := ParseOrders(deep); err == nil {
		t.Error("took a million brackets")
	}
	wrong := strings.Repeat(`{"ID":1},`, 100)
	_, err := ParseOrders(ordersOf(goodHeader, goodZone, wrong+goodTask))
	if err == nil || !strings.HasSuffix(err.Error(), "\nand 150 more mistakes") {
		t.Errorf("many mistakes: %v", err)
	}
	long := strings.Replace(goodTask, `"action"`, `"`+strings.Repeat("x", 5000)+`":"`+strings.Repeat("æ\\n", 5000)+`","action"`, 1)
	if _, err := ParseOrders(ordersOf(goodHeader, goodZone, long)); err == nil || len(err.Error()) > 700 {
		t.Errorf("a long member gives a long message: %v", err)
	}
}

func TestOrdersOfDrives(t *testing.T) {
	for _, path := range driveOrders(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseOrders(data); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// driveOrders lists the orders of the recorded drives, or skips.
func driveOrders(t *testing.T) []string {
	t.Helper()
	shared := os.Getenv("GADEBLIK_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "shared")
	}
	paths, err := filepath.Glob(filepath.Join(shared, "drives", "*", "orders.geojson"))
	if err != nil || len(paths) == 0 {
		t.Skip("no recorded drives: set GADEBLIK_SHARED to the folder that holds drives/")
	}
	return paths
}

func FuzzParseOrders(f *testing.F) {
	f.Add(goodOrders())
	f.Add([]byte(`{"type":"FeatureCollection","gadeblik":{"version":1e3},"features":[{"geometry":{"type":"MultiPolygon","coordinates":[[[[0]]]]}}],"tasks":[{}]}`))
	f.Add([]byte(`{"a":{"":1,"":2},"a":[]}`))
	if example, err := os.ReadFile("../configs/orders.geojson"); err == nil {
		f.Add(example)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		o, err := ParseOrders(payload)
		if (o == nil) == (err == nil) {
			t.Fatalf("orders %v and error %v", o, err)
		}
		if err != nil {
			return
		}
		if o.Version == 0 || o.Fleet == "" || len(o.Vehicles) == 0 || !o.NotAfter.After(o.NotBefore) || len(o.Tasks) == 0 {
			t.Fatalf("took a header it must refuse: %+v", o.Header)
		}
		for i, f := range o.Features.Features {
			if f.Geometry == nil {
				t.Fatalf("feature %d has no geometry", i)
			}
			f.Properties.MustString("name", "")
		}
		for _, task := range o.Tasks {
			if !json.Valid(task) {
				t.Fatalf("task %q", task)
			}
		}
		again, err := ParseOrders(o.Payload)
		if err != nil || again.Digest != o.Digest {
			t.Fatalf("a second reading differs: %v", err)
		}
	})
}

func BenchmarkParseOrders(b *testing.B) {
	var zones strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&zones, `{"type":"Feature","id":"z%d","geometry":{"type":"Polygon","coordinates":[[[12.5,55.6]`, i)
		for range 49 {
			zones.WriteString(`,[12.5123456,55.6123456]`)
		}
		zones.WriteString(`]]}},`)
	}
	payload := ordersOf(goodHeader, zones.String()+goodZone, goodTask)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseOrders(payload); err != nil {
			b.Fatal(err)
		}
	}
}
