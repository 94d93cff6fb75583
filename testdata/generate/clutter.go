package main

import "math"

// Things of the street that have no label. Some are boxes like containers or boards like plates: that is what they are
// there for.

// clutter makes one of them; it returns its radius in plan.
func clutter(d *dice) ([]*instance, float64) {
	switch d.pick(12) {
	case 0, 1:
		return bollard(d), 0.2
	case 2:
		return cabinet(d), 0.6
	case 3:
		return planter(d), 0.6
	case 4:
		return meter(d), 0.25
	case 5:
		return board(d), 0.6
	case 6:
		return litterBin(d), 0.35
	case 7:
		return cone(d), 0.25
	case 8:
		return advert(d), 0.8
	case 9:
		return barrier(d), 1.0
	case 10:
		return mailbox(d), 0.4
	}
	return crate(d), 0.4
}

func bollard(d *dice) []*instance {
	m, r, tall := &mesh{}, d.between(0.04, 0.13), d.between(0.5, 1.1)
	m.tube([]vec{{0, 0, 0}, {0, tall * 0.8, 0}, {0, tall * 0.86, 0}, {0, tall * 0.98, 0}, {0, tall, 0}}, []float64{r * 1.3, r, r * 1.25, r, r * 0.4}, 12)
	c, banded := srgb([]uint32{0x5a2a26, 0x2a2c2d, 0x8d9294, 0xa8a49a, 0x3a4a40, 0xb01c20}[d.pick(6)]), d.next() < 0.4
	return []*instance{{mesh: m, mat: func(h *hit) look {
		if banded && math.Abs(h.o.Y-tall*0.75) < 0.06 {
			return look{base: srgb(0xe6e4de), shine: 0.05, rough: 0.4}
		}
		return look{base: c, shine: 0.05, rough: 0.4}
	}}}
}

// cabinet is a box for electricity or telephones: container-like, and none.
func cabinet(d *dice) []*instance {
	m := &mesh{}
	w, tall, deep := d.between(0.25, 0.8), d.between(0.7, 1.5), d.between(0.14, 0.3)
	m.box(vec{-w, 0.05, -deep}, vec{w, tall, deep})
	m.box(vec{-w * 1.03, tall, -deep * 1.1}, vec{w * 1.03, tall + 0.05, deep * 1.1})
	m.box(vec{-w * 0.98, 0, -deep * 0.95}, vec{w * 0.98, 0.06, deep * 0.95})
	f := newFinish(d, srgb([]uint32{0xb9bdb5, 0x8a9088, 0x5a6a5c, 0xc8c4b0, 0x6a6e70, 0x3a4a40}[d.pick(6)]))
	f.words, f.round = nil, false
	doors := float64(1 + d.pick(3))
	return []*instance{{mesh: m, mat: func(h *hit) look {
		l := f.at(h)
		seam := math.Abs(wrap((h.o.X/w+1)/2*doors, 1)-0.5) > 0.49
		louvre := h.o.Y > tall*0.8 && wrap(h.o.Y, 0.04) < 0.015 && math.Abs(h.o.X) < w*0.8
		if math.Abs(h.local.Z) > 0.5 && (seam || louvre) {
			l.base = l.base.mul(0.35)
		}
		return l
	}}}
}

func planter(d *dice) []*instance {
	r, tall := d.between(0.25, 0.6), d.between(0.35, 0.8)
	pot := prism(2+12*d.next(), [4]float64{0, -r * 0.8, r * 0.8, r * 0.8}, [4]float64{tall, -r, r, r}, [4]float64{tall + 0.02, -r * 0.9, r * 0.9, r * 0.9})
	green := bush(d, vec{Y: tall + r*0.5}, vec{r * 1.1, r * 0.8, r * 1.1})
	return []*instance{{mesh: pot, mat: painted(cloths(d), 0.03, 0.7)}, green}
}

