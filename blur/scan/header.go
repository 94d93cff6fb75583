package scan

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
)

// ErrUnsupported says that a picture may be sound and is not of the kind that
// this package reads.
var ErrUnsupported = errors.New("not a baseline JPEG of one scan")

// ErrDamaged says that what should be a scan is none.
var ErrDamaged = errors.New("damaged scan")

// Markers, T.81 table B.1.
const (
	mSOF0 = 0xc0
	mSOF  = 0xcf // the last of the frame headers
	mDHT  = 0xc4
	mJPG  = 0xc8
	mDAC  = 0xcc
	mRST0 = 0xd0
	mRST7 = 0xd7
	mSOI  = 0xd8
	mEOI  = 0xd9
	mSOS  = 0xda
	mDQT  = 0xdb
	mDRI  = 0xdd
	mAPP0 = 0xe0
	mAPPE = 0xee
	mCOM  = 0xfe
)

// MaxSide is the most pixels that a side of a picture may have.
const MaxSide = 16384

// header is what comes before the scan.
type header struct {
	size       image.Point // in pixels
	components []component // one or three
	lone       bool        // there is one: its MCU is a block, whatever its sampling (T.81 section A.2.2)
	mcu        image.Point // size of an MCU in pixels
	cols, rows int         // of MCUs
	restart    int         // MCUs between two restart markers; 0 for none

	quant    [4][64]int32 // in zig-zag order
	hasQuant [4]bool
	specs    [2][4]spec // by class and number
	hasSpec  [2][4]bool
	plain    bool // no sample means what it does in a JFIF file: Adobe's RGB
}

// component is one of the planes of a picture, luma or one of two chroma.
type component struct {
	id      byte
	h, v    int      // blocks of it in an MCU, across and down
	quant   byte     // number of its quantisation table
	huffman [2]uint8 // by class, the number of its Huffman table

	cols, rows int // of blocks; whole MCUs
	dc         []int16
}

// parse reads the segments up to the scan, and returns where the scan begins.
func (h *header) parse(b []byte) (at int, err error) {
	if len(b) < 4 || b[0] != 0xff || b[1] != mSOI {
		return 0, fmt.Errorf("%w: it begins with % x", ErrUnsupported, b[:min(len(b), 4)])
	}
	*h = header{components: h.components[:0]}
	for at = 2; ; {
		for at+1 < len(b) && b[at] == 0xff && b[at+1] == 0xff {
			at++ // fill bytes (T.81 section B.1.1.2)
		}
		if at+4 > len(b) || b[at] != 0xff {
			return 0, fmt.Errorf("%w: no marker at byte %d", ErrUnsupported, at)
		}
		marker, n := b[at+1], int(binary.BigEndian.Uint16(b[at+2:]))
		if n < 2 || at+2+n > len(b) {
			return 0, fmt.Errorf("%w: a segment of %d bytes at byte %d", ErrUnsupported, n, at)
		}
		body := b[at+4 : at+2+n]
		at += 2 + n
		if marker == mSOS {
			return at, h.scan(body)
		}
		if err := h.segment(marker, body); err != nil {
			return 0, err
		}
	}
}

func (h *header) segment(marker byte, body []byte) error {
	switch {
	case marker == mSOF0:
		return h.frame(body)
	case marker == mDHT:
		return h.huffmanTables(body)
	case marker == mDQT:
		return h.quantTables(body)
	case marker == mDRI:
		if len(body) != 2 {
			return fmt.Errorf("%w: a restart interval of %d bytes", ErrUnsupported, len(body))
		}
		h.restart = int(binary.BigEndian.Uint16(body))
		return nil
	case marker == mAPPE:
		// Adobe: version, two words of flags, and whether the colours are YCbCr.
		if len(body) >= 12 && string(body[:5]) == "Adobe" && body[11] != 1 {
			h.plain = true
		}
		return nil
	case marker >= mAPP0 && marker < mAPP0+16 || marker == mCOM:
		return nil
	}
	return fmt.Errorf("%w: marker ff%02x", ErrUnsupported, marker)
}

// frame reads a frame header (T.81 section B.2.2).
func (h *header) frame(body []byte) error {
	if len(h.components) != 0 || len(body) < 6 || len(body) != 6+3*int(body[5]) {
		return fmt.Errorf("%w: a frame header of %d bytes", ErrUnsupported, len(body))
	}
	n := int(body[5])
	h.size = image.Pt(int(binary.BigEndian.Uint16(body[3:])), int(binary.BigEndian.Uint16(body[1:])))
	if body[0] != 8 || n != 1 && n != 3 {
		return fmt.Errorf("%w: %d components of %d bits", ErrUnsupported, n, body[0])
	}
	if h.size.X < 1 || h.size.Y < 1 || h.size.X > MaxSide || h.size.Y > MaxSide {
		return fmt.Errorf("%w: %dx%d pixels", ErrUnsupported, h.size.X, h.size.Y)
	}
	for i := range n {
		c := body[6+3*i:]
		if cap(h.components) > i { // keep the memory of its blocks
			h.components = h.components[:i+1]
		} else {
			h.components = append(h.components, component{})
		}
		h.components[i] = component{id: c[0], h: int(c[1] >> 4), v: int(c[1] & 15), quant: c[2], dc: h.components[i].dc}
		if c[2] > 3 {
			return fmt.Errorf("%w: quantisation table %d", ErrUnsupported, c[2])
		}
	}
	return h.sampling()
}

