package main

import (
	"errors"
	"math"
)

// pupil knows nothing of a method. It is shown published pictures with their texts and
// learns to tell each character from all pixels of the region and its ring: ridge
// regression onto one output for every symbol at every place, which is linear
// discriminant analysis in another coat.
type pupil struct {
	mean, scale []float32
	lessons     [][]float32
	weights     [][]float32 // by place*symbols+symbol, one for each lesson
}

// lessonSide is the length of the squares whose means the pupil sees: small enough for
// the strokes at 20 pixels, and few enough to learn from a thousand pictures.
const lessonSide = 4

// ridge keeps the pupil from learning the noise by heart, as a share of the mean square.
const ridge = 0.05

func newPupil(lessons [][]float32, texts []plate, workers int) (*pupil, error) {
	p := &pupil{lessons: lessons, weights: make([][]float32, templates)}
	p.normalize()
	n := len(lessons)
	gram := make([][]float64, n)
	_ = each(workers, n, func(i int) error {
		gram[i] = make([]float64, i+1)
		for j := range gram[i] {
			gram[i][j] = float64(dot(lessons[i], lessons[j]))
		}
		return nil
	})
	trace := 0.0
	for i := range gram {
		trace += gram[i][i] / float64(n)
	}
	for i := range gram {
		// A constant for pupils to whom all pictures look the same.
		gram[i][i] += ridge*trace + 1e-6
	}
	if err := factorize(gram); err != nil {
		return nil, err
	}
	return p, each(workers, templates, func(k int) error {
		want := make([]float64, n)
		for i, t := range texts {
			want[i] = -1.0 / float64(symbols)
			if t[k/symbols] == k%symbols {
				want[i]++
			}
		}
		solve(gram, want)
		p.weights[k] = make([]float32, n)
		for i, v := range want {
			p.weights[k][i] = float32(v)
		}
		return nil
	})
}

// normalize gives every sample of the lessons a mean of 0 and a deviation of 1, so that
// a whisper in the covered region counts as much as the street around it.
func (p *pupil) normalize() {
	p.mean, p.scale = make([]float32, len(p.lessons[0])), make([]float32, len(p.lessons[0]))
	for k := range p.mean {
		var sum, squares float64
		for _, l := range p.lessons {
			sum, squares = sum+float64(l[k]), squares+float64(l[k])*float64(l[k])
		}
		n := float64(len(p.lessons))
		p.mean[k] = float32(sum / n)
		if variance := squares/n - sum/n*sum/n; variance > 1e-4 {
			p.scale[k] = float32(1 / math.Sqrt(variance))
		}
	}
	for _, l := range p.lessons {
		p.fit(l)
	}
}

// fit normalizes what is seen.
func (p *pupil) fit(seen []float32) {
	for k := range seen {
		seen[k] = (seen[k] - p.mean[k]) * p.scale[k]
	}
}

// read returns the best symbol for each place.
func (p *pupil) read(seen []float32) (text plate) {
	p.fit(seen)
	likeness := make([]float32, len(p.lessons))
	for i, l := range p.lessons {
		likeness[i] = dot(seen, l)
	}
	for i := range text {
		best := float32(math.Inf(-1))
		for c := range symbols {
			if v := dot(likeness, p.weights[i*symbols+c]); v > best {
				text[i], best = c, v
			}
		}
	}
	return text
}

// factorize replaces the lower half of a symmetric matrix by its Cholesky factor.
func factorize(a [][]float64) error {
	for i := range a {
		for j := range i + 1 {
			sum := a[i][j]
			for k, v := range a[j][:j] {
				sum -= a[i][k] * v
			}
			switch {
			case i != j:
				a[i][j] = sum / a[j][j]
			case sum <= 0:
				return errors.New("matrix is not positive definite")
			default:
				a[i][i] = math.Sqrt(sum)
			}
		}
	}
	return nil
}

// solve replaces v by the solution for a factorized matrix.
func solve(a [][]float64, v []float64) {
	for i := range v {
		for k, f := range a[i][:i] {
			v[i] -= f * v[k]
		}
		v[i] /= a[i][i]
	}
	for i := len(v) - 1; i >= 0; i-- {
		v[i] /= a[i][i]
		for k, f := range a[i][:i] {
			v[k] -= f * v[i]
		}
	}
}
