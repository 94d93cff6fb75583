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
	"reflect"
	"strings"
	"testing"

	"gadeblik/blur/scan/scantest"
)

// Every kind of file comes out as the planes that package image/jpeg sees.
func TestOpenFormats(t *testing.T) {
	for _, l := range scantest.Layouts() {
		for kind := range 4 {
			p := scantest.New(83, 61, l)
			p.Coding = scantest.Coding(kind % 3)
			p.Progressive = kind == 3
			state := 1
			p.Scramble(func(n int) int {
				state = state * 1103515245 & 0x7fffffff
				return state >> 8 % n
			}, func(image.Rectangle) bool { return true })
			if l.IDs == "RGB" && p.Coding == scantest.Without {
				continue // only what is spliced needs no tables
			}
			s := openJPEG(t, p.Bytes())
			if p.Coding == scantest.Without {
				p.Coding = scantest.Standard
			}
			want, err := jpeg.Decode(bytes.NewReader(p.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			if s.Bounds() != image.Rect(0, 0, 83, 61) {
				t.Errorf("%s: bounds %v, want 83x61", l.Name, s.Bounds())
			}
			samePixels(t, wholeOf(t, s), want, 2) // another inverse DCT rounds otherwise
		}
	}
}

// samePixels compares two pictures, wherever they begin.
func samePixels(t *testing.T, got *image.YCbCr, want image.Image, tolerance int) {
	t.Helper()
	if got.Rect.Size() != want.Bounds().Size() {
		t.Fatalf("size %v, want %v", got.Rect.Size(), want.Bounds().Size())
	}
	from, to := got.Rect.Min, want.Bounds().Min
	for y := range got.Rect.Dy() {
		for x := range got.Rect.Dx() {
			a, b := got.YCbCrAt(from.X+x, from.Y+y), color.YCbCrModel.Convert(want.At(to.X+x, to.Y+y))
			if far(a.Y, b.(color.YCbCr).Y, tolerance) || far(a.Cb, b.(color.YCbCr).Cb, tolerance) || far(a.Cr, b.(color.YCbCr).Cr, tolerance) {
				t.Fatalf("at (%d,%d): %v, want %v", x, y, a, b)
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	whole := scantest.New(64, 48, scantest.Layouts()[2]).Bytes()
	size := func(w, h int) []byte {
		p := scantest.New(8, 8, scantest.Layouts()[2])
		p.W, p.H = w, h
		return append(p.Bytes(), make([]byte, 70000)...)
	}
	cut := func(marker byte) []byte { return whole[:bytes.Index(whole, []byte{0xff, marker})] }
	many := scantest.New(64, 48, scantest.Layouts()[2])
	many.Progressive = true
	var cmyk bytes.Buffer
	p := scantest.New(8, 8, scantest.Layout{Name: "CMYK", IDs: "\x01\x02\x03\x04", H: 1, V: 1})
	p.Meta = []scantest.Segment{{Marker: 0xee, Data: []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")}}
	cmyk.Write(p.Bytes())

	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "open JPEG: the file of 0 bytes ends before the picture: unexpected EOF"},
		{"another format", []byte("GIF89a"), "open JPEG: invalid JPEG format: missing SOI marker"},
		{"ends in the header", cut(0xc0), "open JPEG: the file of 71 bytes ends before the picture: unexpected EOF"},
		{"ends in the picture", whole[:len(whole)-4], "open JPEG: damaged scan: it ends early: unexpected EOF"},
		{"no end", whole[:len(whole)-2], "open JPEG: damaged scan: it ends early: unexpected EOF"},
		{"four components", cmyk.Bytes(), "open JPEG: four components (CMYK): convert the picture to YCbCr"},
		{"no height", size(10, 0), "open JPEG: picture of 10x0: each side must be 1 to 16384 pixels"},
		{"too wide", size(16385, 1), "open JPEG: picture of 16385x1: each side must be 1 to 16384 pixels"},
		{"too large", size(8000, 8000), "open JPEG: picture of 8000x8000: must be at most 33554432 pixels in all"},
		{"too little for its size", size(8000, 4000)[:4000], "open JPEG: damaged scan: 3684 bytes for 125000 MCUs"},
		{"too many scans", append(bytes.Clone(many.Bytes()), bytes.Repeat([]byte{0xff, 0xda}, 100)...),
			"open JPEG: 104 scans: must be at most 100"},
		{"too long", make([]byte, maxBytes+1), "open JPEG: file of 67108865 bytes: must be at most 67108864"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Open(tt.data)
			if s != nil || err == nil || err.Error() != tt.want {
				t.Errorf("Open: %v; want %s", err, tt.want)
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
		samePixels(t, wholeOf(t, s), part, 0) // 12 and 8 lie on every chroma grid
		before := wholeOf(t, s).YCbCrAt(0, 0)
		clear(whole.Y)
		if wholeOf(t, s).YCbCrAt(0, 0) != before {
			t.Errorf("%v: the source shares the pixels of the frame", ratio)
		}
	}
}

// Close leaves no sample in any buffer, decoder's padding and scratch included.
func TestClose(t *testing.T) {
	p := scantest.New(83, 61, scantest.Layouts()[2])
	p.Scramble(func(n int) int { return n / 3 }, func(image.Rectangle) bool { return true })
	s := openJPEG(t, p.Bytes())
	for _, f := range []Fill{Solid, Veil} {
		if _, err := Redact(context.Background(), s, Request{Fill: f, Regions: []Region{{Face, image.Rect(30, 30, 40, 40)}}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, reduce := range []int{1, 2, 4, 8} {
		if _, err := s.Planes(reduce); err != nil {
			t.Fatal(err)
		}
	}
	used := scratch(reflect.ValueOf(s).Elem())
	if used < 1000 {
		t.Fatalf("%d values were used: the test proves nothing", used)
	}
	s.Close()
	if left := scratch(reflect.ValueOf(s).Elem()); left > 0 {
		t.Errorf("%d of %d values are left", left, used)
	}
	if _, err := s.Planes(1); err == nil || !s.Bounds().Empty() {
		t.Errorf("closed: planes %v, bounds %v", err, s.Bounds())
	}
	s.Close()
	(*Source)(nil).Close()
}

// What could not be opened, or not be followed to its end, is wiped as well.
func TestCloseOfWhatIsDamaged(t *testing.T) {
	p := scantest.New(83, 61, scantest.Layouts()[2])
	p.Scramble(func(n int) int { return n / 3 }, func(image.Rectangle) bool { return true })
	file := p.Bytes()
	var s Source
	if err := s.Open(file[:len(file)-20]); err == nil {
		t.Fatal("a file that ends early was opened")
	}
	if left := scratch(reflect.ValueOf(&s).Elem()); left > 0 {
		t.Errorf("%d values are left of a file that ends early", left)
	}
	for i := len(file) - 200; i < len(file)-2; i++ {
		file[i] = 0xf5 // no code begins like that
	}
	if err := s.Open(file); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Planes(2); !errors.Is(err, ErrDamaged) {
		t.Fatalf("planes of a damaged file: %v", err)
	}
	if _, err := Redact(context.Background(), &s, Request{}); !errors.Is(err, ErrDamaged) {
		t.Fatalf("redaction of a damaged file: %v", err)
	}
	s.Close()
	if left := scratch(reflect.ValueOf(&s).Elem()); left > 0 {
		t.Errorf("%d values are left of a damaged file", left)
	}
}

// scratch counts what is not zero in all the slices that a value has, up to their
// capacity. The Huffman tables of the file are of the camera and stay, and so does
// what was made to be published.
func scratch(v reflect.Value) (n int) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return scratch(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name != "tables" && !(name == "out" && v.Field(i).Type() == reflect.TypeFor[[]byte]()) {
				n += scratch(v.Field(i))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			n += scratch(v.Index(i))
		}
	case reflect.Slice:
		for i, v := 0, v.Slice(0, v.Cap()); i < v.Len(); i++ {
			switch at := v.Index(i); at.Kind() {
			case reflect.Struct, reflect.Slice:
				n += scratch(at)
			default:
				if !at.IsZero() {
					n++
				}
			}
		}
	}
	return n
}

// FuzzOpen feeds hostile bytes. What opens can be redacted, unless its scan is
// damaged, and the result is a picture of the same size.
func FuzzOpen(f *testing.F) {
	for i, l := range scantest.Layouts() {
		p := scantest.New(40, 24, l)
		p.Progressive = i%2 == 1
		p.Restart = i % 3
		p.Scramble(func(n int) int { return n / (i + 2) }, func(image.Rectangle) bool { return true })
		tell(p)
		f.Add(p.Bytes())
		p.Meta = nil
		f.Add(p.Bytes())
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
		m, err := Redact(context.Background(), s, Request{
			Regions: []Region{{Face, image.Rect(b.Dx()/2, 0, b.Dx(), b.Dy())}},
			Keep:    image.Rect(0, 0, 1, 1),
		})
		if errors.Is(err, ErrDamaged) {
			return // found out only by who follows the scan
		}
		if err != nil {
			t.Fatal(err)
		}
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
