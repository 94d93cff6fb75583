package uplink

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// someFinding returns a valid finding without a picture.
func someFinding(object int) Observation {
	at := time.Date(2026, 5, 4, 8, 30, 15, 250e6, time.UTC)
	return Observation{
		ID:            NewID("sweeper-7", "litter", at, object),
		Vehicle:       "sweeper-7",
		Task:          "litter",
		OrdersVersion: 3,
		Purpose:       "overfull containers",
		Kind:          Finding,
		Time:          Time{UTC: at, Source: "gps"},
		Position:      Position{Lat: 55.6760968, Lon: 12.5683371, HDOP: 0.9, Course: new(271.5), Speed: new(3.25)},
		Zone:          "harbour",
		Object:        &Object{Label: "container", Score: 0.8125, Box: [4]int{10, 20, 110, 220}},
		Assessment:    &Assessment{Primary: "yolox_nano", Verdict: Confirmed},
		Redaction:     &Redaction{Mode: "veil", Regions: map[string]int{"plate": 1, "person": 2}},
		Models:        []ModelRef{{Name: "yolox_nano", SHA256: strings.Repeat("ab", 32)}},
		Agent:         "0.1.0",
		ExpiresAt:     at.AddDate(0, 0, 30),
	}
}

// goldenFinding's id was computed by another implementation of UUID version 5.
const goldenFinding = `{"id":"e11eee2d-4e8b-5793-995d-acf6e6417112","vehicle":"sweeper-7","task":"litter","orders_version":3,` +
	`"purpose":"overfull containers","kind":"finding","time":{"utc":"2026-05-04T08:30:15.25Z","source":"gps"},` +
	`"position":{"lat":55.6760968,"lon":12.5683371,"hdop":0.9,"course":271.5,"speed":3.25},"zone":"harbour",` +
	`"object":{"label":"container","score":0.8125,"box":[10,20,110,220]},` +
	`"assessment":{"primary":"yolox_nano","verdict":"confirmed"},` +
	`"redaction":{"mode":"veil","regions":{"person":2,"plate":1}},` +
	`"models":[{"name":"yolox_nano","sha256":"abababababababababababababababababababababababababababababababab"}],` +
	`"agent":"0.1.0","expires_at":"2026-06-03T08:30:15Z"}`

func TestObservationJSON(t *testing.T) {
	got, err := json.Marshal(someFinding(1))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), goldenFinding); diff != "" {
		t.Errorf("JSON differs (-got +want):\n%s", diff)
	}
	back, err := ParseObservation(got)
	if err != nil {
		t.Fatal(err)
	}
	// Seconds are all that expires_at keeps.
	want := someFinding(1)
	want.ExpiresAt = want.ExpiresAt.Truncate(time.Second)
	if diff := cmp.Diff(back, want); diff != "" {
		t.Errorf("parsed differs (-got +want):\n%s", diff)
	}
}

func TestObservationJSONIsCanonical(t *testing.T) {
	east := time.FixedZone("east", 7200)
	o := someFinding(1)
	o.Time.UTC = o.Time.UTC.In(east).Add(400 * time.Microsecond)
	o.ExpiresAt = o.ExpiresAt.In(east)
	o.Position.Lat += 3e-9
	o.Position.Lon -= 3e-9
	o.Position.Course = new(271.5004)
	o.Object.Score += 1e-9
	got, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), goldenFinding); diff != "" {
		t.Errorf("JSON differs (-got +want):\n%s", diff)
	}
	if o.Object.Score == 0.8125 {
		t.Error("marshalling has changed the observation")
	}
}

