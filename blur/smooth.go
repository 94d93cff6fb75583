package blur

import (
	"image"
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

// factors are those of the coefficients in zig-zag order: the mean, across, down,
// bent down, twisted, bent across.
var factors = [6]int64{1 << 16, slope, slope, curvature, twist, curvature}

// code makes coefficients of the means of what is gone, and of what is around it.
func (c *canvas) code() {
	for i := range c.planes {
		p := &c.planes[i]
		if n := len(p.mean); cap(p.blocks) < n {
			p.blocks = make([]scan.Block, n)
		} else {
			p.blocks = p.blocks[:n]
		}
	}
	for y := range c.mask.rows {
		for from, to := 0, 0; from < c.mask.cols; from = to {
			gone, flat := c.kind(from, y)
			for to = from + 1; to < c.mask.cols; to++ {
				if g, f := c.kind(to, y); g != gone || f != flat {
					break
				}
			}
			if gone {
				for i := range c.planes {
					p := &c.planes[i]
					p.code(p.span(image.Rect(from, y, to, y+1)), flat)
				}
			}
		}
	}
}

// kind tells of an MCU whether it is gone, and whether all of it has one colour: in
// a patch that has there is no step to be smoothed.
func (c *canvas) kind(x, y int) (gone, flat bool) {
	i := y*c.mask.cols + x
	return c.gone[i], c.fill == Solid && c.mask.patch[i] != outside
}

// code makes the coefficients of blocks: the mean that is on the canvas, and, unless
// they are flat, what makes the step to their neighbours smooth.
func (p *plane) code(r image.Rectangle, flat bool) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		above, row, below := p.row(max(y-1, 0)), p.row(y), p.row(min(y+1, p.rows-1))
		blocks := p.blocks[y*p.cols : (y+1)*p.cols]
		for x := r.Min.X; x < r.Max.X; x++ {
			m := row[x]
			if flat {
				blocks[x] = scan.Block{p.coefficient(0, m)}
				continue
			}
			l, r := max(x-1, 0), min(x+1, p.cols-1)
			blocks[x] = scan.Block{
				p.coefficient(0, m),
				p.coefficient(1, row[l]-row[r]),
				p.coefficient(2, above[x]-below[x]),
				p.coefficient(3, above[x]+below[x]-2*m),
				p.coefficient(4, above[l]-above[r]-below[l]+below[r]),
				p.coefficient(5, row[l]+row[r]-2*m),
			}
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
