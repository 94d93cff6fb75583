package main

import "math"

// shadow is a square depth map seen from the sun, so that a place can ask whether the sun sees it.
type shadow struct {
	axes  pose // Z towards the sun, origin in the middle of the map
	span  float64
	depth *surface
}

func newShadow(res int, span float64) *shadow {
	return &shadow{span: span, depth: newSurface(res, res, false)}
}

// cast draws the arena as the sun sees it round the middle.
func (s *shadow) cast(a *arena, sun, middle vec) {
	x := vec{0, 1, 0}.cross(sun).unit()
	s.axes = pose{X: x, Y: sun.cross(x), Z: sun}
	// Snapped to whole texels: shadow edges then do not crawl from frame to frame.
	texel := s.span / float64(s.depth.w)
	m := s.axes.inward(middle)
	m.X, m.Y = math.Round(m.X/texel)*texel, math.Round(m.Y/texel)*texel
	s.axes.O = s.axes.dir(m)
	s.depth.clear(-math.MaxFloat32)
	for _, p := range a.prims {
		s.depth.fill(s.texel(a.corners[p.c[0]].p), s.texel(a.corners[p.c[1]].p), s.texel(a.corners[p.c[2]].p), 0)
	}
}

// texel gives a world place in map pixels, with its height towards the sun.
func (s *shadow) texel(p vec) vec {
	v := s.axes.inward(p.sub(s.axes.O))
	k := float64(s.depth.w) / s.span
	return vec{(v.X/s.span + 0.5) * s.span * k, (v.Y/s.span + 0.5) * s.span * k, v.Z}
}

// lit returns how much of the sun reaches p, 0 to 1, from four taps turned by spin; known is false outside the map.
func (s *shadow) lit(p vec, spin float64) (share float64, known bool) {
	t := s.texel(p)
	edge := float64(s.depth.w) - 3
	if t.X < 3 || t.Y < 3 || t.X > edge || t.Y > edge {
		return 1, false
	}
	bias := 1.5 * s.span / float64(s.depth.w)
	sn, cs := math.Sincos(spin * 2 * math.Pi)
	for i := range 4 {
		r := 0.5 + 0.55*float64(i)
		x, y := int(t.X+r*cs), int(t.Y+r*sn)
		if float64(s.depth.z[y*s.depth.w+x]) < t.Z+bias {
			share += 0.25
		}
		sn, cs = cs, -sn
	}
	return share, true
}
