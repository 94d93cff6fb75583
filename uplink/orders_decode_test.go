package uplink

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type colour string

func (c *colour) UnmarshalText(text []byte) error {
	if string(text) != "red" {
		return errors.New("must be red")
	}
	*c = colour(text)
	return nil
}

type strictExample struct {
	Name   string             `json:"name" strict:"required"`
	On     bool               `json:"on"`
	Count  int                `json:"count"`
	Small  uint8              `json:"small"`
	Score  *float64           `json:"score"`
	Keep   time.Duration      `json:"keep_for"`
	At     time.Time          `json:"at"`
	Colour colour             `json:"colour"`
	List   []strictInner      `json:"list"`
	Map    map[string]float64 `json:"map"`
	Any    any                `json:"any"`
	Raw    json.RawMessage    `json:"raw"`
	Hidden int                `json:"-"`
}

type strictInner struct {
	X int `json:"x" strict:"required"`
}

func TestDecodeStrict(t *testing.T) {
	raw := `{"name":"n\u00e9","on":true,"count":-3,"small":255,"score":0.5,"keep_for":"1h30m","at":"2026-05-01T06:00:00+02:00",
		"colour":"red","list":[{"x":1},{"x":2}],"map":{"Person":1,"car.large":2},"any":[1,"a"],"raw":{"k": 1}}`
	var got strictExample
	if err := DecodeStrict([]byte(raw), "doc", &got); err != nil {
		t.Fatal(err)
	}
	half := 0.5
	want := strictExample{
		Name: "né", On: true, Count: -3, Small: 255, Score: &half, Keep: 90 * time.Minute,
		At: time.Date(2026, 5, 1, 4, 0, 0, 0, time.UTC), Colour: "red", List: []strictInner{{1}, {2}},
		Map: map[string]float64{"Person": 1, "car.large": 2}, Any: []any{1.0, "a"}, Raw: json.RawMessage(`{"k": 1}`),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestDecodeStrictNullAndEmpty(t *testing.T) {
	half := 0.5
	got := strictExample{Score: &half}
	if err := DecodeStrict([]byte(`{"name":"","score":null,"list":[]}`), "doc", &got); err != nil {
		t.Fatal(err)
	}
	if got.Score != nil || got.List == nil {
		t.Errorf("score %v, list %v: want nil for null, an empty list for []", got.Score, got.List)
	}
}

func TestDecodeStrictMistakes(t *testing.T) {
	for _, tt := range []struct{ name, raw, want string }{
		{"syntax", `{`, "doc: line 1, column 1: unexpected end of JSON input"},
		{"twice", `{"name":"a","name":"b"}`, "doc.name: appears twice"},
		{"not an object", `[]`, "doc: must be an object (got a list)"},
		{"required", `{}`, "doc.name: is missing"},
		{"case", `{"name":"a","Count":1}`, "doc.Count: is not known here; did you mean count?"},
		{"hyphen", `{"name":"a","keep-for":"1h"}`, "doc.keep-for: is not known here; did you mean keep_for?"},
		{"beginning", `{"name":"a","keep":"1h"}`, "doc.keep: is not known here; did you mean keep_for?"},
		{"swapped", `{"name":"a","cuont":1}`, "doc.cuont: is not known here; did you mean count?"},
		{"hidden", `{"name":"a","hidden":1}`, "doc.hidden: is not known here; known are any, at, colour, count, keep_for, list, map, name, on, raw, score, small"},
		{"odd name", `{"name":"a","a.b\n":1}`, `doc["a.b\n"]: is not known here; known are any, at, colour, count, keep_for, list, map, name, on, raw, score, small`},
		{"null", `{"name":null,"count":null,"list":null,"map":null,"at":null,"keep_for":null,"on":null}`,
			"doc.name: must be text (got null)\ndoc.count: must be a whole number (got null)\ndoc.list: must be a list (got null)\n" +
				"doc.map: must be an object (got null)\ndoc.at: must be a time such as 2026-05-01T06:00:00Z (got null)\n" +
				"doc.keep_for: must be a duration with its unit, such as \"720h\" or \"90s\" (got null)\ndoc.on: must be true or false (got null)"},
		{"types", `{"name":1,"count":"1","small":256,"score":"0.5","on":0,"any":1,"list":[{"x":1.5},{"y":1},7]}`,
			"doc.name: must be text (got 1)\ndoc.count: must be a whole number (got \"1\")\ndoc.small: is out of range (got 256)\n" +
				"doc.score: must be a number (got \"0.5\")\ndoc.on: must be true or false (got 0)\n" +
				"doc.list[0].x: must be a whole number (got 1.5)\ndoc.list[1].y: is not known here; known are x\ndoc.list[1].x: is missing\ndoc.list[2]: must be an object (got 7)"},
		{"negative", `{"name":"a","small":-1}`, "doc.small: must be a whole number, 0 or more (got -1)"},
		{"overflow", `{"name":"a","count":1e3,"score":1e999}`, "doc.count: must be a whole number (got 1e3)\ndoc.score: is out of range (got 1e999)"},
		{"duration", `{"name":"a","keep_for":720}`, `doc.keep_for: must be a duration with its unit, such as "720h" or "90s" (got 720)`},
		{"duration without unit", `{"name":"a","keep_for":"0"}`, `doc.keep_for: must be a duration with its unit, such as "720h" or "90s" (got "0")`},
		{"own rule", `{"name":"a","colour":"blue"}`, `doc.colour: must be red (got "blue")`},
		{"own type", `{"name":"a","colour":7}`, `doc.colour: must be text (got 7)`},
		{"map", `{"name":"a","map":{"x":"y"}}`, `doc.map.x: must be a number (got "y")`},
		{"unprintable", `{"name":"a","count":"\u202e\u0007"}`, `doc.count: must be a whole number (got "\u202e\a")`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var v strictExample
			err := DecodeStrict([]byte(tt.raw), "doc", &v)
			if err == nil {
				t.Fatalf("took it, want %s", tt.want)
			}
			if d := cmp.Diff(tt.want, err.Error()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func FuzzDecodeStrict(f *testing.F) {
	f.Add([]byte(`{"name":"n","on":true,"count":-3,"small":255,"score":0.5,"keep_for":"1h30m","list":[{"x":1}],"map":{"a":1},"any":[null]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var got, std strictExample
		if DecodeStrict(raw, "doc", &got) != nil {
			return
		}
		// What the strict decoder takes, encoding/json reads no differently,
		// but for durations, which it does not know.
		got.Keep = 0
		var members map[string]json.RawMessage
		if err := json.Unmarshal(raw, &members); err != nil {
			t.Fatal(err)
		}
		delete(members, "keep_for")
		rest, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(rest, &std); err != nil {
			t.Fatalf("encoding/json refuses %s: %v", rest, err)
		}
		got.Raw, std.Raw = nil, nil // one is compacted
		if d := cmp.Diff(std, got); d != "" {
			t.Fatalf("%s (-encoding/json +strict):\n%s", raw, d)
		}
	})
}
