package main

import "math"

// passer puts somebody at a distance; across runs from -1 to 1 over the picture.
func (s *scene) passer(d *dice, away, across float64) {
	p := s.before(away, across)
	if !s.claim(p, 0.22) {
		return
	}
	c := stroll(d, away)
	turn := d.between(0, 2*math.Pi)
	if d.next() < 0.55 { // rather towards the camera
		turn = s.toward(p) + math.Pi + d.between(-1, 1)
	}
	eyes := glance{right: d.between(-0.7, 0.7) * d.next(), down: d.between(-0.15, 0.35)}
	if d.next() < 0.3 { // looks into the camera
		eyes.right = clamp(math.Remainder(s.toward(p)+math.Pi-turn, 2*math.Pi), -1.1, 1.1)
	}
	var g gait
	switch k := d.next(); {
	case k < 0.45:
		g = c.walking(d.between(0, 2*math.Pi), d.between(0.5, 1))
	case k < 0.86:
		g = c.standing(d)
	case k < 0.93:
		g = c.stooped(d)
		eyes.down += 0.5
	default:
		g = c.sitting(d, d.between(0.08, 0.24))
		eyes.down += 0.2
	}
	s.somebody(c, at(p, turn), g, eyes)
}

// somebody puts a figure down under the label person, its face under face.
func (s *scene) somebody(c *citizen, p pose, g gait, eyes glance) *object {
	body := s.thing("person", nil)
	head := s.thing("face", body)
	parts, face := c.shown(p, g, eyes)
	s.own(parts, body)
	s.own(face, head)
	return body
}

// crowd puts people and cyclists everywhere else: alone, in groups that overlap, on benches.
func (s *scene) crowd(d *dice) {
	n := int(14 * d.next() * d.next())
	if s.about == bins {
		n /= 3
	}
	for n > 0 {
		group := 1
		if d.next() < 0.3 {
			group += d.pick(4)
		}
		away, across := s.sized(d, 1.7, 18, 500), d.between(-1.05, 1.05)
		for range group {
			s.passer(d, away+d.between(-0.5, 0.5), across+d.between(-0.6, 0.6)/away)
		}
		n -= group
	}
	for range d.pick(5) - 1 {
		s.cyclist(d, s.sized(d, 1.7, 22, 420), d.between(-1, 1))
	}
}

// cyclist is somebody on a bicycle: both together are the cyclist, whose rider is a person too.
func (s *scene) cyclist(d *dice, away, across float64) {
	p := at(s.before(away, across), d.between(0, 2*math.Pi))
	if d.next() < 0.6 { // with the street
		along, _ := s.line.find(p.O)
		q := s.line.at(along, 0)
		q.O = p.O
		p = q.in(at(vec{}, math.Pi*float64(d.pick(2))+d.between(-0.3, 0.3)))
	}
	if !s.claimLong(p, 0.9, 0.3) {
		return
	}
	c := stroll(d, away)
	c.height = max(c.height, 1.45)
	c.wear.skirt, c.wear.coat = false, false
	if d.next() < 0.3 {
		c.crown = coiffure{thick: 0.034, front: 0.060, temple: 0.03, cloth: true, more: "shell", colour: cloths(d)}
	}
	whole := s.thing("cyclist", nil)
	g := c.riding(d.between(0, 2*math.Pi))
	rider := s.somebody(c, p, g, glance{right: d.between(-0.6, 0.6) * d.next(), down: d.between(-0.1, 0.2)})
	rider.of = whole
	s.own(parkedBike(p, cloths(d)), whole)
}

// furnish puts up what stands in streets: signs, lights, benches, containers, bags, bicycles, and things without label.
func (s *scene) furnish(d *dice) {
	for _, side := range []float64{-1, 1} {
		kerb, front := s.cut.leftKerb, s.cut.leftFront
		if side > 0 {
			kerb, front = s.cut.rightKerb, s.cut.rightFront
		}
		turn := math.Pi * (1 - side) / 2
		for x := d.between(-8, 4); x < 85; x += d.between(1.2, 7) {
			across := kerb + side*d.between(0.4, 0.9)
			if d.next() < 0.35 {
				across = front - side*d.between(0.3, 0.9)
			}
			p := s.line.at(x, across)
			p.O.Y = s.cut.kerb
			s.piece(d, p.in(at(vec{}, d.between(-0.15, 0.15))), turn)
		}
	}
	for range d.pick(4) { // where the camera sees them well
		p := s.before(s.sized(d, 1, 25, 220), d.between(-0.95, 0.95))
		s.piece(d, at(p, s.toward(p)+d.between(-0.8, 0.8)), 0)
	}
}

// piece is one thing of the street; turn is half a turn on the side whose fronts look the other way.
func (s *scene) piece(d *dice, p pose, turn float64) {
	far := s.distance(p.O)
	switch k := d.next(); {
	case k < 0.17:
		s.signPost(d, p)
	case k < 0.23:
		s.signals(d, p)
	case k < 0.31:
		s.bench(d, p.in(at(vec{}, math.Pi/2+turn+float64(d.pick(4))*math.Pi/2)))
	case k < 0.40:
		if s.about != bins || far > 6 {
			s.binsAt(d, p.in(at(vec{}, math.Pi/2+turn)))
		}
	case k < 0.47:
		parts, r := rubbish(d, p)
		if s.claim(p.O, r*0.8) {
			s.own(parts, s.thing("bag", nil))
		}
	case k < 0.49:
		s.heap(d, p.O)
	case k < 0.62:
		s.bicycles(d, p)
	case k < 0.70 && far > 3:
		if s.claim(p.O, 0.5) {
			s.tree(d, p)
		}
	case k < 0.76 && s.claim(p.O, 0.2):
		s.set(p.in(at(vec{}, turn)), lampPost(pose{}), nil)
	case k < 0.79 && far > 2:
		m := newScooter(d)
		s.vehicle(d, m, p.in(at(vec{}, d.between(0, 6.3))))
	default:
		parts, r := clutter(d)
		if s.claim(p.O, r) {
			s.set(p.in(at(vec{}, math.Pi/2+turn+d.between(-0.3, 0.3))), parts, nil)
		}
	}
}

