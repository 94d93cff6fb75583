package main

import "math"

// coiffure is hair or what is worn over it: a shell over the skull that begins at a line, and more.
type coiffure struct {
	thick               float64 // 0 = bald
	front, temple, nape float64 // heights of the line
	ragged              float64
	cloth               bool
	ears                bool // they are covered
	more                string
	colour, second      vec
	seed                int
}

// newCoiffure draws how a head is covered.
func newCoiffure(d *dice, hair vec, male bool) coiffure {
	men := []coiffure{
		{thick: 0.006, front: 0.072, temple: 0.012, nape: -0.05}, {thick: 0.014, front: 0.070, temple: 0, nape: -0.055},
		{thick: 0.024, front: 0.066, temple: 0.01, nape: -0.055}, {thick: 0.008, front: 0.098, temple: 0.015, nape: -0.05},
		{thick: 0.035, front: 0.07, temple: -0.01, nape: -0.07}, {}, {thick: 0.018, front: 0.06, temple: -0.02, nape: -0.09},
	}
	women := []coiffure{
		{thick: 0.019, front: 0.065, temple: -0.02, nape: -0.12, more: "long"}, {thick: 0.019, front: 0.045, temple: -0.05, nape: -0.12, more: "long"},
		{thick: 0.013, front: 0.07, temple: 0, nape: -0.055, more: "bun"}, {thick: 0.013, front: 0.07, temple: 0, nape: -0.055, more: "tail"},
		{thick: 0.026, front: 0.055, temple: -0.075, nape: -0.10, ears: true}, {thick: 0.055, front: 0.065, temple: -0.02, nape: -0.08, ears: true},
		{thick: 0.016, front: 0.06, temple: -0.01, nape: -0.06},
	}
	hats := []coiffure{
		{thick: 0.020, front: 0.052, temple: 0, nape: -0.03}, {thick: 0.026, front: 0.045, temple: -0.03, nape: -0.05, more: "bobble", ears: true},
		{thick: 0.017, front: 0.055, temple: 0.045, nape: 0.02, more: "peak"}, {thick: 0.020, front: 0.058, temple: 0.05, nape: 0.04, more: "brim"},
		{thick: 0.016, front: 0.066, temple: -0.13, nape: -0.2, ears: true, more: "cowl"}, {thick: 0.030, front: 0.070, temple: -0.12, nape: -0.2, ears: true, more: "cowl"},
		{thick: 0.034, front: 0.060, temple: 0.03, nape: 0, more: "shell"}, {thick: 0.030, front: 0.060, temple: 0.05, nape: 0.03, more: "peak"},
		{thick: 0.045, front: 0.055, temple: 0.01, nape: -0.04, ears: true},
	}
	c := women[d.pick(len(women))]
	if male {
		c = men[d.pick(len(men))]
	}
	c.colour, c.ragged = hair, 0.012
	if d.next() < 0.30 {
		c = hats[d.pick(len(hats))]
		c.cloth, c.colour, c.second = true, cloths(d), cloths(d)
	}
	c.seed = d.pick(1 << 20)
	return c
}

// line is the height above which the shell begins at azimuth az.
func (c coiffure) line(az float64, p vec) float64 {
	a := math.Abs(az)
	y := mix(mix(mix(c.front, c.front-0.008, step(0, 0.7, a)), c.temple, step(0.92, 1.25, a)), c.nape, step(1.35, 1.8, a))
	return y + c.ragged*(grain(az*14, p.Y*30, c.seed)-0.5)
}

// mesh makes the shell; n is as of dome.
func (c coiffure) mesh(n int) *mesh {
	if c.thick == 0 {
		return nil
	}
	m := dome(n, 0, func(az float64, p vec) bool { return p.Y > c.line(az, p)-0.02 })
	for i := range m.vs {
		// The shell dives under the skin at the line, which so runs smoothly through the triangles.
		p := &m.vs[i].p
		in := p.Y - c.line(math.Atan2(p.X, p.Z), *p)
		out := mix(-0.006, c.thick*(1+0.2*step(0.04, 0.12, p.Y)), step(-0.008, 0.016, in))
		if c.cloth {
			out = mix(-0.006, c.thick, step(-0.006, 0.004, in))
		}
		if c.thick > 0.03 && !c.cloth { // curls
			out *= 0.75 + 0.5*noise(p.mul(48))
		}
		*p = p.add(p.unit().mul(out))
	}
	switch c.more {
	case "long":
		m.ball(vec{0, -0.07, -0.055}, vec{0.086, 0.15, 0.05})
		m.limb(vec{0.077, 0.02, -0.02}, vec{0.082, -0.15, 0}, 0.024, 0.02)
		m.limb(vec{-0.077, 0.02, -0.02}, vec{-0.082, -0.15, 0}, 0.024, 0.02)
	case "bun":
		m.ball(vec{0, 0.075, -0.10}, vec{0.04, 0.04, 0.04})
	case "tail":
		m.limb(vec{0, 0.04, -0.11}, vec{0, -0.13, -0.15}, 0.028, 0.016)
	case "bobble":
		m.ball(vec{0, 0.165, -0.01}, vec{0.035, 0.035, 0.035})
	case "peak":
		m.loft([][]vec{oval(vec{0, 0.058, 0.10}, 0.075, 0.085, 2), oval(vec{0, 0.066, 0.095}, 0.075, 0.085, 2)})
	case "brim":
		m.loft([][]vec{oval(vec{0, 0.055, 0}, 0.17, 0.19, 2), oval(vec{0, 0.064, 0}, 0.16, 0.18, 2)})
	case "cowl":
		m.limb(vec{0, -0.10, -0.03}, vec{0, -0.17, -0.02}, 0.082, 0.12)
	}
	return m
}

// material is hair in strands, or cloth, or a helmet's shell.
func (c coiffure) material() material {
	return func(h *hit) look {
		if c.more == "shell" {
			vent := math.Abs(wrap(h.o.X*22, 1)-0.5) < 0.16 && h.o.Y > 0.06 && h.o.Z > -0.06
			if vent {
				return look{base: black}
			}
			return look{base: c.colour, shine: 0.05, rough: 0.2}
		}
		if c.cloth {
			base := c.colour
			if c.seed%3 == 0 && wrap(h.o.Y*30, 1) < 0.4 {
				base = c.second
			}
			return folded(h, base)
		}
		k := 0.65 + 0.7*grain(math.Atan2(h.o.X, h.o.Z)*34, h.o.Y*22, c.seed)
		return look{base: c.colour.mul(k), shine: 0.03, rough: 0.65}
	}
}
