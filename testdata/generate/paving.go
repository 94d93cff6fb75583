package main

import "math"

// paving is the floor of a road, a pavement or the land: it reads metres across (X) and along (Z).
type paving struct {
	kind           int
	a, b           vec
	long, wide     float64 // of one stone
	joint          float64
	jitter         float64
	wet            float64
	leaves, stains float64
	seed           int
}

const (
	tar = iota
	running
	herring
	stacked
	basket
	grass
	gravel
)

// newPaving draws a floor out of the given kinds.
func newPaving(d *dice, wet float64, kinds ...int) paving {
	p := paving{
		kind: kinds[d.pick(len(kinds))], seed: d.pick(1 << 20), wet: wet, joint: d.between(0.03, 0.12), jitter: d.between(0.05, 0.4),
		leaves: max(0, d.between(-1.2, 0.6)), stains: d.between(0, 0.5),
	}
	switch p.kind {
	case tar:
		t := d.between(0.55, 1.15)
		p.a, p.b = srgb(0x72706e).mul(t), srgb(0x5c5a58).mul(t)
	case grass:
		k := [][2]uint32{{0x4a6a2c, 0x7a8a3c}, {0x3a5226, 0x5a7a34}, {0x7a7a44, 0xa89a5c}, {0x52603a, 0x6a5a3c}}[d.pick(4)]
		p.a, p.b = srgb(k[0]), srgb(k[1])
	case gravel:
		k := [][2]uint32{{0x9a8a70, 0xb8a888}, {0x7a6a54, 0x5a4a38}, {0x8d8a84, 0xa8a49c}, {0xc8b48c, 0xa89068}, {0xe8eaec, 0xd0d6dc}}[d.pick(5)]
		p.a, p.b = srgb(k[0]), srgb(k[1])
	default:
		tones := []uint32{0x9c9992, 0x8a8680, 0x7a4a3a, 0x8f5a44, 0x6a4038, 0xa8886a, 0x817c76, 0xb0a890, 0x5f5c5a, 0x9a7a6a}
		p.a = srgb(tones[d.pick(len(tones))])
		p.b = p.a
		if d.next() < 0.3 {
			p.b = srgb(tones[d.pick(len(tones))])
		}
		p.long, p.wide = 0.20, 0.10
		if d.next() < 0.5 {
			p.wide = []float64{0.3, 0.3, 0.4, 0.15, 0.5}[d.pick(5)]
			p.long = p.wide * []float64{1, 1.5, 2}[d.pick(3)]
		}
	}
	return p
}

// at is the material.
func (p paving) at(h *hit) look { return p.floor(h, h.o.X, h.o.Z) }

// world is the material of floors that follow no street.
func (p paving) world(h *hit) look { return p.floor(h, h.p.X, h.p.Z) }

func (p paving) floor(h *hit, x, z float64) look {
	var c vec
	rough := 0.9
	switch p.kind {
	case tar:
		c = p.a.mul(0.84 + 0.32*clouds(x*0.35, z*0.12, p.seed))
		c = c.mul(1 + 0.22*detail(h, 0.02)*(grain(x*90, z*90, p.seed)-0.5) + 0.14*detail(h, 0.2)*(grain(x*9, z*9, p.seed)-0.5))
		crack := math.Abs(clouds(x*0.35+0.3*z, z*0.16, p.seed+9) - 0.5)
		c = c.mix(p.b.mul(0.5), step(0.008, 0.003, crack)*detail(h, 0.06)*step(0.62, 0.72, grain(x*0.15, z*0.15, p.seed+21)))
		if cell := int(math.Floor(z / 11)); rnd(cell, 3, p.seed) > 0.6 {
			from, w := rnd(cell, 4, p.seed)*7-5, 0.6+rnd(cell, 5, p.seed)*2.2
			c = c.mix(p.b.mul(0.8), band(x, from, from+w, 0.02)*band(z-float64(cell)*11, 2, 3+6*rnd(cell, 6, p.seed), 0.02))
		}
	case grass:
		blade := grain(x*70, z*70, p.seed)*detail(h, 0.03)*0.5 + 0.25
		c = p.a.mix(p.b, clouds(x*0.6, z*0.6, p.seed)).mul(0.55 + 0.9*blade + 0.3*grain(x*5, z*5, p.seed))
	case gravel:
		c = p.a.mix(p.b, clouds(x*0.7, z*0.7, p.seed)).mul(1 + 0.5*detail(h, 0.04)*(grain(x*45, z*45, p.seed)-0.5))
	default:
		c = p.stones(h, x, z)
	}
	if p.stains > 0.1 {
		c = c.mul(1 - p.stains*step(0.55, 0.75, clouds(x*0.9, z*0.9, p.seed+3)))
	}
	c = p.strewn(h, c, vec{x, 0, z})
	if p.wet == 0 || p.kind == grass {
		return look{base: c, shine: 0.02, rough: rough}
	}
	pool := p.wet * step(0.62-0.5*p.wet, 0.9-0.5*p.wet, clouds(x*0.5, z*0.35, p.seed+7))
	c = c.mul(1 - 0.5*p.wet)
	n := h.n.add(vec{grain(x*6, z*6, 3) - 0.5, 0, grain(x*6, z*6, 4) - 0.5}.mul(0.05)).unit()
	return look{base: c, shine: 0.04 + 0.05*pool, rough: mix(0.6, 0.08, pool), n: n}
}

