package main

import "math"

// look is what a material says about one place: how it takes the light.
type look struct {
	base  vec     // diffuse colour, linear
	emit  vec     // light of its own
	shine float64 // reflection seen straight on, 0.04 for varnish; 0 = dull
	rough float64 // 0 mirrors, 1 spreads
	n     vec     // normal to use instead of the body's; zero = the body's
}

// material answers for every place of a body. It is called from several goroutines and keeps nothing.
type material func(h *hit) look

// sunlight is the one lamp of the scene: direction to it, and the colours of sun, sky and ground.
type sunlight struct{ to, sun, sky, ground vec }

func morning() sunlight {
	return sunlight{
		to:     vec{0.24, 0.80, -0.66}.unit(),
		sun:    vec{1.0, 0.92, 0.80}.mul(2.7),
		sky:    vec{0.62, 0.76, 1.0}.mul(1.05),
		ground: vec{0.46, 0.42, 0.37}.mul(0.75),
	}
}

// heaven is the sky in a direction, with fair-weather clouds.
func heaven(d vec) vec {
	up := max(d.Y, 0)
	c := srgb(0xdfe8ee).mix(srgb(0x86aedb), step(0, 0.62, math.Sqrt(up)*0.9))
	k := 1 / (up + 0.22)
	puff := clouds(d.X*k*1.3+3, d.Z*k*1.3, 901)
	c = c.mix(vec{0.93, 0.93, 0.93}, 0.85*step(0.47, 0.72, puff)*step(0, 0.12, up))
	return c.mul(1.12)
}

// mirrored is what a shiny body shows of its surroundings: sky, house fronts, road.
func mirrored(d vec, rough float64) vec {
	wall := srgb(0x7d6a5c).mix(srgb(0xb9aa92), grain(math.Atan2(d.X, d.Z)*5, d.Y*3, 31)).mul(0.8)
	road := srgb(0x6e6d6c).mul(0.8)
	soft := 0.05 + rough*0.5
	// House fronts stand on both sides; along the street the sky reaches lower.
	roof := mix(0.12, 0.5, math.Abs(d.X)/(math.Abs(d.X)+math.Abs(d.Z)+1e-9))
	c := road.mix(wall, step(-soft, soft, d.Y-0.02))
	return c.mix(heaven(d), step(roof-soft, roof+soft, d.Y))
}

// shaded returns the light that leaves the place towards the eye. open is the unhindered share of the sky, sunny
// the share of the sun.
func (s sunlight) shaded(h *hit, l look, open, sunny float64) vec {
	n := h.n
	if l.n != (vec{}) {
		n = l.n
	}
	facing := max(n.dot(s.to), 0)
	sky := s.ground.mix(s.sky, 0.5+0.5*n.Y).mul(open)
	c := l.base.by(sky.add(s.sun.mul(facing * sunny))).add(l.emit)
	if l.shine <= 0 {
		return c
	}
	back := h.dir.reflect(n)
	graze := clamp(1+h.dir.dot(n), 0, 1)
	graze *= graze * graze * graze * graze
	f := l.shine + (1-l.shine)*graze*(1-l.rough*0.7)
	c = c.mul(1 - f).add(mirrored(back, l.rough).mul(f * mix(0.4, 1, open) * (1 - 0.5*l.rough)))
	glint := math.Exp(mix(220, 12, l.rough) * (back.dot(s.to) - 1))
	return c.add(s.sun.mul(glint * sunny * f * mix(6, 0.8, l.rough)))
}

// haze adds the air between the place and the eye.
func haze(c, dir vec, dist float64) vec {
	k := 1 - math.Exp(-dist/520)
	return c.mix(heaven(vec{dir.X, 0.05, dir.Z}).mul(0.95), k)
}

// developed turns linear light into a display value in [0, 1]: exposure, a film-like shoulder, the sRGB curve.
func developed(c vec) vec {
	f := func(x float64) float64 {
		x = max(x, 0) * 0.62
		x = x * (2.51*x + 0.03) / (x*(2.43*x+0.59) + 0.14)
		x = clamp(x, 0, 1)
		if x <= 0.0031308 {
			return 12.92 * x
		}
		return 1.055*math.Pow(x, 1/2.4) - 0.055
	}
	grey := c.dot(vec{0.25, 0.65, 0.10})
	c = vec{grey, grey, grey}.mix(c, 0.80) // small cameras are paler than paint charts
	return vec{f(c.X), f(c.Y), f(c.Z)}
}
