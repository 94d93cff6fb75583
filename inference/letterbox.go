package inference

import (
	"errors"
	"fmt"
	"image"
	"math"
)

// Levels are computed in lanes of 32 bits, of which planeBits are fraction. Ten are left for the level
// itself: chroma takes it below 0 and above 255, and origin keeps it positive on the way.
const (
	weightBits = 11 // of an interpolation weight
	weightOne  = 1 << weightBits
	planeBits  = 2 * weightBits // fraction bits after both directions
	levelBits  = 3              // fraction bits of a level that is looked up, rounded
	levelShift = planeBits - levelBits
	lowest     = -256 // level
	origin     = -lowest<<planeBits + 1<<(levelShift-1)
	maxPicture = 1 << 15 // pixels on a side
)

// JFIF colour conversion, full range. What chroma takes from green follows from what it adds to red and
// to blue: in greenBits, 0.714136/1.402 of the one and 0.344136/1.772 of the other.
const (
	redCr       = 1.402
	blueCb      = 1.772
	greenBits   = 15
	greenRed    = 16691
	greenBlue   = 6364
	greenOrigin = origin + origin*(greenRed+greenBlue)>>greenBits
)

// tap says which two samples of a line meet in a pixel, and the weight of the second.
type tap struct{ a, b, weight uint32 }

// lumaRow and chromaRow hold one source row scaled to the width of the tensor. Chroma is what it adds to
// red, in the high lane, and to blue, in the low one, so that one multiplication serves both.
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

// levelTable has the tensor's value for each level that a lane can hold.
type levelTable [1 << (32 - levelShift)]float32

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

	plane  [3]int // tensor plane of red, green, blue
	levels [3]levelTable
	pad    [3]float32
	red    [256]uint64 // lanes by sample of Cr
	blue   [256]uint64 // lanes by sample of Cb
}

func newLetterbox(in Input) *letterbox {
	l := &letterbox{width: in.Width, height: in.Height, plane: [3]int{0, 1, 2}}
	if in.Colour == "bgr" {
		l.plane = [3]int{2, 1, 0}
	}
	for c, p := range l.plane {
		mean, std := in.Mean[p], in.Std[p]
		l.levels[c].set(mean, std)
		l.pad[c] = float32((in.Pad - mean) / std)
	}
	for i := range l.red {
		l.red[i] = chromaLane(i, redCr) << 32
		l.blue[i] = chromaLane(i, blueCb)
	}
	l.x, l.cx = make([]tap, in.Width), make([]tap, in.Width)
	l.y, l.cy = make([]tap, in.Height), make([]tap, in.Height)
	for i := range l.luma {
		l.luma[i].values = make([]uint32, in.Width)
		l.chroma[i].values = make([]uint64, in.Width)
	}
	return l
}

// set clamps and normalises every level.
func (t *levelTable) set(mean, std float64) {
	for i := range t {
		level := lowest + float64(i)/(1<<levelBits)
		t[i] = float32((math.Max(0, math.Min(255, level)) - mean) / std)
	}
}

// chromaLane is what a sample adds to a colour, before it is weighted in either direction.
func chromaLane(sample int, factor float64) uint64 {
	return uint64(math.Round(float64(factor*float64(sample-128)*weightOne) + origin>>weightBits))
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

// row writes one row of the tensor: blends two scaled rows, converts the colour, looks the levels up.
func (l *letterbox) row(img *image.YCbCr, y int, red, green, blue []float32) {
	ty, tc := l.y[y], l.cy[y]
	n := len(red)
	lumaA, lumaB := l.lumaAt(img, ty.a)[:n], l.lumaAt(img, ty.b)[:n]
	chromaA, chromaB := l.chromaAt(img, tc.a)[:n], l.chromaAt(img, tc.b)[:n]
	green, blue = green[:n], blue[:n]
	wy, wc := ty.weight, uint64(tc.weight)
	for x := range red {
		luma := lumaA[x]<<weightBits + (lumaB[x]-lumaA[x])*wy
		both := chromaA[x]<<weightBits + (chromaB[x]-chromaA[x])*wc
		// The high half of this product is the sum of both lanes, each times its factor.
		less := both >> greenBits & lanes(32-greenBits) * (greenBlue<<32 | greenRed) >> 32
		red[x] = l.levels[0][(luma+uint32(both>>32))>>levelShift]
		green[x] = l.levels[1][(luma+greenOrigin-uint32(less))>>levelShift]
		blue[x] = l.levels[2][(luma+uint32(both))>>levelShift]
	}
}

// lanes masks the low bits of both lanes.
func lanes(bits int) uint64 { return (1<<bits - 1) * (1<<32 | 1) }

// lumaAt is row r of the picture scaled to the tensor's width, kept for the next rows that need it.
func (l *letterbox) lumaAt(img *image.YCbCr, r uint32) []uint32 {
	slot := &l.luma[r&1]
	if slot.row == int(r) {
		return slot.values
	}
	slot.row = int(r)
	src := img.Y[int(r)*img.YStride:]
	taps := l.x[:l.w]
	out := slot.values[:len(taps)]
	for x, t := range taps {
		a := uint32(src[t.a])
		out[x] = a<<weightBits + (uint32(src[t.b])-a)*t.weight
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
	taps := l.cx[:l.w]
	out := slot.values[:len(taps)]
	for x, t := range taps {
		a := l.blue[blue[t.a]] + l.red[red[t.a]]
		b := l.blue[blue[t.b]] + l.red[red[t.b]]
		// A borrow of b-a from one lane to the other comes back when a is added.
		sum := a<<weightBits + (b-a)*uint64(t.weight)
		out[x] = sum >> weightBits & lanes(32-weightBits)
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
