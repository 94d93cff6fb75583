package main

import "math"

// vec is a point, a direction (metres, Y up) or a linear colour (X red, Y green, Z blue).
type vec struct{ X, Y, Z float64 }

func (a vec) add(b vec) vec            { return vec{a.X + b.X, a.Y + b.Y, a.Z + b.Z} }
func (a vec) sub(b vec) vec            { return vec{a.X - b.X, a.Y - b.Y, a.Z - b.Z} }
func (a vec) mul(k float64) vec        { return vec{a.X * k, a.Y * k, a.Z * k} }
func (a vec) by(b vec) vec             { return vec{a.X * b.X, a.Y * b.Y, a.Z * b.Z} }
func (a vec) dot(b vec) float64        { return a.X*b.X + a.Y*b.Y + a.Z*b.Z }
func (a vec) len() float64             { return math.Sqrt(a.dot(a)) }
func (a vec) mix(b vec, k float64) vec { return a.add(b.sub(a).mul(k)) }

func (a vec) cross(b vec) vec {
	return vec{a.Y*b.Z - a.Z*b.Y, a.Z*b.X - a.X*b.Z, a.X*b.Y - a.Y*b.X}
}

// unit returns a with length 1; the zero vector stays zero.
func (a vec) unit() vec {
	l := a.len()
	if l == 0 {
		return a
	}
	return a.mul(1 / l)
}

// reflect mirrors the direction a at a surface with normal n.
func (a vec) reflect(n vec) vec { return a.sub(n.mul(2 * a.dot(n))) }

// pose places a body: its axes in the world and its origin. X is the body's right, Y its up, Z its forward.
type pose struct{ X, Y, Z, O vec }

// home is the pose that changes nothing.
func home() pose { return pose{X: vec{1, 0, 0}, Y: vec{0, 1, 0}, Z: vec{0, 0, 1}} }

// at stands upright at o, forward turned yaw radians to the right.
func at(o vec, yaw float64) pose {
	s, c := math.Sincos(yaw)
	return pose{X: vec{c, 0, -s}, Y: vec{0, 1, 0}, Z: vec{s, 0, c}, O: o}
}

func (p pose) point(v vec) vec {
	return p.O.add(p.X.mul(v.X)).add(p.Y.mul(v.Y)).add(p.Z.mul(v.Z))
}

func (p pose) dir(v vec) vec { return p.X.mul(v.X).add(p.Y.mul(v.Y)).add(p.Z.mul(v.Z)) }

// inward is the inverse of dir.
func (p pose) inward(v vec) vec { return vec{v.dot(p.X), v.dot(p.Y), v.dot(p.Z)} }

// in returns the pose q, given in p's own axes, in the world.
func (p pose) in(q pose) pose {
	return pose{X: p.dir(q.X), Y: p.dir(q.Y), Z: p.dir(q.Z), O: p.point(q.O)}
}

// nod tips a pose: forward goes down by a radians.
func (p pose) nod(a float64) pose {
	s, c := math.Sincos(a)
	p.Y, p.Z = p.Y.mul(c).add(p.Z.mul(s)), p.Z.mul(c).sub(p.Y.mul(s))
	return p
}

func clamp(x, lo, hi float64) float64 { return min(max(x, lo), hi) }

func mix(a, b, k float64) float64 { return a + (b-a)*k }

// step rises smoothly from 0 at a to 1 at b.
func step(a, b, x float64) float64 {
	t := clamp((x-a)/(b-a), 0, 1)
	return t * t * (3 - 2*t)
}

// band is 1 inside [a, b] and falls to 0 over soft on both sides.
func band(x, a, b, soft float64) float64 {
	return step(a-soft, a+soft, x) * (1 - step(b-soft, b+soft, x))
}

// srgb turns a colour as painters write it (0xRRGGBB) into linear light. Materials call it for every sample, so
// the exact power is replaced by a cubic that is nowhere off by more than 0.002.
func srgb(hex uint32) vec {
	f := func(shift uint) float64 {
		c := float64(hex>>shift&255) / 255
		return c * (c*(c*0.305306011+0.682171111) + 0.012522878)
	}
	return vec{f(16), f(8), f(0)}
}

// wrap is x folded into [0, m).
func wrap(x, m float64) float64 { return x - m*math.Floor(x/m) }
