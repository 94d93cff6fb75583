package uplink

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	schemaFile  = "../docs/orders.schema.json"
	exampleFile = "../configs/orders.geojson"
)

func ordersSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validateOrders(t *testing.T, s *jsonschema.Schema, payload []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

func TestExampleOrders(t *testing.T) {
	payload, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := validateOrders(t, ordersSchema(t), payload); err != nil {
		t.Error(err)
	}
	o, err := ParseOrders(payload)
	if err != nil {
		t.Fatal(err)
	}
	holes, multi := 0, 0
	zones := map[string]bool{}
	for _, f := range o.Features.Features {
		zones[f.ID.(string)] = true
		switch g := f.Geometry.(type) {
		case orb.Polygon:
			holes += len(g) - 1
		case orb.MultiPolygon:
			multi++
		}
	}
	if holes == 0 || multi == 0 {
		t.Errorf("the example shows %d holes and %d multipolygons, want one of each at least", holes, multi)
	}
	var actions []string
	for i, raw := range o.Tasks {
		var task struct {
			Action string   `json:"action"`
			Zones  []string `json:"zones"`
		}
		if err := json.Unmarshal(raw, &task); err != nil {
			t.Fatal(err)
		}
		actions = append(actions, task.Action)
		for _, z := range task.Zones {
			if !zones[z] {
				t.Errorf("task %d names the zone %q, which is not there", i, z)
			}
		}
	}
	slices.Sort(actions)
	if d := cmp.Diff([]string{"count", "evidence", "survey"}, actions); d != "" {
		t.Errorf("actions (-want +got):\n%s", d)
	}
}

func TestDriveOrdersFollowSchema(t *testing.T) {
	s := ordersSchema(t)
	for _, path := range driveOrders(t) {
		payload, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := validateOrders(t, s, payload); err != nil {
			t.Errorf("%s: %v", filepath.Base(filepath.Dir(path)), err)
		}
	}
}

// The schema and the parser must not drift apart.
func TestSchemaNamesWhatTheParserKnows(t *testing.T) {
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		Properties           map[string]object `json:"properties"`
		AdditionalProperties *bool             `json:"additionalProperties"`
		Required             []string          `json:"required"`
	}
	var schema struct {
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	task := reflect.TypeFor[taskJSON]()
	inner := func(name string) reflect.Type {
		f, _ := task.FieldByName(name)
		return f.Type
	}
	for _, tt := range []struct {
		name   string
		schema object
		parser reflect.Type
	}{
		{"header", schema.Defs["header"], reflect.TypeFor[headerJSON]()},
		{"task", schema.Defs["task"], task},
		{"schedule", schema.Defs["schedule"], inner("Schedule")},
		{"models", schema.Defs["task"].Properties["models"], inner("Models")},
	} {
		_, want := fieldsOf(tt.parser)
		var got []string
		for name := range tt.schema.Properties {
			got = append(got, name)
		}
		slices.Sort(want)
		slices.Sort(got)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-parser +schema):\n%s", tt.name, d)
		}
		if tt.schema.AdditionalProperties == nil || *tt.schema.AdditionalProperties {
			t.Errorf("%s: the schema allows unknown members", tt.name)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	s := ordersSchema(t)
	if err := validateOrders(t, s, goodOrders()); err != nil {
		t.Fatal(err)
	}
	ring := `[[[12.5,55.6],[12.6,55.6],[12.6,55.7],[12.5,55.6]]]`
	for _, tt := range []struct{ name, old, replacement string }{
		{"version", `"version":5`, `"version":0`},
		{"unknown in header", `"fleet"`, `"note":1,"fleet"`},
		{"fleet", `"cph"`, `"c/h"`},
		{"no vehicles", `["v1","v2"]`, `[]`},
		{"star and more", `["v1","v2"]`, `["*","v2"]`},
		{"vehicle twice", `"v2"`, `"v1"`},
		{"time", `"2026-10-01T00:00:00Z"`, `"2026-10-01"`},
		{"impossible time", `"2026-10-01T00:00:00Z"`, `"2026-13-01T00:00:00Z"`},
		{"no id", `"id":"z",`, ``},
		{"number id", `"id":"z"`, `"id":1`},
		{"point", ring, `[12.5,55.6]`},
		{"three positions", ring, `[[[12.5,55.6],[12.6,55.6],[12.5,55.6]]]`},
		{"latitude", `55.7`, `95.7`},
		{"short position", `[12.6,55.6]`, `[12.6]`},
		{"unknown in task", `"purpose"`, `"porpoise":"p","purpose"`},
		{"no purpose", `"purpose":"p",`, ``},
		{"white purpose", `"p"`, `" "`},
		{"no legal basis", `"legal_basis":"l",`, ``},
		{"task id", `"id":"t"`, `"id":"../t"`},
		{"no zones", `["z"]`, `[]`},
		{"action", `"count"`, `"spy"`},
		{"picture of cyclists", `["car"],"action":"count"`, `["car","cyclist"],"action":"survey"`},
		{"picture of people", `["car"],"action":"count"`, `["person"],"action":"evidence"`},
		{"score", `"action"`, `"min_score":1.5,"action"`},
		{"emptied redaction", `"action"`, `"redact":[],"action"`},
		{"quota", `"action"`, `"quota_per_day":0,"action"`},
		{"expiry", `"action"`, `"expires_after":"30 days","action"`},
		{"hours without zone", `"action"`, `"schedule":{"hours":["06:00-14:00"]},"action"`},
		{"hours", `"action"`, `"schedule":{"timezone":"UTC","hours":["6-14"]},"action"`},
		{"weekday", `"action"`, `"schedule":{"timezone":"UTC","weekdays":["Monday"]},"action"`},
		{"dates", `"action"`, `"schedule":{"timezone":"UTC","dates":["1 May"]},"action"`},
		{"unknown in schedule", `"action"`, `"schedule":{"time":"UTC"},"action"`},
		{"unknown in models", `"action"`, `"models":{"third":"x"},"action"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			payload := strings.Replace(string(goodOrders()), tt.old, tt.replacement, 1)
			if payload == string(goodOrders()) {
				t.Fatalf("%s is not in the orders", tt.old)
			}
			if err := validateOrders(t, s, []byte(payload)); err == nil {
				t.Error("the schema allows it")
			}
		})
	}
	people := strings.Replace(string(goodOrders()), `["car"]`, `["person"]`, 1)
	if err := validateOrders(t, s, []byte(people)); err != nil {
		t.Errorf("counting people: %v", err)
	}
}
