package main

import "math"

// rubbish makes one piece of waste with its middle at the pose; it returns the radius it takes up.
func rubbish(d *dice, at pose) ([]*instance, float64) {
	switch k := d.next(); {
	case k < 0.46:
		return wasteBag(d, at)
	case k < 0.70:
		return carton(d, at)
	case k < 0.76:
		return mattress(d, at)
	case k < 0.82:
		return chair(d, at)
	case k < 0.87:
		return sofa(d, at)
	case k < 0.91:
		return pallet(d, at)
	case k < 0.96:
		return planks(d, at)
	}
	return appliance(d, at)
}

// wasteBag is a filled bag: tied, knotted or gaping, upright or slumped.
func wasteBag(d *dice, at pose) ([]*instance, float64) {
	m := &mesh{}
	r, tall := d.between(0.15, 0.36), d.between(0.25, 0.75)
	seed := float64(d.pick(1000))
	var rings [][]vec
	outline := [][2]float64{{0, 0.55}, {0.06, 0.85}, {0.25, 1}, {0.5, 0.88}, {0.72, 0.5}, {0.82, 0.16}, {0.92, 0.28}, {1, 0.34}}
	if d.next() < 0.3 { // gaping
		outline = [][2]float64{{0, 0.6}, {0.1, 0.9}, {0.4, 1}, {0.8, 0.8}, {1, 0.75}}
	}
	for _, k := range outline {
		ring := oval(vec{Y: k[0] * tall}, k[1]*r, k[1]*r*d.between(0.8, 1), 2.2)
		for i, p := range ring {
			q := p.mul(7).add(vec{X: seed})
			ring[i] = p.add(vec{p.X, 0.3 * p.Y, p.Z}.unit().mul(r * (0.5*(noise(q)-0.5) + 0.3*(noise(q.mul(2.7))-0.5)) * k[1]))
		}
		rings = append(rings, ring)
	}
	m.loft(rings)
	paint := srgb([]uint32{0x141517, 0x1b1c1f, 0x0e0f10, 0x2c2e31, 0x26282a, 0x5a5e62, 0x8a9096, 0x3d6a9a, 0x6aa0d0, 0xe6e8ea, 0xd8dcd8, 0xd8c020, 0x2f6a3c, 0xa83038, 0xc06aa0, 0xd8701a}[d.pick(16)])
	if d.next() < 0.15 {
		at = at.nod(d.between(0.8, 1.5)) // on its side
		at.O.Y += r * 0.8
	}
	gloss := d.between(0.03, 0.14)
	return []*instance{{mesh: m, pose: at, mat: func(h *hit) look {
		l := folded(h, paint)
		l.shine, l.rough = gloss, 0.3
		return l
	}}}, r
}

// cardboard is brown or printed board.
func cardboard(d *dice) material {
	c := srgb([]uint32{0xb08a5c, 0xa07a4c, 0xc09a6c, 0x8f6a40, 0xd8d0c0, 0xb8905c}[d.pick(6)]).mul(d.between(0.7, 1.2))
	t, on := penned([]string{"FRAGILE", "AMZ", "TV 42", "BANANAS", "IKEA", "SAMSUNG", "THIS SIDE UP", "PAMPERS"}[d.pick(8)], 2.4), d.next() < 0.6
	ink := srgb([]uint32{0x2a2018, 0x20508a, 0xa02a20}[d.pick(3)])
	tape := d.between(-0.1, 0.1)
	return func(h *hit) look {
		base := c.mul(0.92 + 0.16*clouds(h.o.X*4+h.o.Z*3, h.o.Y*4, 21))
		if on && math.Abs(h.local.Y) < 0.5 {
			u := h.o.X
			if math.Abs(h.local.X) > 0.5 {
				u = h.o.Z
			}
			base = base.mix(ink, 0.8*t.ink(u/0.4+0.5, (h.o.Y-0.16)/0.09+0.5, h.px/0.4))
		}
		if math.Abs(h.o.X-tape) < 0.025 && h.local.Y > 0.5 {
			base = base.mix(srgb(0xc8b890), 0.6)
		}
		return look{base: base, shine: 0.01, rough: 0.9}
	}
}

