package main

import "math"

// frontage is one front of a row of buildings; unlike a house it may be of any make.
type frontage struct {
	wall, wall2    vec
	skin           int // 0 brick, 1 plaster, 2 panels, 3 planks, 4 corrugated, 5 glass
	wide, high     float64
	storey, bay    float64
	window         [2]float64 // half width, height
	ground         float64    // height of the ground floor
	shop           int        // 0 like above, 1 panes, 2 shutters and gates, 3 blank with a door
	shopC, frame   vec
	sign           *texture
	signC          vec
	lit, shopLight float64
	seed           int
	reading        float64
}

func newFrontage(d *dice, dark bool) frontage {
	walls := []uint32{0x9c5a45, 0x7d4a3a, 0x6a4a40, 0xb07a58, 0xd3bf92, 0xe0d9c8, 0xc9c4b8, 0xd4b8a4, 0x9aa6a4, 0x8a8f92, 0x5a5f62, 0xe8e4da, 0xa8906c, 0x4a4540, 0xc87a5a, 0xa8b8a0}
	f := frontage{
		wall: srgb(walls[d.pick(len(walls))]), wall2: srgb(walls[d.pick(len(walls))]), skin: d.pick(6), wide: d.between(5, 18), high: d.between(3.2, 16),
		storey: d.between(2.7, 3.6), bay: d.between(1.3, 4), ground: d.between(2.8, 4.2), shop: d.pick(4), shopC: cloths(d), signC: cloths(d),
		frame: srgb([]uint32{0xe6e2d8, 0xe6e2d8, 0x2a2d30, 0x5a3a26, 0x2f4a3a, 0x8a8d90}[d.pick(6)]), seed: d.pick(1 << 20),
	}
	f.window = [2]float64{f.bay * d.between(0.2, 0.44), f.storey * d.between(0.35, 0.75)}
	if d.next() < 0.7 {
		f.sign = penned(shopWord(d), d.between(1.6, 3.3))
	}
	if f.skin == 5 {
		f.window = [2]float64{f.bay * 0.47, f.storey * 0.92}
	}
	f.shopLight = d.between(0, 0.5)
	if dark {
		f.lit, f.shopLight = d.between(0, 0.5), d.next()*0.5
	}
	return f
}

// surface is the bare wall.
func (f frontage) surface(h *hit) look {
	u, v := h.o.X, h.o.Y
	c := f.wall.mul(0.86 + 0.28*clouds(u*0.5, v*0.25, f.seed))
	switch f.skin {
	case 0:
		course := math.Floor(v / 0.072)
		x := u/0.23 + 0.5*wrap(course, 2)
		fx, fv := x-math.Floor(x), v/0.072-course
		k := detail(h, 0.07)
		tone := mix(1, 0.82+0.36*rnd(int(math.Floor(x)), int(course), f.seed), k)
		return look{base: c.mul(tone).mix(f.wall2.mix(srgb(0xa9a196), 0.6), 0.5*k*max(band(fx, 0, 0.05, 0.02), band(fv, 0, 0.14, 0.06)))}
	case 2:
		gap := max(band(wrap(u, f.bay), 0, 0.02, 0.006), band(wrap(v, f.storey), 0, 0.02, 0.006)) * detail(h, 0.05)
		if rnd(int(u/f.bay), int(v/f.storey), f.seed) < 0.25 {
			c = c.mix(f.wall2, 0.6)
		}
		return look{base: c.mul(1 - 0.6*gap), shine: 0.03, rough: 0.6}
	case 3:
		return look{base: c.mul(mix(1, 0.8+0.3*rnd(int(u/0.14), 0, f.seed)-0.5*band(wrap(u, 0.14), 0, 0.012, 0.005), detail(h, 0.1)))}
	case 4:
		return look{base: c.mul(mix(1, 0.8+0.25*math.Sin(u*40), detail(h, 0.15))), shine: 0.06, rough: 0.4}
	}
	return look{base: c.mul(1 + 0.08*detail(h, 0.05)*(grain(u*30, v*30, f.seed)-0.5))}
}

func (f frontage) at(h *hit) look {
	u, v := h.o.X, h.o.Y
	if v < f.ground && f.shop > 0 {
		return f.street(h)
	}
	y := wrap(v-f.ground, f.storey) - 0.8*(f.storey-f.window[1])
	x := wrap(u, f.bay) - f.bay/2
	cell := int(u/f.bay)*64 + int((v+50)/f.storey)
	if math.Abs(x) > f.window[0]+0.07 || y < -0.07 || y > f.window[1] || v > f.high-0.5 {
		return f.surface(h)
	}
	if math.Abs(x) > f.window[0] || y < 0 || y > f.window[1]-0.05 || math.Abs(x) < 0.025 && f.window[0] > 0.3 {
		return look{base: f.frame, shine: 0.03, rough: 0.5}
	}
	room := srgb(0x1c2024)
	k := rnd(cell, 1, f.seed)
	switch {
	case k < 0.3:
		room = room.mix(srgb(0xd8d2c6).mul(0.5+0.3*math.Sin(x*50)), step(0.3, 0.5, math.Abs(x)/f.window[0]))
	case k < 0.45:
		room = srgb(0xcfc8b8).mul(0.6)
	}
	l := glass(h, room, cell)
	if rnd(cell, 2, f.seed) < f.lit {
		l.emit = kelvin(-rnd(cell, 3, f.seed)).mul(0.05 + 0.5*rnd(cell, 4, f.seed)*(0.4+0.6*grain(x*3, y*3, cell)))
	}
	return l
}

