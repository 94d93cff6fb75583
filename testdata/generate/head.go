package main

import "math"

// hairstyle says how a head is covered.
type hairstyle int

const (
	short hairstyle = iota
	long
	bun
	bald
	beanie
	scarf
)

// skull returns the point of a head at azimuth az (0 ahead) and elevation el, in metres from the head's middle.
func skull(az, el float64) vec {
	sa, ca := math.Sincos(az)
	y, c := math.Sincos(el)
	deep := 0.096
	if ca < 0 {
		deep = 0.104
	}
	low := step(-0.1, -1, y)
	p := vec{0.076 * c * sa * (1 - 0.30*low*low), 0.118 * y, deep * c * ca}
	if ca < 0 {
		p.Z *= 1 - 0.45*step(-0.2, -0.9, y)
		return p
	}
	bell := func(x, w float64) float64 { return math.Exp(-x * x / (w * w)) }
	x, front := math.Abs(p.X), ca*ca
	ridge := step(0.022, -0.024, p.Y) * step(-0.039, -0.030, p.Y)
	p.Z += front * (0.024*ridge*bell(x, 0.0115) -
		0.009*bell(x-0.031, 0.016)*bell(p.Y-0.014, 0.013) +
		0.005*bell(x, 0.05)*bell(p.Y-0.036, 0.012) +
		0.006*bell(x, 0.024)*bell(p.Y+0.060, 0.011) +
		0.012*bell(x, 0.028)*bell(p.Y+0.105, 0.024))
	return p
}

// faceSpan is how far round the head the face reaches, in radians.
const faceSpan = 1.15

// dome lofts the part of the head that keep accepts, moved out by thick. n sets how fine.
func dome(n int, thick float64, keep func(az float64, p vec) bool) *mesh {
	m := &mesh{}
	cols := n
	for i := range n + 1 {
		el := math.Pi * (float64(i)/float64(n) - 0.5)
		for j := range cols + 1 {
			u := 2*float64(j)/float64(cols) - 1
			p := skull(math.Pi*(0.4*u+0.6*u*u*u), el)
			p = p.add(p.unit().mul(thick * (1 + 0.35*step(0.04, 0.12, p.Y))))
			m.vs = append(m.vs, vertex{p: p, o: p})
		}
	}
	for i := range n {
		for j := range cols {
			a := int32(i*(cols+1) + j)
			b := a + int32(cols) + 1
			u := (2*float64(j)+1)/float64(cols) - 1
			if keep(math.Pi*(0.4*u+0.6*u*u*u), m.vs[a].p.mix(m.vs[b+1].p, 0.5)) {
				m.ts = append(m.ts, [3]int32{a, b, b + 1}, [3]int32{a, b + 1, a + 1})
			}
		}
	}
	m.smooth(0, 0)
	return m
}

// isFace tells the face from the rest of the head.
func isFace(az float64, p vec) bool { return math.Abs(az) < faceSpan && p.Y < 0.075 }

// hairline is the height above which hair grows at azimuth az.
func hairline(az float64, style hairstyle) float64 {
	a := math.Abs(az)
	front := mix(0.070, 0.060, step(0, 0.7, a))
	nape := -0.055
	switch style {
	case long:
		nape = -0.12
	case scarf:
		return mix(mix(0.066, -0.13, step(0.85, 1.15, a)), -0.2, step(1.2, 1.4, a))
	case beanie:
		return mix(0.052, 0.0, step(1.2, 2.2, a))
	}
	return mix(mix(front, 0.0, step(0.95, 1.3, a)), nape, step(1.45, 1.8, a))
}

// hair returns what covers the head; nil for the bald.
func hair(style hairstyle, n int) *mesh {
	thick := map[hairstyle]float64{short: 0.015, long: 0.019, bun: 0.013, beanie: 0.020, scarf: 0.016}[style]
	if style == bald {
		return nil
	}
	m := dome(n, thick, func(az float64, p vec) bool { return p.Y > hairline(az, style) })
	switch style {
	case long:
		m.ball(vec{0, -0.07, -0.055}, vec{0.086, 0.15, 0.05})
		m.limb(vec{0.077, 0.02, -0.02}, vec{0.082, -0.15, 0}, 0.024, 0.02)
		m.limb(vec{-0.077, 0.02, -0.02}, vec{-0.082, -0.15, 0}, 0.024, 0.02)
	case bun:
		m.ball(vec{0, 0.075, -0.10}, vec{0.04, 0.04, 0.04})
	}
	return m
}

