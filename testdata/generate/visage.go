package main

import "math"

// visage is a face with a shape of its own. The shape moves the mesh but not the places that the paint reads, so brows,
// eyes and mouth move along.
type visage struct {
	features
	wide, long, jaw, chin, nose, bridge, cheek, brow float64
	apart, high                                      float64 // eyes: distance and height in the paint
	closed, smile, mask, shades, moustache, freckled bool
	brows, tilt, vault                               float64
	maskColour                                       vec
	child                                            bool
	seed                                             int
}

func newVisage(d *dice, p *person, young, male bool) visage {
	v := visage{
		features: p.face, wide: d.between(0.90, 1.12), long: d.between(0.92, 1.08), jaw: d.between(-0.18, 0.18), chin: d.between(-0.008, 0.010),
		nose: d.between(-0.010, 0.012), bridge: d.between(-0.25, 0.35), cheek: d.between(-0.004, 0.008), brow: d.between(-0.003, 0.004),
		apart: d.between(0.92, 1.08), high: d.between(-0.004, 0.004), seed: d.pick(1 << 20), child: young,
		closed: d.next() < 0.06, smile: d.next() < 0.25, shades: d.next() < 0.07, brows: d.between(-1, 1), tilt: d.between(-0.16, 0.22), vault: d.between(0.4, 1.2),
		freckled: d.next() < 0.1, mask: d.next() < 0.06,
	}
	v.maskColour = srgb([]uint32{0x9fc8e0, 0xf0f0ee, 0x151517, 0x6a8ab0}[d.pick(4)])
	v.moustache = male && !young && d.next() < 0.15
	if p.build > 1.15 {
		v.cheek, v.jaw = v.cheek+0.006, v.jaw+0.12
	}
	if young {
		v.nose, v.chin, v.jaw, v.cheek, v.beard = -0.012, -0.006, -0.06, 0.006, 0
		v.apart, v.high = 0.95, 0.006
	}
	return v
}

// moved is where the shape puts a place of the plain head.
func (v visage) moved(p vec) vec {
	bell := func(x, w float64) float64 { return math.Exp(-x * x / (w * w)) }
	q := p
	if p.Z > 0 {
		q.Z += v.nose*bell(p.X, 0.016)*bell(p.Y+0.024, 0.018) + v.chin*bell(p.X, 0.03)*bell(p.Y+0.1, 0.03) +
			v.brow*bell(p.Y-0.034, 0.014)*bell(p.X, 0.05)
		q.X *= 1 + v.bridge*bell(p.X, 0.012)*bell(p.Y+0.03, 0.02)
		q.X += math.Copysign(v.cheek, p.X) * bell(math.Abs(p.X)-0.06, 0.03) * bell(p.Y+0.035, 0.035)
	}
	q.X *= v.wide * (1 + v.jaw*step(-0.01, -0.09, p.Y))
	// A helmet of hair over a pointed skull gives the drawing away: the vault is flattened, more or less.
	q.X *= 1 + 0.10*v.vault*step(0.02, 0.09, p.Y)
	q.Z *= 1 + 0.05*v.vault*step(0.02, 0.09, p.Y)
	if p.Y > 0.05 {
		q.Y = 0.05 + (p.Y-0.05)*(1-0.30*v.vault)
	}
	if v.child { // a child's skull is large over a small face
		q = vec{q.X * (1 + 0.08*step(-0.02, 0.08, p.Y)), q.Y * 0.96, q.Z * (1 + 0.06*step(-0.02, 0.08, p.Y))}
	}
	q.Y *= v.long
	return q
}

// shape moves a mesh that was made for the plain head.
func (v visage) shape(m *mesh) *mesh {
	for i := range m.vs {
		m.vs[i].p = v.moved(m.vs[i].p)
		m.vs[i].n = vec{}
	}
	m.smooth(0, 0)
	return m
}

