package main

import "math"

// container is a street waste container: a rounded body with a sloping hatch towards -Z, on a steel plate.
func container(at pose, paint vec) []*instance {
	body, hatch, base := &mesh{}, &mesh{}, &mesh{}
	var rings [][]vec
	for _, k := range []struct{ y, front, back, w float64 }{
		{0.02, -0.42, 0.42, 0.45}, {0.06, -0.45, 0.45, 0.48}, {0.72, -0.47, 0.47, 0.50}, {0.78, -0.46, 0.47, 0.50},
		{1.12, -0.20, 0.46, 0.48}, {1.22, -0.08, 0.42, 0.44}, {1.25, 0.0, 0.36, 0.38},
	} {
		rings = append(rings, oval(vec{0, k.y, (k.front + k.back) / 2}, k.w, (k.back-k.front)/2, 6))
	}
	body.loft(rings)
	slope := vec{0, 0.32, 0.245}
	hatch.quad(vec{-0.32, 0.80, -0.465}, vec{X: 0.64}, slope)
	base.box(vec{-0.85, 0, -0.85}, vec{0.85, 0.02, 0.85})
	return []*instance{
		{mesh: body, pose: at, mat: bodywork(paint)},
		{mesh: hatch, pose: at, mat: hatchFace},
		{mesh: base, pose: at, mat: chequer},
	}
}

func bodywork(paint vec) material {
	return func(h *hit) look {
		c := paint.mul(0.85 + 0.3*noise(h.o.mul(4)))
		if h.o.Z < -0.3 && math.Abs(h.o.X) < 0.13 && h.o.Y > 0.36 && h.o.Y < 0.62 {
			c = srgb(0xdfe3e0).mix(srgb(0x2f6a3a), band(math.Hypot(h.o.X, h.o.Y-0.49), -1, 0.09, 0.004))
		}
		if math.Abs(h.o.Y-0.75) < 0.008 {
			c = c.mul(0.3)
		}
		return look{base: c, shine: 0.04, rough: 0.5}
	}
}

func hatchFace(h *hit) look {
	u, v := h.o.X/0.64, h.o.Y/0.40
	if math.Abs(u-0.5) > 0.46 || math.Abs(v-0.5) > 0.45 {
		return look{base: srgb(0x2a2c2d), shine: 0.04, rough: 0.4}
	}
	if v > 0.30 && v < 0.40 {
		return look{base: srgb(0x35383a)}
	}
	return look{base: srgb(0xb5b9bb), shine: 0.25, rough: 0.5}
}

// chequer is the steel plate round a container.
func chequer(h *hit) look {
	k := 0.5 + 0.5*math.Sin(h.o.X*70)*math.Sin(h.o.Z*70)
	return look{base: srgb(0xa9adae).mul(mix(1, 0.85+0.3*k, detail(h, 0.05))), shine: 0.06, rough: 0.7}
}

// sack is a tied rubbish bag.
func sack(at pose, paint vec) []*instance {
	m := &mesh{}
	var rings [][]vec
	for _, k := range [][2]float64{{0, 0.16}, {0.05, 0.24}, {0.18, 0.28}, {0.34, 0.24}, {0.46, 0.13}, {0.52, 0.05}, {0.57, 0.08}, {0.60, 0.09}} {
		ring := oval(vec{Y: k[0]}, k[1], k[1]*0.85, 2)
		for i, p := range ring {
			ring[i] = p.add(p.unit().mul(0.05 * (noise(p.mul(11).add(at.O)) - 0.5)))
		}
		rings = append(rings, ring)
	}
	m.loft(rings)
	return []*instance{{mesh: m, pose: at, mat: func(h *hit) look {
		l := folded(h, paint)
		l.shine, l.rough = 0.08, 0.35
		return l
	}}}
}

// bench is the slatted Copenhagen kind.
func bench(at pose) []*instance {
	wood, iron := &mesh{}, &mesh{}
	for i := range 4 {
		z := -0.22 + 0.13*float64(i)
		wood.box(vec{-1, 0.42, z}, vec{1, 0.465, z + 0.1})
		if i < 3 {
			y := 0.56 + 0.13*float64(i)
			wood.box(vec{-1, y, 0.28 + 0.03*float64(i)}, vec{1, y + 0.1, 0.315 + 0.03*float64(i)})
		}
	}
	for _, x := range []float64{-0.85, 0.85} {
		iron.limb(vec{x, 0, -0.2}, vec{x, 0.42, -0.16}, 0.025, 0.025)
		iron.limb(vec{x, 0, 0.34}, vec{x, 0.95, 0.38}, 0.025, 0.025)
		iron.limb(vec{x, 0.41, -0.2}, vec{x, 0.41, 0.3}, 0.025, 0.025)
	}
	return []*instance{
		{mesh: wood, pose: at, mat: painted(srgb(0x2f5a3e), 0.04, 0.5)},
		{mesh: iron, pose: at, mat: painted(srgb(0x1c1d1e), 0.05, 0.4)},
	}
}

