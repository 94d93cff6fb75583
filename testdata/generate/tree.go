package main

import "math"

// tree returns a street tree: trunk and crown as two meshes with the foot at the origin.
func tree(seed int) (trunk, crown *mesh) {
	trunk, crown = &mesh{}, &mesh{}
	d := &dice{seed: seed}
	trunk.tube([]vec{{0, 0, 0}, {0.03, 1.4, 0.02}, {0, 2.6, 0.05}, {0.05, 4.2, 0}}, []float64{0.14, 0.11, 0.10, 0.05}, 10)
	for range 5 {
		a := d.between(0, 2*math.Pi)
		tip := vec{math.Cos(a) * 1.1, d.between(3.6, 4.8), math.Sin(a) * 1.1}
		trunk.limb(vec{0, 2.4, 0.05}, tip, 0.05, 0.02)
	}
	for range 1500 {
		out := vec{d.next()*2 - 1, d.next()*2 - 1, d.next()*2 - 1}
		if out.len() > 1 || out.len() < 0.35 {
			continue
		}
		mid := vec{0, 4.5, 0}.add(out.by(vec{1.7, 1.75, 1.7}))
		mid = mid.add(out.mul(0.5 * (noise(out.mul(2).add(vec{X: float64(seed)})) - 0.4)))
		crown.leaf(mid, out.unit(), d)
	}
	return trunk, crown
}

// leaf adds a tuft of leaves as a tilted square lit like the outside of the crown.
func (m *mesh) leaf(mid, out vec, d *dice) {
	u := vec{d.next() - 0.5, d.next() - 0.5, d.next() - 0.5}.unit()
	v := u.cross(vec{d.next() - 0.5, d.next() - 0.5, d.next() - 0.5}).unit()
	size := d.between(0.16, 0.34)
	from := len(m.vs)
	m.quad(mid.sub(u.add(v).mul(size/2)), u.mul(size), v.mul(size))
	tone := vec{X: d.next()}
	for i := from; i < len(m.vs); i++ {
		m.vs[i].n, m.vs[i].o = out, tone
	}
}

// plant puts a tree at a place.
func plant(at pose, seed int) []*instance {
	trunk, crown := tree(seed)
	return []*instance{
		{mesh: trunk, pose: at, mat: plain(srgb(0x5a4c3e))},
		{mesh: crown, pose: at, mat: func(h *hit) look {
			c := srgb(0x46682f).mix(srgb(0x7d9a4a), h.o.X)
			return look{base: c, emit: c.mul(0.10)} // a little sun comes through
		}},
	}
}
