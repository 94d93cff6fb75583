package main

import (
	"image"
	"math"
	"slices"
)

// film is what a camera does to light: exposure, colour, blur, glow and noise. Its buffers serve one picture after the
// other.
type film struct {
	w, h   int
	extra  []vec   // light of further samples
	more   []uint8 // how many there were
	planes [3][]float32
	spare  []float32
}

func newFilm(w, h int) *film {
	f := &film{w: w, h: h, extra: make([]vec, w*h), more: make([]uint8, w*h), spare: make([]float32, w*h)}
	for i := range f.planes {
		f.planes[i] = make([]float32, w*h)
	}
	return f
}

// development is how one scene's film is treated.
type development struct {
	key       float64 // brightness that the middle of the picture is brought to
	most      float64 // gain that the camera does not exceed
	cast      vec     // gain per channel
	grey      float64 // share of colour that is lost
	punch     float64 // contrast
	lift      float64 // black that is not black
	hard      bool    // clips instead of rolling off
	corner    float64 // darker corners
	noise     float64
	coarse    bool // noise in blotches, as small sensors smear it
	focus     float64
	dx, dy    float64 // path of the picture while the shutter is open, pixels
	glow      float64
	sharpened float64
	quality   int
	seed      int
	bright    float64 // where the brightest parts of the picture come to lie; 1 = just white
	veil      float64 // dirt on the glass before the lens
}

// newDevelopment draws a camera for the weather; scale is 1 for pictures 960 wide.
func newDevelopment(d *dice, a *weather, scale float64) development {
	v := development{
		key: 0.33 * math.Exp2(d.between(-1.1, 0.9)), most: d.between(20, 90), cast: vec{1, 1, 1}, grey: d.between(-0.1, 0.4),
		punch: d.between(0.85, 1.5), corner: d.between(0, 0.3), noise: 0.004 + 0.018*d.next()*d.next(), focus: d.between(0.25, 0.7),
		glow: d.between(0, 0.1), sharpened: max(0, d.between(-0.6, 0.9)), quality: 58 + d.pick(38), seed: d.pick(1 << 20),
		hard: d.next() < 0.4, coarse: d.next() < 0.5, bright: 0.75 * math.Exp2(1.6*d.next()),
	}
	if a.dark {
		v.key *= d.between(0.25, 0.9)
		v.noise += d.between(0.005, 0.05)
		v.glow += d.between(0, 0.35)
	}
	v.tint(d, a)
	if d.next() < 0.15 {
		v.lift, v.punch = d.between(0.03, 0.2), v.punch*d.between(0.5, 0.9)
	}
	if d.next() < 0.2 {
		v.focus = d.between(0.7, 1.9)
	}
	if d.next() < 0.15 {
		turn, long := d.between(0, 2*math.Pi), d.between(2, 9)
		v.dx, v.dy = math.Cos(turn)*long, math.Sin(turn)*long*0.5
	}
	if d.next() < 0.12 {
		v.bright *= 4
	}
	if d.next() < 0.12 {
		v.veil = d.between(0.05, 0.35)
	}
	if d.next() < 0.06 {
		v.noise += d.between(0.02, 0.05)
	}
	v.focus, v.dx, v.dy = v.focus*scale, v.dx*scale, v.dy*scale
	return v
}

// tint throws the colours off: the balance of any camera, sodium light, or a camera without its infrared filter.
func (v *development) tint(d *dice, a *weather) {
	warm := d.between(-0.25, 0.25)
	v.cast = vec{1 + warm, 1 + d.between(-0.06, 0.06), 1 - warm}
	switch k := d.next(); {
	case k < 0.05 || a.dark && k < 0.18:
		v.cast = vec{1.35, d.between(0.45, 0.75), d.between(0.7, 1.15)}
		v.grey = d.between(0.4, 0.8)
	case k < 0.26:
		v.cast = kelvin(d.between(-0.5, 0.8))
	case k > 0.97:
		v.grey = 1
	}
}

// develop turns the light into a picture and leaves it without noise in the planes, for the labels to see what can be
// seen at all.
func (t *studio) develop(v development) *image.RGBA {
	f := t.film
	gain := t.gain(v)
	for i, c := range t.sum {
		x, y := float64(i%f.w)-float64(f.w)/2, float64(i/f.w)-float64(f.h)/2
		k := gain * (1 - v.corner*4*(x*x+y*y)/float64(f.w*f.w))
		grey := c.dot(vec{0.3, 0.6, 0.1})
		c = c.mix(vec{grey, grey, grey}, v.grey).by(v.cast)
		f.planes[0][i], f.planes[1][i], f.planes[2][i] = float32(c.X*k), float32(c.Y*k), float32(c.Z*k)
	}
	f.bloom(v.glow)
	f.dirt(v)
	for _, p := range f.planes {
		f.soften(p, v.focus)
		f.smear(p, v.dx, v.dy)
	}
	return f.print(v)
}

