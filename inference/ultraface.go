package inference

import "math"

// ultraface reads boxes that the model has placed already: for each, how likely it is nothing, or one
// of several kinds of face, which are all the same to us.
type ultraface struct {
	width, height float64
	score         float64
	columns       int // of scores: nothing, and the kinds
	scores, boxes []float32
}

// anchors are how many boxes UltraFace looks at in each cell, by the step of its grids.
var anchors = [4]struct{ stride, boxes int }{{8, 3}, {16, 2}, {32, 2}, {64, 3}}

// ultrafaceBoxes is how many boxes the model looks at.
func ultrafaceBoxes(width, height int) int64 {
	n := 0
	for _, a := range anchors {
		n += ((width + a.stride - 1) / a.stride) * ((height + a.stride - 1) / a.stride) * a.boxes
	}
	return int64(n)
}

func (d *ultraface) decode(dst []candidate) ([]candidate, error) {
	for i := range len(d.scores) / d.columns {
		nothing := d.scores[i*d.columns]
		if !finite(nothing) {
			return dst, notFinite("scores", i*d.columns, nothing)
		}
		score := 1 - math.Max(0, math.Min(1, float64(nothing)))
		if score < d.score {
			continue
		}
		corners := d.boxes[4*i : 4*i+4]
		for j, v := range corners {
			if !finite(v) {
				return dst, notFinite("boxes", 4*i+j, v)
			}
		}
		b := box{
			float64(corners[0]) * d.width, float64(corners[1]) * d.height,
			float64(corners[2]) * d.width, float64(corners[3]) * d.height,
		}
		if b.x0 < b.x1 && b.y0 < b.y1 {
			dst = append(dst, candidate{box: b, score: score, order: i})
		}
	}
	return dst, nil
}
