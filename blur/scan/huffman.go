package scan

import "errors"

// spec is a Huffman table as a DHT segment says it (T.81 section B.2.4.2): how
// many codes there are of each length from 1 to 16, and their symbols in order.
type spec struct {
	counts  [16]uint8
	symbols [256]uint8
}

// total returns how many codes the table has.
func (s *spec) total() (n int) {
	for _, c := range s.counts {
		n += int(c)
	}
	return n
}

// Codes of up to lookupBits are found by one look at a table, which covers all but
// one code in some 150. The tables of several codes at once take two bits more:
// those of luma and of chroma then just fit a processor's first cache.
const (
	lookupBits = 11
	skipBits   = 13
)

// table is a Huffman table in use, for one class of coefficients: of DC, a symbol
// is the size in bits of the difference that follows it; of AC, it is a run of
// zeroes and the size of the coefficient behind them (T.81 section F.1.2).
type table struct {
	spec spec
	made bool

	// By the next lookupBits bits: what the code there means, 0 if it is longer.
	step [1 << lookupBits]step
	// skip is the same for as many whole AC codes as the next skipBits bits hold.
	skip [1 << skipBits]skip

	// By length: the first code and its place among the symbols, and the code
	// behind the last one (T.81 section F.2.2.3).
	first, beyond [17]int32
	place         [17]int32

	codes codes
}

// codes are what symbols are written with.
type codes struct {
	code   [256]uint16 // by symbol
	length [256]uint8  // of the code; 0 if the table lacks the symbol
}

// step is one code with the bits that belong to it:
//
//	bits 0-5    length of both together
//	bits 6-10   coefficients it moves on by; 0 ends the block
//	bits 11-14  length of the coefficient alone
//	bit  15     the coefficient is in bits 16-31, as an int16
type step uint32

const hasValue step = 1 << 15

func (s step) bits() uint   { return uint(s & 63) }
func (s step) advance() int { return int(s >> 6 & 31) }
func (s step) size() uint   { return uint(s >> 11 & 15) }

// value returns the coefficient; acc holds the code at its top.
func (s step) value(acc uint64) int32 {
	if s&hasValue != 0 {
		return int32(int16(s >> 16))
	}
	return s.read(acc)
}

// read is value, from the bits behind the code. It is rare; apart, so that value is
// small enough to be inlined.
//
//go:noinline
func (s step) read(acc uint64) int32 {
	if s.size() == 0 {
		return 0
	}
	return extend(uint32(acc<<(s.bits()-s.size())>>(64-s.size())), s.size())
}

// extend is the coefficient that size bits mean (T.81 figure F.12).
func extend(v uint32, size uint) int32 {
	if v < 1<<(size-1) {
		return int32(v) - 1<<size + 1
	}
	return int32(v)
}

// skip is some whole AC codes: bits 0-5 their length, bits 6-12 by how many
// coefficients they move on, bit 13 that they end the block.
type skip uint16

const (
	endsBlock skip = 1 << 13
	notWhole  skip = 127 << 6 // not even one code: on beyond every block
)

func (s skip) bits() uint   { return uint(s & 63) }
func (s skip) advance() int { return int(s >> 6 & 127) }

// class is what a table's symbols mean.
type class uint8

const (
	dcClass class = 0
	acClass class = 1
)

const (
	maxDCSize = 11 // bits of a DC difference of samples of eight bits
	maxACSize = 10 // bits of an AC coefficient
	zeroRun   = 0xf0
	endBlock  = 0x00
)

// step returns the meaning of a symbol whose code has so many bits, 0 if it has
// none in a baseline picture.
func (c class) step(symbol uint8, length int) step {
	run, size := int(symbol>>4), int(symbol&15)
	if c == dcClass {
		if symbol > maxDCSize {
			return 0
		}
		return step(length+int(symbol)) | 1<<6 | step(symbol)<<11
	}
	switch {
	case symbol == endBlock:
		return step(length)
	case size > maxACSize || size == 0 && symbol != zeroRun:
		return 0
	}
	return step(length+size) | step(run+1)<<6 | step(size)<<11
}

var errTable = errors.New("a Huffman table with more codes than there are bits for")

// make fills the table unless it is that already: from one frame of a camera to
// the next it stays the same.
func (t *table) make(s *spec, c class) error {
	if t.made && t.spec == *s {
		return nil
	}
	*t = table{spec: *s}
	if err := t.codes.assign(s); err != nil {
		return err
	}
	t.bound()
	for w := range t.step {
		t.step[w] = t.single(uint32(w), c)
	}
	if c == acClass {
		for w := range t.skip {
			t.skip[w] = t.several(uint32(w))
		}
	}
	t.made = true
	return nil
}

// assign gives each symbol its code, in order of the codes (T.81 section C.2).
func (c *codes) assign(s *spec) error {
	code, k := 0, 0
	for length := 1; length <= 16; length++ {
		n := int(s.counts[length-1])
		if code+n > 1<<length || k+n > len(s.symbols) {
			return errTable
		}
		for _, symbol := range s.symbols[k : k+n] {
			c.code[symbol], c.length[symbol] = uint16(code), uint8(length)
			code++
		}
		code, k = code<<1, k+n
	}
	return nil
}

// bound notes where the codes of each length begin and end.
func (t *table) bound() {
	code, k := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		n := int32(t.spec.counts[length-1])
		t.first[length], t.place[length], t.beyond[length] = code, k, code+n
		code, k = (code+n)<<1, k+n
	}
}

// find returns the symbol whose code begins the top of acc and the length of the
// code, 0 if there is none.
func (t *table) find(acc uint64) (symbol uint8, length int) {
	for length := 1; length <= 16; length++ {
		code := int32(acc >> (64 - length))
		if code >= t.first[length] && code < t.beyond[length] {
			return t.spec.symbols[t.place[length]+code-t.first[length]], length
		}
	}
	return 0, 0
}

// next is the step at the top of acc; 0 for no code.
func (t *table) next(acc uint64, c class) step {
	s := t.step[acc>>(64-lookupBits)]
	if s == 0 {
		s = t.slow(acc, c)
	}
	return s
}

// slow is the step at the top of acc where the lookup has none; 0 for no code.
func (t *table) slow(acc uint64, c class) step {
	symbol, length := t.find(acc)
	if length == 0 {
		return 0
	}
	return c.step(symbol, length)
}

// single is the step that the bits w begin with, 0 if its code is longer. It
// holds the coefficient if w does.
func (t *table) single(w uint32, c class) step {
	acc := uint64(w) << (64 - lookupBits)
	symbol, length := t.find(acc)
	if length == 0 || length > lookupBits {
		return 0
	}
	s := c.step(symbol, length)
	if s != 0 && (s.size() > 0 || c == dcClass) && s.bits() <= lookupBits {
		s |= step(uint16(s.value(acc)))<<16 | hasValue
	}
	return s
}

// several gathers the whole steps that w holds.
func (t *table) several(w uint32) skip {
	var bits uint
	advance := 0
	for bits < skipBits {
		s := t.step[w<<bits&(1<<skipBits-1)>>(skipBits-lookupBits)]
		if s == 0 || bits+s.bits() > skipBits || advance+s.advance() > 63 {
			break
		}
		bits += s.bits()
		advance += s.advance()
		if s.advance() == 0 {
			return skip(bits) | skip(advance)<<6 | endsBlock
		}
	}
	if bits == 0 {
		return notWhole
	}
	return skip(bits) | skip(advance)<<6
}
