package main

import "math"

// outfit is what a citizen wears.
type outfit struct {
	top, second, legs vec
	pattern           int
	scale             float64 // of the pattern, per metre
	vest              bool    // hi-vis with reflecting bands
	bare              bool    // shorts or a short skirt over bare legs
	back              int     // 0 satchel, 1 rucksack, 2 shopping bag
	size              float64 // of the head, as a share of the usual
	collar            int     // 0 closed, 1 round, 2 pointed, 3 a shirt's, 4 a scarf
}

// cloths are the colours that clothes have; black, greys and blues are worn most.
func cloths(d *dice) vec {
	common := []uint32{0x101012, 0x1a1b1f, 0x26282c, 0x33373d, 0x1d2636, 0x2b3a55, 0x3d4a66, 0x5d6470, 0x8a8f94, 0xbfc2c4, 0xe8e6e0, 0x4a3a2c, 0x6b5b4c, 0x8a7a60}
	bright := []uint32{0xb3202a, 0xd8402a, 0xe07a20, 0xe8c020, 0x3f8a3a, 0x1f6a5a, 0x2a7ac0, 0x5ab0e0, 0x6a3a8a, 0xc04a8a, 0xe8a0b0, 0xa8d0a0, 0xf0ead8, 0x7a1f2c, 0x55664e, 0xc8a060}
	if d.next() < 0.58 {
		return srgb(common[d.pick(len(common))]).mul(d.between(0.7, 1.3))
	}
	return srgb(bright[d.pick(len(bright))]).mul(d.between(0.6, 1.1))
}

func newOutfit(d *dice) outfit {
	o := outfit{top: cloths(d), second: cloths(d), legs: cloths(d), scale: d.between(5, 22), back: d.pick(3), size: d.between(0.94, 1.05), collar: []int{0, 1, 1, 1, 2, 2, 3, 3, 4}[d.pick(9)]}
	if d.next() < 0.45 {
		o.pattern = []int{1, 2, 3, 4, 5, 5, 5, 5, 6, 6}[d.pick(10)]
	}
	if o.pattern < 5 && d.next() < 0.7 { // most patterns are quiet
		o.second = o.top.mix(o.second, d.between(0.1, 0.5))
	}
	if d.next() < 0.09 {
		o.vest = true
		o.top = srgb([]uint32{0xd8f020, 0xff6a18, 0xe8e030}[d.pick(3)])
		if d.next() < 0.5 {
			o.legs = o.top
		}
	}
	o.bare = d.next() < 0.14
	return o
}

// wardrobe is what the meshes want to know.
func (o outfit) wardrobe(d *dice, male bool) wardrobe {
	w := wardrobe{
		top: o.top, legs: o.legs, shoes: srgb([]uint32{0x151312, 0xe6e4de, 0x4a3020, 0x8a8d90, 0xa03030, 0x2a3a5a}[d.pick(6)]),
		short: d.next() < 0.35, coat: d.next() < 0.3, skirt: !male && d.next() < 0.35,
	}
	if d.next() < 0.45 {
		w.bag = cloths(d)
	}
	return w
}

// upper is the cloth from the hips to the neck, whose length is given; above the collar it is skin.
func (o outfit) upper(skin vec, neck float64) material {
	return func(h *hit) look {
		if l, above := o.collared(h, skin, neck); above {
			return l
		}
		c := o.top
		x, y := h.o.X, h.o.Y
		switch o.pattern {
		case 1:
			c = c.mix(o.second, step(0.45, 0.55, wrap(y*o.scale, 1)))
		case 2:
			c = c.mix(o.second, step(0.45, 0.55, wrap(x*o.scale, 1)))
		case 3:
			c = c.mix(o.second, 0.5*step(0.5, 0.6, wrap(x*o.scale, 1))+0.5*step(0.5, 0.6, wrap(y*o.scale, 1)))
		case 4:
			c = c.mix(o.second, step(0.5, 0.56, noise(h.o.mul(o.scale))))
		case 5: // open over a shirt
			if h.o.Z > 0 && math.Abs(x) < 0.03+0.08*max(y, 0) {
				c = o.second
			}
		case 6: // a print on the chest
			if h.o.Z > 0 && math.Abs(x) < 0.11 && math.Abs(y-0.33) < 0.08 {
				c = c.mix(o.second, step(0.45, 0.55, noise(h.o.mul(o.scale*3))))
			}
		}
		l := folded(h, c)
		if o.vest && (math.Abs(wrap(y, 0.24)-0.12) < 0.025) {
			l.base, l.shine, l.rough = srgb(0xc8ccd0), 0.3, 0.6
		}
		return l
	}
}

// collared is what shows round the neck.
func (o outfit) collared(h *hit, skin vec, neck float64) (look, bool) {
	y := h.o.Y/neck - 0.93
	ax := math.Abs(h.o.X)
	bare := look{base: skin.mul(0.9), shine: 0.02, rough: 0.8}
	switch {
	case o.collar == 0 || neck == 0 || y < -0.3:
		return look{}, false
	case o.collar == 4 && y > -0.04:
		return folded(h, o.second), true
	case o.collar == 1 && y > 0.015-0.3*max(0, 0.07-ax)*step(-0.02, 0.03, h.o.Z):
		return bare, true
	case o.collar == 2 && h.o.Z > 0 && y > -0.22+3*ax, o.collar == 2 && y > 0.03:
		return bare, true
	case o.collar == 3 && h.o.Z > 0 && y > -0.2+2.6*ax:
		return look{base: o.second.mix(srgb(0xdcdcd8), 0.5)}, true
	case o.collar == 3 && y > 0.05:
		return bare, true
	}
	return look{}, false
}

func (o outfit) lower() material { return func(h *hit) look { return folded(h, o.legs) } }

// shorts end at height hem; below it legs are skin.
func (o outfit) shorts(skin vec, hem float64) material {
	return func(h *hit) look {
		if h.o.Y < hem {
			return look{base: skin, shine: 0.02, rough: 0.8}
		}
		return folded(h, o.legs)
	}
}

// luggage is what is carried: a satchel at the hip, a rucksack, or a bag in the hand.
func (o outfit) luggage(g gait, k float64) *mesh {
	switch o.back {
	case 1:
		m := &mesh{}
		mid := g.chest.mix(g.neck, 0.55).add(vec{Z: -0.21 * k})
		var rings [][]vec
		for _, r := range [][2]float64{{-0.24, 0.10}, {-0.22, 0.14}, {0, 0.16}, {0.17, 0.14}, {0.22, 0.08}} {
			rings = append(rings, oval(mid.add(vec{Y: r[0] * k}), r[1]*k, 0.10*k, 3.5))
		}
		m.loft(rings)
		return m
	case 2:
		m := &mesh{}
		low := g.hand[1].add(vec{Y: -0.50 * k})
		m.loft([][]vec{
			oval(low, 0.07*k, 0.15*k, 4), oval(low.add(vec{Y: 0.05 * k}), 0.09*k, 0.17*k, 4), oval(low.add(vec{Y: 0.28 * k}), 0.07*k, 0.16*k, 4),
			oval(low.add(vec{Y: 0.30 * k}), 0.02*k, 0.05*k, 3), oval(low.add(vec{Y: 0.46 * k}), 0.01*k, 0.02*k, 3),
		})
		return m
	}
	return satchel(g, k)
}