// bush is a ball of leaves, its size given by half axes.
func bush(d *dice, mid, r vec) *instance {
	m := &mesh{}
	n := int(260 * math.Sqrt(r.X*r.Y*r.Z+0.05) * 2)
	for range min(n, 900) {
		out := vec{d.next()*2 - 1, d.next()*2 - 1, d.next()*2 - 1}
		if out.len() > 1 || out.len() < 0.4 {
			continue
		}
		m.leaf(mid.add(out.by(r)), out.unit(), d)
	}
	return &instance{mesh: m, mat: foliage(d)}
}

// foliage is the colour of leaves in one of the seasons.
func foliage(d *dice) material {
	sets := [][2]uint32{{0x46682f, 0x7d9a4a}, {0x2a4a24, 0x4a6a34}, {0x5a6a2a, 0x9aa04a}, {0x8a5a20, 0xc89030}, {0x6a2f1a, 0xa85a24}, {0x35502f, 0x688a5a}, {0x4a3a20, 0x6a5a34}}
	k := sets[d.pick(len(sets))]
	a, b := srgb(k[0]), srgb(k[1])
	return func(h *hit) look {
		c := a.mix(b, h.o.X)
		return look{base: c, shine: 0.02, rough: 0.8}
	}
}

func meter(d *dice) []*instance {
	m := &mesh{}
	tall := d.between(1.1, 1.6)
	m.tube([]vec{{0, 0, 0}, {0, tall, 0}}, []float64{0.05, 0.05}, 8)
	m.box(vec{-0.14, tall - 0.45, -0.1}, vec{0.14, tall + 0.1, 0.1})
	c := srgb([]uint32{0x3a3d40, 0x2a4a80, 0x8d9294, 0x2f5a3c}[d.pick(4)])
	return []*instance{{mesh: m, mat: func(h *hit) look {
		if h.local.Z < -0.5 && math.Abs(h.o.X) < 0.09 && h.o.Y > tall-0.15 && h.o.Y < tall-0.02 {
			return look{base: srgb(0x8a9a80), shine: 0.1, rough: 0.1}
		}
		return look{base: c, shine: 0.05, rough: 0.4}
	}}}
}

// lettering is white board with words of any kind and colour.
func lettering(d *dice, size vec) material {
	t, t2 := penned(shopWord(d), d.between(1.4, 3.4)), penned(shopWord(d), d.between(1.4, 3.4))
	ground, ink := cloths(d), cloths(d)
	if d.next() < 0.4 {
		ground, ink = srgb(0xeeeeea), black
	}
	picture, seed := d.next() < 0.5, d.pick(1<<20)
	rows := d.between(0.08, 0.25)
	return func(h *hit) look {
		u, v := h.o.X/size.X, h.o.Y/size.Y
		c := ground
		if picture && v > 0.15 && v < 0.7 {
			c = c.mix(ink, clouds(u*4, v*4, seed)).by(vec{0.6, 0.6, 0.6}.add(vec{grain(u*3, v*3, seed+1), grain(u*3, v*3, seed+2), grain(u*3, v*3, seed+3)}.mul(0.8)))
		}
		c = c.mix(ink, t.ink(u, (v-0.82)/rows+0.5, h.px/size.X))
		c = c.mix(ink, t2.ink(u*1.2-0.1, (v-0.1)/rows*1.4+0.5, h.px/size.X))
		return look{base: c, shine: 0.05, rough: 0.2}
	}
}

func board(d *dice) []*instance {
	m := &mesh{}
	size := vec{d.between(0.5, 0.8), d.between(0.7, 1.1), 0}
	m.quad(vec{-size.X / 2, 0.03, -0.3}, vec{X: size.X}, vec{0, size.Y, 0.27})
	m.quad(vec{size.X / 2, 0.03, 0.3}, vec{X: -size.X}, vec{0, size.Y, -0.27})
	return []*instance{{mesh: m, mat: lettering(d, size)}}
}

