package scan

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"
)

// realPictures returns every n-th of the real pictures beside the checkout.
func realPictures(t testing.TB, n int) []string {
	t.Helper()
	dir := os.Getenv("GADEBLIK_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	var files []string
	for _, pattern := range []string{"images/*/*.jpg", "drives/*/frames/*.jpg"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Skip("no real pictures: set GADEBLIK_SHARED to the folder that holds images/ and drives/")
	}
	var some []string
	for i := 0; i < len(files); i += n {
		some = append(some, files[i])
	}
	return some
}

func TestRealPictures(t *testing.T) {
	var p Picture
	read := 0
	for _, file := range realPictures(t, 23) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Open(data); errors.Is(err, ErrUnsupported) {
			t.Logf("%s: %v", filepath.Base(file), err)
			continue
		} else if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		read++
		want := decode(t, data)
		got, err := p.Planes(1)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if d := farthest(got, want); d > 2 {
			t.Errorf("%s: a sample is %d from what image/jpeg decodes", filepath.Base(file), d)
		}
		mcus := image.Rect(0, 0, p.cols, p.rows)
		out, err := p.Splice(nil, Edit{Keep: mcus, Gone: make([]bool, p.cols*p.rows)})
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if d := farthest(decode(t, out), want); d != 0 {
			t.Errorf("%s: a sample is %d from what it was after a splice of nothing", filepath.Base(file), d)
		}
		if len(out) > len(data) {
			t.Errorf("%s: %d bytes have become %d", filepath.Base(file), len(data), len(out))
		}
	}
	t.Logf("%d pictures", read)
}

func decode(t testing.TB, data []byte) *image.YCbCr {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img.(*image.YCbCr)
}

// farthest returns by how much two pictures differ at most.
func farthest(a, b *image.YCbCr) (most int) {
	if a.Rect != b.Rect || a.SubsampleRatio != b.SubsampleRatio {
		return 1000
	}
	compare := func(p, q []byte, ps, qs, w, h int) {
		for y := range h {
			for x := range w {
				d := int(p[y*ps+x]) - int(q[y*qs+x])
				most = max(most, d, -d)
			}
		}
	}
	w, h := a.Rect.Dx(), a.Rect.Dy()
	cw, ch := (w+1)/2, (h+1)/2
	compare(a.Y, b.Y, a.YStride, b.YStride, w, h)
	compare(a.Cb, b.Cb, a.CStride, b.CStride, cw, ch)
	compare(a.Cr, b.Cr, a.CStride, b.CStride, cw, ch)
	return most
}

func BenchmarkScan(b *testing.B) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "drives", "amsterdam_bags", "frames", "000010000.jpg"))
	if err != nil {
		b.Skip(err)
	}
	img := decode(b, data)
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: 90}); err != nil {
		b.Fatal(err)
	}
	var p Picture
	for _, reduce := range []int{8, 4, 2, 1} {
		b.Run("reduce", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Open(buf.Bytes()); err != nil {
					b.Fatal(err)
				}
				if _, err := p.Planes(reduce); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("image/jpeg", func(b *testing.B) {
		for b.Loop() {
			decode(b, buf.Bytes())
		}
	})
	b.Run("splice", func(b *testing.B) {
		gone := make([]bool, p.cols*p.rows)
		for y := 10; y < 34; y++ {
			for x := range 16 * 5 {
				gone[y*p.cols+10+x] = true
			}
		}
		var out []byte
		e := Edit{Keep: image.Rect(0, 0, p.cols, p.rows), Gone: gone}
		e.Blocks = make([]Block, wanting(&p, e))
		for j := range e.Blocks {
			e.Blocks[j] = Block{10, 3, -3}
		}
		b.ReportAllocs()
		for b.Loop() {
			out, err = p.Splice(out[:0], e)
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
