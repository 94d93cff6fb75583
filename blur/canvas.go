package blur

import (
	"context"
	"image"

	"gadeblik/blur/scan"
)

// canvas is the picture in the making: the mean of each block of 8x8 samples. It
// is where non-interference comes from: blank copies what is outside the mask and
// no more, and all that follows sees the canvas only.
type canvas struct {
	planes []plane
	mask   mask
	fill   Fill
	gone   []bool       // by MCU: written anew, from the planes
	blocks []scan.Block // of those, in the order of a scan
	veil   membrane
	cells  cells
}

// plane is the blocks of one component.
type plane struct {
	cols, rows int
	h, v       int      // blocks in an MCU, across and down
	quant      int32    // of DC coefficients
	per        [6]int64 // what makes quantised coefficients, in zig-zag order
	mean       []int32  // by block: fixed point, grey levels above middle grey
}

// one is a grey level in fixed point. The fraction keeps the error of rounding,
// which adds up over a wide patch, well below one level. A DC coefficient is eight
// times the mean of its block.
const (
	fraction = 12
	one      = 1 << fraction
	dcUnit   = one / 8
)

// blank takes over what no region covers: all of it, or what is next to a region,
// which is all that a fill looks at.
func (c *canvas) blank(p *scan.Picture, regions []Region, all bool) {
	c.mask.reset(p.Size(), p.MCU(), regions)
	c.gone = cleared(c.gone, len(c.mask.patch))
	components := p.Components()
	if cap(c.planes) < len(components) {
		c.planes = make([]plane, len(components))
	}
	c.planes = c.planes[:len(components)]
	for i := range components {
		c.planes[i].reset(&components[i])
		if all {
			c.planes[i].take(&components[i], &c.mask, image.Rect(0, 0, c.mask.cols, c.mask.rows))
			continue
		}
		for id := range c.mask.bounds[1:] {
			c.planes[i].take(&components[i], &c.mask, c.mask.window(int32(id+1)))
		}
	}
	for m, id := range c.mask.patch {
		c.gone[m] = id != outside
	}
}

// reset makes all of a plane middle grey.
func (p *plane) reset(from *scan.Component) {
	p.cols, p.rows, p.h, p.v = from.Cols, from.Rows, from.H, from.V
	p.quant, p.per = from.Quant[0], per(from.Quant)
	p.mean = cleared(p.mean, p.cols*p.rows)
}

// take copies the means of the blocks of some MCUs, those outside the mask.
func (p *plane) take(from *scan.Component, m *mask, mcus image.Rectangle) {
	unit := p.quant * dcUnit
	for y := mcus.Min.Y * p.v; y < mcus.Max.Y*p.v; y++ {
		row, dc := p.row(y), from.DC[y*p.cols:(y+1)*p.cols]
		patch := m.patch[y/p.v*m.cols : (y/p.v+1)*m.cols]
		for mcu := mcus.Min.X; mcu < mcus.Max.X; mcu++ {
			if patch[mcu] != outside {
				continue
			}
			for x := mcu * p.h; x < (mcu+1)*p.h; x++ {
				row[x] = int32(dc[x]) * unit
			}
		}
	}
}

func (p *plane) row(y int) []int32 { return p.mean[y*p.cols : (y+1)*p.cols] }

// span returns the blocks of a rectangle of MCUs.
func (p *plane) span(r image.Rectangle) image.Rectangle {
	return image.Rect(r.Min.X*p.h, r.Min.Y*p.v, r.Max.X*p.h, r.Max.Y*p.v)
}

// set gives the blocks of a rectangle one value.
func (p *plane) set(r image.Rectangle, v int32) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := p.row(y)[r.Min.X:r.Max.X]
		for x := range row {
			row[x] = v
		}
	}
}

// paint fills all patches. A patch is filled from the ring round it, in which no
// other patch lies: if it touched, it would be the same patch.
func (c *canvas) paint(ctx context.Context, f Fill) error {
	c.fill = f
	for id := int32(1); int(id) < len(c.mask.bounds); id++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i := range c.planes {
			if f == Solid {
				c.solid(&c.planes[i], id)
			} else {
				c.veiled(&c.planes[i], id)
			}
		}
	}
	return nil
}

// wipe forgets everything.
func (c *canvas) wipe() {
	for i := range c.planes[:cap(c.planes)] {
		clear(c.planes[:cap(c.planes)][i].mean)
	}
	clear(c.blocks[:cap(c.blocks)])
	clear(c.gone[:cap(c.gone)])
	c.mask.wipe()
	c.veil.wipe()
	c.cells.wipe()
}
