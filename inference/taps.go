package inference

import "math"

// taps says for each place of a line which sample of another line, together with the one after it,
// gives its value, and the weight of that second one. There is one after it, except in a line of one
// sample.
//
// Where a line is not scaled down by much, the samples of eight places lie within sixteen, which
// processors can sort in one step: together says that it is so, start where the sixteen begin, and
// lanes which of them the places take.
type taps struct {
	at     []uint16
	weight []float32

	together bool
	start    []uint16 // for each eight
	lanes    []byte   // two for each place
}

func makeTaps(n int) taps {
	return taps{at: make([]uint16, n), weight: make([]float32, n), start: make([]uint16, n/8+1), lanes: make([]byte, 2*n)}
}

// set fills the first n taps. A plane with one sample per step pixels has it in their middle; lo and
// size are the picture's first pixel and their number.
func (t *taps) set(n int, scale float64, lo, size, step int) {
	first, samples := lo/step, covering(lo, lo+size, step)
	for i := range n {
		pixel := float64(lo) + (float64(i)+0.5)/scale
		at := pixel/float64(step) - 0.5 - float64(first)
		at = math.Max(0, math.Min(at, float64(samples-1)))
		a := max(0, min(int(at), samples-2))
		t.at[i], t.weight[i] = uint16(a), float32(at-float64(a))
	}
	t.together = t.sort(n, samples)
}

// sort fills start and lanes for the first n taps, of which an incomplete eight stays as it is.
func (t *taps) sort(n, samples int) bool {
	for i := 0; i+8 <= n; i += 8 {
		start := min(int(t.at[i]), samples-16)
		if start < 0 || int(t.at[i+7])+1-start > 15 {
			return false
		}
		t.start[i/8] = uint16(start)
		for j := i; j < i+8; j++ {
			lane := byte(int(t.at[j]) - start)
			t.lanes[2*j], t.lanes[2*j+1] = lane, lane+1
		}
	}
	return true
}

// covering is how many samples, each of step pixels, have one of the pixels from lo to before hi.
func covering(lo, hi, step int) int { return (hi-1)/step - lo/step + 1 }
