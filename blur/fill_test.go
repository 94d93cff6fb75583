package blur

import (
	"context"
	"image"
	"slices"
	"testing"
)

// filled returns the canvas after the fill, with exactly these boxes covered.
func filled(t *testing.T, img *image.YCbCr, f Fill, boxes ...image.Rectangle) []samples {
	t.Helper()
	var regions []Region
	for _, b := range boxes {
		regions = append(regions, Region{Face, b})
	}
	c := blanked(t, open(t, img), regions)
	if err := c.paint(context.Background(), f); err != nil {
		t.Fatal(err)
	}
	return means(c)
}

func blanked(t *testing.T, s *Source, regions []Region) *canvas {
	t.Helper()
	picture, err := s.coded(regions)
	if err != nil {
		t.Fatal(err)
	}
	s.canvas.blank(picture, regions, true)
	return &s.canvas
}

// means returns the canvas with one sample for each block that is not all beyond
// the border.
func means(c *canvas) []samples {
	var planes []samples
	for i := range c.planes {
		p := &c.planes[i]
		sx, sy := c.mask.mcu.X/p.h, c.mask.mcu.Y/p.v
		w, h := ceilDiv(c.mask.size.X, sx), ceilDiv(c.mask.size.Y, sy)
		m := samples{make([]uint8, w*h), w, w, h, sx, sy}
		for y := range h {
			for x, v := range p.row(y)[:w] {
				m.row(y)[x] = uint8(max(0, min((v+128*one+one/2)>>fraction, 255)))
			}
		}
		planes = append(planes, m)
	}
	return planes
}

// walk calls do with every sample of the planes.
func walk(planes []samples, do func(i, x, y int, v uint8)) {
	for i := range planes {
		for y := range planes[i].h {
			for x, v := range planes[i].row(y) {
				do(i, x, y, v)
			}
		}
	}
}

// clone copies a frame.
func clone(img *image.YCbCr) *image.YCbCr {
	c := image.NewYCbCr(img.Rect, img.SubsampleRatio)
	from, to := samplesOf(img), samplesOf(c)
	for i := range to {
		for y := range to[i].h {
			copy(to[i].row(y), from[i].row(y))
		}
	}
	return c
}

// A plane through the rim is the only surface whose every sample is the mean
// of its neighbours: the veil over a ramp must be that ramp, in the means and in
// the picture.
func TestVeilContinuesRamp(t *testing.T) {
	for _, ratio := range ratios {
		img := image.NewYCbCr(image.Rect(0, 0, 300, 220), ratio)
		want := samplesOf(img)
		walk(want[:], func(i, x, y int, _ uint8) {
			want[i].row(y)[x] = uint8(30 + i + x*want[i].sx/3 + y*want[i].sy/2)
		})
		// One region alone, and two that overlap as an L.
		boxes := []image.Rectangle{image.Rect(32, 32, 96, 128), image.Rect(160, 48, 224, 176), image.Rect(160, 112, 288, 176)}
		for i, p := range filled(t, img, Veil, boxes...) {
			for y := range p.h - 1 {
				for x := range p.w - 1 { // the last ones are cut by the border
					px, py := x*p.sx+p.sx/2, y*p.sy+p.sy/2
					if want := 30 + i + px/3 + py/2; far(p.row(y)[x], uint8(want), 3) {
						t.Errorf("%v plane %d block (%d,%d): %d, want %d", ratio, i, x, y, p.row(y)[x], want)
					}
				}
			}
		}
		if sx, _ := subsampling(ratio); sx > 2 {
			continue // the first region reaches the border, from which nothing goes on
		}
		var r Request
		for _, b := range boxes {
			r.Regions = append(r.Regions, Region{Face, b})
		}
		r.Context, r.Margin = Full, 0.001
		m := decoded(t, redacted(t, open(t, img), r))
		for y := range 200 {
			for x := range 140 {
				if got, want := m.Y[m.YOffset(x, y)], 30+x/3+y/2; far(got, uint8(want), 4) {
					t.Fatalf("%v at (%d,%d): %d, want %d", ratio, x, y, got, want)
				}
			}
		}
	}
}

