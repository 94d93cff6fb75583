//go:build cgo

package onnx_test

import (
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gadeblik/inference"
	"gadeblik/inference/catalogue"
	"gadeblik/inference/onnx"
)

// open is the library of this process; a second Open is a test of its own.
var open = sync.OnceValues(func() (*onnx.Runtime, error) {
	lib, err := onnx.Find("")
	if err != nil {
		return nil, err
	}
	return onnx.Open(lib)
})

func library(t testing.TB) *onnx.Runtime {
	t.Helper()
	if _, err := onnx.Find(""); err != nil {
		t.Skip(err)
	}
	r, err := open()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// shared is a path in the folder of test data beside the repository.
func shared(t testing.TB, elem ...string) string {
	t.Helper()
	root := os.Getenv("GADEBLIK_SHARED")
	if root == "" {
		dir, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		root = filepath.Join(dir, "..", "..", "..", "shared")
	}
	path := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skip("no test data: ", err)
	}
	return path
}

func picture(t testing.TB, path string) *image.YCbCr {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := jpeg.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img.(*image.YCbCr)
}

// manifest is that of a model that is built in, or else lies beside the repository.
func manifest(t testing.TB, name string) inference.Manifest {
	t.Helper()
	m, err := catalogue.Load("", name)
	if err != nil {
		m, err = catalogue.Load(shared(t, "models"), name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func session(t testing.TB, m inference.Manifest) *onnx.Session {
	t.Helper()
	r := library(t)
	data, err := m.Read()
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Load(m, data, 2)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func detector(t testing.TB, name string) *inference.Detector {
	t.Helper()
	return detectorOf(t, manifest(t, name))
}

func detectorOf(t testing.TB, m inference.Manifest) *inference.Detector {
	t.Helper()
	d, err := inference.NewDetector(m, session(t, m))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func detect(t testing.TB, d *inference.Detector, img *image.YCbCr) []inference.Detection {
	t.Helper()
	dets, err := d.Detect(context.Background(), inference.Whole(img), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, det := range dets {
		if det.Box.Empty() || !det.Box.In(img.Rect) {
			t.Errorf("%s: box %v is not inside %v", det.Label, det.Box, img.Rect)
		}
	}
	return dets
}

func count(dets []inference.Detection, label string) int {
	n := 0
	for _, d := range dets {
		if d.Label == label {
			n++
		}
	}
	return n
}

func TestCrossing(t *testing.T) {
	for _, c := range []struct {
		model, label string
		least        int
	}{
		{"yolox_nano", "person", 8},
		{"yolox_nano_960x544", "person", 14},
		{"yolox_nano_container", "person", 10},
		{"lwpd_person", "person", 5},
		{"yunet_n", "face", 12},
		{"yunet_n_1280x736", "face", 15},
		{"yunet_n_640x640", "face", 12},
		{"yunet_s_1280x736", "face", 15},
	} {
		t.Run(c.model, func(t *testing.T) {
			path := shared(t, "images", "street", "city_crossing.jpg")
			dets := detect(t, detector(t, c.model), picture(t, path))
			n := count(dets, c.label)
			t.Logf("%d of label %s, %d in all", n, c.label, len(dets))
			if n < c.least {
				t.Errorf("%d of label %s, want at least %d", n, c.label, c.least)
			}
		})
	}
}

// truth is a file of annotations.
type truth struct {
	Images []struct {
		File    string
		Objects []struct {
			Label string
			Box   [4]int
		}
	}
}

func annotations(t *testing.T, name string) truth {
	t.Helper()
	raw, err := os.ReadFile(shared(t, "annotations", name))
	if err != nil {
		t.Fatal(err)
	}
	var a truth
	if err := json.Unmarshal(raw, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// tally compares detections with annotations over many pictures.
type tally struct{ pictures, objects, found, covered, boxes int }

func (a truth) measure(t *testing.T, d *inference.Detector, label string, use func(file string) bool) tally {
	t.Helper()
	var n tally
	for _, img := range a.Images {
		if !use(img.File) {
			continue
		}
		dets := detect(t, d, picture(t, shared(t, filepath.FromSlash(img.File))))
		n.pictures++
		n.boxes += count(dets, label)
		for _, o := range img.Objects {
			if o.Label != label {
				continue
			}
			n.objects++
			best, cover := match(image.Rect(o.Box[0], o.Box[1], o.Box[2], o.Box[3]), dets, label)
			if best >= 0.3 {
				n.found++
			}
			if cover >= 0.8 {
				n.covered++
			}
		}
	}
	return n
}

// match is the best intersection over union, and the largest part of the object under one box.
func match(object image.Rectangle, dets []inference.Detection, label string) (iou, cover float64) {
	area := func(r image.Rectangle) float64 { return float64(r.Dx()) * float64(r.Dy()) }
	for _, d := range dets {
		if d.Label != label {
			continue
		}
		in := area(d.Box.Intersect(object))
		iou = max(iou, in/(area(d.Box)+area(object)-in))
		cover = max(cover, in/area(object))
	}
	return iou, cover
}

func TestPlatesOfADrive(t *testing.T) {
	if testing.Short() {
		t.Skip("28 pictures at 1280x736 take a while")
	}
	a := annotations(t, "romania_plates.json")
	n := a.measure(t, detector(t, "en_PP-OCRv3_det"), "plate", func(file string) bool {
		return filepath.Dir(filepath.FromSlash(file)) == filepath.Join("drives", "romania_day003", "frames")
	})
	t.Logf("%+v", n)
	if n.objects == 0 || float64(n.found) < 0.85*float64(n.objects) {
		t.Errorf("found %d of %d plates, want 85 %%", n.found, n.objects)
	}
}

func TestFacesOfPhotos(t *testing.T) {
	a := annotations(t, "faces.json")
	n := a.measure(t, detector(t, "yunet_n_1280x736"), "face", func(string) bool { return true })
	t.Logf("%+v", n)
	if n.objects == 0 || n.found < n.objects {
		t.Errorf("found %d of %d faces, want all", n.found, n.objects)
	}
}

func TestContainersOfPhotos(t *testing.T) {
	a := annotations(t, "amsterdam_containers.json")
	seen := 0
	n := a.measure(t, detector(t, "yolox_nano_container_640x640"), "container", func(string) bool {
		seen++
		return seen%4 == 0 // a quarter of the photos says enough
	})
	t.Logf("%+v", n)
	if n.objects == 0 || float64(n.found) < 0.8*float64(n.objects) {
		t.Errorf("found %d of %d containers, want 80 %%", n.found, n.objects)
	}
}

func TestDeadlineEndsARun(t *testing.T) {
	m := manifest(t, catalogue.Privacy)
	s := session(t, m)
	defer s.Close()
	whole := time.Hour
	for range 5 {
		start := time.Now()
		if err := s.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		whole = min(whole, time.Since(start))
	}
	// A timer on a busy machine can come after the run that it should end.
	ctx, err := context.Background(), error(nil)
	for try := 0; err == nil && try < 20; try++ {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.Background(), whole/4)
		defer cancel()
		start := time.Now()
		err = s.Run(ctx)
		t.Logf("whole run %v, ended after %v", whole, time.Since(start))
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v, want the deadline", err)
	}
	if got, want := err.Error(), "run model gadeblik_privacy: context deadline exceeded"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := s.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("second run with an ended context: got %v", err)
	}
	if err := s.Run(context.Background()); err != nil {
		t.Errorf("run after one that was ended: %v", err)
	}
}
