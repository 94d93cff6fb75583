package inference

import (
	"context"
	"errors"
	"image"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeSession has the tensors a manifest asks for; run, if set, fills the outputs.
type fakeSession struct {
	input   []float32
	outputs map[string][]float32
	run     func(ctx context.Context) error
	closed  int
	failing error
}

func newFake(m Manifest) *fakeSession {
	in, out := m.Tensors()
	s := &fakeSession{input: make([]float32, in.Len()), outputs: map[string][]float32{}}
	for _, t := range out {
		s.outputs[t.Name] = make([]float32, t.Len())
	}
	return s
}

func (s *fakeSession) Input() []float32             { return s.input }
func (s *fakeSession) Output(name string) []float32 { return s.outputs[name] }
func (s *fakeSession) Close() error                 { s.closed++; return s.failing }
func (s *fakeSession) Run(ctx context.Context) error {
	if s.run == nil {
		return ctx.Err()
	}
	return s.run(ctx)
}

const anyHash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func yoloxManifest() Manifest {
	return Manifest{
		Name: "objects", File: "objects.onnx", SHA256: anyHash, Task: TaskObjects, Licence: "Apache-2.0", Source: "a test",
		Input:   Input{Name: "images", Width: 64, Height: 64, Colour: "bgr", Std: [3]float64{1, 1, 1}, Pad: 114},
		Decoder: DecoderYOLOX, Output: "output", Classes: []string{"person", "car"}, Score: 0.5, NMS: 0.5,
	}
}

func yunetManifest() Manifest {
	m := yoloxManifest()
	m.Name, m.Task, m.Decoder, m.Output, m.Classes = "faces", TaskFaces, DecoderYuNet, "", []string{"face"}
	return m
}

func textManifest() Manifest {
	m := yoloxManifest()
	m.Name, m.Task, m.Decoder, m.Classes = "plates", TaskPlates, DecoderText, []string{"plate"}
	m.Text = Text{Threshold: 0.3, MinPixels: 6, Unclip: 1}
	return m
}

func ultrafaceManifest() Manifest {
	m := yunetManifest()
	m.Decoder, m.Kinds = DecoderUltraFace, 2
	return m
}

func newDetector(t testing.TB, m Manifest, s Session) *Detector {
	t.Helper()
	d, err := NewDetector(m, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// square is a picture of 128x128: one pixel of the 64x64 tensor is two of its own.
func square() *image.YCbCr {
	return image.NewYCbCr(image.Rect(0, 0, 128, 128), image.YCbCrSubsampleRatio420)
}

func look(t testing.TB, m Manifest, s Session, img *image.YCbCr) []Detection {
	t.Helper()
	got, err := newDetector(t, m, s).Detect(context.Background(), Whole(img), nil)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func diff(t testing.TB, got, want []Detection) {
	t.Helper()
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-6 })
	if d := cmp.Diff(want, got, near); d != "" {
		t.Errorf("detections (-want +got):\n%s", d)
	}
}

// put writes the values of one cell: x, y, log width, log height, objectness, classes.
func put(out []float32, fields, cell int, values ...float64) {
	for i, v := range values {
		out[cell*fields+i] = float32(v)
	}
}

func TestYOLOX(t *testing.T) {
	m := yoloxManifest()
	s := newFake(m)
	out := s.outputs["output"]
	ln := math.Log
	// Stride 8, 8 cells a row: cell 2,1, centre (20,12) of the tensor, 16x8.
	put(out, 7, 8+2, 0.5, 0.5, ln(2), ln(1), 0.9, 0.1, 1)
	// The same again a little weaker goes; of another class it stays.
	put(out, 7, 8+3, -0.5, 0.5, ln(2), ln(1), 0.8, 0.1, 1)
	put(out, 7, 8+1, 1.5, 0.5, ln(2), ln(1), 0.8, 0.75, 0.1)
	// Stride 16 begins at cell 64: cell 3,3, centre (60,60), 20x20, reaches over the edge.
	put(out, 7, 64+15, 0.75, 0.75, ln(20./16), ln(20./16), 1, 0.5, 0.4)
	// Stride 32 begins at cell 80: objectness times class just below the limit.
	put(out, 7, 80, 0.5, 0.5, 0, 0, 0.7, 0.7, 0.1)
	// Wholly outside the picture.
	put(out, 7, 81, 40, 0.5, 0, 0, 1, 1, 0)
	diff(t, look(t, m, s, square()), []Detection{
		{"car", 0.9, image.Rect(24, 16, 56, 32), "objects"},
		{"person", 0.6, image.Rect(24, 16, 56, 32), "objects"},
		{"person", 0.5, image.Rect(100, 100, 128, 128), "objects"},
	})
}

func TestUltraFace(t *testing.T) {
	m := ultrafaceManifest()
	s := newFake(m)
	if got, want := len(s.outputs["boxes"])/4, 8*8*3+4*4*2+2*2*2+3; got != want {
		t.Fatalf("%d boxes, want %d", got, want)
	}
	for i := range len(s.outputs["scores"]) / 3 {
		s.outputs["scores"][3*i] = 1 // nothing
	}
	face := func(at int, nothing, plain, masked float32, corners ...float32) {
		copy(s.outputs["scores"][3*at:], []float32{nothing, plain, masked})
		copy(s.outputs["boxes"][4*at:], corners)
	}
	face(7, 0.1, 0.5, 0.4, 0.25, 0.5, 0.5, 0.75) // masked or not, it is a face
	face(8, 0.2, 0.8, 0, 0.25, 0.5, 0.5, 0.75)   // the same again
	face(200, 0.4, 0, 0.6, 0.75, 0.75, 1.5, 1.5) // reaches over the edge
	face(201, 0.6, 0.4, 0, 0, 0, 0.5, 0.5)       // below the score
	face(202, 0, 1, 0, 0.5, 0.5, 0.25, 0.25)     // no box
	diff(t, look(t, m, s, square()), []Detection{
		{"face", 0.9, image.Rect(32, 64, 64, 96), "faces"},
		{"face", 0.6, image.Rect(96, 96, 128, 128), "faces"},
	})
}

// Each label is held to its own score, also one that was taught later, and those that have none to the
// manifest's.
func TestScoresByLabel(t *testing.T) {
	m := yoloxManifest()
	m.Heads = []Head{{Output: "late", Classes: []string{"container"}}}
	m = m.WithScore("person", 0.2).WithScore("container", 0.7)
	s := newFake(m)
	put(s.outputs["output"], 7, 80, 0.5, 0.5, 0, 0, 0.3, 0.9, 0) // a person at 0.27
	put(s.outputs["output"], 7, 81, 0.5, 0.5, 0, 0, 0.5, 0, 0.9) // a car at 0.45
	put(s.outputs["output"], 7, 82, 0.5, 0.5, 0, 0, 0.6, 0, 0.9) // a car at 0.54
	put(s.outputs["late"], 6, 82, 0.5, 0.5, 0, 0, 1, 0.6)
	put(s.outputs["late"], 6, 83, 0.5, 0.5, 0, 0, 1, 0.7000001)
	diff(t, look(t, m, s, square()), []Detection{
		{"container", 0.7, image.Rect(64, 64, 128, 128), "objects"},
		{"car", 0.54, image.Rect(0, 64, 64, 128), "objects"},
		{"person", 0.27, image.Rect(0, 0, 64, 64), "objects"},
	})
	one := yunetManifest().WithScore("face", 0.2)
	faces := newFake(one)
	faces.outputs["cls_32"][0], faces.outputs["obj_32"][0] = 0.3, 0.3
	if got := look(t, one, faces, square()); len(got) != 1 {
		t.Errorf("%d faces at a score of 0.3, want the one", len(got))
	}
}

func TestYOLOXWithSecondHead(t *testing.T) {
	m := yoloxManifest()
	m.Heads = []Head{{Output: "late", Classes: []string{"container"}}}
	s := newFake(m)
	put(s.outputs["output"], 7, 83, 0.5, 0.5, 0, 0, 1, 0.9, 0) // centre (48,48), 32x32
	put(s.outputs["late"], 6, 83, 0.5, 0.5, 0, 0, 1, 0.8)
	if diff := cmp.Diff([]string{"person", "car", "container"}, m.Labels()); diff != "" {
		t.Error(diff)
	}
	diff(t, look(t, m, s, square()), []Detection{
		{"person", 0.9, image.Rect(64, 64, 128, 128), "objects"},
		{"container", 0.8, image.Rect(64, 64, 128, 128), "objects"},
	})
}

func TestYuNet(t *testing.T) {
	m := yunetManifest()
	s := newFake(m)
	set := func(stride string, cell int, class, object float64, box ...float64) {
		s.outputs["cls_"+stride][cell], s.outputs["obj_"+stride][cell] = float32(class), float32(object)
		put(s.outputs["bbox_"+stride], 4, cell, box...)
	}
	set("8", 9, 0.64, 1.5, 1, 1, 0, 0)                      // centre (16,16), 8x8, objectness clamped to 1
	set("16", 15, 1, 0.49, 0.5, 0.5, 0, math.Log(0.5))      // centre (56,56), 16x8
	set("32", 0, 0.24, 1, 0.5, 0.5, 0, 0)                   // root of 0.24 is below 0.5
	set("32", 1, -1, 1, 0.5, 0.5, 0, 0)                     // clamped to 0
	set("8", 10, 0.3, 1, 0.05, 1, math.Log(1), math.Log(1)) // overlaps the first, weaker
	diff(t, look(t, m, s, square()), []Detection{
		{"face", 0.8, image.Rect(24, 24, 40, 40), "faces"},
		{"face", 0.7, image.Rect(96, 104, 128, 120), "faces"},
	})
}

func TestTextMap(t *testing.T) {
	m := textManifest()
	m.Score = 0.4
	fill := func(s *fakeSession, r image.Rectangle, v float32) {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				s.outputs["output"][y*64+x] = v
			}
		}
	}
	for _, c := range []struct {
		name  string
		patch func(s *fakeSession)
		shape Shape
		grow  float64
		want  []Detection
	}{
		{name: "a rectangle grows by its area over half its perimeter", patch: func(s *fakeSession) {
			fill(s, image.Rect(20, 30, 32, 34), 0.8) // 12x4: 48/16 = 3
		}, want: []Detection{{"plate", 0.8, image.Rect(34, 54, 70, 74), "plates"}}},
		{name: "a comb is one patch however its teeth meet", patch: func(s *fakeSession) {
			fill(s, image.Rect(10, 10, 11, 15), 0.5)
			fill(s, image.Rect(12, 10, 13, 15), 0.5)
			fill(s, image.Rect(14, 10, 15, 15), 0.5)
			fill(s, image.Rect(10, 15, 15, 16), 0.5) // 5x6: 30/11
		}, want: []Detection{{"plate", 0.5, image.Rect(14, 14, 36, 38), "plates"}}},
		{name: "corners do not touch", patch: func(s *fakeSession) {
			fill(s, image.Rect(10, 10, 13, 13), 0.9) // 9/6 = 1.5
			fill(s, image.Rect(13, 13, 16, 16), 0.8)
		}, want: []Detection{
			{"plate", 0.9, image.Rect(17, 17, 29, 29), "plates"},
			{"plate", 0.8, image.Rect(23, 23, 35, 35), "plates"},
		}},
		{name: "neighbours in neighbouring rows of the memory do not touch", patch: func(s *fakeSession) {
			fill(s, image.Rect(61, 20, 64, 22), 0.9)
			fill(s, image.Rect(0, 22, 3, 24), 0.8)
		}, want: []Detection{
			{"plate", 0.9, image.Rect(119, 37, 128, 47), "plates"},
			{"plate", 0.8, image.Rect(0, 41, 9, 51), "plates"},
		}},
		{name: "few pixels are noise", patch: func(s *fakeSession) { fill(s, image.Rect(10, 10, 15, 11), 0.9) }},
		{name: "a weak patch is none", patch: func(s *fakeSession) { fill(s, image.Rect(10, 10, 30, 14), 0.39) }},
		{name: "shape", patch: func(s *fakeSession) {
			fill(s, image.Rect(4, 30, 24, 35), 0.9)  // 20x5, 4 more each way: 28x13
			fill(s, image.Rect(40, 30, 44, 50), 0.8) // upright
			fill(s, image.Rect(4, 2, 24, 7), 0.7)    // in the sky
			fill(s, image.Rect(2, 55, 62, 58), 0.6)  // a line of text
		}, shape: Shape{MinRatio: 1.3, MaxRatio: 6, MaxHeight: 0.25, MinCentre: 0.28},
			want: []Detection{{"plate", 0.9, image.Rect(0, 52, 56, 78), "plates"}}},
		{name: "grow", patch: func(s *fakeSession) { fill(s, image.Rect(20, 30, 32, 34), 0.8) }, grow: 0.5,
			want: []Detection{{"plate", 0.8, image.Rect(16, 44, 88, 84), "plates"}}},
		{name: "the whole map", patch: func(s *fakeSession) { fill(s, image.Rect(0, 0, 64, 64), 1) },
			want: []Detection{{"plate", 1, image.Rect(0, 0, 128, 128), "plates"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := m
			m.Shape, m.Grow = c.shape, c.grow
			s := newFake(m)
			c.patch(s)
			diff(t, look(t, m, s, square()), c.want)
		})
	}
}

func TestBoxesAreInThePicturesOwnCoordinates(t *testing.T) {
	m := yoloxManifest()
	s := newFake(m)
	put(s.outputs["output"], 7, 83, 0.5, 0.5, 0, 0, 1, 0.9, 0) // lower right quarter of the tensor
	put(s.outputs["output"], 7, 80, 0.5, 0.5, 0, 0, 1, 0.8, 0) // upper left quarter
	part := image.NewYCbCr(image.Rect(0, 0, 400, 400), image.YCbCrSubsampleRatio420).SubImage(image.Rect(100, 50, 164, 82))
	diff(t, look(t, m, s, part.(*image.YCbCr)), []Detection{
		{"person", 0.8, image.Rect(100, 50, 132, 82), "objects"}, // the other lies in the padding
	})
}

func TestDamagedOutputsAreErrors(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		name     string
		manifest Manifest
		output   string
		at       int
		value    float32
		want     string
	}{
		{"objectness", yoloxManifest(), "output", 7*3 + 4, nan, `look with model objects: output "output" holds NaN at 25; the model does not fit its manifest or is damaged`},
		{"class", yoloxManifest(), "output", 6, inf, `look with model objects: output "output" holds +Inf at 6; the model does not fit its manifest or is damaged`},
		{"box", yoloxManifest(), "output", 2, -inf, `look with model objects: output "output" holds -Inf at 2; the model does not fit its manifest or is damaged`},
		{"face class", yunetManifest(), "cls_16", 3, nan, `look with model faces: output "cls_16" holds NaN at 3; the model does not fit its manifest or is damaged`},
		{"face object", yunetManifest(), "obj_32", 1, inf, `look with model faces: output "obj_32" holds +Inf at 1; the model does not fit its manifest or is damaged`},
		{"face box", yunetManifest(), "bbox_8", 3, nan, `look with model faces: output "bbox_8" holds NaN at 3; the model does not fit its manifest or is damaged`},
		{"face kinds", ultrafaceManifest(), "scores", 6, nan, `look with model faces: output "scores" holds NaN at 6; the model does not fit its manifest or is damaged`},
		{"face corners", ultrafaceManifest(), "boxes", 11, inf, `look with model faces: output "boxes" holds +Inf at 11; the model does not fit its manifest or is damaged`},
		{"map", textManifest(), "output", 70, nan, `look with model plates: output "output" holds NaN at 70; the model does not fit its manifest or is damaged`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newFake(c.manifest)
			switch c.manifest.Decoder {
			case DecoderYOLOX:
				put(s.outputs["output"], 7, 0, 0.5, 0.5, 0, 0, 1, 1, 0)
			case DecoderYuNet:
				s.outputs["cls_8"][0], s.outputs["obj_8"][0] = 1, 1
			}
			s.outputs[c.output][c.at] = c.value
			before := []Detection{{Label: "before"}}
			got, err := newDetector(t, c.manifest, s).Detect(context.Background(), Whole(square()), before)
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if d := cmp.Diff(before, got); d != "" {
				t.Errorf("dst changed: %s", d)
			}
		})
	}
}

