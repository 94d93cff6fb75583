package main

import (
	"context"
	"hash/maphash"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"gadeblik/inference"
)

func TestShareOfABoxUnderSeveral(t *testing.T) {
	box := image.Rect(10, 10, 20, 20)
	for _, tt := range []struct {
		name  string
		under []image.Rectangle
		want  float64
	}{
		{"none", nil, 0},
		{"itself", []image.Rectangle{box}, 1},
		{"its left half", []image.Rectangle{image.Rect(0, 0, 15, 40)}, 0.5},
		{"two that share a part", []image.Rectangle{image.Rect(10, 10, 16, 20), image.Rect(14, 10, 18, 20)}, 0.8},
		{"two apart", []image.Rectangle{image.Rect(10, 10, 12, 20), image.Rect(18, 10, 20, 20)}, 0.4},
		{"one beyond the border", []image.Rectangle{image.Rect(-50, -50, 500, 12)}, 0.2},
		{"one elsewhere", []image.Rectangle{image.Rect(30, 10, 40, 20)}, 0},
		{"an empty one", []image.Rectangle{{}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newArea(image.Pt(50, 30))
			for _, r := range tt.under {
				a.addBox(r)
			}
			if got := a.share(box); math.Abs(got-tt.want) > 1e-12 {
				t.Errorf("share %v, want %v", got, tt.want)
			}
		})
	}
}

func TestShareOfABoxAcrossTheBorder(t *testing.T) {
	a := newArea(image.Pt(10, 10))
	a.addBox(image.Rect(0, 0, 5, 10))
	if got := a.share(image.Rect(-90, 0, 10, 10)); got != 0.5 {
		t.Errorf("share %v, want that of the part that can be seen, 0.5", got)
	}
	if got := a.share(image.Rect(20, 20, 30, 30)); got != 0 {
		t.Errorf("share %v of what lies outside, want 0", got)
	}
}

func TestEllipse(t *testing.T) {
	a, nothing := newArea(image.Pt(200, 100)), newArea(image.Pt(200, 100))
	a.addEllipse(image.Rect(0, 0, 200, 100))
	if got := a.beside(nothing); math.Abs(got-math.Pi/4) > 0.005 {
		t.Errorf("an ellipse fills %v of its box, want a quarter of pi", got)
	}
	for _, corner := range []image.Point{{0, 0}, {199, 0}, {0, 99}, {199, 99}} {
		if a.share(image.Rectangle{corner, corner.Add(image.Pt(1, 1))}) != 0 {
			t.Errorf("%v is in the ellipse", corner)
		}
	}
}

func TestOutsideAndBeside(t *testing.T) {
	keep := image.Rect(2, 3, 6, 8)
	a, b := newArea(image.Pt(10, 10)), newArea(image.Pt(10, 10))
	a.addOutside(keep)
	if got := a.share(keep); got != 0 {
		t.Errorf("%v of what is kept is outside", got)
	}
	if got := a.beside(b); got != 0.8 {
		t.Errorf("outside is %v of the picture, want 0.8", got)
	}
	b.addBox(image.Rect(0, 0, 10, 3))
	if got := a.beside(b); got != 0.5 {
		t.Errorf("beside is %v of the picture, want 0.5", got)
	}
	b.addOutside(image.Rectangle{})
	if got := b.share(b.bounds); got != 1 {
		t.Errorf("outside of nothing is %v, want all", got)
	}
}

func TestClassesOfSize(t *testing.T) {
	for _, tt := range []struct {
		class  string
		pixels int
		want   string
	}{
		{"face", 15, "below 16 px high"},
		{"face", 16, "16 to 31 px high"},
		{"person", 63, "32 to 63 px high"},
		{"person", 64, "64 to 127 px high"},
		{"person", 128, "128 px high and more"},
		{"plate", 31, "below 32 px wide"},
		{"plate", 127, "64 to 127 px wide"},
		{"plate", 900, "128 px wide and more"},
	} {
		if got := sizeName(tt.class, sizeOf(tt.class, tt.pixels)); got != tt.want {
			t.Errorf("a %s of %d px is %q, want %q", tt.class, tt.pixels, got, tt.want)
		}
	}
	box := image.Rect(0, 0, 30, 10)
	if a, b := (object{class: "plate", box: box}).size(), (object{class: "face", box: box}).size(); a != 30 || b != 10 {
		t.Errorf("sizes %d of a plate and %d of a face, want its width 30 and its height 10", a, b)
	}
}