// advert is a poster case or a round column with posters.
func advert(d *dice) []*instance {
	m, f := &mesh{}, &mesh{}
	if d.next() < 0.4 {
		r := d.between(0.4, 0.7)
		m.tube([]vec{{0, 0, 0}, {0, 2.6, 0}}, []float64{r, r}, 24)
		for i := range m.vs {
			p := m.vs[i].p
			m.vs[i].o = vec{wrap(math.Atan2(p.X, p.Z)/math.Pi*1.5, 1), wrap(p.Y/1.3, 1), 0}
		}
		f.ball(vec{Y: 2.6}, vec{r * 1.1, 0.3, r * 1.1})
		return []*instance{{mesh: m, mat: lettering(d, vec{1, 1, 0})}, {mesh: f, mat: painted(cloths(d), 0.05, 0.4)}}
	}
	size := vec{1.2, 1.75, 0}
	m.quad(vec{-0.6, 0.5, -0.11}, vec{X: 1.2}, vec{Y: 1.75})
	m.quad(vec{0.6, 0.5, 0.11}, vec{X: -1.2}, vec{Y: 1.75})
	f.box(vec{-0.68, 0.4, -0.1}, vec{0.68, 2.4, 0.1})
	f.box(vec{-0.2, 0, -0.08}, vec{0.2, 0.4, 0.08})
	poster := lettering(d, size)
	shine := d.between(0, 0.6)
	return []*instance{{mesh: m, mat: func(h *hit) look {
		l := poster(h)
		l.emit = l.base.mul(shine)
		return l
	}}, {mesh: f, mat: painted(srgb(0x2a2d2f), 0.05, 0.3)}}
}

// litterBin is the small bin on a post: not a container.
func litterBin(d *dice) []*instance {
	r, low := d.between(0.16, 0.24), d.between(0.05, 0.4)
	m := prism(2+6*d.next(), [4]float64{low, -r, r, r}, [4]float64{low + 0.55, -r * 1.1, r * 1.1, r * 1.1}, [4]float64{low + 0.62, -r, r, r})
	p := &mesh{}
	p.limb(vec{0, 0, r}, vec{0, low + 0.6, r}, 0.03, 0.03)
	return []*instance{{mesh: m, mat: painted(binPaint(d), 0.05, 0.4)}, {mesh: p, mat: plain(black.mul(3))}}
}

func cone(d *dice) []*instance {
	m := &mesh{}
	tall := d.between(0.45, 0.8)
	m.tube([]vec{{0, 0.03, 0}, {0, tall, 0}}, []float64{tall * 0.22, 0.03}, 14)
	m.box(vec{-tall * 0.28, 0, -tall * 0.28}, vec{tall * 0.28, 0.03, tall * 0.28})
	return []*instance{{mesh: m, mat: func(h *hit) look {
		if wrap(h.o.Y/tall*2.5+0.3, 1) < 0.4 {
			return look{base: srgb(0xe8e6e0), shine: 0.05, rough: 0.5}
		}
		return look{base: srgb(0xd84a18), shine: 0.04, rough: 0.5}
	}}}
}

func barrier(d *dice) []*instance {
	m := &mesh{}
	for _, y := range []float64{0.55, 0.9} {
		m.box(vec{-1, y, -0.02}, vec{1, y + 0.15, 0.02})
	}
	for _, x := range []float64{-0.9, 0.9} {
		m.box(vec{x - 0.03, 0, -0.25}, vec{x + 0.03, 1.05, 0.25})
	}
	c := srgb([]uint32{0xb8161c, 0x20201f, 0x2a5aa0}[d.pick(3)])
	return []*instance{{mesh: m, mat: func(h *hit) look {
		if wrap(h.o.X+h.o.Y, 0.4) < 0.2 {
			return look{base: srgb(0xe8e6e0)}
		}
		return look{base: c}
	}}}
}

