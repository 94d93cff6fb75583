package blur

import "image"

// samples is one component of a decoded picture that begins at (0,0).
type samples struct {
	pix    []uint8
	stride int
	w, h   int // in samples
	sx, sy int // pixels a sample covers
}

// samplesOf lays samples over the pixels of img, taking its top left as (0,0).
func samplesOf(img *image.YCbCr) [3]samples {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	sx, sy := subsampling(img.SubsampleRatio)
	cw, ch := ceilDiv(w, sx), ceilDiv(h, sy)
	return [3]samples{
		{img.Y, img.YStride, w, h, 1, 1},
		{img.Cb, img.CStride, cw, ch, sx, sy},
		{img.Cr, img.CStride, cw, ch, sx, sy},
	}
}

// row returns the samples of row y.
func (p *samples) row(y int) []uint8 { return p.pix[y*p.stride : y*p.stride+p.w] }

// within returns the samples that cover the pixels of r. Regions begin on
// multiples of four pixels, so that no sample is shared by two.
func (p *samples) within(r image.Rectangle) image.Rectangle {
	return image.Rect(r.Min.X/p.sx, r.Min.Y/p.sy, ceilDiv(r.Max.X, p.sx), ceilDiv(r.Max.Y, p.sy))
}

// mean returns the mean of the samples of r, rounded.
func (p *samples) mean(r image.Rectangle) uint8 {
	total := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for _, v := range p.row(y)[r.Min.X:r.Max.X] {
			total += int(v)
		}
	}
	n := r.Dx() * r.Dy()
	return uint8((total + n/2) / n)
}

// subsampling returns how many pixels a chroma sample covers.
func subsampling(r image.YCbCrSubsampleRatio) (sx, sy int) {
	switch r {
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
	default:
		return 1, 1
	}
}
