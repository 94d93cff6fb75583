package blur

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scene is a street without a street: a smooth light, and texture on it.
func scene(w, h, texture int) *image.YCbCr {
	img := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	for y := range h {
		for x := range w {
			v := 120 + 60*math.Sin(float64(x)/70) + 40*math.Cos(float64(y)/50)
			noise := (x*7919+y*104729)*2654435761>>13&0xff - 128
			img.Y[img.YOffset(x, y)] = uint8(min(max(int(v)+noise*texture/128, 0), 255))
			img.Cb[img.COffset(x, y)] = uint8(110 + 30*x/w)
			img.Cr[img.COffset(x, y)] = uint8(120 + 20*y/h)
		}
	}
	return img
}

func TestRegions(t *testing.T) {
	for _, tt := range []struct {
		name   string
		ratio  image.YCbCrSubsampleRatio
		margin float64
		box    image.Rectangle
		want   image.Rectangle
	}{
		{"one MCU at least", image.YCbCrSubsampleRatio420, 0, image.Rect(100, 100, 110, 110), image.Rect(80, 80, 128, 128)},
		{"12 % where that is more", image.YCbCrSubsampleRatio420, 0, image.Rect(160, 160, 360, 320), image.Rect(128, 128, 384, 352)},
		{"margin of the request", image.YCbCrSubsampleRatio420, 0.5, image.Rect(160, 160, 260, 260), image.Rect(96, 96, 320, 320)},
		{"aligned already", image.YCbCrSubsampleRatio444, 0, image.Rect(32, 32, 48, 48), image.Rect(16, 16, 64, 64)},
		{"wide chroma blocks", image.YCbCrSubsampleRatio411, 0, image.Rect(100, 100, 110, 110), image.Rect(64, 80, 160, 128)},
		{"over the corner", image.YCbCrSubsampleRatio420, 0, image.Rect(-20, -20, 5, 5), image.Rect(0, 0, 32, 32)},
		{"at the odd border", image.YCbCrSubsampleRatio420, 0, image.Rect(640, 480, 700, 700), image.Rect(624, 448, 650, 490)},
		{"margin of what is out of sight", image.YCbCrSubsampleRatio420, 0.25, image.Rect(-160, 0, 40, 100), image.Rect(0, 0, 96, 128)},
		{"everything", image.YCbCrSubsampleRatio420, 0, image.Rect(math.MinInt, math.MinInt, math.MaxInt, math.MaxInt), image.Rect(0, 0, 650, 490)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, image.NewYCbCr(image.Rect(0, 0, 650, 490), tt.ratio))
			m := redacted(t, s, Request{Regions: []Region{{Face, tt.box}}, Margin: tt.margin, Context: Full})
			if diff := cmp.Diff([]Region{{Face, tt.want}}, m.Regions()); diff != "" {
				t.Errorf("regions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCrop(t *testing.T) {
	s := open(t, scene(650, 490, 20))
	m := redacted(t, s, Request{
		Keep:    image.Rect(200, 200, 300, 300),
		Context: Crop,
		Regions: []Region{
			{Plate, image.Rect(210, 250, 230, 260)},  // inside
			{Face, image.Rect(320, 300, 360, 340)},   // cut by the crop
			{Person, image.Rect(500, 100, 600, 400)}, // cut off
		},
	})
	if want := image.Rect(0, 0, 144, 144); m.Bounds() != want {
		t.Errorf("bounds %v, want %v", m.Bounds(), want)
	}
	if want := image.Pt(176, 176); m.Offset() != want {
		t.Errorf("offset %v, want %v", m.Offset(), want)
	}
	want := []Region{
		{Plate, image.Rect(16, 48, 80, 112)},
		{Face, image.Rect(128, 96, 144, 144)},
	}
	if diff := cmp.Diff(want, m.Regions()); diff != "" {
		t.Errorf("regions (-want +got):\n%s", diff)
	}
	if got := decoded(t, m).Bounds(); got != m.Bounds() {
		t.Errorf("decoded bounds %v, want %v", got, m.Bounds())
	}
	full := redacted(t, s, Request{Keep: image.Rect(1, 1, 2, 2), Context: Full})
	if full.Bounds() != s.Bounds() || full.Offset() != (image.Point{}) {
		t.Errorf("full: bounds %v at %v, want all of %v", full.Bounds(), full.Offset(), s.Bounds())
	}
}

func TestRedactRefuses(t *testing.T) {
	closed := open(t, scene(64, 64, 0))
	closed.Close()
	box := image.Rect(10, 10, 20, 20)
	for _, tt := range []struct {
		name string
		s    *Source
		r    Request
		want string
	}{
		{"no source", nil, Request{}, "redact: the source is closed"},
		{"zero source", &Source{}, Request{}, "redact: the source is closed"},
		{"closed source", closed, Request{}, "redact: the source is closed"},
		{"margin below", nil, Request{Margin: -0.1}, "redact: margin -0.1: want 0 (for 0.12) or up to 2"},
		{"margin above", nil, Request{Margin: 2.5}, "redact: margin 2.5: want 0 (for 0.12) or up to 2"},
		{"margin not a number", nil, Request{Margin: math.NaN()}, "redact: margin NaN: want 0 (for 0.12) or up to 2"},
		{"fill", nil, Request{Fill: 7}, "redact: unknown fill Fill(7)"},
		{"context", nil, Request{Context: 9}, "redact: unknown context Context(9)"},
		{"empty region", nil, Request{Regions: []Region{{Face, box}, {Plate, image.Rect(5, 5, 5, 9)}}},
			"redact: region 1 (plate): box (5,5)-(5,9) is empty"},
		{"inverted region", nil, Request{Regions: []Region{{Face, image.Rectangle{box.Max, box.Min}}}},
			"redact: region 0 (face): box (20,20)-(10,10) is empty"},
		{"region elsewhere", nil, Request{Regions: []Region{{Person, image.Rect(64, 0, 90, 20)}}},
			"redact: region 0 (person): box (64,0)-(90,20) lies outside the picture of 64x64"},
		{"crop of nothing", nil, Request{Context: Crop}, "redact: crop: keep (0,0)-(0,0) is empty"},
		{"keep elsewhere", nil, Request{Keep: box.Add(image.Pt(0, 100))},
			"redact: keep (10,110)-(20,120) lies outside the picture of 64x64"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.s
			if s == nil && tt.name != "no source" {
				s = open(t, scene(64, 64, 0))
			}
			m, err := Redact(context.Background(), s, tt.r)
			if m != nil || err == nil || err.Error() != tt.want {
				t.Errorf("Redact = %v, %v; want no image and %q", m, err, tt.want)
			}
		})
	}
}

// countdown is a context that ends after it was looked at so many times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.DeadlineExceeded
	}
	return nil
}

