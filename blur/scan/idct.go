package scan

import "encoding/binary"

// The inverse DCT of the low n x n coefficients of a block, scaled, gives the
// block reduced to n x n samples (K. R. Rao, P. Yip: Discrete Cosine Transform,
// 1990). Four points are the even half of eight, two the even half of four, so
// that one set of factors serves all: those of the factorisation by Loeffler,
// Ligtenberg and Moschytz (ICASSP 1989) with 12 multiplications for eight points.
// In fixed point, for the same samples on every machine.
const (
	fraction = 13

	f0298 = 2446  // sqrt(2) * (-c1+c3+c5-c7), with ck = cos(k*pi/16)
	f0390 = 3196  // sqrt(2) * (c3-c5)
	f0541 = 4433  // sqrt(2) * c6
	f0765 = 6270  // sqrt(2) * (c2-c6)
	f0899 = 7373  // sqrt(2) * (c3-c7)
	f1175 = 9633  // sqrt(2) * c3
	f1501 = 12299 // sqrt(2) * (c1+c3-c5-c7)
	f1847 = 15137 // sqrt(2) * (c2+c6)
	f1961 = 16069 // sqrt(2) * (c3+c5)
	f2053 = 16819 // sqrt(2) * (c1+c3-c5+c7)
	f2562 = 20995 // sqrt(2) * (c1+c3)
	f3072 = 25172 // sqrt(2) * (c1+c3+c5-c7)
)

// Between columns and rows two bits of the fraction are kept. Each direction
// leaves a factor of sqrt(8), which makes three bits.
const (
	columnShift = fraction - 2
	rowShift    = fraction + 2 + 3
)

func clamp(v int32) byte {
	if uint32(v) > 255 {
		return byte(^(v >> 31)) // 0 below, 255 above
	}
	return byte(v)
}

// flat paints a block of one value.
func flat(out []byte, width, n int, v byte) {
	word := uint64(v) * 0x0101010101010101
	for y := range n {
		row := out[y*width:]
		switch n {
		case 8:
			binary.LittleEndian.PutUint64(row, word)
		case 4:
			binary.LittleEndian.PutUint32(row, uint32(word))
		default:
			row[0], row[1] = v, v
		}
	}
}

// whole paints a block of 8x8 samples.
func whole(out []byte, width int, b *[64]int32) {
	for x := range 8 {
		if b[8+x]|b[16+x]|b[24+x]|b[32+x]|b[40+x]|b[48+x]|b[56+x] == 0 {
			v := b[x] << 2
			for y := 0; y < 64; y += 8 {
				b[y+x] = v
			}
			continue
		}
		c := (*[57]int32)(b[x : x+57])
		e0, e1, e2, e3 := even(c[0], c[16], c[32], c[48])
		o0, o1, o2, o3 := odd(c[8], c[24], c[40], c[56])
		const half = 1 << (columnShift - 1)
		c[0], c[56] = (e0+o0+half)>>columnShift, (e0-o0+half)>>columnShift
		c[8], c[48] = (e1+o1+half)>>columnShift, (e1-o1+half)>>columnShift
		c[16], c[40] = (e2+o2+half)>>columnShift, (e2-o2+half)>>columnShift
		c[24], c[32] = (e3+o3+half)>>columnShift, (e3-o3+half)>>columnShift
	}
	for y := range 8 {
		c := (*[8]int32)(b[8*y : 8*y+8])
		e0, e1, e2, e3 := even(c[0], c[2], c[4], c[6])
		o0, o1, o2, o3 := odd(c[1], c[3], c[5], c[7])
		const half = neutral<<rowShift + 1<<(rowShift-1)
		row := (*[8]byte)(out[y*width : y*width+8])
		row[0], row[7] = clamp((e0+o0+half)>>rowShift), clamp((e0-o0+half)>>rowShift)
		row[1], row[6] = clamp((e1+o1+half)>>rowShift), clamp((e1-o1+half)>>rowShift)
		row[2], row[5] = clamp((e2+o2+half)>>rowShift), clamp((e2-o2+half)>>rowShift)
		row[3], row[4] = clamp((e3+o3+half)>>rowShift), clamp((e3-o3+half)>>rowShift)
	}
}

// even is the half of eight points that is four points of its own.
func even(c0, c2, c4, c6 int32) (e0, e1, e2, e3 int32) {
	z := (c2 + c6) * f0541
	a, b := z+c2*f0765, z-c6*f1847
	s, d := (c0+c4)<<fraction, (c0-c4)<<fraction
	return s + a, d + b, d - b, s - a
}

// odd is the other half of eight points.
func odd(c1, c3, c5, c7 int32) (o0, o1, o2, o3 int32) {
	z1, z2, z3, z4 := -(c7+c1)*f0899, -(c5+c3)*f2562, c7+c3, c5+c1
	z5 := (z3 + z4) * f1175
	z3, z4 = z5-z3*f1961, z5-z4*f0390
	return c1*f1501 + z1 + z4, c3*f3072 + z2 + z3, c5*f2053 + z2 + z4, c7*f0298 + z1 + z3
}

// half paints a block of 4x4 samples. The four points are those of even, with
// coefficients 0 to 3 in the place of 0, 2, 4 and 6.
func half(out []byte, width int, b *[64]int32) {
	for x := range 4 {
		c := (*[25]int32)(b[x : x+25])
		e0, e1, e2, e3 := even(c[0], c[8], c[16], c[24])
		const half = 1 << (columnShift - 1)
		c[0], c[8] = (e0+half)>>columnShift, (e1+half)>>columnShift
		c[16], c[24] = (e2+half)>>columnShift, (e3+half)>>columnShift
	}
	for y := range 4 {
		c := (*[4]int32)(b[8*y : 8*y+4])
		e0, e1, e2, e3 := even(c[0], c[1], c[2], c[3])
		const half = neutral<<rowShift + 1<<(rowShift-1)
		row := (*[4]byte)(out[y*width : y*width+4])
		row[0], row[1] = clamp((e0+half)>>rowShift), clamp((e1+half)>>rowShift)
		row[2], row[3] = clamp((e2+half)>>rowShift), clamp((e3+half)>>rowShift)
	}
}

// quarter paints a block of 2x2 samples: sums and differences.
func quarter(out []byte, width int, b *[64]int32) {
	const half = 8*neutral + 4
	s, d, t, u := b[0]+b[8]+half, b[0]-b[8]+half, b[1]+b[9], b[1]-b[9]
	out[0], out[1] = clamp((s+t)>>3), clamp((s-t)>>3)
	out[width], out[width+1] = clamp((d+u)>>3), clamp((d-u)>>3)
}
