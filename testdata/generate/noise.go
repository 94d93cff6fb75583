package main

import "math"

// hash mixes integers into 64 well-spread bits; all that looks random in the pictures comes from here,
// so that a picture depends on the seed and on nothing else.
func hash(a, b, c int) uint64 {
	h := uint64(a)*0x9e3779b97f4a7c15 ^ uint64(b)*0xc2b2ae3d27d4eb4f ^ uint64(c)*0x165667b19e3779f9
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 29
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}

// rnd is hash as a number in [0, 1).
func rnd(a, b, c int) float64 { return float64(hash(a, b, c)>>11) / (1 << 53) }

// noise is smooth value noise in [0, 1) with one feature per unit.
func noise(p vec) float64 {
	fx, fy, fz := math.Floor(p.X), math.Floor(p.Y), math.Floor(p.Z)
	ix, iy, iz := int(fx), int(fy), int(fz)
	x, y, z := fade(p.X-fx), fade(p.Y-fy), fade(p.Z-fz)
	row := func(j, k int) float64 { return mix(rnd(ix, iy+j, iz+k), rnd(ix+1, iy+j, iz+k), x) }
	return mix(mix(row(0, 0), row(1, 0), y), mix(row(0, 1), row(1, 1), y), z)
}

// grain is smooth value noise on a plane, four look-ups instead of noise's eight.
func grain(x, y float64, seed int) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	ix, iy := int(fx), int(fy)
	u, v := fade(x-fx), fade(y-fy)
	return mix(mix(rnd(ix, iy, seed), rnd(ix+1, iy, seed), u), mix(rnd(ix, iy+1, seed), rnd(ix+1, iy+1, seed), u), v)
}

func fade(t float64) float64 { return t * t * (3 - 2*t) }

// clouds sums octaves of grain, again in [0, 1).
func clouds(x, y float64, seed int) float64 {
	sum, amp := 0.0, 0.5
	for o := range 4 {
		sum += amp * grain(x, y, seed+o)
		x, y, amp = x*2.03+1.7, y*2.03-3.1, amp/2
	}
	return sum / 0.9375
}

// dice deals repeatable numbers for one thing that is being made.
type dice struct{ seed, n int }

// next returns the next number in [0, 1).
func (d *dice) next() float64 {
	d.n++
	return rnd(d.seed, d.n, 77)
}

// between returns the next number in [a, b).
func (d *dice) between(a, b float64) float64 { return mix(a, b, d.next()) }

// pick returns the next index below n.
func (d *dice) pick(n int) int { return int(d.next() * float64(n)) }