func TestRedactDeadline(t *testing.T) {
	r := Request{Regions: []Region{{Face, image.Rect(10, 10, 30, 30)}, {Face, image.Rect(100, 10, 120, 30)}}}
	s := open(t, scene(160, 120, 20))
	want := redacted(t, open(t, scene(160, 120, 20)), r).JPEG()
	for looks := 0; ; looks++ {
		m, err := Redact(&countdown{context.Background(), looks}, s, r)
		if err == nil {
			// The start, each patch, each coarse plane, and after the last byte.
			if looks != 1+2+3+1 {
				t.Errorf("the context was looked at %d times, want 7", looks)
			}
			if !bytes.Equal(m.JPEG(), want) {
				t.Error("after broken attempts the image differs from that of a fresh source")
			}
			return
		}
		if m != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("ended at look %d: %v, %v; want no image and the deadline", looks, m, err)
		}
	}
}

// A source can be redacted many times: what an earlier request showed or
// filled must not be left in a later image.
func TestRedactAgain(t *testing.T) {
	requests := []Request{
		{Context: Full},
		{Context: Full, Regions: []Region{{Face, image.Rect(10, 10, 60, 60)}}},
		{Context: Full, Regions: []Region{{Person, image.Rect(50, 30, 150, 118)}, {Face, image.Rect(0, 0, 20, 20)}}},
		{Regions: []Region{{Face, image.Rect(0, 0, 160, 120)}}},
		{Context: Crop, Keep: image.Rect(40, 40, 80, 80), Fill: Solid, Regions: []Region{{Plate, image.Rect(50, 50, 60, 60)}}},
		{Context: Full, Regions: []Region{{Face, image.Rect(10, 10, 60, 60)}}},
	}
	s := open(t, scene(160, 120, 40))
	for i, r := range requests {
		got := redacted(t, s, r)
		want := redacted(t, open(t, scene(160, 120, 40)), r)
		if !bytes.Equal(got.JPEG(), want.JPEG()) {
			t.Errorf("request %d: differs from that of a fresh source", i)
		}
	}
	if diff := cmp.Diff(scene(160, 120, 40), wholeOf(t, s)); diff != "" {
		t.Error("the source has changed")
	}
}

