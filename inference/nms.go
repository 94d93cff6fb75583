package inference

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// maxCandidates bounds the work on one picture. A crowd at 1280x736 gives a few hundred; a model gone
// wrong can give one per cell, and comparing all of those pairwise would take minutes.
const maxCandidates = 4096

// candidate is a box that a decoder read, in pixels of the tensor.
type candidate struct {
	box
	score float64
	class int
	order int // position in the output: makes the sort below a total order
}

// suppress sorts candidates, best first, keeps the best maxCandidates, and removes those that overlap
// a better one of their class by more than the limit. It works in place.
func suppress(all []candidate, limit float64) []candidate {
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.order, b.order))
	})
	if len(all) > maxCandidates {
		all = all[:maxCandidates]
	}
	kept := all[:0]
	for _, c := range all {
		covered := slices.ContainsFunc(kept, func(k candidate) bool {
			return k.class == c.class && overlap(k.box, c.box) > limit
		})
		if !covered {
			kept = append(kept, c)
		}
	}
	return kept
}

// strides are the steps of the grids that YOLOX and YuNet look at; every side is a multiple of the last.
var strides = [3]int{8, 16, 32}

// cellBox is the box of a grid cell: offsets from the cell, logarithms of the size, in strides. bad is
// the place of a value that is not finite, or -1.
func cellBox(gx, gy, stride int, v []float32) (b box, bad int) {
	for i, f := range v[:4] {
		if !finite(f) {
			return box{}, i
		}
	}
	s := float64(stride)
	return boxAround(
		(float64(gx)+float64(v[0]))*s, (float64(gy)+float64(v[1]))*s,
		math.Exp(float64(v[2]))*s, math.Exp(float64(v[3]))*s), -1
}

func finite(v float32) bool { return v-v == 0 }

func notFinite(output string, at int, v float32) error {
	return fmt.Errorf("output %q holds %v at %d; the model does not fit its manifest or is damaged", output, v, at)
}
