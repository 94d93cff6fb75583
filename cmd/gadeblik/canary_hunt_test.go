package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	_ "image/gif"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gadeblik/blur/scan/scantest"
)

// unraced skips a test that correlates pictures, which takes ten times as long under
// the race detector; `make test` runs it without.
func unraced(t testing.TB) {
	t.Helper()
	if raced {
		t.Skip("with the race detector this takes minutes: run it without")
	}
}

// hunt searches what was written for a painted drive: byte by byte for pieces of its
// frames, compressed or not, and picture by picture for the canary.
type hunt struct {
	bytes  *traces
	canary *canary
	places []image.Rectangle // where any frame is painted
	// thorough is how many pictures of the frames' size are searched everywhere, which
	// takes a second each. Other pictures always are.
	thorough int
	frame    image.Point

	files, pictures, everywhere int
	inPlace, anywhere           find // the strongest, for the log
}

func newHunt(t testing.TB, drive string, s *sheet, thorough int) *hunt {
	t.Helper()
	h := &hunt{bytes: tracesOf(t, drive), canary: s.canary, thorough: thorough, frame: s.size}
	for _, f := range s.frames {
		h.places = append(h.places, boxesOf(f.places)...)
		h.bytes.addRows(f)
		h.bytes.addSecrets(t, f)
	}
	return h
}

// addSecrets takes the bytes of the MCUs that lie wholly in what is painted.
func (tr *traces) addSecrets(t testing.TB, f paintedFrame) {
	t.Helper()
	offsets, err := scantest.Offsets(f.jpeg)
	if err != nil {
		t.Fatal(err)
	}
	const mcu = 16 // of 4:2:0, which the painter's encoder writes
	across := (f.img.Rect.Dx() + mcu - 1) / mcu
	for _, p := range f.places {
		left, right := (p.box.Min.X+mcu-1)/mcu, p.box.Max.X/mcu
		for y := (p.box.Min.Y + mcu - 1) / mcu; y < p.box.Max.Y/mcu && left < right; y++ {
			// The first byte and the last may be shared with what is beside.
			piece := f.jpeg[offsets[y*across+left]+1 : offsets[y*across+right]]
			for at := 0; at+windowSize <= len(piece); at += windowSize {
				if w := piece[at : at+windowSize]; telling(w) {
					tr.keep(window{frame: f.name, bytes: w, secret: true})
				}
			}
		}
	}
}

// addRows takes pieces of rows of what is painted, as lumas, as RGB and as RGBA: a
// frame that was decoded and written without a format shows by them.
func (tr *traces) addRows(f paintedFrame) {
	for _, p := range f.places {
		// Off the edges, where a decoder that smooths chroma differs from another.
		for y := p.box.Min.Y + 2; y < p.box.Max.Y-2; y += 6 {
			var luma, rgb, rgba []byte
			for x := p.box.Min.X + 2; x < min(p.box.Max.X-2, p.box.Min.X+50); x++ {
				c := f.img.YCbCrAt(x, y)
				r, g, b, _ := c.RGBA()
				luma = append(luma, c.Y)
				rgb = append(rgb, byte(r>>8), byte(g>>8), byte(b>>8))
				rgba = append(rgba, byte(r>>8), byte(g>>8), byte(b>>8), 255)
			}
			for kind, row := range map[string][]byte{"lumas": luma, "RGB": rgb, "RGBA": rgba} {
				if len(luma) >= 24 && different(luma) >= 12 {
					tr.keep(window{frame: f.name, kind: kind, bytes: row[:min(len(row), windowSize)], secret: true})
				}
			}
		}
	}
}

// in returns everything of the frames that data holds.
func (h *hunt) in(data []byte) []string {
	h.files++
	var found []string
	if piece := h.bytes.in(data); piece != "" {
		found = append(found, piece)
	}
	const huge = 32 << 20
	if len(found) > 0 && len(data) > huge {
		return found // a core file, and that is enough
	}
	found = append(found, h.picturesIn(data)...)
	for _, text := range embedded.FindAll(data, -1) {
		inner, err := base64.StdEncoding.DecodeString(string(text[:len(text)/4*4]))
		if err != nil {
			continue
		}
		piece := h.bytes.in(inner)
		for _, what := range append(h.picturesIn(inner), piece) {
			if what != "" {
				found = append(found, "in Base64, "+what)
			}
		}
	}
	return found
}

// beginnings are those of the formats that pictures are kept in.
var beginnings = [...]string{"\xFF\xD8\xFF", "\x89PNG\r\n", "GIF8"}

// picturesIn looks at each picture that begins anywhere in data, also at one inside
// of another, as a thumbnail is.
func (h *hunt) picturesIn(data []byte) []string {
	var found []string
	for _, begin := range beginnings {
		for at := 0; ; at++ {
			i := bytes.Index(data[at:], []byte(begin))
			if i < 0 {
				break
			}
			at += i
			img, format, err := image.Decode(bytes.NewReader(data[at:]))
			if err != nil {
				continue
			}
			if f := h.look(grayOf(img)); f != "" {
				found = append(found, fmt.Sprintf("the canary in a %s of %v at byte %d: %s", format, img.Bounds().Size(), at, f))
			}
		}
	}
	return found
}

