package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"os"
	"path/filepath"
	"testing"

	"gadeblik/capture"
	"gadeblik/inference"
	"gadeblik/uplink"
)

// replayed is everything a replay gave, in bytes.
func replayed(t *testing.T, path string) (out []byte, s ReplaySummary) {
	t.Helper()
	d, err := capture.OpenDrive(path)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := d.Orders()
	if err != nil {
		t.Fatal(err)
	}
	orders, err := uplink.ParseOrders(raw)
	if err != nil {
		t.Fatal(err)
	}
	// A model that sees something different in every picture, and the same in
	// the same picture.
	sight := newSight()
	sight.look.labels = []string{"truck", "car", "container", "bag"}
	sight.look.see = func(img *image.YCbCr) []inference.Detection {
		x := int(img.Y[len(img.Y)/2]) + 40
		return []inference.Detection{
			{Label: "truck", Score: 0.9, Box: image.Rect(x, 80, x+200, 240)},
			{Label: "car", Score: 0.8, Box: image.Rect(x+220, 100, x+320, 200)},
		}
	}
	sight.plate.see = always(det("plate", 0.9, 300, 200, 380, 230))
	models := sight.models()
	plan, err := NewPlan(orders, models)
	if err != nil {
		t.Fatal(err)
	}
	s, err = Replay(context.Background(), ReplayConfig{Drive: d, Plan: plan, Pipeline: PipelineConfig{
		Vehicle: "sweeper-07", Version: "test", Models: models,
		Sink: func(p Product) error {
			line, err := json.Marshal(p.Observation)
			out = append(append(out, line...), '\n')
			if p.Evidence != nil {
				out = append(out, p.Evidence.JPEG()...)
			}
			return err
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return out, s
}

const demoDrive = "../testdata/drives/demo"

func TestReplayGivesTheSameBytes(t *testing.T) {
	first, s := replayed(t, demoDrive)
	if s.Counters.Looked == 0 || s.Counters.Findings == 0 || s.Counters.Counts == 0 {
		t.Fatalf("the demo's drive shows too little: %+v", s.Counters)
	}
	again, _ := replayed(t, demoDrive)
	if !bytes.Equal(first, again) {
		t.Error("two replays differ")
	}
	for _, r := range []Reason{Outside, Settling, TooFast, PoorAccuracy, NoFix, OffSchedule} {
		if s.Counters.No[r] == 0 {
			t.Errorf("the gate never said %s on the demo's drive", r)
		}
	}
}

// A drive in an MCAP file gives what the folder gives.
func TestReplayOfMCAP(t *testing.T) {
	d, err := capture.OpenDrive(demoDrive)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "demo.mcap")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := capture.WriteMCAP(f, d); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	folder, _ := replayed(t, demoDrive)
	mcap, _ := replayed(t, path)
	if !bytes.Equal(folder, mcap) {
		t.Error("the MCAP file gives other products than the folder")
	}
}
