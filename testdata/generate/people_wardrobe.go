package main

import "math"

// wear is what a person has on.
type wear struct {
	suit   string // folder
	shoes  string
	hat    bool
	hatDye dye
	dyes   [partCount]dye
}

// dye is how a piece of cloth is coloured.
type dye struct {
	colour vec
	keep   float64 // the share of the texture's own colours
	power  float64
	bands  []strip
}

// strip is a band round the body at a height above the ground of the body's files, in metres from the waist.
type strip struct {
	from, to, every float64 // every 0: once
	colour          vec
	upright         bool // runs down the body
}

// suits of either sex; men's casual clothes are for all.
var (
	suitsOfMen   = []string{"male_casualsuit01", "male_casualsuit02", "male_casualsuit03", "male_casualsuit04", "male_casualsuit05", "male_casualsuit06", "male_elegantsuit01", "male_elegantsuit01", "male_worksuit01", "male_worksuit01"}
	suitsOfWomen = []string{"female_casualsuit01", "female_casualsuit02", "female_elegantsuit01", "female_elegantsuit01", "female_sportsuit01", "male_casualsuit01", "male_casualsuit02", "male_casualsuit03", "male_casualsuit04", "male_casualsuit05", "male_casualsuit06", "male_worksuit01"}
)

// streetColours are what people wear, the usual ones first.
var streetColours = []uint32{
	0x14151a, 0x1a1c22, 0x22242a, 0x1b2233, 0x232c44, 0x2e3a55, 0x3a3c40, 0x55575c, 0x6d6f72, 0x8d8c88,
	0x9c8f78, 0xb8a98c, 0xcfc6b2, 0x5a4a3a, 0x3c4433, 0x56604a, 0xdedbd4, 0xe8e6e2, 0x6a2028, 0x8c2a2c,
	0x3f5f8a, 0x7d9cc0, 0x2f6a5a, 0x70416a, 0xc86a7a, 0xd09a3c, 0xc4552c, 0x4a86b8, 0xd8c060, 0x2c7a44,
}

var trouserColours = []uint32{
	0x14151a, 0x1a1c22, 0x22242a, 0x1f2737, 0x2a3853, 0x39506f, 0x4b678c, 0x6a86a8, 0x3a3c40, 0x5c5c5c,
	0x84775f, 0xab9b7c, 0x443a30, 0x4a4e3c, 0xd6d2c8,
}

func castOutfit(d *dice, b build) wear {
	list := suitsOfMen
	if b.female {
		list = suitsOfWomen
	}
	w := wear{suit: list[d.pick(len(list))]}
	if w.suit == "male_worksuit01" && (b.age < 18 || b.age > 67) {
		w.suit = "male_casualsuit02"
	}
	shoes := []string{"shoes01", "shoes02", "shoes03", "shoes04", "shoes05", "shoes06"}
	w.shoes = shoes[d.pick(len(shoes))]
	w.hat = b.age > 16 && d.next() < 0.07
	colours := func(list []uint32) vec {
		// Squaring leans towards the front of the list, where the usual colours are.
		x := d.next()
		return srgb(list[int(math.Pow(x, 1.4)*float64(len(list)))]).mul(d.between(0.75, 1.3))
	}
	w.dyes[partUpper] = castDye(d, colours(streetColours))
	w.dyes[partLower] = castDye(d, colours(trouserColours))
	w.dyes[partExtra] = w.dyes[partUpper]
	if d.next() < 0.6 {
		w.dyes[partExtra] = castDye(d, colours(streetColours))
	}
	if d.next() < 0.2 {
		w.dyes[partUpper].bands = castBands(d, colours(streetColours))
		w.dyes[partExtra].bands = w.dyes[partUpper].bands
	}
	if w.suit == "male_worksuit01" && d.next() < 0.6 {
		w.dyes = hiVis(d)
	}
	w.dyes[partWhole] = w.dyes[partUpper]
	if w.suit == "male_worksuit01" {
		for i := range w.dyes {
			w.dyes[i].power *= 0.45 // its texture has buckles where the legs are
		}
	}
	w.hatDye = castDye(d, colours(streetColours[:20]))
	w.dyes[partShoe] = castDye(d, colours(append(streetColours[:10:10], 0xe0e0de, 0xdadada, 0x4a3020, 0x6a4528, 0xa03030)))
	return w
}

func castDye(d *dice, colour vec) dye {
	y := dye{colour: colour, power: d.between(0.5, 1)}
	if d.next() < 0.18 {
		y.keep = d.between(0.5, 1)
	}
	return y
}

func castBands(d *dice, colour vec) []strip {
	if d.next() < 0.4 {
		from := d.between(0.15, 0.4)
		return []strip{{from: from, to: from + d.between(0.04, 0.16), colour: colour}}
	}
	every := d.between(0.03, 0.12)
	s := strip{to: every * d.between(0.15, 0.6), every: every, colour: colour, upright: d.next() < 0.3}
	if d.next() < 0.35 { // checks
		t := s
		t.upright = !s.upright
		return []strip{s, t}
	}
	return []strip{s}
}

// hiVis is what road workers wear.
func hiVis(d *dice) [partCount]dye {
	colour := []vec{srgb(0xe8f02a), srgb(0xf26a1c), srgb(0xf0502a)}[d.pick(3)]
	tape := []strip{
		{from: 0.06, to: 0.11, colour: srgb(0xd8dcdc)}, {from: 0.24, to: 0.29, colour: srgb(0xd8dcdc)},
		{from: -0.62, to: -0.57, colour: srgb(0xd8dcdc)}, {from: -0.50, to: -0.45, colour: srgb(0xd8dcdc)},
	}
	y := dye{colour: colour, power: 0.6, bands: tape}
	out := [partCount]dye{y, y, y, y, y}
	if d.next() < 0.4 {
		out[partLower] = dye{colour: srgb(0x1f2737), power: 0.8, bands: tape}
	}
	return out
}

// stripes is the function a paint wants for bands; nil for none.
func stripes(bands []strip) func(p, c vec) vec {
	if len(bands) == 0 {
		return nil
	}
	return func(p, c vec) vec {
		for _, b := range bands {
			x := p.Y
			if b.upright {
				x = p.X
			}
			if b.every > 0 {
				x = wrap(x, b.every)
			}
			if x >= b.from && x < b.to {
				c = c.mix(b.colour, 0.85)
			}
		}
		return c
	}
}
