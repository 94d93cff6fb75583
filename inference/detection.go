// Package inference turns a picture into detections: what is seen, how surely and where.
//
// A [Manifest] says everything about a model that its file does not: the tensor it wants, how its
// outputs are read, what its classes are called. A [Detector] joins a manifest to a [Session], which
// runs the model; package onnx has the one that runs on ONNX Runtime. A [Tracker] recognises the same
// object from one look to the next.
//
// No output that could tell one person from another is ever read: a manifest cannot name such a task,
// and a decoder reads boxes, scores and classes only.
//
// # Caveats
//
// Detectors and trackers belong to one goroutine. Everything a model returns is treated as hostile:
// values that are not finite are an error, boxes are clipped to the picture, the number of candidates
// is bounded.
package inference

import (
	"image"
	"math"
)

// Detection is one object that a model saw in a picture. It is plain data and never holds pixels.
type Detection struct {
	Label string          // class name from the manifest
	Score float64         // 0 to 1, finite
	Box   image.Rectangle // pixels of the picture, rounded outward, clipped to it, never empty
	Model string          // name from the manifest
}

// box is a rectangle in floating-point pixels, of the tensor or of the picture.
type box struct{ x0, y0, x1, y1 float64 }

// boxAround is the box of the given size round a centre. Sizes come from exp() of model outputs, hence the cap.
func boxAround(cx, cy, w, h float64) box {
	const most = 1 << 20
	w, h = math.Min(w, most), math.Min(h, most)
	return box{cx - w/2, cy - h/2, cx + w/2, cy + h/2}
}

func (b box) width() float64  { return b.x1 - b.x0 }
func (b box) height() float64 { return b.y1 - b.y0 }

// grown is the box moved outward on each side by a fraction of its own width and height.
func (b box) grown(by float64) box {
	dx, dy := b.width()*by, b.height()*by
	return box{b.x0 - dx, b.y0 - dy, b.x1 + dx, b.y1 + dy}
}

// within rounds the box outward to whole pixels and clips it to r; the result may be empty. A
// thousandth of a pixel is the noise of float32, not part of the object.
func (b box) within(r image.Rectangle) image.Rectangle {
	const noise = 1e-3
	clip := func(v float64, lo, hi int) int {
		return int(math.Max(float64(lo), math.Min(float64(hi), v)))
	}
	return image.Rectangle{
		Min: image.Point{clip(math.Floor(b.x0+noise), r.Min.X, r.Max.X), clip(math.Floor(b.y0+noise), r.Min.Y, r.Max.Y)},
		Max: image.Point{clip(math.Ceil(b.x1-noise), r.Min.X, r.Max.X), clip(math.Ceil(b.y1-noise), r.Min.Y, r.Max.Y)},
	}
}

// overlap is intersection over union: 0 for boxes apart or empty, 1 for equal ones.
func overlap(a, b box) float64 {
	w := math.Min(a.x1, b.x1) - math.Max(a.x0, b.x0)
	h := math.Min(a.y1, b.y1) - math.Max(a.y0, b.y0)
	if w <= 0 || h <= 0 {
		return 0
	}
	in := w * h
	return in / (a.width()*a.height() + b.width()*b.height() - in)
}
