// Package scantest makes JPEGs from coefficients, for tests: any sampling,
// progressive scans, restart markers, metadata and Huffman tables that the
// standard library's encoder cannot write.
package scantest

import "image"

// Picture is a JPEG as its quantised coefficients, so that a test can change some
// blocks and know that all others stay as they are.
type Picture struct {
	W, H        int // pixels
	Components  []Component
	Progressive bool
	Restart     int // MCUs between restart markers; 0 for none
	Coding      Coding
	Meta        []Segment // before the tables
}

// Component is one plane of a picture.
type Component struct {
	ID     byte
	H, V   int       // blocks in an MCU, across and down
	Across int       // blocks in a row, padded to whole MCUs
	Blocks [][64]int // in zig-zag order
}

// Segment is a marker and what it has behind its length.
type Segment struct {
	Marker byte
	Data   []byte
}

// Coding says which Huffman tables a picture has.
type Coding uint8

// The codings.
const (
	Own      Coding = iota // tables that no encoder writes
	Standard               // those of ITU-T T.81 section K.3
	Without                // those, and a file that leaves them out
)

// Layout names the component identifiers and the sampling factors of the first
// component; all others have 1x1.
type Layout struct {
	Name string
	IDs  string
	H, V int
}

// Layouts returns every layout that decoders know, the first six by their names in
// package image.
func Layouts() []Layout {
	return []Layout{
		{"4:4:4", "\x01\x02\x03", 1, 1}, {"4:2:2", "\x01\x02\x03", 2, 1}, {"4:2:0", "\x01\x02\x03", 2, 2},
		{"4:4:0", "\x01\x02\x03", 1, 2}, {"4:1:1", "\x01\x02\x03", 4, 1}, {"4:1:0", "\x01\x02\x03", 4, 2},
		{"grey", "\x01", 1, 1}, {"grey 2x2", "\x01", 2, 2}, {"RGB", "RGB", 1, 1}, {"RGB 4x2", "RGB", 4, 2},
	}
}

// New returns a picture of zeroes, which is grey.
func New(w, h int, l Layout) *Picture {
	p := &Picture{W: w, H: h}
	for i := range len(l.IDs) {
		c := Component{ID: l.IDs[i], H: 1, V: 1}
		if i == 0 {
			c.H, c.V = l.H, l.V
		}
		fh, fv := l.H, l.V
		if len(l.IDs) == 1 {
			fh, fv = 1, 1 // a lone component is never interleaved: its MCU is one block
			c.Across = ceilDiv(w, 8)
			c.Blocks = make([][64]int, c.Across*ceilDiv(h, 8))
		} else {
			c.Across = ceilDiv(w, 8*fh) * c.H
			c.Blocks = make([][64]int, c.Across*ceilDiv(h, 8*fv)*c.V)
		}
		p.Components = append(p.Components, c)
	}
	return p
}

// Footprint returns the pixels that a block covers; part or all of them may
// lie beyond the picture.
func (p *Picture) Footprint(component, block int) image.Rectangle {
	c := &p.Components[component]
	sx, sy := 8*p.Components[0].H/c.H, 8*p.Components[0].V/c.V
	if len(p.Components) == 1 {
		sx, sy = 8, 8
	}
	x, y := block%c.Across, block/c.Across
	return image.Rect(x*sx, y*sy, (x+1)*sx, (y+1)*sy)
}

// Scramble draws new coefficients for every block that pick chooses. rnd returns a
// number from 0 up to n.
func (p *Picture) Scramble(rnd func(n int) int, pick func(pixels image.Rectangle) bool) (changed int) {
	for i := range p.Components {
		for j := range p.Components[i].Blocks {
			if !pick(p.Footprint(i, j)) {
				continue
			}
			changed++
			b := &p.Components[i].Blocks[j]
			*b = [64]int{rnd(200) - 100}
			for range 6 {
				b[1+rnd(63)] = rnd(41) - 20
			}
		}
	}
	return changed
}

// Clone returns a picture that shares nothing with p.
func (p *Picture) Clone() *Picture {
	q := *p
	q.Components = append([]Component(nil), p.Components...)
	for i := range q.Components {
		q.Components[i].Blocks = append([][64]int(nil), p.Components[i].Blocks...)
	}
	return &q
}

// Exif is an APP1 segment with a thumbnail, as phones write it.
func Exif(thumbnail []byte) Segment {
	tiff := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00")
	return Segment{0xe1, append(tiff, thumbnail...)}
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
