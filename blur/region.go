package blur

import (
	"fmt"
	"image"
	"math"
)

// Class says what a region hides. Redact treats all classes alike and carries
// them through to [Image.Regions].
type Class string

// The classes that are always redacted unless a task widens the list.
const (
	Person Class = "person"
	Face   Class = "face"
	Plate  Class = "plate"
)

// Region is a part of a picture that must not be seen.
type Region struct {
	Class Class
	Box   image.Rectangle // in pixels; may reach over the border of the picture
}

// boxMargin is by how much of its side a box grows on each side of itself if
// nothing else is asked for. Detectors cut hair, chins and the frames of plates.
const boxMargin = 0.12

// apply returns r grown by margin and aligned. A box that is empty or that
// misses the picture is a mistake of the caller, and guessing what it should
// have covered would leave somebody uncovered.
func (s *Source) apply(r Region, margin float64) (Region, error) {
	bounds := s.Bounds()
	if r.Box.Empty() {
		return Region{}, fmt.Errorf("box %v is empty", r.Box)
	}
	if !r.Box.Overlaps(bounds) {
		return Region{}, fmt.Errorf("box %v lies outside the picture of %dx%d", r.Box, bounds.Dx(), bounds.Dy())
	}
	return Region{Class: r.Class, Box: s.grow(r.Box, margin)}, nil
}

// grow widens a box on each side by the margin or one MCU, whichever is more,
// aligns it outward to the grid and clips it to the picture.
func (s *Source) grow(box image.Rectangle, margin float64) image.Rectangle {
	bounds := s.Bounds()
	// Clipped generously before it is measured: the margin of a face half out
	// of the picture is that of the whole face, but no sum may overflow.
	box = box.Intersect(bounds.Inset(-maxSide))
	mx := max(int(math.Ceil(margin*float64(box.Dx()))), s.grid.X)
	my := max(int(math.Ceil(margin*float64(box.Dy()))), s.grid.Y)
	box.Min = box.Min.Sub(image.Pt(mx, my))
	box.Max = box.Max.Add(image.Pt(mx, my))
	box = box.Intersect(bounds)
	return image.Rect(
		box.Min.X/s.grid.X*s.grid.X, box.Min.Y/s.grid.Y*s.grid.Y,
		ceilDiv(box.Max.X, s.grid.X)*s.grid.X, ceilDiv(box.Max.Y, s.grid.Y)*s.grid.Y,
	).Intersect(bounds)
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
