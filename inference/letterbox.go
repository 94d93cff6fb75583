package inference

import (
	"errors"
	"fmt"
	"image"
	"math"
)

const maxPicture = 1 << 15 // pixels on a side

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
	lines         lines    // with the size of the picture in the tensor

	plane [3]int // tensor plane of red, green, blue
	pad   [3]float32
}

func newLetterbox(in Input) *letterbox {
	l := &letterbox{width: in.Width, height: in.Height, plane: [3]int{0, 1, 2}}
	if in.Colour == "bgr" {
		l.plane = [3]int{2, 1, 0}
	}
	l.lines = lines{
		x: makeTaps(in.Width), cx: makeTaps(in.Width), y: makeTaps(in.Height), cy: makeTaps(in.Height),
		stride: in.Width, rows: make([]float32, 6*in.Width), pairs: make([]uint16, in.Width),
	}
	for c, p := range l.plane {
		l.lines.tone.set(c, in.Mean[p], in.Std[p])
		l.pad[c] = float32((in.Pad - in.Mean[p]) / in.Std[p])
	}
	return l
}

// fill writes the picture into the tensor. The tensor must be the same one each time, and nobody
// else's to write: padding is written only when the picture's geometry changes. It does not keep the
// picture.
func (l *letterbox) fill(img *image.YCbCr, tensor []float32) error {
	if err := checkPicture(img); err != nil {
		return err
	}
	if g := (geometry{img.Rect, img.SubsampleRatio}); g != l.fit {
		l.adapt(g)
		l.padding(tensor)
	}
	n := l.width * l.height
	for c, p := range l.plane {
		l.lines.colours[c] = tensor[p*n : (p+1)*n]
	}
	l.place(img)
	l.lines.write()
	l.lines.luma, l.lines.cb, l.lines.cr = plane{}, plane{}, plane{}
	return nil
}

// place puts the picture's planes where they are read from.
func (l *letterbox) place(img *image.YCbCr) {
	w, h := chroma(img.Rect, img.SubsampleRatio)
	l.lines.luma = plane{img.Y, img.YStride, img.Rect.Dx(), img.Rect.Dy()}
	l.lines.cb, l.lines.cr = plane{img.Cb, img.CStride, w, h}, plane{img.Cr, img.CStride, w, h}
}

// clear forgets the pixels of the last picture.
func (l *letterbox) clear() {
	l.fit = geometry{}
	clear(l.lines.rows)
	clear(l.lines.pairs)
}

// adapt computes scale and taps for a picture's geometry.
func (l *letterbox) adapt(g geometry) {
	l.fit = g
	size := g.rect.Size()
	l.scale = math.Min(float64(l.width)/float64(size.X), float64(l.height)/float64(size.Y))
	w := clampInt(int(math.Round(float64(size.X)*l.scale)), 1, l.width)
	h := clampInt(int(math.Round(float64(size.Y)*l.scale)), 1, l.height)
	l.lines.width, l.lines.height = w, h
	dx, dy := subsampling(g.ratio)
	l.lines.x.set(w, l.scale, 0, size.X, 1)
	l.lines.y.set(h, l.scale, 0, size.Y, 1)
	l.lines.cx.set(w, l.scale, g.rect.Min.X, size.X, dx)
	l.lines.cy.set(h, l.scale, g.rect.Min.Y, size.Y, dy)
}

func (l *letterbox) padding(tensor []float32) {
	n := l.width * l.height
	for c, p := range l.plane {
		plane := tensor[p*n : (p+1)*n]
		for y := range l.lines.height {
			fillWith(plane[y*l.width+l.lines.width:(y+1)*l.width], l.pad[c])
		}
		fillWith(plane[l.lines.height*l.width:], l.pad[c])
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

// chroma is the size of a plane of chroma.
func chroma(r image.Rectangle, ratio image.YCbCrSubsampleRatio) (w, h int) {
	dx, dy := subsampling(ratio)
	return covering(r.Min.X, r.Max.X, dx), covering(r.Min.Y, r.Max.Y, dy)
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
	if dx, _ := subsampling(img.SubsampleRatio); dx == 0 {
		return fmt.Errorf("picture %v: unknown chroma subsampling %v", r, img.SubsampleRatio)
	}
	cw, ch := chroma(r, img.SubsampleRatio)
	if !holds(img.Y, img.YStride, r.Dx(), r.Dy()) || !holds(img.Cb, img.CStride, cw, ch) || !holds(img.Cr, img.CStride, cw, ch) {
		return fmt.Errorf("picture %v: its planes are shorter than its size", r)
	}
	return nil
}

func holds(plane []byte, stride, w, h int) bool {
	return stride >= w && len(plane) >= (h-1)*stride+w
}
