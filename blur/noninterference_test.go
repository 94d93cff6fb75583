package blur

import (
	"bytes"
	"context"
	"image"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gadeblik/blur/scan"
	"gadeblik/blur/scan/scantest"
)

var ratios = []image.YCbCrSubsampleRatio{
	image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
	image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
}

// TestNonInterferenceFrames is the promise of the package, for frames.
func TestNonInterferenceFrames(t *testing.T) { rapid.Check(t, frameProperty) }

// TestNonInterferenceJPEG is the promise of the package, for files.
func TestNonInterferenceJPEG(t *testing.T) { rapid.Check(t, fileProperty) }

func FuzzNonInterferenceFrames(f *testing.F) { f.Fuzz(rapid.MakeFuzz(frameProperty)) }

func FuzzNonInterferenceJPEG(f *testing.F) { f.Fuzz(rapid.MakeFuzz(fileProperty)) }

// TestNonInterferenceNeighbours has what chance seldom draws: large patches
// with one MCU between them, side by side and one in the elbow of the other.
// Neither may be filled from what the other hides, not even on the coarse
// levels of the veil, where one cell covers both.
func TestNonInterferenceNeighbours(t *testing.T) {
	frame := func(inside uint8, hidden coverage) *image.YCbCr {
		img := scene(960, 640, 20)
		for y := range 640 {
			for x := range 960 {
				if hidden.at(x, y) {
					img.Y[img.YOffset(x, y)] = inside
					img.Cb[img.COffset(x, y)], img.Cr[img.COffset(x, y)] = inside, 255-inside
				}
			}
		}
		return img
	}
	for name, boxes := range map[string][]image.Rectangle{
		"side by side": {image.Rect(48, 48, 400, 592), image.Rect(448, 48, 912, 592)},
		"elbow": {
			image.Rect(48, 48, 368, 592), image.Rect(48, 368, 912, 592),
			image.Rect(416, 48, 912, 320),
		},
	} {
		r := Request{Context: Full, Margin: 0.001} // one MCU
		for _, b := range boxes {
			r.Regions = append(r.Regions, Region{Person, b})
		}
		hidden := hiddenBy(t, open(t, frame(0, nil)), r)
		all := open(t, frame(0, hidden))
		for i := range hidden {
			t.Run(name, func(t *testing.T) {
				sameImages(t, all, open(t, frame(255, hidden[i:i+1])), r)
			})
		}
	}
}

func frameProperty(t *rapid.T) {
	rnd := drawRandom(t)
	at := image.Pt(rapid.IntRange(0, 9).Draw(t, "x"), rapid.IntRange(0, 9).Draw(t, "y"))
	size := drawSize(t)
	img := image.NewYCbCr(image.Rectangle{Min: at, Max: at.Add(size)}, rapid.SampledFrom(ratios).Draw(t, "ratio"))
	for _, pix := range [][]uint8{img.Y, img.Cb, img.Cr} {
		for i := range pix {
			pix[i] = uint8(rnd(256))
		}
	}
	r := drawRequest(t, size)
	hidden := hiddenBy(t, open(t, img), r)

	other := clone(img)
	changed := changeInside(other, hidden, r.Regions, rnd)
	if len(r.Regions) > 0 && changed == 0 {
		t.Fatalf("nothing was changed inside %v: the test proves nothing", hidden)
	}
	sameImages(t, open(t, img), open(t, other), r)
}

func open(t rapid.TB, img *image.YCbCr) *Source {
	t.Helper()
	s, err := FromYCbCr(img)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// changeInside draws new values for the samples whose pixels are all hidden,
// and for those that saw any pixel of a box as it was asked for.
func changeInside(img *image.YCbCr, hidden coverage, asked []Region, rnd func(int) int) (changed int) {
	visible, touched := map[int]bool{}, map[int]bool{} // chroma samples, by offset
	b := img.Rect
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			at := image.Pt(x, y).Sub(b.Min)
			i := img.COffset(x, y)
			if touches(asked, image.Rectangle{at, at.Add(image.Pt(1, 1))}) {
				touched[i] = true
			}
			if !hidden.at(at.X, at.Y) {
				visible[i] = true
				continue
			}
			img.Y[img.YOffset(x, y)] = uint8(rnd(256))
			changed++
		}
	}
	for i := range img.Cb {
		if !visible[i] || touched[i] {
			img.Cb[i], img.Cr[i] = uint8(rnd(256)), uint8(rnd(256))
		}
	}
	return changed
}

