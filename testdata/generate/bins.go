package main

import "math"

// finish is the painted, stickered, dirtied skin of a container.
type finish struct {
	paint, mark vec
	sticker     [4]float64 // middle x, y, half width, half height on the front; none when its width is 0
	round       bool
	words       *texture
	dirt        float64
	scrawl      bool
	metal       float64
	seed        int
}

func newFinish(d *dice, paint vec) finish {
	f := finish{paint: paint.mul(d.between(0.75, 1.3)), mark: cloths(d), dirt: d.between(0, 0.8), scrawl: d.next() < 0.15, seed: d.pick(1 << 20), round: d.next() < 0.4}
	if d.next() < 0.75 {
		f.sticker = [4]float64{d.between(-0.12, 0.12), d.between(0.35, 0.85), d.between(0.06, 0.24), d.between(0.05, 0.2)}
	}
	if d.next() < 0.5 {
		f.words = penned([]string{"REST", "GLAS", "PAPIER", "GFT", "PLASTIC", "PAP", "METAL", "VERRE", "MAD", "BIO", "42", "A 17", "TEXTIEL"}[d.pick(13)], d.between(1.6, 3.4))
	}
	if d.next() < 0.12 {
		f.metal = 0.3
	}
	return f
}

// at reads the place on the body; its front looks towards -Z.
func (f finish) at(h *hit) look {
	x, y := h.o.X, h.o.Y
	c := f.paint.mul(0.9 + 0.2*noise(h.o.mul(4)))
	if h.local.Z < -0.35 && f.sticker[2] > 0 {
		u, v := (x-f.sticker[0])/f.sticker[2], (y-f.sticker[1])/f.sticker[3]
		in := max(math.Abs(u), math.Abs(v)) < 1
		if f.round {
			in = u*u+v*v < 1
		}
		if in {
			c = f.mark
			if f.words != nil && f.words.ink(u*0.5+0.5, v*0.9+0.5, h.px/f.sticker[2]/2) > 0.5 {
				c = vec{0.8, 0.8, 0.8}.sub(c.mul(0.8))
			}
		}
	}
	if f.scrawl {
		line := math.Abs(clouds(x*4+f.sticker[0], y*4+h.o.Z*3, f.seed)-0.5) * 9
		c = c.mix(f.mark.mul(0.4), step(0.25, 0.15, line)*step(0.35, 0.5, noise(h.o.mul(1.5))))
	}
	grime := f.dirt * (0.6*step(0.4, 0.0, y) + 0.5*step(0.5, 0.75, clouds(x*3, y*2+h.o.Z*2, f.seed+5)))
	c = c.mix(srgb(0x5d564c), clamp(grime, 0, 0.8))
	return look{base: c, shine: 0.04 + f.metal, rough: 0.45}
}

// binPaints are the colours of waste containers.
func binPaint(d *dice) vec {
	return srgb([]uint32{
		0x3b3f42, 0x2c4236, 0x2a2d30, 0x4a5054, 0x1f3d2c, 0x3f6a3c, 0x234a80, 0x3a6ab0, 0x5a3c26, 0xc8a020, 0x8a1f2a, 0x7b8084,
		0x1a1c1e, 0x2f5a50, 0xb9bdbf, 0x5c6368, 0x30363a, 0x2b3327,
	}[d.pick(18)])
}

// prism lofts a body from rings of a rounded box: each of y, front, back, half width.
func prism(round float64, rings ...[4]float64) *mesh {
	m := &mesh{}
	var all [][]vec
	for _, r := range rings {
		all = append(all, oval(vec{0, r[0], (r[1] + r[2]) / 2}, r[3], (r[2]-r[1])/2, round))
	}
	m.loft(all)
	return m
}

