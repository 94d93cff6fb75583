package main

import "math"

const bikeWheel = 0.34

// bicycle returns frame and tyres as two meshes; the origin is on the ground between the wheels, Z forward.
func bicycle() (frame, tyres *mesh) {
	frame, tyres = &mesh{}, &mesh{}
	for _, z := range []float64{-0.52, 0.53} {
		hub := vec{0, bikeWheel, z}
		addHoop(tyres, hub, bikeWheel-0.018, 0.019)
		for i := range 10 {
			s, c := math.Sincos(2*math.Pi*float64(i)/10 + z)
			tyres.tube([]vec{hub, hub.add(vec{0, s, c}.mul(bikeWheel - 0.02))}, []float64{0.002, 0.002}, 3)
		}
	}
	back, crank, seat := vec{0, bikeWheel, -0.52}, vec{0, 0.29, -0.07}, vec{0, 0.80, -0.22}
	head, fork := vec{0, 0.83, 0.36}, vec{0, bikeWheel, 0.53}
	bar := vec{0, 1.04, 0.32}
	for _, t := range [][2]vec{
		{back, crank}, {back, seat}, {crank, seat}, {seat, head}, {crank, head.add(vec{0, -0.12, 0.02})}, {head, fork}, {head, bar},
		{seat, seat.add(vec{0, 0.12, -0.03})}, {bar.add(vec{X: -0.29, Z: -0.12}), bar}, {bar, bar.add(vec{X: 0.29, Z: -0.12})},
	} {
		frame.tube([]vec{t[0], t[1]}, []float64{0.017, 0.017}, 8)
	}
	frame.ball(vec{0, 0.95, -0.26}, vec{0.075, 0.035, 0.13})
	addMudguard(frame)
	frame.box(vec{-0.16, 0.72, -0.72}, vec{0.16, 0.735, -0.36})
	return frame, tyres
}

// addMudguard covers the top of the rear wheel.
func addMudguard(m *mesh) {
	var knots []vec
	var radii []float64
	for i := range 10 {
		s, c := math.Sincos(0.3 + 2.2*float64(i)/9)
		knots = append(knots, vec{0, bikeWheel + s*0.375, -0.52 - c*0.375})
		radii = append(radii, 0.022)
	}
	m.tube(knots, radii, 6)
}

// addHoop adds a ring round the X axis.
func addHoop(m *mesh, hub vec, r, thick float64) {
	const around = 32
	var rings [][]vec
	for i := range around + 1 {
		s, c := math.Sincos(2 * math.Pi * float64(i) / around)
		out := vec{0, s, c}
		rings = append(rings, circle(pose{X: vec{1, 0, 0}, Z: out, Y: vec{0, c, -s}, O: hub.add(out.mul(r))}, thick, 8))
	}
	m.loft(rings)
}

// parkedBike stands on its own, handlebar slightly turned away by the paint it wears.
func parkedBike(at pose, paint vec) []*instance {
	frame, tyres := bicycle()
	return []*instance{
		{mesh: frame, pose: at, mat: painted(paint, 0.06, 0.3)},
		{mesh: tyres, pose: at, mat: painted(srgb(0x1d1d1e), 0.03, 0.7)},
	}
}

// riding returns the joints of somebody on a bicycle at an angle of the crank.
func (p *person) riding(crank float64) gait {
	h, k := p.height, p.height/1.75
	g := gait{chest: vec{0, 0.99, -0.24}, neck: vec{0, 0.99 + 0.325*h*0.97, -0.24 + 0.325*h*0.20}}
	for i := range 2 {
		side := float64(2*i - 1)
		s, c := math.Sincos(crank + float64(i)*math.Pi)
		g.hip[i] = vec{side * 0.09 * k, 0.97, -0.24}
		g.ankle[i] = vec{side * 0.11, 0.29 + 0.17*s + 0.09, -0.11 + 0.17*c}
		g.knee[i] = bent(g.hip[i], g.ankle[i], [2]float64{0.245 * h, 0.232 * h}, vec{side * 0.1, 0.2, 1})
		g.toe[i] = vec{side * 0.05, -0.1, 1}.unit()
		g.shoulder[i] = g.neck.add(vec{side * 0.178 * k, -0.045 * h, 0})
		g.hand[i] = vec{side * 0.27, 1.08, 0.20}
		g.elbow[i] = bent(g.shoulder[i], g.hand[i], [2]float64{0.172 * h, 0.165 * h}, vec{side * 0.6, -0.6, -0.3})
	}
	return g
}
