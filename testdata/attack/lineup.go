package main

import (
	"bytes"
	"image"
	"math"
)

// lineup asks which of many texts it was. The attacker has the camera's frame to the
// last bit, but for the plate: every suspect is painted and goes the whole way, from
// the camera's encoder to the published file, and is compared with what was published.
type lineup struct {
	First rate `json:"first"` // the truth came out on top; equals are drawn by lot
	// The chance that the truth looks more like it than a wrong text does, by three
	// measures: the whole picture, only what lies outside the covered area (where an
	// encoder may have carried something), and the length of the file.
	Picture float64 `json:"auc_picture"`
	Outside float64 `json:"auc_outside"`
	Length  float64 `json:"auc_length"`
	// Same is how many of the wrong texts give the very bytes.
	Same     rate `json:"identical_files"`
	Held     int  `json:"held"`
	Suspects int  `json:"suspects"`
}

// measure is one of the three.
type measure struct {
	name string
	auc  float64
}

func (l *lineup) measures() []measure {
	return []measure{{"the whole picture", l.Picture}, {"what lies outside", l.Outside}, {"the length of the file", l.Length}}
}

// add takes in one lineup more.
func (l *lineup) add(t trial) {
	l.Held++
	n := float64(l.Held)
	l.First, l.Same = l.First.add(t.first), l.Same.add(t.same)
	l.Picture += (t.auc[0] - l.Picture) / n
	l.Outside += (t.auc[1] - l.Outside) / n
	l.Length += (t.auc[2] - l.Length) / n
}

// trial is what came of one lineup: the measures in the order of lineup's.
type trial struct {
	first, same rate
	auc         [3]float64
}

// try holds a lineup.
func (v *victim) try(s *stage, m *method) (trial, error) {
	seen, err := s.see(m, v.file)
	if err != nil {
		return trial{}, err
	}
	hidden := m.area(s).Sub(seen.at)
	var t trial
	var scores [3][]float64
	for i, file := range v.suspects {
		w, err := s.see(m, file)
		if err != nil {
			return trial{}, err
		}
		if i > 0 {
			t.same = t.same.add(yes(bytes.Equal(w.file, seen.file)))
		}
		inside, outside := distance(seen.picture, w.picture, hidden)
		for k, d := range [3]float64{inside + outside, outside, math.Abs(float64(len(w.file) - len(seen.file)))} {
			scores[k] = append(scores[k], d)
		}
	}
	for k := range scores {
		t.auc[k], _, _ = rank(scores[k])
	}
	_, ahead, equal := rank(scores[0])
	t.first = yes(ahead == 0 && v.dice(theLot).IntN(equal+1) == 0)
	return t, nil
}

// rank says how the first of the distances, the truth's, stands among the others.
func rank(d []float64) (auc float64, ahead, equal int) {
	for _, v := range d[1:] {
		switch {
		case v < d[0]:
			ahead++
		case v == d[0]:
			equal++
		}
	}
	n := float64(len(d) - 1)
	return (n - float64(ahead) - float64(equal)/2) / n, ahead, equal
}

// distance is the sum of squared differences in r and outside of it.
func distance(a, b *picture, r image.Rectangle) (inside, outside float64) {
	for i := range a.planes {
		p, q, in := a.planes[i], b.planes[i], samples(i, r)
		for y := range p.h {
			for x := range p.w {
				d := float64(p.v[y*p.w+x] - q.v[y*p.w+x])
				if d != 0 && image.Pt(x, y).In(in) {
					inside += d * d
				} else {
					outside += d * d
				}
			}
		}
	}
	return inside, outside
}
