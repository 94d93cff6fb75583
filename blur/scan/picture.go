package scan

import (
	"bytes"
	"fmt"
	"image"
	"io"
)

// Picture is one JPEG whose scan can be followed. The zero value has none; one
// Picture serves for one file after the other, in the same memory. It must not
// be used by two goroutines at once.
type Picture struct {
	header
	tables [2][4]table // by class and number, as the header says

	// data is the scan without stuffing and markers, and overrun bytes behind it.
	// Interval i between two restart markers has the bytes from begins[i] up to
	// ends[i]; its last code may end up to seven bits before that.
	data         []byte
	begins, ends []int

	walked   bool
	position []uint32 // of each MCU, in bits of data
	stop     []uint32 // of each interval, behind its last MCU

	lane   [3]lane // of a walk
	views  [4]view // by reduction: 1, 2, 4, 8
	wanted wanted  // of the block that is being followed
	out    []Component
}

// Open reads the headers of a file and finds the ends of its scan. It keeps
// nothing of data. Errors are [ErrUnsupported], by what the headers say, or
// [ErrDamaged].
func (p *Picture) Open(data []byte) error {
	p.forget()
	at, err := p.parse(data)
	if err != nil {
		return err
	}
	for _, c := range p.components {
		for kind, id := range c.huffman {
			if err := p.tables[kind][id].make(&p.specs[kind][id], class(kind)); err != nil {
				return fmt.Errorf("%w: %w", ErrUnsupported, err)
			}
		}
	}
	return p.unstuff(data[at:])
}

// Size returns the size of the picture in pixels.
func (p *Picture) Size() image.Point { return p.size }

// MCU returns the size of an MCU in pixels. Those of the last row and column may
// reach beyond the picture.
func (p *Picture) MCU() image.Point { return p.mcu }

// Component is one plane of a picture as blocks of 8x8 samples.
type Component struct {
	Cols, Rows int      // of blocks, those beyond the picture included
	H, V       int      // blocks in an MCU, across and down
	DC         []int16  // quantised, row by row: good after Walk, until the next Open
	Quant      [6]int32 // what the coefficients of a [Block] are multiples of
}

// Components returns the planes: luma, or luma and two of chroma.
func (p *Picture) Components() []Component {
	p.out = p.out[:0]
	for _, c := range p.components {
		p.out = append(p.out, Component{c.cols, c.rows, c.h, c.v, c.dc, [6]int32(p.quant[c.quant][:6])})
	}
	return p.out
}

// forget makes p a picture that was not opened, in the same memory.
func (p *Picture) forget() {
	p.size, p.walked = image.Point{}, false
	for i := range p.views {
		p.views[i].made = false
	}
}

// Wipe zeroes all that was read or computed of the picture. Huffman tables, which
// are of the camera, stay. What is behind the end of a slice was zeroed when it was
// before it.
func (p *Picture) Wipe() {
	clear(p.data)
	clear(p.position)
	clear(p.stop)
	clear(p.begins[:cap(p.begins)])
	clear(p.ends[:cap(p.ends)])
	for i := range p.components[:cap(p.components)] {
		clear(p.components[:cap(p.components)][i].dc)
	}
	for i := range p.views {
		p.views[i].wipe()
	}
	p.wanted = wanted{}
	p.forget()
}

// unstuff copies a scan without the zero bytes behind its 0xff bytes and without
// its restart markers, whose places it notes (T.81 section B.1.1.5).
func (p *Picture) unstuff(b []byte) error {
	total := p.cols * p.rows
	// No MCU has fewer than two bits a block: a header that promises many costs
	// nothing before the bytes for them are there.
	if 4*len(b) < total {
		return fmt.Errorf("%w: %d bytes for %d MCUs", ErrDamaged, len(b), total)
	}
	p.data = sized(p.data, len(b)+overrun)
	p.begins, p.ends = append(p.begins[:0], 0), p.ends[:0]
	n := 0
	for {
		i := bytes.IndexByte(b, 0xff)
		if i < 0 || i+1 >= len(b) {
			return fmt.Errorf("%w: it ends early: %w", ErrDamaged, io.ErrUnexpectedEOF)
		}
		n += copy(p.data[n:], b[:i])
		marker := b[i+1]
		if marker == 0xff { // a fill byte: the marker is still to come
			b = b[i+1:]
			continue
		}
		b = b[i+2:]
		switch {
		case marker == 0:
			p.data[n] = 0xff
			n++
		case marker >= mRST0 && marker <= mRST7:
			if want := byte(mRST0 + (len(p.begins)-1)%8); p.restart == 0 || marker != want {
				return fmt.Errorf("%w: restart marker ff%02x", ErrDamaged, marker)
			}
			p.ends, p.begins = append(p.ends, n), append(p.begins, n)
		case marker == mEOI:
			p.ends = append(p.ends, n)
			return p.finish(n, total)
		default:
			return fmt.Errorf("%w: marker ff%02x in the scan", ErrUnsupported, marker)
		}
	}
}

// finish checks that there are as many intervals as the size asks for.
func (p *Picture) finish(n, total int) error {
	want := 1
	if p.restart > 0 {
		want = ceilDiv(total, p.restart)
	}
	if len(p.ends) != want {
		return fmt.Errorf("%w: %d restart intervals, want %d", ErrDamaged, len(p.ends), want)
	}
	// What is behind the end must not be of the frame before: if a code were read
	// from it, it would be in this picture.
	tail := p.data[n : n+overrun]
	for i := range tail {
		tail[i] = 0xff
	}
	return nil
}

// interval returns the MCUs between two restarts: from, and up to.
func (p *Picture) interval(i int) (from, to int) {
	total := p.cols * p.rows
	if p.restart == 0 {
		return 0, total
	}
	return i * p.restart, min((i+1)*p.restart, total)
}

// sized returns n elements of whatever content, in the memory of s if that is
// large enough.
func sized[E any](s []E, n int) []E {
	if cap(s) < n {
		return make([]E, n)
	}
	return s[:n]
}