func TestShareOf(t *testing.T) {
	e, ok := shareOf([]tally{{1, 2}, {0, 0}, {3, 3}, {0, 5}, {2, 2}})
	if want := (estimate{0.5, 0, 1}); !ok || e.Value != want.Value || e.Low < 0 || e.Low >= 0.5 || e.High <= 0.5 || e.High > 1 {
		t.Errorf("estimate %v, want about %v", e, want)
	}
	again, _ := shareOf([]tally{{1, 2}, {0, 0}, {3, 3}, {0, 5}, {2, 2}})
	if e != again {
		t.Errorf("estimate %v and then %v of the same", e, again)
	}
	if _, ok := shareOf([]tally{{0, 0}}); ok {
		t.Error("there is an estimate of nothing")
	}
	// All of 10 pictures: 0.025 to the tenth part, as Clopper and Pearson have it.
	all := make([]tally, 10)
	for i := range all {
		all[i] = tally{2, 2}
	}
	if e, _ := shareOf(all); e.Value != 1 || e.High != 1 || math.Abs(e.Low-0.6915) > 1e-4 {
		t.Errorf("estimate %v of all, want 1 from 0.6915", e)
	}
	if e := perHundred(make([]int, 10)); e.Value != 0 || math.Abs(e.High-30.85) > 0.01 {
		t.Errorf("estimate %v of none in 10 pictures, want 0 to 30.85", e)
	}
}

// The interval of a mean of many is the one that the normal distribution gives.
func TestTheIntervalIsThatOfTheMean(t *testing.T) {
	hits := make([]int, 400)
	for i := range hits {
		hits[i] = i % 2
	}
	e := perHundred(hits)
	if math.Abs(e.Low-45.1) > 1 || math.Abs(e.High-54.9) > 1 {
		t.Errorf("estimate %v, want 50 from about 45.1 to 54.9", e)
	}
}