// wheelie is a two-wheeled bin; four wheels make it a large one.
func wheelie(d *dice, at pose, large bool) []*instance {
	w, deep, tall := d.between(0.24, 0.30), d.between(0.26, 0.38), d.between(0.88, 1.08)
	if large {
		w, deep, tall = d.between(0.58, 0.70), d.between(0.38, 0.55), d.between(1.05, 1.3)
	}
	paint := binPaint(d)
	lid := paint
	if d.next() < 0.6 {
		lid = binPaint(d)
	}
	body := prism(7, [4]float64{0.07, -deep * 0.72, deep * 0.72, w * 0.80}, [4]float64{0.12, -deep * 0.76, deep * 0.76, w * 0.83},
		[4]float64{tall * 0.94, -deep, deep, w}, [4]float64{tall * 0.95, -deep * 1.05, deep * 1.05, w * 1.05}, [4]float64{tall, -deep * 1.05, deep * 1.05, w * 1.05})
	top := prism(6, [4]float64{0, -2.16 * deep, 0.02, w * 1.06}, [4]float64{0.03, -2.16 * deep, 0.02, w * 1.06}, [4]float64{0.07 + 0.05*d.next(), -1.9 * deep, -0.1 * deep, w * 0.8})
	hinge := at.in(pose{X: vec{1, 0, 0}, Y: vec{0, 1, 0}, Z: vec{0, 0, 1}, O: vec{0, tall, deep * 1.04}})
	switch k := d.next(); {
	case k < 0.12: // thrown open
		hinge = hinge.nod(d.between(1.7, 4.2))
	case k < 0.3: // does not close
		hinge = hinge.nod(d.between(0.1, 0.5))
	}
	wheels := &mesh{}
	for _, side := range []float64{-1, 1} {
		addWheel(wheels, vec{side * w * 0.75, 0.1, deep * 0.75}, 0.1, 14)
		if large {
			addWheel(wheels, vec{side * w * 0.75, 0.1, -deep * 0.75}, 0.1, 14)
		}
		body.limb(vec{side * w * 0.7, tall * 0.95, deep * 1.12}, vec{0, tall * 0.95, deep * 1.16}, 0.016, 0.016)
	}
	return []*instance{
		{mesh: body, pose: at, mat: newFinish(d, paint).at},
		{mesh: top, pose: hinge, mat: newFinish(d, lid).at},
		{mesh: wheels, pose: at, mat: plain(black.mul(2))},
	}
}

// column is what stands in the street above an underground container: a box with a slanted top and a hatch, on a
// steel plate. The plate comes apart, as it is the ground's and not the container's; it may be nil.
func column(d *dice, at pose) (parts, plate []*instance) {
	w, deep, tall, cut := d.between(0.42, 0.62), d.between(0.40, 0.58), d.between(1.05, 1.45), d.between(0.55, 0.8)
	round := d.between(5, 14)
	paint := binPaint(d)
	if d.next() < 0.6 {
		paint = srgb([]uint32{0x33373a, 0x2c3a33, 0x43484b, 0x26292b, 0x54595c}[d.pick(5)])
	}
	lip := d.between(0.2, 0.9) * deep
	body := prism(round, [4]float64{0.02, -deep * 0.96, deep * 0.96, w * 0.97}, [4]float64{0.08, -deep, deep, w}, [4]float64{tall * cut, -deep, deep, w},
		[4]float64{tall * (cut + 0.02), -deep, deep, w}, [4]float64{tall * 0.96, -deep + lip, deep, w * 0.98}, [4]float64{tall, -deep + lip + 0.08, deep * 0.9, w * 0.92})
	hatch := &mesh{}
	up := vec{0, tall * (0.94 - cut), lip}
	out := vec{0, lip, -up.Y}.unit().mul(0.012)
	hatch.quad(vec{-w * 0.68, tall * (cut + 0.02), -deep}.add(out).add(up.mul(0.06)), vec{X: w * 1.36}, up.mul(0.88))
	parts = []*instance{
		{mesh: body, pose: at, mat: newFinish(d, paint).at},
		{mesh: hatch, pose: at, mat: hatchOf(d, vec{w * 1.36, up.len() * 0.88, 0})},
	}
	if d.next() < 0.4 {
		knob := &mesh{}
		knob.tube([]vec{{0, tall, 0.1}, {0, tall + 0.14, 0.1}, {0, tall + 0.16, 0.1}}, []float64{0.09, 0.09, 0.05}, 12)
		parts = append(parts, &instance{mesh: knob, pose: at, mat: painted(paint, 0.05, 0.4)})
	}
	if d.next() < 0.75 {
		plate = steelPlate(d, at)
	}
	return parts, plate
}

func steelPlate(d *dice, at pose) []*instance {
	m := &mesh{}
	wide, long := d.between(0.75, 1.1), d.between(0.75, 1.1)
	m.box(vec{-wide, 0, -long}, vec{wide, 0.02, long})
	mat := material(chequer)
	if d.next() < 0.4 {
		mat = plain(srgb(0x6a6c6d).mul(d.between(0.5, 1.4)))
	}
	return []*instance{{mesh: m, pose: at, mat: mat}}
}

// hatchOf is the flap or drum of a column, with a poster on it now and then; size is that of its quad.
func hatchOf(d *dice, size vec) material {
	metal, poster, seed := d.next() < 0.6, d.next() < 0.4, d.pick(1<<20)
	tone, ink := d.between(0.25, 0.7), cloths(d)
	return func(h *hit) look {
		u, v := h.o.X/size.X, h.o.Y/size.Y
		edge := max(math.Abs(u-0.5), math.Abs(v-0.5)) > 0.46
		switch {
		case edge || v > 0.72 && v < 0.78 && math.Abs(u-0.5) < 0.2:
			return look{base: srgb(0x222425), shine: 0.04, rough: 0.5}
		case poster && v > 0.12 && v < 0.62 && math.Abs(u-0.5) < 0.36:
			c := srgb(0xe8e6e0).mix(ink, step(0.5, 0.55, grain(u*7, v*6, seed)))
			return look{base: c, shine: 0.04, rough: 0.3}
		case metal:
			return look{base: vec{tone, tone, tone * 1.02}, shine: 0.3, rough: 0.45}
		}
		return look{base: srgb(0x3a3d40), shine: 0.05, rough: 0.4}
	}
}

