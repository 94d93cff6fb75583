package scantest

import (
	"bytes"
	"fmt"
)

// Read takes a baseline JPEG of one scan apart into its coefficients, bit by bit
// as the standard says and as slowly: what is read here was not read with the code
// under test. It understands what [Picture.Bytes] and package scan write. Tables
// are not kept.
func Read(data []byte) (*Picture, error) {
	r := &fileReader{data: data, p: &Picture{}}
	return r.p, r.read()
}

// Offsets returns where in such a file each MCU begins, by the byte that has its
// first bit, and where the last one ends.
func Offsets(data []byte) ([]int, error) {
	r := &fileReader{data: data, p: &Picture{}}
	err := r.read()
	return r.offsets, err
}

func (r *fileReader) read() error {
	data := r.data
	for r.at = 2; ; {
		if r.at+4 > len(data) || data[r.at] != 0xff {
			return fmt.Errorf("no marker at byte %d", r.at)
		}
		marker, n := data[r.at+1], int(data[r.at+2])<<8|int(data[r.at+3])
		if r.at+2+n > len(data) {
			return fmt.Errorf("segment of %d bytes at byte %d", n, r.at)
		}
		body := data[r.at+4 : r.at+2+n]
		r.at += 2 + n
		switch marker {
		case 0xc0:
			r.frame(body)
		case 0xc4:
			r.huffman(body)
		case 0xdd:
			r.p.Restart = int(body[0])<<8 | int(body[1])
		case 0xda:
			return r.scan(body)
		}
	}
}

type fileReader struct {
	data   []byte
	at     int
	p      *Picture
	tables [2][4]map[code]byte
	bits   []byte // of the scan that are left, one in a byte
	where  []int  // by bit, its byte in the file

	total   int   // of bits
	offsets []int // by MCU, then of the end
}

func (r *fileReader) frame(b []byte) {
	l := Layout{IDs: ""}
	for i := range int(b[5]) {
		c := b[6+3*i:]
		l.IDs += string(c[:1])
		if i == 0 {
			l.H, l.V = int(c[1]>>4), int(c[1]&15)
		}
	}
	restart := r.p.Restart
	*r.p = *New(int(b[3])<<8|int(b[4]), int(b[1])<<8|int(b[2]), l)
	r.p.Restart = restart
}

func (r *fileReader) huffman(b []byte) {
	for len(b) > 17 {
		class, id := b[0]>>4, b[0]&15
		n := 0
		for _, c := range b[1:17] {
			n += int(c)
		}
		table := map[code]byte{}
		for symbol, c := range codesOf(b[1 : 17+n]) {
			table[c] = symbol
		}
		r.tables[class][id] = table
		b = b[17+n:]
	}
}

// scan reads the coefficients.
func (r *fileReader) scan(head []byte) (err error) {
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("the scan ends early: %v", e)
		}
	}()
	end := bytes.LastIndex(r.data, []byte{0xff, 0xd9})
	r.unstuff(r.data[r.at:end])
	all := make([]int, len(r.p.Components))
	for i := range all {
		all[i] = i
	}
	dc := make([]int, len(all))
	mcus := 0
	r.p.walk(all, func(newMCU bool, component, block int) {
		if newMCU && r.p.Restart > 0 && mcus > 0 && mcus%r.p.Restart == 0 {
			clear(dc)
			for r.bits[0] != restartMark {
				r.bits = r.bits[1:]
			}
			r.bits = r.bits[1:]
		}
		if newMCU {
			mcus++
			r.note()
		}
		tables := head[2+2*component]
		b := &r.p.Components[component].Blocks[block]
		dc[component] += r.value(int(r.symbol(r.tables[0][tables>>4])))
		b[0] = dc[component]
		for k := 1; k < 64; k++ {
			s := r.symbol(r.tables[1][tables&15])
			if s == 0 {
				break
			}
			k += int(s >> 4)
			b[k] = r.value(int(s & 15))
		}
	})
	r.note()
	if len(r.bits) >= 8 {
		return fmt.Errorf("%d bits are left", len(r.bits))
	}
	return nil
}

// restartMark stands among the bits for a restart marker.
const restartMark = 2

func (r *fileReader) unstuff(b []byte) {
	for i := 0; i < len(b); i++ {
		if b[i] == 0xff && i+1 < len(b) && b[i+1] >= 0xd0 && b[i+1] <= 0xd7 {
			r.bits, r.where = append(r.bits, restartMark), append(r.where, r.at+i)
			i++
			continue
		}
		for j := 7; j >= 0; j-- {
			r.bits, r.where = append(r.bits, b[i]>>j&1), append(r.where, r.at+i)
		}
		if b[i] == 0xff {
			i++
		}
	}
	r.total = len(r.bits)
	r.where = append(r.where, r.at+len(b))
}

// note remembers where the reader is.
func (r *fileReader) note() { r.offsets = append(r.offsets, r.where[r.total-len(r.bits)]) }

func (r *fileReader) symbol(table map[code]byte) byte {
	c := code{}
	for c.length < 16 {
		c = code{c.bits<<1 | int(r.bits[0]), c.length + 1}
		r.bits = r.bits[1:]
		if s, ok := table[c]; ok {
			return s
		}
	}
	panic("no code")
}

func (r *fileReader) value(size int) int {
	v := 0
	for range size {
		v = v<<1 | int(r.bits[0])
		r.bits = r.bits[1:]
	}
	if size > 0 && v < 1<<(size-1) {
		v += -1<<size + 1
	}
	return v
}