// carton is a box, open or shut, upright or fallen, or a flattened one.
func carton(d *dice, at pose) ([]*instance, float64) {
	m := &mesh{}
	w, tall, deep := d.between(0.12, 0.45), d.between(0.12, 0.6), d.between(0.1, 0.35)
	switch k := d.next(); {
	case k < 0.25: // flattened, lying or leaning
		m.box(vec{-w * 1.5, 0, -0.012}, vec{w * 1.5, tall * 2, 0.012})
		at = at.nod(d.between(-1.5, -0.1))
	case k < 0.65: // open: four walls, four flaps
		for i := range 4 {
			q := poseTurn(float64(i) * math.Pi / 2)
			a, b := w, deep
			if i%2 == 1 {
				a, b = deep, w
			}
			m.quad(q.point(vec{-a, 0, b}), q.dir(vec{X: 2 * a}), vec{Y: tall})
			flap := d.between(-0.5, 1.3)
			m.quad(q.point(vec{-a, tall, b}), q.dir(vec{X: 2 * a}), q.dir(vec{0, math.Cos(flap + 0.6), math.Sin(flap + 0.6)}.mul(b*0.9)))
		}
		for i := range m.vs {
			m.vs[i].o = m.vs[i].p
		}
	default:
		m.box(vec{-w, 0, -deep}, vec{w, tall, deep})
		if d.next() < 0.2 {
			at = at.nod(d.between(0.1, 0.5))
		}
	}
	return []*instance{{mesh: m, pose: at, mat: cardboard(d)}}, max(w, deep)
}

func poseTurn(a float64) pose { return at(vec{}, a) }

func mattress(d *dice, at pose) ([]*instance, float64) {
	w, long, thick := d.between(0.4, 0.8), d.between(0.9, 1.02), d.between(0.07, 0.13)
	m := prism(9, [4]float64{0, -thick, thick, w * 0.98}, [4]float64{0.04, -thick, thick, w}, [4]float64{2*long - 0.04, -thick, thick, w}, [4]float64{2 * long, -thick, thick, w * 0.98})
	switch k := d.next(); {
	case k < 0.4:
		at = at.nod(-math.Pi / 2)
		at.O.Y += thick + 0.02
	case k < 0.8: // leaning, often on its long side
		if d.next() < 0.6 {
			at = pose{X: at.Y.mul(-1), Y: at.X, Z: at.Z, O: at.O.add(at.X.mul(-long)).add(vec{Y: w})}
		}
		at = at.nod(-d.between(0.1, 0.35))
	}
	c, spot := srgb([]uint32{0xe6e2d6, 0xd8d4c8, 0xc8c8cc, 0xd8c8b0, 0xa8b0c0}[d.pick(5)]), d.pick(1<<20)
	return []*instance{{mesh: m, pose: at, mat: func(h *hit) look {
		quilt := 0.93 + 0.07*math.Sin(h.o.X*24)*math.Sin(h.o.Y*24)
		return look{base: c.mul(quilt).mix(srgb(0x8a7350), 0.4*step(0.62, 0.8, clouds(h.o.X*2, h.o.Y*2, spot)))}
	}}}, max(w, 0.7)
}

// furniturePaint is wood, varnish or cloth.
func furniturePaint(d *dice) material {
	c := srgb([]uint32{0x7a5230, 0xa87a48, 0xd8b888, 0x3a2a20, 0xe6e4de, 0x20201f, 0x8a3028, 0x4a5a6a, 0x6a6048}[d.pick(9)])
	seed := d.pick(1 << 20)
	return func(h *hit) look {
		return look{base: c.mul(0.8 + 0.4*grain(h.o.X*3+h.o.Z*2, h.o.Y*40, seed)), shine: 0.03, rough: 0.5}
	}
}

func chair(d *dice, at pose) ([]*instance, float64) {
	m := &mesh{}
	w, seat := d.between(0.2, 0.27), d.between(0.40, 0.48)
	m.box(vec{-w, seat, -w}, vec{w, seat + 0.05, w})
	m.box(vec{-w, seat + d.between(0.1, 0.25), w - 0.03}, vec{w, seat + d.between(0.4, 0.55), w})
	for _, x := range []float64{-w + 0.02, w - 0.02} {
		m.limb(vec{x, 0, -w + 0.02}, vec{x, seat, -w + 0.02}, 0.018, 0.02)
		m.limb(vec{x, 0, w - 0.01}, vec{x, seat + 0.4, w - 0.01}, 0.018, 0.018)
	}
	if d.next() < 0.4 { // overturned
		at = at.nod(d.between(1.2, 1.7) * math.Copysign(1, d.next()-0.5))
		at.O.Y += w
	}
	return []*instance{{mesh: m, pose: at, mat: furniturePaint(d)}}, 0.4
}

