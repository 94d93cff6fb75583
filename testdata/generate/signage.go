package main

import "math"

// shopWord is lettering on shops, vans and posters: no number plate.
func shopWord(d *dice) string {
	words := []string{
		"BAGERI", "CYKLER", "BLOMSTER", "KAFFE", "FRISØR", "VIN & OST", "SLAGER", "APOTHEEK", "BAKKERIJ", "FIETSEN", "HEMA", "PIZZA", "KEBAB 24", "HOTEL",
		"BOULANGERIE", "PHARMACIE", "TABAC", "FARMACIE", "MAGAZIN", "BANCA", "POST", "SALE 50", "OPEN", "BAR", "TAXI 4X35", "BÆCKER", "SPAR", "TELEFON 020-6254",
		"WWW.CITY.EU", "24 H", "A & B", "BUS 5C", "NO 17", "TO LET", "ELEKTRO", "SANITAIR", "DHL", "FRUGT & GRØNT", "EXPRESS 365",
	}
	return words[d.pick(len(words))]
}

// bodySign is a traffic sign: its outline, and what is painted on it.
type bodySign struct {
	corners      int // 0 = round
	r, turn      float64
	ground, rim  vec
	rimWide      float64
	pictogram    int
	ink          vec
	words        *texture
	wide, tall   float64 // of oblong ones
	faded, grime float64
}

// newSign draws one of the kinds that stand in European streets.
func newSign(d *dice) bodySign {
	white, red, blue, yellow := srgb(0xe8e8e4), srgb(0xb8161c), srgb(0x10459a), srgb(0xe8b818)
	s := bodySign{r: d.between(0.28, 0.42), ink: black, pictogram: d.pick(6), faded: max(0, d.between(-0.6, 0.5)), grime: d.next()}
	switch d.pick(9) {
	case 0, 1:
		s.ground, s.rim, s.rimWide = white, red, 0.16
		if d.next() < 0.5 {
			s.words = penned([]string{"30", "50", "20", "70", "3.5", "15", "60"}[d.pick(7)], 3.4)
		}
		if d.next() < 0.25 {
			s.ground = yellow
		}
	case 2:
		s.ground, s.ink = blue, white
	case 3: // no stopping, no parking
		s.ground, s.rim, s.rimWide, s.ink, s.pictogram, s.words = blue, red, 0.17, red, 6+d.pick(2), nil
	case 4: // no entry
		s.ground, s.ink, s.pictogram = red, white, 8
	case 5:
		s.corners, s.ground, s.rim, s.rimWide, s.r = 3, white, red, 0.2, s.r*1.25
		if d.next() < 0.4 {
			s.turn, s.pictogram = math.Pi, 9 // give way
		}
	case 6:
		s.corners, s.ground, s.ink, s.pictogram, s.turn = 8, red, white, 9, math.Pi/8
		s.words, s.rim, s.rimWide = penned("STOP", 3.4), white, 0.06
	case 7: // parking, crossings, information
		s.corners, s.turn, s.r, s.ground, s.ink = 4, math.Pi/4, s.r*1.3, blue, white
		if d.next() < 0.5 {
			s.words = penned([]string{"P", "H", "M", "I", "ZONE"}[d.pick(5)], 3.2)
		}
		if d.next() < 0.25 {
			s.turn, s.ground, s.rim, s.rimWide = 0, yellow, white, 0.2 // priority road
		}
	case 8: // oblong: direction, sub-plates, work
		s.wide, s.tall = d.between(0.3, 0.7), d.between(0.1, 0.4)
		s.ground = []vec{blue, white, yellow, srgb(0x1a6a3a), srgb(0xe86a18)}[d.pick(5)]
		s.words, s.pictogram, s.rim, s.rimWide = penned(shopWord(d), 2.6), 9, black, 0.05
		if s.ground.Y < 0.25 {
			s.ink, s.rim = white, white
		}
	}
	return s
}

