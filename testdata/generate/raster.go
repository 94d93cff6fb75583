package main

import "math"

// surface is a depth buffer that keeps, per pixel, the triangle with the greatest depth value: 1/distance for
// pictures, height towards the sun for shadows. Both run linearly over the screen, so one filler serves both.
type surface struct {
	w, h int
	z    []float32
	id   []int32 // nil when only depth is asked for
}

func newSurface(w, h int, ids bool) *surface {
	s := &surface{w: w, h: h, z: make([]float32, w*h)}
	if ids {
		s.id = make([]int32, w*h)
	}
	return s
}

// clear empties the buffer; floor is smaller than any depth that will come.
func (s *surface) clear(floor float32) {
	for i := range s.z {
		s.z[i] = floor
	}
	for i := range s.id {
		s.id[i] = -1
	}
}

// fill draws one triangle given in pixels (X, Y) and depth (Z).
func (s *surface) fill(a, b, c vec, id int32) {
	area := (b.X-a.X)*(c.Y-a.Y) - (c.X-a.X)*(b.Y-a.Y)
	if math.Abs(area) < 1e-9 || math.IsNaN(area) {
		return
	}
	x0 := max(0, int(math.Ceil(min(a.X, b.X, c.X)-0.5)))
	x1 := min(s.w-1, int(math.Floor(max(a.X, b.X, c.X)-0.5)))
	y0 := max(0, int(math.Ceil(min(a.Y, b.Y, c.Y)-0.5)))
	y1 := min(s.h-1, int(math.Floor(max(a.Y, b.Y, c.Y)-0.5)))
	k := 1 / area
	// Weight of b and of c at a pixel centre, and their growth per pixel to the right.
	ub, uc := (c.Y-a.Y)*k, -(b.Y-a.Y)*k
	vb, vc := -(c.X-a.X)*k, (b.X-a.X)*k
	dz := ub*(b.Z-a.Z) + uc*(c.Z-a.Z)
	for y := y0; y <= y1; y++ {
		px, py := float64(x0)+0.5-a.X, float64(y)+0.5-a.Y
		wb, wc := px*ub+py*vb, px*uc+py*vc
		z := a.Z + wb*(b.Z-a.Z) + wc*(c.Z-a.Z)
		for i := y*s.w + x0; i <= y*s.w+x1; i++ {
			if wb >= 0 && wc >= 0 && wb+wc <= 1 && float32(z) > s.z[i] {
				s.put(i, float32(z), id)
			}
			wb, wc, z = wb+ub, wc+uc, z+dz
		}
	}
}

func (s *surface) put(i int, z float32, id int32) {
	s.z[i] = z
	if s.id != nil {
		s.id[i] = id
	}
}

// prim is one triangle of the frame: three indices into the arena's corners, and where it came from.
type prim struct {
	c    [3]int32
	inst int32
	tri  int32
}

type corner struct{ p, n vec }

// arena holds everything of one frame in world coordinates.
type arena struct {
	insts   []*instance
	corners []corner
	prims   []prim
	seen    []vec // corners in camera coordinates, of the pass being drawn
}

// load places the instances that are near enough to matter, seen or casting a shadow into the picture.
func (a *arena) load(insts []*instance, eye vec, reach float64) {
	a.insts, a.corners, a.prims = a.insts[:0], a.corners[:0], a.prims[:0]
	for _, in := range insts {
		mid, r := in.mesh.sphere()
		d := in.pose.point(mid).sub(eye).len()
		if d-r > reach || d < in.from || (in.far > 0 && d >= in.far) {
			continue
		}
		a.place(in)
	}
}

func (a *arena) place(in *instance) {
	base, at := int32(len(a.corners)), int32(len(a.insts))
	a.insts = append(a.insts, in)
	for _, v := range in.mesh.vs {
		a.corners = append(a.corners, corner{in.pose.point(v.p), in.pose.dir(v.n)})
	}
	for i, t := range in.mesh.ts {
		a.prims = append(a.prims, prim{[3]int32{base + t[0], base + t[1], base + t[2]}, at, int32(i)})
	}
}

// draw fills s with the arena as the camera sees it.
func (a *arena) draw(cam camera, s *surface) {
	s.clear(0)
	a.seen = a.seen[:0]
	for _, c := range a.corners {
		a.seen = append(a.seen, cam.view(c.p))
	}
	for i, p := range a.prims {
		drawCut(cam, s, [3]vec{a.seen[p.c[0]], a.seen[p.c[1]], a.seen[p.c[2]]}, int32(i))
	}
}

// drawCut draws one triangle in camera coordinates, cut at the near plane into none, one or two.
func drawCut(cam camera, s *surface, t [3]vec, id int32) {
	var in [4]vec
	n := 0
	for i := range t {
		a, b := t[i], t[(i+1)%3]
		if a.Z >= near {
			in[n] = a
			n++
		}
		if (a.Z >= near) != (b.Z >= near) {
			in[n] = a.mix(b, (near-a.Z)/(b.Z-a.Z))
			n++
		}
	}
	for i := 2; i < n; i++ {
		s.fill(cam.screen(in[0]), cam.screen(in[i-1]), cam.screen(in[i]), id)
	}
}

// hit is the place where a ray meets a triangle, as the materials want to know it.
type hit struct {
	p, n  vec // place and normal in the world, the normal on the viewer's side
	o     vec // material coordinates
	dir   vec // from the eye, unit
	dist  float64
	px    float64 // width of a pixel there, metres
	pose  pose    // of the instance
	local vec     // the normal in the body's own axes
}

// strike intersects the ray with the plane of a known prim and interpolates its corners.
func (a *arena) strike(i int32, eye, dir vec) hit {
	p := a.prims[i]
	in := a.insts[p.inst]
	c0, c1, c2 := &a.corners[p.c[0]], &a.corners[p.c[1]], &a.corners[p.c[2]]
	e1, e2 := c1.p.sub(c0.p), c2.p.sub(c0.p)
	q := dir.cross(e2)
	k := 1 / e1.dot(q)
	t := eye.sub(c0.p)
	u := clamp(t.dot(q)*k, 0, 1)
	r := t.cross(e1)
	v := clamp(dir.dot(r)*k, 0, 1)
	dist := e2.dot(r) * k
	w := 1 - u - v
	face := e1.cross(e2)
	if face.dot(dir) > 0 {
		face = face.mul(-1)
	}
	n := c0.n.mul(w).add(c1.n.mul(u)).add(c2.n.mul(v)).unit()
	if n.dot(face) < 0 {
		n = n.mul(-1)
	}
	tri := in.mesh.ts[p.tri]
	o0, o1, o2 := in.mesh.vs[tri[0]].o, in.mesh.vs[tri[1]].o, in.mesh.vs[tri[2]].o
	return hit{
		p: eye.add(dir.mul(dist)), n: n, dir: dir, dist: dist, pose: in.pose, local: in.pose.inward(n),
		o: o0.mul(w).add(o1.mul(u)).add(o2.mul(v)),
	}
}
