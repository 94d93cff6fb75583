package v4l2

import (
	"fmt"
	"image"
	"math"

	"gadeblik/capture"
)

// frameFormat is what a driver says it will deliver.
type frameFormat struct {
	code          fourcc
	width, height int
	stride        int  // bytes per line of YUYV
	full          bool // samples use 0..255 and not the range of video
}

func (f frameFormat) size() image.Point { return image.Pt(f.width, f.height) }

// ranges map samples of video (luma 16..235, chroma 16..240) to 0..255, which
// is what JPEG and detectors expect.
type ranges struct {
	luma, chroma [256]uint8
}

func newRanges(f frameFormat) *ranges {
	var r ranges
	for i := range 256 {
		r.luma[i], r.chroma[i] = uint8(i), uint8(i)
		if !f.full {
			r.luma[i] = scale(i-16, 219, 0)
			r.chroma[i] = scale(i-128, 224, 128)
		}
	}
	return &r
}

// scale returns v*255/span+zero, rounded and within a byte.
func scale(v, span, zero int) uint8 {
	n := math.Round(float64(v) * 255 / float64(span))
	return uint8(min(max(int(n)+zero, 0), 255))
}

// checkYUYV says whether a buffer can be a frame of a format. The driver's word
// on the size is not taken: a frame may be short after a lost packet.
func checkYUYV(n int, f frameFormat) error {
	if f.width <= 0 || f.height <= 0 || f.stride < 2*f.width {
		return fmt.Errorf("%w: %dx%d with %d bytes a line", capture.ErrDamaged, f.width, f.height, f.stride)
	}
	// The last line may lack its padding, and none may follow it.
	low, high := f.stride*(f.height-1)+2*f.width, f.stride*f.height
	if n < low || n > high {
		return fmt.Errorf("%w: %d bytes, %dx%d YUYV has %d", capture.ErrDamaged, n, f.width, f.height, high)
	}
	return nil
}

// unpackYUYV fills dst, a 4:2:2 picture of the format's size, from b.
func unpackYUYV(dst *image.YCbCr, b []byte, f frameFormat, r *ranges) {
	for y := range f.height {
		line := b[y*f.stride:][:2*f.width]
		luma := dst.Y[y*dst.YStride:][:f.width]
		cb := dst.Cb[y*dst.CStride:][:f.width/2]
		cr := dst.Cr[y*dst.CStride:][:f.width/2]
		for x := range cb {
			p := line[4*x : 4*x+4 : 4*x+4]
			luma[2*x], luma[2*x+1] = r.luma[p[0]], r.luma[p[2]]
			cb[x], cr[x] = r.chroma[p[1]], r.chroma[p[3]]
		}
	}
}