// streetName is the plate with a street's name.
func streetName(d *dice) bodySign {
	s := bodySign{wide: d.between(0.35, 0.6), tall: d.between(0.09, 0.2), pictogram: 9, ink: srgb(0xeeeeea), grime: d.next()}
	s.ground = srgb([]uint32{0x123a8a, 0x1a2a5a, 0x1a5a3a, 0xeeeeea, 0x20201f, 0xeeeeea}[d.pick(6)])
	if s.ground.Y > 0.4 {
		s.ink = black
	}
	s.rim, s.rimWide = s.ink, 0.08
	s.words = penned([]string{"NØRREGADE", "DAMSTRAAT", "RUE PASTEUR", "VIA ROMA", "CALLE SOL", "HIGH ST.", "BAHNHOFSTR.", "STR. UNIRII", "PRINSENGRACHT", "ELMEGADE"}[d.pick(10)], 2.6)
	return s
}

// mesh stands upright round the origin, facing -Z; material coordinates are shares of its size.
func (s bodySign) mesh() *mesh {
	m := &mesh{}
	if s.wide > 0 {
		m.box(vec{-s.wide, -s.tall, -0.01}, vec{s.wide, s.tall, 0.01})
		for i := range m.vs {
			m.vs[i].o = vec{m.vs[i].p.X / s.wide, m.vs[i].p.Y / s.tall, m.vs[i].p.Z}
		}
		return m
	}
	n := s.corners
	if n == 0 {
		n = 36
	}
	for _, z := range []float64{-0.012, 0.012} {
		ring := make([]vec, n)
		for i := range ring {
			sn, cs := math.Sincos(2*math.Pi*float64(i)/float64(n) + s.turn)
			ring[i] = vec{sn * s.r, cs * s.r, z}
		}
		m.lid(ring)
	}
	for i := range m.vs {
		m.vs[i].o = vec{m.vs[i].p.X / s.r, m.vs[i].p.Y / s.r, m.vs[i].p.Z}
	}
	return m
}

// depth is how far inside the rim a place lies, 0 at the edge.
func (s bodySign) depth(x, y float64) float64 {
	switch {
	case s.wide > 0:
		return min((1-math.Abs(x))*s.wide/s.tall, 1-math.Abs(y))
	case s.corners == 0:
		return 1 - math.Hypot(x, y)
	}
	step := 2 * math.Pi / float64(s.corners)
	a := wrap(math.Atan2(x, y)-s.turn, step) - step/2
	return math.Cos(step/2) - math.Hypot(x, y)*math.Cos(a)
}

func (s bodySign) at(h *hit) look {
	x, y := h.o.X, h.o.Y
	c := s.ground
	if h.o.Z > 0 {
		return look{base: srgb(0x8a8d90), shine: 0.15, rough: 0.6} // the back is bare
	}
	if s.pictogramAt(x, y) {
		c = s.ink
	}
	if s.words != nil {
		fit, tall := 0.92, 0.95
		if s.wide == 0 {
			fit = 0.75
			tall = min(2*fit*textRows/float64(s.words.w), 1.1)
		}
		c = c.mix(s.ink, s.words.ink(x/fit/2+0.5, y/tall/2*1.3+0.5, h.px/max(s.r, s.wide)/2))
	}
	if s.rimWide > 0 && s.depth(x, y) < s.rimWide {
		c = s.rim
	}
	grey := c.dot(vec{0.3, 0.6, 0.1}) + 0.1
	c = c.mix(vec{grey, grey, grey}, s.faded).mul(1 - 0.3*s.grime*clouds(x*2, y*2, 77))
	return look{base: c, shine: 0.05, rough: 0.4}
}

