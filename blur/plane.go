package blur

import (
	"encoding/binary"
	"image"
)

// plane is one component of a picture that begins at (0,0).
type plane struct {
	pix    []uint8
	stride int
	w, h   int // in samples
	sx, sy int // pixels a sample covers
}

// planesOf lays planes over the pixels of img, taking its top left as (0,0).
func planesOf(img *image.YCbCr) [3]plane {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	sx, sy := subsampling(img.SubsampleRatio)
	cw, ch := ceilDiv(w, sx), ceilDiv(h, sy)
	return [3]plane{
		{img.Y, img.YStride, w, h, 1, 1},
		{img.Cb, img.CStride, cw, ch, sx, sy},
		{img.Cr, img.CStride, cw, ch, sx, sy},
	}
}

// row returns the samples of row y.
func (p *plane) row(y int) []uint8 {
	return p.pix[y*p.stride : y*p.stride+p.w]
}

// samples returns the samples that cover the pixels of r. Regions, cells and
// crops begin on multiples of four pixels, so that no sample is shared by two.
func (p *plane) samples(r image.Rectangle) image.Rectangle {
	return image.Rect(r.Min.X/p.sx, r.Min.Y/p.sy, ceilDiv(r.Max.X, p.sx), ceilDiv(r.Max.Y, p.sy))
}

// set gives all samples of r the same value.
func (p *plane) set(r image.Rectangle, v uint8) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := p.row(y)[r.Min.X:r.Max.X]
		for x := range row {
			row[x] = v
		}
	}
}

// sum adds up the samples of r.
func (p *plane) sum(r image.Rectangle) (total, n int) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		total += sum(p.row(y)[r.Min.X:r.Max.X])
	}
	return total, r.Dx() * r.Dy()
}

// sum adds up eight samples at a time, in four lanes of 16 bits.
func sum(row []uint8) (total int) {
	const low = 0x00ff00ff00ff00ff
	for len(row) >= 8 {
		// A lane holds 128 pairs of samples before it overflows.
		part := row[:min(len(row), 1024)&^7]
		row = row[len(part):]
		var lanes uint64
		for ; len(part) >= 8; part = part[8:] {
			v := binary.LittleEndian.Uint64(part)
			lanes += v&low + v>>8&low
		}
		total += int(lanes&0xffff + lanes>>16&0xffff + lanes>>32&0xffff + lanes>>48)
	}
	for _, v := range row {
		total += int(v)
	}
	return total
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

// gridOf returns the grid on which regions lie: the 16x16 pixel MCU of the
// output, or the footprint of the source's chroma blocks where that is larger.
func gridOf(r image.YCbCrSubsampleRatio) image.Point {
	sx, sy := subsampling(r)
	return image.Pt(max(16, 8*sx), max(16, 8*sy))
}
