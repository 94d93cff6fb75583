package main

import "math"

// The cross-section of the street: offsets to the right of the sweeper's lane, in metres.
const (
	leftFront  = -11.0 // house fronts
	leftKerb   = -7.4
	leftPark   = -6.3 // middle of the parked row
	oncoming   = -3.6 // middle of the other lane
	midLine    = -1.8
	rightPark  = 3.05
	rightKerb  = 4.1
	rightFront = 7.9
	pavementY  = 0.12

	zebraFrom, zebraTo = 77.0, 80.6
	yardFrom, yardTo   = 92.0, 114.0 // the school yard, open to the right
)

// ground lays road, kerbs, pavements and the land around.
func ground(l *line) []*instance {
	road, kerb, walk, land := &mesh{}, &mesh{}, &mesh{}, &mesh{}
	l.strip(road, vec{X: leftKerb}, vec{X: rightKerb})
	for _, side := range []float64{leftKerb, rightKerb} {
		out := math.Copysign(0.22, side)
		lo, hi := vec{X: side}, vec{X: side, Y: pavementY}
		back := vec{X: side + out, Y: pavementY}
		if side < 0 {
			l.strip(kerb, hi, lo)
			l.strip(kerb, back, hi)
			l.strip(walk, vec{X: leftFront - 14, Y: pavementY}, back)
			continue
		}
		l.strip(kerb, lo, hi)
		l.strip(kerb, hi, back)
		l.strip(walk, back, vec{X: rightFront + 14, Y: pavementY})
	}
	land.quad(vec{-500, -0.05, -500}, vec{X: 1000}, vec{Z: 1400})
	return []*instance{
		{mesh: road, pose: home(), mat: asphalt},
		{mesh: kerb, pose: home(), mat: granite},
		{mesh: walk, pose: home(), mat: slabs},
		{mesh: land, pose: home(), mat: plain(srgb(0x77756f))},
	}
}

// plain is one dull colour.
func plain(c vec) material { return func(*hit) look { return look{base: c} } }

// painted is one colour under varnish.
func painted(c vec, shine, rough float64) material {
	return func(*hit) look { return look{base: c, shine: shine, rough: rough} }
}

// detail fades fine patterns out where a pixel no longer resolves them.
func detail(h *hit, size float64) float64 { return 1 - step(size*0.25, size*0.8, h.px) }

// asphalt reads (d, _, s).
func asphalt(h *hit) look {
	d, s := h.o.X, h.o.Z
	c := srgb(0x72706e).mul(0.86 + 0.3*clouds(d*0.35, s*0.12, 5))
	c = c.mul(1 + 0.16*detail(h, 0.02)*(grain(d*90, s*90, 6)-0.5) + 0.12*detail(h, 0.2)*(grain(d*9, s*9, 7)-0.5))
	for _, track := range []float64{-0.75, 0.75, oncoming - 0.75, oncoming + 0.75} {
		c = c.mul(1 - 0.10*band(d, track-0.2, track+0.2, 0.15))
	}
	if cell := int(math.Floor(s / 13)); rnd(cell, 3, 8) > 0.6 {
		from, w := rnd(cell, 4, 8)*7-5, 1+rnd(cell, 5, 8)*1.6
		in := band(d, from, from+w, 0.02) * band(s-float64(cell)*13, 2, 4+6*rnd(cell, 6, 8), 0.02)
		c = c.mul(1 - 0.22*in)
	}
	c = c.mul(1 - 0.35*band(d, rightKerb-0.35, rightKerb, 0.1)*(0.5+clouds(d*2, s*2, 12)))
	paint := marks(d, s) * (0.75 + 0.25*clouds(d*3, s*3, 9))
	return look{base: c.mix(srgb(0xdcdad2), paint), shine: 0.03, rough: 0.9}
}

// marks is the share of white paint at d, s.
func marks(d, s float64) float64 {
	p := band(d, midLine-0.07, midLine+0.07, 0.012) * band(wrap(s+1000, 9), 0, 3.4, 0.02)
	near := band(s, zebraFrom-4, zebraTo+4, 0.1)
	p *= 1 - near
	stripe := band(wrap(d+100.35, 1.0), 0, 0.5, 0.015) * band(d, leftKerb+0.4, rightKerb-0.4, 0.02)
	p = max(p, stripe*band(s, zebraFrom, zebraTo, 0.02))
	p = max(p, band(s, zebraFrom-2, zebraFrom-1.6, 0.02)*band(d, midLine, rightKerb-0.4, 0.02))
	edge := band(d, rightPark-1.2, rightPark-1.1, 0.012) * band(wrap(s+1000, 1), 0, 0.5, 0.02)
	return max(p, edge*(1-near))
}

func granite(h *hit) look {
	c := srgb(0xa3a09a).mul(0.9 + 0.2*grain(h.o.X*30+h.o.Y*30, h.o.Z*30, 14))
	joint := band(wrap(h.o.Z+1000, 1.1), 0, 0.02, 0.006)
	return look{base: c.mul(1 - 0.5*joint*detail(h, 0.05))}
}

// slabs is the Copenhagen pavement: rows of concrete slabs between bands of small setts. It reads (d, _, s).
func slabs(h *hit) look {
	d, s := math.Abs(h.o.X), h.o.Z
	base := mix(math.Abs(leftKerb), rightKerb, step(-0.5, 0.5, h.o.X)) + 0.22
	row := wrap(d-base+40, 2.05)
	if row < 0.42 || d-base > 4.2 {
		return setts(h)
	}
	v := wrap(row-0.42, 0.815)
	u := wrap(s+1000, 0.815)
	tone := 0.93 + 0.14*rnd(int(math.Floor(s/0.815)), int((d-base)/0.815), 15)
	joint := max(band(u, 0, 0.014, 0.005), band(v, 0, 0.014, 0.005)) * detail(h, 0.05)
	c := srgb(0x9c9992).mul(tone * (0.88 + 0.24*clouds(h.o.X*0.8, s*0.8, 16)))
	c = c.mul(1 + 0.1*detail(h, 0.03)*(grain(h.o.X*60, s*60, 17)-0.5))
	return look{base: c.mul(1 - 0.45*joint)}
}

func setts(h *hit) look {
	const size = 0.105
	x, z := h.o.X/size, h.o.Z/size
	z += 0.5 * wrap(math.Floor(x)+1000, 2)
	k := detail(h, 0.1)
	tone := mix(1, 0.86+0.28*rnd(int(math.Floor(x)), int(math.Floor(z)), 18), k)
	fx, fz := x-math.Floor(x), z-math.Floor(z)
	gap := max(band(fx, 0, 0.1, 0.06), band(fz, 0, 0.1, 0.06)) * k
	return look{base: srgb(0x817c76).mul(tone * (1 - 0.45*gap))}
}
