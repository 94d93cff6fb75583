package main

import "math"

// citizen is a person of a scene: more various than those of the drive, and made for one distance.
type citizen struct {
	*person
	visage visage
	crown  coiffure
	outfit outfit
	fine   int // columns of the head's mesh
}

// skinTones are the six of Fitzpatrick's scale, I to VI.
func skinTones() [6]uint32 {
	return [6]uint32{0xf3d6c8, 0xe6bd9f, 0xd09e78, 0xae7850, 0x7c5035, 0x482d20}
}

// stroll draws somebody; away is the distance in metres, which sets how finely the head is made.
func stroll(d *dice, away float64) *citizen {
	p := &person{name: "person", height: d.between(1.52, 1.95), build: d.between(0.86, 1.18)}
	young := d.next() < 0.14
	switch k := d.next(); {
	case young:
		p.height, p.build = d.between(0.95, 1.5), d.between(0.9, 1.15)
	case k < 0.12:
		p.build = d.between(1.18, 1.5)
	}
	tone := d.pick(6)
	skin := srgb(skinTones()[tone]).mix(srgb(skinTones()[min(tone+1, 5)]), 0.5*d.next())
	skin = skin.by(vec{d.between(0.94, 1.06), d.between(0.95, 1.04), d.between(0.90, 1.08)})
	old := d.next()
	if young {
		old = 0
	}
	p.face = features{
		skin: skin, hair: hairColour(d, tone, old), iris: srgb([]uint32{0x3a2a1c, 0x241a12, 0x4a3a22}[d.pick(3)]),
		lips: skin.by(vec{d.between(0.8, 0.98), d.between(0.45, 0.7), d.between(0.45, 0.7)}), glasses: d.next() < 0.2, old: old,
	}
	if tone < 3 && d.next() < 0.5 {
		p.face.iris = srgb([]uint32{0x4a6a86, 0x5a7a6a, 0x6a7a8a}[d.pick(3)])
	}
	c := &citizen{person: p, fine: 60}
	switch {
	case away > 12:
		c.fine = 14
	case away > 5:
		c.fine = 26
	}
	male := d.next() < 0.5
	if male && !young && d.next() < 0.45 {
		p.face.beard = d.between(0.25, 0.95)
	}
	c.crown = newCoiffure(d, p.face.hair, male)
	c.visage = newVisage(d, p, young, male)
	c.outfit = newOutfit(d)
	p.wear = c.outfit.wardrobe(d, male)
	return c
}

// hairColour goes with the skin, as brows do, but greys with age and is dyed now and then.
func hairColour(d *dice, tone int, old float64) vec {
	kinds := []uint32{0x14100d, 0x2a1d14, 0x3d2a1c, 0x5a3b20, 0x8a6236, 0xb08a52, 0xd0b078, 0x7a3318, 0x9a4a20}
	if tone >= 3 {
		kinds = kinds[:3]
	}
	c := srgb(kinds[d.pick(len(kinds))])
	if old > 0.78 {
		c = c.mix(srgb(0xa8a49e), (old-0.78)*4)
	}
	if d.next() < 0.05 {
		c = srgb([]uint32{0xa03a6a, 0x3a6aa0, 0xe0d0a0, 0x8a2020, 0x4a8a4a}[d.pick(5)])
	}
	return c
}

// shown builds the figure: the face apart from all the rest.
func (c *citizen) shown(at pose, g gait, eyes glance) (body, face []*instance) {
	k := c.height / 1.75
	body = []*instance{
		{mesh: c.torso(g), pose: at, mat: c.outfit.upper(c.face.skin, g.neck.Y-g.chest.Y)},
		{mesh: c.person.legs(g), pose: at, mat: c.outfit.lower()},
		{mesh: c.arms(g), pose: at, mat: c.outfit.upper(c.face.skin, 0)},
		{mesh: c.bare(g), pose: at, mat: plainSkin(c.face.skin)},
		{mesh: feet(g, k), pose: at, mat: painted(c.wear.shoes, 0.04, 0.5)},
	}
	if c.outfit.bare {
		body[1].mat = c.outfit.shorts(c.face.skin, g.knee[0].Y+0.08*k)
	}
	if c.wear.bag != (vec{}) {
		body = append(body, &instance{mesh: c.outfit.luggage(g, k), pose: at, mat: painted(c.wear.bag, 0.04, 0.5)})
	}
	size := mix(1, k, 0.5) * 1.10 * c.outfit.size
	top := g.neck.add(vec{0, 0.142 * size / 1.04, 0.020})
	q := at.in(poseAt(top, eyes))
	q.X, q.Y, q.Z = q.X.mul(size), q.Y.mul(size), q.Z.mul(size)
	front, rest, crown := c.visage.meshes(c.fine, c.crown)
	face = []*instance{{mesh: front, pose: q, mat: c.visage.at}}
	body = append(body, &instance{mesh: rest, pose: q, mat: c.visage.at})
	if crown != nil {
		body = append(body, &instance{mesh: crown, pose: q, mat: c.crown.material()})
	}
	return body, face
}

