package main

import "math"

// reach is how far along the street things are put: behind the camera for their shadows and for views to the side.
const reachFrom, reachTo = -15.0, 150.0

// ground lays road, kerbs, pavements and land, each of any make.
func (s *scene) ground(d *dice) {
	wet := s.air.wet
	road, kerb, walk, land := &mesh{}, &mesh{}, &mesh{}, &mesh{}
	c := s.cut
	s.line.strip(road, vec{X: c.leftKerb}, vec{X: c.rightKerb})
	top := vec{Y: c.kerb}
	s.line.strip(kerb, vec{X: c.leftKerb}.add(top), vec{X: c.leftKerb})
	s.line.strip(kerb, vec{X: c.leftKerb - 0.2}.add(top), vec{X: c.leftKerb}.add(top))
	s.line.strip(kerb, vec{X: c.rightKerb}, vec{X: c.rightKerb}.add(top))
	s.line.strip(kerb, vec{X: c.rightKerb}.add(top), vec{X: c.rightKerb + 0.2}.add(top))
	s.line.strip(walk, vec{X: c.leftFront - 9}.add(top), vec{X: c.leftKerb - 0.2}.add(top))
	s.line.strip(walk, vec{X: c.rightKerb + 0.2}.add(top), vec{X: c.rightFront + 9}.add(top))
	land.quad(vec{-500, -0.06, -500}, vec{Z: 1000}, vec{X: 1000})
	pavement := newPaving(d, wet, running, running, stacked, herring, basket, tar, stacked, gravel)
	stone := srgb(0xa3a09a).mul(d.between(0.5, 1.1))
	s.insts = append(s.insts,
		&instance{mesh: road, pose: home(), mat: s.markings(d, wet).material},
		&instance{mesh: kerb, pose: home(), mat: func(h *hit) look {
			joint := band(wrap(h.o.Z+1000, 1.1), 0, 0.02, 0.006)
			return look{base: stone.mul((0.85 + 0.3*grain(h.o.X*30+h.o.Y*30, h.o.Z*30, 14)) * (1 - 0.5*joint*detail(h, 0.05)))}
		}},
		&instance{mesh: walk, pose: home(), mat: pavement.at},
		&instance{mesh: land, pose: home(), mat: newPaving(d, wet, grass, grass, gravel, tar).world},
	)
	if d.next() < 0.25 {
		s.verge(d)
	}
}

// verge is a strip of grass beside the kerb.
func (s *scene) verge(d *dice) {
	m := &mesh{}
	y, wide := s.cut.kerb+0.015, d.between(0.8, 2.5)
	s.line.strip(m, vec{X: s.cut.rightKerb + 0.2, Y: y}, vec{X: s.cut.rightKerb + 0.2 + wide, Y: y})
	if d.next() < 0.5 {
		s.line.strip(m, vec{X: s.cut.leftKerb - 0.2 - wide, Y: y}, vec{X: s.cut.leftKerb - 0.2, Y: y})
	}
	s.insts = append(s.insts, &instance{mesh: m, pose: home(), mat: newPaving(d, 0, grass).at})
}

// markings paints the road.
func (s *scene) markings(d *dice, wet float64) *marking {
	c := s.cut
	m := &marking{paving: newPaving(d, wet, tar, tar, tar, tar, running, herring, gravel), colour: srgb(0xdcdad2).mul(d.between(0.6, 1))}
	if d.next() < 0.12 {
		m.colour = srgb(0xd8b030)
	}
	if m.kind != tar && d.next() < 0.7 {
		return m
	}
	mid := c.rightKerb - d.between(3, 5)
	if mid > c.leftKerb+2 && d.next() < 0.7 {
		m.lines = append(m.lines, stripe{mid, d.between(0.05, 0.09), d.between(1, 4), d.between(1, 9)})
	}
	if d.next() < 0.4 {
		m.lines = append(m.lines, stripe{c.rightKerb - d.between(0.3, 2.2), 0.06, 0, 0}, stripe{c.leftKerb + d.between(0.3, 2.2), 0.06, 0, 0})
	}
	if d.next() < 0.3 {
		from := d.between(23, 45)
		m.zebra, m.across = [2]float64{from, from + d.between(2.5, 4.5)}, [2]float64{c.leftKerb + 0.4, c.rightKerb - 0.4}
	}
	if d.next() < 0.2 {
		m.cycle = [2]float64{c.rightKerb - 1.9, c.rightKerb - 0.1}
		m.tint = srgb([]uint32{0x9a3a2c, 0x8a4a3a, 0x2f6a4a, 0x3a5a9a}[d.pick(4)])
	}
	return m
}

