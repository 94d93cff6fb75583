package blur

import (
	"bytes"
	"encoding/json"
	"image"
	"os"
	"path/filepath"
	"testing"
)

// shared returns the folder of real pictures, which lies beside the checkout.
func shared(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("GADEBLIK_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	if _, err := os.Stat(filepath.Join(dir, "images")); err != nil {
		t.Skip("no real pictures: set GADEBLIK_SHARED to the folder that holds images/ and annotations/")
	}
	return dir
}

// Real pictures of people: any of the faces could stand in for any other.
func TestRealFaces(t *testing.T) {
	dir := shared(t)
	data, err := os.ReadFile(filepath.Join(dir, "annotations", "faces.json"))
	if err != nil {
		t.Skip(err)
	}
	var faces struct {
		Images []struct {
			File    string
			Objects []struct{ Box [4]int }
		}
	}
	if err := json.Unmarshal(data, &faces); err != nil {
		t.Fatal(err)
	}
	for _, picture := range faces.Images {
		var boxes []image.Rectangle
		for _, o := range picture.Objects {
			boxes = append(boxes, image.Rect(o.Box[0], o.Box[1], o.Box[2], o.Box[3]))
		}
		data, err := os.ReadFile(filepath.Join(dir, picture.File))
		if err != nil {
			t.Fatal(err)
		}
		var regions []Region
		for _, b := range boxes {
			regions = append(regions, Region{Face, b})
		}
		// A frame of a camera that does not compress, and the file of one that does.
		img := *wholeOf(t, openJPEG(t, data))
		other := clone(&img)
		mirrorInside(other, boxes)
		file := coded(t, &img)
		changed := coded(t, other)
		if bytes.Equal(file, changed) {
			t.Fatal("nothing was changed: the test proves nothing")
		}
		for _, c := range []Context{Coarse, Crop, Full} {
			for _, f := range []Fill{Veil, Solid} {
				r := Request{Regions: regions, Fill: f, Context: c, Keep: boxes[0].Inset(-40)}
				sameImages(t, open(t, &img), open(t, other), r)
				sameImages(t, openJPEG(t, file), openJPEG(t, changed), r)
			}
		}
	}
}

// mirrorInside turns each box upside down.
func mirrorInside(img *image.YCbCr, boxes []image.Rectangle) {
	for _, b := range boxes {
		for y := range b.Dy() / 2 {
			i, j := img.YOffset(b.Min.X, b.Min.Y+y), img.YOffset(b.Min.X, b.Max.Y-1-y)
			upper, lower := img.Y[i:i+b.Dx()], bytes.Clone(img.Y[j:j+b.Dx()])
			copy(img.Y[j:], upper)
			copy(upper, lower)
		}
	}
}

// A sample of every set of real pictures opens, and its images decode.
func TestRealPictures(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(t), "images", "*", "*.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range files {
		if i%40 != 0 && filepath.Base(filepath.Dir(file)) != "street" {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(data)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		b := s.Bounds()
		box := image.Rect(b.Dx()/3, b.Dy()/3, b.Dx()/2, b.Dy())
		m := redacted(t, s, Request{Regions: []Region{{Person, box}}, Keep: box})
		if got := decoded(t, m).Rect; got != b {
			t.Errorf("%s: image of %v, want %v", filepath.Base(file), got, b)
		}
		if got := markers(t, m.JPEG()); got != wantMarkers {
			t.Errorf("%s: segments %q, want %q", filepath.Base(file), got, wantMarkers)
		}
		s.Close()
	}
}
