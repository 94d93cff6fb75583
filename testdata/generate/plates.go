package main

import (
	"math"
	"strings"
)

// plateDesign is how a country's number plates look.
type plateDesign struct {
	ground, rear, ink uint32 // rear = ground behind, where it differs from the front
	edge              uint32
	left, right       bool // blue bands
	form              string
	square            string // its two lines on motorcycles and vans, parted by a slash
}

// plateDesigns are those of Denmark, the Netherlands, Germany, France, Romania, Poland, Britain, Italy, Spain, an
// older one without the band and one in green. In forms A is a letter, 0 a digit.
func plateDesigns() []plateDesign {
	return []plateDesign{
		{0xe8e8e4, 0, 0x101012, 0xb01c22, true, false, "AA 00 000", "AA/00 000"},
		{0xf0b818, 0, 0x101012, 0x16161a, true, false, "00-AAA-0", "00-AA/A-0"},
		{0xf0b818, 0, 0x101012, 0x16161a, true, false, "AA-000-A", "AA-00/0-A"},
		{0xeeeeea, 0, 0x101012, 0x101012, true, false, "A AA 0000", "AA/A 000"},
		{0xeeeeea, 0, 0x101012, 0x101012, true, true, "AA-000-AA", "AA-000/AA"},
		{0xeeeeea, 0, 0x101012, 0x101012, true, false, "A 00 AAA", "A 00/AAA"},
		{0xeeeeea, 0, 0x101012, 0x101012, true, false, "AA 00 AAA", "AA 00/AAA"},
		{0xeeeeea, 0, 0x101012, 0x202022, true, false, "AA 00000", "AA/00000"},
		{0xeeeeea, 0xf0c018, 0x101012, 0x202022, false, false, "AA00 AAA", "AA00/AAA"},
		{0xeeeeea, 0, 0x101012, 0x909090, true, true, "AA 000AA", "AA/00000"},
		{0xeeeeea, 0, 0x101012, 0x909090, true, false, "0000 AAA", "0000/AAA"},
		{0xe6e6e0, 0, 0x18181a, 0x303032, false, false, "0000 AA 00", "000 AA/00"},
		{0xe8e8e4, 0, 0x1a5a2a, 0xeeeeea, true, false, "AA-00-00", "AA/00-00"},
	}
}

// worded fills a form with letters and digits at random.
func worded(d *dice, form string) string {
	out := []byte(form)
	for i, c := range out {
		switch c {
		case 'A':
			out[i] = "ABCDEFGHJKLMNPRSTUVWXYZ"[d.pick(23)]
		case '0':
			out[i] = '0' + byte(d.pick(10))
		}
	}
	return string(out)
}

// registration is the plates of one vehicle.
type registration struct {
	design      plateDesign
	lines       []*texture
	size        vec
	dirt, retro float64
	seed        int
}

// newRegistration draws plates; small are the square ones of motorcycles. retro is how much more they throw back of the
// light beside the camera.
func newRegistration(d *dice, small bool, retro float64) registration {
	designs := plateDesigns()
	r := registration{design: designs[d.pick(len(designs))], size: vec{d.between(0.50, 0.53), d.between(0.108, 0.118), 0}, retro: retro, seed: d.pick(1 << 20)}
	nib := d.between(1.5, 3.1)
	if d.next() < 0.35 {
		r.dirt = d.next()
	}
	if !small {
		r.lines = []*texture{penned(worded(d, r.design.form), nib)}
		return r
	}
	r.size = vec{d.between(0.2, 0.30), d.between(0.16, 0.21), 0}
	upper, lower, _ := strings.Cut(worded(d, r.design.square), "/")
	r.lines = []*texture{penned(upper, nib), penned(lower, nib)}
	return r
}

// mesh is the plate with its middle at the origin, facing -Z.
func (r registration) mesh() *mesh {
	m := &mesh{}
	m.quad(vec{-r.size.X / 2, -r.size.Y / 2, 0}, vec{X: r.size.X}, vec{Y: r.size.Y})
	return m
}

// frame is the dark holder round it.
func (r registration) frame() *instance {
	m := &mesh{}
	w, h := r.size.X/2+0.012, r.size.Y/2+0.012
	m.quad(vec{-w, -h, 0.006}, vec{X: 2 * w}, vec{Y: 2 * h})
	return &instance{mesh: m, mat: plain(black.mul(1.5))}
}

// material reads metres from the lower left corner.
func (r registration) material(rear bool) material {
	ground := srgb(r.design.ground)
	if rear && r.design.rear != 0 {
		ground = srgb(r.design.rear)
	}
	ink, edge, blue := srgb(r.design.ink), srgb(r.design.edge), srgb(0x0b2f8a)
	strip := 0.042
	from, to := 0.012, r.size.X-0.012
	if r.design.left {
		from += strip
	}
	if r.design.right {
		to -= strip
	}
	return func(h *hit) look {
		x, y := h.o.X, h.o.Y
		rim := min(x, y, r.size.X-x, r.size.Y-y)
		c := ground.mix(edge, band(rim, -1, 0.004, 0.0015))
		if r.design.left && x < strip || r.design.right && x > r.size.X-strip {
			c = blue
			mx := wrap(x, r.size.X-strip)
			if math.Abs(math.Hypot(mx-strip/2, y-r.size.Y*0.68)-0.013) < 0.003 || math.Abs(y-0.024) < 0.009 && math.Abs(mx-strip/2) < 0.008 {
				c = srgb(0xe8d060)
			}
		} else {
			c = c.mix(ink, r.ink(h, (x-from)/(to-from), y/r.size.Y, to-from))
		}
		if r.dirt > 0 {
			c = c.mix(srgb(0x6a6258), r.dirt*0.85*step(0.3, 0.75, clouds(x*9, y*9, r.seed)))
		}
		return look{base: c.mul(0.72 * r.retro), shine: 0.03, rough: 0.5}
	}
}

// ink is the share of letters at u, v of the field that is wide metres across.
func (r registration) ink(h *hit, u, v, wide float64) float64 {
	n := float64(len(r.lines))
	if n == 0 || u < 0 || u > 1 {
		return 0
	}
	row := min(int((1-v)*n), len(r.lines)-1)
	q := v*n - float64(len(r.lines)-1-row)
	return r.lines[row].ink(u, (q-0.5)/0.95+0.5, h.px/wide)
}