// sampling finds out what an MCU is.
func (h *header) sampling() error {
	first := &h.components[0]
	if h.lone = len(h.components) == 1; h.lone {
		first.h, first.v = 1, 1
	} else {
		// Six samplings have a name in package image.
		ids := [3]byte{first.id, h.components[1].id, h.components[2].id}
		known := (first.h == 1 || first.h == 2 || first.h == 4) && (first.v == 1 || first.v == 2)
		for _, c := range h.components[1:] {
			known = known && c.h == 1 && c.v == 1
		}
		if !known || ids == [3]byte{'R', 'G', 'B'} {
			return fmt.Errorf("%w: components %q with sampling %dx%d", ErrUnsupported, ids, first.h, first.v)
		}
	}
	h.mcu = image.Pt(8*first.h, 8*first.v)
	h.cols, h.rows = ceilDiv(h.size.X, h.mcu.X), ceilDiv(h.size.Y, h.mcu.Y)
	for i := range h.components {
		c := &h.components[i]
		c.cols, c.rows = h.cols*c.h, h.rows*c.v
	}
	return nil
}

func (h *header) quantTables(body []byte) error {
	for len(body) > 0 {
		id := body[0]
		if id > 3 || len(body) < 65 { // the upper half: 16-bit values, which baseline lacks
			return fmt.Errorf("%w: quantisation table %02x of %d bytes", ErrUnsupported, id, len(body))
		}
		for k, q := range body[1:65] {
			if q == 0 {
				return fmt.Errorf("%w: quantisation by 0", ErrUnsupported)
			}
			h.quant[id][k] = int32(q)
		}
		h.hasQuant[id] = true
		body = body[65:]
	}
	return nil
}

func (h *header) huffmanTables(body []byte) error {
	for len(body) > 0 {
		if len(body) < 17 {
			return fmt.Errorf("%w: a Huffman table of %d bytes", ErrUnsupported, len(body))
		}
		class, id := body[0]>>4, body[0]&15
		s := spec{}
		copy(s.counts[:], body[1:])
		n := s.total()
		if class > 1 || id > 3 || n > 256 || len(body) < 17+n {
			return fmt.Errorf("%w: Huffman table %d/%d of %d codes", ErrUnsupported, class, id, n)
		}
		copy(s.symbols[:n], body[17:])
		h.specs[class][id], h.hasSpec[class][id] = s, true
		body = body[17+n:]
	}
	return nil
}

// scan reads a scan header (T.81 section B.2.3) and checks that all is there.
func (h *header) scan(body []byte) error {
	n := len(h.components)
	if n == 0 || len(body) != 4+2*n || int(body[0]) != n || body[1+2*n] != 0 || body[2+2*n] != 63 || body[3+2*n] != 0 || h.plain {
		return fmt.Errorf("%w: a scan header of %d bytes for %d components", ErrUnsupported, len(body), n)
	}
	for i := range h.components {
		c := &h.components[i]
		if body[1+2*i] != c.id || !h.hasQuant[c.quant] {
			return fmt.Errorf("%w: component %d without a scan or a quantisation table", ErrUnsupported, c.id)
		}
		c.huffman = [2]uint8{body[2+2*i] >> 4, body[2+2*i] & 15}
		if c.huffman[0] > 3 || c.huffman[1] > 3 {
			return fmt.Errorf("%w: component %d with Huffman tables %v", ErrUnsupported, c.id, c.huffman)
		}
	}
	return h.tables()
}

// tables puts the standard tables in place where a file has none at all. One that
// has some and lacks others is another kind of file.
func (h *header) tables() error {
	if h.hasSpec == [2][4]bool{} {
		copy(h.specs[dcClass][:], standardDC[:])
		copy(h.specs[acClass][:], standardAC[:])
		h.hasSpec = [2][4]bool{{true, true}, {true, true}}
	}
	for _, c := range h.components {
		for class, id := range c.huffman {
			if !h.hasSpec[class][id] {
				return fmt.Errorf("%w: no Huffman table %d/%d", ErrUnsupported, class, id)
			}
		}
	}
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
