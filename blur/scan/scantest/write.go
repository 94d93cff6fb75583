package scantest

import (
	"bytes"
	"image/jpeg"
	"math/bits"

	"image"
)

// quantisation is of every coefficient.
const quantisation = 8

// Bytes writes the file.
func (p *Picture) Bytes() []byte {
	w := &writer{p: p, tables: tablesOf(p.Coding)}
	w.out.Write([]byte{0xff, 0xd8})
	for _, s := range p.Meta {
		w.segment(s.Marker, s.Data...)
	}
	w.segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{quantisation}, 64)...)...)
	frame := []byte{8, byte(p.H >> 8), byte(p.H), byte(p.W >> 8), byte(p.W), byte(len(p.Components))}
	all := make([]int, len(p.Components))
	for i, c := range p.Components {
		frame = append(frame, c.ID, byte(c.H<<4|c.V), 0)
		all[i] = i
	}
	if p.Progressive {
		w.segment(0xc2, frame...)
	} else {
		w.segment(0xc0, frame...)
	}
	if p.Coding != Without {
		w.segment(0xc4, w.tables.dht...)
	}
	if p.Restart > 0 {
		w.segment(0xdd, byte(p.Restart>>8), byte(p.Restart))
	}
	if !p.Progressive {
		w.scan(all, 0, 63)
	} else {
		w.scan(all, 0, 0)
		for i := range all {
			w.scan([]int{i}, 1, 63)
		}
	}
	w.out.Write([]byte{0xff, 0xd9})
	return w.out.Bytes()
}

// tables are the codes of luma's standard tables, or flat ones.
type tables struct {
	dht    []byte
	dc, ac map[byte]code
}

type code struct{ bits, length int }

// tablesOf returns flat codes, in which symbol i is coded as i in 4 and in 8 bits,
// or the first DC and AC table of a picture that the standard library writes.
func tablesOf(c Coding) tables {
	if c == Own {
		dc := append([]byte{0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, dcSymbols()...)
		ac := append([]byte{0x10, 0, 0, 0, 0, 0, 0, 0, 162, 0, 0, 0, 0, 0, 0, 0, 0}, acSymbols()...)
		return tables{append(dc, ac...), codesOf(dc[1:]), codesOf(ac[1:])}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		panic("scantest: internal error: " + err.Error())
	}
	at := bytes.Index(b.Bytes(), []byte{0xff, 0xc4}) + 4
	dht := b.Bytes()[at:]
	dc := dht[:17+12]
	ac := dht[17+12:][:17+162]
	return tables{append(bytes.Clone(dc), ac...), codesOf(dc[1:]), codesOf(ac[1:])}
}

// codesOf gives the symbols of a table their codes.
func codesOf(table []byte) map[byte]code {
	codes := map[byte]code{}
	next, k := 0, 16
	for length := 1; length <= 16; length++ {
		for range table[length-1] {
			codes[table[k]] = code{next, length}
			next, k = next+1, k+1
		}
		next <<= 1
	}
	return codes
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

// writer puts a file together.
type writer struct {
	p      *Picture
	tables tables
	out    bytes.Buffer
	acc    uint64
	have   int
}

func (w *writer) segment(marker byte, data ...byte) {
	w.out.Write([]byte{0xff, marker, byte((len(data) + 2) >> 8), byte(len(data) + 2)})
	w.out.Write(data)
}

// scan writes the coefficients first to last of the components.
func (w *writer) scan(components []int, first, last int) {
	head := []byte{byte(len(components))}
	for _, i := range components {
		head = append(head, w.p.Components[i].ID, 0)
	}
	w.segment(0xda, append(head, byte(first), byte(last), 0)...)
	dc := make([]int, len(w.p.Components))
	mcus := 0
	w.p.walk(components, func(newMCU bool, component, block int) {
		if newMCU && w.p.Restart > 0 && mcus > 0 && mcus%w.p.Restart == 0 {
			w.flush()
			w.out.Write([]byte{0xff, 0xd0 + byte(mcus/w.p.Restart-1)&7})
			clear(dc)
		}
		if newMCU {
			mcus++
		}
		b := &w.p.Components[component].Blocks[block]
		if first == 0 {
			w.value(w.tables.dc, 0, b[0]-dc[component])
			dc[component] = b[0]
		}
		if last > 0 {
			w.ac(b)
		}
	})
	w.flush()
}

// walk visits the blocks in the order of a scan.
func (p *Picture) walk(components []int, visit func(newMCU bool, component, block int)) {
	if len(components) == 1 {
		c := &p.Components[components[0]]
		for j := range c.Blocks {
			at := p.Footprint(components[0], j).Min
			// A scan of one component has no blocks that are padding only.
			if at.X < p.W && at.Y < p.H {
				visit(true, components[0], j)
			}
		}
		return
	}
	first := &p.Components[0]
	cols, rows := first.Across/first.H, len(first.Blocks)/first.Across/first.V
	for m := range cols * rows {
		for k, i := range components {
			c := &p.Components[i]
			for j := range c.H * c.V {
				x, y := m%cols*c.H+j%c.H, m/cols*c.V+j/c.H
				visit(k == 0 && j == 0, i, y*c.Across+x)
			}
		}
	}
}

func (w *writer) put(v, n int) {
	w.acc = w.acc<<n | uint64(v)&(1<<n-1)
	for w.have += n; w.have >= 8; w.have -= 8 {
		b := byte(w.acc >> (w.have - 8))
		w.out.WriteByte(b)
		if b == 0xff {
			w.out.WriteByte(0)
		}
	}
}

func (w *writer) flush() {
	if w.have > 0 {
		w.put(0x7f, 8-w.have)
	}
}

func (w *writer) symbol(codes map[byte]code, symbol int) {
	c := codes[byte(symbol)]
	w.put(c.bits, c.length)
}

// value writes the symbol of run and size, then the bits of v.
func (w *writer) value(codes map[byte]code, run, v int) {
	size := bits.Len(uint(max(v, -v)))
	w.symbol(codes, run<<4|size)
	if v < 0 {
		v += 1<<size - 1
	}
	w.put(v, size)
}

func (w *writer) ac(b *[64]int) {
	run := 0
	for _, v := range b[1:] {
		if v == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			w.symbol(w.tables.ac, 0xf0)
		}
		w.value(w.tables.ac, run, v)
		run = 0
	}
	if run > 0 {
		w.symbol(w.tables.ac, 0x00)
	}
}
