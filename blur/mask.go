package blur

import "image"

// mask says of each MCU whether a region covers it, and gathers the covered
// ones into patches: sets that hang together by sides or corners.
type mask struct {
	size, mcu  image.Point // in pixels
	cols, rows int
	patch      []int32           // by MCU: outside, or the number of its patch
	bounds     []image.Rectangle // by patch, in MCUs; patch 0 does not exist
	stack      []int32
}

const (
	outside = 0
	covered = -1 // and not yet numbered
)

// reset covers the boxes, which are aligned to the grid, and nothing else.
func (m *mask) reset(size, mcu image.Point, regions []Region) {
	m.size, m.mcu = size, mcu
	m.cols, m.rows = ceilDiv(m.size.X, m.mcu.X), ceilDiv(m.size.Y, m.mcu.Y)
	m.patch = cleared(m.patch, m.cols*m.rows)
	for _, r := range regions {
		b := m.mcus(r.Box)
		for y := b.Min.Y; y < b.Max.Y; y++ {
			row := m.patch[y*m.cols+b.Min.X : y*m.cols+b.Max.X]
			for x := range row {
				row[x] = covered
			}
		}
	}
	m.bounds = append(m.bounds[:0], image.Rectangle{})
	for i, p := range m.patch {
		if p == covered {
			m.number(i)
		}
	}
}

// number makes all that hangs together with MCU i a patch.
func (m *mask) number(i int) {
	id := int32(len(m.bounds))
	var bounds image.Rectangle
	m.patch[i] = id
	m.stack = append(m.stack[:0], int32(i))
	for len(m.stack) > 0 {
		at := int(m.stack[len(m.stack)-1])
		m.stack = m.stack[:len(m.stack)-1]
		x, y := at%m.cols, at/m.cols
		bounds = bounds.Union(image.Rect(x, y, x+1, y+1))
		for j := max(y-1, 0); j < min(y+2, m.rows); j++ {
			m.push(id, j*m.cols+max(x-1, 0), j*m.cols+min(x+2, m.cols))
		}
	}
	m.bounds = append(m.bounds, bounds)
}

// push gives the MCUs from i to j that wait for a number this one.
func (m *mask) push(id int32, i, j int) {
	for ; i < j; i++ {
		if m.patch[i] == covered {
			m.patch[i] = id
			m.stack = append(m.stack, int32(i))
		}
	}
}

// mcus returns the MCUs that the pixels of r touch.
func (m *mask) mcus(r image.Rectangle) image.Rectangle {
	return image.Rect(r.Min.X/m.mcu.X, r.Min.Y/m.mcu.Y, ceilDiv(r.Max.X, m.mcu.X), ceilDiv(r.Max.Y, m.mcu.Y))
}

// window returns the MCUs of a patch and those next to them, as a rectangle.
func (m *mask) window(id int32) image.Rectangle {
	return m.bounds[id].Inset(-1).Intersect(image.Rect(0, 0, m.cols, m.rows))
}

// each calls do with each MCU of a rectangle.
func (m *mask) each(r image.Rectangle, do func(x, y int)) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			do(x, y)
		}
	}
}

// beside reports whether MCU (x,y) touches the patch by a side or a corner.
func (m *mask) beside(x, y int, id int32) bool {
	for j := max(y-1, 0); j < min(y+2, m.rows); j++ {
		for i := max(x-1, 0); i < min(x+2, m.cols); i++ {
			if m.patch[j*m.cols+i] == id {
				return true
			}
		}
	}
	return false
}

// wipe forgets where the regions were.
func (m *mask) wipe() {
	clear(m.patch[:cap(m.patch)])
	clear(m.bounds[:cap(m.bounds)])
	clear(m.stack[:cap(m.stack)])
}

// cleared returns n zeroes, in the memory of s if that is large enough.
func cleared[E any](s []E, n int) []E {
	if cap(s) < n {
		return make([]E, n)
	}
	s = s[:n]
	clear(s)
	return s
}
