package main

import "math"

// house is one front in the row, as wide as its wall.
type house struct {
	seed   int
	wall   vec
	brick  bool
	floors int
	width  float64
	shop   vec // colour of the shop's woodwork; black = a house without a shop
	sign   *texture
	// reading is 1 where the wall's coordinate runs to the reader's right, -1 on the other side of the street.
	reading float64
}

const (
	shopHeight  = 3.7
	floorHeight = 3.1
)

func (b house) height() float64 { return shopHeight + float64(b.floors)*floorHeight + 0.5 }

// row builds house fronts along one side between two places of the street.
func row(l *line, d, from, to float64) []*instance {
	walls := []uint32{0x9c5a45, 0xd3bf92, 0xb9b2a4, 0x854c3d, 0xe0d9c8, 0xb87a58, 0xc9a36c, 0x9aa6a4, 0xd4b8a4, 0x7d5f50}
	words := []string{"BAGERI", "CYKLER", "BLOMSTER", "KAFFE & TE", "FRISØR", "BØGER", "VIN & OST", "SKOMAGER", "GRØNT", "UR & GULD"}
	woods := []uint32{0x23423a, 0x2b3550, 0x5a2127, 0x2e2c2b, 0x6b5a36, 0xd8d4c8}
	var out []*instance
	deal := &dice{seed: int(d*10) + 4000}
	for s := from; s < to-4; {
		w := min(deal.between(9, 15), to-s)
		if to-s-w < 6 {
			w = to - s
		}
		k := deal.pick(len(walls))
		b := house{
			seed: deal.pick(1 << 20), wall: srgb(walls[k]), brick: k == 0 || k == 3 || k == 5 || k == 9,
			floors: 3 + deal.pick(2), width: w, reading: -math.Copysign(1, d),
		}
		if deal.next() < 0.75 {
			b.shop, b.sign = srgb(woods[deal.pick(len(woods))]), written(words[deal.pick(len(words))])
		}
		out = append(out, b.build(l, d, s)...)
		s += w
	}
	return out
}

// build puts up the front, a cornice, the sides and a roof.
func (b house) build(l *line, d, s float64) []*instance {
	front, trim, roof := &mesh{}, &mesh{}, &mesh{}
	p0, p1 := l.at(s, d), l.at(s+b.width, d)
	along, out := p1.O.sub(p0.O), p0.X.mul(-math.Copysign(1, d))
	h := b.height()
	front.quad(p0.O, along, vec{Y: h})
	b.width = along.len()
	ledge := func(y, thick, deep float64) {
		o := p0.O.add(vec{Y: y})
		trim.quad(o.add(out.mul(deep)), along, vec{Y: thick})
		trim.quad(o, along, out.mul(deep))
		trim.quad(o.add(vec{Y: thick}), along, out.mul(deep))
	}
	ledge(h-0.35, 0.35, 0.35)
	ledge(shopHeight-0.12, 0.16, 0.12)
	back, ridge := out.mul(-8.4), vec{Y: h + 3.4}.add(out.mul(-4.2))
	for _, o := range []vec{p0.O, p1.O} {
		trim.quad(o, back, vec{Y: h})
		trim.triangle(o.add(vec{Y: h}), o.add(ridge), o.add(vec{Y: h}).add(back))
	}
	eaves := vec{Y: h}.add(out.mul(0.35))
	roof.quad(p0.O.add(eaves), along, ridge.sub(eaves))
	roof.quad(p0.O.add(ridge), along, vec{Y: h}.add(back).sub(ridge))
	tiles := srgb(0x6b3d30)
	if b.seed%2 == 0 {
		tiles = srgb(0x4a4d52)
	}
	return []*instance{
		{mesh: front, pose: home(), mat: b.front},
		{mesh: trim, pose: home(), mat: plain(b.wall.mix(srgb(0xd8d2c4), 0.55))},
		{mesh: roof, pose: home(), mat: tiled(tiles)},
	}
}

func tiled(c vec) material {
	return func(h *hit) look {
		k := 0.5 + 0.5*math.Sin(h.o.X*2*math.Pi/0.3)*math.Sin(h.o.Y*2*math.Pi/0.35)
		return look{base: c.mul(mix(1, 0.8+0.4*k, detail(h, 0.3)))}
	}
}

// front is the material of the wall: (metres along, height).
func (b house) front(h *hit) look {
	u, v := h.o.X, h.o.Y
	if v < shopHeight {
		if b.sign != nil {
			return b.shopFront(h)
		}
		if v < 0.7 {
			return look{base: srgb(0x6f6b66).mul(0.9 + 0.2*grain(u*4, v*4, b.seed))}
		}
	}
	bays := max(math.Round(b.width/2.3), 2)
	bay := b.width / bays
	x := wrap(u, bay) - bay/2
	y := wrap(v-shopHeight+floorHeight, floorHeight) - 0.75
	top := v > shopHeight+float64(b.floors)*floorHeight
	cell := int(u/bay)*16 + int((v-shopHeight+floorHeight)/floorHeight)
	const half, tall = 0.56, 1.75
	if top || x < -half-0.1 || x > half+0.1 || y < -0.14 || y > tall {
		return b.plaster(h)
	}
	if y < 0 {
		return look{base: srgb(0xbdb6a8).mul(0.9)}
	}
	if math.Abs(x) > half {
		return b.plaster(h)
	}
	return b.window(h, vec{x / half, y / tall, 0}, cell)
}

