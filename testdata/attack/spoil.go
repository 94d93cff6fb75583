package main

import (
	"image"
	"math"
)

// What others do. Each changes a rectangle from what is in that rectangle: as it is
// usually written, on the detector's box.

// black covers an area.
func black(area func(*stage) image.Rectangle) func(*picture, *stage) {
	return func(p *picture, s *stage) {
		for i, v := range []float32{16, 128, 128} {
			p.planes[i].set(samples(i, area(s)), v)
		}
	}
}

// ownDC keeps the mean of each block of the file, and nothing else: what is left when
// only the other coefficients are zeroed.
func ownDC() *method {
	return &method{
		name: "each block's own DC", kind: broken, usual: true, area: applied,
		spoil: func(p *picture, s *stage) {
			for i := range p.planes {
				p.planes[i].tile(samples(i, s.applied), 8)
			}
		},
	}
}

// mosaic replaces cells by their means, beginning at the corner of the box.
func mosaic(name string, side func(*stage) int) *method {
	return &method{
		name: name, kind: exhibit, area: box,
		spoil: func(p *picture, s *stage) {
			for i := range p.planes {
				n := side(s)
				if i > 0 {
					n = (n + 1) / 2
				}
				p.planes[i].tile(samples(i, s.box), n)
			}
		},
	}
}

// gaussian blurs the box, mirrored at its border.
func gaussian(name string, sigma func(*stage) float64) *method {
	return &method{
		name: name, kind: exhibit, area: box, sigma: sigma,
		spoil: func(p *picture, s *stage) {
			for i := range p.planes {
				by := sigma(s)
				if i > 0 {
					by /= 2
				}
				p.planes[i].blur(samples(i, s.box), kernel(by))
			}
		},
	}
}

func (c plane) set(r image.Rectangle, v float32) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c.v[y*c.w+x] = v
		}
	}
}

// tile sets each square of r to its mean; the last ones are cut off by r.
func (c plane) tile(r image.Rectangle, side int) {
	for y := r.Min.Y; y < r.Max.Y; y += side {
		for x := r.Min.X; x < r.Max.X; x += side {
			cell := image.Rect(x, y, x+side, y+side).Intersect(r)
			c.set(cell, c.mean(cell))
		}
	}
}

// kernel is the right half of a Gaussian, from its middle out to three sigma.
func kernel(sigma float64) []float32 {
	taps := make([]float32, int(math.Ceil(3*sigma))+1)
	sum := 0.0
	for i := range taps {
		v := math.Exp(-float64(i*i) / (2 * sigma * sigma))
		taps[i] = float32(v)
		sum += 2 * v
	}
	for i := range taps {
		taps[i] /= float32(sum - 1)
	}
	return taps
}

// blur convolves r with the kernel, along rows and then along columns.
func (c plane) blur(r image.Rectangle, taps []float32) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		convolve(c.v[y*c.w+r.Min.X:], 1, r.Dx(), taps)
	}
	for x := r.Min.X; x < r.Max.X; x++ {
		convolve(c.v[r.Min.Y*c.w+x:], c.w, r.Dy(), taps)
	}
}

// convolve blurs n samples that lie stride apart.
func convolve(v []float32, stride, n int, taps []float32) {
	reach := len(taps) - 1
	line := make([]float32, n+2*reach)
	for i := range line {
		line[i] = v[mirror(i-reach, n)*stride]
	}
	for i := range n {
		sum := taps[0] * line[i+reach]
		for k := 1; k <= reach; k++ {
			sum += taps[k] * (line[i+reach-k] + line[i+reach+k])
		}
		v[i*stride] = sum
	}
}

// mirror folds an index into 0 to n-1, repeating the last sample at each border.
func mirror(i, n int) int {
	i = ((i % (2 * n)) + 2*n) % (2 * n)
	return min(i, 2*n-1-i)
}
