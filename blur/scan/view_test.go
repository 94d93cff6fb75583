package scan

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"testing"

	"gadeblik/blur/scan/scantest"
)

// A reduced picture is what one would see from farther away: the mean of the
// samples that each of its samples stands for, nearly.
func TestPlanesAreReductions(t *testing.T) {
	img := image.NewYCbCr(image.Rect(0, 0, 203, 149), image.YCbCrSubsampleRatio420)
	for y := range 149 {
		for x := range 203 {
			img.Y[img.YOffset(x, y)] = uint8(128 + 70*math.Sin(float64(x)/9) + 50*math.Cos(float64(y)/7))
			img.Cb[img.COffset(x, y)], img.Cr[img.COffset(x, y)] = uint8(90+x/4), uint8(200-y/2)
		}
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, img, &jpeg.Options{Quality: 97}); err != nil {
		t.Fatal(err)
	}
	whole := decode(t, file.Bytes())
	var p Picture
	if err := p.Open(file.Bytes()); err != nil {
		t.Fatal(err)
	}
	for _, reduce := range []int{1, 2, 4, 8} {
		got, err := p.Planes(reduce)
		if err != nil {
			t.Fatal(err)
		}
		if want := image.Rect(0, 0, ceilDiv(203, reduce), ceilDiv(149, reduce)); got.Rect != want {
			t.Fatalf("at 1/%d: %v, want %v", reduce, got.Rect, want)
		}
		for y := range 149 / reduce {
			for x := range 203 / reduce {
				var sum int
				for i := range reduce * reduce {
					sum += int(whole.Y[whole.YOffset(x*reduce+i%reduce, y*reduce+i/reduce)])
				}
				mean := sum / (reduce * reduce)
				if v := int(got.Y[got.YOffset(x, y)]); max(v-mean, mean-v) > 5 {
					t.Fatalf("at 1/%d (%d,%d): %d, the mean is %d", reduce, x, y, v, mean)
				}
			}
		}
		again, err := p.Planes(reduce)
		if err != nil || again != got {
			t.Errorf("at 1/%d: asked again, other planes come (%v)", reduce, err)
		}
	}
	if _, err := p.Planes(3); err == nil || err.Error() != "planes reduced by 3: want 1, 2, 4 or 8" {
		t.Errorf("at 1/3: %v", err)
	}
}

// Every layout is read as the standard library reads it, at full size.
func TestPlanesOfLayouts(t *testing.T) {
	for n, l := range scantest.Layouts()[:8] {
		p := scantest.New(83, 61, l)
		p.Restart = n
		state := n
		p.Scramble(func(n int) int {
			state = state * 1103515245 & 0x7fffffff
			return state >> 8 % n
		}, func(image.Rectangle) bool { return true })
		want, err := jpeg.Decode(bytes.NewReader(p.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		var s Picture
		if err := s.Open(p.Bytes()); err != nil {
			t.Fatalf("%s: %v", l.Name, err)
		}
		got, err := s.Planes(1)
		if err != nil {
			t.Fatalf("%s: %v", l.Name, err)
		}
		for y := range 61 {
			for x := range 83 {
				a, b := got.YCbCrAt(x, y), color.YCbCrModel.Convert(want.At(x, y)).(color.YCbCr)
				if d := int(a.Y) - int(b.Y); d > 1 || d < -1 || int(a.Cb)-int(b.Cb) > 1 || int(b.Cr)-int(a.Cr) > 1 {
					t.Fatalf("%s at (%d,%d): %v, want %v", l.Name, x, y, a, b)
				}
			}
		}
	}
}
