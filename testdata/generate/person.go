package main

import "math"

// wardrobe names how somebody is dressed.
type wardrobe struct {
	top, shirt, legs, shoes vec
	open                    bool // the jacket stands open over the shirt
	short                   bool // short sleeves
	coat, skirt             bool
	stripes                 bool
	bag                     vec // black = none
}

// person is somebody in the street. Meshes that do not depend on the step are made once.
type person struct {
	name   string
	height float64
	build  float64
	style  hairstyle
	face   features
	wear   wardrobe
	cover  vec // colour of hair, cap or scarf
	heads  [2]headMeshes
}

// headMeshes is one level of detail of a head.
type headMeshes struct{ face, rest, hair *mesh }

// sketchPerson invents somebody from a seed.
func sketchPerson(seed int) *person {
	d := &dice{seed: seed}
	skins := []uint32{0xd9ad90, 0xcf9c7a, 0xc08a66, 0xa06e4a, 0x805334, 0x583926, 0xdcb49c, 0xb87f5a}
	hairs := []uint32{0x2a1d14, 0x120d0a, 0x5a3b20, 0x9a7440, 0xc9a368, 0x8d8a86, 0x6b2f1a}
	tops := []uint32{0x8a3530, 0x2f4662, 0x31302f, 0xcfc6b2, 0x55664e, 0xb0853c, 0x5e4c68, 0x7c868e, 0x9a5a6c, 0x27393a, 0x22283a, 0x6b5b4c, 0xa9adab}
	legs := []uint32{0x2b3a55, 0x25262b, 0x5d6470, 0x8a7a60, 0x3d4a66, 0x18191c}
	p := &person{name: "person", height: d.between(1.60, 1.88), build: d.between(0.92, 1.14), style: [...]hairstyle{short, short, short, long, long, bun, bald, beanie, scarf}[d.pick(9)]}
	skin := srgb(skins[seed%len(skins)])
	p.face = features{
		skin: skin, hair: srgb(hairs[d.pick(len(hairs))]), iris: srgb(0x3a2a1c), glasses: d.next() < 0.2,
		lips: skin.by(vec{0.86, 0.52, 0.50}), old: d.next(),
	}
	if skin.Y > 0.35 && d.next() < 0.5 {
		p.face.iris = srgb(0x4a6a86)
	}
	if skin.Y < 0.2 {
		p.face.hair = srgb(0x14100d)
	}
	if (p.style == short || p.style == bald || p.style == beanie) && d.next() < 0.4 {
		p.face.beard = 0.85
	}
	p.cover = p.face.hair
	if p.style == beanie || p.style == scarf {
		p.cover = srgb(tops[d.pick(len(tops))])
	}
	p.wear = wardrobe{
		top: srgb(tops[d.pick(len(tops))]), shirt: srgb([]uint32{0xe8e4da, 0x9fb4c8, 0x333740, 0xd9b7a0}[d.pick(4)]),
		legs: srgb(legs[d.pick(len(legs))]), shoes: srgb([]uint32{0x1a1614, 0xe6e4de, 0x4a3020}[d.pick(3)]),
		open: d.next() < 0.45, short: d.next() < 0.3, coat: d.next() < 0.25, stripes: d.next() < 0.15,
	}
	p.wear.skirt = (p.style == long || p.style == bun || p.style == scarf) && d.next() < 0.5
	if d.next() < 0.4 {
		p.wear.bag = srgb([]uint32{0x5a3a22, 0x2a2c33, 0x7a2a2a, 0xb09a70}[d.pick(4)])
	}
	for i, n := range []int{56, 18} {
		p.heads[i] = headMeshes{
			face: dome(n, 0, isFace),
			rest: dome(n, 0, func(az float64, q vec) bool { return !isFace(az, q) }),
			hair: hair(p.style, n),
		}
		for _, side := range []float64{-1, 1} {
			p.heads[i].rest.ball(vec{side * 0.077, -0.004, -0.008}, vec{0.012, 0.030, 0.018})
		}
	}
	return p
}

// gait is where the joints are: the result of walking or riding, in body coordinates.
type gait struct {
	hip, knee, ankle, shoulder, elbow, hand [2]vec
	toe                                     [2]vec // direction of each foot
	chest, neck                             vec
}

// walking returns the joints at a phase of the step; 2 pi is two steps. stride 0 stands still.
func (p *person) walking(phase, stride float64) gait {
	h := p.height
	k := h / 1.75
	var g gait
	swing := 0.46 * stride
	for i := range 2 {
		side := float64(2*i - 1)
		a := swing * math.Sin(phase+float64(i)*math.Pi)
		bend := 0.06 + 0.85*stride*math.Pow(max(0, math.Cos(phase+float64(i)*math.Pi+0.35)), 1.5)
		g.hip[i] = vec{side * 0.086 * k * p.build, 0.52 * h, 0}
		g.knee[i] = g.hip[i].add(vec{0, -math.Cos(a), math.Sin(a)}.mul(0.245 * h))
		g.ankle[i] = g.knee[i].add(vec{side * 0.01, -math.Cos(a - bend), math.Sin(a - bend)}.mul(0.232 * h))
		g.toe[i] = vec{side * 0.12, -0.35*max(0, bend-0.25) - 0.1*a, 1}.unit()
		g.shoulder[i] = vec{side * 0.168 * k * p.build, 0.795 * h, -0.005}
		b := -a*0.9 + 0.05
		g.elbow[i] = g.shoulder[i].add(vec{side * 0.14, -math.Cos(b), math.Sin(b)}.unit().mul(0.172 * h))
		f := b + 0.35 + 0.25*stride
		g.hand[i] = g.elbow[i].add(vec{-side * 0.06, -math.Cos(f), math.Sin(f)}.unit().mul(0.155 * h))
	}
	drop := min(g.ankle[0].Y, g.ankle[1].Y) - 0.075*k
	for _, joints := range []*[2]vec{&g.hip, &g.knee, &g.ankle, &g.shoulder, &g.elbow, &g.hand} {
		joints[0].Y -= drop
		joints[1].Y -= drop
	}
	g.chest = vec{0, g.hip[0].Y, 0}
	g.neck = vec{0, 0.845*h - drop, 0}
	return g
}

// bent returns the joint between a and b with bones of the given lengths, bending towards hint.
func bent(a, b vec, bones [2]float64, hint vec) vec {
	d := b.sub(a)
	l := min(d.len(), bones[0]+bones[1]-1e-3)
	x := (l*l + bones[0]*bones[0] - bones[1]*bones[1]) / (2 * l)
	u := d.unit()
	side := hint.sub(u.mul(hint.dot(u))).unit()
	return a.add(u.mul(x)).add(side.mul(math.Sqrt(max(bones[0]*bones[0]-x*x, 0))))
}
