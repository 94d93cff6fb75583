package main

import "math"

// vehicle puts a vehicle with its plates at a pose; false when something stands there.
func (s *scene) vehicle(d *dice, m *motor, p pose) bool {
	if !s.claimLong(p, m.half, m.wide+0.1) {
		return false
	}
	var obj *object
	if m.label != "" {
		obj = s.thing(m.label, nil)
	}
	s.set(p, m.parts, obj)
	retro := 1.0
	if s.air.dark {
		retro = 1 + 3*d.next()*d.next()
	}
	small := m.square || m.label == "truck" && d.next() < 0.1
	reg := newRegistration(d, small, retro)
	for i, in := range m.plates {
		frame := reg.frame()
		frame.pose = in.pose
		in.mesh, in.mat = reg.mesh(), reg.material(i == 0)
		in.obj = s.thing("plate", obj)
		s.set(p, []*instance{in, frame}, obj)
	}
	if s.air.dark && m.driven && len(s.air.lamps) < 4 {
		for _, b := range m.beams[:min(len(m.beams), 1)] {
			s.air.lamps = append(s.air.lamps, lamp{at: p.point(b), to: p.Z.sub(vec{Y: 0.06}).unit(), colour: kelvin(d.between(-0.3, 0.4)).mul(14), wide: 0.85})
		}
	}
	return true
}

// onRoad is the pose of a vehicle at s, d of the street.
func (s *scene) onRoad(along, across, turn float64) pose {
	return s.line.at(along, across).in(at(vec{}, turn))
}

// subjects puts down what the scene is about, at distances that give the sizes wanted.
func (s *scene) subjects(d *dice) {
	switch s.about {
	case bins:
		s.binGroup(d, s.first)
		if d.next() < 0.4 {
			s.binGroup(d, s.sized(d, 1.25, 20, 120))
		}
	case faces:
		s.passer(d, s.first, d.between(-0.9, 0.9))
		for range d.pick(4) {
			s.passer(d, s.sized(d, 0.21, 9, 150), d.between(-0.95, 0.95))
		}
	case driving:
		s.bonnet(d)
	case traffic:
		s.lead(d)
		s.bonnet(d)
	case roaming:
		switch d.pick(3) {
		case 0:
			s.binGroup(d, s.sized(d, 1.25, 20, 400))
		case 1:
			s.lead(d)
		case 2:
			s.passer(d, s.sized(d, 0.21, 9, 120), d.between(-0.9, 0.9))
		}
	}
}

// bonnet is the front of the car that carries the camera, at the lower edge of some pictures. It is no car to be found.
func (s *scene) bonnet(d *dice) {
	if s.cam.pose.O.Y > 1.75 || d.next() > 0.3 {
		return
	}
	m := &mesh{}
	m.ball(vec{d.between(-0.4, 0.4), -d.between(0.45, 0.62), d.between(0.3, 0.5)}, vec{d.between(1.1, 1.6), d.between(0.08, 0.2), d.between(0.7, 1.2)})
	s.set(s.cam.pose, []*instance{{mesh: m, mat: painted(carPaint(d), 0.06, 0.05)}}, nil)
}

// lead puts a vehicle so near before the camera that its plate can be read, or nearly.
func (s *scene) lead(d *dice) {
	away := s.sized(d, 0.115, 7, 60)
	m := newCarOf(d, away > 25)
	if d.next() < 0.15 {
		m = newHeavy(d)
	}
	if d.next() < 0.12 {
		m = newScooter(d)
	}
	turn := d.between(-0.5, 0.5) * d.next()
	if d.next() < 0.35 {
		turn += math.Pi
	}
	p := at(s.before(away, d.between(-0.75, 0.75)), s.yaw+turn)
	p.O = p.O.add(vec{math.Sin(s.yaw), 0, math.Cos(s.yaw)}.mul(m.half))
	s.vehicle(d, m, p)
}

// park fills the parked rows and the lanes.
func (s *scene) park(d *dice) {
	full, heavy := d.between(0.3, 1), d.between(0, 0.25)
	rows := []struct {
		on     bool
		across float64
		turn   float64
	}{{s.cut.parkRight, s.cut.rightKerb - 1.05, 0}, {s.cut.parkLeft, s.cut.leftKerb + 1.05, math.Pi}}
	for _, r := range rows {
		if !r.on {
			continue
		}
		for x := d.between(-12, -5); x < 110; {
			m := s.anyVehicle(d, x, heavy)
			m.parked()
			turn := r.turn
			if d.next() < 0.2 {
				turn += math.Pi
			}
			if d.next() < full {
				s.vehicle(d, m, s.onRoad(x+m.half, r.across+d.between(-0.12, 0.12), turn+d.between(-0.03, 0.03)))
			}
			x += 2*m.half + d.between(0.5, 1.6)
		}
	}
	for range d.pick(7) {
		across := s.cut.leftKerb + d.between(3.3, 4)
		turn := math.Pi
		if across > s.cut.rightKerb-4.5 || d.next() < 0.4 {
			across, turn = d.between(-0.3, 0.3), 0
		}
		if d.next() < 0.12 { // turning, crossing
			turn = d.between(0, 2*math.Pi)
		}
		x := d.between(26, 100)
		s.vehicle(d, s.anyVehicle(d, x, heavy+0.05), s.onRoad(x, across, turn))
	}
}