// sides puts up what stands along the street: houses of any kind, walls, hedges, fences, trees, or nothing.
func (s *scene) sides(d *dice) {
	town := d.next() < 0.62
	for _, side := range []float64{s.cut.leftFront, s.cut.rightFront} {
		for at := reachFrom; at < reachTo; {
			k := d.next()
			switch {
			case town && k < 0.9 || k < 0.3:
				at = s.houses(d, side, at)
			case k < 0.45:
				at = s.hedge(d, side, at)
			case k < 0.6:
				at = s.fence(d, side, at)
			case k < 0.68:
				at = s.lot(d, side, at)
			case k < 0.78:
				at += d.between(8, 30)
			default:
				at = s.grove(d, side, at)
			}
		}
	}
	s.horizon(d)
}

// houses puts up a few fronts in a row.
func (s *scene) houses(d *dice, side, from float64) float64 {
	set := side + math.Copysign(d.between(0, 5)*d.next(), side)
	for range 1 + d.pick(4) {
		if d.next() < 0.35 {
			walls := []uint32{0x9c5a45, 0xd3bf92, 0xb9b2a4, 0x854c3d, 0xe0d9c8, 0xb87a58, 0xc9a36c, 0x9aa6a4, 0xd4b8a4, 0x7d5f50}
			k := d.pick(len(walls))
			b := house{seed: d.pick(1 << 20), wall: srgb(walls[k]), brick: d.next() < 0.5, floors: 1 + d.pick(4), width: d.between(7, 15), reading: -math.Copysign(1, side)}
			if d.next() < 0.6 {
				b.shop, b.sign = cloths(d), written(shopWord(d))
			}
			s.insts = append(s.insts, b.build(s.line, set, from)...)
			from += b.width
			continue
		}
		f := newFrontage(d, s.air.dark)
		s.insts = append(s.insts, f.build(s.line, set, from)...)
		from += f.wide
	}
	if d.next() < 0.3 {
		from += d.between(1, 6)
	}
	return from
}

// ridge adds a long box along the street with material coordinates (along, height).
func (s *scene) ridge(side float64, along [2]float64, deep, tall float64) *mesh {
	m := &mesh{}
	out := math.Copysign(deep, side)
	a, b := s.line.at(along[0], side), s.line.at(along[1], side)
	u, v, y := b.O.sub(a.O), a.X.mul(out), vec{Y: tall}
	m.quad(a.O, u, y)
	m.quad(a.O.add(v), u, y)
	m.quad(a.O, v, y)
	m.quad(b.O, v, y)
	m.quad(a.O.add(y), u, v)
	return m
}

func (s *scene) hedge(d *dice, side, from float64) float64 {
	long, tall := d.between(5, 25), d.between(0.5, 2.4)
	if d.next() < 0.5 {
		return s.garden(d, side, from)
	}
	m := s.ridge(side, [2]float64{from, from + long}, d.between(0.5, 1.2), tall)
	a, b, seed := srgb(0x2a4222), srgb(0x5a7a3c), d.pick(1<<20)
	s.insts = append(s.insts, &instance{mesh: m, pose: home(), mat: func(h *hit) look {
		k := grain(h.p.X*9+h.p.Z*9, h.p.Y*9, seed)
		n := vec{k - 0.5, grain(h.p.X*11, h.p.Z*11+h.p.Y*7, seed) - 0.3, grain(h.p.Y*12, h.p.Z*9, seed) - 0.5}
		return look{base: a.mix(b, k).mul(0.5 + 0.9*grain(h.p.X*22+h.p.Z*22, h.p.Y*22, seed)), n: h.n.add(n.mul(1.4)).unit()}
	}})
	return from + long + d.between(0, 4)
}

// garden is a loose row of bushes.
func (s *scene) garden(d *dice, side, from float64) float64 {
	end := from + d.between(5, 18)
	mat := foliage(d)
	for from < end {
		r := d.between(0.4, 1.5)
		p := s.line.at(from, side+math.Copysign(d.between(0, 2), side))
		b := bush(d, vec{Y: r * 0.8}, vec{r, r, r})
		b.mat = mat
		if d.next() < 0.3 {
			b.mat = foliage(d)
		}
		s.set(p, []*instance{b}, nil)
		from += r * 1.2
	}
	return end
}

// fence is of rods or boards, a wall being a fence without gaps; behind it there is a garden, or nothing.
func (s *scene) fence(d *dice, side, from float64) float64 {
	end, tall := from+d.between(6, 25), d.between(0.8, 2)
	c := srgb([]uint32{0x2c4a3a, 0x20201f, 0x7a5a3a, 0xe6e4de, 0x8a8d90, 0xa8a090, 0x9c5a45}[d.pick(7)])
	if d.next() < 0.5 {
		m, seed, boards := s.ridge(side, [2]float64{from, end}, 0.15, tall), d.pick(1<<20), d.between(0.1, 0.4)
		s.insts = append(s.insts, &instance{mesh: m, pose: home(), mat: func(h *hit) look {
			k := 0.75 + 0.5*rnd(int(h.o.X/boards), int(h.o.Y/0.3), seed)*detail(h, boards)
			return look{base: c.mul(k * (0.8 + 0.4*clouds(h.o.X, h.o.Y, seed)))}
		}})
	} else {
		m, gap := &mesh{}, d.between(0.12, 0.3)
		for x := from; x < end; x += gap {
			foot := s.line.at(x, side).O
			m.tube([]vec{foot, foot.add(vec{Y: tall})}, []float64{0.014, 0.014}, 3)
		}
		for _, y := range []float64{0.15, tall - 0.08} {
			m.tube([]vec{s.line.at(from, side).O.add(vec{Y: y}), s.line.at(end, side).O.add(vec{Y: y})}, []float64{0.02, 0.02}, 5)
		}
		s.insts = append(s.insts, &instance{mesh: m, pose: home(), mat: painted(c, 0.04, 0.5)})
	}
	if d.next() < 0.6 {
		s.grove(d, side+math.Copysign(3, side), from)
	}
	return end
}

