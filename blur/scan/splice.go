package scan

import (
	"fmt"
	"image"
	"math/bits"
)

// Block is what is written in place of a block: its DC coefficient and the low
// AC coefficients, quantised, in zig-zag order. That is all a smooth surface needs.
type Block [6]int16

// Edit says what becomes of a picture.
type Edit struct {
	// Keep is the part that is left, in MCUs. It must not be empty and lie within
	// the picture.
	Keep image.Rectangle
	// Gone says of each MCU of the picture, row by row, whether it is written anew.
	Gone []bool
	// Blocks are what is written in the MCUs that are gone, of those in Keep, in the
	// order of a scan (T.81 section A.2.3): MCU by MCU, in each component by component
	// and row by row. Every value is cut off at what a baseline picture can have.
	Blocks []Block
}

// Splice appends a JPEG to dst that has the MCUs of p, bit by bit the same
// coefficients, but for those that are gone. It is a function of the sizes, the
// sampling, the quantisation tables, of whether the Huffman tables are the
// standard ones, of the MCUs that are kept, and of the edit. dst must not be
// memory of p.
func (p *Picture) Splice(dst []byte, e Edit) ([]byte, error) {
	if err := p.check(&e); err != nil {
		return dst, fmt.Errorf("splice: %w", err)
	}
	if err := p.Walk(); err != nil {
		return dst, err
	}
	if p.standard() {
		c := copier{splicer: p.splicer(&e)}
		return c.run(dst), nil
	}
	return p.recode(dst, &e), nil
}

func (p *Picture) check(e *Edit) error {
	if p.size == (image.Point{}) {
		return fmt.Errorf("%w: no picture", ErrUnsupported)
	}
	all := image.Rect(0, 0, p.cols, p.rows)
	if e.Keep.Empty() || !e.Keep.In(all) {
		return fmt.Errorf("keep MCUs %v of %v", e.Keep, all)
	}
	if len(e.Gone) != p.cols*p.rows {
		return fmt.Errorf("%d MCUs are gone or not, of %d", len(e.Gone), p.cols*p.rows)
	}
	n := 0
	for y := e.Keep.Min.Y; y < e.Keep.Max.Y; y++ {
		for _, gone := range e.Gone[y*p.cols+e.Keep.Min.X : y*p.cols+e.Keep.Max.X] {
			if gone {
				n++
			}
		}
	}
	each := 0 // blocks in an MCU
	for _, c := range p.components {
		each += c.h * c.v
	}
	if len(e.Blocks) != n*each {
		return fmt.Errorf("%d blocks for %d MCUs that are gone, want %d for each", len(e.Blocks), n, each)
	}
	return nil
}

// splicer goes through the blocks of a new picture in their order.
type splicer struct {
	p         *Picture
	e         *Edit
	blocks    []Block  // that are not written yet
	predicted [3]int32 // the DC coefficient before, by component
	r         reader
}

func (p *Picture) splicer(e *Edit) splicer {
	return splicer{p: p, e: e, blocks: e.Blocks, r: reader{buf: p.data}}
}

// take returns the next n blocks that are written anew.
func (s *splicer) take(n int) []Block {
	b := s.blocks[:n]
	s.blocks = s.blocks[n:]
	return b
}

// copier writes a picture with the standard Huffman tables by copying bits.
type copier struct {
	splicer
	w     writer
	pens  [3]pen // by component
	begin uint32 // of the run of bits to be copied, if there is one
	end   uint32
	next  int         // MCU that would make the run longer; -1 if none does
	last  image.Point // MCU of the run
}

// pen is what the blocks of a component are written with.
type pen struct{ dc, ac *codes }

func (c *copier) run(dst []byte) []byte {
	p, keep := c.p, c.e.Keep
	c.w = newWriter(p.preamble(dst, keep, p.standardSpecs()))
	c.next = -1
	for i := range p.components {
		c.pens[i] = pen{&p.table(dcClass, i).codes, &p.table(acClass, i).codes}
	}
	for y := keep.Min.Y; y < keep.Max.Y; y++ {
		gone := c.e.Gone[y*p.cols : (y+1)*p.cols]
		for x := keep.Min.X; x < keep.Max.X; {
			if gone[x] {
				c.flush()
				c.rewrite()
				x++
				continue
			}
			from := x
			for x < keep.Max.X && !gone[x] {
				x++
			}
			c.keep(from, x, y)
		}
	}
	c.flush()
	return append(c.w.finish(), 0xff, mEOI)
}

// keep copies the MCUs of row y from one column to another.
func (c *copier) keep(x, end, y int) {
	p := c.p
	for x < end {
		m := y*p.cols + x
		if m != c.next {
			c.flush()
			c.rejoin(x, y)
			x++
			continue
		}
		n := end - x
		if p.restart > 0 {
			n = min(n, p.restart-m%p.restart)
		}
		c.extend(m + n - 1)
		x += n
		c.last = image.Pt(x-1, y)
	}
}

