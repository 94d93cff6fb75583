package agent

import (
	"context"
	"image"
	"testing"

	"gadeblik/blur"
)

func TestMasksAreRemovedFromEveryPicture(t *testing.T) {
	bonnet := Mask{0, 0.75, 1, 1} // of 320x192: the rows from 144
	driver := Mask{0.5, 0, 0.7, 0.2}
	for _, tt := range []struct {
		name  string
		masks []Mask
		want  []image.Rectangle
	}{
		{"none", nil, nil},
		{"one", []Mask{bonnet}, []image.Rectangle{image.Rect(0, 144, 320, 192)}},
		{"two", []Mask{bonnet, driver}, []image.Rectangle{image.Rect(0, 144, 320, 192), image.Rect(160, 0, 224, 39)}},
	} {
		s := newSight()
		r := &Redactor{Models: s.models(), Masks: tt.masks}
		ask := map[string]func(*blur.Source) (Redacted, error){
			"redacted": func(src *blur.Source) (Redacted, error) {
				return r.Redact(context.Background(), src, blur.Request{Context: blur.Full})
			},
			"removed": func(src *blur.Source) (Redacted, error) {
				return r.Remove(context.Background(), src, blur.Request{Context: blur.Full})
			},
		}
		for how, do := range ask {
			got, err := do(greyWith(t, image.Rect(150, 150, 200, 180)))
			if err != nil {
				t.Fatal(err)
			}
			if got.Removed["mask"] != len(tt.want) {
				t.Errorf("%s, %s: removed %v, want %d masks", tt.name, how, got.Removed, len(tt.want))
			}
			for _, box := range tt.want {
				if uncovered(box, got.Image.Regions()) > 0 {
					t.Errorf("%s, %s: %v is not removed: %v", tt.name, how, box, got.Image.Regions())
				}
			}
		}
	}
}

func TestMasksReachThePipeline(t *testing.T) {
	s := newStreet(t)
	t.Cleanup(func() { s.outbox.Close() })
	if got := s.agent.pipe.redactor.Masks; len(got) != 1 {
		t.Errorf("masks = %v, want that of the configuration", got)
	}
}

func TestMaskIsRoundedOutward(t *testing.T) {
	frame := image.Rect(0, 0, 317, 193)
	for _, tt := range []struct {
		mask Mask
		want image.Rectangle
	}{
		{Mask{0, 0, 1, 1}, frame},
		{Mask{0.5, 0.5, 1, 1}, image.Rect(158, 96, 317, 193)},
		{Mask{0, 0, 0.5, 0.5}, image.Rect(0, 0, 159, 97)},
		{Mask{0.1, 0.2, 0.1001, 0.2001}, image.Rect(31, 38, 32, 39)},
	} {
		if got := tt.mask.in(frame); got.Box != tt.want || got.Class != "mask" {
			t.Errorf("%v: %v, want a mask at %v", tt.mask, got, tt.want)
		}
	}
}

// A pipeline masks what it keeps, in every context and task.
func TestEvidenceIsMasked(t *testing.T) {
	for _, shown := range []string{"coarse", "crop", "full"} {
		s := newSight()
		s.look.see = always(det("bin", 0.8, 100, 100, 180, 180))
		b := newBench(t, s, task("bins", map[string]any{"context": shown}))
		b.redactor.Masks = []Mask{{0, 0.75, 1, 1}}
		b.drive(t, 0, 20)
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		if len(b.products) != 1 || b.products[0].Observation.Redaction.Regions["mask"] != 1 {
			t.Errorf("%s: %d products, the first says %+v", shown, len(b.products), b.products[0].Observation.Redaction)
		}
	}
}
