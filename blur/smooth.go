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
	whole     = 1 << 16
	slope     = 9330 // 1.13885 / 8
	curvature = 2284 // 0.27881 / 8
	twist     = 1329 // 0.16213 / 8
)

// block returns what is written in block (x,y) of plane i: the mean that is on the
// canvas, and what makes the step to its neighbours smooth. Where all of a patch
// has one colour there is no step to be smoothed.
func (c *canvas) block(i, x, y int) scan.Block {
	p := &c.planes[i]
	b := scan.Block{quantised(int64(p.mean[y*p.cols+x]), p.quant[0], whole)}
	if c.fill == Solid && c.mask.patch[y/p.v*c.mask.cols+x/p.h] != outside {
		return b
	}
	above, row, below := p.row(max(y-1, 0)), p.row(y), p.row(min(y+1, p.rows-1))
	l, r := max(x-1, 0), min(x+1, p.cols-1)
	twice := 2 * int64(row[x])
	b[1] = quantised(int64(row[l]-row[r]), p.quant[1], slope)
	b[2] = quantised(int64(above[x]-below[x]), p.quant[2], slope)
	b[3] = quantised(int64(above[x])+int64(below[x])-twice, p.quant[3], curvature)
	b[4] = quantised(int64(above[l])-int64(above[r])-int64(below[l])+int64(below[r]), p.quant[4], twist)
	b[5] = quantised(int64(row[l])+int64(row[r])-twice, p.quant[5], curvature)
	return b
}

// quantised returns factor/65536 of a sum of means as a multiple of quant.
func quantised(mean int64, quant int32, factor int64) int16 {
	v, unit := mean*factor, int64(quant)*dcUnit<<16
	half := unit / 2
	if v < half && v > -half {
		return 0 // most are, and a division takes its time
	}
	if v < 0 {
		half = -half
	}
	return int16(max(math.MinInt16, min((v+half)/unit, math.MaxInt16)))
}