func TestRounding(t *testing.T) {
	for _, c := range []struct{ got, want float64 }{
		{round(-1e-9, 7), 0},
		{round(12.34567894, 7), 12.3456789},
		{roundCourse(359.997), 0},
		{roundCourse(359.994), 359.99},
	} {
		if c.got != c.want || math.Signbit(c.got) != math.Signbit(c.want) {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
}

func TestNewID(t *testing.T) {
	at := time.Date(2026, 5, 4, 8, 30, 15, 250e6, time.UTC)
	base := NewID("v", "t", at, 1)
	// This id is in the hands of receivers: it never changes.
	if want := "e11eee2d-4e8b-5793-995d-acf6e6417112"; NewID("sweeper-7", "litter", at, 1) != want {
		t.Errorf("got %s, want %s", NewID("sweeper-7", "litter", at, 1), want)
	}
	if got := NewID("v", "t", at.In(time.FixedZone("x", 3600)).Add(999*time.Microsecond), 1); got != base {
		t.Errorf("the same millisecond gives %s and %s", got, base)
	}
	for name, other := range map[string]string{
		"vehicle":   NewID("w", "t", at, 1),
		"task":      NewID("v", "u", at, 1),
		"time":      NewID("v", "t", at.Add(time.Millisecond), 1),
		"object":    NewID("v", "t", at, 2),
		"boundary":  NewID("v1:t", "", at, 1),
		"separator": NewID("", "v1:t", at, 1),
	} {
		if other == base || !validID(other) {
			t.Errorf("%s: got %s", name, other)
		}
	}
}

func TestObservationValidate(t *testing.T) {
	const prefix = "observation e11eee2d-4e8b-5793-995d-acf6e6417112: "
	for _, c := range []struct {
		name string
		mar  func(*Observation)
		want string
	}{
		{"good", func(*Observation) {}, ""},
		{"id in upper case", func(o *Observation) { o.ID = "E11EEE2D-4E8B-5793-995D-ACF6E6417112" },
			`observation E11EEE2D-4E8B-5793-995D-ACF6E6417112: id: must be a UUID in lower case (got "E11EEE2D-4E8B-5793-995D-ACF6E6417112")`},
		{"vehicle escapes", func(o *Observation) { o.Vehicle = "../../etc" },
			prefix + `vehicle: must be letters, digits, '.', '-' or '_', the first a letter or digit (got "../../etc")`},
		{"no task", func(o *Observation) { o.Task = "" }, prefix + "task: must not be empty"},
		{"long task", func(o *Observation) { o.Task = strings.Repeat("x", 65) }, prefix + "task: must have at most 64 bytes (got 65)"},
		{"unprintable", func(o *Observation) { o.Notify = "a\x00b" }, prefix + `notify: must be printable text (got "a\x00b")`},
		{"no time", func(o *Observation) { o.Time.UTC = time.Time{} },
			prefix + "time.utc: must be between the years 2000 and 2200 (got 0001-01-01 00:00:00)"},
		{"not a number", func(o *Observation) { o.Position.Lat = math.NaN() }, prefix + "position.lat: must be between -90 and 90 (got NaN)"},
		{"null island", func(o *Observation) { o.Position.Lat, o.Position.Lon = 1e-9, 0 },
			prefix + "position: must not be 0, 0, which is what a receiver without a fix reports"},
		{"course", func(o *Observation) { o.Position.Course = new(-1.0) }, prefix + "position.course: must be at least 0 and below 360 (got -1)"},
		{"kind", func(o *Observation) { o.Kind = "peek" }, prefix + `kind: must be finding, count or clear (got "peek")`},
		{"two mistakes", func(o *Observation) { o.Object, o.Assessment = nil, nil },
			prefix + "object: must be set in a finding\nassessment: must be set in a finding"},
		{"picture of a count", func(o *Observation) {
			o.Kind, o.Object, o.Counts = Count, nil, map[string]int{"car": 2}
			o.Image = &ImageRef{SHA256: strings.Repeat("0", 64), Bytes: 1, Width: 1, Height: 1}
		}, prefix + "image: must not be set in a count"},
		{"count of nothing", func(o *Observation) { o.Kind, o.Object = Count, nil }, prefix + "counts: must be set in a count"},
		{"box", func(o *Observation) { o.Object.Box = [4]int{5, 5, 4, 9} },
			prefix + "object.box: must be left, top, right, bottom within the picture (got [5 5 4 9])"},
		{"verdict", func(o *Observation) { o.Assessment.Verdict = "maybe" },
			prefix + `assessment.verdict: must be confirmed or uncertain (got "maybe")`},
		{"picture without redaction", func(o *Observation) {
			o.Redaction = nil
			o.Image = &ImageRef{SHA256: strings.Repeat("0", 64), Bytes: 1, Width: 1, Height: 1}
		}, prefix + "redaction: must be set where there is an image"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := someFinding(1)
			c.mar(&o)
			got := ""
			if err := o.Validate(); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestParseObservationRefuses(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "", "parse observation: EOF"},
		{"too long", strings.Repeat(" ", maxObservation+1), "parse observation: 65537 bytes, at most 65536"},
		{"more follows", goldenFinding + "{}", "parse observation: more follows after its end at byte 661"},
		{"wrong type", `{"id":7}`, "parse observation: json: cannot unmarshal number into Go struct field Observation.id of type string"},
	} {
		_, err := ParseObservation([]byte(c.in))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func FuzzParseObservation(f *testing.F) {
	f.Add([]byte(goldenFinding))
	f.Add([]byte(`{"id":"x","counts":{"a":-1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := ParseObservation(data)
		if err != nil {
			return
		}
		first, err := json.Marshal(o)
		if err != nil {
			t.Fatalf("valid, and can't be written: %v", err)
		}
		again, err := ParseObservation(first)
		if err != nil {
			t.Fatalf("written, and can't be read: %v\n%s", err, first)
		}
		second, err := json.Marshal(again)
		if err != nil || string(first) != string(second) {
			t.Fatalf("not canonical: %v\n%s\n%s", err, first, second)
		}
	})
}

func TestTopics(t *testing.T) {
	topics, err := NewTopics("cph", "sweeper-7")
	if err != nil {
		t.Fatal(err)
	}
	id := someFinding(1).ID
	a, err := parseTopic(topics.Evidence(id))
	want := address{fleet: "cph", vehicle: "sweeper-7", kind: "evidence", id: id, k: 1, n: 1}
	if err != nil || a != want {
		t.Errorf("got %+v, %v", a, err)
	}
	for _, bad := range []string{
		"", "gadeblik/v1/a/b/observations", "gadeblik/v1/a/../observations/" + id, "gadeblik/v1/a/b/status/" + id,
		"gadeblik/v1/a/b/evidence/..", "gadeblik/v1/a/b/evidence/" + id + "/x", "gadeblik/v1/a b/c/evidence/" + id,
		"other/v1/a/b/evidence/" + id, "gadeblik/v1//b/evidence/" + id, "gadeblik/v1/a/.b/evidence/" + id,
	} {
		if a, err := parseTopic(bad); err == nil {
			t.Errorf("%s: got %+v", bad, a)
		}
	}
}

func TestParseReceipt(t *testing.T) {
	id := someFinding(1).ID
	good := `{"stored":[{"id":"` + id + `","sha256":"00"}],"refused":[{"id":"` + id + `","reason":"no","later":true}]}`
	r, err := ParseReceipt([]byte(good))
	want := Receipt{Stored: []Stored{{id, "00"}}, Refused: []Refused{{ID: id, Reason: "no", Later: true}}}
	if diff := cmp.Diff(r, want); diff != "" || err != nil {
		t.Errorf("got %v, %v", diff, err)
	}
	for in, want := range map[string]string{
		strings.Repeat("x", maxReceipt+1):                    "parse receipt: 262145 bytes, at most 262144",
		`{"stored":[{"id":"../x"}]}`:                         `parse receipt: stored[0].id: must be a UUID in lower case (got "../x")`,
		`{"refused":[{"id":""}]}`:                            `parse receipt: refused[0].id: must be a UUID in lower case (got "")`,
		`{"stored":[` + strings.Repeat(`{},`, 1000) + `{}]}`: "parse receipt: 1001 ids, at most 1000",
	} {
		if _, err := ParseReceipt([]byte(in)); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