func TestDetectErrors(t *testing.T) {
	m := yoloxManifest()
	s := newFake(m)
	d := newDetector(t, m, s)
	before := []Detection{{Label: "before"}}
	check := func(ctx context.Context, img *image.YCbCr, want string) {
		t.Helper()
		got, err := d.Detect(ctx, Whole(img), before)
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if len(got) != 1 {
			t.Errorf("dst has %d, want 1", len(got))
		}
	}
	check(context.Background(), nil, "look with model objects: no picture")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	check(ended, square(), "look with model objects: context canceled")
	if _, err := d.Detect(ended, Whole(square()), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	s.failing = errors.New("stuck")
	if err := d.Close(); err == nil || err.Error() != "close model objects: stuck" {
		t.Errorf("close: got %v", err)
	}
	check(context.Background(), square(), "look with model objects: the detector is closed")
	d.Clear()
	if err := d.Close(); err != nil || s.closed != 1 {
		t.Errorf("second close: %v, session closed %d times", err, s.closed)
	}
}

func TestNewDetectorRefusesOtherTensors(t *testing.T) {
	m := yoloxManifest()
	for _, c := range []struct {
		name  string
		spoil func(*fakeSession, *Manifest)
		want  string
	}{
		{"input", func(s *fakeSession, _ *Manifest) { s.input = s.input[1:] }, `model objects: input "images" holds 12287 values, want 12288`},
		{"output", func(s *fakeSession, _ *Manifest) { s.outputs["output"] = nil }, `model objects: output "output" holds 0 values, want 588`},
		{"manifest", func(_ *fakeSession, m *Manifest) { m.Score = 2 }, `manifest of model objects: score: must be between 0 and 1 (got 2)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := m
			s := newFake(m)
			c.spoil(s, &m)
			_, err := NewDetector(m, s)
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if s.closed != 0 {
				t.Error("the session was closed")
			}
		})
	}
}

func TestClearForgetsThePicture(t *testing.T) {
	m := textManifest()
	s := newFake(m)
	s.run = func(context.Context) error { s.outputs["output"][100] = 0.2; return nil }
	d := newDetector(t, m, s)
	img := noise(image.Rect(0, 0, 128, 100), image.YCbCrSubsampleRatio420, 1)
	find := func() {
		if _, err := d.Detect(context.Background(), Whole(img), nil); err != nil {
			t.Fatal(err)
		}
	}
	find()
	first := append([]float32(nil), s.input...)
	d.Clear()
	for name, values := range map[string][]float32{"input": s.input, "output": s.outputs["output"]} {
		for i, v := range values {
			if v != 0 {
				t.Fatalf("%s holds %v at %d after Clear", name, v, i)
			}
		}
	}
	if slices.ContainsFunc(d.fit.lines.rows, func(v float32) bool { return v != 0 }) ||
		slices.ContainsFunc(d.fit.lines.pairs, func(v uint16) bool { return v != 0 }) {
		t.Fatal("the letterbox holds pixels after Clear")
	}
	find()
	if d := cmp.Diff(first, s.input); d != "" {
		t.Errorf("the tensor differs after Clear: %s", d)
	}
}

func TestCandidatesAreBounded(t *testing.T) {
	m := yoloxManifest()
	m.Input.Width, m.Input.Height, m.Score = 1024, 1024, 0.01
	s := newFake(m)
	for cell := range len(s.outputs["output"]) / 7 {
		put(s.outputs["output"], 7, cell, 0.5, 0.5, -3, -3, 1, 1-float64(cell)/1e5, 0)
	}
	got := look(t, m, s, image.NewYCbCr(image.Rect(0, 0, 1024, 1024), image.YCbCrSubsampleRatio420))
	if len(got) != maxCandidates {
		t.Errorf("got %d detections, want %d", len(got), maxCandidates)
	}
	if got[0].Score != 1 || got[len(got)-1].Score < 0.95 {
		t.Errorf("the kept are not the best: %v to %v", got[0].Score, got[len(got)-1].Score)
	}
}

func TestDetectDoesNotAllocate(t *testing.T) {
	for _, m := range []Manifest{yoloxManifest(), yunetManifest(), ultrafaceManifest(), textManifest()} {
		t.Run(m.Decoder, func(t *testing.T) {
			m.Score = 0.1
			s := newFake(m)
			for _, out := range s.outputs {
				for i := range out {
					out[i] = float32(i%5) / 5
				}
			}
			d := newDetector(t, m, s)
			img := noise(image.Rect(0, 0, 320, 180), image.YCbCrSubsampleRatio420, 1)
			var dst []Detection
			find := func() {
				var err error
				if dst, err = d.Detect(context.Background(), Whole(img), dst[:0]); err != nil {
					t.Fatal(err)
				}
			}
			find()
			if len(dst) == 0 {
				t.Fatal("nothing found: the test says nothing")
			}
			if n := testing.AllocsPerRun(50, find); n != 0 {
				t.Errorf("%v allocations a look, want 0", n)
			}
		})
	}
}
