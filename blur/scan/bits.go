package scan

import "encoding/binary"

// overrun is how far behind the end of a scan its reader may get before it
// notices: one MCU of ten blocks of 64 codes, each with at most 27 bits. So many
// bytes are there to be read.
const overrun = 10*64*27/8 + 64

// reader takes codes from a scan whose stuffing and markers were removed. The
// scan is followed by at least overrun bytes, so that positions need checking
// only after each MCU.
type reader struct {
	buf []byte
	at  int    // next byte to take
	acc uint64 // bits taken, the next one at the top
	n   uint   // how many of them count; those below are the same bits or zeroes
}

// position returns the position of the next bit.
func (r *reader) position() uint32 { return uint32(r.at)*8 - uint32(r.n) }

// seek moves to a position.
func (r *reader) seek(position uint32) {
	r.at, r.acc, r.n = int(position>>3), 0, 0
	r.fill()
	r.acc <<= position & 7
	r.n -= uint(position & 7)
}

// fill makes at least 56 bits count.
func (r *reader) fill() { r.at, r.acc, r.n = filled(r.buf, r.at, r.acc, r.n) }

// filled is fill, for what is in registers.
func filled(buf []byte, at int, acc uint64, n uint) (int, uint64, uint) {
	return at + int(63-n)>>3, acc | binary.BigEndian.Uint64(buf[at:])>>(n&63), n | 56
}

func (r *reader) drop(bits uint) {
	r.acc <<= bits
	r.n -= bits
}

// dc takes a DC difference; false for a code that there is not.
func (r *reader) dc(t *table) (int32, bool) {
	r.fill()
	s := t.next(r.acc, dcClass)
	if s == 0 {
		return 0, false
	}
	v := s.value(r.acc)
	r.drop(s.bits())
	return v, true
}

// zigzag is where in a block of rows the coefficients stand (T.81 figure A.6).
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// wanted are the coefficients of a block that its painting needs: those up to number
// last, in zig-zag order.
type wanted struct {
	last    int
	quant   *[64]int32
	co      [64]int32 // by rows, dequantised; zero before they are taken
	highest int       // number of the highest that was taken and is not zero, 0 if none is
}

// skip takes the rest of a block from coefficient k on; false if the codes make
// no block.
func (r *reader) skip(ac *table, k int) bool {
	_, ok := r.follow(nil, ac, k, nil)
	return ok
}

// follow takes a DC difference, unless dc is nil, and the AC coefficients from k on:
// those that are wanted, and of the others no more than where they end; false if the
// codes make no block. It is where the time of a walk goes, and so one function.
func (r *reader) follow(dc, ac *table, k int, w *wanted) (diff int32, ok bool) {
	buf, at, acc, n := r.buf, r.at, r.acc, r.n // in registers
	at, acc, n = filled(buf, at, acc, n)
	if dc != nil {
		s := dc.next(acc, dcClass)
		if s == 0 {
			return 0, false
		}
		diff = s.value(acc)
		acc <<= s.bits() & 63
		n -= s.bits() // which leaves at least 56-27: enough for the longest AC code
	}
	for w != nil && k <= w.last {
		s := ac.next(acc, acClass)
		if s == 0 {
			return 0, false
		}
		if k += s.advance(); s.size() > 0 && k-1 <= w.last { // a run may lead beyond
			w.highest = k - 1
			w.co[zigzag[(k-1)&63]] = s.value(acc) * w.quant[(k-1)&63]
		}
		acc <<= s.bits() & 63
		n -= s.bits()
		if s.advance() == 0 || k >= 64 {
			r.at, r.acc, r.n = at, acc, n
			return diff, k <= 64
		}
		if n < 32 {
			at, acc, n = filled(buf, at, acc, n)
		}
	}
	for {
		// Some codes at once, as long as the last of them cannot be beyond the block.
		if s := ac.skip[acc>>(64-skipBits)]; k+s.advance() < 64 {
			acc <<= s.bits() & 63
			n -= s.bits()
			k += s.advance()
			if s&endsBlock != 0 {
				break
			}
		} else {
			s := ac.next(acc, acClass)
			if s == 0 {
				return 0, false
			}
			acc <<= s.bits() & 63
			n -= s.bits()
			k += s.advance()
			if s.advance() == 0 || k >= 64 {
				break
			}
		}
		if n < 32 {
			at, acc, n = filled(buf, at, acc, n)
		}
	}
	r.at, r.acc, r.n = at, acc, n
	return diff, k <= 64
}
