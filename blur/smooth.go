package blur

import (
	"image"
	"math"
	"slices"

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

// factors are those of the coefficients in zig-zag order: the mean, across, down,
// bent down, twisted, bent across.
var factors = [6]int64{1 << 16, slope, slope, curvature, twist, curvature}

// code makes coefficients of the means of what is gone, and of what is around it. It
// says what becomes of the picture, of which out is left.
func (c *canvas) code(out image.Rectangle) scan.Edit {
	keep := c.mask.mcus(out)
	c.blocks = c.blocks[:0]
	for y := keep.Min.Y; y < keep.Max.Y; y++ {
		for x, end := keep.Min.X, 0; x < keep.Max.X; x = end {
			gone, flat := c.kind(x, y)
			for end = x + 1; end < keep.Max.X; end++ {
				if g, f := c.kind(end, y); g != gone || f != flat {
					break
				}
			}
			if gone {
				c.codeRun(x, end, y, flat)
			}
		}
	}
	return scan.Edit{Keep: keep, Gone: c.gone, Blocks: c.blocks}
}

// kind tells of an MCU whether it is gone, and whether it is flat: where all of a patch
// has one colour there is no step to be smoothed.
func (c *canvas) kind(x, y int) (gone, flat bool) {
	i := y*c.mask.cols + x
	return c.gone[i], c.fill == Solid && c.mask.patch[i] != outside
}

// codeRun appends the blocks of the MCUs of row y from one column to another.
func (c *canvas) codeRun(x, end, y int, flat bool) {
	each := 0 // blocks of an MCU
	for i := range c.planes {
		each += c.planes[i].h * c.planes[i].v
	}
	n := len(c.blocks)
	c.blocks = slices.Grow(c.blocks, each*(end-x))[:n+each*(end-x)]
	blocks := c.blocks[n:]
	for i := range c.planes {
		p := &c.planes[i]
		for v := range p.v {
			p.code(blocks, each, x*p.h, y*p.v+v, flat)
			blocks = blocks[p.h:]
		}
	}
}

// code makes the coefficients of the blocks of row y from block x on: the mean that is on
// the canvas, and, unless they are flat, what makes the step to their neighbours smooth.
// Those of an MCU stand together, those of the next one so many behind.
func (p *plane) code(blocks []scan.Block, next, x, y int, flat bool) {
	above, row, below := p.row(max(y-1, 0)), p.row(y), p.row(min(y+1, p.rows-1))
	for ; len(blocks) > 0; blocks = blocks[min(next, len(blocks)):] {
		for h := range p.h {
			b, m := &blocks[h], row[x]
			*b = scan.Block{p.coefficient(0, m)}
			if !flat {
				l, r := max(x-1, 0), min(x+1, p.cols-1)
				b[1] = p.coefficient(1, row[l]-row[r])
				b[2] = p.coefficient(2, above[x]-below[x])
				b[3] = p.coefficient(3, above[x]+below[x]-2*m)
				b[4] = p.coefficient(4, above[l]-above[r]-below[l]+below[r])
				b[5] = p.coefficient(5, row[l]+row[r]-2*m)
			}
			x++
		}
	}
}

// coefficient returns factor k of a sum of means, in multiples of its quantum.
func (p *plane) coefficient(k int, means int32) int16 {
	v := (int64(means)*p.per[k] + 1<<(perBits-1)) >> perBits
	return int16(max(math.MinInt16, min(v, math.MaxInt16)))
}

// perBits is how many bits of per are its fraction. Sums of means have at most 30
// bits, and per 31: that fits.
const perBits = 40

// per returns what makes quantised coefficients of sums of means: a division for each
// would take longer than all the rest.
func per(quant [6]int32) (per [6]int64) {
	for k, f := range factors {
		unit := int64(quant[k]) * dcUnit << 16
		per[k] = (f<<perBits + unit/2) / unit
	}
	return per
}
