//go:build cgo

package onnx_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gadeblik/inference"
	"gadeblik/inference/catalogue"
	"gadeblik/inference/onnx"
)

func TestVersion(t *testing.T) {
	v := library(t).Version()
	if !strings.HasPrefix(v, "1.") {
		t.Errorf("version %q", v)
	}
	t.Log(v)
}

func TestOpenAgainIsTheSame(t *testing.T) {
	version := library(t).Version()
	r, err := onnx.Open("/does/not/matter/any/more")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Version(); got != version {
		t.Errorf("got version %s, want %s", got, version)
	}
}

func TestLoadRefuses(t *testing.T) {
	library(t)
	good := manifest(t, catalogue.Street)
	data, err := good.Read()
	if err != nil {
		t.Fatal(err)
	}
	sign := func(m inference.Manifest, data []byte) inference.Manifest {
		sum := sha256.Sum256(data)
		m.SHA256 = hex.EncodeToString(sum[:])
		return m
	}
	garbage := []byte(strings.Repeat("this is not a model. ", 100))
	with := func(change func(*inference.Manifest)) inference.Manifest {
		m := good
		change(&m)
		return m
	}
	for _, c := range []struct {
		name     string
		manifest inference.Manifest
		data     []byte
		want     string // how the error begins: the rest is the library's
	}{
		{"wrong hash", good, data[1:], "model gadeblik_street.onnx: sha256 "},
		{"garbage", sign(good, garbage), garbage, "load model gadeblik_street: "},
		{"nothing", sign(good, nil), nil, "load model gadeblik_street: "},
		{"cut short", sign(good, data[:len(data)/2]), data[:len(data)/2], "load model gadeblik_street: "},
		{"bad manifest", with(func(m *inference.Manifest) { m.Score = 0 }), data,
			"manifest of model gadeblik_street: score: must be between 0 and 1 (got 0)"},
		{"wrong input name", with(func(m *inference.Manifest) { m.Input.Name = "input" }), data,
			`load model gadeblik_street: input "input" is not in the model, which has "images"; correct the manifest`},
		{"wrong output name", with(func(m *inference.Manifest) { m.Output = "cls_8" }), data,
			`load model gadeblik_street: output "cls_8" is not in the model, which has "output"; correct the manifest`},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, c.manifest, c.data, c.want) })
	}
}

// What a model says of its own shapes is known of public ones only.
func TestLoadRefusesOtherShapes(t *testing.T) {
	open, fixed := manifest(t, "yunet_n"), manifest(t, "yunet_n_640x640")
	open.Decoder, open.Output = inference.DecoderYOLOX, "cls_8"
	fixed.Input.Width = 320
	for _, c := range []struct {
		manifest inference.Manifest
		want     string
	}{
		{open, `load model yunet_n: output "cls_8" is [-1 -1 1] in the model, manifest asks for [1 5040 6]; correct the manifest`},
		{fixed, `load model yunet_n_640x640: input "input" is [1 3 640 640] in the model, manifest asks for [1 3 640 320]; correct the manifest`},
	} {
		data, err := c.manifest.Read()
		if err != nil {
			t.Fatal(err)
		}
		refused(t, c.manifest, data, c.want)
	}
}

func refused(t *testing.T, m inference.Manifest, data []byte, want string) {
	t.Helper()
	s, err := library(t).Load(m, data, 1)
	if err == nil {
		s.Close()
		t.Fatal("loaded")
	}
	if !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got  %v\nwant %s…", err, want)
	}
	t.Log(err)
}

// What an open model gives shows only when it runs: Load must run it.
func TestLoadTriesTheModel(t *testing.T) {
	r := library(t)
	m := manifest(t, "yunet_n")
	data, err := m.Read()
	if err != nil {
		t.Fatal(err)
	}
	m.Task, m.Decoder, m.Output = inference.TaskObjects, inference.DecoderYOLOX, "kps_8"
	m.Classes = []string{"a", "b", "c", "d", "e"} // 5 and 5 fields are the 10 of the landmarks
	_, err = r.Load(m, data, 1)
	const want = "try model yunet_n at 640x384: onnxruntime says: "
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got  %v\nwant %s…", err, want)
	}
	t.Log(err)
}

