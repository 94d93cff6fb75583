package blur

import (
	"errors"
	"fmt"
	"image"
)

// Limits of what is opened: a 33 megapixel picture (8K) is the largest, and
// needs about 50 MB. A file that says more of itself is refused unread.
const (
	maxSide   = 16384
	maxPixels = 1 << 25
)

// Source is one frame, opened to be looked at and to be redacted. It owns its
// pixels until Close. The zero value and a closed Source hold no picture. A
// Source must not be used by two goroutines at once.
type Source struct {
	img    *image.YCbCr // begins at (0,0); nil without a picture
	mcu    image.Point  // the grid of the regions, in pixels
	canvas canvas       // kept for the next Redact of the same frame
}

// Open decodes a baseline or progressive JPEG: grey, RGB, or YCbCr in any
// subsampling that package image knows. It refuses what is truncated, larger
// than 16384 pixels a side or 2^25 in all, or has no Huffman tables; it
// inserts and repairs nothing. It returns an error for any bytes that are not
// such a picture and never panics.
//
// The caller leaves data unchanged until Close.
func Open(data []byte) (*Source, error) {
	s := &Source{}
	if err := s.Open(data); err != nil {
		return nil, err
	}
	return s, nil
}

// Open closes s and opens another picture in its memory, as [Open] does. After
// an error s is closed.
func (s *Source) Open(data []byte) error {
	s.Close()
	img, mcu, err := decode(data)
	if err != nil {
		return fmt.Errorf("open JPEG: %w", err)
	}
	s.img, s.mcu = img, mcu
	return nil
}

// OpenImage closes s and opens a redacted picture in its memory, to be looked at
// once more.
func (s *Source) OpenImage(m *Image) error { return s.Open(m.jpeg) }

// FromYCbCr copies a frame that is not a JPEG. The top left pixel of img
// becomes (0,0), whatever its bounds are. Where they begin off the chroma
// grid, as those of a sub-image may, chroma moves by that fraction of a
// sample. The caller keeps img and sees to it that it is forgotten.
func FromYCbCr(img *image.YCbCr) (*Source, error) {
	s := &Source{}
	if err := s.OpenYCbCr(img); err != nil {
		return nil, err
	}
	return s, nil
}

// OpenYCbCr closes s and copies a frame into its memory, as [FromYCbCr] does.
// After an error s is closed.
func (s *Source) OpenYCbCr(img *image.YCbCr) error {
	s.Close()
	if err := checkFrame(img); err != nil {
		return fmt.Errorf("open frame: %w", err)
	}
	own := image.NewYCbCr(image.Rectangle{Max: img.Rect.Size()}, img.SubsampleRatio)
	from, to := planesOf(img), planesOf(own)
	for i := range to {
		for y := range to[i].h {
			copy(to[i].row(y), from[i].pix[y*from[i].stride:])
		}
	}
	s.img, s.mcu = own, gridOf(own.SubsampleRatio)
	return nil
}

// Bounds returns the size of the picture; it begins at (0,0).
func (s *Source) Bounds() image.Rectangle {
	if s.img == nil {
		return image.Rectangle{}
	}
	return s.img.Rect
}

// Planes returns the picture for detectors to read, reduced to 1/reduce of its
// size on each side, rounded up; reduce is 1, 2, 4 or 8. The planes must not be
// written or kept: Close zeroes them.
func (s *Source) Planes(reduce int) (*image.YCbCr, error) {
	switch {
	case s.img == nil:
		return nil, errors.New("planes of a closed source")
	case reduce != 1 && reduce != 2 && reduce != 4 && reduce != 8:
		return nil, fmt.Errorf("planes reduced by %d: want 1, 2, 4 or 8", reduce)
	}
	return reduced(s.img, reduce), nil
}

// Close zeroes the pixels and everything computed from them. Only images made
// by [Redact] outlive it. A second Close does nothing.
func (s *Source) Close() {
	if s == nil || s.img == nil {
		return
	}
	wipe(s.img)
	s.canvas.wipe()
	*s = Source{}
}

// wipe clears also what lies beyond the bounds: a decoder pads to whole MCUs.
func wipe(img *image.YCbCr) {
	for _, pix := range [][]uint8{img.Y, img.Cb, img.Cr} {
		clear(pix[:cap(pix)])
	}
}

// checkFrame refuses what could make an index go astray later.
func checkFrame(img *image.YCbCr) error {
	if img == nil {
		return errors.New("frame is nil")
	}
	if img.SubsampleRatio < image.YCbCrSubsampleRatio444 || img.SubsampleRatio > image.YCbCrSubsampleRatio410 {
		return fmt.Errorf("unknown subsampling %d", int(img.SubsampleRatio))
	}
	if err := checkSize(img.Rect.Dx(), img.Rect.Dy()); err != nil {
		return err
	}
	if img.Rect.Min.X < 0 || img.Rect.Min.Y < 0 {
		return fmt.Errorf("bounds %v begin below zero", img.Rect)
	}
	for i, p := range planesOf(img) {
		// The stride is compared first so that the product cannot overflow.
		if p.stride < p.w || p.stride > len(p.pix) || (p.h-1)*p.stride+p.w > len(p.pix) {
			return fmt.Errorf("%s plane: %d bytes with a stride of %d cannot hold %dx%d samples",
				[...]string{"Y", "Cb", "Cr"}[i], len(p.pix), p.stride, p.w, p.h)
		}
	}
	return nil
}

func checkSize(w, h int) error {
	if w < 1 || h < 1 || w > maxSide || h > maxSide {
		return fmt.Errorf("picture of %dx%d: each side must be 1 to %d pixels", w, h, maxSide)
	}
	if w*h > maxPixels {
		return fmt.Errorf("picture of %dx%d: must be at most %d pixels in all", w, h, maxPixels)
	}
	return nil
}