func touches(asked []Region, r image.Rectangle) bool {
	for _, a := range asked {
		if a.Box.Overlaps(r) {
			return true
		}
	}
	return false
}

func fileProperty(t *rapid.T) {
	rnd := drawRandom(t)
	size := drawSize(t)
	p := scantest.New(size.X, size.Y, rapid.SampledFrom(scantest.Layouts()).Draw(t, "layout"))
	p.Progressive = rapid.Bool().Draw(t, "progressive")
	if !p.Progressive {
		p.Restart = rapid.IntRange(0, 5).Draw(t, "restart")
		p.Coding = scantest.Coding(rapid.IntRange(0, 2).Draw(t, "coding"))
	}
	if p.Coding == scantest.Without && p.Components[0].ID == 'R' {
		p.Coding = scantest.Standard // it is for the plain path, which needs tables
	}
	p.Scramble(rnd, func(image.Rectangle) bool { return true })
	r := drawRequest(t, size)
	hidden := hiddenBy(t, openJPEG(t, p.Bytes()), r)

	// A camera's encoder mixes what a block covers: all that saw a pixel of a box
	// as it was asked for may differ, and all of an MCU that is hidden, also what
	// of it lies beyond the border.
	mcu := p.Footprint(0, 0).Size()
	if n := len(p.Components); n > 1 {
		mcu = p.Footprint(n-1, 0).Size()
	}
	other := p.Clone()
	changed := other.Scramble(rnd, func(pixels image.Rectangle) bool {
		at := image.Pt(pixels.Min.X/mcu.X*mcu.X, pixels.Min.Y/mcu.Y*mcu.Y)
		whole := image.Rectangle{Min: at, Max: at.Add(mcu)}
		return touches(r.Regions, pixels) || hidden.whole(whole.Intersect(image.Rect(0, 0, p.W, p.H)))
	})
	if len(r.Regions) > 0 && changed == 0 {
		t.Fatalf("nothing was changed inside %v: the test proves nothing", hidden)
	}
	if rapid.Bool().Draw(t, "fitted tables") && !p.Progressive && p.Components[0].ID != 'R' {
		sameImages(t, openJPEG(t, fitted(t, p)), openJPEG(t, fitted(t, other)), r)
		return
	}
	tell(p)
	tell(other)
	sameImages(t, openJPEG(t, p.Bytes()), openJPEG(t, append(other.Bytes(), other.Bytes()...)), r)
}

