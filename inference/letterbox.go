package inference

import (
	"errors"
	"fmt"
	"image"
	"math"
)

const (
	weightBits = 11 // of an interpolation weight; 8 + 11 + 11 bits fill a lane of 32
	weightOne  = 1 << weightBits
	planeBits  = 2 * weightBits // fraction bits after both directions
	colourBits = 14             // fraction bits of the colour conversion
	colourMax  = 255 << colourBits
	maxPicture = 1 << 15 // pixels on a side
)

// JFIF colour conversion, full range, in colourBits.
const (
	redCr   = 22970 // 1.402
	greenCb = 5638  // 0.344136
	greenCr = 11700 // 0.714136
	blueCb  = 29032 // 1.772
)

// tap says which two samples of a line meet in a pixel, and the weight of the second.
type tap struct{ a, b, weight uint32 }

// lumaRow and chromaRow hold one source row scaled to the width of the tensor. Chroma has Cb in the
// low half and Cr in the high half, so that one multiplication serves both.
type (
	lumaRow struct {
		row    int
		values []uint32
	}
	chromaRow struct {
		row    int
		values []uint64
	}
)

// geometry is all that the taps depend on.
type geometry struct {
	rect  image.Rectangle
	ratio image.YCbCrSubsampleRatio
}

// letterbox scales a picture into a float32 tensor in planes: bilinear, centred samples, proportions
// kept, at the top left, the rest padded. It allocates only when made.
type letterbox struct {
	width, height int
	fit           geometry // what the taps below were made for
	scale         float64  // tensor pixels per picture pixel
	w, h          int      // size of the picture in the tensor

	x, y, cx, cy []tap
	luma         [2]lumaRow // by parity: the two rows that meet in a pixel are neighbours
	chroma       [2]chromaRow

	plane  [3]int     // tensor plane of red, green, blue
	factor [3]float32 // per red, green, blue: value = fixed*factor + offset
	offset [3]float32
	pad    [3]float32
}

func newLetterbox(in Input) *letterbox {
	l := &letterbox{width: in.Width, height: in.Height, plane: [3]int{0, 1, 2}}
	if in.Colour == "bgr" {
		l.plane = [3]int{2, 1, 0}
	}
	for c, p := range l.plane {
		mean, std := in.Mean[p], in.Std[p]
		l.factor[c] = float32(1 / (std * (1 << colourBits)))
		l.offset[c] = float32(-mean / std)
		l.pad[c] = float32((in.Pad - mean) / std)
	}
	l.x, l.cx = make([]tap, in.Width), make([]tap, in.Width)
	l.y, l.cy = make([]tap, in.Height), make([]tap, in.Height)
	for i := range l.luma {
		l.luma[i].values = make([]uint32, in.Width)
		l.chroma[i].values = make([]uint64, in.Width)
	}
	return l
}

// fill writes the picture into the tensor. The tensor must be the same one each time, and nobody
// else's to write: padding is written only when the picture's geometry changes.
func (l *letterbox) fill(img *image.YCbCr, tensor []float32) error {
	if err := checkPicture(img); err != nil {
		return err
	}
	if g := (geometry{img.Rect, img.SubsampleRatio}); g != l.fit {
		l.adapt(g)
		l.padding(tensor)
	}
	for i := range l.luma {
		l.luma[i].row, l.chroma[i].row = -1, -1
	}
	n := l.width * l.height
	var planes [3][]float32
	for c, p := range l.plane {
		planes[c] = tensor[p*n : (p+1)*n]
	}
	for y := range l.h {
		at := y * l.width
		l.row(img, y, planes[0][at:at+l.w], planes[1][at:at+l.w], planes[2][at:at+l.w])
	}
	return nil
}

// clear forgets the pixels of the last picture.
func (l *letterbox) clear() {
	l.fit = geometry{}
	for i := range l.luma {
		clear(l.luma[i].values)
		clear(l.chroma[i].values)
	}
}

// row writes one row of the tensor: blends two scaled rows, converts the colour, normalises.
func (l *letterbox) row(img *image.YCbCr, y int, red, green, blue []float32) {
	ty, tc := l.y[y], l.cy[y]
	lumaA, lumaB := l.lumaAt(img, ty.a)[:len(red)], l.lumaAt(img, ty.b)[:len(red)]
	chromaA, chromaB := l.chromaAt(img, tc.a)[:len(red)], l.chromaAt(img, tc.b)[:len(red)]
	green, blue = green[:len(red)], blue[:len(red)]
	wy, wc := ty.weight, uint64(tc.weight)
	const shift = planeBits - colourBits
	for x := range red {
		luma := int((lumaA[x]*(weightOne-wy) + lumaB[x]*wy) >> shift)
		both := chromaA[x]*(weightOne-wc) + chromaB[x]*wc
		cb := int(uint32(both)>>shift) - 128<<colourBits
		cr := int(both>>(32+shift)) - 128<<colourBits
		r := luma + (redCr*cr)>>colourBits
		g := luma - (greenCb*cb+greenCr*cr)>>colourBits
		b := luma + (blueCb*cb)>>colourBits
		if uint(r) > colourMax {
			r = clampColour(r)
		}
		if uint(g) > colourMax {
			g = clampColour(g)
		}
		if uint(b) > colourMax {
			b = clampColour(b)
		}
		// The conversions forbid fused multiply-add: the same picture gives the same tensor on every machine.
		red[x] = float32(float32(r)*l.factor[0]) + l.offset[0]
		green[x] = float32(float32(g)*l.factor[1]) + l.offset[1]
		blue[x] = float32(float32(b)*l.factor[2]) + l.offset[2]
	}
}

