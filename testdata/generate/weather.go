package main

import "math"

// lamp is a light of its own: a street lamp, a headlight, a flash.
type lamp struct {
	at, to vec     // place, and the direction its beam points in
	colour vec     // light at one metre
	wide   float64 // cosine of half the beam's angle; -1 shines all round
}

// weather is the light and the air of one scene.
type weather struct {
	sunlight
	soft      float64 // how far apart, in texels, the shadow map is asked: 1 hard sun, 12 a veiled one
	zenith    vec
	rim       vec // sky at the horizon
	cloud     vec
	cover     float64 // share of the sky under cloud
	glow      float64 // brightness round the sun
	walls     vec     // what stands all round, as shiny things mirror it
	fog       float64 // metres after which a third is left
	wet       float64 // 0 dry, 1 puddles
	dark      bool    // lamps are on
	lamps     []lamp
	seed      int
	roofSlope float64 // height of what stands all round, as a share of the way to the zenith
}

// heaven is the sky in a direction.
func (a *weather) heaven(d vec) vec {
	up := max(d.Y, 0)
	c := a.rim.mix(a.zenith, step(0, 0.7, math.Sqrt(up)*0.9))
	if a.cover > 0 {
		k := 1 / (up + 0.22)
		puff := clouds(d.X*k*1.3+3, d.Z*k*1.3, a.seed)
		c = c.mix(a.cloud.mul(0.8+0.4*puff), a.cover*step(0.62-0.4*a.cover, 0.80-0.2*a.cover, puff))
	}
	if a.glow > 0 {
		toward := d.dot(a.to)
		c = c.add(a.sun.mul(a.glow * (math.Exp(900*(toward-1))*8 + math.Exp(25*(toward-1))*0.35)))
	}
	return c
}

// mirrored is what a shiny body shows of its surroundings.
func (a *weather) mirrored(d vec, rough float64) vec {
	wall := a.walls.mul(0.6 + 0.8*grain(math.Atan2(d.X, d.Z)*5, d.Y*3, a.seed))
	soft := 0.05 + rough*0.5
	roof := mix(0.10, a.roofSlope, math.Abs(d.X)/(math.Abs(d.X)+math.Abs(d.Z)+1e-9))
	c := a.ground.mul(0.5).mix(wall, step(-soft, soft, d.Y-0.02))
	up := step(roof-soft, roof+soft, d.Y)
	if up == 0 {
		return c
	}
	return c.mix(a.rim.mix(a.zenith, step(0, 0.7, math.Sqrt(max(d.Y, 0)))), up)
}

// shaded returns the light that leaves the place towards the eye.
func (a *weather) shaded(h *hit, l *look, open, sunny float64) vec {
	n := h.n
	if l.n != (vec{}) {
		n = l.n
	}
	facing := max(n.dot(a.to), 0) * sunny
	light := a.ground.mix(a.sky, 0.5+0.5*n.Y).mul(open).add(a.sun.mul(facing))
	var back vec
	if l.shine > 0 {
		back = h.dir.reflect(n)
	}
	glints := vec{}
	for i := range a.lamps {
		beam, to := a.lamps[i].beam(h.p)
		if beam == (vec{}) {
			continue
		}
		light = light.add(beam.mul(max(n.dot(to), 0) * mix(0.5, 1, open)))
		if l.shine > 0 {
			glints = glints.add(beam.mul(math.Exp(mix(300, 14, l.rough)*(back.dot(to)-1)) * mix(5, 0.8, l.rough)))
		}
	}
	c := l.base.by(light).add(l.emit)
	if l.shine <= 0 {
		return c
	}
	graze := clamp(1+h.dir.dot(n), 0, 1)
	graze *= graze * graze * graze * graze
	f := l.shine + (1-l.shine)*graze*(1-l.rough*0.7)
	c = c.mul(1 - f).add(a.mirrored(back, l.rough).mul(f * mix(0.4, 1, open) * (1 - 0.5*l.rough)))
	glint := math.Exp(mix(220, 12, l.rough)*(back.dot(a.to)-1)) * sunny * mix(6, 0.8, l.rough)
	return c.add(a.sun.mul(glint).add(glints).mul(f))
}

// beam is the lamp's light at p and the direction to it; black outside the beam and far away.
func (l *lamp) beam(p vec) (light, to vec) {
	to = l.at.sub(p)
	d2 := to.dot(to)
	if d2 > 1600 {
		return vec{}, to
	}
	to = to.mul(1 / math.Sqrt(d2+1e-9))
	k := 1 / (d2 + 1.5)
	if l.wide > -1 {
		k *= step(l.wide, mix(l.wide, 1, 0.5), -to.dot(l.to))
	}
	if k < 1e-5 {
		return vec{}, to
	}
	return l.colour.mul(k), to
}

// haze adds the air between the place and the eye.
func (a *weather) haze(c, dir vec, dist float64) vec {
	k := 1 - math.Exp(-dist/a.fog)
	return c.mix(a.rim, k)
}

// kelvin is the colour of a lamp or a sun from -1, candle, over 0, white, to 1, blue sky.
func kelvin(t float64) vec {
	if t < 0 {
		return vec{1, 1, 1}.mix(vec{1.45, 0.82, 0.30}, -t)
	}
	return vec{1, 1, 1}.mix(vec{0.72, 0.92, 1.35}, t)
}

