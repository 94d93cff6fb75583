package main

import "math"

// studio paints scenes of one size: one picture is shaded whole, three more are drawn a fraction of a pixel apart and
// shaded only where another thing shows in them, which is where edges are. It owns its buffers and is not for
// concurrent use.
type studio struct {
	painter
	edge *surface
	air  *weather
	film *film
}

func newStudio(w, h int) *studio {
	return &studio{
		painter: painter{
			eye: newSurface(w, h, true), fine: newShadow(1024, 26), wide: newShadow(768, 150),
			sum: make([]vec, w*h), strewn: strewn(),
		},
		edge: newSurface(w, h, true), film: newFilm(w, h),
	}
}

// samples are the places inside a pixel that are looked at: a turned square, as one that lies straight leaves steps on
// upright and level edges.
var samples = [4][2]float64{{-0.13, -0.38}, {0.38, -0.13}, {0.13, 0.38}, {-0.38, 0.13}}

// ceiling is the light above which a single sample counts no more, or one lamp would leave steps round its edge.
const ceiling = 12

// expose draws the scene in linear light and leaves the first sample in the painter for the labels to read. It returns
// that sample's camera.
func (t *studio) expose(s *scene) camera {
	t.air = s.air
	t.arena.load(s.insts, s.cam.pose.O, 170)
	ahead := vec{s.cam.pose.Z.X, 0, s.cam.pose.Z.Z}.unit()
	t.fine.cast(&t.arena, s.air.to, s.cam.pose.O.add(ahead.mul(9)))
	t.wide.cast(&t.arena, s.air.to, s.cam.pose.O.add(ahead.mul(60)))
	first := s.cam.shifted(samples[0][0], samples[0][1])
	t.arena.draw(first, t.eye)
	for i, id := range t.eye.id {
		t.sum[i] = t.ray(first, i, id)
	}
	clear(t.film.more)
	for k := 1; k < len(samples); k++ {
		t.edges(s.cam.shifted(samples[k][0], samples[k][1]))
	}
	for i, n := range t.film.more {
		t.sum[i] = t.sum[i].add(t.film.extra[i]).mul(1 / float64(1+n))
		t.film.extra[i] = vec{}
	}
	return first
}

// edges adds one more sample to the pixels where it meets another thing than the first one, or the same much nearer or
// farther.
func (t *studio) edges(cam camera) {
	t.arena.draw(cam, t.edge)
	for i, id := range t.edge.id {
		old := t.eye.id[i]
		if id == old || id >= 0 && old >= 0 && t.arena.prims[id].inst == t.arena.prims[old].inst &&
			math.Abs(float64(t.edge.z[i]/t.eye.z[i])-1) < 0.04 {
			continue
		}
		t.film.extra[i] = t.film.extra[i].add(t.ray(cam, i, id))
		t.film.more[i]++
	}
}

// ray returns the light arriving at pixel i, where triangle id is to be seen.
func (t *studio) ray(cam camera, i int, id int32) vec {
	x, y := i%cam.w, i/cam.w
	dir := cam.ray(float64(x)+0.5, float64(y)+0.5)
	if id < 0 {
		return t.air.heaven(dir)
	}
	h := t.arena.strike(id, cam.pose.O, dir)
	h.px = h.dist / cam.f
	l := t.arena.insts[t.arena.prims[id].inst].mat(&h)
	chance := rnd(x, y, t.air.seed)
	c := t.air.shaded(&h, &l, t.open(cam, &h, chance), t.reached(&h, chance))
	c = t.air.haze(c, dir, h.dist)
	return vec{min(c.X, ceiling), min(c.Y, ceiling), min(c.Z, ceiling)}
}

// reached is the share of the sun that reaches the place.
func (t *studio) reached(h *hit, chance float64) float64 {
	if t.air.sun.Y < 0.005 || h.n.dot(t.air.to) <= 0 {
		return 0
	}
	if share, known := t.fine.veiled(h.p.add(h.n.mul(0.03)), chance, t.air.soft); known {
		return share
	}
	share, _ := t.wide.veiled(h.p.add(h.n.mul(0.2)), chance, min(t.air.soft, 3))
	return share
}

// veiled is lit for a sun of any size: soft is how far apart the taps lie.
func (s *shadow) veiled(p vec, spin, soft float64) (share float64, known bool) {
	t := s.texel(p)
	edge := float64(s.depth.w) - 4 - 2*soft
	if t.X < 4+2*soft || t.Y < 4+2*soft || t.X > edge || t.Y > edge {
		return 1, false
	}
	bias := (1.2 + 0.3*soft) * s.span / float64(s.depth.w)
	sn, cs := math.Sincos(spin * 2 * math.Pi)
	const taps = 6
	for i := range taps {
		r := soft * (0.3 + 1.5*float64(i)/taps)
		x, y := int(t.X+r*cs), int(t.Y+r*sn)
		if float64(s.depth.z[y*s.depth.w+x]) < t.Z+bias*(1+float64(i)*0.2) {
			share += 1.0 / taps
		}
		sn, cs = sn*-0.737+cs*0.676, cs*-0.737-sn*0.676 // a turn of 137.5 degrees, so that no two taps line up
	}
	return share, true
}
