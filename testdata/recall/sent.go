package main

import "slices"

// asSent gathers the figures of pictures as they are sent by default. The same
// pictures, redacted but not coarse, stand beside them.
func (rep *report) asSent() sentFigures {
	var s sentFigures
	for _, f := range rep.Pictures {
		if f.Sent == nil {
			continue
		}
		s.Pictures++
		if f.Original != nil {
			s.Witnessed++
		}
		if f.Sent.Dropped != "" {
			s.Dropped++
		}
		if f.Sent.Grown {
			s.Grown++
		}
		switch full := f.By[exampleMethod]; {
		case full.Dropped != "":
			s.FullDropped++
		case full.Second != nil && full.Second.Grown:
			s.FullGrown++
		}
	}
	if s.Pictures == 0 {
		return s
	}
	for _, w := range witnesses() {
		s.Residue = append(s.Residue, rep.sentResidue(w))
	}
	for _, class := range classes() {
		if r, ok := rep.sentRecall(class); ok {
			s.Recall = append(s.Recall, r)
		}
	}
	return s
}

func (rep *report) sentResidue(w witness) sentRow {
	seen := slices.DeleteFunc(slices.Clone(rep.Pictures), func(f finding) bool { return f.Sent == nil || f.Original == nil })
	sent := func(f finding) hits { return f.Sent.Residue }
	return sentRow{
		Class: w.class, Model: w.model,
		role: rep.way(exampleMethod).looks.role(w.weights), plain: rep.way(plainMethod).looks.role(w.weights),
		Original: foundIn(seen, func(f finding) hits { return f.Original }, w).Found,
		Plain:    foundIn(seen, func(f finding) hits { return f.By[plainMethod].Residue }, w),
		Sharp:    foundIn(seen, func(f finding) hits { return f.By[exampleMethod].Residue }, w),
		Sent:     foundIn(seen, sent, w),
		Versus:   against(seen, sent, w),
	}
}

func (rep *report) sentRecall(class string) (sentRecall, bool) {
	var sharp, sent []tally
	r := sentRecall{Class: class}
	for _, f := range rep.Pictures {
		if f.Sent == nil {
			continue
		}
		var a, b tally
		for i, o := range f.Objects {
			if o.Class == class {
				a = a.with(o.Gone[exampleMethod] >= goneFrom)
				b = b.with(f.Sent.Gone[i] >= goneFrom)
			}
		}
		r.Objects += int(a.of)
		sharp, sent = append(sharp, a), append(sent, b)
	}
	var ok bool
	r.Sharp, ok = shareOf(sharp)
	r.Sent, _ = shareOf(sent)
	return r, ok
}

// with counts one more.
func (t tally) with(hit bool) tally {
	t.of++
	if hit {
		t.hits++
	}
	return t
}
