package blur

import "image"

// mask says of each MCU whether a region covers it, and gathers the covered
// ones into patches: sets that hang together by sides or corners.
type mask struct {
	size, mcu  image.Point // in pixels
	cols, rows int
	patch      []int32           // by MCU: outside, or the number of its patch
	bounds     []image.Rectangle // by patch, in MCUs; patch 0 does not exist
	boxes      []box
}

const outside = 0

// box is a region in MCUs.
type box struct {
	image.Rectangle
	first int   // box of its patch
	patch int32 // its number, if this is the first
}

// reset covers the regions, which are aligned to the grid, and nothing else.
func (m *mask) reset(size, mcu image.Point, regions []Region) {
	m.size, m.mcu = size, mcu
	m.cols, m.rows = ceilDiv(m.size.X, m.mcu.X), ceilDiv(m.size.Y, m.mcu.Y)
	m.patch = cleared(m.patch, m.cols*m.rows)
	m.boxes = m.boxes[:0]
	for _, r := range regions {
		m.gather(m.mcus(r.Box))
	}
	m.bounds = append(m.bounds[:0], image.Rectangle{})
	for i := range m.boxes {
		m.cover(i)
	}
}

// cover gives the MCUs of box i the number of its patch.
func (m *mask) cover(i int) {
	b := &m.boxes[i]
	if b.first == i {
		b.patch = int32(len(m.bounds))
		m.bounds = append(m.bounds, b.Rectangle)
	}
	id := m.boxes[b.first].patch
	m.bounds[id] = m.bounds[id].Union(b.Rectangle)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		row := m.patch[y*m.cols+b.Min.X : y*m.cols+b.Max.X]
		for x := range row {
			row[x] = id
		}
	}
}

// gather adds a box. It and all boxes that it touches by a side or a corner, and all
// that these touch, have the same first one.
func (m *mask) gather(r image.Rectangle) {
	own := len(m.boxes)
	m.boxes = append(m.boxes, box{Rectangle: r, first: own})
	near := r.Inset(-1)
	for i := range m.boxes[:own] {
		a, b := m.boxes[i].first, m.boxes[own].first
		if a == b || !m.boxes[i].Overlaps(near) {
			continue
		}
		for j := range m.boxes {
			if first := m.boxes[j].first; first == a || first == b {
				m.boxes[j].first = min(a, b)
			}
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
	clear(m.boxes[:cap(m.boxes)])
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
