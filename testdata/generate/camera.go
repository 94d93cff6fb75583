package main

import "math"

// near is the closest distance drawn, in metres; triangles are cut there.
const near = 0.15

// camera is a pinhole looking along its pose's Z, with the principal point at cx, cy.
type camera struct {
	pose   pose
	f      float64 // focal length in pixels
	cx, cy float64
	w, h   int
}

// newCamera returns a camera of the given horizontal field of view in degrees.
func newCamera(p pose, hfov float64, w, h int) camera {
	return camera{
		pose: p, f: float64(w) / 2 / math.Tan(hfov*math.Pi/360),
		cx: float64(w) / 2, cy: float64(h) / 2, w: w, h: h,
	}
}

// view turns a place in the world into camera coordinates: right, up, ahead.
func (c camera) view(p vec) vec { return c.pose.inward(p.sub(c.pose.O)) }

// screen projects camera coordinates; v.Z must be positive. The third value is 1/distance ahead.
func (c camera) screen(v vec) vec {
	k := 1 / v.Z
	return vec{c.cx + c.f*v.X*k, c.cy - c.f*v.Y*k, k}
}

// ray returns the unit direction in the world through a place of the picture.
func (c camera) ray(x, y float64) vec {
	return c.pose.dir(vec{(x - c.cx) / c.f, (c.cy - y) / c.f, 1}.unit())
}

// shifted moves the whole picture by a fraction of a pixel, for smoothing edges.
func (c camera) shifted(dx, dy float64) camera {
	c.cx += dx
	c.cy += dy
	return c
}
