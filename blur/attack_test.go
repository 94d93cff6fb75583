package blur

import (
	"image"
	"math"
	"testing"
)

// TestPatternCannotBeFound paints the same pattern under a region and looks
// for it in the result, sharp and blurred, at every place near. The search
// finds it in what is often taken for redaction, so it would find it here.
func TestPatternCannotBeFound(t *testing.T) {
	box := image.Rect(96, 80, 240, 176)
	pattern := plate(box.Size())
	frame := func() *image.YCbCr {
		img := scene(336, 256, 30)
		for y := range box.Dy() {
			copy(img.Y[img.YOffset(box.Min.X, box.Min.Y+y):][:box.Dx()], pattern.row(y))
		}
		return img
	}
	t.Run("the search works", func(t *testing.T) {
		for name, spoil := range map[string]func(p *samples){
			"nothing done":    func(*samples) {},
			"blur of 19x19":   func(p *samples) { boxBlur(p, box, 9) },
			"mosaic of 16x16": func(p *samples) { mosaic(p, box) },
		} {
			img := frame()
			p := samplesOf(img)[0]
			spoil(&p)
			if got := search(&p, &pattern, box.Min); got < 0.75 {
				t.Errorf("%s: correlation %.2f, want the pattern found", name, got)
			}
		}
	})
	for _, f := range []Fill{Veil, Solid} {
		for _, c := range []Context{Coarse, Crop, Full} {
			t.Run(f.String()+" "+c.String(), func(t *testing.T) {
				for path, s := range map[string]*Source{"frame": open(t, frame()), "JPEG": openJPEG(t, coded(t, frame()))} {
					m := redacted(t, s, Request{
						Regions: []Region{{Plate, box}}, Fill: f, Context: c,
						Keep: image.Rect(60, 60, 270, 200),
					})
					p := samplesOf(decoded(t, m))[0]
					got := search(&p, &pattern, box.Min.Sub(m.Offset()))
					t.Logf("%s: correlation %.2f", path, got)
					if got > 0.5 {
						t.Errorf("%s: correlation %.2f: the pattern can be found", path, got)
					}
				}
			})
		}
	}
}

// A colour that only the inside has must not tint the result.
func TestColourCannotBeFound(t *testing.T) {
	box := image.Rect(64, 64, 160, 160)
	img := scene(240, 224, 0)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			img.Cb[img.COffset(x, y)], img.Cr[img.COffset(x, y)] = 0, 255
		}
	}
	for _, f := range []Fill{Veil, Solid} {
		for _, c := range []Context{Coarse, Full} {
			m := redacted(t, openJPEG(t, coded(t, img)), Request{Regions: []Region{{Face, box}}, Fill: f, Context: c})
			limits := [3][2]uint8{{0, 255}, {108, 142}, {118, 142}} // of the outside, and 2
			planes := samplesOf(decoded(t, m))
			walk(planes[:], func(i, x, y int, v uint8) {
				if v < limits[i][0] || v > limits[i][1] {
					t.Errorf("%v %v: plane %d at (%d,%d) is %d, the outside %v", f, c, i, x, y, v, limits[i])
				}
			})
		}
	}
}

// plate draws characters of a sort: black and white cells of 24 pixels.
func plate(size image.Point) samples {
	p := samples{make([]uint8, size.X*size.Y), size.X, size.X, size.Y, 1, 1}
	for y := range size.Y {
		for x := range size.X {
			if 0b1011_0010_1110_0101_1001_0110>>(y/24*6+x/24)&1 == 1 {
				p.row(y)[x] = 255
			}
		}
	}
	return p
}

// search returns the best correlation of the pattern, sharp or blurred, with
// the picture, up to 12 pixels away from where it was.
func search(p, pattern *samples, at image.Point) float64 {
	soft := *pattern
	soft.pix = append([]uint8(nil), pattern.pix...)
	boxBlur(&soft, image.Rect(0, 0, soft.w, soft.h), 9)
	best := 0.0
	for dy := -12; dy <= 12; dy += 2 {
		for dx := -12; dx <= 12; dx += 2 {
			for _, q := range []*samples{pattern, &soft} {
				best = max(best, math.Abs(correlation(p, q, at.Add(image.Pt(dx, dy)))))
			}
		}
	}
	return best
}

func correlation(p, q *samples, at image.Point) float64 {
	var n, sp, sq, spp, sqq, spq float64
	for y := 0; y < q.h; y += 3 {
		for x := 0; x < q.w; x += 3 {
			if at.X+x >= p.w || at.Y+y >= p.h {
				continue
			}
			a, b := float64(p.row(at.Y + y)[at.X+x]), float64(q.row(y)[x])
			n, sp, sq, spp, sqq, spq = n+1, sp+a, sq+b, spp+a*a, sqq+b*b, spq+a*b
		}
	}
	spread := (spp - sp*sp/n) * (sqq - sq*sq/n)
	if spread <= 0 {
		return 0
	}
	return (spq - sp*sq/n) / math.Sqrt(spread)
}

// boxBlur replaces each sample of r by the mean of those around it.
func boxBlur(p *samples, r image.Rectangle, reach int) {
	from := *p
	from.pix = append([]uint8(nil), p.pix...)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			p.row(y)[x] = from.mean(image.Rect(x-reach, y-reach, x+reach+1, y+reach+1).
				Intersect(image.Rect(0, 0, p.w, p.h)))
		}
	}
}

// mosaic replaces each MCU of r by its mean.
func mosaic(p *samples, r image.Rectangle) {
	for y := r.Min.Y; y < r.Max.Y; y += 16 {
		for x := r.Min.X; x < r.Max.X; x += 16 {
			mean := p.mean(image.Rect(x, y, x+16, y+16))
			for j := range 16 {
				for i := range 16 {
					p.row(y + j)[x+i] = mean
				}
			}
		}
	}
}
