//go:build cgo

package inference

// #cgo CFLAGS: -O3 -std=c11 -Wall -Wextra
// #cgo noescape gadeblik_lines
// #cgo nocallback gadeblik_lines
// #include "lines.h"
import "C"

// write does what writeGo does, to the last bit.
func (l *lines) write() {
	c := C.struct_gadeblik_lines{
		luma: l.luma.c(), cb: l.cb.c(), cr: l.cr.c(),
		x: l.x.c(), y: l.y.c(), cx: l.cx.c(), cy: l.cy.c(),
		rows:   (*C.float)(&l.rows[0]),
		pairs:  (*C.uint16_t)(&l.pairs[0]),
		red:    (*C.float)(&l.colours[0][0]),
		green:  (*C.float)(&l.colours[1][0]),
		blue:   (*C.float)(&l.colours[2][0]),
		stride: C.int(l.stride), width: C.int(l.width), height: C.int(l.height),
	}
	for i := range l.colours {
		c.tone.top[i], c.tone.quarter[i] = C.float(l.tone.top[i]), C.float(l.tone.quarter[i])
	}
	C.gadeblik_lines(c)
}

func (p plane) c() C.struct_gadeblik_plane {
	return C.struct_gadeblik_plane{
		samples: (*C.uint8_t)(&p.samples[0]),
		stride:  C.int(p.stride), width: C.int(p.width), height: C.int(p.height),
	}
}

func (t taps) c() C.struct_gadeblik_taps {
	c := C.struct_gadeblik_taps{at: (*C.uint16_t)(&t.at[0]), weight: (*C.float)(&t.weight[0])}
	if t.together {
		c.start, c.lanes = (*C.uint16_t)(&t.start[0]), (*C.uint8_t)(&t.lanes[0])
	}
	return c
}