func (s *scene) anyVehicle(d *dice, along, heavy float64) *motor {
	switch {
	case d.next() < heavy:
		return newHeavy(d)
	case d.next() < 0.06:
		return newScooter(d)
	}
	return newCarOf(d, math.Abs(along-20) > 24)
}

// parked puts the lamps out.
func (m *motor) parked() {
	m.driven = false
	for _, p := range m.parts {
		p.mat = lampsDimmed(p.mat, 0)
	}
}

// binGroup is a container or a row of them some metres away, and what was left beside them.
func (s *scene) binGroup(d *dice, away float64) {
	mid := s.before(away+0.5, d.between(-0.8, 0.8))
	turn := s.toward(mid) + d.between(-0.9, 0.9)
	if d.next() < 0.15 {
		turn = d.between(0, 2*math.Pi)
	}
	s.binsAt(d, at(mid, turn))
}

// binsAt puts a row of containers round a pose; their fronts look towards -Z.
func (s *scene) binsAt(d *dice, row pose) {
	kind, n := d.pick(8), 1
	if d.next() < 0.5 {
		n += d.pick(4)
	}
	gap := d.between(1.3, 2.2)
	if kind < 2 {
		gap = d.between(0.62, 0.9)
	}
	for i := range n {
		p := row.in(at(vec{(float64(i) - float64(n-1)/2) * gap, 0, d.between(-0.1, 0.1)}, d.between(-0.1, 0.1)))
		p.O.Y = s.floor(p.O)
		s.oneBin(d, p, kind)
		if d.next() < 0.2 {
			kind = d.pick(8)
		}
	}
	if d.next() < 0.7 || s.about == bins && d.next() < 0.6 {
		s.leftBeside(d, row, float64(n)*gap/2)
	}
}

func (s *scene) oneBin(d *dice, p pose, kind int) {
	var parts, plate []*instance
	r := 0.5
	switch kind {
	case 0, 1:
		large := kind == 1
		if large && d.next() < 0.6 || !large && d.next() < 0.1 {
			r = 0.6
			parts = wheelie(d, p, true)
		} else {
			r = 0.3
			parts = wheelie(d, p, false)
		}
	case 2, 3, 4:
		parts, plate = column(d, p)
	case 5:
		parts = container(p, binPaint(d))
		parts, plate = parts[:2], parts[2:]
		if d.next() < 0.5 {
			plate = nil
		}
	case 6:
		parts = drum(d, p)
	case 7:
		r = 0.75
		parts = igloo(d, p)
		if d.next() < 0.4 {
			r, parts = 1.2, skip(d, p)
		}
	}
	if s.claim(p.O, r*0.9) {
		s.own(parts, s.thing("container", nil))
		s.own(plate, nil)
	}
}

// own gives finished parts to an object.
func (s *scene) own(parts []*instance, obj *object) {
	for _, in := range parts {
		in.obj = obj
	}
	s.insts = append(s.insts, parts...)
}

// leftBeside strews waste round containers: single pieces, and heaps that count as one.
func (s *scene) leftBeside(d *dice, row pose, half float64) {
	for range 1 + d.pick(6) {
		p := row.point(vec{d.between(-half-1.1, half+1.1), 0, d.between(-1.4, 0.5)})
		p.Y = s.floor(p)
		if d.next() < 0.35 {
			s.heap(d, p)
			continue
		}
		parts, r := rubbish(d, at(p, d.between(0, 2*math.Pi)))
		if s.claim(p, r*0.7) {
			s.own(parts, s.thing("bag", nil))
		}
	}
}

// heap is several pieces of waste on and against each other.
func (s *scene) heap(d *dice, p vec) {
	if !s.free(p, 0.5) {
		return
	}
	obj := s.thing("bag", nil)
	wide := d.between(0.3, 0.9)
	for i := range 3 + d.pick(7) {
		a, r := d.between(0, 2*math.Pi), wide*math.Sqrt(d.next())
		q := p.add(vec{r * math.Cos(a), 0, r * math.Sin(a)})
		if i > 3 {
			q.Y += d.between(0.05, 0.3) * (1 - r/wide)
		}
		parts, size := rubbish(d, at(q, d.between(0, 2*math.Pi)))
		if s.distance(q) > size+0.6 {
			s.own(parts, obj)
		}
	}
	s.taken = append(s.taken, footing{p, wide + 0.2})
}