// Of a JPEG every sample outside the regions stays what it was. A frame that was
// not compressed has to be.
func TestKeepsTheOutside(t *testing.T) {
	img := scene(203, 149, 10)
	file := coded(t, img)
	was, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	r := Request{Context: Full, Regions: []Region{{Face, image.Rect(60, 60, 90, 90)}}}
	for _, tt := range []struct {
		name      string
		s         *Source
		want      *image.YCbCr
		tolerance int
	}{
		{"JPEG", openJPEG(t, file), was.(*image.YCbCr), 0},
		{"frame", open(t, img), img, 16},
	} {
		m := redacted(t, tt.s, r)
		out, hidden := decoded(t, m), coverage{m.Regions()[0].Box}
		for y := range 149 {
			for x := range 203 {
				a, b := tt.want.YCbCrAt(x, y), out.YCbCrAt(x, y)
				if !hidden.at(x, y) && (far(a.Y, b.Y, tt.tolerance) || far(a.Cb, b.Cb, tt.tolerance) || far(a.Cr, b.Cr, tt.tolerance)) {
					t.Fatalf("%s at (%d,%d): %v, want %v", tt.name, x, y, b, a)
				}
			}
		}
	}
}

// With the coarse context the kept object is sharp and nothing else is.
func TestCoarse(t *testing.T) {
	img := image.NewYCbCr(image.Rect(0, 0, 400, 330), image.YCbCrSubsampleRatio420)
	for i := range img.Y {
		img.Y[i] = uint8(i % 2 * 255) // columns of black and white
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = 128, 128
	}
	keep := image.Rect(96, 96, 192, 160)
	m := redacted(t, open(t, img), Request{Keep: keep.Inset(16)})
	out := decoded(t, m)
	for y := range 330 {
		for x := range 400 {
			want := uint8(128)
			if image.Pt(x, y).In(keep) {
				want = img.Y[img.YOffset(x, y)]
			}
			if got := out.YCbCrAt(x, y).Y; far(got, want, 2) {
				t.Fatalf("at (%d,%d): %d, want %d", x, y, got, want)
			}
		}
	}
	if got := decoded(t, redacted(t, open(t, img), Request{})).YCbCrAt(100, 100).Y; far(got, 128, 1) {
		t.Errorf("without Keep (100,100) is %d, want the mean of 128", got)
	}
}

// The cells are no smaller than they must be, and cover everything once.
func TestCoarseCells(t *testing.T) {
	for _, footprint := range []int{8, 16, 32} {
		for side := 1; side < 500; side++ {
			a := axisOf(ceilDiv(side, footprint), side, footprint)
			least := min(coarseCell, side)
			for i := range a.n {
				from, to := a.edge(i)*footprint, min(a.edge(i+1)*footprint, side)
				if to-from < least || to-from >= 2*(coarseCell+footprint) {
					t.Errorf("side %d: cell %d of %d has %d pixels", side, i, a.n, to-from)
				}
			}
			if a.edge(a.n) != a.blocks {
				t.Errorf("side %d: the cells end at block %d of %d", side, a.edge(a.n), a.blocks)
			}
		}
	}
}