// signPost is a pole with a sign or several, or a street's name.
func (s *scene) signPost(d *dice, p pose) {
	if !s.claim(p.O, 0.2) {
		return
	}
	if d.next() < 0.3 {
		p = p.in(at(vec{}, d.between(0, 2*math.Pi)))
	}
	tall := d.between(1.9, 3.4)
	pole := post(d, tall)
	s.set(p, []*instance{pole}, nil)
	y := tall - 0.05
	for range 1 + d.pick(2) {
		b := newSign(d)
		if d.next() < 0.15 {
			b = streetName(d)
		}
		half := max(b.r, b.tall)
		if b.wide > 0 {
			half = b.tall
		}
		y -= half
		s.set(p, []*instance{{mesh: b.mesh(), pose: at(vec{0, y, -0.005}, d.between(-0.2, 0.2)), mat: b.at}}, s.thing("sign", nil))
		y -= half + 0.03
	}
}

func (s *scene) signals(d *dice, p pose) {
	if !s.claim(p.O, 0.25) {
		return
	}
	if d.next() < 0.3 {
		p = p.in(at(vec{}, d.between(0, 2*math.Pi)))
	}
	g := newSignal(d)
	s.set(p, g.posts, nil)
	for i := 0; i+1 < len(g.heads); i += 2 {
		s.set(p, g.heads[i:i+2], s.thing("traffic light", nil))
	}
}

// bench is one, and those who sit on it.
func (s *scene) bench(d *dice, p pose) {
	if !s.claim(p.O, 0.8) {
		return
	}
	parts, high := seat(d)
	s.set(p, parts, s.thing("bench", nil))
	for _, x := range []float64{-0.45, 0.1} {
		if d.next() > 0.3 {
			continue
		}
		c := stroll(d, s.distance(p.O))
		s.somebody(c, p.in(at(vec{x, 0, 0.02}, math.Pi+d.between(-0.2, 0.2))), c.sitting(d, high), glance{right: d.between(-0.7, 0.7), down: d.between(-0.1, 0.5)})
	}
}

// bicycles are parked ones; nobody asks for them.
func (s *scene) bicycles(d *dice, p pose) {
	turn := d.between(-0.4, 0.4) + float64(d.pick(2))*math.Pi/2
	for i := range 1 + d.pick(5) {
		q := p.in(at(vec{0, 0, 0.65 * float64(i)}, turn+d.between(-0.1, 0.1)))
		if !s.claim(q.O, 0.3) {
			return
		}
		bike := parkedBike(q, cloths(d))
		s.own(bike, nil)
	}
}

// light turns on the lamps that the weather wants.
func (s *scene) light(d *dice) {
	if !s.air.dark {
		return
	}
	sodium := kelvin(-d.next())
	n := 0
	for x := 20 + d.between(-8, 8); x < 90 && n < 4; x += d.between(16, 30) {
		side := s.cut.rightKerb + 0.6
		if n%2 == 1 {
			side = s.cut.leftKerb - 0.6
		}
		p := s.line.at(x, side)
		high := d.between(4, 7)
		lantern, pole := &mesh{}, &mesh{}
		lantern.ball(vec{Y: high}, vec{0.22, 0.12, 0.22})
		pole.tube([]vec{{0, 0, 0}, {0, high, 0}}, []float64{0.07, 0.05}, 8)
		s.set(p, []*instance{{mesh: lantern, mat: func(*hit) look { return look{emit: sodium.mul(6)} }}, {mesh: pole, mat: plain(black.mul(3))}}, nil)
		s.air.lamps = append(s.air.lamps, lamp{at: p.O.add(vec{Y: high}), to: vec{Y: -1}, colour: sodium.mul(d.between(1, 14)), wide: -0.2})
		n++
	}
	eye := s.cam.pose
	switch hand := s.about == bins || s.about == faces; {
	case hand && d.next() < 0.6: // a flash or a torch
		wide := -1.0
		if d.next() < 0.3 {
			wide = d.between(0.85, 0.97)
		}
		s.air.lamps = append(s.air.lamps, lamp{at: eye.point(vec{0.05, 0.08, 0}), to: eye.Z, colour: kelvin(d.between(-0.2, 0.4)).mul(d.between(1, 9)), wide: wide})
	case !hand && d.next() < 0.8:
		for _, x := range []float64{-0.6, 0.6} {
			o := vec{eye.O.X, s.cut.kerb + 0.7, eye.O.Z}.add(eye.X.mul(x))
			s.air.lamps = append(s.air.lamps, lamp{at: o, to: vec{eye.Z.X, -0.05, eye.Z.Z}.unit(), colour: kelvin(d.between(-0.4, 0.4)).mul(d.between(2, 18)), wide: d.between(0.8, 0.9)})
		}
	}
}
