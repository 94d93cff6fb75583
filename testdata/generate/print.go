package main

import (
	"image"
	"math"
)

// curve is a film's answer to light as a table; light from 0 to curveTop.
type curve [4096]float32

const curveTop = 6.0

// newCurve is a shoulder or a clip, the sRGB curve, then contrast round the middle and lifted blacks.
func newCurve(v development) *curve {
	var t curve
	for i := range t {
		// Squared spacing: the dark end needs the finer steps.
		x := float64(i) / float64(len(t)-1)
		x *= x * curveTop
		if !v.hard {
			x = x * (2.51*x + 0.03) / (x*(2.43*x+0.59) + 0.14)
		}
		x = clamp(x, 0, 1)
		x = max(12.92*min(x, 0.0031308), 1.055*math.Pow(x, 1/2.4)-0.055)
		x = clamp(0.5+(x-0.5)*v.punch, 0, 1)
		t[i] = float32(v.lift + x*(1-v.lift))
	}
	return &t
}

func (t *curve) at(x float32) float32 {
	x = min(max(x, 0), curveTop)
	return t[int(float32(math.Sqrt(float64(x/curveTop)))*float32(len(t)-1)+0.5)]
}

// print puts the exposed planes on paper: the curve, sharpening as cameras do it, noise.
func (f *film) print(v development) *image.RGBA {
	c := newCurve(v)
	for _, p := range f.planes {
		for i, x := range p {
			p[i] = c.at(x)
		}
		if v.sharpened > 0 {
			f.sharpen(p, float32(v.sharpened))
		}
	}
	img := image.NewRGBA(image.Rect(0, 0, f.w, f.h))
	for i := range f.spare {
		x, y := i%f.w, i/f.w
		n := v.grain(x, y)
		for k, p := range f.planes {
			// Shot noise is strongest in the middle tones once the curve has done its work.
			tone := float64(p[i])
			img.Pix[4*i+k] = byteOf(tone + n[k]*(0.55+1.4*tone*(1-tone)))
		}
		img.Pix[4*i+3] = 255
	}
	return img
}

// grain is the noise of one pixel: some that all channels share, some of each.
func (v development) grain(x, y int) (n [3]float64) {
	u := hash(x, y, v.seed)
	part := func(shift uint) float64 {
		return (float64(u>>shift&255) + float64(u>>(shift+8)&255) - 255) / 104 // two bytes: near enough a bell of width 1
	}
	shared := part(0)
	if v.coarse {
		q := hash(x/2, y/2, v.seed+1)
		shared = 0.6*shared + 0.7*(float64(q&255)-127.5)/74
	}
	for k := range n {
		n[k] = v.noise * (0.7*shared + 0.6*part(uint(16+16*k)))
	}
	return n
}

// sharpen adds what a pixel differs by from its neighbours.
func (f *film) sharpen(p []float32, k float32) {
	copy(f.spare, p)
	for y := 1; y < f.h-1; y++ {
		for i := y*f.w + 1; i < (y+1)*f.w-1; i++ {
			mean := (f.spare[i-1] + f.spare[i+1] + f.spare[i-f.w] + f.spare[i+f.w]) / 4
			p[i] = f.spare[i] + k*(f.spare[i]-mean)
		}
	}
}
