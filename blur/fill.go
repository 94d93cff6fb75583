package blur

import (
	"fmt"
	"image"
)

// Fill says what is painted over the regions. Every fill is a function of the
// samples outside all regions.
type Fill uint8

const (
	// Veil, the default, continues the surroundings smoothly into the region.
	// It looks like a strong, soft blur.
	Veil Fill = iota
	// Solid is the mean of the surroundings, one colour for a region and all
	// that touch it.
	Solid
)

// String returns the name used in configuration and records.
func (f Fill) String() string {
	switch f {
	case Veil:
		return "veil"
	case Solid:
		return "solid"
	default:
		return fmt.Sprintf("Fill(%d)", uint8(f))
	}
}

// middle is the fill of a picture of which nothing is left to fill from.
const middle = 128

// fillSolid paints a patch with the mean of the MCUs that touch it.
func (c *canvas) fillSolid(id int32) {
	m := &c.mask
	w := m.window(id)
	var total, count [3]int
	for y := w.Min.Y; y < w.Max.Y; y++ {
		for x := w.Min.X; x < w.Max.X; x++ {
			if m.patch[y*m.cols+x] != outside || !m.beside(x, y, id) {
				continue
			}
			pixels := m.pixels(image.Rect(x, y, x+1, y+1))
			for i := range c.planes {
				p := &c.planes[i]
				sum, n := p.sum(p.samples(pixels))
				total[i], count[i] = total[i]+sum, count[i]+n
			}
		}
	}
	var colour [3]uint8
	for i := range colour {
		colour[i] = middle
		if count[i] > 0 {
			colour[i] = uint8((total[i] + count[i]/2) / count[i])
		}
	}
	c.paint(id, colour)
}

// paint gives a patch one colour.
func (c *canvas) paint(id int32, colour [3]uint8) {
	c.mask.runs(c.mask.bounds[id], func(run int32, pixels image.Rectangle) {
		if run != id {
			return
		}
		for i := range c.planes {
			p := &c.planes[i]
			p.set(p.samples(pixels), colour[i])
		}
	})
}

// veilCell is the side in pixels of the cells on which the veil is solved. It
// divides every MCU and is a multiple of what any chroma sample covers. At its
// border the veil is the surroundings blurred by about this much.
const veilCell = 4

// fillVeil spans the membrane over a patch.
func (c *canvas) fillVeil(id int32) {
	m := &c.mask
	w := m.window(id)
	pixels := m.pixels(w)
	grid := c.veil.reset(ceilDiv(pixels.Dx(), veilCell), ceilDiv(pixels.Dy(), veilCell))
	for y := w.Min.Y; y < w.Max.Y; y++ {
		for x := w.Min.X; x < w.Max.X; x++ {
			mcu := m.pixels(image.Rect(x, y, x+1, y+1))
			switch m.patch[y*m.cols+x] {
			case id:
				c.want(grid, pixels.Min, mcu)
			case outside:
				c.give(grid, pixels.Min, mcu)
			}
		}
	}
	if !c.veil.solve() {
		c.paint(id, [3]uint8{middle, middle, middle})
		return
	}
	grid = c.veil.level(0)
	grid.extend()
	m.runs(m.bounds[id], func(run int32, r image.Rectangle) {
		if run != id {
			return
		}
		for i := range c.planes {
			c.render(i, pixels.Min, r)
		}
	})
}

// cellsOf returns the cells of a grid which begins at origin that r covers.
func cellsOf(origin image.Point, r image.Rectangle) image.Rectangle {
	r = r.Sub(origin)
	return image.Rect(r.Min.X/veilCell, r.Min.Y/veilCell, ceilDiv(r.Max.X, veilCell), ceilDiv(r.Max.Y, veilCell))
}

// want marks the cells of an MCU as unknown.
func (c *canvas) want(grid *level, origin image.Point, mcu image.Rectangle) {
	r := cellsOf(origin, mcu)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := grid.row(y)
		for x := r.Min.X; x < r.Max.X; x++ {
			row[x].state = unknown
		}
	}
}

// give sets the cells of an MCU to the means of their samples.
func (c *canvas) give(grid *level, origin image.Point, mcu image.Rectangle) {
	r := cellsOf(origin, mcu)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := grid.row(y)
		for x := r.Min.X; x < r.Max.X; x++ {
			at := origin.Add(image.Pt(x*veilCell, y*veilCell))
			pixels := image.Rectangle{Min: at, Max: at.Add(image.Pt(veilCell, veilCell))}.Intersect(mcu)
			row[x].state = known
			for i := range c.planes {
				p := &c.planes[i]
				sum, n := p.sum(p.samples(pixels))
				row[x].v[i] = int32((sum*one + n/2) / n)
			}
		}
	}
}

// render paints the pixels of r with plane i of the veil, interpolated
// linearly between the centres of the cells.
func (c *canvas) render(i int, origin image.Point, r image.Rectangle) {
	p, grid := &c.planes[i], c.veil.level(0)
	s := p.samples(r)
	cells := cellsOf(origin, r)
	step := veilCell / p.sy // rows of samples in a cell
	c.line = cleared(c.line, cells.Dx()+2)
	for y := s.Min.Y; y < s.Max.Y; y++ {
		k := y - origin.Y/p.sy
		near, weight := neighbour(k%step, step)
		a := grid.at(cells.Min.X-1, k/step)
		b := grid.at(cells.Min.X-1, k/step+near)
		for x := range c.line {
			c.line[x] = (8-weight)*grid.cells[a+x].v[i] + weight*grid.cells[b+x].v[i]
		}
		stretch(p.row(y)[s.Min.X:s.Max.X], c.line, veilCell/p.sx)
	}
}

// neighbour returns on which side of sample k of n in a cell the next centre
// beside that of the cell lies, and the weight of it in eighths.
func neighbour(k, n int) (side int, weight int32) {
	off := 2*k + 1 - n // from the centre, in halves of a sample
	switch {
	case off < 0:
		return -1, int32(-off * 4 / n)
	case off > 0:
		return 1, int32(off * 4 / n)
	default:
		return 0, 0
	}
}

// stretch interpolates line, which has one cell more on both sides than row
// needs, to n samples a cell. The last cell may be cut off by the border.
func stretch(row []uint8, line []int32, n int) {
	const shift = fraction + 3 + 3 // eighths in both directions
	const half = 1 << (shift - 1)
	var weights [veilCell][3]int32
	for k := range n {
		side, weight := neighbour(k, n)
		weights[k][1] = 8 - weight
		weights[k][1+side] += weight
	}
	// Luma, which is most of the work, with the weights written out.
	for ; n == 4 && len(row) >= 4; row, line = row[4:], line[1:] {
		a, b, c := line[0], line[1], line[2]
		row[0] = uint8((3*a + 5*b + half) >> shift)
		row[1] = uint8((a + 7*b + half) >> shift)
		row[2] = uint8((7*b + c + half) >> shift)
		row[3] = uint8((5*b + 3*c + half) >> shift)
	}
	for ; len(row) > 0; line = line[1:] {
		a, b, c := line[0], line[1], line[2]
		part := row[:min(n, len(row))]
		for k := range part {
			w := &weights[k&(veilCell-1)]
			part[k] = uint8((w[0]*a + w[1]*b + w[2]*c + half) >> shift)
		}
		row = row[len(part):]
	}
}
