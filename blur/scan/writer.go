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

// put writes the low size bits of v, at most 32. The bits above must be zero.
func (w *writer) put(v uint32, size uint) {
	if w.n+size < 64 {
		w.acc |= uint64(v) << (64 - w.n - size)
		w.n += size
		return
	}
	over := w.n + size - 64 // bits for the next word
	w.word(w.acc | uint64(v)>>over)
	w.acc, w.n = uint64(v)<<(64-over), over
}

// symbol writes a code and the size bits behind it: together at most 16+11.
func (w *writer) symbol(c *codes, symbol uint8, v uint32, size uint) {
	w.put(uint32(c.code[symbol])<<size|v, uint(c.length[symbol])+size)
}

// word writes eight bytes. Of 32 words of a scan 31 hold no 0xff.
func (w *writer) word(v uint64) {
	if !full(v) {
		binary.BigEndian.PutUint64(w.out[w.at:], v)
		w.at += 8
		return
	}
	for shift := 56; shift >= 0; shift -= 8 {
		w.byte(byte(v >> shift))
	}
}

// full tells whether one of the eight bytes is 0xff.
func full(v uint64) bool {
	const low, high = 0x0101010101010101, 0x8080808080808080
	return (^v-low)&v&high != 0
}

func (w *writer) byte(b byte) {
	w.out[w.at] = b
	w.at++
	if b == 0xff {
		w.out[w.at] = 0
		w.at++
	}
}

// copy writes the bits of buf between two positions; behind the last one there
// are eight bytes more to be read. It makes the room it needs.
func (w *writer) copy(buf []byte, from, to uint32) {
	w.reserve(int(to-from)/8 + 16)
	words := (to - from) / 64
	at, shift, n := int(from>>3), from&7, w.n
	acc, out, end := w.acc, w.out, w.at // in registers
	for range words {
		v := binary.BigEndian.Uint64(buf[at:])<<shift | uint64(buf[at+8])>>(8-shift)
		at += 8
		if word := acc | v>>n; full(word) {
			w.at = end
			w.word(word)
			end = w.at
		} else {
			binary.BigEndian.PutUint64(out[end:], word)
			end += 8
		}
		acc = v << (64 - n) // for n of 0 the shift by 64 leaves nothing
	}
	w.acc, w.at = acc, end
	w.short(buf, from+words*64, to)
}

// short writes fewer than 64 bits.
func (w *writer) short(buf []byte, from, to uint32) {
	for size := uint(to - from); size > 0; size = uint(to - from) {
		take := min(size, 32)
		v := binary.BigEndian.Uint64(buf[from>>3:]) << (from & 7) >> (64 - take)
		w.put(uint32(v), take)
		from += uint32(take)
	}
}

// finish fills the last byte with ones (T.81 section F.1.2.3).
func (w *writer) finish() []byte {
	w.reserve(16)
	if rest := w.n & 7; rest != 0 {
		w.put(1<<(8-rest)-1, 8-rest)
	}
	for ; w.n > 0; w.n -= 8 {
		w.byte(byte(w.acc >> 56))
		w.acc <<= 8
	}
	return w.out[:w.at]
}
