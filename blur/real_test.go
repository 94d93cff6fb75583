package blur

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// TestEveryRealPicture redacts real pictures and finds every sample outside the
// regions as it was, in the eyes of the standard library and, where it is
// installed, of djpeg. REAL=all in the environment takes every picture there is,
// which takes minutes.
func TestEveryRealPicture(t *testing.T) {
	djpeg, err := exec.LookPath("djpeg")
	if err != nil {
		t.Log("no djpeg (libjpeg-turbo-progs): only image/jpeg judges")
	}
	step := 41
	if os.Getenv("REAL") == "all" {
		step = 1
	}
	var n, spliced int
	for i, file := range realFiles(t) {
		if i%step != 0 && !strings.Contains(file, filepath.Join("images", "street")) {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s := openJPEG(t, data)
		m := redacted(t, s, someRegions(s.Bounds(), i))
		n++
		if got := markers(t, m.JPEG()); got != wantMarkers {
			t.Errorf("%s: segments %q, want %q", filepath.Base(file), got, wantMarkers)
		}
		if s.plain.made() {
			if decoded(t, m).Rect != s.Bounds() {
				t.Errorf("%s: %v, want %v", filepath.Base(file), decoded(t, m).Rect, s.Bounds())
			}
			continue
		}
		spliced++
		if got := len(m.JPEG()); got > len(data) {
			t.Errorf("%s: %d bytes have become %d", filepath.Base(file), len(data), got)
		}
		before, after := pixels(t, data), pixels(t, m.JPEG())
		changed := changedOutside(m, before, after)
		if djpeg != "" {
			changed += changedOutside(m, byDjpeg(t, djpeg, data), byDjpeg(t, djpeg, m.JPEG()))
		}
		if changed > 0 {
			t.Errorf("%s: %d pixels outside the regions have changed", filepath.Base(file), changed)
		}
		s.Close()
	}
	t.Logf("%d pictures, %d of them spliced", n, spliced)
}

func realFiles(t *testing.T) []string {
	t.Helper()
	dir := shared(t)
	var files []string
	for _, pattern := range []string{"images/*/*.jpg", "drives/*/frames/*.jpg"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}

// someRegions are three boxes that depend on i, one over the border.
func someRegions(b image.Rectangle, i int) Request {
	w, h := b.Dx(), b.Dy()
	box := func(x, y, bw, bh int) Region {
		at := image.Pt(x%w, y%h)
		return Region{Face, image.Rectangle{at, at.Add(image.Pt(bw+1, bh+1))}}
	}
	return Request{Context: Full, Fill: Fill(i % 2), Regions: []Region{
		box(i*37, i*91, w/9, h/7), box(i*53+w/2, i*29+h/3, w/20, h/30), box(w-w/16, h-h/12, w/4, h/4),
	}}
}

// pixels decodes a picture.
func pixels(t *testing.T, data []byte) image.Image {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// byDjpeg decodes a picture with libjpeg-turbo, the chroma of each pixel from its
// own sample only: smooth chroma is made of neighbours, those inside a region too.
func byDjpeg(t *testing.T, djpeg string, data []byte) image.Image {
	t.Helper()
	c := exec.Command(djpeg, "-nosmooth", "-dct", "int", "-pnm")
	c.Stdin = bytes.NewReader(data)
	out, err := c.Output()
	if err != nil {
		t.Fatalf("djpeg: %v", err)
	}
	var w, h, most int
	var kind string
	if _, err := fmt.Fscan(bytes.NewReader(out), &kind, &w, &h, &most); err != nil {
		t.Fatal(err)
	}
	if kind == "P5" {
		return &image.Gray{Pix: out[len(out)-w*h:], Stride: w, Rect: image.Rect(0, 0, w, h)}
	}
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i, v := range out[len(out)-3*w*h:] {
		img.Pix[i/3*4+i%3] = v
	}
	return img
}

// changedOutside counts the pixels outside the regions that are not what they were.
func changedOutside(m *Image, before, after image.Image) (n int) {
	var hidden coverage
	for _, r := range m.Regions() {
		hidden = append(hidden, r.Box)
	}
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			if before.At(x, y) != after.At(x, y) && !hidden.at(x, y) {
				n++
			}
		}
	}
	return n
}
