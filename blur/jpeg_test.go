package blur

import (
	"bytes"
	"image"
	"math/bits"
)

// picture is a JPEG as its quantized coefficients, so that tests can change
// some blocks and know that all others stay as they are. It writes what the
// standard library's encoder cannot: any subsampling, progressive scans,
// restart markers and metadata.
type picture struct {
	w, h        int
	comps       []component
	progressive bool
	restart     int // MCUs between restart markers; 0 for none
	meta        []segment
}

type component struct {
	id     byte
	h, v   int
	across int       // blocks in a row, padded to whole MCUs
	blocks [][64]int // in zig-zag order
}

type segment struct {
	marker byte
	data   []byte
}

// layout names the component identifiers and the sampling factors of the first
// component; all others have 1x1.
type layout struct {
	name string
	ids  string
	h, v int
}

var layouts = []layout{
	{"4:4:4", "\x01\x02\x03", 1, 1}, {"4:2:2", "\x01\x02\x03", 2, 1}, {"4:2:0", "\x01\x02\x03", 2, 2},
	{"4:4:0", "\x01\x02\x03", 1, 2}, {"4:1:1", "\x01\x02\x03", 4, 1}, {"4:1:0", "\x01\x02\x03", 4, 2},
	{"grey", "\x01", 1, 1}, {"grey 2x2", "\x01", 2, 2}, {"RGB", "RGB", 1, 1}, {"RGB 4x2", "RGB", 4, 2},
}

func newPicture(w, h int, l layout) *picture {
	p := &picture{w: w, h: h}
	for i := range len(l.ids) {
		c := component{id: l.ids[i], h: 1, v: 1}
		if i == 0 {
			c.h, c.v = l.h, l.v
		}
		fh, fv := l.h, l.v
		if len(l.ids) == 1 {
			fh, fv = 1, 1 // a lone component is never interleaved: its MCU is one block
			c.across = ceilDiv(w, 8)
			c.blocks = make([][64]int, c.across*ceilDiv(h, 8))
		} else {
			c.across = ceilDiv(w, 8*fh) * c.h
			c.blocks = make([][64]int, c.across*ceilDiv(h, 8*fv)*c.v)
		}
		p.comps = append(p.comps, c)
	}
	return p
}

// footprint returns the pixels that a block covers; part or all of them may
// lie beyond the picture.
func (p *picture) footprint(comp, block int) image.Rectangle {
	c := &p.comps[comp]
	sx, sy := 8*p.comps[0].h/c.h, 8*p.comps[0].v/c.v
	if len(p.comps) == 1 {
		sx, sy = 8, 8
	}
	x, y := block%c.across, block/c.across
	return image.Rect(x*sx, y*sy, (x+1)*sx, (y+1)*sy)
}

// scramble draws new coefficients for every block that pick chooses.
func (p *picture) scramble(rnd func(n int) int, pick func(pixels image.Rectangle) bool) (changed int) {
	for i := range p.comps {
		for j := range p.comps[i].blocks {
			if !pick(p.footprint(i, j)) {
				continue
			}
			changed++
			b := &p.comps[i].blocks[j]
			*b = [64]int{rnd(200) - 100}
			for range 6 {
				b[1+rnd(63)] = rnd(41) - 20
			}
		}
	}
	return changed
}

func (p *picture) clone() *picture {
	q := *p
	q.comps = append([]component(nil), p.comps...)
	for i := range q.comps {
		q.comps[i].blocks = append([][64]int(nil), p.comps[i].blocks...)
	}
	return &q
}