func TestQuantile(t *testing.T) {
	values := []float64{5, 1, 4, 2, 3}
	for q, want := range map[float64]float64{0: 1, 0.25: 2, 0.5: 3, 0.9: 4.6, 1: 5} {
		if got := quantile(values, q); math.Abs(got-want) > 1e-12 {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if !math.IsNaN(quantile(nil, 0.5)) {
		t.Error("there is a median of nothing")
	}
}

func TestHitsThatWereThereBefore(t *testing.T) {
	before := [][4]int{{0, 0, 100, 200}}
	now := [][4]int{{10, 150, 90, 200}, {0, 0, 100, 199}, {80, 0, 180, 200}, {-100, -100, 300, 300}}
	if n := fresher(now, before); n != 2 {
		t.Errorf("%d hits are new, want 2: the one beside and the one around", n)
	}
}

func TestWhatHumansSay(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "labels.jsonl")
	lines := `{"file": "a", "label": "person", "box": [0, 0, 10, 20]}
{"file": "a", "label": "person", "box": [1, 0, 10, 20], "verdict": "yes"}
{"file": "a", "label": "person", "box": [100, 0, 110, 20], "verdict": "yes", "fixed": [100, 0, 112, 20]}
{"file": "a", "label": "face", "box": [0, 0, 5, 5], "verdict": "added"}
{"file": "a", "label": "face", "box": [50, 50, 55, 55], "verdict": "no"}
{"file": "a", "label": "face", "box": [60, 50, 65, 55], "verdict": "poster"}
{"file": "a", "label": "plate", "box": [70, 50, 75, 55], "note": "dark, doubtful"}
{"file": "a", "label": "bag", "box": [0, 0, 9, 9]}
{"file": "b", "label": "none"}
`
	if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	got := truth{}
	if err := got.readLabels(path); err != nil {
		t.Fatal(err)
	}
	want := truth{
		"a": {
			objects: []object{
				{"person", drawn, image.Rect(0, 0, 10, 20)},
				{"person", shown, image.Rect(100, 0, 112, 20)},
				{"face", drawn, image.Rect(0, 0, 5, 5)},
			},
			doubtful: []image.Rectangle{image.Rect(60, 50, 65, 55), image.Rect(70, 50, 75, 55)},
			refuted:  []object{{"face", shown, image.Rect(50, 50, 55, 55)}},
		},
		"b": {},
	}
	if d := gocmp.Diff(want, got, gocmp.AllowUnexported(scene{}, object{})); d != "" {
		t.Error(d)
	}
	if s := got["a"]; !s.nobody("face", image.Rect(50, 50, 55, 56)) || s.nobody("person", image.Rect(50, 50, 55, 55)) {
		t.Error("what a human called nobody is not known as that, or for another class too")
	}
}

func TestMaskOfThePlainPass(t *testing.T) {
	if got, want := masked(image.Rect(10, 20, 20, 40)), image.Rect(7, 14, 23, 46); got != want {
		t.Errorf("mask %v, want %v", got, want)
	}
	if got := tensorSide(721); got != 736 {
		t.Errorf("721 pixels are looked at as %d, want 736", got)
	}
}

func TestSmear(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 40, 40))
	for y := range 40 {
		for x := range 40 {
			img.SetRGBA(x, y, color.RGBA{uint8(255 * (x % 2)), 100, 0, 255})
		}
	}
	smear(img, image.Rect(10, 10, 30, 30))
	if got := img.RGBAAt(20, 20); got.R < 110 || got.R > 145 || got.G != 100 {
		t.Errorf("the middle is %v, want the mean of stripes", got)
	}
	for _, p := range []image.Point{{9, 20}, {11, 11}, {30, 20}} {
		if got := img.RGBAAt(p.X, p.Y); got.R != uint8(255*(p.X%2)) {
			t.Errorf("%v outside of the ellipse is %v", p, got)
		}
	}
}

func TestBetween(t *testing.T) {
	got, err := between([]byte("a\n"+beginTables+"old\n"+endTables+"b\n"), "new")
	if err != nil {
		t.Fatal(err)
	}
	if want := "a\n" + beginTables + "\nnew\n" + endTables + "b\n"; string(got) != want {
		t.Errorf("document %q, want %q", got, want)
	}
	if _, err := between([]byte(beginTables), ""); err == nil {
		t.Error("a document without an end is taken")
	}
}

// counting is a detector that counts how often it is asked.
type counting struct{ looks int }

func (c *counting) Detect(_ context.Context, _ inference.View, dst []inference.Detection) ([]inference.Detection, error) {
	c.looks++
	return append(dst, inference.Detection{Label: "face", Box: image.Rect(0, 0, c.looks, 1)}), nil
}

func (c *counting) Manifest() inference.Manifest { return inference.Manifest{} }
func (c *counting) Clear()                       {}

func TestOnce(t *testing.T) {
	c := &counting{}
	o := &once{Detector: c, seed: maphash.MakeSeed()}
	grey := image.NewYCbCr(image.Rect(0, 0, 8, 8), image.YCbCrSubsampleRatio420)
	other := image.NewYCbCr(image.Rect(0, 0, 8, 8), image.YCbCrSubsampleRatio420)
	other.Y[63] = 1
	for _, img := range []*image.YCbCr{grey, grey, other, grey} {
		if _, err := o.Detect(t.Context(), inference.Whole(img), nil); err != nil {
			t.Fatal(err)
		}
	}
	if c.looks != 2 {
		t.Errorf("%d looks at two pictures", c.looks)
	}
}
