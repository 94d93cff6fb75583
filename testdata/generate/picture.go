package main

import (
	"image"
	"image/color"
	"math"
)

// passes is how many slightly shifted pictures are averaged into one: it smooths edges and blurs motion.
const passes = 4

// spread is how far apart, in pixels, the passes look: as soft as a small lens.
const spread = 0.9

// white is the light that the film shows as white.
const white = 2.2

// painter draws frames of one size. It owns its buffers and is not for concurrent use.
type painter struct {
	light sunlight
	eye   *surface
	fine  *shadow // near the camera
	wide  *shadow // the whole street in sight
	arena arena
	sum   []vec

	strewn [turns][taps]vec
}

func newPainter(w, h int) *painter {
	return &painter{
		light: morning(), eye: newSurface(w, h, true),
		fine: newShadow(1400, 38), wide: newShadow(1400, 190), sum: make([]vec, w*h), strewn: strewn(),
	}
}

// shot is one exposure: what stands there and how the camera moves while the shutter is open.
type shot struct {
	insts  []*instance
	camera func(part float64) camera // part of the exposure, 0 to 1
	seed   int
}

// paint returns the picture, and leaves the first pass in the painter for truth to read.
func (p *painter) paint(s shot) *image.RGBA {
	mid := s.camera(0.5)
	p.arena.load(s.insts, mid.pose.O, 220)
	ahead := mid.pose.Z
	p.fine.cast(&p.arena, p.light.to, mid.pose.O.add(ahead.mul(15)))
	p.wide.cast(&p.arena, p.light.to, mid.pose.O.add(ahead.mul(80)))
	clear(p.sum)
	// Backwards, so that the first pass is the one that truth finds in the buffers.
	for i := passes - 1; i >= 0; i-- {
		p.pass(s.view(i), s.seed*passes+i)
	}
	return p.develop(mid, s.seed)
}

// view is the camera of pass i, moved by a fraction of a pixel and of the exposure.
func (s shot) view(i int) camera {
	return s.camera(float64(i)/(passes-1)).shifted(float64(i%2)*spread-spread/2, float64(i/2)*spread-spread/2)
}

func (p *painter) pass(cam camera, seed int) {
	p.arena.draw(cam, p.eye)
	for y := range cam.h {
		for x := range cam.w {
			p.sum[y*cam.w+x] = p.sum[y*cam.w+x].add(p.pixel(cam, x, y, seed))
		}
	}
}

// pixel returns the light arriving at one pixel of one pass.
func (p *painter) pixel(cam camera, x, y, seed int) vec {
	dir := cam.ray(float64(x)+0.5, float64(y)+0.5)
	id := p.eye.id[y*cam.w+x]
	if id < 0 {
		return heaven(dir)
	}
	h := p.arena.strike(id, cam.pose.O, dir)
	h.px = h.dist / cam.f
	in := p.arena.insts[p.arena.prims[id].inst]
	l := in.mat(&h)
	chance := rnd(x, y, seed)
	c := p.light.shaded(&h, l, p.open(cam, &h, chance), p.sunny(&h, chance))
	c = haze(c, dir, h.dist)
	// Brighter than the film can show counts as white, or one bright pass would drown the others.
	return vec{min(c.X, white), min(c.Y, white), min(c.Z, white)}
}

// sunny asks the finer shadow map first. The place is moved off its surface, against self-shadowing.
func (p *painter) sunny(h *hit, chance float64) float64 {
	if share, known := p.fine.lit(h.p.add(h.n.mul(0.03)), chance); known {
		return share
	}
	share, _ := p.wide.lit(h.p.add(h.n.mul(0.15)), chance)
	return share
}

// taps is how many places round a point are asked whether something hides the sky there, and turns in how many ways
// they are strewn.
const taps, turns = 5, 32

// strewn returns the places to ask: offsets inside the unit ball, further out one by one.
func strewn() (out [turns][taps]vec) {
	for t := range out {
		for i := range out[t] {
			k := (float64(i) + 0.5) / taps
			s, c := math.Sincos(2 * math.Pi * (float64(t)/turns + 0.618*float64(i)))
			y := 2*rnd(t, i, 33) - 1
			r := math.Sqrt(1 - y*y)
			out[t][i] = vec{c * r, y, s * r}.mul(0.2 + 0.8*k)
		}
	}
	return out
}

// open estimates how much of the sky reaches the place from the depth of its neighbourhood in the picture.
func (p *painter) open(cam camera, h *hit, chance float64) float64 {
	reach := max(0.4, h.dist*0.03) * 0.75
	at, n := cam.view(h.p), cam.pose.inward(h.n)
	hidden := 0.0
	for _, d := range p.strewn[int(chance*turns)] {
		hidden += p.hides(cam, at.add(d.add(n.mul(d.len())).mul(reach)), reach)
	}
	return 1 - 0.8*hidden/taps
}

// hides is 1 when something in the picture stands closely before v, a place in camera coordinates.
func (p *painter) hides(cam camera, v vec, reach float64) float64 {
	if v.Z < near {
		return 0
	}
	t := cam.screen(v)
	x, y := int(t.X), int(t.Y)
	if x < 0 || y < 0 || x >= cam.w || y >= cam.h {
		return 0
	}
	inv := float64(p.eye.z[y*cam.w+x])
	// v.Z - 1/inv is the gap in metres; multiplied through by inv it needs no division.
	if gap := v.Z*inv - 1; gap < (0.02+0.002*v.Z)*inv || gap > 4*reach*inv {
		return 0
	}
	return 1
}

// develop averages the passes and adds what a small camera adds: darker corners and a breath of sensor noise.
func (p *painter) develop(cam camera, seed int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, cam.w, cam.h))
	for i, c := range p.sum {
		x, y := i%cam.w, i/cam.w
		r := math.Hypot((float64(x)-cam.cx)/cam.cx, (float64(y)-cam.cy)/cam.cx)
		v := developed(c.mul((1 - 0.13*r*r) / passes))
		g := (rnd(x, y, seed) + rnd(x, y, seed+5000) - 1) * 0.007
		img.SetRGBA(x, y, color.RGBA{byteOf(v.X + g), byteOf(v.Y + g), byteOf(v.Z + g), 255})
	}
	return img
}

func byteOf(v float64) uint8 { return uint8(clamp(v*255+0.5, 0, 255)) }