// extend makes the run longer, up to and with MCU m.
func (c *copier) extend(m int) {
	p := c.p
	c.next = m + 1
	if m+1 < p.cols*p.rows && (p.restart == 0 || (m+1)%p.restart != 0) {
		c.end = p.position[m+1]
		return
	}
	// Behind a restart the differences begin at zero again; here they go on.
	c.next = -1
	if p.restart == 0 {
		c.end = p.stop[0]
		return
	}
	c.end = p.stop[m/p.restart]
}

// flush copies the run.
func (c *copier) flush() {
	if c.end > c.begin {
		c.w.copy(c.p.data, c.begin, c.end)
		c.settle(c.last)
		c.begin, c.end = 0, 0
	}
	c.next = -1
}

// rewrite writes an MCU that is gone.
func (c *copier) rewrite() {
	c.w.reserve(mcuRoom)
	for i := range c.p.components {
		comp := &c.p.components[i]
		blocks := c.take(comp.h * comp.v)
		for j := range blocks {
			c.block(i, &blocks[j])
		}
	}
}

// block writes a block, most of them in one piece.
func (c *copier) block(component int, b *Block) {
	dc, ac := c.pens[component].dc, c.pens[component].ac
	low, size := magnitude(b.dc() - c.predicted[component])
	c.predicted[component] = b.dc()
	v, n := uint64(dc.code[size&15])<<size|uint64(low), uint(dc.length[size&15])+size
	var space [len(Block{})]symbol
	for _, s := range b.ac(&space) {
		if n > 64-maxCode {
			c.w.put(v, n)
			v, n = 0, 0
		}
		length := ac.length[s.value]
		v = v<<(length&63) | uint64(ac.code[s.value])
		v = v<<(s.size&63) | uint64(s.low)
		n += uint(length + s.size)
	}
	c.w.put(v, n)
}

// difference writes how a DC coefficient differs from the one before.
func (c *copier) difference(component int, dc int32, t *codes) {
	v, size := magnitude(dc - c.predicted[component])
	c.predicted[component] = dc
	c.w.symbol(t, uint8(size), v, size)
}

// rejoin copies an MCU that does not follow on what was written before it: the
// first DC difference of each component is another than it was.
func (c *copier) rejoin(x, y int) {
	p, m := c.p, y*c.p.cols+x
	c.w.reserve(mcuRoom)
	c.r.seek(p.position[m])
	for i := range p.components {
		comp := &p.components[i]
		dc, ac := p.table(dcClass, i), p.table(acClass, i)
		at := c.r.position()
		for n := range comp.h * comp.v {
			c.r.dc(dc) // Walk has found all of this to be sound
			if n == 0 {
				at = c.r.position()
				c.difference(i, int32(comp.dc[y*comp.v*comp.cols+x*comp.h]), &dc.codes)
			}
			c.r.skip(ac, 1)
		}
		c.w.copy(p.data, at, c.r.position())
	}
	c.extend(m)
	c.settle(image.Pt(x, y))
	c.begin = c.end // it was copied
}

// settle notes the DC coefficients that an MCU ends with.
func (s *splicer) settle(mcu image.Point) {
	for i := range s.p.components {
		comp := &s.p.components[i]
		s.predicted[i] = int32(comp.dc[((mcu.Y+1)*comp.v-1)*comp.cols+(mcu.X+1)*comp.h-1])
	}
}

// dc returns the DC coefficient, within what a baseline picture can have.
func (b *Block) dc() int32 { return int32(max(-maxDC, min(b[0], maxDC-1))) }

// symbol is what a Huffman code stands for, and the bits that follow the code.
type symbol struct {
	value, size uint8
	low         uint16
}

// maxCode is the most bits of an AC code and of the coefficient behind it.
const maxCode = 16 + maxACSize

// ac returns the symbols of the AC coefficients, within what a baseline picture can
// have (T.81 figure F.2).
func (b *Block) ac(space *[len(Block{})]symbol) []symbol {
	const most = 1<<maxACSize - 1
	n, run := 0, uint8(0)
	if b[1]|b[2]|b[3]|b[4]|b[5] == 0 { // as in many
		space[0] = symbol{value: endBlock}
		return space[:1]
	}
	for _, c := range b[1:] {
		if c == 0 {
			run++
			continue
		}
		low, size := magnitude(int32(max(-most, min(c, most))))
		space[n] = symbol{run<<4 | uint8(size), uint8(size), uint16(low)}
		run = 0
		n++
	}
	space[n] = symbol{value: endBlock} // a Block never has coefficient 63
	return space[:n+1]
}

// magnitude returns the bits that mean v, and how many they are (T.81 section
// F.1.2.1).
func magnitude(v int32) (low uint32, size uint) {
	sign := v >> 31
	size = uint(bits.Len32(uint32(v ^ sign - sign)))
	return uint32(v+sign) & (1<<size - 1), size
}
