package main

import (
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"math"
	"os"
)

// pixmap is a picture that surfaces carry, with copies of half the size down to a few pixels. Colours are as in the
// file (sRGB, straight alpha); where nothing shows they continue what is near.
type pixmap struct{ levels []*image.NRGBA }

// mostPixels bounds how large a texture may be.
const mostPixels = 1 << 24

func readPixmap(path string) (*pixmap, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head, err := png.DecodeConfig(f)
	if err == nil && head.Width*head.Height > mostPixels {
		err = fmt.Errorf("%d x %d pixels are too many", head.Width, head.Height)
	}
	if err == nil {
		_, err = f.Seek(0, 0)
	}
	var img image.Image
	if err == nil {
		img, err = png.Decode(f)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return newPixmap(img), nil
}

func newPixmap(img image.Image) *pixmap {
	top, ok := img.(*image.NRGBA)
	if !ok {
		top = image.NewNRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
		draw.Draw(top, top.Rect, img, img.Bounds().Min, draw.Src)
	}
	t := &pixmap{levels: []*image.NRGBA{top}}
	for last := top; min(last.Rect.Dx(), last.Rect.Dy()) > 4; {
		last = halved(last)
		t.levels = append(t.levels, last)
	}
	for k := len(t.levels) - 2; k >= 0; k-- {
		spill(t.levels[k], t.levels[k+1])
	}
	return t
}

// plainPixmap is one colour.
func plainPixmap() *pixmap {
	img := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	copy(img.Pix, []byte{188, 188, 188, 255})
	return &pixmap{levels: []*image.NRGBA{img}}
}

// halved is a picture at half its size; what does not show does not colour it.
func halved(img *image.NRGBA) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, max(img.Rect.Dx()/2, 1), max(img.Rect.Dy()/2, 1)))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			var c [3]float64
			sum := 0.0
			for k := range 4 {
				p := img.Pix[img.PixOffset(min(2*x+k&1, img.Rect.Dx()-1), min(2*y+k>>1, img.Rect.Dy()-1)):]
				a := float64(p[3]) + 0.001
				for i := range c {
					c[i] += float64(p[i]) * float64(p[i]) * a
				}
				sum += a
			}
			q := out.Pix[out.PixOffset(x, y):]
			for i := range c {
				q[i] = byte(math.Sqrt(c[i]/sum) + 0.5)
			}
			q[3] = byte(sum/4 + 0.5)
		}
	}
	return out
}

// spill gives the places of fine that do not show the colour that coarse has there.
func spill(fine, coarse *image.NRGBA) {
	for y := range fine.Rect.Dy() {
		for x := range fine.Rect.Dx() {
			p := fine.Pix[fine.PixOffset(x, y):]
			if p[3] < 16 {
				q := coarse.PixOffset(min(x/2, coarse.Rect.Dx()-1), min(y/2, coarse.Rect.Dy()-1))
				copy(p[:3], coarse.Pix[q:q+3])
			}
		}
	}
}

// at returns the colour, linear, and the opacity at a place of a level, interpolated between pixels.
func (t *pixmap) at(u, v float64, level int) (vec, float64) {
	img := t.levels[min(level, len(t.levels)-1)]
	w, h := img.Rect.Dx(), img.Rect.Dy()
	x, y := u*float64(w)-0.5, (1-v)*float64(h)-0.5
	fx, fy := math.Floor(x), math.Floor(y)
	kx, ky := x-fx, y-fy
	x0, y0 := fold(int(fx), w), fold(int(fy), h)
	x1, y1 := fold(x0+1, w), fold(y0+1, h)
	a, b := img.Pix[img.PixOffset(x0, y0):], img.Pix[img.PixOffset(x1, y0):]
	c, d := img.Pix[img.PixOffset(x0, y1):], img.Pix[img.PixOffset(x1, y1):]
	f := func(i int) float64 {
		return mix(mix(float64(a[i]), float64(b[i]), kx), mix(float64(c[i]), float64(d[i]), kx), ky) / 255
	}
	return vec{linear(f(0)), linear(f(1)), linear(f(2))}, f(3)
}

func fold(x, n int) int {
	x %= n
	if x < 0 {
		x += n
	}
	return x
}

// linear is the light of a display value, see srgb.
func linear(c float64) float64 { return c * (c*(c*0.305306011+0.682171111) + 0.012522878) }