// meshes returns face, rest of the head, and what covers it (nil for the bald).
func (v visage) meshes(n int, c coiffure) (face, rest, crown *mesh) {
	face = dome(n, 0, isFace)
	rest = dome(n, 0, func(az float64, q vec) bool { return !isFace(az, q) })
	if n > 14 && !c.ears {
		for _, side := range []float64{-1, 1} {
			rest.ball(vec{side * 0.077, -0.004, -0.008}, vec{0.012, 0.030, 0.018})
		}
	}
	crown = c.mesh(n)
	if crown != nil {
		v.shape(crown)
	}
	return v.shape(face), v.shape(rest), crown
}

// at is the material of head and face; o is the place on the plain head.
func (v visage) at(h *hit) look {
	q := *h
	q.o.X *= v.apart
	q.o.Y += v.high * step(-0.05, -0.02, q.o.Y)
	if q.o.Y > 0.022 {
		q.o.Y += v.tilt * (math.Abs(q.o.X) - 0.03) * band(q.o.Y, 0.024, 0.05, 0.004)
	}
	x, y := q.o.X, q.o.Y
	l := v.features.at(&q)
	if h.o.Z < 0 {
		return l
	}
	if l.rough == 0.1 { // eyeballs lie in the shade of their lids, more so under a dark skin's exposure
		l.base = l.base.mul(0.5 + 0.5*min(1, v.skin.Y*2.5))
	}
	ax := math.Abs(x)
	if v.freckled {
		l.base = l.base.mul(1 - 0.25*step(0.62, 0.75, grain(x*400, y*400, v.seed))*band(y, -0.05, 0.0, 0.01))
	}
	if v.old > 0.6 {
		lines := math.Sin(y*900+3*math.Sin(x*40)) * band(y, 0.045, 0.068, 0.004)
		crow := band(ax, 0.05, 0.062, 0.004) * math.Sin((y-0.012)*1400) * band(y, 0, 0.024, 0.004)
		l.base = l.base.mul(1 - 0.22*(v.old-0.6)*(lines+crow+1)*0.8)
	}
	if v.closed && ax > 0.014 && ax < 0.05 && math.Abs(y-0.012) < 0.010 {
		crease := band(y-0.008+30*(ax-0.031)*(ax-0.031), -0.001, 0.001, 0.0008)
		l = look{base: v.skin.mul(0.85).mix(black, 0.7*crease), shine: 0.03, rough: 0.6}
	}
	if v.brows > 0 {
		bush := band(y-0.033-0.004*math.Sin((ax-0.012)*70), -0.0055, 0.0055, 0.002) * band(ax, 0.006, 0.049, 0.006)
		l.base = l.base.mix(v.hair.mul(0.5), 0.85*v.brows*bush)
	}
	return v.worn(v.lower(l, x, y), x, y)
}

// lower is what differs round the mouth.
func (v visage) lower(l look, x, y float64) look {
	ax := math.Abs(x)
	if v.smile {
		t := x / 0.028
		line := -0.0595 + 0.008*t*t
		teeth := band(y, line-0.0034*(1-t*t), line+0.0008*(1-t*t), 0.0008) * band(t, -0.7, 0.7, 0.1)
		l.base = l.base.mix(srgb(0xd6cec0), 0.85*teeth)
	}
	if v.moustache {
		l.base = l.base.mix(v.hair, 0.9*band(y, -0.054+0.2*ax*ax*30, -0.043, 0.003)*band(ax, -1, 0.027, 0.005))
	}
	return l
}

// worn is what is put on a face.
func (v visage) worn(l look, x, y float64) look {
	ax := math.Abs(x)
	if v.shades {
		lens := band(math.Hypot((ax-0.032)/1.25, y-0.010), -1, 0.021, 0.001)
		bridge := band(math.Abs(y-0.018), -1, 0.003, 0.001)
		if max(lens, bridge) > 0.5 {
			return look{base: black, shine: 0.15, rough: 0.05}
		}
	}
	if v.mask && y < -0.020+0.25*(0.03-min(ax, 0.03)) && y > -0.12 {
		pleat := 0.9 + 0.1*math.Sin(y*500)
		return look{base: v.maskColour.mul(pleat)}
	}
	return l
}
