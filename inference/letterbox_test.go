package inference

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// maxLevels is the most that the letterbox may differ from the same in float64, in levels of 255.
const maxLevels = 0.0005

// oracle is the letterbox said simply: each pixel of the tensor asks the planes for their value at its
// centre, in float64.
func oracle(img *image.YCbCr, in Input) (tensor []float64, w, h int) {
	size := img.Rect.Size()
	scale := math.Min(float64(in.Width)/float64(size.X), float64(in.Height)/float64(size.Y))
	w, h = max(1, int(math.Round(float64(size.X)*scale))), max(1, int(math.Round(float64(size.Y)*scale)))
	dx, dy := subsampling(img.SubsampleRatio)
	order := map[string][3]int{"rgb": {0, 1, 2}, "bgr": {2, 1, 0}}[in.Colour]
	n := in.Width * in.Height
	tensor = make([]float64, 3*n)
	for y := range in.Height {
		for x := range in.Width {
			c := [3]float64{in.Pad, in.Pad, in.Pad}
			if x < w && y < h {
				px := float64(img.Rect.Min.X) + (float64(x)+0.5)/scale
				py := float64(img.Rect.Min.Y) + (float64(y)+0.5)/scale
				l := sample(px, py, 1, 1, img.Rect, func(x, y int) uint8 { return img.Y[img.YOffset(x, y)] })
				cb := sample(px, py, dx, dy, img.Rect, func(x, y int) uint8 { return img.Cb[img.COffset(x, y)] })
				cr := sample(px, py, dx, dy, img.Rect, func(x, y int) uint8 { return img.Cr[img.COffset(x, y)] })
				c = [3]float64{
					level(l + 1.402*(cr-128)),
					level(l - 0.344136*(cb-128) - 0.714136*(cr-128)),
					level(l + 1.772*(cb-128)),
				}
			}
			for i, p := range order {
				tensor[p*n+y*in.Width+x] = (c[i] - in.Mean[p]) / in.Std[p]
			}
		}
	}
	return tensor, w, h
}

func level(v float64) float64 { return math.Max(0, math.Min(255, v)) }

// sample interpolates a plane that has one sample per dx times dy pixels at a point of the picture. at
// takes a pixel of the picture.
func sample(px, py float64, dx, dy int, r image.Rectangle, at func(x, y int) uint8) float64 {
	line := func(p float64, step, lo, hi int) (a, b int, f float64) {
		v := p/float64(step) - 0.5
		v = math.Max(float64(lo/step), math.Min(float64((hi-1)/step), v))
		a = int(math.Floor(v))
		b = min(a+1, (hi-1)/step)
		return max(a*step, lo), max(b*step, lo), v - float64(a)
	}
	x0, x1, fx := line(px, dx, r.Min.X, r.Max.X)
	y0, y1, fy := line(py, dy, r.Min.Y, r.Max.Y)
	top := float64(at(x0, y0))*(1-fx) + float64(at(x1, y0))*fx
	bottom := float64(at(x0, y1))*(1-fx) + float64(at(x1, y1))*fx
	return top*(1-fy) + bottom*fy
}

// noise is a picture whose every sample is random: the worst an interpolation can meet.
func noise(r image.Rectangle, ratio image.YCbCrSubsampleRatio, seed uint64) *image.YCbCr {
	img := image.NewYCbCr(r, ratio)
	rng := rand.New(rand.NewPCG(seed, 7))
	for _, plane := range [][]byte{img.Y, img.Cb, img.Cr} {
		for i := range plane {
			plane[i] = byte(rng.Uint32())
		}
	}
	return img
}

func gray(r image.Rectangle) *image.YCbCr {
	img := noise(r, image.YCbCrSubsampleRatio444, 3)
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = 128, 128
	}
	return img
}

var plain = Input{Name: "images", Width: 96, Height: 64, Colour: "bgr", Std: [3]float64{1, 1, 1}, Pad: 114}

// inputs and pictures are the kinds that there are.
func inputs() map[string]Input {
	normal := plain
	normal.Colour, normal.Pad = "rgb", 0
	normal.Mean, normal.Std = [3]float64{123.675, 116.28, 103.53}, [3]float64{58.395, 57.12, 57.375}
	reversed := normal
	reversed.Colour, reversed.Pad = "bgr", 200
	return map[string]Input{"plain bgr": plain, "normalised rgb": normal, "normalised bgr": reversed}
}