func sofa(d *dice, at pose) ([]*instance, float64) {
	w := d.between(0.4, 1.0)
	parts := []*mesh{
		prism(6, [4]float64{0.08, -0.4, 0.4, w}, [4]float64{0.42, -0.42, 0.42, w * 1.01}, [4]float64{0.46, -0.4, 0.4, w * 0.98}),
		prism(5, [4]float64{0.3, 0.22, 0.46, w}, [4]float64{0.8, 0.28, 0.5, w}, [4]float64{0.86, 0.32, 0.48, w * 0.96}),
	}
	for _, side := range []float64{-1, 1} {
		arm := prism(5, [4]float64{0.05, -0.42, 0.42, 0.1}, [4]float64{0.55, -0.42, 0.42, 0.11}, [4]float64{0.6, -0.4, 0.4, 0.09})
		for i := range arm.vs {
			arm.vs[i].p.X += side * w
		}
		parts = append(parts, arm)
	}
	c := cloths(d)
	var out []*instance
	for _, m := range parts {
		out = append(out, &instance{mesh: m, pose: at, mat: func(h *hit) look { return folded(h, c) }})
	}
	return out, w + 0.1
}

func pallet(d *dice, at pose) ([]*instance, float64) {
	m := &mesh{}
	for i := range 7 {
		x := -0.6 + 0.184*float64(i)
		m.box(vec{x, 0.12, -0.4}, vec{x + 0.1, 0.144, 0.4})
		if i%3 == 0 {
			m.box(vec{x, 0, -0.4}, vec{x + 0.1, 0.12, 0.4})
		}
	}
	if d.next() < 0.5 {
		at = at.nod(-d.between(1.1, 1.4))
		at.O.Y += 0.4
	}
	return []*instance{{mesh: m, pose: at, mat: timber(d)}}, 0.6
}

func timber(d *dice) material {
	c, seed := srgb([]uint32{0xc8a878, 0x9a8262, 0xb89060, 0x7a6a58, 0xe0d0b0}[d.pick(5)]), d.pick(1<<20)
	return func(h *hit) look {
		return look{base: c.mul(0.75 + 0.5*grain(h.o.X*50+h.o.Z*40, h.o.Y*6+h.o.Z*6, seed))}
	}
}

// planks lie or lean in a loose bundle.
func planks(d *dice, at pose) ([]*instance, float64) {
	m := &mesh{}
	for range 2 + d.pick(6) {
		long := d.between(0.5, 2.0)
		a := vec{d.between(-0.3, 0.3), d.between(0.03, 0.15), -long / 2}
		b := vec{d.between(-0.4, 0.4), d.between(0.03, 0.35), long / 2}
		u, side := b.sub(a), vec{d.between(0.05, 0.2), d.between(-0.03, 0.03), 0}
		m.quad(a, u, side)
		m.quad(a.add(vec{Y: -0.025}), vec{Y: 0.025}, u)
		m.quad(a.add(side), u, vec{Y: -0.025})
	}
	if d.next() < 0.4 {
		at = at.nod(-d.between(0.9, 1.3))
		at.O.Y += 0.6
	}
	return []*instance{{mesh: m, pose: at, mat: timber(d)}}, 0.6
}

// appliance is a cupboard, a refrigerator, a television, a crate.
func appliance(d *dice, at pose) ([]*instance, float64) {
	w, tall, deep := d.between(0.15, 0.45), d.between(0.25, 1.6), d.between(0.12, 0.32)
	m := &mesh{}
	m.box(vec{-w, 0, -deep}, vec{w, tall, deep})
	c := srgb([]uint32{0xe8e8e6, 0x1a1a1b, 0xb0b4b6, 0x8a6238, 0xd8b888, 0xb02a2a, 0x2a6ab0, 0x2f7a3c}[d.pick(8)])
	seam := d.between(0.3, 0.8) * tall
	if d.next() < 0.3 {
		at = at.nod(math.Pi / 2 * math.Copysign(1, d.next()-0.5))
		at.O.Y += deep
	}
	return []*instance{{mesh: m, pose: at, mat: func(h *hit) look {
		k := 1 - 0.7*band(h.o.Y, seam-0.006, seam+0.006, 0.003)
		return look{base: c.mul(k * (0.9 + 0.2*noise(h.o.mul(3)))), shine: 0.05, rough: 0.3}
	}}}, max(w, deep)
}