// Between the centres of the cells the means are joined by straight lines.
func TestCoarseIsSmooth(t *testing.T) {
	img := image.NewYCbCr(image.Rect(0, 0, 192, 96), image.YCbCrSubsampleRatio444)
	for y := range 96 {
		for x := range 192 {
			img.Y[y*img.YStride+x] = uint8(40 + x) // means 63.5, 111.5, 159.5, 207.5
		}
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = 128, 128
	}
	out := decoded(t, redacted(t, open(t, img), Request{}))
	for x := range 192 {
		want := 40 + min(max(x, 24), 168)
		if got := out.Y[out.YOffset(x, 50)]; far(got, uint8(want), 4) { // the bends are rounded
			t.Errorf("at %d: %d, want %d", x, got, want)
		}
	}
}

func TestContext(t *testing.T) {
	for _, c := range []Context{Coarse, Crop, Full} {
		if got, err := ParseContext(c.String()); got != c || err != nil {
			t.Errorf("ParseContext(%q) = %v, %v", c, got, err)
		}
	}
	want := `context "blurred": want coarse, crop or full`
	if _, err := ParseContext("blurred"); err == nil || err.Error() != want {
		t.Errorf("ParseContext: %v, want %s", err, want)
	}
	if got := Veil.String() + " " + Solid.String(); got != "veil solid" {
		t.Errorf("fills are called %q", got)
	}
}

func TestZeroImage(t *testing.T) {
	var m Image
	if m.JPEG() != nil || !m.Bounds().Empty() || m.Regions() != nil {
		t.Errorf("zero Image: JPEG %v, bounds %v, regions %v", m.JPEG(), m.Bounds(), m.Regions())
	}
}

// What a caller does to the answers does not reach the image.
func TestImageIsImmutable(t *testing.T) {
	m := redacted(t, open(t, scene(64, 64, 0)), Request{Context: Full, Regions: []Region{{Face, image.Rect(1, 1, 9, 9)}}})
	want := m.JPEG()
	clear(m.JPEG())
	m.Regions()[0].Box = image.Rectangle{}
	if !bytes.Equal(m.JPEG(), want) || m.Regions()[0].Box.Empty() {
		t.Error("the image changed")
	}
}

func decoded(t testing.TB, m *Image) *image.YCbCr {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(m.JPEG()))
	if err != nil {
		t.Fatal(err)
	}
	if g, ok := img.(*image.Gray); ok {
		return fromGray(g)
	}
	return img.(*image.YCbCr)
}

func far(a, b uint8, tolerance int) bool {
	d := int(a) - int(b)
	return d > tolerance || -d > tolerance
}

// An image that is given away makes room for the next: its memory is used, and what was copied from it
// stays as it was.
func TestRedactInto(t *testing.T) {
	src := open(t, scene(160, 96, 0))
	request := func(x int) Request {
		return Request{Regions: []Region{{Face, image.Rect(x, 16, x+48, 64)}}, Context: Full}
	}
	want := redacted(t, src, request(80)).JPEG()
	first := redacted(t, src, request(16))
	again := request(16)
	again.Into = first
	first = redacted(t, src, again) // of the memory that is needed while it is made
	kept, memory := first.JPEG(), &first.jpeg[0]
	before := bytes.Clone(kept)
	r := request(80)
	r.Into = first
	got := redacted(t, src, r)
	if got != first || !bytes.Equal(got.JPEG(), want) {
		t.Error("the image given away is not the new one")
	}
	if &got.jpeg[0] != memory {
		t.Error("its memory is not used")
	}
	if !bytes.Equal(kept, before) {
		t.Error("a copy of the image before changed")
	}
	r.Regions[0].Box = image.Rect(500, 500, 600, 600) // misses the picture
	if _, err := Redact(t.Context(), src, r); err == nil || got.JPEG() != nil || !got.Bounds().Empty() {
		t.Errorf("error %v, image %v: want an error and an empty image", err, got.Bounds())
	}
}
