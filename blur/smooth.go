package blur

import (
	"math"

	"gadeblik/blur/scan"
)

// Where only the means of blocks are known, the smoothest surface through them
// tells the low coefficients of a block from its own mean and those of the eight
// around it (ITU-T T.81 section K.8): factors for the slopes, for the curvature
// and for the twist, of DC coefficients, in 1/65536.
const (
	slope     = 9330 // 1.13885 / 8
	curvature = 2284 // 0.27881 / 8
	twist     = 1329 // 0.16213 / 8
)

// factors are those of the coefficients from the first one on, in zig-zag order:
// across, down, bent down, twisted, bent across.
var factors = [5]int64{slope, slope, curvature, twist, curvature}

// code makes coefficients of the means of what is gone, and of what is around it.
func (c *canvas) code() {
	for i := range c.planes {
		p := &c.planes[i]
		if n := len(p.mean); cap(p.blocks) < n {
			p.blocks = make([]scan.Block, n)
		} else {
			p.blocks = p.blocks[:n]
		}
		for y := range p.rows {
			mcus := y / p.v * c.mask.cols
			for x, gone := range c.gone[mcus : mcus+c.mask.cols] {
				if gone {
					// Where all of a patch has one colour there is no step to be smoothed.
					flat := c.fill == Solid && c.mask.patch[mcus+x] != outside
					p.code(y, x*p.h, flat)
				}
			}
		}
	}
}

// code makes the coefficients of the blocks of one MCU in row y, from block x on:
// the mean that is on the canvas, and what makes the step to its neighbours smooth.
func (p *plane) code(y, x int, flat bool) {
	above, row, below := p.row(max(y-1, 0)), p.row(y), p.row(min(y+1, p.rows-1))
	for end := x + p.h; x < end; x++ {
		b := &p.blocks[y*p.cols+x]
		m := row[x]
		*b = scan.Block{p.dc(m)}
		if flat {
			continue
		}
		l, r := max(x-1, 0), min(x+1, p.cols-1)
		p.bend(b, 1, row[l]-row[r])
		p.bend(b, 2, above[x]-below[x])
		p.bend(b, 3, above[x]+below[x]-2*m)
		p.bend(b, 4, above[l]-above[r]-below[l]+below[r])
		p.bend(b, 5, row[l]+row[r]-2*m)
	}
}

// bend sets coefficient k. Most are rounded to zero, without a division.
func (p *plane) bend(b *scan.Block, k int, v int32) {
	if v > p.least[k-1] || v < -p.least[k-1] {
		b[k] = quantised(int64(v), p.quant[k], factors[k-1])
	}
}

// dc returns a mean, which no fill brings beyond those it came from, as a DC
// coefficient.
func (p *plane) dc(mean int32) int16 {
	unit := p.quant[0] * dcUnit
	half := unit / 2
	if mean < 0 {
		half = -half
	}
	return int16((mean + half) / unit)
}

// quantised returns factor/65536 of a sum of means as a multiple of quant.
func quantised(mean int64, quant int32, factor int64) int16 {
	v, unit := mean*factor, int64(quant)*dcUnit<<16
	half := unit / 2
	if v < 0 {
		half = -half
	}
	return int16(max(math.MinInt16, min((v+half)/unit, math.MaxInt16)))
}

// least returns the sums of means below which a coefficient is zero, by its factor.
func least(quant [6]int32) (sums [5]int32) {
	for k, f := range factors {
		sums[k] = int32(int64(quant[k+1])*dcUnit<<16/2/f - 1)
	}
	return sums
}