func TestSession(t *testing.T) {
	m := manifest(t, catalogue.Street)
	s := session(t, m)
	in, out := m.Tensors()
	if got := len(s.Input()); got != in.Len() {
		t.Errorf("input has %d values, want %d", got, in.Len())
	}
	if got := len(s.Output(out[0].Name)); got != out[0].Len() {
		t.Errorf("output has %d values, want %d", got, out[0].Len())
	}
	if got := s.Output("other"); got != nil {
		t.Errorf("unknown output has %d values", len(got))
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	run := func() {
		if err := s.Run(ctx); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if n := testing.AllocsPerRun(5, run); n != 0 {
		t.Errorf("%v allocations a run, want 0", n)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := s.Run(ctx); err == nil || err.Error() != "run model gadeblik_street: the session is closed" {
		t.Errorf("run after close: %v", err)
	}
	if s.Input() != nil || s.Output(out[0].Name) != nil {
		t.Error("tensors after close")
	}
}

// A look with a real model allocates as little as one with a fake one.
func TestDetectDoesNotAllocate(t *testing.T) {
	d := detectorOf(t, eager(t, catalogue.Street))
	img := picture(t, frame(10))
	dst := detect(t, d, img)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	look := func() {
		var err error
		if dst, err = d.Detect(ctx, inference.Whole(img), dst[:0]); err != nil {
			t.Fatal(err)
		}
	}
	look()
	if n := testing.AllocsPerRun(5, look); n != 0 {
		t.Errorf("%v allocations a look, want 0", n)
	}
}

// eager is the manifest of a model that is to see things everywhere, whatever it has learnt.
func eager(t *testing.T, name string) inference.Manifest {
	t.Helper()
	m := manifest(t, name)
	m.Score, m.Scores = 1e-7, nil
	return m
}

// frame is the path of a picture of the bundled drive.
func frame(n int) string {
	all, err := filepath.Glob(filepath.Join("..", "..", "testdata", "drives", "demo", "frames", "*.jpg"))
	if err != nil || n >= len(all) {
		panic(fmt.Sprintf("%d frames: %v", len(all), err))
	}
	return all[n]
}

// The same picture gives the same detections, with another picture between and with another session.
func TestDetectIsRepeatable(t *testing.T) {
	img, m := picture(t, frame(10)), eager(t, catalogue.Privacy)
	first := detectorOf(t, m)
	want := detect(t, first, img)
	if len(want) == 0 {
		t.Fatal("it sees nothing: the test proves nothing")
	}
	detect(t, first, picture(t, frame(20)))
	for _, d := range []*inference.Detector{first, detectorOf(t, m)} {
		got := detect(t, d, img)
		if len(got) != len(want) {
			t.Fatalf("got %d detections, want %d", len(got), len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("detection %d: got %v, want %v", i, got[i], want[i])
			}
		}
	}
}

func BenchmarkDetect(b *testing.B) {
	for _, name := range []string{catalogue.Street, catalogue.Privacy, "yolox_nano_416x256", "yolox_nano_640x384", "yunet_n_1280x736", "en_PP-OCRv3_det"} {
		b.Run(name, func(b *testing.B) {
			d := detector(b, name)
			img := picture(b, frame(10))
			var dst []inference.Detection
			for b.Loop() {
				var err error
				if dst, err = d.Detect(context.Background(), inference.Whole(img), dst[:0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// child, in the environment of a process made from this test, is the library that it shall open.
const child = "GADEBLIK_TEST_OPEN"

// TestOpenInAnotherProcess is not a test: it is what openElsewhere runs.
func TestOpenInAnotherProcess(t *testing.T) {
	lib := os.Getenv(child)
	if lib == "" {
		t.Skip("runs in a process of its own")
	}
	_, err := onnx.Open(lib)
	fmt.Printf("<%v>", err)
}

// openElsewhere opens a library in a process that has none yet and returns the error's text.
func openElsewhere(t *testing.T, lib string) string {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestOpenInAnotherProcess$")
	c.Env = append(os.Environ(), child+"="+lib)
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, text, _ := strings.Cut(string(out), "<")
	text, _, _ = strings.Cut(text, ">")
	return text
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Run("no library", func(t *testing.T) {
		lib := write("empty.so", "nothing")
		got := openElsewhere(t, lib)
		if !strings.HasPrefix(got, "open onnxruntime "+lib+": onnxruntime says: ") || !strings.HasSuffix(got, "; the gadeblik package has one that fits, and so has `make deps` in a checkout") {
			t.Error(got)
		}
	})
	t.Run("an older one", func(t *testing.T) {
		cc, err := exec.LookPath("cc")
		if err != nil {
			t.Skip("no C compiler")
		}
		// A library that knows no API as new as the one asked for.
		src := write("old.c", `
static const void *get(unsigned version) { return 0; }
static const char *version(void) { return "1.23.2"; }
static const struct { const void *(*get)(unsigned); const char *(*version)(void); } base = { get, version };
const void *OrtGetApiBase(void) { return &base; }
`)
		lib := filepath.Join(dir, "old.so")
		if out, err := exec.Command(cc, "-shared", "-fPIC", "-o", lib, src).CombinedOutput(); err != nil {
			t.Skipf("cc: %v: %s", err, out)
		}
		want := "open onnxruntime " + lib + ": older than 1.24; the gadeblik package has one that fits, and so has `make deps` in a checkout"
		if got := openElsewhere(t, lib); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}
