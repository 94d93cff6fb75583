package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"slices"
	"sync"
	"testing"
	"time"

	"gadeblik/blur"
	"gadeblik/capture"
	"gadeblik/gps"
	"gadeblik/inference"
	"gadeblik/uplink"
)

// began is when the tests' drives start: a summer morning in Copenhagen.
var began = time.Date(2026, 6, 2, 7, 20, 0, 0, time.UTC)

// The tests' street runs east along this latitude; the zone is its first 2 km.
const (
	streetLat = 55.6728
	streetLon = 12.5600
	metreLon  = 1 / (111_320 * 0.5641) // degrees of longitude per metre at streetLat
)

// task returns a task of the tests as orders write it, changed by edit.
func task(id string, edit map[string]any) map[string]any {
	t := map[string]any{
		"id": id, "purpose": "Find bins without a permit", "legal_basis": "GDPR art. 6(1)(e)",
		"controller": "Example City", "zones": []string{"street"}, "labels": []string{"bin"},
		"action": "evidence", "min_score": 0.5, "every_m": 3, "expires_after": "720h",
	}
	for k, v := range edit {
		if v == nil {
			delete(t, k)
			continue
		}
		t[k] = v
	}
	return t
}

// document returns orders with one zone, the street, and these tasks.
func document(tasks ...map[string]any) []byte {
	ring := func(west, east float64) [][2]float64 {
		const south, north = streetLat - 0.0005, streetLat + 0.0005
		return [][2]float64{{west, south}, {east, south}, {east, north}, {west, north}, {west, south}}
	}
	raw, err := json.Marshal(map[string]any{
		"type": "FeatureCollection",
		"gadeblik": map[string]any{
			"version": 7, "fleet": "test", "vehicles": []string{"*"},
			"not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z",
		},
		"features": []any{map[string]any{
			"type": "Feature", "id": "street", "properties": map[string]any{"name": "Street"},
			"geometry": map[string]any{"type": "Polygon", "coordinates": [][][2]float64{ring(streetLon, streetLon+2000*metreLon)}},
		}},
		"tasks": tasks,
	})
	if err != nil {
		panic(err)
	}
	return raw
}

// dated returns a document with another version, in force in the years 2000 to
// 2030: the clock of a synctest bubble starts in 2000.
func dated(doc []byte, version int) []byte {
	doc = bytes.Replace(doc, []byte(`"version":7`), fmt.Appendf(nil, `"version":%d`, version), 1)
	doc = bytes.Replace(doc, []byte("2026-01-01"), []byte("2000-01-01"), 1)
	return bytes.Replace(doc, []byte("2027-01-01"), []byte("2030-01-01"), 1)
}

func planOf(t testing.TB, models *Models, tasks ...map[string]any) *Plan {
	t.Helper()
	o, err := uplink.ParseOrders(document(tasks...))
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(o, models)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// fixAt is a good fix, metres along the street, seconds into the drive.
func fixAt(seconds, metres float64) gps.Fix {
	at := began.Add(time.Duration(seconds * float64(time.Second)))
	return gps.Fix{
		At: at, Time: at, Valid: true, Lat: streetLat, Lon: streetLon + metres*metreLon,
		Quality: gps.Autonomous, HDOP: 0.9, Satellites: 9, Speed: 5, Course: 90,
	}
}

// scripted sees what its script says about the picture's colour: a stand-in for
// a model that sees exactly what the test painted.
type scripted struct {
	name   string
	labels []string
	see    func(img *image.YCbCr) []inference.Detection
	input  inference.Input // zero wants the whole picture
	err    error
	calls  int
	clears int
}

func (s *scripted) Clear() { s.clears++ }

func (s *scripted) Manifest() inference.Manifest {
	return inference.Manifest{Name: s.name, Classes: s.labels, Input: s.input, SHA256: fmt.Sprintf("%064x", len(s.name))}
}

func (s *scripted) Detect(ctx context.Context, v inference.View, dst []inference.Detection) ([]inference.Detection, error) {
	s.calls++
	if s.err != nil {
		return dst, s.err
	}
	if s.see == nil {
		return dst, ctx.Err()
	}
	dets := s.see(v.Planes)
	for i := range dets {
		dets[i].Model = s.name
	}
	return append(dst, dets...), ctx.Err()
}

// sight is a set of scripted models: one that looks, three that find people.
type sight struct {
	look, person, face, plate *scripted
}

func newSight() *sight {
	return &sight{
		look:   &scripted{name: "looker", labels: []string{"bin", "car", "person"}},
		person: &scripted{name: "persons", labels: []string{"person"}},
		face:   &scripted{name: "faces", labels: []string{"face"}},
		plate:  &scripted{name: "plates", labels: []string{"plate"}},
	}
}

func (s *sight) models() *Models {
	m := &Models{Primary: "looker", Detectors: map[string]Detector{}, Redact: []RedactModel{
		{Class: blur.Person, Model: "persons", MinScore: 0.3},
		{Class: blur.Face, Model: "faces", MinScore: 0.3},
		{Class: blur.Plate, Model: "plates", MinScore: 0.3},
	}}
	for _, d := range []*scripted{s.look, s.person, s.face, s.plate} {
		m.Detectors[d.name] = d
	}
	return m
}

// always sees the same thing in every picture.
func always(dets ...inference.Detection) func(*image.YCbCr) []inference.Detection {
	return func(*image.YCbCr) []inference.Detection { return slices.Clone(dets) }
}

func det(label string, score float64, x0, y0, x1, y1 int) inference.Detection {
	return inference.Detection{Label: label, Score: score, Box: image.Rect(x0, y0, x1, y1)}
}

// frameAt is a frame seconds into the drive.
func frameAt(seconds float64) *capture.Frame {
	return &capture.Frame{At: began.Add(time.Duration(seconds * float64(time.Second))), JPEG: bytes.Clone(picture())}
}

var picture = sync.OnceValue(func() []byte {
	img := image.NewRGBA(image.Rect(0, 0, 320, 192))
	for i := range img.Pix {
		img.Pix[i] = byte(i % 251)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
})

// bench is a pipeline under test and what came out of it.
type bench struct {
	*Pipeline
	products []Product
}

func newBench(t testing.TB, s *sight, tasks ...map[string]any) *bench {
	t.Helper()
	return newBenchOf(t, s.models(), tasks...)
}

func newBenchOf(t testing.TB, models *Models, tasks ...map[string]any) *bench {
	t.Helper()
	b := &bench{}
	b.Pipeline = NewPipeline(PipelineConfig{
		Vehicle: "sweeper-07", Version: "test", Models: models,
		Sink: func(p Product) error { b.products = append(b.products, p); return nil },
	})
	if err := b.SetPlan(planOf(t, models, tasks...)); err != nil {
		t.Fatal(err)
	}
	b.SetSwitch(true)
	return b
}

// drive moves along the street at 5 m/s from second to second, with a fix each
// second and a frame half a second after it.
func (b *bench) drive(t testing.TB, from, to int) {
	t.Helper()
	for s := from; s < to; s++ {
		if err := b.Fix(fixAt(float64(s), float64(100+5*s))); err != nil {
			t.Fatal(err)
		}
		if err := b.Frame(context.Background(), frameAt(float64(s)+0.5)); err != nil {
			t.Fatal(err)
		}
	}
}