// lampPost carries a lantern over the road, which lies towards -X.
func lampPost(at pose) []*instance {
	m, lamp := &mesh{}, &mesh{}
	m.tube([]vec{{0, 0, 0}, {0, 0.9, 0}, {0, 1.0, 0}, {0, 6.2, 0}, {-0.4, 6.7, 0}, {-1.3, 6.8, 0}}, []float64{0.11, 0.11, 0.07, 0.05, 0.045, 0.04}, 10)
	lamp.ball(vec{-1.45, 6.76, 0}, vec{0.3, 0.09, 0.14})
	return []*instance{
		{mesh: m, pose: at, mat: painted(srgb(0x3a4440), 0.05, 0.4)},
		{mesh: lamp, pose: at, mat: painted(srgb(0xc9cccb), 0.06, 0.3)},
	}
}

// trafficLight shows one lamp (0 red, 1 amber, 2 green) towards -Z.
func trafficLight(at pose, lit int) []*instance {
	post, box, lens := &mesh{}, &mesh{}, &mesh{}
	post.tube([]vec{{0, 0, 0}, {0, 3.4, 0}}, []float64{0.055, 0.055}, 10)
	box.box(vec{-0.16, 2.45, -0.28}, vec{0.16, 3.4, -0.06})
	box.box(vec{-0.25, 2.36, -0.07}, vec{0.25, 3.49, -0.055})
	for i := range 3 {
		mid := vec{0, 3.22 - 0.30*float64(i), -0.29}
		lens.ball(mid, vec{0.115, 0.115, 0.04})
		for k := range 2 { // a hood over each lamp
			lo := mid.add(vec{-0.13, 0.10 + 0.015*float64(k), -0.16})
			box.quad(lo, vec{X: 0.26}, vec{Z: 0.17})
		}
	}
	colours := [3]uint32{0xff3020, 0xffb020, 0x20e080}
	return []*instance{
		{mesh: post, pose: at, mat: painted(srgb(0x4a4f4d), 0.05, 0.4)},
		{mesh: box, pose: at, mat: painted(srgb(0x141515), 0.04, 0.6)},
		{mesh: lens, pose: at, mat: func(h *hit) look {
			i := int((3.37 - h.o.Y) / 0.30)
			c := srgb(colours[min(max(i, 0), 2)])
			if i == lit {
				return look{base: c, emit: c.mul(2.6)}
			}
			return look{base: c.mul(0.07), shine: 0.06, rough: 0.2}
		}},
	}
}

// sign is a round or square plate on a post, facing -Z.
func sign(at pose, face material, round bool) []*instance {
	post, plate := &mesh{}, &mesh{}
	post.tube([]vec{{0, 0, 0}, {0, 2.85, 0}}, []float64{0.032, 0.032}, 8)
	m := pose{X: vec{1, 0, 0}, Y: vec{0, 0, 1}, Z: vec{0, 1, 0}, O: vec{0, 2.5, -0.045}}
	if round {
		plate.lid(circle(m, 0.33, 40))
	}
	if !round {
		plate.box(vec{-0.3, 2.2, -0.05}, vec{0.3, 2.8, -0.04})
	}
	for i := range plate.vs {
		plate.vs[i].o = plate.vs[i].p.sub(vec{Y: 2.5})
	}
	return []*instance{
		{mesh: post, pose: at, mat: painted(srgb(0x8d9294), 0.2, 0.4)},
		{mesh: plate, pose: at, mat: face},
	}
}

// noStopping is the blue disc with the red cross.
func noStopping(h *hit) look {
	r := math.Hypot(h.o.X, h.o.Y)
	cross := min(math.Abs(h.o.X-h.o.Y), math.Abs(h.o.X+h.o.Y)) < 0.045
	if r > 0.27 || cross {
		return look{base: srgb(0xb5161c), shine: 0.04, rough: 0.5}
	}
	return look{base: srgb(0x10459a), shine: 0.04, rough: 0.5}
}

// crossing is the blue square with the white triangle.
func crossing(h *hit) look {
	c := srgb(0x10459a)
	if h.o.Y > -0.2 && math.Abs(h.o.X) < (0.22-h.o.Y)*0.56 {
		c = srgb(0xeeeeea)
		if math.Abs(h.o.X) < 0.05 && h.o.Y < 0.1 && wrap(h.o.Y, 0.1) < 0.07 {
			c = black
		}
	}
	return look{base: c, shine: 0.04, rough: 0.5}
}
