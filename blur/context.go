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

// coarseCell is the least side of a cell in pixels. A multiple of the MCU, so
// that no chroma sample belongs to two cells.
const coarseCell = 48

// cells is a grid of means over the whole canvas, of one plane at a time.
type cells struct {
	cols, rows int
	size       image.Point // of the canvas, in pixels
	mean       []int32     // fixed point
	line       []int64     // one row of means, interpolated between two rows of cells
	row        []uint8
}

// edge returns where cell i of n begins. The last one takes what is left of
// side: cells may be larger than coarseCell, but not smaller.
func edge(i, n, side int) int {
	if i == n {
		return side
	}
	return i * coarseCell
}

// centre returns the middle of cell i of n in half pixels.
func centre(i, n, side int) int { return edge(i, n, side) + edge(i+1, n, side) }

// coarsen leaves of everything outside keep the means of the cells, smoothly
// interpolated. It comes after the fill: what is in a region is in no mean.
func (c *canvas) coarsen(ctx context.Context, keep image.Rectangle) error {
	g := &c.cells
	g.size = c.img.Rect.Size()
	g.cols, g.rows = max(1, g.size.X/coarseCell), max(1, g.size.Y/coarseCell)
	for i := range c.planes {
		if err := ctx.Err(); err != nil {
			return err
		}
		g.measure(&c.planes[i])
		g.spread(&c.planes[i], keep)
	}
	return nil
}

// measure takes the means of a plane.
func (g *cells) measure(p *plane) {
	g.mean = cleared(g.mean, g.cols*g.rows)
	for y := range g.rows {
		for x := range g.cols {
			sum, n := p.sum(p.samples(image.Rect(
				edge(x, g.cols, g.size.X), edge(y, g.rows, g.size.Y),
				edge(x+1, g.cols, g.size.X), edge(y+1, g.rows, g.size.Y))))
			g.mean[y*g.cols+x] = int32((sum*one + n/2) / n)
		}
	}
}

// spread paints the means over all of a plane but keep.
func (g *cells) spread(p *plane, keep image.Rectangle) {
	k := p.samples(keep)
	g.line = cleared(g.line, g.cols)
	g.row = cleared(g.row, p.w)
	for y := range p.h {
		g.blend(2*y*p.sy + p.sy)
		g.ramp(p.sx)
		if y < k.Min.Y || y >= k.Max.Y {
			copy(p.row(y), g.row)
			continue
		}
		copy(p.row(y)[:k.Min.X], g.row)
		copy(p.row(y)[k.Max.X:], g.row[k.Max.X:])
	}
}

// blend interpolates the line between the rows of cells at the height y, in
// half pixels.
func (g *cells) blend(y int) {
	j := 0
	for j < g.rows-1 && y >= centre(j+1, g.rows, g.size.Y) {
		j++
	}
	from, to := centre(j, g.rows, g.size.Y), centre(j+1, g.rows, g.size.Y)
	above := g.mean[j*g.cols : (j+1)*g.cols]
	below := above
	if y > from && j < g.rows-1 {
		below = g.mean[(j+1)*g.cols:]
	}
	for x, v := range above {
		g.line[x] = int64(v) + int64(below[x]-v)*int64(y-from)/int64(to-from)
	}
}

// ramp interpolates the row along the line, for samples of sx pixels.
func (g *cells) ramp(sx int) {
	const extra = 16 // bits more, so that the error of a step does not add up
	const half = 1 << (fraction + extra - 1)
	x := 0
	for j := -1; j < g.cols; j++ {
		left, right := max(j, 0), min(j+1, g.cols-1)
		end, step := len(g.row), int64(0)
		if j < g.cols-1 {
			// The samples whose middle, at (2x+1)sx half pixels, is left of this centre.
			end = min(end, ceilDiv(centre(j+1, g.cols, g.size.X)-sx, 2*sx))
		}
		v := g.line[left] << extra
		if left != right {
			from := centre(left, g.cols, g.size.X)
			slope := (g.line[right] - g.line[left]) << extra
			width := int64(centre(right, g.cols, g.size.X) - from)
			step = slope * int64(2*sx) / width
			v += slope * int64((2*x+1)*sx-from) / width
		}
		for i := range g.row[x:end] {
			g.row[x+i] = uint8((v + half) >> (fraction + extra))
			v += step
		}
		x = end
	}
}
