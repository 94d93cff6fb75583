package scan

import (
	"encoding/binary"
	"slices"
)

// writer puts bits behind bytes, with a zero byte stuffed behind each 0xff.
type writer struct {
	out []byte // as much as there is room for
	at  int    // up to where it is written
	acc uint64 // bits that are no whole word yet, at the top
	n   uint
}

// newWriter returns a writer that goes on behind dst.
func newWriter(dst []byte) writer { return writer{out: dst[:cap(dst)], at: len(dst)} }

// reserve makes room for so many bytes, each of which may be stuffed. What writes
// bits asks for no room itself.
func (w *writer) reserve(n int) {
	if need := 2*n + 16; len(w.out)-w.at < need {
		w.out = slices.Grow(w.out[:w.at], need+cap(w.out)/2)
		w.out = w.out[:cap(w.out)]
	}
}

// mcuRoom is what an MCU may need: ten blocks of 64 codes.
const mcuRoom = 10 * 64 * 27 / 8

// put writes the low size bits of v, at most 64. The bits above must be zero.
func (w *writer) put(v uint64, size uint) {
	if w.n+size < 64 {
		w.acc |= v << (64 - w.n - size)
		w.n += size
		return
	}
	over := w.n + size - 64 // bits for the next word
	w.word(w.acc | v>>over)
	w.acc, w.n = v<<(64-over), over // for none left over the shift by 64 leaves nothing
}

// symbol writes a code and the size bits behind it.
func (w *writer) symbol(c *codes, symbol uint8, v uint32, size uint) {
	w.put(uint64(c.code[symbol])<<size|uint64(v), uint(c.length[symbol])+size)
}

// word writes eight bytes. Of 32 words of a scan 31 hold no 0xff.
func (w *writer) word(v uint64) {
	if full(v) {
		w.at += stuff(w.out[w.at:], v)
		return
	}
	binary.BigEndian.PutUint64(w.out[w.at:], v)
	w.at += 8
}

// full tells whether one of the eight bytes is 0xff.
func full(v uint64) bool {
	const low, high = 0x0101010101010101, 0x8080808080808080
	return (^v-low)&v&high != 0
}

// stuff writes eight bytes and the zeroes behind those that are 0xff. It returns
// how many it has written.
func stuff(out []byte, v uint64) (n int) {
	for shift := 56; shift >= 0; shift -= 8 {
		out[n] = byte(v >> shift)
		n++
		if out[n-1] == 0xff {
			out[n] = 0
			n++
		}
	}
	return n
}

// copy writes the bits of buf between two positions; behind the last one there
// are eight bytes more to be read. It makes the room it needs.
func (w *writer) copy(buf []byte, from, to uint32) {
	w.reserve(int(to-from)/8 + 16)
	// Once the word that was begun is full, each word is read and written as a whole.
	lead := min(to-from, uint32(64-w.n)&63)
	w.short(buf, from, from+lead)
	from += lead
	words := (to - from) / 64
	src, shift, out := buf[from>>3:], from&7, w.out[w.at:] // in registers
	for range words {
		v := binary.BigEndian.Uint64(src)<<shift | uint64(src[8])>>(8-shift)
		src = src[8:]
		if full(v) {
			out = out[stuff(out, v):]
		} else {
			binary.BigEndian.PutUint64(out, v)
			out = out[8:]
		}
	}
	w.at = len(w.out) - len(out)
	w.short(buf, from+words*64, to)
}

// short writes fewer than 64 bits.
func (w *writer) short(buf []byte, from, to uint32) {
	if size := to - from; size > 0 {
		at, shift := from>>3, from&7
		v := binary.BigEndian.Uint64(buf[at:])<<shift | uint64(buf[at+8])>>(8-shift)
		w.put(v>>(64-size), uint(size))
	}
}

// finish fills the last byte with ones (T.81 section F.1.2.3).
func (w *writer) finish() []byte {
	w.reserve(16)
	if rest := w.n & 7; rest != 0 {
		w.put(1<<(8-rest)-1, 8-rest)
	}
	for ; w.n > 0; w.n -= 8 {
		b := byte(w.acc >> 56)
		w.out[w.at] = b
		w.at++
		if b == 0xff {
			w.out[w.at] = 0
			w.at++
		}
		w.acc <<= 8
	}
	return w.out[:w.at]
}
