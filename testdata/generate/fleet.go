package main

import "math"

// motor is a vehicle of a scene: parts in its own axes, plates apart, and its half length.
type motor struct {
	label         string
	parts         []*instance
	half, wide    float64
	plates        []*instance
	beams         []vec // headlights, in its own axes
	square        bool
	driven, brake bool
}

// carPaints are met in the proportions of a street: black, greys and white most.
func carPaint(d *dice) vec {
	common := []uint32{0x121314, 0x222325, 0x3a3d40, 0x5f6a72, 0x8b9198, 0xc9cbcd, 0xe6e8e8, 0xf0f0ee, 0x2c3e66, 0x1d2a44}
	bright := []uint32{0x8d1f1d, 0xc02020, 0x3d5b4a, 0x9a7b4f, 0x4b6a8a, 0xd8a020, 0xd86018, 0x3a8ac0, 0x6a2a3a, 0xa8c020, 0xe6e3da, 0x205a30, 0x7a3a1a, 0x4a3a6a}
	if d.next() < 0.68 {
		return srgb(common[d.pick(len(common))]).mul(d.between(0.8, 1.2))
	}
	return srgb(bright[d.pick(len(bright))]).mul(d.between(0.7, 1.2))
}

// lampsDimmed multiplies the light a vehicle gives: none of a parked one, much where the brakes are on.
func lampsDimmed(mat material, k float64) material {
	return func(h *hit) look {
		l := mat(h)
		l.emit = l.emit.mul(k)
		return l
	}
}

// varied is a car's plan with the proportions of another make.
func varied(d *dice, b *body) *body {
	v := *b
	v.top, v.belt, v.pillars = append([]knot(nil), b.top...), append([]knot(nil), b.belt...), append([]float64(nil), b.pillars...)
	tall, bonnet, long, slide := d.between(0.92, 1.12), d.between(0.92, 1.1), d.between(0.86, 1.12), d.between(-0.07, 0.07)
	v.length, v.width, v.wheel = b.length*long, b.width*d.between(0.95, 1.05), b.wheel*d.between(0.94, 1.08)
	for i := range v.axles {
		v.axles[i] *= long * d.between(0.96, 1.03)
	}
	for i, z := range v.pillars {
		v.pillars[i] = z*long + slide*b.half()
	}
	v.glassFrom *= long
	for i, k := range v.top {
		s := mix(bonnet, tall, step(0.95, 1.25, k.y))
		v.top[i] = knot{k.z + slide*(1-k.z*k.z), k.y * s} // the cabin slides, the ends stay
	}
	for i := range v.belt {
		v.belt[i].y *= bonnet
	}
	v.rearGlass = [2]float64{b.rearGlass[0] * bonnet, b.rearGlass[1]*tall - 0.01}
	v.lamp[0] = clamp(b.lamp[0]+d.between(-0.3, 0.12), 0.3, 0.9)
	lift := d.between(-0.06, 0.1)
	v.lamp[2], v.lamp[3] = b.lamp[2]+lift, b.lamp[3]+lift+d.between(-0.1, 0.12)
	if d.next() < 0.35 {
		v.plateY = d.between(0.48, 0.6) // in the bumper
	}
	return &v
}

// newCarOf draws a passenger car or a van; coarse ones have fewer triangles.
func newCarOf(d *dice, coarse bool) *motor {
	kinds := []*body{hatchback(), hatchback(), estate(), saloon(), saloon(), suv(), suv(), van()}
	b := varied(d, kinds[d.pick(len(kinds))])
	m := &motor{label: "car", half: b.half(), wide: b.width / 2}
	if b.name == "van" {
		m.label = "truck"
	}
	paint := carPaint(d)
	if m.label == "truck" && d.next() < 0.5 {
		paint = srgb(0xe8e8e6)
	}
	stations, sides := 64, 26
	if coarse {
		stations, sides = 28, 10
	}
	coat := livery{b: b, paint: paint, trim: d.next() < 0.3}
	k := m.lampLevel(d)
	m.parts = []*instance{
		{mesh: b.skin(stations), pose: home(), mat: lampsDimmed(m.lettered(d, coat.at), k)},
		{mesh: b.wheels(sides), pose: home(), mat: rimmed(d)},
	}
	m.extras(d, b)
	m.plates = []*instance{
		{pose: at(vec{0, b.plateY, -b.half() - 0.016}, 0)}, {pose: at(vec{0, 0.42 + (b.wheel-0.31)*2, b.half() + 0.016}, math.Pi)},
	}
	m.beams = []vec{{0.6, 0.7, b.half()}, {-0.6, 0.7, b.half()}}
	return m
}

