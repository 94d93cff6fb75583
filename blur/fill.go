package blur

import (
	"fmt"
	"image"
)

// Fill says what is painted over the regions. Every fill is a function of what is
// outside all regions.
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

// solid gives a patch the mean of the MCUs that touch it.
func (c *canvas) solid(p *plane, id int32) {
	m := &c.mask
	w := m.window(id)
	total, n := int64(0), int64(0)
	m.each(w, func(x, y int) {
		if m.patch[y*m.cols+x] != outside || !m.beside(x, y, id) {
			return
		}
		r := p.span(image.Rect(x, y, x+1, y+1))
		for j := r.Min.Y; j < r.Max.Y; j++ {
			for _, v := range p.row(j)[r.Min.X:r.Max.X] {
				total, n = total+int64(v), n+1
			}
		}
	})
	colour := int32(0) // nothing is left to fill from: middle grey
	if n > 0 {
		colour = int32(total / n)
	}
	m.each(w, func(x, y int) {
		if m.patch[y*m.cols+x] == id {
			p.set(p.span(image.Rect(x, y, x+1, y+1)), colour)
		}
	})
}

// veiled puts the membrane over a patch.
func (c *canvas) veiled(p *plane, id int32) {
	m := &c.mask
	w := m.window(id)
	origin := p.span(w).Min
	size := p.span(w).Size()
	grid := c.veil.reset(size.X, size.Y)
	for y := range size.Y {
		cells, row := grid.row(y), p.row(origin.Y + y)[origin.X:]
		patch := m.patch[(w.Min.Y+y/p.v)*m.cols+w.Min.X:]
		for mcu := range w.Dx() {
			s, seen := absent, int32(0) // of another patch, with a veil of its own
			switch patch[mcu] {
			case id:
				s = unknown
			case outside:
				s, seen = known, -1
			default:
				grid.holes = true
			}
			for x := mcu * p.h; x < (mcu+1)*p.h; x++ {
				cells[x] = cell{v: row[x] & seen, state: s}
			}
		}
	}
	if !c.veil.solve() {
		return // nothing is known: it stays middle grey
	}
	grid = c.veil.level(0)
	for y := range size.Y {
		row := p.row(origin.Y + y)[origin.X:]
		for x, at := range grid.row(y) {
			if at.state == unknown {
				row[x] = at.v
			}
		}
	}
}
