package blur

// membrane spans the known cells of a grid over the unknown ones: it solves
// Laplace's equation, in which each unknown cell is the mean of its
// neighbours. That is the smoothest surface through the rim, and none of its
// values lies outside the range of the known ones.
//
// It is a cascade: the grid is halved until every cell has something known in
// it, and each finer level starts from the coarser solution, so that a few
// sweeps per level settle patches of any size. The arithmetic is in fixed
// point: floating point may be contracted differently by another processor.
type membrane struct {
	levels []level
}

type state uint8

const (
	absent  state = 0 // not there: beyond the border of the grid or of no concern
	known   state = 1 // given
	unknown state = 2 // wanted
)

// cell is a block of the picture.
type cell struct {
	v     int32
	state state
	near  uint8 // of an unknown cell: neighbours that are not absent
}

// level is a grid with a rim of absent cells, which spares the borders a
// special case.
type level struct {
	w, h  int
	holes bool // some cells are absent, not only those of the rim
	cells []cell
}

// at returns the place of cell (x,y) in cells; -1 and w or h are the rim.
func (l *level) at(x, y int) int { return (y+1)*(l.w+2) + x + 1 }

// row returns the cells of row y without the rim.
func (l *level) row(y int) []cell { return l.cells[l.at(0, y):l.at(l.w, y)] }

func (l *level) reset(w, h int) {
	l.w, l.h, l.holes = w, h, false
	l.cells = cleared(l.cells, (w+2)*(h+2))
}

// reset returns a grid of absent cells to be set before solve.
func (m *membrane) reset(w, h int) *level {
	l := m.level(0)
	l.reset(w, h)
	return l
}

// level returns level i, in the memory of an earlier use if there is one. The
// pointer is good until the next level is added.
func (m *membrane) level(i int) *level {
	for len(m.levels) <= i {
		m.levels = append(m.levels, level{})
	}
	return &m.levels[i]
}

// solve gives every unknown cell a value and reports whether it could: it
// cannot where nothing is known.
func (m *membrane) solve() bool {
	top := 0
	for ; m.levels[top].wanting(); top++ {
		if m.levels[top].w == 1 && m.levels[top].h == 1 {
			return false
		}
		coarse := m.level(top + 1)
		coarse.halve(&m.levels[top])
	}
	for i := top - 1; i >= 0; i-- {
		l := &m.levels[i]
		l.start(&m.levels[i+1])
		for range min(1<<i, 64) {
			l.sweep(false)
			l.sweep(true)
		}
	}
	return true
}

func (l *level) wanting() bool {
	for i := range l.cells {
		if l.cells[i].state == unknown {
			return true
		}
	}
	return false
}

// halve makes l the grid of half the resolution: a cell is known, with the
// mean, if any of the four below it are; else unknown if any of them are.
func (l *level) halve(fine *level) {
	l.reset((fine.w+1)/2, (fine.h+1)/2)
	l.holes = fine.holes
	for y := range l.h {
		row := l.row(y)
		for x := range row {
			// Where the fine grid is odd its rim is read, which is absent.
			i := fine.at(2*x, 2*y)
			j := i + fine.w + 2
			row[x] = pool(&fine.cells[i], &fine.cells[i+1], &fine.cells[j], &fine.cells[j+1])
		}
	}
}

// pool returns the cell that stands for four finer ones. Only known cells have a value
// by then.
func pool(a, b, c, d *cell) cell {
	of := cell{v: a.v + b.v + c.v + d.v, state: a.state | b.state | c.state | d.state}
	if of.state&known == 0 {
		return of // unknown or absent
	}
	of.state = known
	switch a.state&known + b.state&known + c.state&known + d.state&known {
	case 2:
		of.v /= 2
	case 3:
		of.v /= 3
	case 4:
		of.v /= 4
	}
	return of
}

// start takes a first guess of the unknown cells from the coarser level.
func (l *level) start(coarse *level) {
	for y := range l.h {
		row, above := l.row(y), coarse.row(y/2)
		at := l.at(0, y)
		count := l.holes || y == 0 || y == l.h-1
		for x := range row {
			if row[x].state != unknown {
				continue
			}
			row[x].v, row[x].near = above[x/2].v, 4
			if count || x == 0 || x == l.w-1 {
				row[x].near = l.neighbours(at + x)
			}
		}
	}
}

// neighbours counts those beside cell i that are not absent.
func (l *level) neighbours(i int) uint8 {
	wide := l.w + 2
	// States are 0 and above: a bit is set in each that is not absent.
	there := func(c *cell) uint8 { return (uint8(c.state) + 1) >> 1 }
	return there(&l.cells[i-wide]) + there(&l.cells[i-1]) + there(&l.cells[i+1]) + there(&l.cells[i+wide])
}

// sweep replaces each unknown cell by the mean of its neighbours, row by row from
// above, or backwards from below: by turns, so that the surface leans to neither side.
func (l *level) sweep(backwards bool) {
	wide := l.w + 2
	for n := range l.h {
		at := (n + 1) * wide
		if backwards {
			at = (l.h - n) * wide
		}
		above, row, below := l.cells[at-wide:at], l.cells[at:at+wide], l.cells[at+wide:at+2*wide]
		if backwards {
			relaxLeftwards(above, row, below)
		} else {
			relax(above, row, below)
		}
	}
}

// relax sweeps a row with its rim. The value before is kept at hand: from memory it
// would take longer than all the rest.
func relax(above, row, below []cell) {
	above, below = above[:len(row)], below[:len(row)]
	last := row[0].v
	for x := 1; x < len(row)-1; x++ {
		c := &row[x]
		if c.near != 0 {
			c.v = mean(above[x].v+below[x].v+row[x+1].v+last, c.near)
		}
		last = c.v
	}
}

func relaxLeftwards(above, row, below []cell) {
	above, below = above[:len(row)], below[:len(row)]
	last := row[len(row)-1].v
	for x := len(row) - 2; x > 0; x-- {
		c := &row[x]
		if c.near != 0 {
			c.v = mean(above[x].v+below[x].v+row[x-1].v+last, c.near)
		}
		last = c.v
	}
}

// mean returns sum/n rounded. Most cells have four neighbours: all but those at the
// border. A cell without any is not relaxed: it keeps what the coarser level said.
func mean(sum int32, n uint8) int32 {
	if n == 4 {
		return (sum + 2) >> 2
	}
	// 65536/n rounded: dividing would take most of the time.
	inverse := [4]int64{0, 65536, 32768, 21845}
	return int32((int64(sum)*inverse[n&3] + 32768) >> 16)
}

// wipe forgets the values.
func (m *membrane) wipe() {
	for i := range m.levels {
		clear(m.levels[i].cells[:cap(m.levels[i].cells)])
	}
}
