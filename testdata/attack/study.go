package main

import (
	"fmt"

	"golang.org/x/sync/errgroup"
)

// study says how much is attacked.
type study struct {
	seed    uint64
	methods []*method
	photos  []photo
	// heights are those of the characters; the costlier attacks are made at one only.
	heights []int
	main    int
	// plates are read at each height, lineups of so many suspects held, and a pupil
	// learns from lessons and sits an exam of plates.
	plates, lineups, suspects, lessons, exam int

	workers int
	step    func() // called when a part is done
}

// full is the study of the report; its figures come from it.
func full(seed uint64) study {
	return study{
		seed: seed, methods: methods(), heights: []int{12, 20, 32, 64}, main: 20,
		plates: 100, lineups: 12, suspects: 100, lessons: 1008, exam: 160,
	}
}

// brief is the study of the tests: one height, and of what others do only what has to
// be broken.
func brief(seed uint64) study {
	y := study{seed: seed, heights: []int{20}, main: 20, plates: 20, lineups: 2, suspects: 20, lessons: 240, exam: 40}
	for _, m := range methods() {
		if m.kind == safe || m.kind == broken && m.usual {
			y.methods = append(y.methods, m)
		}
	}
	return y
}

// parts is how often step will be called.
func (y *study) parts() int { return (len(y.methods) + 1) * len(y.heights) }

// finding is what came out for a method.
type finding struct {
	Method string    `json:"method"`
	Read   []reading `json:"read"`
	Learnt rate      `json:"learnt"`
	Lineup lineup    `json:"lineup"`

	kind    kind
	blurred bool
}

// reading is what was read at one height of the characters.
type reading struct {
	Height    int  `json:"height"`
	Synthesis rate `json:"synthesis"`
	Plates    rate `json:"whole_plates"`
	Wiener    rate `json:"wiener"`
	// Same is how many files with one character known have the bytes of that without:
	// all, or the attack has something to go by. Counted for ours.
	Same rate `json:"identical_files"`
	// Blind says that the method tells the attack nothing, which then goes by what
	// another method would have left.
	Blind bool `json:"blind"`
}

// run makes all attacks on all methods.
func (y *study) run() ([]finding, error) {
	findings := make([]finding, len(y.methods))
	for i, m := range y.methods {
		findings[i] = finding{Method: m.name, kind: m.kind, blurred: m.sigma != nil}
	}
	for _, height := range y.heights {
		s, err := newStage(height)
		if err == nil {
			err = s.settle(y.photos)
		}
		if err != nil {
			return nil, err
		}
		k, err := y.newStock(s)
		if err != nil {
			return nil, err
		}
		y.step()
		for i, m := range y.methods {
			if err := y.attack(k, m, &findings[i]); err != nil {
				return nil, fmt.Errorf("%s, characters of %d pixels: %w", m.name, height, err)
			}
			y.step()
		}
	}
	return findings, nil
}

// attack makes the attacks on one method at one stage.
func (y *study) attack(k *stock, m *method, f *finding) error {
	a, err := newSynthesis(k, m, y.workers)
	if err != nil {
		return err
	}
	r, err := y.read(k, m, a)
	if err != nil {
		return err
	}
	f.Read = append(f.Read, r)
	if k.stage.height != y.main {
		return nil
	}
	if f.Lineup, err = y.lineUp(k, m); err != nil {
		return err
	}
	f.Learnt, err = y.teach(k, m)
	return err
}

func (y *study) read(k *stock, m *method, a *synthesis) (reading, error) {
	w := newWiener(k.stage, m)
	guesses := make([][2]plate, len(k.read))
	err := each(y.workers, len(k.read), func(i int) error {
		v := &k.read[i]
		seen, err := k.stage.see(m, v.file)
		if err != nil {
			return err
		}
		guesses[i] = [2]plate{a.read(seen, v.ground, v.dice(firstGuess)), w.read(seen)}
		return nil
	})
	r := reading{Height: k.stage.height, Same: a.same, Blind: a.blind}
	for i, g := range guesses {
		right := g[0].compare(k.read[i].text)
		r.Synthesis, r.Plates = r.Synthesis.add(right), r.Plates.add(yes(right.Right == right.Of))
		r.Wiener = r.Wiener.add(g[1].compare(k.read[i].text))
	}
	return r, err
}

func (y *study) lineUp(k *stock, m *method) (lineup, error) {
	trials := make([]trial, len(k.lineups))
	err := each(y.workers, len(trials), func(i int) (err error) {
		trials[i], err = k.lineups[i].try(k.stage, m)
		return err
	})
	l := lineup{Suspects: y.suspects}
	for _, t := range trials {
		l.add(t)
	}
	return l, err
}

func (y *study) teach(k *stock, m *method) (rate, error) {
	lessons, err := y.show(k.stage, m, k.lessons)
	if err != nil {
		return rate{}, err
	}
	texts := make([]plate, len(lessons))
	for i := range texts {
		texts[i] = k.lessons[i].text
	}
	p, err := newPupil(lessons, texts, y.workers)
	if err != nil {
		return rate{}, err
	}
	questions, err := y.show(k.stage, m, k.exam)
	var right rate
	for i, q := range questions {
		right = right.add(p.read(q).compare(k.exam[i].text))
	}
	return right, err
}

// show returns what a pupil is shown of victims: what differs from the mean of those in
// the same street. The street itself is nothing to learn from.
func (y *study) show(s *stage, m *method, all []victim) ([][]float32, error) {
	seen := make([][]float32, len(all))
	err := each(y.workers, len(all), func(i int) error {
		v, err := s.see(m, all[i].file)
		if err == nil {
			seen[i] = s.look(v, lessonSide)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for g := range s.grounds {
		var total []float32
		n := float32(0)
		for i := g; i < len(seen); i += len(s.grounds) {
			if total == nil {
				total = make([]float32, len(seen[i]))
			}
			for k, v := range seen[i] {
				total[k] += v
			}
			n++
		}
		for k := range total {
			total[k] /= n
		}
		for i := g; i < len(seen); i += len(s.grounds) {
			subtract(seen[i], total)
		}
	}
	return seen, nil
}

// compare says how many characters are right.
func (p plate) compare(truth plate) (r rate) {
	for i, c := range p {
		r = r.add(yes(c == truth[i]))
	}
	return r
}

// each calls do for 0 to n-1, by several workers at a time.
func each(workers, n int, do func(i int) error) error {
	var g errgroup.Group
	g.SetLimit(workers)
	for i := range n {
		g.Go(func() error { return do(i) })
	}
	return g.Wait()
}