// The look: no seam at the border and no steps inside, though what was hidden
// has nothing to do with what is round it.
func TestVeilIsSmooth(t *testing.T) {
	img := scene(320, 240, 0)
	box := image.Rect(80, 64, 240, 192)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			img.Y[img.YOffset(x, y)] = uint8(x / 8 % 2 * 255)
			img.Cb[img.COffset(x, y)] = 255
		}
	}
	wide := samplesOf(img)[0]
	if seam, _ := roughness(&wide, box); seam < 50 {
		t.Fatalf("the scene has a seam of %d: it proves nothing", seam)
	}
	m := redacted(t, open(t, img), Request{Context: Full, Regions: []Region{{Face, box.Inset(19)}}})
	planes := samplesOf(decoded(t, m))
	for i, limit := range []int{6, 3, 3} {
		p := &planes[i]
		seam, inside := roughness(p, p.within(m.Regions()[0].Box))
		t.Logf("plane %d: largest step %d over the border, %d inside", i, seam, inside)
		if seam > limit || inside > limit {
			t.Errorf("plane %d: steps of %d over the border and %d inside, want at most %d", i, seam, inside, limit)
		}
	}
}

// On texture the veil starts from the local mean: it has no edge of its own.
func TestVeilMeetsTexture(t *testing.T) {
	img := scene(320, 240, 60)
	box := image.Rect(80, 64, 240, 192)
	p := filled(t, img, Veil, box)[0]
	for x := box.Min.X / 8; x < box.Max.X/8; x++ {
		for _, at := range []struct{ in, out int }{{box.Min.Y / 8, box.Min.Y/8 - 1}, {box.Max.Y/8 - 1, box.Max.Y / 8}} {
			if in, out := p.row(at.in)[x], p.row(at.out)[x]; far(in, out, 16) {
				t.Errorf("block (%d,%d): mean %d inside, %d outside", x, at.in, in, out)
			}
		}
	}
	m := redacted(t, open(t, img), Request{Context: Full, Regions: []Region{{Face, box.Inset(19)}}})
	luma := samplesOf(decoded(t, m))[0]
	if _, inside := roughness(&luma, m.Regions()[0].Box.Inset(16)); inside > 4 {
		t.Errorf("steps of %d inside, want at most 4: it should look like a strong blur", inside)
	}
}

// roughness returns the largest difference of neighbours across the border of
// r and within it.
func roughness(p *samples, r image.Rectangle) (seam, inside int) {
	step := func(x0, y0, x1, y1 int) {
		d := int(p.row(y0)[x0]) - int(p.row(y1)[x1])
		d = max(d, -d)
		if image.Pt(x0, y0).In(r) && image.Pt(x1, y1).In(r) {
			inside = max(inside, d)
		} else {
			seam = max(seam, d)
		}
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X - 1; x < r.Max.X; x++ {
			step(x, y, x+1, y)
		}
	}
	for y := r.Min.Y - 1; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			step(x, y, x, y+1)
		}
	}
	return seam, inside
}

// Nothing in a veil is brighter or darker than all that surrounds it.
func TestVeilStaysInRange(t *testing.T) {
	img := scene(200, 160, 0)
	box := image.Rect(64, 48, 144, 112)
	for y := range 160 {
		for x := range 200 {
			img.Y[img.YOffset(x, y)] = uint8(90 + (x*31+y*17)%80)
			if image.Pt(x, y).In(box) {
				img.Y[img.YOffset(x, y)] = 255
			}
		}
	}
	p := filled(t, img, Veil, box)[0]
	for y := box.Min.Y / 8; y < box.Max.Y/8; y++ {
		for x := box.Min.X / 8; x < box.Max.X/8; x++ {
			if v := p.row(y)[x]; v < 90 || v > 169 {
				t.Fatalf("block (%d,%d): %d, want 90 to 169", x, y, v)
			}
		}
	}
}

// Where all that is left is of one level every veil is, also one that goes round another that was
// there before it.
func TestVeilsDoNotMix(t *testing.T) {
	boxes := []image.Rectangle{
		image.Rect(160, 16, 240, 112), // within a U
		image.Rect(16, 48, 128, 272), image.Rect(16, 144, 384, 272), image.Rect(272, 48, 384, 272),
	}
	img := scene(400, 288, 0)
	for y := range 288 {
		for x := range 400 {
			img.Y[img.YOffset(x, y)] = 200
			if slices.ContainsFunc(boxes, image.Pt(x, y).In) {
				img.Y[img.YOffset(x, y)] = 0
			}
		}
	}
	p := filled(t, img, Veil, boxes...)[0]
	for y := range p.h {
		for x, v := range p.row(y)[:p.w] {
			if v != 200 {
				t.Fatalf("block (%d,%d): %d, want 200", x, y, v)
			}
		}
	}
}

