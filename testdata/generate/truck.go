package main

import "math"

// lorry returns a delivery truck: box, cab, chassis and wheels. Its middle is the origin, Z forward.
func lorry(paint, cab vec, words string) (parts []*instance, half float64) {
	box, head, under, wheels := &mesh{}, &mesh{}, &mesh{}, &mesh{}
	box.box(vec{-1.2, 0.98, -3.3}, vec{1.2, 3.35, 1.5})
	var rings [][]vec
	for _, k := range []struct{ y, back, front, w float64 }{
		{0.5, 1.7, 3.28, 1.05}, {0.56, 1.7, 3.36, 1.10}, {1.1, 1.7, 3.38, 1.12}, {1.45, 1.7, 3.34, 1.11},
		{2.2, 1.7, 3.06, 1.06}, {2.42, 1.72, 2.9, 1.0}, {2.5, 1.8, 2.7, 0.9},
	} {
		mid := vec{0, k.y, (k.back + k.front) / 2}
		rings = append(rings, oval(mid, k.w, (k.front-k.back)/2, 7))
	}
	head.loft(rings)
	under.box(vec{-0.45, 0.55, -3.2}, vec{0.45, 0.95, 1.9})
	under.box(vec{-1.15, 0.42, -3.32}, vec{1.15, 0.56, -3.24})
	under.box(vec{-1.2, 0.86, -3.3}, vec{1.2, 0.98, 1.5})
	for _, z := range []float64{-1.9, 2.5} {
		for _, side := range []float64{-1, 1} {
			addWheel(wheels, vec{side * 0.93, 0.44, z}, 0.44, 28)
		}
	}
	t := written(words)
	return []*instance{
		{mesh: box, mat: boxSide(paint, t)},
		{mesh: head, mat: cabSkin(cab)},
		{mesh: under, mat: undercarriage},
		{mesh: wheels, mat: rubber},
	}, 3.3
}

// boxSide is the body of the truck: doors behind, lettering on the sides and above the doors.
func boxSide(paint vec, t *texture) material {
	return func(h *hit) look {
		x, y, z := h.o.X, h.o.Y, h.o.Z
		l := look{base: paint.mul(0.95 + 0.1*clouds(x+z, y*0.6, 60)), shine: 0.03, rough: 0.5}
		steel := look{base: srgb(0x9a9c9e), shine: 0.2, rough: 0.5}
		edge := math.Abs(x) > 1.13 && math.Abs(h.local.X) < 0.5 || y < 1.06 || y > 3.27
		if math.Abs(h.local.Z) > 0.5 {
			ax := math.Abs(x)
			switch {
			case edge:
				return steel
			case ax < 0.012:
				l.base = l.base.mul(0.15)
			case math.Abs(ax-0.22) < 0.018 || math.Abs(ax-0.75) < 0.018:
				return steel
			case ax > 1.02 && wrap(y, 0.6) < 0.12:
				return steel
			}
		}
		along, wide := x, 1.7
		if math.Abs(h.local.X) > 0.5 {
			along, wide = (z+0.9)*math.Copysign(1, h.local.X), 3.6
			if edge {
				return steel
			}
		}
		tall := wide * textRows / float64(t.w)
		ink := t.ink(along/wide+0.5, (y-2.55)/tall+0.5, h.px/wide)
		l.base = l.base.mix(srgb(0x1d5a3a), ink)
		l.base = l.base.mix(srgb(0x6d675f), 0.4*step(1.7, 1.0, y)*noise(h.o.mul(3)))
		return l
	}
}

func cabSkin(paint vec) material {
	return func(h *hit) look {
		x, y, z := math.Abs(h.o.X), h.o.Y, h.o.Z
		front := h.local.Z > 0.6
		if math.Hypot(z-2.5, y-0.44) < 0.55 && x > 0.7 {
			return look{base: black}
		}
		if y > 1.42 && y < 2.25 && ((front && x < 0.95) || (math.Abs(h.local.X) > 0.7 && z > 2.05 && z < 2.95)) {
			return look{base: srgb(0x17191b), shine: 0.12, rough: 0.02}
		}
		if front && y > 0.65 && y < 0.85 && x > 0.7 && x < 1.0 {
			return look{base: srgb(0xcfd6da), emit: vec{0.2, 0.2, 0.2}, shine: 0.3, rough: 0.1}
		}
		if front && x < 0.62 && y > 0.75 && y < 1.2 && wrap(y, 0.1) < 0.06 {
			return look{base: black}
		}
		if y < 0.62 {
			return look{base: srgb(0x2b2b2c)}
		}
		return look{base: paint, shine: 0.05, rough: 0.1}
	}
}

