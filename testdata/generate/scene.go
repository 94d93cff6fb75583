package main

import (
	"image"
	"math"
)

// view is what a scene is about.
type view int

const (
	driving view = iota // out of a car or a lorry
	bins                // before containers, camera in the hand
	faces               // people close by
	traffic             // a vehicle close ahead
	roaming             // anything from anywhere
)

// footing is a circle in plan where something stands.
type footing struct {
	at vec
	r  float64
}

// section is the cross-section of the scene's street: offsets in metres, right positive.
type section struct {
	leftFront, leftKerb, rightKerb, rightFront float64
	kerb                                       float64 // its height
	parkLeft, parkRight                        bool
}

// scene is one picture in the making. All it holds follows from its seed and its number.
type scene struct {
	base   int
	size   image.Point
	about  view
	line   *line
	cut    section
	cam    camera
	yaw    float64 // where the camera looks in plan
	air    *weather
	finish development
	insts  []*instance
	things int
	first  float64 // distance of the first subject, where the camera was aimed at it
	taken  []footing
}

// newScene makes scene number of the series that seed names.
func newScene(seed, number int, size image.Point) *scene {
	s := &scene{base: int(hash(seed, number, 4242) >> 1), size: size}
	d := s.roll(1)
	s.about = []view{driving, driving, driving, driving, driving, driving, driving, bins, bins, bins, bins, bins, faces, faces, faces, faces, traffic, traffic, roaming, roaming}[d.pick(20)]
	s.line = curvedLine(d.between(-0.012, 0.012) * d.next())
	s.lay(s.roll(2))
	s.aim(s.roll(3))
	s.air = newWeather(s.roll(4), s.yaw)
	s.finish = newDevelopment(s.roll(5), s.air, float64(size.X)/960)
	s.ground(s.roll(6))
	s.subjects(s.roll(7))
	s.sides(s.roll(8))
	s.park(s.roll(9))
	s.furnish(s.roll(10))
	s.crowd(s.roll(11))
	s.light(s.roll(12))
	return s
}

// roll returns the dice of one part of the scene, so that a change of one part leaves the others as they were.
func (s *scene) roll(part int) *dice { return &dice{seed: int(hash(s.base, part, 99) >> 1)} }

// curvedLine is a street of even bend, in radians per metre.
func curvedLine(bend float64) *line {
	n := int((lineTo-lineFrom)/lineStep) + 1
	l := &line{spots: make([]vec, n), yaw: make([]float64, n)}
	yaw, p := lineFrom*bend, vec{Z: lineFrom}
	for i := range n {
		l.spots[i], l.yaw[i] = p, yaw
		p = p.add(vec{math.Sin(yaw), 0, math.Cos(yaw)}.mul(lineStep))
		if lineFrom+float64(i)*lineStep < 120 {
			yaw += bend * lineStep
		}
	}
	return l
}

// find returns where along and beside the line a place lies.
func (l *line) find(p vec) (s, d float64) {
	best, at := math.Inf(1), 0
	for i, q := range l.spots {
		if e := p.sub(q); e.X*e.X+e.Z*e.Z < best {
			best, at = e.X*e.X+e.Z*e.Z, i
		}
	}
	sn, cs := math.Sincos(l.yaw[at])
	e := p.sub(l.spots[at])
	return lineFrom + float64(at)*lineStep + e.X*sn + e.Z*cs, e.X*cs - e.Z*sn
}

// floor is the height of the ground.
func (s *scene) floor(p vec) float64 {
	if _, d := s.line.find(p); d < s.cut.leftKerb || d > s.cut.rightKerb {
		return s.cut.kerb
	}
	return 0
}

// lay draws the street's cross-section.
func (s *scene) lay(d *dice) {
	lane := d.between(1.6, 2.6)
	s.cut = section{rightKerb: lane, leftKerb: -lane, kerb: d.between(0.03, 0.15), parkLeft: d.next() < 0.5, parkRight: d.next() < 0.5}
	if d.next() < 0.6 {
		s.cut.leftKerb -= 2 * lane // a lane that comes the other way
	}
	if d.next() < 0.15 {
		s.cut.leftKerb -= d.between(3, 9)
	}
	if s.cut.parkLeft {
		s.cut.leftKerb -= 2.1
	}
	if s.cut.parkRight {
		s.cut.rightKerb += 2.1
	}
	s.cut.leftFront = s.cut.leftKerb - d.between(1.4, 7)
	s.cut.rightFront = s.cut.rightKerb + d.between(1.4, 7)
}

