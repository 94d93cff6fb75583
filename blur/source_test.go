package blur

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math"
	"strings"
	"testing"
)

// Every kind of file comes out as the planes that package image/jpeg sees.
func TestOpenFormats(t *testing.T) {
	for _, l := range layouts {
		for _, progressive := range []bool{false, true} {
			p := newPicture(83, 61, l)
			p.progressive = progressive
			state := 1
			p.scramble(func(n int) int {
				state = state * 1103515245 & 0x7fffffff
				return state >> 8 % n
			}, func(image.Rectangle) bool { return true })
			s := openJPEG(t, p.bytes())
			want, err := jpeg.Decode(bytes.NewReader(p.bytes()))
			if err != nil {
				t.Fatal(err)
			}
			if s.Bounds() != image.Rect(0, 0, 83, 61) {
				t.Errorf("%s: bounds %v, want 83x61", l.name, s.Bounds())
			}
			samePixels(t, wholeOf(t, s), want)
		}
	}
}

// samePixels compares two pictures, wherever they begin.
func samePixels(t *testing.T, got *image.YCbCr, want image.Image) {
	t.Helper()
	if got.Rect.Size() != want.Bounds().Size() {
		t.Fatalf("size %v, want %v", got.Rect.Size(), want.Bounds().Size())
	}
	from, to := got.Rect.Min, want.Bounds().Min
	for y := range got.Rect.Dy() {
		for x := range got.Rect.Dx() {
			a, b := got.YCbCrAt(from.X+x, from.Y+y), color.YCbCrModel.Convert(want.At(to.X+x, to.Y+y))
			if a != b {
				t.Fatalf("at (%d,%d): %v, want %v", x, y, a, b)
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	whole := newPicture(64, 48, layouts[2]).bytes()
	size := func(w, h int) []byte {
		p := newPicture(8, 8, layouts[2])
		p.w, p.h = w, h
		return append(p.bytes(), make([]byte, 70000)...)
	}
	cut := func(marker byte) []byte { return whole[:bytes.Index(whole, []byte{0xff, marker})] }
	without := func(marker byte) []byte {
		i := bytes.Index(whole, []byte{0xff, marker})
		n := 2 + int(whole[i+2])<<8 + int(whole[i+3])
		return append(bytes.Clone(whole[:i]), whole[i+n:]...)
	}
	var cmyk bytes.Buffer
	p := newPicture(8, 8, layout{"CMYK", "\x01\x02\x03\x04", 1, 1})
	p.meta = []segment{{0xee, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")}}
	cmyk.Write(p.bytes())

	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "open JPEG: the file of 0 bytes ends before the picture: unexpected EOF"},
		{"another format", []byte("GIF89a"), "open JPEG: invalid JPEG format: missing SOI marker"},
		{"ends in the header", cut(0xc0), "open JPEG: the file of 71 bytes ends before the picture: unexpected EOF"},
		{"ends in the picture", whole[:len(whole)-4], "open JPEG: the file of 422 bytes ends early: unexpected EOF"},
		{"no end", whole[:len(whole)-2], "open JPEG: the file of 424 bytes ends early: unexpected EOF"},
		{"no tables", without(0xc4), "open JPEG: no Huffman tables (DHT): insert the standard ones first"},
		{"four components", cmyk.Bytes(), "open JPEG: four components (CMYK): convert the picture to YCbCr"},
		{"no height", size(10, 0), "open JPEG: picture of 10x0: each side must be 1 to 16384 pixels"},
		{"too wide", size(16385, 1), "open JPEG: picture of 16385x1: each side must be 1 to 16384 pixels"},
		{"too large", size(8000, 8000), "open JPEG: picture of 8000x8000: must be at most 33554432 pixels in all"},
		{"too little for its size", size(8000, 4000)[:4000], "open JPEG: the file of 4000 bytes cannot hold a picture of 8000x4000"},
		{"too many scans", append(bytes.Clone(whole), bytes.Repeat([]byte{0xff, 0xda}, 100)...),
			"open JPEG: 101 scans: must be at most 100"},
		{"too long", make([]byte, maxBytes+1), "open JPEG: file of 67108865 bytes: must be at most 67108864"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Open(tt.data)
			if s != nil || err == nil || err.Error() != tt.want {
				t.Errorf("Open = %v, %v; want %s", s, err, tt.want)
			}
			if early := strings.Contains(tt.want, "ends"); early != errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("io.ErrUnexpectedEOF is %v, want %v", !early, early)
			}
		})
	}
}

func TestFromYCbCrRefuses(t *testing.T) {
	frame := func(change func(*image.YCbCr)) *image.YCbCr {
		img := image.NewYCbCr(image.Rect(0, 0, 10, 10), image.YCbCrSubsampleRatio420)
		change(img)
		return img
	}
	for _, tt := range []struct {
		name string
		img  *image.YCbCr
		want string
	}{
		{"nil", nil, "open frame: frame is nil"},
		{"zero", &image.YCbCr{}, "open frame: picture of 0x0: each side must be 1 to 16384 pixels"},
		{"ratio", frame(func(i *image.YCbCr) { i.SubsampleRatio = 9 }), "open frame: unknown subsampling 9"},
		{"negative ratio", frame(func(i *image.YCbCr) { i.SubsampleRatio = -1 }), "open frame: unknown subsampling -1"},
		{"negative", frame(func(i *image.YCbCr) { i.Rect.Min.X = -3 }), "open frame: bounds (-3,0)-(10,10) begin below zero"},
		{"overflow", frame(func(i *image.YCbCr) { i.Rect = image.Rect(math.MinInt, 0, math.MaxInt, 5) }),
			"open frame: picture of -1x5: each side must be 1 to 16384 pixels"},
		{"short luma", frame(func(i *image.YCbCr) { i.Y = i.Y[:99] }),
			"open frame: Y plane: 99 bytes with a stride of 10 cannot hold 10x10 samples"},
		{"short chroma", frame(func(i *image.YCbCr) { i.Cr = nil }),
			"open frame: Cr plane: 0 bytes with a stride of 5 cannot hold 5x5 samples"},
		{"narrow stride", frame(func(i *image.YCbCr) { i.CStride = 4 }),
			"open frame: Cb plane: 25 bytes with a stride of 4 cannot hold 5x5 samples"},
		{"negative stride", frame(func(i *image.YCbCr) { i.YStride = -10 }),
			"open frame: Y plane: 100 bytes with a stride of -10 cannot hold 10x10 samples"},
		{"endless stride", frame(func(i *image.YCbCr) { i.YStride = math.MaxInt / 2 }),
			"open frame: Y plane: 100 bytes with a stride of 4611686018427387903 cannot hold 10x10 samples"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := FromYCbCr(tt.img)
			if s != nil || err == nil || err.Error() != tt.want {
				t.Errorf("FromYCbCr = %v, %v; want %s", s, err, tt.want)
			}
		})
	}
}