// features is what makes a face somebody's: colours, brows, a beard, glasses.
type features struct {
	skin, hair, iris vec
	lips             vec
	beard            float64 // 0 none, 1 full
	glasses          bool
	old              float64
}

// at is the material of head and face; o is the place on the head.
func (f features) at(h *hit) look {
	x, y := h.o.X, h.o.Y
	ax := math.Abs(x)
	c := f.skin.mul(0.97 + 0.08*grain(x*160, y*160, 40))
	if h.o.Z < 0 {
		return look{base: c, shine: 0.02, rough: 0.8}
	}
	bell := func(x, y, w, t float64) float64 { return math.Exp(-x*x/(w*w) - y*y/(t*t)) }
	flush := bell(ax-0.042, y+0.022, 0.018, 0.014) + 0.8*bell(x, y+0.03, 0.012, 0.01)
	c = c.by(vec{1, 1, 1}.mix(vec{1.02, 0.82, 0.80}, 0.6*flush))
	c = c.mul(1 - 0.30*bell(ax-0.030, y-0.012, 0.021, 0.013)) // the hollow round the eye
	c = c.mul(1 - 0.35*bell(ax-0.0085, y+0.033, 0.0045, 0.003))
	c = c.mul(1 - 0.20*bell(x, y+0.0735, 0.018, 0.004))
	c = c.mul(1 - 0.25*bell(ax-0.026, y+0.042, 0.005, 0.016)*(0.4+f.old))
	if f.beard > 0 {
		chin := max(step(-0.035, -0.052, y), step(0.05, 0.062, ax)*step(0.0, -0.01, y))
		mouth := bell(x, y+0.060, 0.021, 0.008)
		c = c.mix(f.hair, f.beard*chin*(1-mouth))
	}
	c = f.mouth(c, x, y)
	brow := y - 0.033 - 0.004*math.Sin((ax-0.012)*70)
	c = c.mix(f.hair.mul(0.6), 0.9*band(brow, -0.0028, 0.0030, 0.0012)*band(ax, 0.013, 0.047, 0.004))
	if l, ok := f.eye(c, ax-0.0315, y-0.012); ok {
		return l
	}
	if f.glasses {
		rim := math.Abs(math.Hypot((ax-0.032)/1.15, y-0.010) - 0.020)
		bridge := max(math.Abs(y-0.014), (ax-0.014)*0.5)
		c = c.mix(black, band(min(rim, bridge), -1, 0.0018, 0.0007))
	}
	return look{base: c, shine: 0.03, rough: 0.6}
}

func (f features) mouth(c vec, x, y float64) vec {
	const half = 0.0245
	t := x / half
	if math.Abs(t) > 1 {
		return c
	}
	line := -0.0595 + 0.004*t*t
	arch := 1 - t*t
	up, down := line+0.0062*arch*(1-0.25*math.Exp(-t*t*30)), line-0.0082*arch
	c = c.mix(f.lips, 0.85*band(y, down, up, 0.0012))
	return c.mix(f.lips.mul(0.15), 0.9*band(y, line-0.0011, line+0.0011, 0.0006))
}

// eye draws white, iris, pupil and lashes at dx, dy from the eye's middle.
func (f features) eye(c vec, dx, dy float64) (look, bool) {
	t := dx / 0.0160
	open := 0.0074 * (1 - t*t)
	if math.Abs(t) > 1.12 || dy < -0.009 || dy > 0.0115 {
		return look{}, false
	}
	lash := 0.95 * band(dy, open-0.0004, open+0.0026, 0.0009) * band(t, -1.05, 1.05, 0.06)
	under := 0.4 * band(dy, -open*0.85-0.001, -open*0.85, 0.0007)
	if dy > open || dy < -open*0.85 {
		return look{base: c.mix(black, max(lash, under)), shine: 0.03, rough: 0.6}, true
	}
	r := math.Hypot(dx, dy-0.0006)
	white := srgb(0xe4dfda).mul(0.75 + 0.25*step(open, open-0.004, dy))
	white = white.mix(f.iris, step(0.0066, 0.0058, r))
	white = white.mix(black, max(step(0.0032, 0.0026, r), lash))
	return look{base: white, shine: 0.06, rough: 0.1}, true
}
