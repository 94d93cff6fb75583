package agent

import (
	"image"
	"math"

	"gadeblik/blur"
)

// Mask is a part of every picture that is always removed, since it shows the
// vehicle itself: its bonnet, its cab, the driver in a window pane. It is given in
// fractions of the frame, 0 to 1, so that it holds for every size of picture; like
// every region it is grown by redaction's margin.
type Mask struct{ X0, Y0, X1, Y1 float64 }

// masked is the class of masks, in pictures and observations.
const masked blur.Class = "mask"

// in returns the mask's region in a frame, rounded outward.
func (m Mask) in(frame image.Rectangle) blur.Region {
	w, h := float64(frame.Dx()), float64(frame.Dy())
	return blur.Region{Class: masked, Box: image.Rect(
		int(math.Floor(m.X0*w)), int(math.Floor(m.Y0*h)),
		int(math.Ceil(m.X1*w)), int(math.Ceil(m.Y1*h)),
	).Add(frame.Min)}
}
