package blur

import (
	"context"
	"fmt"
	"image"
)

// Context says what is left of the surroundings of the object that a picture
// is taken for.
type Context uint8

const (
	// Coarse, the default, leaves of the surroundings one mean for every cell of
	// at least 48x48 pixels.
	Coarse Context = iota
	// Crop cuts the surroundings off.
	Crop
	// Full leaves them as they are.
	Full
)

// String returns the name used in orders and records.
func (c Context) String() string {
	switch c {
	case Coarse:
		return "coarse"
	case Crop:
		return "crop"
	case Full:
		return "full"
	default:
		return fmt.Sprintf("Context(%d)", uint8(c))
	}
}

// ParseContext is the inverse of [Context.String].
func ParseContext(s string) (Context, error) {
	for c := Coarse; c <= Full; c++ {
		if s == c.String() {
			return c, nil
		}
	}
	return 0, fmt.Errorf("context %q: want coarse, crop or full", s)
}

// coarseCell is the least side of a cell in pixels.
const coarseCell = 48

// cells is a grid of means over the whole of a plane.
type cells struct {
	x, y axis
	mean []int64 // fixed point
	line []int64 // one row of means, interpolated between two rows of cells
}

// axis divides one direction of a plane into cells.
type axis struct {
	n      int // cells
	side   int // blocks in a cell
	blocks int // in all
}

// axisOf divides so many blocks, of which those of the picture's pixels count: no
// cell is smaller than coarseCell because some of it lies beyond the border.
func axisOf(blocks, pixels, footprint int) axis {
	side := ceilDiv(coarseCell, footprint)
	return axis{n: max(1, pixels/(side*footprint)), side: side, blocks: blocks}
}

// edge returns where cell i begins. The last one takes what is left: cells may be
// larger than coarseCell, but not smaller.
func (a axis) edge(i int) int {
	if i == a.n {
		return a.blocks
	}
	return i * a.side
}

// centre returns the middle of cell i in half blocks.
func (a axis) centre(i int) int { return a.edge(i) + a.edge(i+1) }

// between returns the cells whose centres are left and right of a block, and how
// far it is from the first to the second.
func (a axis) between(block int) (left, right int, part, of int64) {
	at := 2*block + 1
	i := min(at/(2*a.side), a.n-1)
	if at < a.centre(i) {
		i--
	}
	if i < 0 || i == a.n-1 {
		i = max(i, 0)
		return i, i, 0, 1
	}
	return i, i + 1, int64(at - a.centre(i)), int64(a.centre(i+1) - a.centre(i))
}

// coarsen leaves of everything outside keep, which is in MCUs, the means of the
// cells, smoothly interpolated. It comes after the fill: what is in a region is in
// no mean.
func (c *canvas) coarsen(ctx context.Context, keep image.Rectangle) error {
	for i := range c.planes {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := &c.planes[i]
		size, foot := c.mask.size, c.mask.mcu
		c.cells.x = axisOf(p.cols, size.X, foot.X/p.h)
		c.cells.y = axisOf(p.rows, size.Y, foot.Y/p.v)
		c.cells.measure(p)
		c.cells.spread(p, p.span(keep))
	}
	m := &c.mask
	m.each(image.Rect(0, 0, m.cols, m.rows), func(x, y int) {
		if !image.Pt(x, y).In(keep) {
			c.gone[y*m.cols+x] = true
		}
	})
	return nil
}

// measure takes the means of a plane.
func (g *cells) measure(p *plane) {
	g.mean = cleared(g.mean, g.x.n*g.y.n)
	for y := range g.y.n {
		for x := range g.x.n {
			total, n := int64(0), int64(0)
			for j := g.y.edge(y); j < g.y.edge(y+1); j++ {
				for _, v := range p.row(j)[g.x.edge(x):g.x.edge(x+1)] {
					total, n = total+int64(v), n+1
				}
			}
			g.mean[y*g.x.n+x] = total / n
		}
	}
}

// spread paints the means over all of a plane but keep.
func (g *cells) spread(p *plane, keep image.Rectangle) {
	g.line = cleared(g.line, g.x.n)
	for y := range p.rows {
		g.blend(y)
		row := p.row(y)
		for x := range row {
			if image.Pt(x, y).In(keep) {
				continue
			}
			left, right, part, of := g.x.between(x)
			row[x] = int32(g.line[left] + (g.line[right]-g.line[left])*part/of)
		}
	}
}

// blend interpolates the line between the rows of cells at a row of blocks.
func (g *cells) blend(y int) {
	up, down, part, of := g.y.between(y)
	above, below := g.mean[up*g.x.n:(up+1)*g.x.n], g.mean[down*g.x.n:(down+1)*g.x.n]
	for x, v := range above {
		g.line[x] = v + (below[x]-v)*part/of
	}
}

func (g *cells) wipe() {
	clear(g.mean[:cap(g.mean)])
	clear(g.line[:cap(g.line)])
}
