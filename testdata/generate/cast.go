package main

import "math"

// walker crosses the picture once: at time t it is ahead metres before the sweeper at offset d, and moves with the given
// speeds along and across the street.
type walker struct {
	t, ahead, d   float64
	along, across float64
	eyes          glance
	turn          float64 // where somebody who stands still faces
}

// walkers is the cast in the order of appearance.
func walkers() []walker {
	down := glance{right: 0, down: 0.05}
	return []walker{
		{3, 12, 5.4, -1.3, 0, down, 0}, {6, 9, 6.2, -1.2, 0, down, 0}, {8, 16, 5.6, 1.2, 0, down, 0}, {10, 8, 5.2, -1.25, 0, glance{0.3, 0.05}, 0},
		{12, 8.6, 6.4, -1.1, 0, down, 0}, {13, 7, 4.6, 0, 0, down, 3.3}, {15, 9, 5.6, -1.3, 0, glance{0.4, 0.05}, 0},
		{17.5, 9.5, 0, 0, -1.25, glance{-0.9, 0.05}, 0}, {19.5, 9.0, -0.6, 0, 1.2, glance{0.95, 0.05}, 0}, {20.3, 8.2, 0.8, 0, 1.15, glance{1.0, 0.1}, 0},
		{22.5, 7.2, 0.2, 0, -1.3, glance{-1.0, 0.05}, 0}, {24, 5.6, 1.0, 0, 1.3, glance{1.1, 0.05}, 0},
		{18, 11, 5.3, -1.2, 0, down, 0}, {21, 12, 6.0, -1.1, 0, down, 0}, {25, 9, 5.5, -1.3, 0, down, 0}, {27, 15, 5.2, 1.3, 0, down, 0},
		{30, 8.5, 5.4, -1.1, 0, glance{0.4, 0}, 0}, {34, 9, 5.8, -1.3, 0, down, 0}, {37, 11, 5.2, 1.1, 0, down, 0}, {40, 9, 5.5, -1.2, 0, down, 0},
		{43, 8, 4.7, 0, 0, down, 3.35}, {43, 8.6, 5.4, 0, 0, down, -2.2}, {45, 9.5, 6.3, -1.2, 0, glance{0.3, 0.05}, 0}, {47.5, 7, 1.2, -0.2, -1.2, glance{-0.9, 0}, 0},
		{49, 10, 5.5, -1.1, 0, down, 0}, {52, 9, 5.6, -1.3, 0, down, 0}, {57, 18, 5.5, 1.2, 0, down, 0},
		{62.5, 8, 0.4, 0, 1.2, glance{0.9, 0}, 0}, {63.5, 9, 5.3, -1.2, 0, down, 0}, {66, 8.5, 5.8, -1.2, 0, down, 0}, {69, 8, 4.9, 0, 0, down, 3.2},
		{71, 9, 5.4, -1.2, 0, glance{0.4, 0}, 0}, {72.5, 6.5, 0.9, 0, -1.25, glance{-1, 0}, 0}, {75, 9, 5.6, -1.1, 0, down, 0}, {79, 10, 5.4, -1.3, 0, down, 0},
		{83, 10, 5.5, 1.2, 0, down, 0}, {20, 24, -9.0, -1.2, 0, down, 0}, {32, 20, -8.8, 1.2, 0, down, 0}, {46, 22, -9.2, -1.1, 0, down, 0}, {70, 20, -9.0, -1.2, 0, down, 0},
		{10.5, 9.6, 2.35, 0, 0, down, 3.25}, {22, 16, 4.5, 0, 0, down, 3.4}, {25.4, 9.3, 4.55, 0, 0, down, 3.5}, {29.6, 8.5, 0.9, 0, -1.1, glance{-0.9, 0}, 0},
		{31, 11, -0.6, -0.9, 0.5, down, 0}, {50.6, 8, 0.3, 0, 1.15, glance{0.95, 0}, 0}, {52.4, 9, 0.2, -0.7, -0.8, glance{-0.3, 0}, 0},
		{65, 8.5, 0.8, 0, -1.2, glance{-1, 0}, 0}, {68.2, 8.5, -0.4, 0, 1.2, glance{0.9, 0}, 0}, {70, 10, 4.75, 0, 0, down, 3.3}, {75, 8, 0.1, 0, 1.2, glance{1, 0}, 0},
		{76.8, 8, 0.6, 0, -1.2, glance{-0.9, 0}, 0}, {41, 10, 1.0, -0.9, 0.2, down, 0}, {54, 14, 2.1, -1.2, 0, down, 0},
	}
}

