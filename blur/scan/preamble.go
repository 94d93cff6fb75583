package scan

import (
	"encoding/binary"
	"image"
)

// table returns the Huffman table of a component.
func (p *Picture) table(c class, component int) *table {
	return &p.tables[c][p.components[component].huffman[c]]
}

// standard tells whether every component has standard tables.
func (p *Picture) standard() bool {
	for i := range p.components {
		if p.standardOf(dcClass, i) < 0 || p.standardOf(acClass, i) < 0 {
			return false
		}
	}
	return true
}

// standardOf returns the number of the standard table that a component has, -1
// if it has another.
func (p *Picture) standardOf(c class, component int) int {
	all := &standardDC
	if c == acClass {
		all = &standardAC
	}
	t := p.table(c, component)
	for n := range all {
		if t.spec == all[n] {
			return n
		}
	}
	return -1
}

// coding is the Huffman tables of a new picture: by class and number, nil where
// there is none, and by component which of them it has.
type coding struct {
	specs [2][2]*spec
	of    [3][2]int
}

// standardSpecs is the coding of a picture whose tables are standard ones.
func (p *Picture) standardSpecs() (k coding) {
	for i := range p.components {
		for _, c := range []class{dcClass, acClass} {
			n := p.standardOf(c, i)
			k.of[i][c] = n
			k.specs[dcClass][n], k.specs[acClass][n] = &standardDC[n], &standardAC[n]
		}
	}
	return k
}

// preamble appends all that comes before the scan of a picture that has the given
// MCUs of p.
func (p *Picture) preamble(dst []byte, keep image.Rectangle, k coding) []byte {
	dst = append(dst, 0xff, mSOI)
	dst = p.appendQuant(dst)
	dst = p.appendFrame(dst, keep)
	dst = appendHuffman(dst, k)
	n := len(p.components)
	dst = segment(dst, mSOS, 4+2*n)
	dst = append(dst, byte(n))
	for i := range n {
		dst = append(dst, byte(i+1), byte(k.of[i][dcClass]<<4|k.of[i][acClass]))
	}
	return append(dst, 0, 63, 0)
}

// segment appends a marker and the length of what follows it.
func segment(dst []byte, marker byte, n int) []byte {
	return binary.BigEndian.AppendUint16(append(dst, 0xff, marker), uint16(n+2))
}

// appendQuant appends the tables that a component uses. Others would be bytes
// that nobody needs.
func (p *Picture) appendQuant(dst []byte) []byte {
	var used [4]bool
	n := 0
	for _, c := range p.components {
		if !used[c.quant] {
			used[c.quant] = true
			n++
		}
	}
	dst = segment(dst, mDQT, 65*n)
	for id, ok := range used {
		if !ok {
			continue
		}
		dst = append(dst, byte(id))
		for _, q := range p.quant[id] {
			dst = append(dst, byte(q))
		}
	}
	return dst
}

func (p *Picture) appendFrame(dst []byte, keep image.Rectangle) []byte {
	size := p.pixels(keep).Size()
	n := len(p.components)
	dst = segment(dst, mSOF0, 6+3*n)
	dst = append(dst, 8, byte(size.Y>>8), byte(size.Y), byte(size.X>>8), byte(size.X), byte(n))
	for i, c := range p.components {
		dst = append(dst, byte(i+1), byte(c.h<<4|c.v), c.quant)
	}
	return dst
}

// pixels returns the pixels of a rectangle of MCUs, clipped to the picture.
func (p *Picture) pixels(r image.Rectangle) image.Rectangle {
	return image.Rect(r.Min.X*p.mcu.X, r.Min.Y*p.mcu.Y, r.Max.X*p.mcu.X, r.Max.Y*p.mcu.Y).
		Intersect(image.Rectangle{Max: p.size})
}

func appendHuffman(dst []byte, k coding) []byte {
	at := len(dst)
	dst = segment(dst, mDHT, 0)
	for class, pair := range k.specs {
		for n, s := range pair {
			if s == nil {
				continue
			}
			dst = append(dst, byte(class<<4|n))
			dst = append(dst, s.counts[:]...)
			dst = append(dst, s.symbols[:s.total()]...)
		}
	}
	binary.BigEndian.PutUint16(dst[at+2:], uint16(len(dst)-at-2))
	return dst
}
