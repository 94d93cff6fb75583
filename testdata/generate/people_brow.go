package main

import "math"

// brows is the function a skin's paint wants: the body's texture has neither eyebrows nor lashes, by which faces are
// told from afar. Places are those of the body as its files have it, in metres.
func brows(c character) func(p, col vec) vec {
	d := dice{seed: int(math.Float64bits(c.build.muscle) >> 3)}
	dark := c.hairColor.mul(0.5).mix(srgb(0x1c1410), 0.5).mul(d.between(0.7, 1.2))
	if c.build.age > 60 {
		dark = dark.mix(c.hairColor.mul(0.6), d.between(0.2, 0.8))
	}
	thick, arch := d.between(0.0022, 0.0042), d.between(0.001, 0.006)
	dense, lashes := d.between(0.5, 0.9), d.between(0.25, 0.5)
	if c.build.female {
		thick, lashes = thick*0.75, lashes+d.between(0, 0.4)
	}
	return func(p, col vec) vec {
		if p.Y < 0.715 || p.Y > 0.765 || p.Z < 0.1 {
			return col
		}
		x := math.Abs(p.X)
		t := clamp((x-0.013)/0.037, 0, 1)
		line := 0.7475 + arch*math.Sin(math.Pi*t*0.85)
		k := 1 - step(0.5, 1.3, math.Abs(p.Y-line)/(thick*(1-0.6*t)))
		k *= band(x, 0.014, 0.049, 0.003) * dense
		u, v := (x-0.0355)/0.0115, (p.Y-0.7305)/0.0085
		edge := math.Sqrt(u*u + v*v)
		lid := band(edge, 0.6, 1.05, 0.25) * lashes
		if v < 0 {
			lid *= 0.5
		}
		return col.mix(dark, max(k, lid))
	}
}
