package main

import (
	"image"
	"math"
)

// wiener undoes a blur: a Wiener filter, and then each character by itself compared with
// all glyphs. A blur that mirrors at the border is a product in the cosine transform, so
// nothing is lost at the border of the box.
type wiener struct {
	stage      *stage
	rows, cols transform
	gain       []float32
}

// noiseToSignal of a published picture: two JPEGs and a camera against black on yellow.
const noiseToSignal = 1e-3

func newWiener(s *stage, m *method) *wiener {
	sigma := usualSigma // where there was no blur, the usual one is presumed
	if m.sigma != nil {
		sigma = m.sigma(s)
	}
	size := s.box.Size()
	w := &wiener{stage: s, rows: newTransform(size.X), cols: newTransform(size.Y), gain: make([]float32, size.X*size.Y)}
	taps := kernel(sigma)
	for y := range size.Y {
		for x := range size.X {
			h := response(taps, x, size.X) * response(taps, y, size.Y)
			w.gain[y*size.X+x] = float32(h / (h*h + noiseToSignal))
		}
	}
	return w
}

// response is what the kernel does to wave k of n.
func response(taps []float32, k, n int) float64 {
	sum := float64(taps[0])
	for i, t := range taps[1:] {
		sum += 2 * float64(t) * math.Cos(math.Pi*float64(k*(i+1))/float64(n))
	}
	return sum
}

// read restores the plate and reads it.
func (w *wiener) read(v view) (text plate) {
	s := w.stage
	box := s.box.Sub(v.at)
	sharp := newPlane(box.Dx(), box.Dy())
	for y := range sharp.h {
		copy(sharp.v[y*sharp.w:][:sharp.w], v.planes[0].v[(box.Min.Y+y)*v.planes[0].w+box.Min.X:])
	}
	w.restore(sharp)
	for i := range text {
		corner := s.text.Sub(s.box.Min).Add(image.Pt(i*s.advance, 0))
		best := math.Inf(1)
		for c, g := range s.glyphs[:symbols] {
			// Ink is dark: the least correlation is the best.
			if v := sharp.correlation(g, corner); v < best {
				text[i], best = c, v
			}
		}
	}
	return text
}

func (w *wiener) restore(p plane) {
	w.both(p, transform.forward)
	for i, g := range w.gain {
		p.v[i] *= g
	}
	w.both(p, transform.inverse)
}

// both applies a transform along rows and columns.
func (w *wiener) both(p plane, along func(t transform, v []float32)) {
	for y := range p.h {
		along(w.rows, p.v[y*p.w:][:p.w])
	}
	column := make([]float32, p.h)
	for x := range p.w {
		for y := range column {
			column[y] = p.v[y*p.w+x]
		}
		along(w.cols, column)
		for y, v := range column {
			p.v[y*p.w+x] = v
		}
	}
}

// correlation of the glyph with what lies at a corner, -1 to 1.
func (c plane) correlation(g glyph, at image.Point) float64 {
	var sa, sb, saa, sbb, sab float64
	for y := range g.h {
		row := c.v[(at.Y+y)*c.w+at.X:][:g.w]
		for x, v := range row {
			a, b := float64(v), float64(g.ink[y*g.w+x])
			sa, sb, saa, sbb, sab = sa+a, sb+b, saa+a*a, sbb+b*b, sab+a*b
		}
	}
	n := float64(g.w * g.h)
	spread := (saa - sa*sa/n) * (sbb - sb*sb/n)
	if spread <= 1e-9 {
		return 0
	}
	return (sab - sa*sb/n) / math.Sqrt(spread)
}

// transform is the orthonormal cosine transform of n samples, by waves.
type transform [][]float32

func newTransform(n int) transform {
	t := make(transform, n)
	for k := range t {
		t[k] = make([]float32, n)
		scale := math.Sqrt(2 / float64(n))
		if k == 0 {
			scale = math.Sqrt(1 / float64(n))
		}
		for i := range t[k] {
			t[k][i] = float32(scale * math.Cos(math.Pi*float64(k)*(float64(i)+0.5)/float64(n)))
		}
	}
	return t
}

func (t transform) forward(v []float32) {
	out := make([]float32, len(v))
	for k, wave := range t {
		out[k] = dot(wave, v)
	}
	copy(v, out)
}

func (t transform) inverse(v []float32) {
	out := make([]float32, len(v))
	for k, wave := range t {
		for i, c := range wave {
			out[i] += v[k] * c
		}
	}
	copy(v, out)
}