func pictures() map[string]*image.YCbCr {
	return map[string]*image.YCbCr{
		"4:2:0 far down":     noise(image.Rect(0, 0, 1111, 707), image.YCbCrSubsampleRatio420, 1),
		"4:2:0 by a bit":     noise(image.Rect(0, 0, 107, 71), image.YCbCrSubsampleRatio420, 1),
		"4:2:0 down":         noise(image.Rect(0, 0, 333, 171), image.YCbCrSubsampleRatio420, 1),
		"4:2:0 by two":       noise(image.Rect(0, 0, 192, 128), image.YCbCrSubsampleRatio420, 1),
		"4:2:0 as it is":     noise(image.Rect(0, 0, 96, 64), image.YCbCrSubsampleRatio420, 1),
		"4:2:0 up":           noise(image.Rect(0, 0, 31, 17), image.YCbCrSubsampleRatio420, 1),
		"4:2:0 part of one":  noise(image.Rect(0, 0, 200, 200), image.YCbCrSubsampleRatio420, 2).SubImage(image.Rect(31, 45, 164, 118)).(*image.YCbCr),
		"4:2:2 upright":      noise(image.Rect(0, 0, 100, 301), image.YCbCrSubsampleRatio422, 1),
		"4:2:2 part of one":  noise(image.Rect(0, 0, 200, 200), image.YCbCrSubsampleRatio422, 2).SubImage(image.Rect(7, 9, 190, 108)).(*image.YCbCr),
		"4:4:4 down":         noise(image.Rect(0, 0, 333, 171), image.YCbCrSubsampleRatio444, 1),
		"4:4:0":              noise(image.Rect(0, 0, 333, 171), image.YCbCrSubsampleRatio440, 1),
		"4:1:1":              noise(image.Rect(0, 0, 333, 171), image.YCbCrSubsampleRatio411, 1),
		"4:1:0":              noise(image.Rect(0, 0, 333, 171), image.YCbCrSubsampleRatio410, 1),
		"gray":               gray(image.Rect(0, 0, 250, 90)),
		"one pixel":          noise(image.Rect(0, 0, 1, 1), image.YCbCrSubsampleRatio420, 1),
		"one row":            noise(image.Rect(0, 0, 500, 1), image.YCbCrSubsampleRatio420, 1),
		"one column, beside": noise(image.Rect(5, 3, 6, 400), image.YCbCrSubsampleRatio422, 1),
	}
}

func TestLetterboxAgainstOracle(t *testing.T) {
	for model, in := range inputs() {
		l := newLetterbox(in) // one for all pictures: nothing of the last may show in the next
		tensor := make([]float32, 3*in.Width*in.Height)
		for name, img := range pictures() {
			t.Run(model+" "+name, func(t *testing.T) {
				if err := l.fill(img, tensor); err != nil {
					t.Fatal(err)
				}
				want, w, h := oracle(img, in)
				if l.lines.width != w || l.lines.height != h {
					t.Errorf("picture is %dx%d in the tensor, want %dx%d", l.lines.width, l.lines.height, w, h)
				}
				worst := 0.0
				for i := range want {
					std := in.Std[i/(in.Width*in.Height)]
					worst = math.Max(worst, math.Abs(float64(tensor[i])-want[i])*std)
				}
				if !(worst <= maxLevels) {
					t.Errorf("differs by %.6f levels, want at most %v", worst, maxLevels)
				}
				t.Logf("largest difference %.6f levels", worst)
			})
		}
	}
}

// TestWithAndWithoutC holds the two ways to write a tensor against each other, bit by bit: a model sees
// the same on every computer.
func TestWithAndWithoutC(t *testing.T) {
	for model, in := range inputs() {
		l, tensor := newLetterbox(in), make([]float32, 3*in.Width*in.Height)
		for name, img := range pictures() {
			if err := l.fill(img, tensor); err != nil {
				t.Fatal(err)
			}
			want := slices.Clone(tensor)
			clear(tensor)
			l.padding(tensor)
			l.place(img)
			l.lines.writeGo()
			for i, v := range tensor {
				if math.Float32bits(v) != math.Float32bits(want[i]) {
					t.Fatalf("%s, %s: value %d is %v in Go, %v in C", model, name, i, v, want[i])
				}
			}
		}
	}
}

func TestLetterboxPlacesPictureAtTopLeft(t *testing.T) {
	img := image.NewYCbCr(image.Rect(0, 0, 48, 64), image.YCbCrSubsampleRatio444)
	y, cb, cr := color.RGBToYCbCr(200, 100, 50)
	for i := range img.Y {
		img.Y[i], img.Cb[i], img.Cr[i] = y, cb, cr
	}
	l := newLetterbox(plain)
	n := plain.Width * plain.Height
	tensor := make([]float32, 3*n)
	if err := l.fill(img, tensor); err != nil {
		t.Fatal(err)
	}
	at := func(plane, x, y int) float64 { return math.Round(float64(tensor[plane*n+y*plain.Width+x])) }
	for plane, want := range []float64{50, 100, 200} { // bgr
		for _, p := range []image.Point{{0, 0}, {47, 0}, {0, 63}, {47, 63}} {
			if got := at(plane, p.X, p.Y); math.Abs(got-want) > 1 {
				t.Errorf("plane %d at %v: got %v, want %v", plane, p, got, want)
			}
		}
		if got := at(plane, 48, 0); got != plain.Pad {
			t.Errorf("plane %d beside the picture: got %v, want %v", plane, got, plain.Pad)
		}
	}
}

