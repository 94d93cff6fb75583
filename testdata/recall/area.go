package main

import "image"

// area is a set of pixels of one picture.
type area struct {
	bounds image.Rectangle // begins at (0,0)
	pix    []bool          // by row
}

func newArea(size image.Point) *area {
	return &area{bounds: image.Rectangle{Max: size}, pix: make([]bool, size.X*size.Y)}
}

// addBox adds what of r lies in the picture.
func (a *area) addBox(r image.Rectangle) {
	r = r.Intersect(a.bounds)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := a.row(y)
		for x := r.Min.X; x < r.Max.X; x++ {
			row[x] = true
		}
	}
}

// addEllipse adds every pixel whose middle lies in the ellipse that r encloses.
func (a *area) addEllipse(r image.Rectangle) {
	part := r.Intersect(a.bounds)
	for y := part.Min.Y; y < part.Max.Y; y++ {
		row := a.row(y)
		for x := part.Min.X; x < part.Max.X; x++ {
			row[x] = row[x] || inEllipse(r, x, y)
		}
	}
}

func inEllipse(r image.Rectangle, x, y int) bool {
	dx := float64(2*x+1-r.Min.X-r.Max.X) / float64(r.Dx())
	dy := float64(2*y+1-r.Min.Y-r.Max.Y) / float64(r.Dy())
	return dx*dx+dy*dy < 1
}

// addOutside adds all of the picture but r.
func (a *area) addOutside(r image.Rectangle) {
	r = r.Intersect(a.bounds)
	if r.Empty() {
		a.addBox(a.bounds)
		return
	}
	for _, strip := range []image.Rectangle{
		{Max: image.Pt(a.bounds.Max.X, r.Min.Y)},
		{Min: image.Pt(0, r.Max.Y), Max: a.bounds.Max},
		{Min: image.Pt(0, r.Min.Y), Max: image.Pt(r.Min.X, r.Max.Y)},
		{Min: image.Pt(r.Max.X, r.Min.Y), Max: image.Pt(a.bounds.Max.X, r.Max.Y)},
	} {
		a.addBox(strip)
	}
}

// share returns how much of r, as far as it lies in the picture, is in the area;
// 0 if nothing of it lies there.
func (a *area) share(r image.Rectangle) float64 {
	r = r.Intersect(a.bounds)
	if r.Empty() {
		return 0
	}
	return float64(a.count(r)) / float64(r.Dx()*r.Dy())
}

// count returns how many pixels of r are in the area.
func (a *area) count(r image.Rectangle) int {
	r = r.Intersect(a.bounds)
	n := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for _, set := range a.row(y)[r.Min.X:r.Max.X] {
			if set {
				n++
			}
		}
	}
	return n
}

// beside returns which share of the picture is in the area and not in b, which is
// of the same picture.
func (a *area) beside(b *area) float64 {
	n := 0
	for i, set := range a.pix {
		if set && !b.pix[i] {
			n++
		}
	}
	return float64(n) / float64(len(a.pix))
}

func (a *area) row(y int) []bool { return a.pix[y*a.bounds.Max.X : (y+1)*a.bounds.Max.X] }