// aim puts the camera up.
func (s *scene) aim(d *dice) {
	high, field, pitch := d.between(1.2, 3.2), d.between(45, 100), d.between(-7, 3)
	across, turn := d.between(-0.4, 0.4), d.between(-0.2, 0.2)*d.next()
	switch s.about {
	case driving:
		if d.next() < 0.25 {
			turn = d.between(-1.7, 1.7)
		}
	case bins:
		high, field = d.between(1.35, 1.8), d.between(45, 75)
		if d.next() < 0.25 {
			high = d.between(1.8, 3)
		}
		across, turn = s.besideRoad(d)
		// Whoever photographs a container has it in the picture.
		s.first = firstAway(d, field, [3]float64{1.25, 45, 500})
		pitch = -math.Atan2(high-d.between(0.2, 1), s.first)*180/math.Pi + d.between(-0.2, 0.3)*field/2
	case faces, roaming:
		high, pitch = d.between(1.2, 2.2), d.between(-8, 4)
		if s.about == faces {
			s.first = firstAway(d, field, [3]float64{0.21, 9, 150})
			pitch = -math.Atan2(high-d.between(1.2, 1.7), s.first)*180/math.Pi + d.between(-0.25, 0.25)*field/2
		}
		if d.next() < 0.6 {
			across, turn = s.besideRoad(d)
		}
	}
	p := s.line.at(20, across)
	s.yaw = math.Atan2(p.Z.X, p.Z.Z) + turn
	q := at(p.O, s.yaw).nod(-pitch * math.Pi / 180)
	roll := d.between(-0.05, 0.05) * d.next()
	q.X, q.Y = q.X.mul(math.Cos(roll)).add(q.Y.mul(math.Sin(roll))), q.Y.mul(math.Cos(roll)).sub(q.X.mul(math.Sin(roll)))
	q.O.Y = high + s.floor(q.O)
	s.cam = newCamera(q, field, s.size.X, s.size.Y)
	s.taken = append(s.taken, footing{vec{q.O.X, 0, q.O.Z}, 0.35})
}

// firstAway is sized for a camera that is not up yet: size is a height in metres and the range of its rows.
func firstAway(d *dice, field float64, size [3]float64) float64 {
	rows := math.Exp(d.between(math.Log(size[1]), math.Log(size[2])))
	return clamp(480/math.Tan(field*math.Pi/360)*size[0]/rows, 0.8, 40)
}

// besideRoad stands anywhere between the fronts and looks anywhere, but rather not at a wall half a metre away.
func (s *scene) besideRoad(d *dice) (across, turn float64) {
	across = d.between(s.cut.leftFront+1, s.cut.rightFront-1)
	turn = d.between(-math.Pi, math.Pi)
	side := math.Sin(turn)
	if room := (s.cut.rightFront - across) * max(side, 0); side > 0 && room < 2.5*side {
		turn = -turn
	} else if room := (across - s.cut.leftFront) * -side; side < 0 && room < 2.5*-side {
		turn = -turn
	}
	return across, turn
}

// thing opens a label; of is what it belongs to, or nil.
func (s *scene) thing(label string, of *object) *object {
	s.things++
	return &object{id: s.things, class: label, of: of}
}

// set puts parts down at a pose. Parts without a pose of their own take it; the others are seen from it.
func (s *scene) set(p pose, parts []*instance, obj *object) {
	for _, in := range parts {
		switch {
		case in.pose == pose{}:
			in.pose = p
		default:
			in.pose = p.in(in.pose)
		}
		if in.obj == nil {
			in.obj = obj
		}
	}
	s.insts = append(s.insts, parts...)
}

// free tells whether nothing stands within r of p.
func (s *scene) free(p vec, r float64) bool {
	for _, t := range s.taken {
		dx, dz := t.at.X-p.X, t.at.Z-p.Z
		if dx*dx+dz*dz < (r+t.r)*(r+t.r) {
			return false
		}
	}
	return true
}

// claim takes the place if it is free.
func (s *scene) claim(p vec, r float64) bool {
	if !s.free(p, r) {
		return false
	}
	s.taken = append(s.taken, footing{p, r})
	return true
}

// claimLong takes a place as long as a vehicle.
func (s *scene) claimLong(p pose, half, wide float64) bool {
	var all []footing
	for x := -half + wide; x <= half; x += wide * 1.2 {
		c := footing{p.O.add(p.Z.mul(min(x, half-wide))), wide}
		if !s.free(c.at, c.r) {
			return false
		}
		all = append(all, c)
	}
	s.taken = append(s.taken, all...)
	return true
}

// before is the ground at a distance from the camera; across runs from -1 to 1 over the picture.
func (s *scene) before(away, across float64) vec {
	a := s.yaw + math.Atan(across*float64(s.size.X)/2/s.cam.f)
	p := vec{s.cam.pose.O.X + away*math.Sin(a), 0, s.cam.pose.O.Z + away*math.Cos(a)}
	p.Y = s.floor(p)
	return p
}

// toward is the yaw from the camera to p.
func (s *scene) toward(p vec) float64 {
	return math.Atan2(p.X-s.cam.pose.O.X, p.Z-s.cam.pose.O.Z)
}

// sized draws a distance at which something tall metres high has between lo and hi rows, as for a picture 544 high.
func (s *scene) sized(d *dice, tall, lo, hi float64) float64 {
	rows := math.Exp(d.between(math.Log(lo), math.Log(hi))) * float64(s.size.X) / 960
	return clamp(s.cam.f*tall/rows, 0.6, 70)
}

// distance from the camera in plan.
func (s *scene) distance(p vec) float64 {
	return math.Hypot(p.X-s.cam.pose.O.X, p.Z-s.cam.pose.O.Z)
}