func TestLetterboxRefusesBrokenPictures(t *testing.T) {
	short := noise(image.Rect(0, 0, 64, 64), image.YCbCrSubsampleRatio420, 1)
	short.Cr = short.Cr[:len(short.Cr)-1]
	narrow := noise(image.Rect(0, 0, 64, 64), image.YCbCrSubsampleRatio420, 1)
	narrow.YStride = 63
	odd := noise(image.Rect(0, 0, 64, 64), image.YCbCrSubsampleRatio420, 1)
	odd.SubsampleRatio = 99
	for _, c := range []struct {
		name string
		img  *image.YCbCr
		want string
	}{
		{"nil", nil, "no picture"},
		{"empty", &image.YCbCr{}, "picture (0,0)-(0,0): must be within 0 and 32768 pixels and not empty"},
		{"huge", &image.YCbCr{Rect: image.Rect(0, 0, 1<<30, 1<<30)},
			"picture (0,0)-(1073741824,1073741824): must be within 0 and 32768 pixels and not empty"},
		{"negative", &image.YCbCr{Rect: image.Rect(-8, 0, 8, 8)}, "picture (-8,0)-(8,8): must be within 0 and 32768 pixels and not empty"},
		{"short plane", short, "picture (0,0)-(64,64): its planes are shorter than its size"},
		{"narrow stride", narrow, "picture (0,0)-(64,64): its planes are shorter than its size"},
		{"no planes", &image.YCbCr{Rect: image.Rect(0, 0, 8, 8)}, "picture (0,0)-(8,8): its planes are shorter than its size"},
		{"unknown subsampling", odd, "picture (0,0)-(64,64): unknown chroma subsampling YCbCrSubsampleRatioUnknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := newLetterbox(plain).fill(c.img, make([]float32, 3*96*64))
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// scene is a picture as smooth as pictures are.
func scene(r image.Rectangle, ratio image.YCbCrSubsampleRatio) *image.YCbCr {
	img := noise(r, ratio, 1)
	for i, v := range img.Y {
		img.Y[i] = byte(60 + i%r.Dx()*120/r.Dx() + int(v)/32)
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = 110+img.Cb[i]/32, 120+img.Cr[i]/32
	}
	return img
}

func BenchmarkLetterbox(b *testing.B) {
	for _, c := range []struct {
		from  image.Rectangle
		ratio image.YCbCrSubsampleRatio
		w, h  int
	}{
		{image.Rect(0, 0, 480, 270), image.YCbCrSubsampleRatio420, 416, 416}, // as the skim of a 1080p JPEG gives it
		{image.Rect(0, 0, 1920, 1080), image.YCbCrSubsampleRatio420, 416, 416},
		{image.Rect(0, 0, 960, 540), image.YCbCrSubsampleRatio420, 960, 544},
		{image.Rect(0, 0, 1920, 1080), image.YCbCrSubsampleRatio420, 960, 544},
		{image.Rect(0, 0, 1920, 1080), image.YCbCrSubsampleRatio420, 1280, 736},
		{image.Rect(0, 0, 1920, 1080), image.YCbCrSubsampleRatio420, 416, 256},
		{image.Rect(0, 0, 1920, 1080), image.YCbCrSubsampleRatio422, 640, 384},
		{image.Rect(0, 0, 1280, 720), image.YCbCrSubsampleRatio420, 640, 384},
		{image.Rect(0, 0, 1280, 720), image.YCbCrSubsampleRatio420, 1280, 736},
	} {
		name := fmt.Sprintf("%dx%d_%s_to_%dx%d", c.from.Dx(), c.from.Dy(), strings.TrimPrefix(c.ratio.String(), "YCbCrSubsampleRatio"), c.w, c.h)
		b.Run(name, func(b *testing.B) {
			in := plain
			in.Width, in.Height = c.w, c.h
			l, img := newLetterbox(in), scene(c.from, c.ratio)
			tensor := make([]float32, 3*c.w*c.h)
			b.ReportAllocs()
			for b.Loop() {
				if err := l.fill(img, tensor); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(l.lines.width*l.lines.height), "ns/px")
		})
	}
}
