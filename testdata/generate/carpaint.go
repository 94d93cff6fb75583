package main

import "math"

// livery is the finish of one car: how its skin looks at each place.
type livery struct {
	b     *body
	paint vec
	trim  bool // bumpers of dark plastic
}

var black = vec{0.012, 0.012, 0.013}

// at is the material; o is the place on the car.
func (c livery) at(h *hit) look {
	x, y, z := math.Abs(h.o.X)/(c.b.width/2), h.o.Y, h.o.Z
	if c.arch(x, y, z) || y < 0.235+(c.b.wheel-0.31)*1.4 {
		return look{base: black}
	}
	if y < 0.33 || (c.trim && y < 0.52 && math.Abs(z) > c.b.half()*0.9) {
		return look{base: srgb(0x2b2b2c), shine: 0.03, rough: 0.7}
	}
	if c.glazed(h, x) {
		return c.pane(h)
	}
	if l, ok := c.lamps(x, y, z); ok {
		return l
	}
	if l, ok := c.face(x, y, z); ok {
		return l
	}
	fleck := 1 + 0.05*(noise(h.o.mul(2))-0.5)
	l := look{base: c.paint.mul(fleck), shine: 0.05, rough: 0.06}
	if c.gap(h, x) {
		l.base = l.base.mul(0.18)
	}
	dirt := 0.35 * step(0.75, 0.3, y) * noise(h.o.mul(5))
	l.base = l.base.mix(srgb(0x6d675f), dirt)
	return l
}

func (c livery) arch(x, y, z float64) bool {
	for _, a := range c.b.axles {
		if x > 0.6 && math.Hypot(z-a, y-c.b.wheel) < c.b.wheel+0.055 {
			return true
		}
	}
	return false
}

// glazed tells glass from metal in the upper half.
func (c livery) glazed(h *hit, x float64) bool {
	y, z, n := h.o.Y, h.o.Z, h.local
	belt, top := c.b.along(c.b.belt, z), c.b.along(c.b.top, z)
	switch {
	case z < -c.b.half()*0.55 && n.Z < -0.3 && math.Abs(n.X) < 0.7:
		return y > c.b.rearGlass[0] && y < c.b.rearGlass[1] && x < 0.76 && !(c.b.name == "van" && x < 0.03)
	case z > 0 && n.Z > 0.28 && math.Abs(n.X) < 0.66:
		return y > belt+0.07 && y < c.b.along(c.b.top, 0)-0.06
	case math.Abs(n.X) > 0.55 && y > belt+0.035 && y < top-0.10:
		for _, p := range c.b.pillars {
			if math.Abs(z-p) < 0.045 {
				return false
			}
		}
		return z > c.b.glassFrom
	}
	return false
}

// pane shows a dark inside with the shapes of seats behind the windows.
func (c livery) pane(h *hit) look {
	inside := srgb(0x17191b)
	if math.Abs(h.local.Z) > 0.3 {
		x := math.Abs(math.Abs(h.o.X) - 0.38)
		seat := step(0.17, 0.12, x) * step(c.b.rearGlass[1]-0.06, c.b.rearGlass[1]-0.12, h.o.Y)
		inside = inside.mix(srgb(0x050505), seat)
	}
	return look{base: inside, shine: 0.12, rough: 0.02}
}

// lamps are the red ones behind and the clear ones in front.
func (c livery) lamps(x, y, z float64) (look, bool) {
	l := c.b.lamp
	if z < -c.b.half()*0.86 && x > l[0] && x < l[1] && y > l[2] && y < l[3] {
		k := (y - l[2]) / (l[3] - l[2])
		lens := srgb(0xb3161c)
		if k > 0.42 && k < 0.62 {
			lens = srgb(0xd9d2c8).mix(srgb(0xd06a20), step(0.82, 0.86, x))
		}
		return look{base: lens, emit: lens.mul(0.12), shine: 0.08, rough: 0.15}, true
	}
	lo := c.b.along(c.b.top, c.b.half()*0.94) - 0.15
	if z > c.b.half()*0.84 && x > 0.56 && x < 0.97 && y > lo && y < lo+0.15 {
		lens := srgb(0xcfd6da)
		if math.Hypot((x-0.76)*c.b.width/2, y-lo-0.07) < 0.055 {
			return look{base: vec{1, 1, 1}, emit: vec{1.1, 1.1, 1.0}}, true
		}
		return look{base: lens.mul(0.6), shine: 0.3, rough: 0.15}, true
	}
	return look{}, false
}

// face is the grille and the lower intake.
func (c livery) face(x, y, z float64) (look, bool) {
	if z < c.b.half()*0.9 {
		return look{}, false
	}
	lo := c.b.along(c.b.top, c.b.half()*0.94) - 0.16
	if x < 0.5 && y > lo && y < lo+0.13 {
		bar := band(wrap(y*40, 1), 0.4, 0.8, 0.1)
		return look{base: black.mix(srgb(0x8d9093), 0.5*bar), shine: 0.1, rough: 0.3}, true
	}
	if x < 0.62 && y > 0.34 && y < 0.46 {
		return look{base: black}, true
	}
	return look{}, false
}

// gap is a seam between doors, lids and bumpers.
func (c livery) gap(h *hit, x float64) bool {
	y, z := h.o.Y, h.o.Z
	belt := c.b.along(c.b.belt, z)
	if math.Abs(h.local.X) > 0.7 && y < belt && y > 0.36 {
		for _, s := range append([]float64{c.b.axles[1] - 0.45}, c.b.pillars...) {
			if math.Abs(z-s) < 0.008+h.px*0.4 {
				return true
			}
		}
		handle := math.Abs(y-belt+0.13) < 0.012
		return handle && math.Abs(z-c.b.pillars[0]-0.15) < 0.09
	}
	if z < -c.b.half()*0.9 {
		return math.Abs(y-0.60) < 0.009 || (math.Abs(x-0.9) < 0.012 && y > 0.6 && y < c.b.lamp[2])
	}
	return false
}

// plateSize is a European plate in metres.
var plateSize = vec{0.52, 0.115, 0}

// plateMesh is a plate facing -Z, its middle at the origin.
func plateMesh() *mesh {
	m := &mesh{}
	m.quad(vec{-plateSize.X / 2, -plateSize.Y / 2, 0}, vec{X: plateSize.X}, vec{Y: plateSize.Y})
	return m
}

// plate is the material of a number plate with its text.
func plate(text string) material {
	t := written(text)
	ring := srgb(0x0b2f8a)
	return func(h *hit) look {
		u, v := h.o.X/plateSize.X, h.o.Y/plateSize.Y
		c := srgb(0xb2b3b0)
		edge := max(band(u, -1, 0.008, 0.004), band(u, 0.992, 2, 0.004), band(v, -1, 0.05, 0.02), band(v, 0.95, 2, 0.02))
		c = c.mix(srgb(0xa01c20), edge)
		if u < 0.085 {
			star := math.Abs(math.Hypot((u-0.043)*plateSize.X, (v-0.68)*plateSize.Y)-0.012) < 0.003
			c = ring
			if star {
				c = srgb(0xe8c62c)
			}
			return look{base: c, shine: 0.04, rough: 0.5}
		}
		const wide = 0.84
		ink := t.ink((u-0.115)/wide, (v-0.5)/0.92+0.5, h.px/plateSize.X/wide)
		c = c.mix(black, ink)
		return look{base: c, shine: 0.04, rough: 0.5}
	}
}