// Solid is the mean of the MCUs round the whole patch, and of those only.
func TestSolid(t *testing.T) {
	img := image.NewYCbCr(image.Rect(0, 0, 160, 96), image.YCbCrSubsampleRatio420)
	for y := range 96 {
		for x := range 160 {
			v := 200 // inside, and far outside
			switch {
			case image.Pt(x, y).In(image.Rect(32, 32, 80, 64)):
			case image.Pt(x, y).In(image.Rect(16, 16, 48, 80)):
				v = 40
			case image.Pt(x, y).In(image.Rect(48, 16, 96, 80)):
				v = 60
			}
			img.Y[img.YOffset(x, y)] = uint8(v)
			img.Cb[img.COffset(x, y)], img.Cr[img.COffset(x, y)] = uint8(v), uint8(v+20)
		}
	}
	// Two overlapping regions and one that only touches: one patch, one colour.
	c := filled(t, img, Solid, image.Rect(32, 32, 64, 64), image.Rect(48, 32, 64, 48), image.Rect(64, 32, 80, 64))
	left, right := 4+2, 2+2+4 // MCUs of the ring, by columns
	mean := uint8((40*left + 60*right + (left+right)/2) / (left + right))
	want := [3]uint8{mean, mean, mean + 20}
	walk(c, func(i, x, y int, got uint8) {
		p := &c[i]
		if image.Pt(x*p.sx, y*p.sy).In(image.Rect(32, 32, 80, 64)) && far(got, want[i], 1) {
			t.Errorf("plane %d at (%d,%d): %d, want %d", i, x, y, got, want[i])
		}
	})
}

// With nothing left to fill from there is nothing but grey.
func TestFillOfEverything(t *testing.T) {
	for _, f := range []Fill{Veil, Solid} {
		img := scene(85, 53, 100)
		walk(filled(t, img, f, img.Rect), func(i, x, y int, v uint8) {
			if v != 128 {
				t.Errorf("%v plane %d at (%d,%d): %d, want %d", f, i, x, y, v, 128)
			}
		})
	}
}

// A veil that touches three borders is filled from the fourth.
func TestVeilAtBorders(t *testing.T) {
	img := image.NewYCbCr(image.Rect(0, 0, 101, 67), image.YCbCrSubsampleRatio420)
	want := [3]uint8{77, 99, 111}
	p := samplesOf(img)
	walk(p[:], func(i, x, y int, _ uint8) {
		p[i].row(y)[x] = 255
		if x*p[i].sx < 16 {
			p[i].row(y)[x] = want[i]
		}
	})
	walk(filled(t, img, Veil, image.Rect(16, 0, 101, 67)), func(i, x, y int, got uint8) {
		if far(got, want[i], 1) {
			t.Errorf("plane %d at (%d,%d): %d, want %d", i, x, y, got, want[i])
		}
	})
}

func TestPatches(t *testing.T) {
	for _, tt := range []struct {
		name  string
		boxes []image.Rectangle
		want  []image.Rectangle // in MCUs, by their first boxes
	}{
		{"none", nil, nil},
		{"one", []image.Rectangle{image.Rect(16, 16, 48, 32)}, []image.Rectangle{image.Rect(1, 1, 3, 2)}},
		{"apart", []image.Rectangle{image.Rect(64, 64, 80, 80), image.Rect(0, 0, 16, 16)},
			[]image.Rectangle{image.Rect(4, 4, 5, 5), image.Rect(0, 0, 1, 1)}},
		{"overlapping", []image.Rectangle{image.Rect(0, 0, 48, 48), image.Rect(32, 32, 80, 80)},
			[]image.Rectangle{image.Rect(0, 0, 5, 5)}},
		{"touching by a side", []image.Rectangle{image.Rect(0, 0, 16, 16), image.Rect(16, 0, 32, 16)},
			[]image.Rectangle{image.Rect(0, 0, 2, 1)}},
		{"touching by a corner", []image.Rectangle{image.Rect(16, 16, 32, 32), image.Rect(32, 32, 99, 99)},
			[]image.Rectangle{image.Rect(1, 1, 7, 7)}},
		{"joined by a third", []image.Rectangle{image.Rect(64, 0, 80, 16), image.Rect(0, 0, 16, 16), image.Rect(0, 48, 16, 64), image.Rect(8, 8, 70, 9)},
			[]image.Rectangle{image.Rect(0, 0, 5, 1), image.Rect(0, 3, 1, 4)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var regions []Region
			for _, b := range tt.boxes {
				regions = append(regions, Region{Face, b})
			}
			got := blanked(t, open(t, scene(99, 99, 0)), regions).mask.bounds[1:]
			if len(got) != len(tt.want) {
				t.Fatalf("%d patches, want %d", len(got), len(tt.want))
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("patch %d: %v, want %v", i, got[i], tt.want[i])
				}
			}
		})
	}
}