// people puts the walkers and the cyclists on the stage.
func (st *stage) people() {
	for i, w := range walkers() {
		p := sketchPerson(500 + i*13)
		st.moving = append(st.moving, st.walk(p, w, st.add("person", "", nil), st.add("face", "", nil)))
	}
	for i, c := range []struct{ t, ahead, d, speed float64 }{
		{11, 6, 1.15, 4.2}, {16, 10, -2.5, -4.5}, {28, 9, -2.4, -4.2}, {44, 7.5, -2.3, -4}, {50, 8, 1.1, 2.9}, {64, 9, -2.4, -4.4}, {74, 8, -2.3, -4}, {67.5, 7, 1.2, 4},
	} {
		p := sketchPerson(9000 + i*7)
		p.wear.skirt, p.wear.coat = false, false
		st.moving = append(st.moving, st.ride(p, walker{t: c.t, ahead: c.ahead, d: c.d, along: c.speed}))
	}
}

// spot returns where a walker is at t, and whether it is anywhere near its appearance.
func (st *stage) spot(w walker, t float64) (s, d float64, here bool) {
	met, _ := travelled(w.t)
	now, _ := travelled(t)
	s, d = met+w.ahead+w.along*(t-w.t), w.d+w.across*(t-w.t)
	here = s > now-3 && s < now+75 && d > leftFront+0.6 && d < rightFront-0.5
	return s, d, here
}

// walk returns the mover of one pedestrian.
func (st *stage) walk(p *person, w walker, body, face *object) func(t float64) []*instance {
	face.of = body
	return func(t float64) []*instance {
		s, d, here := st.spot(w, t)
		if !here {
			return nil
		}
		y := pavementY * (step(rightKerb-0.1, rightKerb+0.25, d) + step(leftKerb+0.1, leftKerb-0.25, d))
		speed := math.Hypot(w.along, w.across)
		turn := w.turn
		if speed > 0 {
			turn = math.Atan2(w.across, w.along)
		}
		at := st.line.at(s, d).in(at(vec{Y: y}, turn))
		g := p.walking(2*math.Pi*speed*t/(0.82*p.height)+w.t*5, min(speed, 1))
		return cast(p.figure(at, g, w.eyes), p, body, face)
	}
}

// cast gives the parts of a figure to its person, and the face parts to the face.
func cast(parts []*instance, p *person, body, face *object) []*instance {
	for _, in := range parts {
		in.obj = body
		if in.mesh == p.heads[0].face || in.mesh == p.heads[1].face {
			in.obj = face
		}
	}
	return parts
}

// ride returns the mover of one cyclist with the bicycle.
func (st *stage) ride(p *person, w walker) func(t float64) []*instance {
	body, face, bike := st.add("person", "", nil), st.add("face", "", nil), st.add("bicycle", "", nil)
	face.of = body
	paint := srgb([]uint32{0x1f1f20, 0x7a1f24, 0x2a4a6a}[body.id%3])
	return func(t float64) []*instance {
		s, d, here := st.spot(w, t)
		if !here {
			return nil
		}
		turn := 0.0
		if w.along < 0 {
			turn = math.Pi
		}
		at := st.line.at(s, d).in(at(vec{}, turn))
		parts := cast(p.figure(at, p.riding(t*7), glance{}), p, body, face)
		for _, in := range parkedBike(at, paint) {
			in.obj = bike
			parts = append(parts, in)
		}
		return parts
	}
}

// traffic sends vehicles down the other lane.
func (st *stage) traffic() {
	bodies := []*body{saloon(), hatchback(), estate(), suv(), van()}
	paints := []uint32{0x2c3e66, 0xc9cbcd, 0x8d1f1d, 0x222325, 0xe6e3da}
	for i, c := range []struct{ t, speed float64 }{{5, -8}, {14, -7.5}, {25, -7}, {36, -8}, {56, -9}, {66, -7.5}, {81, -8}} {
		v := st.newCar(bodies[i%5], paints[i%5], plateText(7000+i))
		st.moving = append(st.moving, st.pass(v, walker{t: c.t, ahead: 8, d: oncoming, along: c.speed}))
	}
	b := st.newBus("5C SUNDBY", plateText(7100))
	st.moving = append(st.moving, st.pass(b, walker{t: 46.5, ahead: 12, d: oncoming - 0.1, along: -3.2}))
	l := st.newLorry(0xd8d2c4, 0xa8202a, "BYGGEMARKED", plateText(7101))
	st.moving = append(st.moving, st.pass(l, walker{t: 72, ahead: 10, d: oncoming, along: -4}))
}

func (st *stage) pass(v *vehicle, w walker) func(t float64) []*instance {
	return func(t float64) []*instance {
		s, d, here := st.spot(w, t)
		if !here {
			return nil
		}
		p := st.line.at(s, d)
		p.X, p.Z = p.X.mul(-1), p.Z.mul(-1)
		return v.moved(p)
	}
}