// undercarriage is the dark frame, with lamps and warning stripes at its end.
func undercarriage(h *hit) look {
	x, y := math.Abs(h.o.X), h.o.Y
	if h.o.Z < -3.23 && h.local.Z < -0.5 {
		if y > 0.84 && x > 0.78 && x < 1.16 {
			return look{base: srgb(0xb3161c), emit: srgb(0xb3161c).mul(0.12), shine: 0.06, rough: 0.3}
		}
		if y < 0.58 {
			c := srgb(0xe8e6e0)
			if wrap(h.o.X+y, 0.28) < 0.14 {
				c = srgb(0xb3161c)
			}
			return look{base: c}
		}
	}
	return look{base: srgb(0x232323)}
}

// bus returns a city bus, 11.6 m long; its middle is the origin, Z forward.
func bus(words string) (parts []*instance, half float64) {
	skin, wheels := &mesh{}, &mesh{}
	var rings [][]vec
	for _, k := range []struct{ z, in, top float64 }{
		{-5.8, 0.10, 2.90}, {-5.75, 0.02, 3.0}, {-5.5, 0, 3.08}, {5.4, 0, 3.08}, {5.7, 0.03, 3.02}, {5.8, 0.10, 2.92},
	} {
		w, lo := 1.27-k.in, 0.30+k.in
		var ring []vec
		for _, q := range oval(vec{}, w, (k.top-lo)/2, 9) {
			ring = append(ring, vec{q.X, q.Z + (k.top+lo)/2, k.z})
		}
		rings = append(rings, ring)
	}
	skin.loft(rings)
	for _, z := range []float64{-2.9, 3.0} {
		for _, side := range []float64{-1, 1} {
			addWheel(wheels, vec{side * 1.09, 0.47, z}, 0.47, 28)
		}
	}
	t := written(words)
	return []*instance{
		{mesh: skin, mat: func(h *hit) look { return busSkin(h, t) }},
		{mesh: wheels, mat: rubber},
	}, 5.8
}

func busSkin(h *hit, t *texture) look {
	x, y, z := h.o.X, h.o.Y, h.o.Z
	pane := look{base: srgb(0x1a1d20), shine: 0.12, rough: 0.02}
	front := math.Abs(h.local.Z) > 0.6
	for _, a := range []float64{-2.9, 3.0} {
		if math.Hypot(z-a, y-0.47) < 0.58 && math.Abs(x) > 1 {
			return look{base: black}
		}
	}
	switch {
	case front && y > 2.55 && y < 2.9 && math.Abs(x) < 0.95:
		wide := 0.26 * float64(t.w) / textRows
		ink := t.ink(-x*h.local.Z/wide+0.5, (y-2.725)/0.26+0.5, h.px/wide)
		return look{base: black, emit: srgb(0xffb030).mul(1.1 * ink)}
	case front && y > 1.05 && y < 2.55 && math.Abs(x) < 1.12:
		return pane
	case front && y > 0.55 && y < 0.75 && math.Abs(x) > 0.75 && math.Abs(x) < 1.1:
		return look{base: srgb(0xe0e4e6), emit: vec{0.7, 0.7, 0.65}, shine: 0.2, rough: 0.1}
	case !front && y > 1.25 && y < 2.45 && math.Abs(h.local.X) > 0.7 && wrap(z+20, 1.45) > 0.09:
		return pane
	case y < 0.5:
		return look{base: srgb(0x2a2a2b)}
	case math.Abs(z) > 5.2 && !front && y > 2.45:
		return look{base: srgb(0xa8202a), shine: 0.05, rough: 0.1}
	}
	return look{base: srgb(0xe5ae14), shine: 0.05, rough: 0.12}
}