// bytes writes the file.
func (p *picture) bytes() []byte {
	var out bytes.Buffer
	put := func(marker byte, data ...byte) {
		out.Write([]byte{0xff, marker, byte((len(data) + 2) >> 8), byte(len(data) + 2)})
		out.Write(data)
	}
	out.Write([]byte{0xff, 0xd8})
	for _, s := range p.meta {
		put(s.marker, s.data...)
	}
	put(0xdb, append([]byte{0}, bytes.Repeat([]byte{8}, 64)...)...)
	sof := []byte{8, byte(p.h >> 8), byte(p.h), byte(p.w >> 8), byte(p.w), byte(len(p.comps))}
	for _, c := range p.comps {
		sof = append(sof, c.id, byte(c.h<<4|c.v), 0)
	}
	if p.progressive {
		put(0xc2, sof...)
	} else {
		put(0xc0, sof...)
	}
	// Flat codes: symbol i of the table is coded as i, in 4 and in 8 bits.
	dc := append([]byte{0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, dcSymbols()...)
	ac := append([]byte{0x10, 0, 0, 0, 0, 0, 0, 0, 162, 0, 0, 0, 0, 0, 0, 0, 0}, acSymbols()...)
	put(0xc4, append(dc, ac...)...)
	if p.restart > 0 {
		put(0xdd, byte(p.restart>>8), byte(p.restart))
	}
	all := make([]int, len(p.comps))
	for i := range all {
		all[i] = i
	}
	if !p.progressive {
		p.scan(&out, all, 0, 63)
	} else {
		p.scan(&out, all, 0, 0)
		for i := range all {
			p.scan(&out, []int{i}, 1, 63)
		}
	}
	out.Write([]byte{0xff, 0xd9})
	return out.Bytes()
}

// scan writes the coefficients first to last of the components.
func (p *picture) scan(out *bytes.Buffer, comps []int, first, last int) {
	head := []byte{byte(len(comps))}
	for _, i := range comps {
		head = append(head, p.comps[i].id, 0)
	}
	head = append(head, byte(first), byte(last), 0)
	out.Write([]byte{0xff, 0xda, 0, byte(len(head) + 2)})
	out.Write(head)

	w := &bitWriter{out: out}
	dc := make([]int, len(p.comps))
	mcus := 0
	p.walk(comps, func(newMCU bool, comp, block int) {
		if newMCU && p.restart > 0 && mcus > 0 && mcus%p.restart == 0 {
			w.flush()
			out.Write([]byte{0xff, 0xd0 + byte(mcus/p.restart-1)&7})
			clear(dc)
		}
		if newMCU {
			mcus++
		}
		b := &p.comps[comp].blocks[block]
		if first == 0 {
			w.value(0, b[0]-dc[comp], 4, dcSymbols())
			dc[comp] = b[0]
		}
		if last > 0 {
			w.ac(b)
		}
	})
	w.flush()
}

// walk visits the blocks in the order of a scan.
func (p *picture) walk(comps []int, visit func(newMCU bool, comp, block int)) {
	if len(comps) == 1 {
		c := &p.comps[comps[0]]
		for j := range c.blocks {
			at := p.footprint(comps[0], j).Min
			// A scan of one component has no blocks that are padding only.
			if at.X < p.w && at.Y < p.h {
				visit(true, comps[0], j)
			}
		}
		return
	}
	first := &p.comps[0]
	cols, rows := first.across/first.h, len(first.blocks)/first.across/first.v
	for m := range cols * rows {
		for k, i := range comps {
			c := &p.comps[i]
			for j := range c.h * c.v {
				x, y := m%cols*c.h+j%c.h, m/cols*c.v+j/c.h
				visit(k == 0 && j == 0, i, y*c.across+x)
			}
		}
	}
}

func dcSymbols() []byte { return []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11} }

func acSymbols() []byte {
	s := []byte{0x00, 0xf0}
	for run := range 16 {
		for size := 1; size <= 10; size++ {
			s = append(s, byte(run<<4|size))
		}
	}
	return s
}

type bitWriter struct {
	out  *bytes.Buffer
	acc  uint64
	have int
}

func (w *bitWriter) put(v, n int) {
	w.acc = w.acc<<n | uint64(v)&(1<<n-1)
	for w.have += n; w.have >= 8; w.have -= 8 {
		b := byte(w.acc >> (w.have - 8))
		w.out.WriteByte(b)
		if b == 0xff {
			w.out.WriteByte(0)
		}
	}
}

func (w *bitWriter) flush() {
	if w.have > 0 {
		w.put(0x7f, 8-w.have)
	}
}

// value writes the symbol of run and size, then the bits of v.
func (w *bitWriter) value(run, v, codeBits int, symbols []byte) {
	size := bits.Len(uint(max(v, -v)))
	w.put(bytes.IndexByte(symbols, byte(run<<4|size)), codeBits)
	if v < 0 {
		v += 1<<size - 1
	}
	w.put(v, size)
}

func (w *bitWriter) ac(b *[64]int) {
	symbols := acSymbols()
	run := 0
	for _, v := range b[1:] {
		if v == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			w.put(bytes.IndexByte(symbols, 0xf0), 8)
		}
		w.value(run, v, 8, symbols)
		run = 0
	}
	if run > 0 {
		w.put(bytes.IndexByte(symbols, 0x00), 8)
	}
}

// exif is an APP1 segment with a thumbnail, as phones write it: a picture of
// all that is to be hidden.
func exif(thumbnail []byte) segment {
	tiff := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00")
	return segment{0xe1, append(tiff, thumbnail...)}
}
