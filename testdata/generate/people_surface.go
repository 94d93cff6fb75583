package main

import "math"

// paint says how a part of a person is coloured from its texture.
type paint struct {
	tex    *pixmap
	target vec     // what the mean of the texture becomes
	mean   float64 // the texture's, linear grey
	power  float64 // how much of the texture's light and dark stays, 1 is all
	keep   float64 // the share of the texture's own colours
	gain   vec     // brightens what is kept
	most   float64 // how far above the mean the texture's light may go; 0 is without end
	shine  float64
	below  *paint                 // is used instead below the waist; nil: is not
	stripe func(p vec, c vec) vec // changes the colour by the place on the body, in metres, at rest; nil does not
}

var greys = vec{0.25, 0.65, 0.10}

func (p *paint) colour(c, rest vec) vec {
	if p.below != nil && rest.Y < waist*decimetre {
		p = p.below
	}
	if g := c.dot(greys); p.most > 0 && g > p.most*p.mean {
		c = c.mul(p.most * p.mean / g)
	}
	if p.keep < 1 {
		ratio := clamp(c.dot(greys)/max(p.mean, 0.004), 0.02, 6)
		if p.power != 1 {
			ratio = math.Pow(ratio, p.power)
		}
		c = p.target.mul(ratio).mix(c.by(p.gain), p.keep)
	} else {
		c = c.by(p.gain)
	}
	if p.stripe != nil {
		c = p.stripe(rest, c)
	}
	return vec{min(c.X, 0.92), min(c.Y, 0.92), min(c.Z, 0.92)}
}

// piece is a surface in its place, in metres, ready to be seen.
type piece struct {
	verts, rest []vec
	norms       []vec
	uvs         [][2]float64
	facets      []facet
	part        []uint8 // which paint, per triangle
	paints      []*paint
	face        []bool // which triangles are the face; nil: none
	hair        bool
	lift        float64 // metres to look for light past what is near; eyes lie deep
	sky         []vec   // light from all round, per vertex
}

// figure is all that one person is made of.
type figure []*piece

// extent returns a ball round the figure.
func (f figure) ball() (centre vec, radius float64) {
	lo, hi := vec{math.Inf(1), math.Inf(1), math.Inf(1)}, vec{math.Inf(-1), math.Inf(-1), math.Inf(-1)}
	for _, p := range f {
		for _, t := range p.facets {
			v := p.verts[t.v[0]]
			lo = vec{min(lo.X, v.X), min(lo.Y, v.Y), min(lo.Z, v.Z)}
			hi = vec{max(hi.X, v.X), max(hi.Y, v.Y), max(hi.Z, v.Z)}
		}
	}
	return lo.mix(hi, 0.5), hi.sub(lo).len()/2 + 0.05
}

// sunMap tells what light from a direction does not reach.
type sunMap struct {
	s             *surface
	right, up, to vec
	centre        vec
	scale         float64
}

// shade draws the figure as light from a direction sees it, size pixels across.
func (f figure) shade(to vec, size int, s *surface) *sunMap {
	centre, radius := f.ball()
	m := &sunMap{s: s, to: to, centre: centre, scale: float64(size) / 2 / radius}
	m.right = vec{0, 1, 0}.cross(to)
	if m.right.len() < 1e-3 {
		m.right = vec{1, 0, 0}
	}
	m.right = m.right.unit()
	m.up = to.cross(m.right)
	s.clear(-1e9)
	for _, p := range f {
		seen := make([]vec, len(p.verts))
		for i, v := range p.verts {
			seen[i] = m.see(v)
		}
		for _, t := range p.facets {
			s.fill(seen[t.v[0]], seen[t.v[1]], seen[t.v[2]], 0)
		}
	}
	return m
}

func (m *sunMap) see(v vec) vec {
	v = v.sub(m.centre)
	half := float64(m.s.w) / 2
	return vec{v.dot(m.right)*m.scale + half, v.dot(m.up)*m.scale + half, v.dot(m.to)}
}

// open tells how much light reaches p, 0 to 1; depth is how far in front something must be to count.
func (m *sunMap) open(p vec, depth float64) float64 {
	q := m.see(p)
	free := 0.0
	for k := range 4 {
		x, y := int(q.X+float64(k&1)-0.5), int(q.Y+float64(k>>1)-0.5)
		if x < 0 || y < 0 || x >= m.s.w || y >= m.s.h || float64(m.s.z[y*m.s.w+x]) < q.Z+depth {
			free += 0.25
		}
	}
	return free
}

// rounds is from how many directions the light of sky and ground is gathered.
const rounds = 26

// gather lights every vertex with the sky and the ground that it sees past the rest of the figure.
func (f figure) gather(l sunlight) {
	const size = 150
	s := newSurface(size, size, false)
	for _, p := range f {
		p.sky = make([]vec, len(p.verts))
	}
	for k := range rounds {
		y := 1 - (2*float64(k)+1)/rounds
		sin, cos := math.Sincos(float64(k) * 2.39996)
		r := math.Sqrt(1 - y*y)
		to := vec{r * cos, y, r * sin}
		m := f.shade(to, size, s)
		light := l.ground.mix(l.sky, step(-0.35, 0.35, y)).mul(4.0 / rounds)
		for _, p := range f {
			for i, n := range p.norms {
				facing := n.dot(to)
				if p.hair {
					facing = 0.35 + 0.65*facing
				}
				if facing > 0 {
					open := m.open(p.verts[i].add(n.mul(0.012+p.lift)), 0.012+p.lift)
					p.sky[i] = p.sky[i].add(light.mul(facing * open))
				}
			}
		}
	}
}