// grove is a few trees.
func (s *scene) grove(d *dice, side, from float64) float64 {
	for range 1 + d.pick(4) {
		p := s.line.at(from, side+math.Copysign(d.between(0, 6), side))
		if s.free(p.O, 0.6) {
			s.tree(d, p)
		}
		from += d.between(3, 9)
	}
	return from
}

// tree is of any size and season, also bare.
func (s *scene) tree(d *dice, p pose) {
	k := d.between(0.5, 1.9)
	trunk, crown := tree(d.pick(1 << 20))
	q := pose{X: p.X.mul(k * d.between(0.8, 1.2)), Y: p.Y.mul(k), Z: p.Z.mul(k), O: p.O}
	bark := srgb([]uint32{0x5a4c3e, 0x3a322a, 0x7a7264, 0x8a8880}[d.pick(4)])
	parts := []*instance{{mesh: trunk, mat: plain(bark)}}
	if d.next() < 0.8 {
		parts = append(parts, &instance{mesh: crown, mat: foliage(d)})
	} else {
		twigs := &mesh{}
		for range 14 {
			a, out := d.between(0, 2*math.Pi), d.between(0.5, 1.7)
			foot, tip := vec{Y: d.between(2, 4)}, vec{math.Cos(a) * out, d.between(3.6, 6.2), math.Sin(a) * out}
			twigs.tube([]vec{foot, foot.mix(tip, 0.5).add(vec{math.Cos(a), 0, math.Sin(a)}.mul(0.2)), tip}, []float64{0.05, 0.03, 0.012}, 4)
			for range 5 {
				from := foot.mix(tip, d.between(0.4, 1))
				twigs.tube([]vec{from, from.add(vec{d.between(-0.6, 0.6), d.between(0, 0.8), d.between(-0.6, 0.6)})}, []float64{0.014, 0.005}, 3)
			}
		}
		parts = append(parts, &instance{mesh: twigs, mat: plain(bark.mul(0.8))})
	}
	s.set(q, parts, nil)
	s.taken = append(s.taken, footing{p.O, 0.3})
}

// lot is a car park in a gap between the houses.
func (s *scene) lot(d *dice, side, from float64) float64 {
	end := from + d.between(12, 30)
	for x := from + 2; x < end-2; x += d.between(2.4, 2.9) {
		if d.next() < 0.3 {
			continue
		}
		p := s.line.at(x, side+math.Copysign(3.2, side))
		p = p.in(at(vec{Y: s.cut.kerb}, math.Pi/2*math.Copysign(1, d.next()-0.5)+d.between(-0.05, 0.05)))
		m := newCarOf(d, s.distance(p.O) > 22)
		s.vehicle(d, m, p)
	}
	return end
}

// horizon closes the view with woods and blocks far off.
func (s *scene) horizon(d *dice) {
	if d.next() < 0.2 {
		return
	}
	m := &mesh{}
	wood := d.next() < 0.6
	for range 26 {
		a, r := d.between(0, 2*math.Pi), d.between(110, 150)
		p := vec{s.cam.pose.O.X + math.Sin(a)*r, 0, s.cam.pose.O.Z + math.Cos(a)*r}
		if wood {
			m.ball(p, vec{d.between(8, 25), d.between(5, 14), d.between(8, 25)})
			continue
		}
		m.box(p.sub(vec{d.between(4, 14), 0, d.between(4, 14)}), p.add(vec{d.between(4, 14), d.between(6, 26), d.between(4, 14)}))
	}
	c, seed := srgb([]uint32{0x3a5230, 0x5a6a4a, 0x4a4a3a}[d.pick(3)]), d.pick(1<<20)
	if !wood {
		c = srgb([]uint32{0x8a8078, 0xa89a8a, 0x6a6a6c}[d.pick(3)])
	}
	s.insts = append(s.insts, &instance{mesh: m, pose: home(), mat: func(h *hit) look {
		return look{base: c.mul(0.6 + 0.8*grain((h.p.X+h.p.Z)*0.6, h.p.Y*0.6, seed))}
	}})
}