// mailbox is a post box: box-like, bright, and no container.
func mailbox(d *dice) []*instance {
	w, tall := d.between(0.22, 0.4), d.between(0.9, 1.4)
	m := prism(9, [4]float64{0.25, -0.2, 0.2, w}, [4]float64{tall, -0.2, 0.2, w}, [4]float64{tall + 0.06, -0.15, 0.15, w * 0.9})
	leg, slot := &mesh{}, &mesh{}
	leg.tube([]vec{{0, 0, 0}, {0, 0.3, 0}}, []float64{0.06, 0.06}, 8)
	slot.box(vec{-w * 0.7, tall * 0.8, -0.215}, vec{w * 0.7, tall*0.8 + 0.05, -0.19})
	c := srgb([]uint32{0xc01c20, 0xe07a18, 0xe8c020, 0xc01c20}[d.pick(4)])
	return []*instance{{mesh: m, mat: painted(c, 0.05, 0.2)}, {mesh: leg, mat: plain(black.mul(3))}, {mesh: slot, mat: plain(black)}}
}

// crate is a stack of goods before a shop.
func crate(d *dice) []*instance {
	var out []*instance
	y := 0.0
	for range 1 + d.pick(3) {
		m := &mesh{}
		t := d.between(0.18, 0.3)
		m.box(vec{-0.3, y, -0.2}, vec{0.3, y + t, 0.2})
		c, stuff := cloths(d), cloths(d)
		out = append(out, &instance{mesh: m, mat: func(h *hit) look {
			if h.local.Y > 0.5 {
				return look{base: stuff.mul(0.4 + 1.2*noise(h.o.mul(16)))}
			}
			if wrap(h.o.Y*14, 1) < 0.3 && wrap(h.o.X*9+h.o.Z*9, 1) < 0.7 {
				return look{base: black}
			}
			return look{base: c}
		}})
		y += t + 0.01
	}
	return out
}

// seat is a bench of one of many makes; it faces -Z. high is the height of its seat.
func seat(d *dice) (parts []*instance, high float64) {
	wood, iron := &mesh{}, &mesh{}
	w, back := d.between(0.55, 1.3), d.next() < 0.7
	high = d.between(0.40, 0.48)
	slats := 1 + d.pick(6)
	deep := 0.5 / float64(slats)
	for i := range slats {
		z := -0.24 + deep*float64(i)
		wood.box(vec{-w, high - 0.05, z}, vec{w, high, z + deep*0.85})
	}
	if back {
		rows := 1 + d.pick(4)
		t := 0.38 / float64(rows)
		for i := range rows {
			y := high + 0.1 + t*float64(i)
			z := 0.26 + 0.1*(y-high)
			wood.box(vec{-w, y, z}, vec{w, y + t*0.8, z + 0.035})
		}
	}
	if d.next() < 0.25 { // on blocks
		for _, x := range []float64{-w * 0.7, w * 0.7} {
			iron.box(vec{x - 0.12, 0, -0.2}, vec{x + 0.12, high - 0.05, 0.24})
		}
	} else {
		for _, x := range []float64{-w * 0.85, w * 0.85} {
			iron.limb(vec{x, 0, -0.2}, vec{x, high, -0.16}, 0.025, 0.025)
			iron.limb(vec{x, 0, 0.3}, vec{x, high + 0.05, 0.28}, 0.025, 0.025)
			if back {
				iron.limb(vec{x, high, 0.28}, vec{x, high + 0.48, 0.34}, 0.025, 0.025)
			}
			if back && w > 0.9 {
				iron.limb(vec{x, high + 0.2, 0.3}, vec{x, high + 0.2, -0.2}, 0.02, 0.02)
			}
		}
	}
	mat := timber(d)
	if d.next() < 0.5 {
		mat = painted(srgb([]uint32{0x2f5a3e, 0x6a3a20, 0x3a3d40, 0x8a8d8a, 0x20201f, 0x9a2a20, 0x2a4a7a, 0xa8a49a}[d.pick(8)]), 0.04, 0.5)
	}
	return []*instance{{mesh: wood, mat: mat}, {mesh: iron, mat: painted(srgb(0x1c1d1e).mul(d.between(0.6, 4)), 0.05, 0.4)}}, high
}
