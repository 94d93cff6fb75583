package main

import "math"

// vertex carries the place, the smooth normal and the coordinates that a material reads.
type vertex struct{ p, n, o vec }

// mesh is a body in its own coordinates. It is shared between instances and never written after it is built.
type mesh struct {
	vs []vertex
	ts [][3]int32
}

// object is what the truth file speaks of: one thing in the street, or the face or plate of one.
type object struct {
	id          int
	class, text string
	of          *object // a face's person, a plate's vehicle; its pixels count for both
}

// instance is a mesh put somewhere with a material; obj may be nil for things nobody asks about.
type instance struct {
	mesh *mesh
	pose pose
	mat  material
	obj  *object
	from float64 // not drawn nearer than this
	far  float64 // not drawn from this distance on; 0 = no limit
}

// quad adds the rectangle o, o+u, o+u+v, o+v; material coordinates run 0..|u|, 0..|v|.
func (m *mesh) quad(o, u, v vec) {
	n := u.cross(v).unit()
	b := int32(len(m.vs))
	lu, lv := u.len(), v.len()
	m.vs = append(m.vs,
		vertex{o, n, vec{}}, vertex{o.add(u), n, vec{X: lu}},
		vertex{o.add(u).add(v), n, vec{X: lu, Y: lv}}, vertex{o.add(v), n, vec{Y: lv}})
	m.ts = append(m.ts, [3]int32{b, b + 1, b + 2}, [3]int32{b, b + 2, b + 3})
}

// triangle adds one flat triangle; material coordinates are the places themselves.
func (m *mesh) triangle(a, b, c vec) {
	n, base := b.sub(a).cross(c.sub(a)).unit(), int32(len(m.vs))
	m.vs = append(m.vs, vertex{a, n, a}, vertex{b, n, b}, vertex{c, n, c})
	m.ts = append(m.ts, [3]int32{base, base + 1, base + 2})
}

// box adds a sharp box between two corners; material coordinates are the places themselves.
func (m *mesh) box(lo, hi vec) {
	d := hi.sub(lo)
	x, y, z := vec{X: d.X}, vec{Y: d.Y}, vec{Z: d.Z}
	from := len(m.vs)
	m.quad(lo, x, y)
	m.quad(lo, y, z)
	m.quad(lo, z, x)
	m.quad(lo.add(z), x, y)
	m.quad(lo.add(x), y, z)
	m.quad(lo.add(y), z, x)
	for i := from; i < len(m.vs); i++ {
		m.vs[i].o = m.vs[i].p
	}
}

// loft joins closed rings of equal length into a skin with smooth normals; flat lids close both ends.
func (m *mesh) loft(rings [][]vec) {
	base, n := int32(len(m.vs)), int32(len(rings[0]))
	for _, r := range rings {
		for _, p := range r {
			m.vs = append(m.vs, vertex{p: p, o: p})
		}
	}
	from := len(m.ts)
	for i := range int32(len(rings) - 1) {
		for j := range n {
			a, b := base+i*n+j, base+i*n+(j+1)%n
			m.ts = append(m.ts, [3]int32{a, b, b + n}, [3]int32{a, b + n, a + n})
		}
	}
	m.smooth(int(base), from)
	m.lid(rings[0])
	m.lid(rings[len(rings)-1])
}

// lid closes a ring with a flat fan.
func (m *mesh) lid(ring []vec) {
	var mid vec
	for _, p := range ring {
		mid = mid.add(p)
	}
	mid = mid.mul(1 / float64(len(ring)))
	base, k := int32(len(m.vs)), int32(len(ring))
	normal := ring[0].sub(mid).cross(ring[len(ring)/4].sub(mid)).unit()
	m.vs = append(m.vs, vertex{mid, normal, mid})
	for _, p := range ring {
		m.vs = append(m.vs, vertex{p, normal, p})
	}
	for i := range k {
		m.ts = append(m.ts, [3]int32{base, base + 1 + i, base + 1 + (i+1)%k})
	}
}

// smooth averages face normals over the vertices from vs[base] on, for the triangles from ts[from] on.
func (m *mesh) smooth(base, from int) {
	for _, t := range m.ts[from:] {
		a, b, c := m.vs[t[0]].p, m.vs[t[1]].p, m.vs[t[2]].p
		f := b.sub(a).cross(c.sub(a))
		for _, i := range t {
			m.vs[i].n = m.vs[i].n.add(f)
		}
	}
	for i := base; i < len(m.vs); i++ {
		m.vs[i].n = m.vs[i].n.unit()
	}
}

// tube lofts a round skin along knots with radii; a limb, a post, a tyre's tread.
func (m *mesh) tube(knots []vec, radii []float64, sides int) {
	rings := make([][]vec, len(knots))
	for i := range knots {
		a, b := knots[max(i-1, 0)], knots[min(i+1, len(knots)-1)]
		axis := b.sub(a).unit()
		side := axis.cross(vec{0.31, 0.2, 0.93}).unit()
		rings[i] = circle(pose{X: side, Y: axis, Z: side.cross(axis), O: knots[i]}, radii[i], sides)
	}
	m.loft(rings)
}

// limb is a tube with rounded ends from a to b.
func (m *mesh) limb(a, b vec, ra, rb float64) {
	d := b.sub(a).unit()
	m.tube([]vec{
		a.sub(d.mul(ra * 0.95)), a.sub(d.mul(ra * 0.6)), a, a.mix(b, 0.5), b, b.add(d.mul(rb * 0.6)), b.add(d.mul(rb * 0.95)),
	}, []float64{ra * 0.3, ra * 0.8, ra, (ra + rb) / 2 * 1.03, rb, rb * 0.8, rb * 0.3}, 12)
}

// circle returns a ring round the Y axis of p.
func circle(p pose, r float64, sides int) []vec {
	ring := make([]vec, sides)
	for i := range ring {
		s, c := math.Sincos(2 * math.Pi * float64(i) / float64(sides))
		ring[i] = p.point(vec{c * r, 0, s * r})
	}
	return ring
}

// oval returns an elliptic ring at height y, rounder (2) or boxier (4) by the exponent k.
func oval(mid vec, rx, rz, k float64) []vec {
	const sides = 28
	ring := make([]vec, sides)
	for i := range ring {
		s, c := math.Sincos(2 * math.Pi * float64(i) / sides)
		ring[i] = mid.add(vec{rx * signed(c, 2/k), 0, rz * signed(s, 2/k)})
	}
	return ring
}

func signed(x, e float64) float64 { return math.Copysign(math.Pow(math.Abs(x), e), x) }

// ball adds an ellipsoid.
func (m *mesh) ball(mid, r vec) {
	const rows = 9
	rings := make([][]vec, 0, rows)
	for i := range rows {
		s, c := math.Sincos(math.Pi * (float64(i)/(rows-1) - 0.5) * 0.985)
		rings = append(rings, oval(mid.add(vec{Y: s * r.Y}), r.X*c, r.Z*c, 2))
	}
	m.loft(rings)
}

// sphere returns a centre and radius round everything.
func (m *mesh) sphere() (vec, float64) {
	if len(m.vs) == 0 {
		return vec{}, 0
	}
	lo, hi := m.vs[0].p, m.vs[0].p
	for _, v := range m.vs {
		lo = vec{min(lo.X, v.p.X), min(lo.Y, v.p.Y), min(lo.Z, v.p.Z)}
		hi = vec{max(hi.X, v.p.X), max(hi.Y, v.p.Y), max(hi.Z, v.p.Z)}
	}
	return lo.mix(hi, 0.5), hi.sub(lo).len() / 2
}