// pictogramAt tells whether the place lies on the sign's figure.
func (s bodySign) pictogramAt(x, y float64) bool {
	ax := math.Abs(x)
	switch {
	case s.words != nil || s.pictogram == 9:
		return false
	case s.pictogram == 0: // arrow up
		return ax < 0.1 && y > -0.5 && y < 0.3 || y > 0.1 && y < 0.55 && ax < (0.55-y)*0.75
	case s.pictogram == 1: // arrow to the side
		return math.Abs(y) < 0.1 && x > -0.5 && x < 0.2 || x > 0.1 && x < 0.55 && math.Abs(y) < (0.55-x)*0.8
	case s.pictogram == 2: // somebody walking
		return math.Hypot(x, y-0.35) < 0.1 || ax < 0.09 && y > -0.15 && y < 0.25 || y <= -0.15 && y > -0.5 && math.Abs(ax-(-0.15-y)*0.6) < 0.07
	case s.pictogram == 3: // a bicycle
		return math.Abs(math.Hypot(ax-0.28, y+0.1)-0.2) < 0.04 || math.Abs(y-0.12+ax*0.3) < 0.04 && ax < 0.3
	case s.pictogram == 4: // a car
		return ax < 0.42 && y > -0.22 && y < 0.02 || ax < 0.25 && y >= 0 && y < 0.22
	case s.pictogram == 5:
		return ax < 0.08 && y > -0.05 && y < 0.45 || math.Hypot(x, y+0.25) < 0.1
	case s.pictogram == 6:
		return min(math.Abs(x-y), math.Abs(x+y)) < 0.11
	case s.pictogram == 7:
		return math.Abs(x+y) < 0.11
	}
	return math.Abs(y) < 0.17 && ax < 0.68
}

// post is the pole of a sign, plain or banded.
func post(d *dice, tall float64) *instance {
	m := &mesh{}
	r := d.between(0.025, 0.05)
	m.tube([]vec{{0, 0, 0.04}, {0, tall, 0.04}}, []float64{r, r}, 8)
	c := srgb([]uint32{0x8d9294, 0x4a4f4d, 0x2a3a30, 0xb9bdbf}[d.pick(4)])
	return &instance{mesh: m, mat: painted(c, 0.15, 0.4)}
}

// signal is a traffic light's head or several, and its post.
type signal struct{ heads, posts []*instance }

// newSignal draws a traffic light facing -Z; night ones shine the same.
func newSignal(d *dice) signal {
	var s signal
	tall := d.between(2.2, 3.6)
	s.posts = append(s.posts, post(d, tall))
	lamps, r := 3, d.between(0.09, 0.15)
	if d.next() < 0.2 {
		lamps = 2
	}
	lit := d.pick(lamps)
	houses := srgb([]uint32{0x141515, 0x1d2a20, 0x3a3d3e, 0xc8a020}[d.pick(4)])
	board := d.next() < 0.35
	for n := range 1 + d.pick(2) {
		box, lens := &mesh{}, &mesh{}
		top := tall - float64(n)*(0.1+2.6*r*float64(lamps))
		low := top - 2.5*r*float64(lamps)
		box.box(vec{-r * 1.35, low, -0.26}, vec{r * 1.35, top, 0})
		if board {
			box.box(vec{-r * 2.2, low - 0.1, -0.01}, vec{r * 2.2, top + 0.1, 0})
		}
		for i := range lamps {
			mid := vec{0, top - r*(1.25+2.5*float64(i)), -0.26}
			lens.ball(mid, vec{r, r, 0.03})
			for k := range 3 {
				a := mid.add(vec{r * 1.05 * (float64(k) - 1), r * (1 - 0.3*math.Abs(float64(k)-1)), -0.14})
				box.quad(a.sub(vec{X: r * 0.5}), vec{X: r}, vec{Z: 0.15})
			}
		}
		s.heads = append(s.heads, &instance{mesh: box, mat: painted(houses, 0.04, 0.6)}, &instance{mesh: lens, mat: lensOf(lit, lamps, [2]float64{top, 2.5 * r})})
	}
	return s
}

// lensOf lights one of the lamps; span is the height of the topmost edge and of one lamp.
func lensOf(lit, lamps int, span [2]float64) material {
	colours := [][]uint32{nil, nil, {0xff3020, 0x20e080}, {0xff3020, 0xffb020, 0x20e080}}[lamps]
	return func(h *hit) look {
		i := min(max(int((span[0]-h.o.Y)/span[1]), 0), lamps-1)
		c := srgb(colours[i])
		if i == lit {
			return look{base: c, emit: c.mul(2.6)}
		}
		return look{base: c.mul(0.07), shine: 0.06, rough: 0.2}
	}
}
