package scan

import (
	"fmt"
	"image"
)

// view is the picture at one reduction.
type view struct {
	made  bool
	used  bool // there may be something to be zeroed
	n     int  // samples of a block on each side
	img   image.YCbCr
	pix   [3][]byte // by component; whole MCUs
	width [3]int    // of a row of pix
}

// place is a block of a component.
type place struct{ component, x, y int }

// Planes returns the picture reduced to 1/reduce of its size on each side, rounded
// up; reduce is 1, 2, 4 or 8. A grey picture has neutral chroma of 4:2:0. The
// planes are of p: they are good until the next Open or Wipe, and not to be
// written.
func (p *Picture) Planes(reduce int) (*image.YCbCr, error) {
	if p.size == (image.Point{}) {
		return nil, fmt.Errorf("%w: no picture", ErrUnsupported)
	}
	var v *view
	switch reduce {
	case 1, 2, 4, 8:
		v = &p.views[map8[reduce]]
	default:
		return nil, fmt.Errorf("planes reduced by %d: want 1, 2, 4 or 8", reduce)
	}
	if v.made {
		return &v.img, nil
	}
	p.layOut(v, 8/reduce)
	var err error
	if reduce == 8 {
		if err = p.Walk(); err == nil {
			p.paintDC(v)
		}
	} else {
		p.wanted = wanted{last: lastOf[v.n]} // a damaged scan may have left something
		err = p.walk(v)
	}
	if err != nil {
		return nil, err
	}
	v.made = true
	return &v.img, nil
}

// map8 is the place of a reduction among the views.
var map8 = [9]int{1: 0, 2: 1, 4: 2, 8: 3}

// layOut gives v memory for blocks of n samples a side.
func (p *Picture) layOut(v *view, n int) {
	v.n, v.used = n, true
	reduce := 8 / n
	size := image.Pt(ceilDiv(p.size.X, reduce), ceilDiv(p.size.Y, reduce))
	for i := range p.components {
		c := &p.components[i]
		v.width[i] = c.cols * n
		v.pix[i] = sized(v.pix[i], v.width[i]*c.rows*n)
	}
	if p.lone {
		width := (size.X + 1) / 2
		for i := 1; i < 3; i++ {
			v.width[i] = width
			v.pix[i] = sized(v.pix[i], width*((size.Y+1)/2))
			fill(v.pix[i], neutral)
		}
	}
	v.img = image.YCbCr{
		Y: v.pix[0], Cb: v.pix[1], Cr: v.pix[2],
		YStride: v.width[0], CStride: v.width[1],
		SubsampleRatio: p.ratio(), Rect: image.Rectangle{Max: size},
	}
}

// neutral is the sample of a plane at zero.
const neutral = 128

func fill(s []byte, v byte) {
	for i := range s {
		s[i] = v
	}
}

// ratio returns the name of the sampling.
func (p *Picture) ratio() image.YCbCrSubsampleRatio {
	if p.lone {
		return image.YCbCrSubsampleRatio420
	}
	switch first := &p.components[0]; [2]int{first.h, first.v} {
	case [2]int{2, 1}:
		return image.YCbCrSubsampleRatio422
	case [2]int{2, 2}:
		return image.YCbCrSubsampleRatio420
	case [2]int{1, 2}:
		return image.YCbCrSubsampleRatio440
	case [2]int{4, 1}:
		return image.YCbCrSubsampleRatio411
	case [2]int{4, 2}:
		return image.YCbCrSubsampleRatio410
	}
	return image.YCbCrSubsampleRatio444
}

// paint paints the block whose coefficients were just followed, and forgets them.
func (p *Picture) paint(v *view, at place, dc int32) {
	w := &p.wanted
	width := v.width[at.component]
	out := v.pix[at.component][at.y*v.n*width+at.x*v.n:]
	dc *= w.quant[0]
	if w.highest == 0 {
		flat(out, width, v.n, clamp((dc+8*neutral+4)>>3))
		return
	}
	w.co[0], w.highest = dc, 0
	switch v.n {
	case 8:
		whole(out, width, &w.co)
	case 4:
		half(out, width, &w.co)
	default:
		quarter(out, width, &w.co)
		w.co[1], w.co[8], w.co[9], w.co[16] = 0, 0, 0, 0 // all that there are
		return
	}
	w.co = [64]int32{}
}

// lastOf is, by samples on a side, the number of the last coefficient in zig-zag
// order that a block of that size is made of. What is behind it need only be counted.
var lastOf = [9]int{2: 4, 4: 24, 8: 63}

// paintDC paints an eighth of the picture: a sample for each block.
func (p *Picture) paintDC(v *view) {
	for i := range p.components {
		c := &p.components[i]
		q := p.quant[c.quant][0]
		for j, dc := range c.dc {
			v.pix[i][j] = clamp((int32(dc)*q + 8*neutral + 4) >> 3)
		}
	}
}

func (v *view) wipe() {
	if !v.used {
		return
	}
	for i := range v.pix {
		clear(v.pix[i])
	}
	v.used = false
}