// rimmed is rubber with another rim.
func rimmed(d *dice) material {
	tone, spokes, thick := d.between(0.03, 0.6), float64(5+d.pick(8)), d.between(0.04, 0.17)
	hubcap := d.next() < 0.25
	return func(h *hit) look {
		r := math.Hypot(h.o.Y, h.o.Z)
		if r > 0.66 || math.Abs(h.local.X) < 0.5 {
			return rubber(h)
		}
		turn := 2 * math.Pi / spokes
		a := math.Abs(wrap(math.Atan2(h.o.Y, h.o.Z)+7, turn)-turn/2) * r
		if !hubcap && r < 0.6 && r > 0.18 && a > thick {
			return look{base: srgb(0x161616)}
		}
		return look{base: vec{tone, tone, tone}, shine: 0.25, rough: 0.45}
	}
}

// lampLevel draws whether somebody drives and brakes.
func (m *motor) lampLevel(d *dice) float64 {
	m.driven, m.brake = d.next() < 0.5, d.next() < 0.5
	switch {
	case !m.driven:
		return 0
	case m.brake:
		return d.between(2, 9)
	}
	return d.between(0.6, 3)
}

// lettered writes on the sides of some vans and cars: letters that are no plate.
func (m *motor) lettered(d *dice, mat material) material {
	if d.next() > 0.35 || m.label == "car" && d.next() < 0.75 {
		return mat
	}
	t, ink, y := penned(shopWord(d), d.between(1.6, 3.2)), cloths(d), d.between(0.6, 1.4)
	wide := d.between(1.0, 2.4)
	return func(h *hit) look {
		l := mat(h)
		if math.Abs(h.local.X) > 0.7 && l.shine == 0.05 {
			tall := wide * textRows / float64(t.w)
			u := -h.o.Z * math.Copysign(1, h.o.X) / wide
			l.base = l.base.mix(ink, t.ink(-u+0.5, (h.o.Y-y)/tall+0.5, h.px/wide))
		}
		return l
	}
}

// extras are mirrors, and rails, boxes or a taxi's sign on the roof.
func (m *motor) extras(d *dice, b *body) {
	e := &mesh{}
	z := b.half() * 0.30
	y := b.along(b.belt, z) + 0.09
	for _, side := range []float64{-1, 1} {
		e.ball(vec{side * (b.width/2 + 0.09), y, z}, vec{0.11, 0.075, 0.06})
	}
	roof := b.along(b.top, 0)
	switch k := d.next(); {
	case k < 0.12:
		e.box(vec{-0.14, roof, -0.1}, vec{0.14, roof + 0.12, 0.02})
	case k < 0.2:
		e.box(vec{-0.45, roof + 0.06, -1}, vec{0.4, roof + 0.36, 0.6})
	case k < 0.35:
		for _, side := range []float64{-1, 1} {
			e.limb(vec{side * 0.55, roof + 0.03, -1}, vec{side * 0.55, roof + 0.03, 0.4}, 0.02, 0.02)
		}
	}
	c := cloths(d).mul(0.5)
	m.parts = append(m.parts, &instance{mesh: e, pose: home(), mat: painted(c, 0.05, 0.3)})
}

