package main

import "math"

// glance is where a head is turned against its body, radians to the right and down.
type glance struct{ right, down float64 }

// figure builds one person in a pose.
func (p *person) figure(at pose, g gait, eyes glance) []*instance {
	k := p.height / 1.75
	out := []*instance{
		{mesh: p.torso(g), pose: at, mat: p.wear.cloth(p.wear.top)},
		{mesh: p.legs(g), pose: at, mat: p.legMaterial()},
		{mesh: p.arms(g), pose: at, mat: p.sleeve()},
		{mesh: p.bare(g), pose: at, mat: p.face.at},
		{mesh: feet(g, k), pose: at, mat: painted(p.wear.shoes, 0.04, 0.5)},
	}
	if p.wear.bag != (vec{}) {
		out = append(out, &instance{mesh: satchel(g, k), pose: at, mat: painted(p.wear.bag, 0.04, 0.5)})
	}
	return append(out, p.head(at, g, eyes)...)
}

// satchel hangs at the hip on a strap over the other shoulder.
func satchel(g gait, k float64) *mesh {
	m := &mesh{}
	low := vec{0.225 * k, g.hip[0].Y - 0.10, -0.03}
	m.loft([][]vec{
		oval(low, 0.045, 0.125, 5), oval(low.add(vec{Y: 0.03}), 0.06, 0.145, 5),
		oval(low.add(vec{Y: 0.20}), 0.055, 0.14, 5), oval(low.add(vec{Y: 0.235}), 0.035, 0.12, 5),
	})
	over := g.neck.add(vec{-0.10 * k, -0.045 * k, 0})
	for _, z := range []float64{0.13, -0.12} {
		breast := g.chest.mix(g.neck, 0.55).add(vec{0.03 * k, 0, z * k * 1.08})
		m.tube([]vec{over, over.mix(breast, 0.5).add(vec{Z: z * 0.35}), breast, low.add(vec{0, 0.22, z * 0.8})}, []float64{0.013, 0.013, 0.013, 0.013}, 6)
	}
	return m
}

// head puts the head on the neck. The face is a mesh of its own so that truth can tell it apart.
func (p *person) head(body pose, g gait, eyes glance) []*instance {
	k := mix(1, p.height/1.75, 0.5) * 1.10 // heads vary less than bodies
	top := g.neck.add(vec{0, 0.142 * k / 1.04, 0.020})
	q := body.in(at(top, eyes.right).nod(eyes.down))
	q.X, q.Y, q.Z = q.X.mul(k), q.Y.mul(k), q.Z.mul(k)
	var out []*instance
	for i, m := range p.heads {
		in := instance{pose: q, mat: p.face.at, far: 16}
		if i > 0 {
			in.from, in.far = 16, 0
		}
		face, rest, cover := in, in, in
		face.mesh, rest.mesh, cover.mesh = m.face, m.rest, m.hair
		cover.mat = p.wear.strands(p.cover, p.style)
		out = append(out, &face, &rest)
		if m.hair != nil {
			out = append(out, &cover)
		}
	}
	return out
}

// torso lofts hips, waist, chest and shoulders along the line from hips to neck.
func (p *person) torso(g gait) *mesh {
	m := &mesh{}
	k := p.height / 1.75
	type slice struct{ up, rx, rz, fwd, box float64 }
	slices := []slice{
		{-0.13, 0.176, 0.122, 0, 2.4}, {-0.06, 0.176, 0.124, 0, 2.4}, {0.06, 0.172, 0.124, 0.002, 2.4}, {0.24, 0.150, 0.114, 0.012, 2.3},
		{0.48, 0.160, 0.124, 0.018, 2.4}, {0.70, 0.178, 0.128, 0.012, 2.5}, {0.83, 0.182, 0.108, 0, 2.3}, {0.90, 0.150, 0.088, -0.006, 2.1},
		{0.97, 0.088, 0.072, -0.006, 2}, {1.03, 0.062, 0.064, 0, 2}, {1.06, 0.064, 0.066, 0, 2},
	}
	if p.wear.coat {
		slices[0] = slice{-0.42, 0.205, 0.150, 0, 2.3}
		slices[1] = slice{-0.12, 0.190, 0.138, 0, 2.4}
	}
	var rings [][]vec
	for _, s := range slices {
		mid := g.chest.add(g.neck.sub(g.chest).mul(s.up)).add(vec{Z: s.fwd})
		rings = append(rings, oval(mid, s.rx*k*p.build, s.rz*k*p.build, s.box))
	}
	m.loft(rings)
	for i := range m.vs { // the jacket's front is told by its place against the chest
		m.vs[i].o = m.vs[i].p.sub(g.chest)
	}
	return m
}