// newWeather draws the light of a scene; yaw is where the camera looks, so that light from behind it and against it
// both come up.
func newWeather(d *dice, yaw float64) *weather {
	a := &weather{seed: d.pick(1 << 20), fog: d.between(300, 1500), roofSlope: d.between(0.1, 0.6)}
	kind := d.next()
	high := d.between(0.25, 1.1)
	turn := d.between(0, 2*math.Pi)
	if d.next() < 0.2 { // against the light
		turn, high = yaw+d.between(-0.6, 0.6), d.between(0.08, 0.5)
	}
	a.to = vec{math.Sin(turn) * math.Cos(high), math.Sin(high), math.Cos(turn) * math.Cos(high)}
	switch {
	case kind < 0.34:
		a.clear(d, high)
	case kind < 0.62:
		a.overcast(d)
	case kind < 0.74:
		a.dusk(d)
	default:
		a.night(d)
	}
	if d.next() < 0.3 {
		a.wet = d.between(0.3, 1)
	}
	if d.next() < 0.12 {
		a.fog = 1 / d.between(1/90.0, 1/18.0)
		a.cover, a.glow = 0, a.glow*0.2
		a.zenith = a.rim.mix(a.zenith, 0.3)
		a.sun, a.soft = a.sun.mul(0.3), 10
	}
	return a
}

// clear is hard or veiled sun.
func (a *weather) clear(d *dice, high float64) {
	warm := clamp(0.75-high, 0, 0.6) * d.between(0.4, 1.2)
	a.soft = 0.9 + 6*d.next()*d.next()
	a.sun = kelvin(-warm).mul(d.between(1.8, 4.2))
	a.sky = kelvin(d.between(0.1, 0.9)).mul(d.between(0.35, 1.1))
	a.ground = vec{0.46, 0.42, 0.37}.mul(d.between(0.4, 1))
	a.zenith = srgb([]uint32{0x86aedb, 0x5f93d0, 0x9fb9d2, 0xb9c6d0}[d.pick(4)]).mul(d.between(0.8, 1.4))
	a.rim = srgb([]uint32{0xdfe8ee, 0xcfdcec, 0xefe9dc, 0xd6dade}[d.pick(4)]).mul(d.between(0.9, 1.5))
	a.cloud, a.cover = vec{1, 1, 1}.mul(d.between(0.9, 1.4)), max(0, d.between(-0.5, 0.9))
	a.glow = d.between(0.2, 1)
	a.walls = a.wall(d).mul(0.7)
}

// overcast is soft light from everywhere, most from above; its faint sun stands high to darken what lies under things.
func (a *weather) overcast(d *dice) {
	tone := kelvin(d.between(-0.15, 0.45))
	a.to = a.to.mul(0.3).add(vec{Y: 1}).unit()
	a.soft = d.between(7, 14)
	a.sun, a.sky = tone.mul(d.between(0.2, 0.9)), tone.mul(d.between(0.8, 1.3))
	a.ground = vec{0.46, 0.44, 0.42}.mul(d.between(0.4, 0.9))
	a.rim = tone.mul(d.between(0.9, 1.6))
	a.zenith = a.rim.mul(d.between(0.5, 0.95))
	a.cloud, a.cover = a.rim.mul(d.between(0.7, 1)), d.between(0.2, 1)
	a.walls = a.wall(d).mul(0.6)
}

// dusk is the hour when lamps go on: a coloured rim, little light from anywhere.
func (a *weather) dusk(d *dice) {
	a.dark = d.next() < 0.7
	tint := kelvin(d.between(-0.9, 0.7))
	a.to = vec{a.to.X, 0.12, a.to.Z}.unit()
	a.soft, a.glow = 4, 0.3
	a.sun = kelvin(-0.8).mul(d.between(0, 0.35))
	a.sky = kelvin(d.between(0, 1)).mul(d.between(0.08, 0.35))
	a.ground = a.sky.mul(0.4)
	a.rim, a.zenith = tint.mul(d.between(0.25, 0.9)), kelvin(d.between(0.2, 1)).mul(d.between(0.06, 0.3))
	a.cloud, a.cover = a.rim.mul(0.6), d.between(0, 0.8)
	a.walls = a.wall(d).mul(0.12)
}

// night leaves the sky dark; what is to be seen stands in the light of lamps. The sun's place is taken by the lamps of
// the street, seen as one light from steeply above, so that things throw shadows at night too.
func (a *weather) night(d *dice) {
	a.dark = true
	sodium := kelvin(-d.next())
	a.to = a.to.mul(0.5).add(vec{Y: 1}).unit()
	a.soft = d.between(2, 7)
	a.sun = sodium.mul(d.between(0.0, 0.16))
	a.sky = sodium.mix(kelvin(0.6), 0.5).mul(d.between(0.004, 0.035))
	a.ground = a.sky.mul(0.6)
	a.rim, a.zenith = sodium.mul(d.between(0.003, 0.05)), vec{0.6, 0.7, 1}.mul(d.between(0.001, 0.012))
	a.cloud = a.rim
	a.walls = a.wall(d).mul(d.between(0.01, 0.05))
}

func (a *weather) wall(d *dice) vec {
	return srgb([]uint32{0x7d6a5c, 0xb9aa92, 0x8a8f92, 0x4f5b45, 0xa0a0a0}[d.pick(5)])
}
