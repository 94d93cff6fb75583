package blur

import (
	"context"
	"image"
	"testing"
)

// filled returns the canvas after the fill, before the JPEG rounds it.
func filled(t *testing.T, img *image.YCbCr, f Fill, boxes ...image.Rectangle) *canvas {
	t.Helper()
	s := open(t, img)
	var regions []Region
	for _, b := range boxes {
		regions = append(regions, Region{Face, b})
	}
	s.canvas.blank(s, regions)
	if err := s.canvas.fill(context.Background(), f); err != nil {
		t.Fatal(err)
	}
	return &s.canvas
}

// walk calls do with every sample of the planes.
func walk(planes [3]plane, do func(i, x, y int, v uint8)) {
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
	copy(c.Y, img.Y)
	copy(c.Cb, img.Cb)
	copy(c.Cr, img.Cr)
	return c
}

// A plane through the rim is the only surface whose every sample is the mean
// of its neighbours: the veil over a ramp must be that ramp.
func TestVeilContinuesRamp(t *testing.T) {
	for _, ratio := range ratios {
		img := image.NewYCbCr(image.Rect(0, 0, 300, 220), ratio)
		want := planesOf(img)
		walk(want, func(i, x, y int, _ uint8) {
			want[i].row(y)[x] = uint8(30 + i + x*want[i].sx/3 + y*want[i].sy/2)
		})
		// One region alone, and two that overlap as an L.
		c := filled(t, img, Veil, image.Rect(32, 32, 96, 128), image.Rect(160, 48, 224, 176), image.Rect(160, 112, 288, 176))
		walk(c.planes, func(i, x, y int, got uint8) {
			if want := want[i].row(y)[x]; far(got, want, 2) {
				t.Errorf("%v plane %d at (%d,%d): %d, want %d", ratio, i, x, y, got, want)
			}
		})
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
	c := filled(t, img, Veil, box)
	wide := planesOf(img)[0]
	if seam, _ := roughness(&wide, box); seam < 50 {
		t.Fatalf("the scene has a seam of %d: it proves nothing", seam)
	}
	for i, limit := range []int{4, 2, 2} {
		p := &c.planes[i]
		seam, inside := roughness(p, p.samples(box))
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
	c := filled(t, img, Veil, box)
	p := &c.planes[0]
	for x := box.Min.X; x < box.Max.X; x += 8 {
		for _, at := range []struct{ in, out int }{{box.Min.Y, box.Min.Y - 8}, {box.Max.Y - 4, box.Max.Y}} {
			in, n := p.sum(image.Rect(x, at.in, x+8, at.in+4))
			out, m := p.sum(image.Rect(x, at.out, x+8, at.out+8))
			if d := in/n - out/m; d > 16 || d < -16 {
				t.Errorf("at (%d,%d): mean %d inside, %d outside", x, at.in, in/n, out/m)
			}
		}
	}
	if _, inside := roughness(p, box.Inset(8)); inside > 3 {
		t.Errorf("steps of %d inside, want at most 3: it should look like a strong blur", inside)
	}
}

// roughness returns the largest difference of neighbours across the border of
// r and within it.
func roughness(p *plane, r image.Rectangle) (seam, inside int) {
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
	p := &filled(t, img, Veil, box).planes[0]
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			if v := p.row(y)[x]; v < 90 || v > 169 {
				t.Fatalf("at (%d,%d): %d, want 90 to 169", x, y, v)
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
	walk(c.planes, func(i, x, y int, got uint8) {
		p := &c.planes[i]
		if image.Pt(x*p.sx, y*p.sy).In(image.Rect(32, 32, 80, 64)) && got != want[i] {
			t.Errorf("plane %d at (%d,%d): %d, want %d", i, x, y, got, want[i])
		}
	})
}

// With nothing left to fill from there is nothing but grey.
func TestFillOfEverything(t *testing.T) {
	for _, f := range []Fill{Veil, Solid} {
		img := scene(85, 53, 100)
		walk(filled(t, img, f, img.Rect).planes, func(i, x, y int, v uint8) {
			if v != middle {
				t.Errorf("%v plane %d at (%d,%d): %d, want %d", f, i, x, y, v, middle)
			}
		})
	}
}

// A veil that touches three borders is filled from the fourth.
func TestVeilAtBorders(t *testing.T) {
	img := image.NewYCbCr(image.Rect(0, 0, 101, 67), image.YCbCrSubsampleRatio420)
	want := [3]uint8{77, 99, 111}
	p := planesOf(img)
	walk(p, func(i, x, y int, _ uint8) {
		p[i].row(y)[x] = 255
		if x*p[i].sx < 16 {
			p[i].row(y)[x] = want[i]
		}
	})
	walk(filled(t, img, Veil, image.Rect(16, 0, 101, 67)).planes, func(i, x, y int, got uint8) {
		if got != want[i] {
			t.Errorf("plane %d at (%d,%d): %d, want %d", i, x, y, got, want[i])
		}
	})
}

func TestPatches(t *testing.T) {
	for _, tt := range []struct {
		name  string
		boxes []image.Rectangle
		want  []image.Rectangle // in MCUs
	}{
		{"none", nil, nil},
		{"one", []image.Rectangle{image.Rect(16, 16, 48, 32)}, []image.Rectangle{image.Rect(1, 1, 3, 2)}},
		{"apart", []image.Rectangle{image.Rect(64, 64, 80, 80), image.Rect(0, 0, 16, 16)},
			[]image.Rectangle{image.Rect(0, 0, 1, 1), image.Rect(4, 4, 5, 5)}},
		{"overlapping", []image.Rectangle{image.Rect(0, 0, 48, 48), image.Rect(32, 32, 80, 80)},
			[]image.Rectangle{image.Rect(0, 0, 5, 5)}},
		{"touching by a side", []image.Rectangle{image.Rect(0, 0, 16, 16), image.Rect(16, 0, 32, 16)},
			[]image.Rectangle{image.Rect(0, 0, 2, 1)}},
		{"touching by a corner", []image.Rectangle{image.Rect(16, 16, 32, 32), image.Rect(32, 32, 99, 99)},
			[]image.Rectangle{image.Rect(1, 1, 7, 7)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var regions []Region
			for _, b := range tt.boxes {
				regions = append(regions, Region{Face, b})
			}
			s := open(t, scene(99, 99, 0))
			s.canvas.blank(s, regions)
			got := s.canvas.mask.bounds[1:]
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

// The sum of eight samples at a time is the sum.
func TestSum(t *testing.T) {
	row := make([]uint8, 5000)
	for _, n := range []int{0, 1, 7, 8, 9, 1023, 1024, 1025, 2047, 5000} {
		want := 0
		for i := range n {
			row[i] = 255
			if i%3 == 0 {
				row[i] = uint8(i)
			}
			want += int(row[i])
		}
		if got := sum(row[:n]); got != want {
			t.Errorf("sum of %d samples: %d, want %d", n, got, want)
		}
	}
	for i := range row {
		row[i] = 255
	}
	if got := sum(row); got != 5000*255 {
		t.Errorf("sum of the largest: %d, want %d", got, 5000*255)
	}
}