// plaster is the bare wall, or brick where the eye resolves it.
func (b house) plaster(h *hit) look {
	u, v := h.o.X, h.o.Y
	stain := 0.86 + 0.28*clouds(u*0.5, v*0.25, b.seed)
	c := b.wall.mul(stain)
	if !b.brick {
		return look{base: c.mul(1 + 0.08*detail(h, 0.05)*(grain(u*30, v*30, b.seed)-0.5))}
	}
	course := math.Floor(v / 0.075)
	x := u/0.24 + 0.5*wrap(course, 2)
	fx, fv := x-math.Floor(x), v/0.075-course
	k := detail(h, 0.07)
	tone := mix(1, 0.89+0.22*rnd(int(math.Floor(x)), int(course), b.seed), k)
	mortar := max(band(fx, 0, 0.05, 0.02), band(fv, 0, 0.14, 0.06)) * k
	return look{base: c.mul(tone).mix(srgb(0xa9a196), mortar*0.4)}
}

// window is a pane in a white frame; q.X runs -1..1, q.Y 0..1.
func (b house) window(h *hit, q vec, cell int) look {
	frame := max(band(math.Abs(q.X), 0.88, 1.1, 0.02), band(math.Abs(q.X), -1, 0.05, 0.02),
		band(q.Y, -1, 0.05, 0.012), band(q.Y, 0.95, 2, 0.012), band(q.Y, 0.64, 0.69, 0.01))
	shade := 1 - 0.6*step(0.88, 1, q.Y)
	if frame > 0.5 {
		return look{base: srgb(0xe6e2d8).mul(shade), shine: 0.03, rough: 0.6}
	}
	room := srgb(0x1c2024)
	switch kind := rnd(cell, 1, b.seed); {
	case kind < 0.25: // curtains drawn to the sides
		room = room.mix(srgb(0xd8d2c6).mul(0.6+0.3*math.Sin(q.X*40)), step(0.35, 0.5, math.Abs(q.X)))
	case kind < 0.4: // a blind
		room = room.mix(srgb(0xcfc8b8).mul(0.7), step(0.45, 0.47, q.Y))
	case kind < 0.55: // a plant on the sill
		leaf := step(0.35, 0.5, grain(q.X*6, q.Y*9, cell)) * (1 - step(0.2, 0.45, q.Y))
		room = room.mix(srgb(0x2f4a28), leaf)
	}
	return glass(h, room.mul(shade), cell)
}

// glass reflects the street; each pane leans a little its own way.
func glass(h *hit, behind vec, cell int) look {
	lean := vec{rnd(cell, 2, 3) - 0.5, rnd(cell, 3, 3) - 0.5, rnd(cell, 4, 3) - 0.5}.mul(0.05)
	return look{base: behind, shine: 0.10, rough: 0.02, n: h.n.add(lean).unit()}
}

// shopFront is woodwork, big panes, a door, and the name above them.
func (b house) shopFront(h *hit) look {
	u, v := h.o.X, h.o.Y
	wood := look{base: b.shop, shine: 0.04, rough: 0.4}
	if v > 2.85 {
		t := 0.42 * float64(b.sign.w) / textRows
		ink := b.sign.ink((u-b.width/2)*b.reading/t+0.5, (v-3.22)/0.42+0.5, h.px/t)
		letter := srgb(0xe9dcb4)
		if b.shop.Y > 0.4 {
			letter = srgb(0x2a3040)
		}
		wood.base = wood.base.mix(letter, ink*band(v, 2.9, 3.55, 0.01))
		return wood
	}
	bay := b.width / math.Round(b.width/3.2)
	x := wrap(u, bay)
	door := int(u/bay) == 1
	switch {
	case x < 0.12 || x > bay-0.12 || v > 2.7 || (v < 0.55 && !door):
		return wood
	case door && (x < bay/2-0.5 || x > bay/2+0.5):
		return b.plaster(h)
	case door && (v < 0.3 || math.Abs(x-bay/2) > 0.4):
		return wood
	}
	goods := clouds(u*1.6, v*1.6, b.seed+3)
	warm := srgb(0x352e27).mix(srgb(0x5f5443), step(0.3, 0.8, goods)*(1-step(1.2, 2.4, v)))
	l := glass(h, warm, b.seed+int(u/bay))
	l.emit = warm.mul(0.35)
	return l
}