// drum is a round column, of painted or bare steel.
func drum(d *dice, at pose) []*instance {
	r, tall := d.between(0.32, 0.62), d.between(1.0, 1.6)
	body := prism(2, [4]float64{0, -r, r, r}, [4]float64{tall * 0.86, -r, r, r},
		[4]float64{tall * 0.88, -r * 1.05, r * 1.05, r * 1.05}, [4]float64{tall * 0.94, -r, r, r}, [4]float64{tall, -r * 0.6, r * 0.6, r * 0.6})
	f := newFinish(d, binPaint(d))
	if d.next() < 0.5 {
		f.metal, f.paint = 0.4, srgb(0x9a9da0)
	}
	slot := &mesh{}
	slot.box(vec{-0.2, tall * 0.68, -r - 0.03}, vec{0.2, tall * 0.8, -r*0.85 + 0.02})
	return []*instance{{mesh: body, pose: at, mat: f.at}, {mesh: slot, pose: at, mat: plain(black.mul(1.5))}}
}

// igloo is a bank for bottles.
func igloo(d *dice, at pose) []*instance {
	r, tall := d.between(0.6, 0.85), d.between(1.3, 1.8)
	paint := srgb([]uint32{0x2f7a3c, 0xd8b820, 0x2a5aa0, 0xe0e2e0, 0x1f5a34, 0x8a4a2a}[d.pick(6)])
	body := prism(2.2, [4]float64{0.02, -r * 0.9, r * 0.9, r * 0.9}, [4]float64{0.1, -r, r, r}, [4]float64{tall * 0.5, -r, r, r}, [4]float64{tall * 0.72, -r * 0.86, r * 0.86, r * 0.86},
		[4]float64{tall * 0.9, -r * 0.5, r * 0.5, r * 0.5}, [4]float64{tall, -r * 0.12, r * 0.12, r * 0.12})
	hole := &mesh{}
	for _, turn := range []float64{0, 1.6, 3.2, 4.8} {
		s, c := math.Sincos(turn)
		hole.ball(vec{s * r * 0.86, tall * 0.66, -c * r * 0.86}, vec{0.11, 0.11, 0.11})
	}
	return []*instance{{mesh: body, pose: at, mat: newFinish(d, paint).at}, {mesh: hole, pose: at, mat: plain(black)}}
}

// skip is an open container for rubble, full more or less.
func skip(d *dice, at pose) []*instance {
	w, deep, tall := d.between(1.3, 2.4), d.between(0.75, 1.1), d.between(0.9, 1.5)
	rim, load := &mesh{}, &mesh{}
	body := prism(14, [4]float64{0.08, -deep * 0.9, deep * 0.9, w * 0.7}, [4]float64{tall, -deep, deep, w})
	for _, z := range []float64{-deep, deep} {
		rim.limb(vec{-w, tall, z}, vec{w, tall, z}, 0.05, 0.05)
		for i := range 5 {
			x := w * (float64(i)/2 - 1) * 0.66
			rim.limb(vec{x, 0.12, z * 0.93}, vec{x * 1.3, tall, z * 1.02}, 0.04, 0.04)
		}
	}
	for range 14 {
		p := vec{d.between(-0.8, 0.8) * w, tall + d.between(-0.2, 0.25), d.between(-0.8, 0.8) * deep}
		load.ball(p, vec{d.between(0.15, 0.5), d.between(0.08, 0.25), d.between(0.15, 0.4)})
	}
	paint := srgb([]uint32{0xd8b020, 0xd06a20, 0x2a5aa0, 0x2f6a3c, 0xa02a2a, 0x8a8d90, 0x33373a}[d.pick(7)])
	f := newFinish(d, paint)
	f.dirt = d.between(0.3, 1)
	return []*instance{{mesh: body, pose: at, mat: f.at}, {mesh: rim, pose: at, mat: f.at}, {mesh: load, pose: at, mat: rubble(d)}}
}

func rubble(d *dice) material {
	seed, a, b := d.pick(1<<20), cloths(d), srgb(0x8a7a68)
	return func(h *hit) look {
		return look{base: b.mix(a, step(0.45, 0.6, noise(h.o.mul(5).add(vec{X: float64(seed % 99)})))).mul(0.6 + 0.7*noise(h.o.mul(22)))}
	}
}
