package blur

import (
	"errors"
	"fmt"
	"image"

	"gadeblik/blur/scan"
)

// Limits of what is opened: a 33 megapixel picture (8K) is the largest, and
// needs about 50 MB. A file that says more of itself is refused unread.
const (
	maxSide   = 16384
	maxPixels = 1 << 25
	maxBytes  = 64 << 20
)

// ErrDamaged says that a file looks like a picture from outside, and that its
// scan cannot be followed. Only who looks finds out: [Source.Planes] and [Redact].
var ErrDamaged = scan.ErrDamaged

// Source is one frame, opened to be looked at and to be redacted. It owns what it
// knows of the frame until Close. The zero value holds no picture; one Source
// serves for one frame after the other, in the same memory. A Source must not be
// used by two goroutines at once.
type Source struct {
	size    image.Point
	grid    image.Point  // on which regions lie, in pixels
	picture scan.Picture // of a file that can be spliced
	plain   plain        // of all others; made if it has pixels
	canvas  canvas
	out     []byte // what may be seen by everybody
	used    bool   // there may be something to be zeroed
}

// Open opens a frame for one use; see [Source.Open].
func Open(data []byte) (*Source, error) {
	s := &Source{}
	if err := s.Open(data); err != nil {
		return nil, err
	}
	return s, nil
}

// Open closes s and opens a baseline or progressive JPEG: grey, RGB, or YCbCr in
// any subsampling that package image knows, with the standard Huffman tables where
// it has none. It refuses what is truncated or larger than 16384 pixels a side or
// 2^25 in all. It returns an error for any bytes that are not such a picture and
// never panics; s is then closed. The caller leaves data unchanged until Close.
func (s *Source) Open(data []byte) error {
	s.Close()
	s.used = true
	if err := s.open(data); err != nil {
		s.Close()
		return fmt.Errorf("open JPEG: %w", err)
	}
	return nil
}

func (s *Source) open(data []byte) error {
	if len(data) > maxBytes {
		return fmt.Errorf("file of %d bytes: must be at most %d", len(data), maxBytes)
	}
	// What the headers say decides which path a file takes, and nothing of its scan:
	// who looks at a result must not learn from the path what was removed.
	err := s.picture.Open(data)
	if errors.Is(err, scan.ErrUnsupported) {
		s.grid, err = s.plain.decode(data)
		s.size = s.plain.bounds().Size()
		return err
	}
	if err != nil {
		return err
	}
	s.size, s.grid = s.picture.Size(), gridOf(s.picture.MCU())
	return checkSize(s.size.X, s.size.Y)
}

// OpenImage closes s and opens a redacted picture, to be looked at once more.
func (s *Source) OpenImage(m *Image) error { return s.Open(m.jpeg) }

// FromYCbCr opens a frame for one use; see [Source.OpenYCbCr].
func FromYCbCr(img *image.YCbCr) (*Source, error) {
	s := &Source{}
	if err := s.OpenYCbCr(img); err != nil {
		return nil, err
	}
	return s, nil
}

// OpenYCbCr closes s and copies a frame that is not a JPEG. The top left pixel of
// img becomes (0,0), whatever its bounds are. Where they begin off the chroma
// grid, as those of a sub-image may, chroma moves by that fraction of a sample.
// The caller keeps img and sees to it that it is forgotten. After an error s is
// closed.
func (s *Source) OpenYCbCr(img *image.YCbCr) error {
	s.Close()
	if err := checkFrame(img); err != nil {
		return fmt.Errorf("open frame: %w", err)
	}
	s.used = true
	s.grid = s.plain.copy(img)
	s.size = img.Rect.Size()
	return nil
}

// Bounds returns the size of the picture; it begins at (0,0).
func (s *Source) Bounds() image.Rectangle { return image.Rectangle{Max: s.size} }

// Planes returns the picture for detectors to read, reduced to 1/reduce of its
// size on each side, rounded up; reduce is 1, 2, 4 or 8. The planes must not be
// written or kept: Close zeroes them. An error may be [ErrDamaged].
func (s *Source) Planes(reduce int) (*image.YCbCr, error) {
	switch {
	case s.size == (image.Point{}):
		return nil, errors.New("planes of a closed source")
	case reduce != 1 && reduce != 2 && reduce != 4 && reduce != 8:
		return nil, fmt.Errorf("planes reduced by %d: want 1, 2, 4 or 8", reduce)
	case s.plain.made():
		return s.plain.reduced(reduce), nil
	}
	return s.picture.Planes(reduce)
}

// Close zeroes the pixels and everything computed from them, and keeps the memory
// for the next frame. Only images made by [Redact] outlive it. A second Close
// does nothing.
func (s *Source) Close() {
	if s == nil || !s.used {
		return
	}
	s.picture.Wipe()
	s.plain.wipe()
	s.canvas.wipe()
	s.size, s.used = image.Point{}, false
}

// gridOf returns the grid on which regions lie: the MCU of the file, and at least
// 16x16 pixels.
func gridOf(mcu image.Point) image.Point { return image.Pt(max(16, mcu.X), max(16, mcu.Y)) }

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
	for i, p := range samplesOf(img) {
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
