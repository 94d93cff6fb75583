package inference

import "image"

// View is a picture as a detector gets it: its planes, or a reduction of them,
// which costs less to make and loses nothing that the model could see.
type View struct {
	Planes *image.YCbCr
	Reduce int             // pixels of the picture on each side of a sample of luma: 1, 2, 4 or 8
	Bounds image.Rectangle // of the picture; boxes are in its coordinates
}

// Whole is the view of a picture that is not reduced.
func Whole(img *image.YCbCr) View {
	if img == nil {
		return View{Reduce: 1}
	}
	return View{Planes: img, Reduce: 1, Bounds: img.Rect}
}

// Reduction returns by how much a picture of this size may be reduced on each
// side and still be no smaller than the model is going to see it: 1, 2, 4 or 8.
func (in Input) Reduction(size image.Point) int {
	k := 1
	if in.Width < 1 || in.Height < 1 {
		return k
	}
	for k < 8 && 2*k*in.Width <= size.X || k < 8 && 2*k*in.Height <= size.Y {
		k *= 2
	}
	return k
}