// newHeavy draws a lorry or a bus.
func newHeavy(d *dice) *motor {
	k := 0.0
	m := &motor{label: "truck", wide: 1.25}
	k = m.lampLevel(d)
	front, rear := 0.0, 0.0
	if d.next() < 0.3 {
		parts, half := bus(shopWord(d))
		m.parts, m.half = parts, half
		front, rear = half+0.03, half+0.03
		paint, old := carPaint(d), srgb(0xe5ae14)
		skin := parts[0].mat
		parts[0].mat = func(h *hit) look {
			l := skin(h)
			if l.base == old {
				l.base = paint
			}
			return l
		}
	} else {
		parts, half := lorry(carPaint(d).mix(srgb(0xe8e8e4), 0.5*d.next()), carPaint(d), shopWord(d))
		m.parts, m.half = parts, half
		front, rear = 3.40, half+0.03
		if d.next() < 0.2 { // without its box: a flat bed with a load
			m.flatbed(d)
		}
	}
	sx, sy, sz := d.between(0.88, 1.04), d.between(0.8, 1.05), d.between(0.85, 1.15)
	for _, p := range m.parts {
		p.pose = pose{X: vec{X: sx}, Y: vec{Y: sy}, Z: vec{Z: sz}}
		p.mat = lampsDimmed(p.mat, k)
	}
	m.half *= sz
	m.plates = []*instance{{pose: at(vec{0, 0.62 * sy, -rear*sz - 0.02}, 0)}, {pose: at(vec{0, 0.66 * sy, front*sz + 0.02}, math.Pi)}}
	m.beams = []vec{{0.8, 0.8, m.half + 0.2}, {-0.8, 0.8, m.half + 0.2}}
	return m
}

func (m *motor) flatbed(d *dice) {
	load := &mesh{}
	load.box(vec{-1.2, 0.98, -3.3}, vec{1.2, 1.1, 1.5})
	for _, x := range []float64{-1.18, 1.14} {
		load.box(vec{x, 1.1, -3.3}, vec{x + 0.04, 1.1 + d.between(0.3, 1.2), 1.5})
	}
	for range 6 {
		load.ball(vec{d.between(-0.8, 0.8), 1.2, d.between(-2.8, 1)}, vec{d.between(0.3, 0.7), d.between(0.2, 0.7), d.between(0.3, 0.8)})
	}
	m.parts[0] = &instance{mesh: load, mat: rubble(d)}
}

// newScooter draws a motorcycle; it has no label of its own, but a square plate.
func newScooter(d *dice) *motor {
	m := &motor{half: 0.95, wide: 0.35, square: true}
	skin, dark := &mesh{}, &mesh{}
	r := d.between(0.22, 0.31)
	for _, z := range []float64{-0.62, 0.66} {
		addWheel(dark, vec{0, r, z}, r, 20)
	}
	skin.ball(vec{0, 0.62, -0.45}, vec{0.16, 0.2, 0.42})
	skin.ball(vec{0, 0.70, 0.12}, vec{0.17, 0.2 + 0.1*d.next(), 0.28})
	skin.limb(vec{0, 0.4, 0.45}, vec{0, 0.95, 0.42}, 0.13, 0.12)
	dark.ball(vec{0, 0.82, -0.35}, vec{0.14, 0.06, 0.4})
	dark.limb(vec{0, r, 0.66}, vec{0, 1.0, 0.42}, 0.045, 0.04)
	dark.limb(vec{-0.34, 1.06, 0.3}, vec{0.34, 1.06, 0.3}, 0.02, 0.02)
	dark.ball(vec{0, 0.4, 0}, vec{0.14, 0.16, 0.35})
	dark.limb(vec{0.1, 0.05, -0.1}, vec{0.3, 0.02, -0.1}, 0.02, 0.02)
	m.parts = []*instance{
		{mesh: skin, pose: home(), mat: painted(carPaint(d), 0.05, 0.1)}, {mesh: dark, pose: home(), mat: painted(black.mul(2), 0.05, 0.4)},
	}
	m.plates = []*instance{{pose: at(vec{0, 0.52, -0.93}, 0).nod(-0.2)}}
	return m
}