// A sub-image is a frame like any other: its top left becomes (0,0).
func TestFromYCbCrSubImage(t *testing.T) {
	for _, ratio := range ratios {
		whole := image.NewYCbCr(image.Rect(3, 5, 83, 65), ratio)
		for _, pix := range [][]uint8{whole.Y, whole.Cb, whole.Cr} {
			for i := range pix {
				pix[i] = uint8(i * 5)
			}
		}
		part := whole.SubImage(image.Rect(12, 8, 61, 41)).(*image.YCbCr)
		s := open(t, part)
		if want := image.Rect(0, 0, 49, 33); s.Bounds() != want {
			t.Fatalf("%v: bounds %v, want %v", ratio, s.Bounds(), want)
		}
		samePixels(t, wholeOf(t, s), part) // 12 and 8 lie on every chroma grid
		before := wholeOf(t, s).YCbCrAt(0, 0)
		clear(whole.Y)
		if wholeOf(t, s).YCbCrAt(0, 0) != before {
			t.Errorf("%v: the source shares the pixels of the frame", ratio)
		}
	}
}

// Close leaves no sample in any buffer, decoder's padding and scratch included.
func TestClose(t *testing.T) {
	p := newPicture(83, 61, layouts[2])
	p.scramble(func(n int) int { return n / 3 }, func(image.Rectangle) bool { return true })
	s := openJPEG(t, p.bytes())
	for _, f := range []Fill{Solid, Veil} {
		if _, err := Redact(context.Background(), s, Request{Fill: f, Regions: []Region{{Face, image.Rect(30, 30, 40, 40)}}}); err != nil {
			t.Fatal(err)
		}
	}
	var buffers [][]uint8
	for _, img := range []*image.YCbCr{wholeOf(t, s), s.canvas.img} {
		buffers = append(buffers, img.Y[:cap(img.Y)], img.Cb[:cap(img.Cb)], img.Cr[:cap(img.Cr)])
	}
	buffers = append(buffers, s.canvas.cells.row)
	levels, means, lines := s.canvas.veil.levels, s.canvas.cells.mean, s.canvas.cells.line
	if len(levels) == 0 || len(means) == 0 || len(lines) == 0 {
		t.Fatal("no scratch was used: the test proves nothing")
	}
	s.Close()
	for i, b := range buffers {
		if len(b) == 0 || len(bytes.Trim(b, "\x00")) != 0 {
			t.Errorf("buffer %d of %d bytes is not zeroed", i, len(b))
		}
	}
	for i := range levels {
		for _, c := range levels[i].cells {
			if c != (cell{}) {
				t.Fatalf("level %d is not zeroed", i)
			}
		}
	}
	for _, v := range means {
		if v != 0 {
			t.Fatal("the means are not zeroed")
		}
	}
	if _, err := s.Planes(1); err == nil || !s.Bounds().Empty() {
		t.Errorf("closed: planes %v, bounds %v", err, s.Bounds())
	}
	s.Close()
	(*Source)(nil).Close()
}

// FuzzOpen feeds hostile bytes. What opens can be redacted, and the result is
// a picture of the same size.
func FuzzOpen(f *testing.F) {
	for i, l := range layouts {
		p := newPicture(40, 24, l)
		p.progressive = i%2 == 1
		p.restart = i % 3
		p.scramble(func(n int) int { return n / (i + 2) }, func(image.Rectangle) bool { return true })
		tell(p)
		f.Add(p.bytes())
		p.meta = nil
		f.Add(p.bytes())
	}
	f.Add([]byte("\xff\xd8\xff\xd9"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Open(data)
		if (s == nil) == (err == nil) {
			t.Fatalf("Open = %v, %v: want either", s, err)
		}
		if err != nil || s.Bounds().Dx()*s.Bounds().Dy() > 1<<16 {
			return
		}
		defer s.Close()
		b := s.Bounds()
		m := redacted(t, s, Request{
			Regions: []Region{{Face, image.Rect(b.Dx()/2, 0, b.Dx(), b.Dy())}},
			Keep:    image.Rect(0, 0, 1, 1),
		})
		if got := decoded(t, m).Rect; got != b || m.Bounds() != b {
			t.Fatalf("picture of %v, says %v, want %v", got, m.Bounds(), b)
		}
		if got := markers(t, m.JPEG()); got != wantMarkers {
			t.Fatalf("segments %q, want %q", got, wantMarkers)
		}
	})
}

func wholeOf(t testing.TB, s *Source) *image.YCbCr {
	t.Helper()
	img, err := s.Planes(1)
	if err != nil {
		t.Fatal(err)
	}
	return img
}