// strewn adds fallen leaves and scraps of paper.
func (p paving) strewn(h *hit, c, q vec) vec {
	if p.leaves <= 0 {
		return c
	}
	x, z := q.X*11, q.Z*11
	ix, iz := int(math.Floor(x)), int(math.Floor(z))
	if rnd(ix, iz, p.seed+11) > p.leaves*(0.2+0.9*clouds(q.X*0.5, q.Z*0.5, p.seed+12)) {
		return c
	}
	dx, dz := x-float64(ix)-0.5+0.3*(rnd(ix, iz, 13)-0.5), z-float64(iz)-0.5+0.3*(rnd(ix, iz, 14)-0.5)
	k := step(0.32, 0.24, math.Hypot(dx, dz*1.5)) * detail(h, 0.09)
	leaf := srgb([]uint32{0xa87828, 0x8a5a20, 0xc09a40, 0x6a4a28, 0x7a8a3c, 0xd8d4c8}[int(rnd(ix, iz, 15)*5.3)])
	return c.mix(leaf, k)
}

// stones lays them: rows half a stone apart, herringbone, a plain grid, or a basket weave.
func (p paving) stones(h *hit, x, z float64) vec {
	u, v, w, l := x, z, p.wide, p.long
	var id [2]int
	switch p.kind {
	case herring, basket:
		u, v, id = p.woven(x/p.wide, z/p.wide)
		u, v = u*p.wide, v*p.wide
		l = 2 * w
	default:
		row := math.Floor(x / w)
		if p.kind == running {
			v += 0.5 * l * wrap(row, 2)
		}
		id = [2]int{int(row), int(math.Floor(v / l))}
		u, v = wrap(u, w), wrap(v, l)
	}
	k := detail(h, w)
	tone := mix(1, 1-p.jitter/2+p.jitter*rnd(id[0], id[1], p.seed), k)
	c := p.a.mix(p.b, k*rnd(id[0], id[1], p.seed+1)).mul(tone * (0.88 + 0.24*clouds(x*0.8, z*0.8, p.seed+2)))
	edge := min(u, w-u, v, l-v)
	gap := step(p.joint*0.14, p.joint*0.05, edge) * detail(h, w*0.5)
	c = c.mul(1 + 0.16*detail(h, 0.02)*(grain(x*70, z*70, p.seed)-0.5))
	return c.mul(1 - 0.55*gap)
}

// woven finds the brick of two cells by one at x, z (in widths): the place on it and its number.
func (p paving) woven(x, z float64) (u, v float64, id [2]int) {
	i, j := int(math.Floor(x)), int(math.Floor(z))
	fx, fz := x-float64(i), z-float64(j)
	if p.kind == basket {
		if a, b := i>>1, j>>1; (a+b)&1 == 0 {
			return fx, fz + float64(j&1), [2]int{i, b}
		}
		return fz, fx + float64(i&1), [2]int{i >> 1, j + 7777}
	}
	switch (i - j) & 3 {
	case 0:
		return fz, fx, [2]int{i, j}
	case 1:
		return fz, fx + 1, [2]int{i - 1, j}
	case 3:
		return fx, fz, [2]int{i, j + 7777}
	}
	return fx, fz + 1, [2]int{i, j - 1 + 7777}
}

// marking is the paint on a road.
type marking struct {
	paving
	lines  []stripe
	colour vec
	zebra  [2]float64
	across [2]float64 // where the zebra's bars lie
	cycle  [2]float64 // a lane of another colour
	tint   vec
}

// stripe is a line along the road: its offset, half its width, and how long the dashes and the gaps are (0 = whole).
type stripe struct{ at, half, dash, gap float64 }

func (m *marking) material(h *hit) look {
	l := m.floor(h, h.o.X, h.o.Z)
	d, s := h.o.X, h.o.Z+1000
	if m.cycle[1] > m.cycle[0] && d > m.cycle[0] && d < m.cycle[1] {
		l.base = l.base.mix(m.tint, 0.7)
	}
	ink := 0.0
	for _, t := range m.lines {
		k := band(d, t.at-t.half, t.at+t.half, 0.012)
		if t.dash > 0 {
			k *= band(wrap(s, t.dash+t.gap), 0, t.dash, 0.02)
		}
		ink = max(ink, k)
	}
	if z := h.o.Z; z > m.zebra[0]-2 && z < m.zebra[1]+2 && m.zebra[1] > m.zebra[0] {
		ink = band(wrap(d+100.3, 1), 0, 0.5, 0.015) * band(z, m.zebra[0], m.zebra[1], 0.02) * band(d, m.across[0], m.across[1], 0.02)
	}
	ink *= 0.65 + 0.35*step(0.3, 0.6, clouds(d*3, s*3, m.seed))
	l.base = l.base.mix(m.colour, ink)
	return l
}