// fitted is the file with Huffman tables that are made for it: they say something
// of all that it shows.
func fitted(t *rapid.T, p *scantest.Picture) []byte {
	p = p.Clone()
	p.Coding = scantest.Own
	var s scan.Picture
	if err := s.Open(p.Bytes()); err != nil {
		t.Fatal(err)
	}
	mcus := image.Rect(0, 0, ceilDiv(p.W, s.MCU().X), ceilDiv(p.H, s.MCU().Y))
	data, err := s.Splice(nil, scan.Edit{Keep: mcus, Gone: make([]bool, mcus.Dx()*mcus.Dy())})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// tell puts what a picture shows into all places where cameras and phones do.
func tell(p *scantest.Picture) {
	bare := p.Bytes()
	half := bare[len(bare)/2:]
	p.Meta = []scantest.Segment{
		{Marker: 0xfe, Data: half[:min(len(half), 60000)]},
		scantest.Exif(bare[:min(len(bare), 60000)]),
		{Marker: 0xe2, Data: half[:min(len(half), 60000)]},
		{Marker: 0xed, Data: []byte("Photoshop 3.0\x00 who was there")},
	}
}

func openJPEG(t rapid.TB, data []byte) *Source {
	t.Helper()
	s, err := Open(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sameImages fails unless both sources give the same result in every respect.
func sameImages(t rapid.TB, a, b *Source, r Request) {
	t.Helper()
	x, y := redacted(t, a, r), redacted(t, b, r)
	if !bytes.Equal(x.JPEG(), y.JPEG()) {
		t.Errorf("JPEGs of %d and %d bytes differ: the inside shows", len(x.JPEG()), len(y.JPEG()))
	}
	if diff := cmp.Diff(x.Regions(), y.Regions()); diff != "" {
		t.Errorf("regions differ (-a +b):\n%s", diff)
	}
	if x.Bounds() != y.Bounds() || x.Offset() != y.Offset() {
		t.Errorf("bounds %v at %v, and %v at %v", x.Bounds(), x.Offset(), y.Bounds(), y.Offset())
	}
	if got := markers(t, x.JPEG()); got != wantMarkers {
		t.Errorf("segments %q, want %q", got, wantMarkers)
	}
}

func redacted(t rapid.TB, s *Source, r Request) *Image {
	t.Helper()
	m, err := Redact(context.Background(), s, r)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// coverage is the set of the hidden pixels, kept apart from the code under test.
type coverage []image.Rectangle

// hiddenBy returns the regions that r applies, as told by the image with the
// full context, whose coordinates are those of the source.
func hiddenBy(t rapid.TB, s *Source, r Request) coverage {
	t.Helper()
	r.Context = Full
	var c coverage
	for _, region := range redacted(t, s, r).Regions() {
		c = append(c, region.Box)
	}
	return c
}

func (c coverage) at(x, y int) bool {
	for _, r := range c {
		if image.Pt(x, y).In(r) {
			return true
		}
	}
	return false
}

func (c coverage) whole(r image.Rectangle) bool {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if !c.at(x, y) {
				return false
			}
		}
	}
	return true
}

func drawRandom(t *rapid.T) func(n int) int {
	state := rapid.Uint64().Draw(t, "seed")
	return func(n int) int { // SplitMix64: drawing each sample would take rapid minutes
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return int((z ^ z>>31) % uint64(n))
	}
}

func drawSize(t *rapid.T) image.Point {
	return image.Pt(rapid.IntRange(1, 210).Draw(t, "width"), rapid.IntRange(1, 170).Draw(t, "height"))
}

// drawBox returns a box that overlaps the picture and may reach beyond it.
func drawBox(t *rapid.T, size image.Point) image.Rectangle {
	x := rapid.IntRange(-10, size.X-1).Draw(t, "box x")
	y := rapid.IntRange(-10, size.Y-1).Draw(t, "box y")
	w := rapid.IntRange(max(1, 1-x), max(12, size.X/2)).Draw(t, "box width")
	h := rapid.IntRange(max(1, 1-y), max(12, size.Y/2)).Draw(t, "box height")
	return image.Rect(x, y, x+w, y+h)
}

func drawRequest(t *rapid.T, size image.Point) Request {
	r := Request{
		Margin:  rapid.SampledFrom([]float64{0, 0.01, 0.3, 2}).Draw(t, "margin"),
		Context: Context(rapid.IntRange(0, 2).Draw(t, "context")),
		Fill:    Fill(rapid.IntRange(0, 1).Draw(t, "fill")),
	}
	for range rapid.IntRange(0, 4).Draw(t, "regions") {
		class := rapid.SampledFrom([]Class{Person, Face, Plate}).Draw(t, "class")
		r.Regions = append(r.Regions, Region{class, drawBox(t, size)})
	}
	if r.Context == Crop || rapid.Bool().Draw(t, "keep") {
		r.Keep = drawBox(t, size)
	}
	return r
}

const wantMarkers = "SOI DQT SOF0 DHT SOS EOI"

// markers lists the segments of a file and fails on anything between or after
// them. It knows only the segments an image may have.
func markers(t rapid.TB, data []byte) string {
	t.Helper()
	names := map[byte]string{0xdb: "DQT", 0xc0: "SOF0", 0xc4: "DHT", 0xda: "SOS"}
	if !bytes.HasPrefix(data, []byte{0xff, 0xd8}) {
		t.Fatalf("no SOI: % x", data[:min(4, len(data))])
	}
	list, at := "SOI", 2
	for at+4 <= len(data) {
		name := names[data[at+1]]
		if data[at] != 0xff || name == "" {
			t.Fatalf("after %s: unexpected % x", list, data[at:at+4])
		}
		list += " " + name
		at += 2 + int(data[at+2])<<8 + int(data[at+3])
		if name != "SOS" {
			continue
		}
		for at+1 < len(data) && (data[at] != 0xff || data[at+1] == 0) {
			at++
		}
	}
	if !bytes.Equal(data[min(at, len(data)):], []byte{0xff, 0xd9}) {
		t.Fatalf("after %s: want EOI and nothing more, got %d bytes", list, len(data)-at)
	}
	return list + " EOI"
}
