package main

import "math"

const (
	lineFrom = -60.0 // metres along the street where its table begins
	lineTo   = 480.0
	lineStep = 0.5
)

// line is the middle of the sweeper's lane as a curve: metres along it (s) and metres to its right (d) name
// every place of the street. It does not change after newLine.
type line struct {
	spots []vec     // place per lineStep
	yaw   []float64 // heading there, radians to the right of the first
}

// newLine lays the street: straight, a bend to the left, straight, a slighter bend to the right.
func newLine() *line {
	n := int((lineTo-lineFrom)/lineStep) + 1
	l := &line{spots: make([]vec, n), yaw: make([]float64, n)}
	yaw, p := 0.0, vec{Z: lineFrom}
	for i := range n {
		s := lineFrom + float64(i)*lineStep
		bend := -0.0052*band(s, 75, 190, 15) + 0.0048*band(s, 255, 330, 15)
		l.spots[i], l.yaw[i] = p, yaw
		p = p.add(vec{math.Sin(yaw), 0, math.Cos(yaw)}.mul(lineStep))
		yaw += bend * lineStep
	}
	return l
}

// at returns the pose of somebody standing at s, d and looking along the street; beyond the ends it stays there.
func (l *line) at(s, d float64) pose {
	x := clamp((s-lineFrom)/lineStep, 0, float64(len(l.yaw)-1)-1e-9)
	i := int(x)
	k := x - float64(i)
	p := at(l.spots[i].mix(l.spots[i+1], k), mix(l.yaw[i], l.yaw[i+1], k))
	p.O = p.O.add(p.X.mul(d))
	return p
}

// heading returns the yaw at s in radians.
func (l *line) heading(s float64) float64 {
	p := l.at(s, 0)
	return math.Atan2(p.Z.X, p.Z.Z)
}

// strip adds a ribbon of the street between two points of its cross-section (X to the right, Y up); material
// coordinates are (d, height, s).
func (l *line) strip(m *mesh, a, b vec) {
	base, n := int32(len(m.vs)), int32(0)
	across := b.sub(a)
	up := vec{-across.Y, across.X, 0}.unit()
	for s := lineFrom; s < lineTo; s += 3 {
		for _, c := range []vec{a, b} {
			p := l.at(s, c.X)
			m.vs = append(m.vs, vertex{p.O.add(vec{Y: c.Y}), p.dir(up), vec{c.X, c.Y, s}})
		}
		n++
	}
	for i := range n - 1 {
		k := base + 2*i
		m.ts = append(m.ts, [3]int32{k, k + 2, k + 1}, [3]int32{k + 1, k + 2, k + 3})
	}
}

// wall adds an upright ribbon at offset d along and up the given stretches; material coordinates are
// (metres along, height).
func (l *line) wall(m *mesh, d float64, along, up [2]float64) {
	a, b := l.at(along[0], d).O, l.at(along[1], d).O
	a.Y, b.Y = up[0], up[0]
	from := len(m.vs)
	m.quad(a, b.sub(a), vec{Y: up[1] - up[0]})
	for i := from; i < len(m.vs); i++ {
		m.vs[i].o.Y += up[0]
	}
}
