package scan

// recode appends a picture that is coded with Huffman tables of its own. It goes
// through the new picture twice: to count the symbols, and to write them.
func (p *Picture) recode(dst []byte, e *Edit) []byte {
	count := recoder{splicer: p.splicer(e)}
	count.run()

	write := recoder{splicer: p.splicer(e), writing: true}
	var k coding
	for class := range write.tables {
		for n := range write.tables[class] {
			if n > 0 && p.lone {
				continue
			}
			s := optimal(&count.seen[class][n])
			k.specs[class][n] = &s
			if err := write.tables[class][n].assign(&s); err != nil {
				panic("scan: internal error: " + err.Error())
			}
		}
	}
	for i := range p.components {
		k.of[i] = [2]int{min(i, 1), min(i, 1)}
	}
	write.w = newWriter(p.preamble(dst, e.Keep, k))
	write.run()
	return append(write.w.finish(), 0xff, mEOI)
}

// recoder takes a new picture apart into symbols, which it counts or writes. Luma
// has one pair of tables and chroma another, whatever the source has.
type recoder struct {
	splicer
	writing bool
	w       writer
	seen    [2][2][256]int
	tables  [2][2]codes
}

func (c *recoder) run() {
	p := c.p
	for y := c.e.Keep.Min.Y; y < c.e.Keep.Max.Y; y++ {
		for x := c.e.Keep.Min.X; x < c.e.Keep.Max.X; x++ {
			m := y*p.cols + x
			gone := c.e.Gone[m]
			if !gone {
				c.r.seek(p.position[m])
			}
			if c.writing {
				c.w.reserve(mcuRoom)
			}
			for i := range p.components {
				c.component(i, x, y, gone)
			}
		}
	}
}

// component codes the blocks of one component of an MCU.
func (c *recoder) component(i, x, y int, gone bool) {
	comp := &c.p.components[i]
	var space [len(Block{})]symbol
	for by := y * comp.v; by < (y+1)*comp.v; by++ {
		for bx := x * comp.h; bx < (x+1)*comp.h; bx++ {
			if gone {
				b := &c.take(1)[0]
				c.difference(i, b.dc())
				for _, s := range b.ac(&space) {
					c.symbol(acClass, i, s.value, uint32(s.low), uint(s.size))
				}
				continue
			}
			c.r.dc(c.p.table(dcClass, i))
			c.difference(i, int32(comp.dc[by*comp.cols+bx]))
			c.keptAC(i)
		}
	}
}

func (c *recoder) difference(i int, dc int32) {
	v, size := magnitude(dc - c.predicted[i])
	c.predicted[i] = dc
	c.symbol(dcClass, i, uint8(size), v, size)
}

// keptAC codes the AC coefficients of a block as they are.
func (c *recoder) keptAC(i int) {
	t := c.p.table(acClass, i)
	for k := 1; k < 64; {
		c.r.fill()
		s := t.next(c.r.acc, acClass)
		if s.advance() == 0 {
			c.r.drop(s.bits())
			c.symbol(acClass, i, endBlock, 0, 0)
			return
		}
		v := uint32(0)
		if s.size() > 0 {
			v = uint32(c.r.acc << (s.bits() - s.size()) >> (64 - s.size()))
		}
		c.r.drop(s.bits())
		c.symbol(acClass, i, uint8(s.advance()-1)<<4|uint8(s.size()), v, s.size())
		k += s.advance()
	}
}

// symbol counts a symbol, or writes it with the bits behind it.
func (c *recoder) symbol(k class, component int, symbol uint8, v uint32, size uint) {
	n := min(component, 1)
	if !c.writing {
		c.seen[k][n][symbol]++
		return
	}
	c.w.symbol(&c.tables[k][n], symbol, v, size)
}

// optimal returns the Huffman table with the shortest codes for symbols that are
// seen so often, none longer than 16 bits and none all ones (T.81 section K.2,
// figures K.1 to K.4). A table without symbols gets one: decoders want a code.
func optimal(seen *[256]int) spec {
	var size [257]int
	codeSizes(seen, &size)
	var counts [257]int
	for _, n := range size {
		counts[n]++
	}
	counts[0] = 0 // symbols that do not occur
	shorten(&counts)
	var s spec
	for length := 1; length <= 16; length++ {
		s.counts[length-1] = uint8(counts[length])
	}
	k := 0
	for length := 1; length < len(size); length++ {
		for symbol, n := range size[:256] {
			if n == length {
				s.symbols[k] = uint8(symbol)
				k++
			}
		}
	}
	return s
}

// codeSizes merges the two rarest trees until one is left (figure K.1). Entry 256
// is a symbol that is seen once and never written: it takes the code of all ones.
func codeSizes(seen *[256]int, size *[257]int) {
	var freq [257]int
	var others [257]int
	copy(freq[:], seen[:])
	freq[256] = 1
	if *seen == ([256]int{}) {
		freq[0] = 1
	}
	for i := range others {
		others[i] = -1
	}
	for {
		a := rarest(&freq, -1)
		b := rarest(&freq, a)
		if b < 0 {
			return
		}
		freq[a], freq[b] = freq[a]+freq[b], 0
		deepen(a, size, &others)
		last := a
		for others[last] >= 0 {
			last = others[last]
		}
		others[last] = b
		deepen(b, size, &others)
	}
}

// rarest returns the tree that is seen least, the last one of several, and not
// but; -1 if there is none.
func rarest(freq *[257]int, but int) int {
	found := -1
	for i, f := range freq {
		if f > 0 && i != but && (found < 0 || f <= freq[found]) {
			found = i
		}
	}
	return found
}

// deepen makes the codes of a tree one bit longer.
func deepen(tree int, size, others *[257]int) {
	for ; tree >= 0; tree = others[tree] {
		size[tree]++
	}
}

// shorten brings all codes down to 16 bits (figure K.3) and takes the one of all
// ones away.
func shorten(counts *[257]int) {
	for i := len(counts) - 1; i > 16; {
		if counts[i] == 0 {
			i--
			continue
		}
		j := i - 2
		for counts[j] == 0 {
			j--
		}
		counts[i] -= 2
		counts[i-1]++
		counts[j+1] += 2
		counts[j]--
	}
	i := 16
	for counts[i] == 0 {
		i--
	}
	counts[i]--
}