// look searches one picture.
func (h *hunt) look(g *image.Gray) string {
	h.pictures++
	whole := g.Rect.Size() == h.frame
	if whole {
		f := h.canary.inPlace(g, h.places)
		h.inPlace = stronger(h.inPlace, f)
		if f.strength() >= strongInPlace {
			return "where it was painted, " + f.String()
		}
	}
	if g.Rect.Dx() < 16 || g.Rect.Dy() < 16 || whole && h.thorough <= 0 {
		return ""
	}
	if whole {
		h.thorough--
	}
	h.everywhere++
	for _, cell := range []float64{cellSize, cellSize * 3. / 4, cellSize / 2} {
		if whole && cell != cellSize {
			break // a smaller copy in a picture of full size: nobody makes one
		}
		f := h.canary.anywhere(g, cell)
		h.anywhere = stronger(h.anywhere, f)
		if f.strength() >= strongAnywhere {
			return fmt.Sprintf("at %.2f of its size, %s", cell/cellSize, f)
		}
	}
	return ""
}

func stronger(a, b find) find {
	if b.strength() > a.strength() {
		return b
	}
	return a
}

// folder searches every file below dir but those below skip, and returns what they
// hold.
func (h *hunt) folder(t testing.TB, dir string, skip ...string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if slices.Contains(skip, path) {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, what := range h.in(data) {
			found = append(found, path+" holds "+what)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (h *hunt) String() string {
	return fmt.Sprintf("%d files, %d pictures, %d of these everywhere; the most like the canary: in its places %v, anywhere %v",
		h.files, h.pictures, h.everywhere, h.inPlace, h.anywhere)
}

// TestTheCanaryIsFound asks whether the search finds what it is for. Without it, to
// find nothing would mean nothing.
func TestTheCanaryIsFound(t *testing.T) {
	unraced(t)
	if testing.Short() {
		t.Skip("takes seconds; run without -short")
	}
	street := streetPicture(t, 0)
	bird := newCanary(1)
	box := image.Rect(300, 150, 372, 290)
	painted := copyOf(street)
	bird.paint(painted, box, 10)
	frame := paintedFrame{name: "a.jpg", img: decoded(t, encoded(t, painted, 92)), places: []hole{{box: box}}}
	hunter := func() *hunt {
		h := &hunt{bytes: &traces{windows: map[uint64][]window{}}, canary: bird, places: []image.Rectangle{box}, thorough: 9, frame: street.Rect.Size()}
		h.bytes.add("a.jpg", encoded(t, painted, 92))
		h.bytes.addRows(frame)
		return h
	}
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", []byte("nothing at all, in a file that is longer than one window has bytes, and then some"), ""},
		{"the street without paint", encoded(t, street, 88), ""},
		{"another street", encoded(t, streetPicture(t, 30), 88), ""},
		{"another canary", encoded(t, paintedWith(newCanary(2), street, box, 24), 88), ""},
		{"coded again", encoded(t, painted, 70), "where it was painted"},
		{"in an unknown format", slices.Concat([]byte("\x00\x07head\xFF"), encoded(t, painted, 80), []byte("tail")), "where it was painted"},
		{"a part of it", encoded(t, cropped(painted, image.Rect(310, 130, 480, 300)), 88), "of its size"},
		{"smaller", pngOf(t, resized(grayOf(frame.img), 0.75)), "at 0.75 of its size"},
		{"half the size", pngOf(t, resized(grayOf(frame.img), 0.5)), "at 0.50 of its size"},
		{"in a page", []byte(`<img src="data:image/jpeg;base64,` + base64.StdEncoding.EncodeToString(encoded(t, painted, 80)) + `">`), "in Base64, the canary in a jpeg"},
		{"lumas", frame.img.Y, "bytes of the lumas of frame a.jpg"},
		{"RGB", rgbOf(frame.img), "bytes of the RGB of frame a.jpg"},
	} {
		h := hunter()
		found := h.in(tt.data)
		if tt.want == "" && len(found) > 0 || tt.want != "" && (len(found) == 0 || !bytes.Contains([]byte(found[0]), []byte(tt.want))) {
			t.Errorf("%s: found %q, want %q", tt.name, found, tt.want)
		}
		t.Logf("%s: %v", tt.name, h)
	}
}

func paintedWith(c *canary, img *image.YCbCr, box image.Rectangle, depth int) *image.YCbCr {
	out := copyOf(img)
	c.paint(out, box, depth)
	return out
}

// streetPicture is a part of a frame of the bundled drive.
func streetPicture(t testing.TB, n int) *image.YCbCr {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(repository(t), "testdata", "drives", "demo", "frames", "*.jpg"))
	if err != nil || n >= len(paths) {
		t.Fatalf("%d frames in the bundled drive (%v)", len(paths), err)
	}
	raw, err := os.ReadFile(paths[n])
	if err != nil {
		t.Fatal(err)
	}
	// The middle of it: correlation everywhere takes long.
	return decoded(t, encoded(t, decoded(t, raw).SubImage(image.Rect(200, 100, 760, 420)), 95))
}

// decoded returns a picture that begins at (0,0), as all JPEGs do.
func decoded(t testing.TB, raw []byte) *image.YCbCr {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	planes, ok := img.(*image.YCbCr)
	if !ok {
		t.Fatalf("a %T, want a picture in colour", img)
	}
	return planes
}

func encoded(t testing.TB, img image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func copyOf(img *image.YCbCr) *image.YCbCr {
	c := *img
	c.Y, c.Cb, c.Cr = slices.Clone(img.Y), slices.Clone(img.Cb), slices.Clone(img.Cr)
	return &c
}

// cropped begins at (0,0), unlike what SubImage gives.
func cropped(img *image.YCbCr, box image.Rectangle) *image.Gray {
	return grayOf(img.SubImage(box))
}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func rgbOf(img *image.YCbCr) []byte {
	var out []byte
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			r, g, b, _ := img.YCbCrAt(x, y).RGBA()
			out = append(out, byte(r>>8), byte(g>>8), byte(b>>8))
		}
	}
	return out
}
