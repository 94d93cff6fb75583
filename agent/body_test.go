package agent

import (
	"context"
	"image"
	"testing"

	"gadeblik/blur"
	"gadeblik/inference"
)

func TestAFaceBringsItsBody(t *testing.T) {
	frame := image.Rect(0, 0, 320, 192)
	face := func(x0, y0, x1, y1 int) blur.Region {
		return blur.Region{Class: blur.Face, Box: image.Rect(x0, y0, x1, y1)}
	}
	person := func(x0, y0, x1, y1 int) blur.Region {
		return blur.Region{Class: blur.Person, Box: image.Rect(x0, y0, x1, y1)}
	}
	for _, tt := range []struct {
		name string
		seen []blur.Region
		want []image.Rectangle
	}{
		{"nobody", nil, nil},
		{"a person without a face", []blur.Region{person(10, 10, 40, 100)}, nil},
		// 16 high: a head of 20, 40 wide and 150 high, from 2 above the box.
		{"a face alone", []blur.Region{face(100, 20, 112, 36)}, []image.Rectangle{image.Rect(86, 18, 126, 168)}},
		{"a face within its person", []blur.Region{person(80, 10, 130, 170), face(100, 20, 112, 36)}, nil},
		{"a face on the edge of a person", []blur.Region{person(106, 10, 150, 170), face(100, 20, 112, 36)}, nil},
		{"a face beside a person", []blur.Region{person(107, 10, 150, 170), face(100, 20, 112, 36)}, []image.Rectangle{image.Rect(86, 18, 126, 168)}},
		{"a plate around it", []blur.Region{{Class: blur.Plate, Box: frame}, face(100, 20, 112, 36)}, []image.Rectangle{image.Rect(86, 18, 126, 168)}},
		{"a face that fills the frame", []blur.Region{face(60, 0, 260, 192)}, []image.Rectangle{image.Rect(0, 0, 320, 192)}},
		{"a face in the corner", []blur.Region{face(310, 180, 320, 192)}, []image.Rectangle{image.Rect(300, 179, 320, 192)}},
	} {
		got := bodies(tt.seen, tt.seen, frame)
		if len(got) != len(tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
			continue
		}
		for i, b := range got {
			if b.Class != blur.Person || b.Box != tt.want[i] {
				t.Errorf("%s: %v, want a person at %v", tt.name, b, tt.want[i])
			}
		}
	}
}

// The face itself is removed on mere suspicion, a body is not.
func TestASuspectedFaceBringsNoBody(t *testing.T) {
	s := newSight()
	s.face.see = always(det("face", 0.1, 100, 20, 112, 36))
	m := s.models()
	m.Redact[1].MinScore = 0.04
	r := &Redactor{Models: m}
	got, err := r.Redact(context.Background(), greyWith(t, image.Rectangle{}), blur.Request{Context: blur.Full})
	if err != nil {
		t.Fatal(err)
	}
	if got.Removed["face"] != 1 || got.Removed["person"] != 0 {
		t.Errorf("removed %v, want the face alone", got.Removed)
	}
}

// A body is added wherever a face is found: in the frame, and by a second look.
func TestBodiesAreRemoved(t *testing.T) {
	seen := det("face", 0.8, 100, 20, 112, 36)
	for name, models := range map[string]func() *Models{
		"found": func() *Models {
			s := newSight()
			s.face.see = always(seen)
			return s.models()
		},
		"found by a second look": func() *Models {
			m := newSight().models()
			withSecond(m, blur.Face, "face", []inference.Detection{seen})
			return m
		},
	} {
		r := &Redactor{Models: models()}
		got, err := r.Redact(context.Background(), greyWith(t, seen.Box), blur.Request{Context: blur.Full})
		if err != nil {
			t.Fatal(err)
		}
		if got.Removed["face"] != 1 || got.Removed["person"] != 1 || uncovered(bodyOf(seen.Box), got.Image.Regions()) > 0 {
			t.Errorf("%s: removed %v, at %v", name, got.Removed, got.Image.Regions())
		}
	}
}
