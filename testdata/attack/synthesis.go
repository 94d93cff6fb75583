package main

import (
	"bytes"
	"math"
	"math/rand/v2"
)

// synthesis reads plates by making them: it knows how every character at every place
// changes the published picture, and looks for the text whose changes, added up, come
// nearest to what is seen. What others do to pixels is linear, so the sum is exact but
// for the rounding of two JPEGs; for ours the changes are measured on published files.
type synthesis struct {
	stage     *stage
	templates [][]float32 // by place*symbols+symbol
	gram      [][]float32 // their products with each other
	base      [][]float32 // by ground: what a plate of mean characters gives
	same      rate        // of the files that were made, how many have the same bytes
	// blind says that no character changes anything: the method gives an attacker no
	// template, and the templates of a lesser method are tried instead.
	blind bool
}

const templates = characters * symbols

// side is the length of the squares whose means the attack looks at: finer than any
// method leaves the strokes of a character.
func (s *stage) side() int {
	switch {
	case s.height < 16:
		return 1
	case s.height < 40:
		return 2
	default:
		return 4
	}
}

// newSynthesis prepares for a method; base is what it leaves of unknown plates.
func newSynthesis(k *stock, m *method, workers int) (*synthesis, error) {
	a := &synthesis{stage: k.stage, templates: make([][]float32, templates), base: make([][]float32, len(k.plain))}
	err := each(workers, len(k.plain), func(i int) error {
		v, err := k.stage.see(m, k.plain[i])
		if err == nil {
			a.base[i] = k.stage.look(v, k.stage.side())
		}
		return err
	})
	if err == nil && m.spoil != nil {
		err = a.compute(m, workers)
	} else if err == nil {
		err = a.measure(k, m, workers)
	}
	if err != nil {
		return nil, err
	}
	if a.blind = a.silent(); a.blind {
		if err := a.compute(ownDC(), workers); err != nil {
			return nil, err
		}
	}
	return a, a.multiply(workers)
}

// compute takes the templates from the method's effect on differences of pixels.
func (a *synthesis) compute(m *method, workers int) error {
	s := a.stage
	zero, plain := newPicture(s.frame), newPicture(s.frame)
	s.paint(plain, unknown())
	m.spoil(zero, s)
	return each(workers, templates, func(k int) error {
		p := newPicture(s.frame)
		s.paint(p, unknown().with(k/symbols, k%symbols))
		p.sub(plain)
		m.spoil(p, s)
		p.sub(zero)
		a.templates[k] = s.look(view{picture: p}, s.side())
		return nil
	})
}

// measure takes the templates from published files.
func (a *synthesis) measure(k *stock, m *method, workers int) error {
	reference, err := m.publish(a.stage, k.plain[0])
	if err != nil {
		return err
	}
	same := make([]rate, templates)
	err = each(workers, templates, func(i int) error {
		v, err := a.stage.see(m, k.single[i])
		if err != nil {
			return err
		}
		same[i] = yes(bytes.Equal(v.file, reference.file))
		a.templates[i] = subtract(a.stage.look(v, a.stage.side()), a.base[0])
		return nil
	})
	for _, n := range same {
		a.same = a.same.add(n)
	}
	return err
}

// subtract takes b away from a.
func subtract(a, b []float32) []float32 {
	for i, v := range b {
		a[i] -= v
	}
	return a
}

// silent reports whether all templates are zero.
func (a *synthesis) silent() bool {
	for _, t := range a.templates {
		if dot(t, t) != 0 {
			return false
		}
	}
	return true
}

func (a *synthesis) multiply(workers int) error {
	a.gram = make([][]float32, templates)
	return each(workers, templates, func(k int) error {
		a.gram[k] = make([]float32, templates)
		for j := range templates {
			a.gram[k][j] = dot(a.templates[k], a.templates[j])
		}
		return nil
	})
}

// read returns the most likely text.
func (a *synthesis) read(w view, ground int, rng *rand.Rand) plate {
	seen := subtract(a.stage.look(w, a.stage.side()), a.base[ground])
	match := make([]float32, templates)
	for k, t := range a.templates {
		match[k] = dot(seen, t)
	}
	var best plate
	least := math.Inf(1)
	for range 12 {
		text, cost := a.descend(match, newPlate(rng))
		if cost < least {
			best, least = text, cost
		}
	}
	return best
}

// descend betters one character at a time until none can be.
func (a *synthesis) descend(match []float32, text plate) (plate, float64) {
	for changed := true; changed; {
		changed = false
		for i := range text {
			if c := a.choose(match, text, i); c != text[i] {
				text[i], changed = c, true
			}
		}
	}
	cost := 0.0
	for i, c := range text {
		cost -= 2 * float64(match[i*symbols+c])
		for j, d := range text {
			cost += float64(a.gram[i*symbols+c][j*symbols+d])
		}
	}
	return text, cost
}

// choose returns the best symbol at place i if all others are right; of equals, the one
// that is there.
func (a *synthesis) choose(match []float32, text plate, i int) int {
	cost := func(c int) float64 {
		row := a.gram[i*symbols+c]
		sum := float64(row[i*symbols+c]) - 2*float64(match[i*symbols+c])
		for j, d := range text {
			if j != i {
				sum += 2 * float64(row[j*symbols+d])
			}
		}
		return sum
	}
	best := text[i]
	least := cost(best)
	for c := range symbols {
		if v := cost(c); v < least-1e-6*math.Abs(least) {
			best, least = c, v
		}
	}
	return best
}

// dot is the inner product, in four sums that a processor can work on at once.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}