func clampColour(v int) int {
	if v < 0 {
		return 0
	}
	return colourMax
}

// lumaAt is row r of the picture scaled to the tensor's width, kept for the next rows that need it.
func (l *letterbox) lumaAt(img *image.YCbCr, r uint32) []uint32 {
	slot := &l.luma[r&1]
	if slot.row == int(r) {
		return slot.values
	}
	slot.row = int(r)
	src := img.Y[int(r)*img.YStride:]
	out := slot.values[:l.w]
	for x, t := range l.x[:l.w] {
		out[x] = uint32(src[t.a])*(weightOne-t.weight) + uint32(src[t.b])*t.weight
	}
	return slot.values
}

func (l *letterbox) chromaAt(img *image.YCbCr, r uint32) []uint64 {
	slot := &l.chroma[r&1]
	if slot.row == int(r) {
		return slot.values
	}
	slot.row = int(r)
	blue, red := img.Cb[int(r)*img.CStride:], img.Cr[int(r)*img.CStride:]
	out := slot.values[:l.w]
	for x, t := range l.cx[:l.w] {
		a := uint64(blue[t.a]) | uint64(red[t.a])<<32
		b := uint64(blue[t.b]) | uint64(red[t.b])<<32
		out[x] = a*uint64(weightOne-t.weight) + b*uint64(t.weight)
	}
	return slot.values
}

// adapt computes scale and taps for a picture's geometry.
func (l *letterbox) adapt(g geometry) {
	l.fit = g
	size := g.rect.Size()
	l.scale = math.Min(float64(l.width)/float64(size.X), float64(l.height)/float64(size.Y))
	l.w = clampInt(int(math.Round(float64(size.X)*l.scale)), 1, l.width)
	l.h = clampInt(int(math.Round(float64(size.Y)*l.scale)), 1, l.height)
	dx, dy := subsampling(g.ratio)
	line(l.x[:l.w], l.scale, 0, size.X, 1)
	line(l.y[:l.h], l.scale, 0, size.Y, 1)
	line(l.cx[:l.w], l.scale, g.rect.Min.X, size.X, dx)
	line(l.cy[:l.h], l.scale, g.rect.Min.Y, size.Y, dy)
}

// line fills the taps of one direction. A plane with one sample per step pixels has it in their
// middle; lo and n are the picture's first pixel and their number.
func line(taps []tap, scale float64, lo, n, step int) {
	first, last := lo/step, (lo+n-1)/step
	for i := range taps {
		pixel := float64(lo) + (float64(i)+0.5)/scale
		at := pixel/float64(step) - 0.5 - float64(first)
		at = math.Max(0, math.Min(at, float64(last-first)))
		a := int(at)
		b := min(a+1, last-first)
		taps[i] = tap{uint32(a), uint32(b), uint32(math.Round((at - float64(a)) * weightOne))}
	}
}

func (l *letterbox) padding(tensor []float32) {
	n := l.width * l.height
	for c, p := range l.plane {
		plane := tensor[p*n : (p+1)*n]
		for y := range l.h {
			fillWith(plane[y*l.width+l.w:(y+1)*l.width], l.pad[c])
		}
		fillWith(plane[l.h*l.width:], l.pad[c])
	}
}

func fillWith(s []float32, v float32) {
	for i := range s {
		s[i] = v
	}
}

func clampInt(v, lo, hi int) int { return max(lo, min(v, hi)) }

// subsampling is how many pixels share one chroma sample, across and down; 0 for an unknown ratio.
func subsampling(r image.YCbCrSubsampleRatio) (dx, dy int) {
	switch r {
	case image.YCbCrSubsampleRatio444:
		return 1, 1
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 0, 0
}

// checkPicture makes sure that every sample the taps can name is there.
func checkPicture(img *image.YCbCr) error {
	if img == nil {
		return errors.New("no picture")
	}
	r := img.Rect
	if r.Empty() || r.Min.X < 0 || r.Min.Y < 0 || r.Max.X > maxPicture || r.Max.Y > maxPicture {
		return fmt.Errorf("picture %v: must be within 0 and %d pixels and not empty", r, maxPicture)
	}
	dx, dy := subsampling(img.SubsampleRatio)
	if dx == 0 {
		return fmt.Errorf("picture %v: unknown chroma subsampling %v", r, img.SubsampleRatio)
	}
	cw := (r.Max.X-1)/dx - r.Min.X/dx + 1
	ch := (r.Max.Y-1)/dy - r.Min.Y/dy + 1
	if !holds(img.Y, img.YStride, r.Dx(), r.Dy()) || !holds(img.Cb, img.CStride, cw, ch) || !holds(img.Cr, img.CStride, cw, ch) {
		return fmt.Errorf("picture %v: its planes are shorter than its size", r)
	}
	return nil
}

func holds(plane []byte, stride, w, h int) bool {
	return stride >= w && len(plane) >= (h-1)*stride+w
}
