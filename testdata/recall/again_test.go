package main

import (
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"gadeblik/agent"
	"gadeblik/blur"
	"gadeblik/inference"
)

// scripted sees at its n-th look what stands in its n-th row, and the last row from then on.
type scripted struct {
	class string
	boxes [][]image.Rectangle
}

func (s *scripted) Detect(_ context.Context, _ inference.View, dst []inference.Detection) ([]inference.Detection, error) {
	now := s.boxes[0]
	s.boxes = s.boxes[min(1, len(s.boxes)-1):]
	for _, b := range now {
		dst = append(dst, inference.Detection{Label: s.class, Score: 1, Box: b})
	}
	return dst, nil
}

func (s *scripted) Manifest() inference.Manifest {
	return inference.Manifest{Name: s.class, SHA256: s.class, Classes: []string{s.class}}
}
func (s *scripted) Clear() {}

// street is a picture of the bundled drive, larger than 640x360.
func street(t *testing.T) []byte {
	t.Helper()
	found, err := filepath.Glob("../drives/demo/frames/*.jpg")
	if err != nil || len(found) == 0 {
		t.Fatalf("no frames of the bundled drive: %v", err)
	}
	raw, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func watched(second *scripted) *agent.Redactor {
	first := &scripted{"none", [][]image.Rectangle{{}}}
	return &agent.Redactor{Models: &agent.Models{
		Detectors:  map[string]agent.Detector{"first": first, "second": second},
		Redact:     []agent.RedactModel{{Class: blur.Person, Model: "first"}},
		SecondLook: []agent.RedactModel{{Class: blur.Plate, Model: "second"}},
	}}
}

func TestWhatTheSecondLookDoes(t *testing.T) {
	here, there := image.Rect(40, 40, 80, 60), image.Rect(200, 120, 240, 140)
	for _, tt := range []struct {
		name  string
		looks [][]image.Rectangle
		grown bool
		still *seen
		gone  image.Rectangle
	}{
		{name: "nobody", looks: [][]image.Rectangle{{}}},
		{name: "somebody", looks: [][]image.Rectangle{{here}, {}}, grown: true, gone: here},
		{name: "in the fill", looks: [][]image.Rectangle{{here}, {here}}, grown: true, gone: here},
		{name: "somebody else", looks: [][]image.Rectangle{{here}, {there}}, grown: true, still: &seen{"plate", there}, gone: image.Rect(0, 0, 640, 360)},
	} {
		o, err := apply(t.Context(), watched(&scripted{"plate", tt.looks}), street(t), blur.Request{Context: blur.Full})
		if err != nil {
			t.Fatal(err)
		}
		if !o.again.looked || o.again.grown != tt.grown || (o.dropped != "") != (tt.still != nil) {
			t.Errorf("%s: second look %+v and dropped for %q, want grown %v and still %v", tt.name, o.again, o.dropped, tt.grown, tt.still)
		}
		if d := gocmp.Diff(tt.still, o.again.still, gocmp.AllowUnexported(seen{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
		if !tt.gone.Empty() && o.removed.share(tt.gone) != 1 {
			t.Errorf("%s: %v of %v is gone, want all", tt.name, o.removed.share(tt.gone), tt.gone)
		}
	}
}

func TestStillVisible(t *testing.T) {
	if s, err := stillVisible(errors.New("look again: out of memory")); s != nil || err != nil {
		t.Errorf("%v, %v of another error, want nothing", s, err)
	}
	if _, err := stillVisible(agent.ErrStillVisible); err == nil || !strings.Contains(err.Error(), "read what is still visible") {
		t.Errorf("error %v of a text without a place", err)
	}
}

func TestPlacesAgreeWithTheAgent(t *testing.T) {
	a := again{counts: map[string]int{"face": 1, "plate": 0}, hits: []seen{{"face", image.Rect(0, 0, 9, 9)}}}
	if err := a.agrees(); err != nil {
		t.Error(err)
	}
	a.hits = append(a.hits, seen{"plate", image.Rect(0, 0, 9, 9)})
	if err := a.agrees(); err == nil {
		t.Error("a hit that the agent does not have is taken")
	}
}

func TestBrief(t *testing.T) {
	c := &counting{}
	b := &brief{c, 1}
	for range 3 {
		if _, err := b.Detect(t.Context(), inference.View{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if c.looks != 1 {
		t.Errorf("%d looks, want 1", c.looks)
	}
}

func TestWhatAHitIsOn(t *testing.T) {
	person, plate, perhaps := image.Rect(0, 0, 20, 40), image.Rect(50, 0, 70, 10), image.Rect(80, 0, 99, 30)
	s := scene{
		objects:  []object{{"person", drawn, person}, {"plate", drawn, plate}},
		doubtful: []image.Rectangle{perhaps},
	}
	removed := newArea(image.Pt(200, 100))
	removed.addBox(image.Rect(100, 0, 200, 100))
	for _, tt := range []struct {
		name, class string
		box         image.Rectangle
		want        string
	}{
		{"the person", "person", image.Rect(2, 0, 22, 40), onMissed},
		{"the face of the person", "face", image.Rect(5, 0, 12, 9), onMissed},
		{"lettering on the person", "plate", image.Rect(5, 20, 15, 25), onOther},
		{"the plate", "plate", plate, onMissed},
		{"a face in the plate", "face", plate, onOther},
		{"who is there perhaps", "face", image.Rect(85, 0, 95, 10), onMissed},
		{"fill", "face", image.Rect(90, 50, 130, 90), onFill},
		{"fill's edge", "face", image.Rect(70, 50, 110, 90), onOther},
		{"nobody", "person", image.Rect(20, 50, 40, 90), onOther},
	} {
		if got := s.hit(seen{tt.class, tt.box}, removed).On; got != tt.want {
			t.Errorf("%s is %s, want %s", tt.name, got, tt.want)
		}
	}
	removed.addBox(person)
	if got := s.hit(seen{"person", person}, removed).On; got != onFill {
		t.Errorf("a person who is gone is %s, want %s", got, onFill)
	}
}

func TestAgainst(t *testing.T) {
	w := witness{"face", "w", "w", ""}
	old, fresh := [4]int{0, 0, 10, 10}, [4]int{50, 50, 60, 60}
	picture := func(plain, ours [][4]int) finding {
		return finding{
			Original: hits{"w": {old}},
			By:       map[string]product{plainMethod: {Residue: hits{"w": plain}}, "ours": {Residue: hits{"w": ours}}},
		}
	}
	ours := func(f finding) hits { return f.By["ours"].Residue }
	v := against([]finding{picture([][4]int{old}, [][4]int{fresh, fresh}), picture([][4]int{old}, nil)}, ours, w)
	if v.All.Value != 0 || v.Known.Value != -100 || v.Known.High != -100 {
		t.Errorf("%v, want as many and of the known ones 100 fewer", v)
	}
	if got := v.Known.difference(); got != "-100 (-100 to -100) *fewer*" {
		t.Errorf("it reads %q", got)
	}
	if got := against(nil, ours, w); got != (versus{}) {
		t.Errorf("%v of no pictures", got)
	}
}

// A picture that is dropped counts as gone, and its objects stand by themselves.
func TestDroppedObjectsAreCountedApart(t *testing.T) {
	f := func(dropped string, first, gone float64) finding {
		return finding{
			Objects: []fate{{Class: "face", First: map[string]float64{"m": first}, Gone: map[string]float64{"m": gone}}},
			By:      map[string]product{"m": {Dropped: dropped, Second: &secondLook{Grown: true}}},
		}
	}
	rep := &report{Pictures: []finding{f("", 0, 1), f("", 0, 0), f("seen", 0, 1)}}
	rep.Pictures[2].By["m"].Second.Still = &hit{Class: "face", On: onFill}
	r, ok := rep.againRecall("m", "face")
	if !ok || r.Objects != 3 || r.Dropped != 1 || r.First.Value != 0 || r.Grown != 1 || r.Spared != 1 || r.Leaving.Value != 0.5 || r.Gone.Value < 0.66 {
		t.Errorf("%+v, want 2 of 3 gone, 1 of them dropped, and half of the others", r)
	}
	p := rep.againPictures("m")
	if want := (againPictures{"m", 3, onPart{2, 0}, onPart{1, 0}, growth{}, growth{Pictures: 2}}); p != want {
		t.Errorf("%+v, want %+v", p, want)
	}
}