func poseAt(o vec, g glance) pose { return at(o, g.right).nod(g.down) }

func plainSkin(c vec) material {
	return func(h *hit) look {
		return look{base: c.mul(0.92 + 0.16*grain(h.p.X*60+h.p.Z*60, h.p.Y*60, 41)), shine: 0.02, rough: 0.8}
	}
}

// standing turns a step into somebody who stands and does something with the arms.
func (c *citizen) standing(d *dice) gait {
	g := c.walking(d.between(0, 6.28), 0.12*d.next())
	h := c.height
	for i := range 2 {
		side := float64(2*i - 1)
		to := g.hand[i]
		switch d.pick(5) {
		case 0: // before the chest: a telephone, folded arms
			to = g.chest.mix(g.neck, d.between(0.3, 0.8)).add(vec{side * 0.05, 0, d.between(0.22, 0.34)})
		case 1: // in the pocket
			to = g.hip[i].add(vec{side * 0.10, 0.02, 0.06})
		case 2: // reaching out or pointing
			if d.next() < 0.5 {
				to = g.shoulder[i].add(vec{side * d.between(0, 0.3), d.between(-0.15, 0.2), d.between(0.2, 0.45)})
			}
		}
		g.hand[i] = to
		g.elbow[i] = bent(g.shoulder[i], to, [2]float64{0.172 * h, 0.16 * h}, vec{side * 0.7, -0.6, -0.4})
	}
	return g
}

// sitting folds the body onto a seat whose top is at height seat; squatting is sitting on a very low one.
func (c *citizen) sitting(d *dice, seat float64) gait {
	h, k := c.height, c.height/1.75
	lean := d.between(-0.1, 0.35)
	if seat < 0.3 {
		lean = d.between(0.3, 0.8)
	}
	g := gait{chest: vec{0, seat + 0.08*k, 0}}
	g.neck = g.chest.add(vec{0, math.Cos(lean), math.Sin(lean)}.mul(0.335 * h))
	for i := range 2 {
		side := float64(2*i - 1)
		g.hip[i] = vec{side * 0.09 * k, seat + 0.07*k, 0}
		g.ankle[i] = vec{side * d.between(0.06, 0.16), 0.08 * k, d.between(0.30, 0.5) * h * 0.5}
		if seat > 0.3 {
			g.ankle[i].Z = d.between(0.2, 0.36) * h
		}
		g.knee[i] = bent(g.hip[i], g.ankle[i], [2]float64{0.245 * h, 0.232 * h}, vec{side * d.between(0, 0.5), 0.6, 1})
		g.toe[i] = vec{side * 0.1, -0.05, 1}.unit()
		g.shoulder[i] = g.neck.add(vec{side * 0.168 * k * c.build, -0.05 * h, -0.005})
		g.hand[i] = g.knee[i].add(vec{-side * 0.03, 0.06, -0.06})
		if seat < 0.3 {
			g.hand[i] = vec{side * 0.15, d.between(0.1, 0.5) * k, 0.35 * k}
		}
		g.elbow[i] = bent(g.shoulder[i], g.hand[i], [2]float64{0.172 * h, 0.16 * h}, vec{side * 0.6, -0.5, -0.5})
	}
	return g
}

// stooped bends over forward with both hands low, as at a bin or over a bag.
func (c *citizen) stooped(d *dice) gait {
	g := c.walking(d.between(0, 6.28), 0.25)
	lean := d.between(0.3, 1.0)
	g.neck = g.chest.add(vec{0, math.Cos(lean), math.Sin(lean)}.mul(0.335 * c.height))
	for i := range 2 {
		side := float64(2*i - 1)
		g.shoulder[i] = g.neck.add(vec{side * 0.17, -0.02, -0.04})
		g.hand[i] = g.shoulder[i].add(vec{-side * 0.03, -0.25 * c.height, 0.12})
		g.elbow[i] = bent(g.shoulder[i], g.hand[i], [2]float64{0.172 * c.height, 0.16 * c.height}, vec{side * 0.8, 0, -0.5})
	}
	return g
}