// gain measures the light as an automatic exposure does: the mean of the logarithms, the middle counting more, held
// back where much would turn white.
func (t *studio) gain(v development) float64 {
	sum, weight := 0.0, 0.0
	var all []float64
	w, h := t.eye.w, t.eye.h
	for y := 2; y < h; y += 5 {
		for x := 2; x < w; x += 5 {
			k := 1 - 0.6*math.Abs(float64(2*x-w)/float64(w))
			c := t.sum[y*w+x]
			light := c.dot(vec{0.3, 0.6, 0.1})
			all = append(all, light)
			sum += k * math.Log(0.004+light)
			weight += k
		}
	}
	slices.Sort(all)
	return min(v.key/math.Exp(sum/weight), v.bright/(all[len(all)*95/100]+1e-4), v.most)
}

// dirt lays streaks of scattered light over the picture, as a windscreen does.
func (f *film) dirt(v development) {
	if v.veil == 0 {
		return
	}
	k := 5 / float64(f.w)
	for i := range f.spare {
		x, y := float64(i%f.w)*k, float64(i/f.w)*k
		q := float32(v.veil * step(0.4, 0.8, grain(x+0.4*y, y*2.2-x, v.seed)+0.3*grain(x*5, y*5, v.seed+1)-0.15))
		for _, p := range f.planes {
			p[i] = p[i]*(1-0.5*q) + 0.35*q
		}
	}
}

// bloom spreads what is too bright for the film over its surroundings.
func (f *film) bloom(share float64) {
	if share < 0.01 {
		return
	}
	const step = 4
	w, h := f.w/step, f.h/step
	small, spare := make([]float32, w*h), make([]float32, w*h)
	for _, p := range f.planes {
		for i := range small {
			at := i/w*step*f.w + i%w*step
			small[i] = 0
			for k := range step * step {
				small[i] += min(max(p[at+k/step*f.w+k%step]-1, 0), 10) / (step * step)
			}
		}
		for _, r := range []int{2, 4, 9} {
			boxed(small, spare, w, r)
		}
		for i := range p {
			x, y := min(i%f.w/step, w-1), min(i/f.w/step, h-1)
			p[i] += float32(share) * small[y*w+x]
		}
	}
}

// boxed averages over squares of 2r+1 cells.
func boxed(p, spare []float32, w, r int) {
	h := len(p) / w
	for y := range h {
		runMean(p[y*w:], spare[y*w:], [3]int{w, 1, r})
	}
	for x := range w {
		runMean(spare[x:], p[x:], [3]int{h, w, r})
	}
}

// runMean averages a row of n cells, stride apart, over 2r+1 neighbours; n, stride and r come as one value.
func runMean(in, out []float32, shape [3]int) {
	n, stride, r := shape[0], shape[1], shape[2]
	sum := float32(0)
	for i := -r; i < n; i++ {
		if i+r < n {
			sum += in[(i+r)*stride]
		}
		if i-r-1 >= 0 {
			sum -= in[(i-r-1)*stride]
		}
		if i >= 0 {
			out[i*stride] = max(sum, 0) / float32(2*r+1)
		}
	}
}

// soften blurs like a lens out of focus.
func (f *film) soften(p []float32, sigma float64) {
	r := int(math.Ceil(sigma * 2.2))
	kernel := make([]float32, 2*r+1)
	total := float32(0)
	for i := range kernel {
		x := float64(i - r)
		kernel[i] = float32(math.Exp(-x * x / (2*sigma*sigma + 1e-9)))
		total += kernel[i]
	}
	for i := range kernel {
		kernel[i] /= total
	}
	for y := range f.h {
		row, out := p[y*f.w:(y+1)*f.w], f.spare[y*f.w:(y+1)*f.w]
		for x := range row {
			sum := float32(0)
			for k, c := range kernel {
				sum += c * row[min(max(x+k-r, 0), f.w-1)]
			}
			out[x] = sum
		}
	}
	for y := range f.h {
		out := p[y*f.w : (y+1)*f.w]
		clear(out)
		for k, c := range kernel {
			row := f.spare[min(max(y+k-r, 0), f.h-1)*f.w:]
			for x := range out {
				out[x] += c * row[x]
			}
		}
	}
}

// smear blurs along the path that the picture takes while the shutter is open.
func (f *film) smear(p []float32, dx, dy float64) {
	n := int(math.Hypot(dx, dy))
	if n < 1 {
		return
	}
	copy(f.spare, p)
	clear(p)
	for k := range n + 1 {
		q := float64(k)/float64(n) - 0.5
		ox, oy := int(math.Round(dx*q)), int(math.Round(dy*q))
		for y := range f.h {
			row := f.spare[min(max(y+oy, 0), f.h-1)*f.w:]
			out := p[y*f.w : (y+1)*f.w]
			for x := range out {
				out[x] += row[min(max(x+ox, 0), f.w-1)] / float32(n+1)
			}
		}
	}
}
