package main

import "fmt"

// problems are what must not have come out: of ours, anything better than chance; of
// what has to be broken, an attack that fails, for then its failing on ours says nothing.
func (f *finding) problems() []string {
	switch f.kind {
	case safe:
		return f.leaks()
	case broken:
		return f.withstood()
	default:
		return nil
	}
}

// leaks are the signs that a method tells something.
func (f *finding) leaks() []string {
	var all []string
	above := func(what string, r rate, p float64) {
		if q := r.atLeast(p); q < certain {
			all = append(all, fmt.Sprintf("%s: %s: %d of %d right, which chance does with probability %.1g", f.Method, what, r.Right, r.Of, q))
		}
	}
	for _, r := range f.Read {
		above(fmt.Sprintf("synthesis at %d pixels", r.Height), r.Synthesis, chance)
		above(fmt.Sprintf("Wiener filter at %d pixels", r.Height), r.Wiener, chance)
	}
	above("learnt attack", f.Learnt, chance)
	above("lineup", f.Lineup.First, 1/float64(max(f.Lineup.Suspects, 1)))
	for _, m := range f.Lineup.measures() {
		// Four deviations are about what certain asks of the others.
		if aucAbove(m.auc, f.Lineup.Held) > 4 {
			all = append(all, fmt.Sprintf("%s: lineup by %s: AUC %.2f, want about 0.5", f.Method, m.name, m.auc))
		}
	}
	if same := f.identical(); same.Right < same.Of {
		all = append(all, fmt.Sprintf("%s: %d of %d files with another text differ", f.Method, same.Of-same.Right, same.Of))
	}
	return all
}

// identical counts the files which are the same to the last byte although the text is
// another.
func (f *finding) identical() rate {
	same := f.Lineup.Same
	for _, r := range f.Read {
		same = same.add(r.Same)
	}
	return same
}

// withstood are the attacks that did not succeed. A learnt attack has few lessons and the
// simplest of pupils, and a filter sees each character by itself: clearly above chance is
// enough for them. The synthesis must read most of what there is.
func (f *finding) withstood() []string {
	var all []string
	want := func(what string, r rate, share float64) {
		if low, _ := r.interval(); low < share {
			all = append(all, fmt.Sprintf("%s: %s: %d of %d right, want clearly more than %.0f %%: the attack proves nothing", f.Method, what, r.Right, r.Of, 100*share))
		}
	}
	for _, r := range f.Read {
		want(fmt.Sprintf("synthesis at %d pixels", r.Height), r.Synthesis, 0.5)
		if f.blurred {
			want(fmt.Sprintf("Wiener filter at %d pixels", r.Height), r.Wiener, 3*chance)
		}
	}
	want("learnt attack", f.Learnt, 1.5*chance)
	if f.Lineup.Picture < 0.95 {
		all = append(all, fmt.Sprintf("%s: lineup: AUC %.2f, want nearly 1: the attack proves nothing", f.Method, f.Lineup.Picture))
	}
	return all
}