// street is the ground floor where it differs from the floors above.
func (f frontage) street(h *hit) look {
	u, v := h.o.X, h.o.Y
	wood := look{base: f.shopC, shine: 0.04, rough: 0.4}
	bay := f.wide / math.Max(1, math.Round(f.wide/max(f.bay, 2.4)))
	x, cell := wrap(u, bay), int(u/bay)
	if v > f.ground-0.85 && f.shop < 3 {
		if f.sign != nil {
			t := 0.5 * float64(f.sign.w) / textRows
			wood.base = wood.base.mix(f.signC, f.sign.ink((u-f.wide/2)*f.reading/t+0.5, (v-f.ground+0.42)/0.5+0.5, h.px/t))
			wood.emit = wood.base.mul(f.shopLight * 0.6)
		}
		return wood
	}
	switch {
	case f.shop == 3:
		if cell%3 == 1 && x > bay*0.3 && x < bay*0.3+0.95 && v < 2.1 {
			panel := 0.75 + 0.25*step(0.3, 0.35, wrap(v, 0.7))
			return look{base: f.shopC.mul(panel), shine: 0.04, rough: 0.4}
		}
		return f.surface(h)
	case x < 0.15 || x > bay-0.15:
		return f.surface(h)
	case f.shop == 2:
		slat := mix(1, 0.8+0.3*step(0.4, 0.6, wrap(v/0.11, 1)), detail(h, 0.1))
		return look{base: f.shopC.mix(srgb(0x9a9c9e), 0.4*rnd(cell, 5, f.seed)).mul(slat), shine: 0.06, rough: 0.5}
	case v < 0.4 || x < 0.22 || x > bay-0.22:
		return wood
	}
	goods := srgb(0x352e27).mix(cellColour(u, v, f.seed), step(0.45, 0.7, clouds(u*1.8, v*1.8, f.seed+3)))
	l := glass(h, goods, f.seed+cell)
	l.emit = goods.mul(f.shopLight * 2.2)
	return l
}

func cellColour(u, v float64, seed int) vec {
	i, j := int(u*1.3+1.5*grain(u, v, seed)), int(v*1.6)
	tone := rnd(i, j, seed+3)
	return vec{rnd(i, j, seed), rnd(i, j, seed+1), rnd(i, j, seed+2)}.mix(vec{tone, tone, tone}, 0.6).mul(0.35)
}

// build puts the front up at offset d of the line from s on, with sides and a roof.
func (f frontage) build(l *line, d, s float64) []*instance {
	front, trim := &mesh{}, &mesh{}
	p0, p1 := l.at(s, d), l.at(s+f.wide, d)
	along, out := p1.O.sub(p0.O), p0.X.mul(-math.Copysign(1, d))
	front.quad(p0.O, along, vec{Y: f.high})
	f.wide, f.reading = along.len(), -math.Copysign(1, d)
	back := out.mul(-9)
	trim.quad(p0.O, back, vec{Y: f.high})
	trim.quad(p1.O, back, vec{Y: f.high})
	trim.quad(p0.O.add(vec{Y: f.high}), along, back)
	ledge := func(y, thick, deep float64) {
		o := p0.O.add(vec{Y: y})
		trim.quad(o.add(out.mul(deep)), along, vec{Y: thick})
		trim.quad(o, along, out.mul(deep))
		trim.quad(o.add(vec{Y: thick}), along, out.mul(deep))
	}
	ledge(f.high-0.3, 0.3, 0.05+0.3*rnd(f.seed, 1, 2))
	if rnd(f.seed, 3, 2) < 0.3 && f.shop == 1 { // an awning
		o := p0.O.add(vec{Y: f.ground - 0.8})
		trim.quad(o, along, out.mul(1.3).add(vec{Y: -0.5}))
	}
	if rnd(f.seed, 4, 2) < 0.25 { // balconies
		for y := f.ground; y < f.high-2.5; y += f.storey {
			ledge(y, 0.14, 1.0)
			o := p0.O.add(vec{Y: y + 0.1}).add(out.mul(1.0))
			trim.quad(o, along, vec{Y: 0.85})
		}
	}
	return []*instance{{mesh: front, pose: home(), mat: f.at}, {mesh: trim, pose: home(), mat: plain(f.wall2.mix(f.wall, 0.4))}}
}