func (p *person) legs(g gait) *mesh {
	m := &mesh{}
	k := p.height / 1.75 * p.build
	for i := range 2 {
		m.limb(g.hip[i], g.knee[i], 0.084*k, 0.062*k)
		m.limb(g.knee[i], g.ankle[i], 0.062*k, 0.048*k)
	}
	if !p.wear.skirt {
		return m
	}
	low := g.knee[0].mix(g.knee[1], 0.5).add(vec{Y: -0.03})
	spread := 0.5 * math.Abs(g.knee[0].Z-g.knee[1].Z)
	m.loft([][]vec{
		oval(g.chest.add(vec{Y: 0.10}), 0.165*k, 0.122*k, 2.3), oval(g.chest.add(vec{Y: -0.05}), 0.190*k, 0.140*k, 2.3),
		oval(g.chest.mix(low, 0.6), 0.215*k, 0.160*k+spread*0.6, 2.2), oval(low, 0.235*k, 0.180*k+spread, 2.2),
	})
	return m
}

func (p *person) arms(g gait) *mesh {
	m := &mesh{}
	k := p.height / 1.75 * p.build
	for i := range 2 {
		m.limb(g.shoulder[i], g.elbow[i], 0.053*k, 0.043*k)
		if !p.wear.short {
			m.limb(g.elbow[i], g.hand[i], 0.045*k, 0.034*k)
		}
	}
	return m
}

// bare is skin that shows: neck, hands, and forearms under short sleeves.
func (p *person) bare(g gait) *mesh {
	m := &mesh{}
	k := p.height / 1.75
	m.limb(g.neck.sub(vec{Y: 0.02}), g.neck.add(vec{0, 0.07, 0.008}), 0.055*k, 0.050*k)
	for i := range 2 {
		d := g.hand[i].sub(g.elbow[i]).unit()
		m.limb(g.hand[i].add(d.mul(0.02)), g.hand[i].add(d.mul(0.09)), 0.030*k, 0.024*k)
		if p.wear.short {
			m.limb(g.elbow[i], g.hand[i], 0.040*k, 0.028*k)
		}
	}
	for i := range m.vs {
		m.vs[i].o = vec{0.07, 0.09, -1} // a place of the head without features
	}
	return m
}

func feet(g gait, k float64) *mesh {
	m := &mesh{}
	for i := range 2 {
		heel := g.ankle[i].add(vec{Y: -0.035 * k})
		m.limb(heel.sub(g.toe[i].mul(0.03)), heel.add(g.toe[i].mul(0.155*k)), 0.044*k, 0.036*k)
	}
	return m
}

// cloth is the material of the upper body: folds, an open front over a shirt, stripes.
func (w wardrobe) cloth(c vec) material {
	return func(h *hit) look {
		base := c
		x, y := h.o.X, h.o.Y
		if w.stripes && wrap(y, 0.09) < 0.045 {
			base = base.mix(srgb(0xe6e2d8), 0.85)
		}
		if h.o.Z > 0 && w.open && y > 0.02 && math.Abs(x) < 0.035+0.10*max(y, 0)*0.7 {
			base = w.shirt
		}
		if h.o.Z > 0 && !w.open && !w.stripes {
			base = base.mul(1 - 0.5*band(math.Abs(x), -1, 0.004, 0.002))
		}
		return folded(h, base)
	}
}

// folded is cloth in one colour whose normal wavers like creases.
func folded(h *hit, c vec) look {
	q := h.o.mul(13)
	q.Y = q.Y*0.8 + 2*noise(h.o.mul(5))
	n := vec{noise(q) - 0.5, 1.1 * (noise(q.add(vec{Y: 31})) - 0.5), noise(q.add(vec{Y: 67})) - 0.5}
	fold := noise(q)
	return look{base: c.mul(0.78 + 0.36*fold), n: h.n.add(n.mul(1.1)).unit()}
}

func (p *person) legMaterial() material {
	return func(h *hit) look { return folded(h, p.wear.legs) }
}

func (p *person) sleeve() material {
	return func(h *hit) look { return folded(h, p.wear.top) }
}

// strands is hair, or the cloth that covers it.
func (w wardrobe) strands(c vec, style hairstyle) material {
	return func(h *hit) look {
		if style == beanie || style == scarf {
			return folded(h, c)
		}
		k := 0.7 + 0.6*grain(math.Atan2(h.o.X, h.o.Z)*30, h.o.Y*25, 50)
		return look{base: c.mul(k), shine: 0.04, rough: 0.55}
	}
}
