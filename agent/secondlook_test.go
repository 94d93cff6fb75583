package agent

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"gadeblik/blur"
	"gadeblik/inference"
	"gadeblik/uplink"
)

// withSecond adds a model that looks a second time, and sees in its first look what
// the first list has, and so on.
func withSecond(m *Models, class blur.Class, label string, looks ...[]inference.Detection) *scripted {
	n := 0
	second := &scripted{name: "second-" + label, labels: []string{label}}
	second.see = func(*image.YCbCr) []inference.Detection {
		n++
		if n > len(looks) {
			return nil
		}
		return slices.Clone(looks[n-1])
	}
	m.Detectors[second.name] = second
	m.SecondLook = append(m.SecondLook, RedactModel{Class: class, Model: second.name, MinScore: 0.1})
	return second
}

// greyWith is a dark picture of 320x192 with a white patch: somebody.
func greyWith(t *testing.T, patch image.Rectangle) *blur.Source {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 320, 192))
	for y := range 192 {
		for x := range 320 {
			v := color.Gray{Y: 40}
			if image.Pt(x, y).In(patch) {
				v.Y = 250
			}
			img.SetGray(x, y, v)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	src, err := blur.Open(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(src.Close)
	return src
}

func TestSecondLookDecides(t *testing.T) {
	person := func(x0, y0, x1, y1 int) []inference.Detection {
		return []inference.Detection{det("person", 0.15, x0, y0, x1, y1)}
	}
	first := image.Rect(96, 48, 128, 128) // what the first models found; 80x112 to 144x144 is removed
	for _, tt := range []struct {
		name    string
		label   string
		req     blur.Request
		looks   [][]inference.Detection
		hits    int
		visible bool
		times   int
	}{
		{name: "nobody", times: 1},
		{name: "within what was removed", looks: [][]inference.Detection{person(90, 40, 140, 130)}, times: 1},
		{name: "a sliver beside it", looks: [][]inference.Detection{person(80, 48, 146, 128)}, times: 1},
		{name: "more than a sliver beside it", looks: [][]inference.Detection{person(80, 48, 160, 128)}, hits: 1, times: 2},
		{name: "somebody else", looks: [][]inference.Detection{person(200, 40, 240, 120)}, hits: 1, times: 2},
		{name: "somebody else, still imagined there", looks: [][]inference.Detection{person(200, 40, 240, 120), person(198, 38, 242, 122)}, hits: 1, times: 2},
		{name: "somebody else after that", looks: [][]inference.Detection{person(200, 40, 240, 120), person(20, 40, 60, 120)}, visible: true, times: 2},
		{name: "two at once", looks: [][]inference.Detection{append(person(200, 40, 240, 120), person(20, 40, 60, 120)...)}, hits: 2, times: 2},
		{name: "not sure enough", looks: [][]inference.Detection{{det("person", 0.05, 200, 40, 240, 120)}}, times: 1},
		{name: "a cyclist", label: "cyclist", looks: [][]inference.Detection{{det("cyclist", 0.2, 200, 40, 240, 120)}}, hits: 1, times: 2},
		{name: "where it is coarse", req: blur.Request{Context: blur.Coarse, Keep: image.Rect(96, 64, 120, 90)},
			looks: [][]inference.Detection{person(250, 40, 310, 180)}, times: 1},
		{name: "at the object that is kept", req: blur.Request{Context: blur.Coarse, Keep: image.Rect(200, 64, 260, 160)},
			looks: [][]inference.Detection{person(210, 70, 240, 150)}, hits: 1, times: 2},
		{name: "in a picture that was cut out", req: blur.Request{Context: blur.Crop, Keep: image.Rect(200, 64, 260, 160)},
			looks: [][]inference.Detection{person(20, 20, 50, 70)}, hits: 1, times: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newSight().models()
			if tt.label == "" {
				tt.label = "person"
			}
			second := withSecond(m, blur.Person, tt.label, tt.looks...)
			if tt.req.Keep.Empty() {
				tt.req.Context = blur.Full
			}
			tt.req.Regions = []blur.Region{{Class: blur.Person, Box: first}}
			r := &Redactor{Models: m}
			got, err := r.Remove(context.Background(), greyWith(t, first), tt.req)
			if second.calls != tt.times {
				t.Errorf("it looked %d times, want %d", second.calls, tt.times)
			}
			if errors.Is(err, ErrStillVisible) != tt.visible || !tt.visible && err != nil {
				t.Fatalf("err = %v, still visible should be %v", err, tt.visible)
			}
			if tt.visible {
				if got.Image != nil {
					t.Error("it gave the picture away")
				}
				return
			}
			want := uplink.SecondLook{Models: []string{second.name}, Hits: map[string]int{"person": tt.hits}, Grown: tt.hits > 0}
			if got.Second == nil || !slices.Equal(got.Second.Models, want.Models) || !maps.Equal(got.Second.Hits, want.Hits) || got.Second.Grown != want.Grown {
				t.Errorf("second look = %+v, want %+v", got.Second, want)
			}
			if n := got.Removed["person"]; n != 1+tt.hits {
				t.Errorf("%d persons removed, want %d", n, 1+tt.hits)
			}
			for i := range tt.hits {
				if box := tt.looks[0][i].Box; uncovered(box, got.Image.Regions()) > 0 {
					t.Errorf("%v was seen and is not removed: %v", box, got.Image.Regions())
				}
			}
		})
	}
}

// The second look is at what will leave, not at the frame: whoever was removed is
// not there, and whoever was missed is.
func TestSecondLookSeesTheRedactedPicture(t *testing.T) {
	patch := image.Rect(200, 60, 232, 140)
	for _, tt := range []struct {
		name    string
		regions []blur.Region
		grown   bool
	}{
		{"found", []blur.Region{{Class: blur.Person, Box: patch}}, false},
		{"missed", nil, true},
	} {
		m := newSight().models()
		second := withSecond(m, blur.Person, "person")
		second.see = func(img *image.YCbCr) []inference.Detection {
			if img.Y[img.YOffset(216, 100)] < 200 {
				return nil
			}
			return []inference.Detection{{Label: "person", Score: 0.4, Box: patch}}
		}
		r := &Redactor{Models: m}
		got, err := r.Remove(context.Background(), greyWith(t, patch), blur.Request{Regions: tt.regions, Context: blur.Full})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got.Second.Grown != tt.grown {
			t.Errorf("%s: grown = %v, want %v", tt.name, got.Second.Grown, tt.grown)
		}
		out, err := jpeg.Decode(bytes.NewReader(got.Image.JPEG()))
		if err != nil {
			t.Fatal(err)
		}
		if y, _, _, _ := out.At(216, 100).RGBA(); y>>8 > 100 {
			t.Errorf("%s: the patch is still there (luma %d)", tt.name, y>>8)
		}
	}
}

// A second look that fails or takes too long gives no picture.
func TestSecondLookFailsClosed(t *testing.T) {
	for name, see := range map[string]func(context.Context) error{
		"fails":          func(context.Context) error { return errors.New("out of memory") },
		"takes too long": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		m := newSight().models()
		m.Timeout = 10 * time.Millisecond
		m.Detectors["slow"] = &waiting{scripted{name: "slow", labels: []string{"face"}}, see}
		m.SecondLook = []RedactModel{{Class: blur.Face, Model: "slow"}}
		r := &Redactor{Models: m}
		got, err := r.Redact(context.Background(), greyWith(t, image.Rectangle{}), blur.Request{Context: blur.Full})
		if err == nil || errors.Is(err, ErrStillVisible) || got.Image != nil {
			t.Errorf("%s: image %v, error %v; want an error and no image", name, got.Image, err)
		}
	}
}

// waiting is a model that does what it is told instead of looking.
type waiting struct {
	scripted
	do func(context.Context) error
}

func (w *waiting) Detect(ctx context.Context, _ inference.View, dst []inference.Detection) ([]inference.Detection, error) {
	return dst, w.do(ctx)
}

func TestObservationsSayWhatTheSecondLookDid(t *testing.T) {
	s := newSight()
	s.look.see = always(det("bin", 0.8, 100, 60, 180, 140))
	models := s.models()
	withSecond(models, blur.Person, "person", []inference.Detection{det("person", 0.2, 110, 60, 130, 120)})
	b := newBenchOf(t, models, task("bins", nil))
	b.drive(t, 0, 20)
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	if len(b.products) != 1 {
		t.Fatalf("%d products, want 1", len(b.products))
	}
	o := b.products[0].Observation
	if err := o.Validate(); err != nil {
		t.Error(err)
	}
	if l := o.Redaction.SecondLook; l == nil || !l.Grown || l.Hits["person"] != 1 || o.Redaction.Regions["person"] != 1 {
		t.Errorf("redaction = %+v, second look %+v", o.Redaction, l)
	}
	named := slices.ContainsFunc(o.Models, func(m uplink.ModelRef) bool { return m.Name == "second-person" })
	if c := b.Counters(); c.SecondLooks != 1 || c.Grown != 1 || c.StillVisible != 0 || !named {
		t.Errorf("second looks %d, grown %d, still visible %d, model named %v", c.SecondLooks, c.Grown, c.StillVisible, named)
	}
}

// A picture that still shows somebody is dropped and counted; that is no failure
// of a model, and what else is in the frame may do.
func TestStillVisibleIsDroppedAndCounted(t *testing.T) {
	s := newSight()
	s.look.see = always(det("bin", 0.8, 10, 60, 60, 140), det("bin", 0.7, 200, 60, 260, 140))
	models := s.models()
	at := func(x int) []inference.Detection { return []inference.Detection{det("person", 0.2, x, 60, x+20, 120)} }
	withSecond(models, blur.Person, "person", at(10), at(80))
	b := newBenchOf(t, models, task("bins", map[string]any{"context": "full"}))
	// The gate opens at the third fix: a single look.
	b.drive(t, 0, 3)
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	c := b.Counters()
	if len(b.products) != 1 || c.Looked != 1 || c.Dropped != 1 || c.StillVisible != 1 || c.SecondLooks != 2 || c.Failed != 0 {
		t.Errorf("%d products, counters %+v", len(b.products), c)
	}
}

func TestModelsOfTheSecondLookAreOthers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		second RedactModel
		want   string
	}{
		{"nobody", RedactModel{Class: blur.Face, Model: "nobody"}, `models.second_look[0].model: no model "nobody" (there are [all faces looker persons plates])`},
		{"another class", RedactModel{Class: blur.Face, Model: "looker"}, "models.second_look[0].model: looker does not find face (it finds [bin car person])"},
		{"the same", RedactModel{Class: blur.Face, Model: "faces"}, "models.second_look[0].model: faces finds face already in models.redact; a second look is another model's"},
		{"the same weights", RedactModel{Class: blur.Face, Model: "all"}, "models.second_look[0].model: all finds face already in models.redact; a second look is another model's"},
		{"another", RedactModel{Class: blur.Person, Model: "looker"}, ""},
	} {
		m := newSight().models()
		// Scripted weights are told apart by the length of their name.
		m.Detectors["all"] = &scripted{name: "sight", labels: []string{"face"}}
		m.SecondLook = []RedactModel{tt.second}
		got := ""
		if err := m.Check(); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestUncovered(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	box := func() image.Rectangle {
		x, y := r.IntN(20), r.IntN(20)
		return image.Rect(x, y, x+r.IntN(12), y+r.IntN(12))
	}
	for range 500 {
		var regions []blur.Region
		for range r.IntN(6) {
			regions = append(regions, blur.Region{Box: box()})
		}
		b := box()
		want := 0
		for y := b.Min.Y; y < b.Max.Y; y++ {
			for x := b.Min.X; x < b.Max.X; x++ {
				if !slices.ContainsFunc(regions, func(r blur.Region) bool { return image.Pt(x, y).In(r.Box) }) {
					want++
				}
			}
		}
		if got := uncovered(b, regions); got != want {
			t.Fatalf("%v without %v: %d pixels, want %d", b, regions, got, want)
		}
	}
}

// What the counters say is in the status too.
func TestStatusSaysWhatSecondLooksDid(t *testing.T) {
	keys := strings.Join(slices.Sorted(maps.Keys(statusFigures(Counters{}))), " ")
	for _, key := range []string{"second_looks", "grown", "still_visible"} {
		if !strings.Contains(keys, key) {
			t.Errorf("%s is not among %s", key, keys)
		}
	}
}

// A face that only a second look sees brings its body, unless it is seen in the
// patch that redaction has left.
func TestSecondLookBringsBodies(t *testing.T) {
	for _, tt := range []struct {
		name string
		face image.Rectangle
		want int // persons
	}{
		{"beside all patches", image.Rect(220, 20, 236, 36), 2},
		{"half in a patch", image.Rect(92, 60, 140, 108), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSight()
			s.person.see = func(*image.YCbCr) []inference.Detection {
				return []inference.Detection{{Label: "person", Score: 0.9, Box: image.Rect(60, 40, 100, 160)}}
			}
			m := s.models()
			withSecond(m, blur.Face, "face", []inference.Detection{{Label: "face", Score: 0.9, Box: tt.face}})
			r := &Redactor{Models: m}
			got, err := r.Redact(context.Background(), greyWith(t, tt.face), blur.Request{Context: blur.Full})
			if err != nil {
				t.Fatal(err)
			}
			if !got.Second.Grown || got.Removed["face"] != 1 || got.Removed["person"] != tt.want {
				t.Errorf("grown %t, removed %v; want one face and %d persons", got.Second.Grown, got.Removed, tt.want)
			}
		})
	}
}
