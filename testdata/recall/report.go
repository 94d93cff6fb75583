package main

import (
	"bytes"
	"fmt"
	"image"
	"os"
	"slices"
)

// The shares of an object's box that must be removed for it to count.
const (
	goneFrom = 0.9
	halfFrom = 0.5
)

// report is everything that was measured.
type report struct {
	Methods   []described  `json:"methods"`
	Every     int          `json:"every"` // witnesses looked at one picture of a set in so many
	Recall    []recallRow  `json:"recall"`
	Residue   []residue    `json:"residue"`
	Removal   []removal    `json:"removal"`
	Again     againFigures `json:"again"`
	Sent      sentFigures  `json:"sent"`
	Pictures  []finding    `json:"pictures"`
	ways      []method
	witnesses int // pictures that the witnesses looked at
}

// described is a method in words.
type described struct {
	Name string `json:"name"`
	With string `json:"with"`
}

// recallRow is what became of the objects of one kind.
type recallRow struct {
	Class    string           `json:"class"`
	Kind     string           `json:"kind"`
	Objects  int              `json:"objects"`
	Pictures int              `json:"pictures"`
	By       map[string]share `json:"by"`
}

// share is how many objects are gone, and how many at least half.
type share struct {
	Gone estimate `json:"gone"`
	Half float64  `json:"half"`
}

// residue is what one witness finds in a hundred pictures.
type residue struct {
	Class    string            `json:"class"`
	Model    string            `json:"model"`
	Original estimate          `json:"original"`
	By       map[string]left   `json:"by"`
	Versus   map[string]versus `json:"versus"` // of ours
	witness  witness
}

// left is what is found in a hundred redacted pictures, and how much of it was found
// in the originals already.
type left struct {
	Found estimate `json:"found"`
	Known estimate `json:"known"`
}

// removal is how much of the pictures one method takes.
type removal struct {
	Method       string  `json:"method"`
	Dropped      int     `json:"dropped"`
	Median       float64 `json:"median"`
	P90          float64 `json:"p90"`
	BesideMedian float64 `json:"beside_median"`
	BesideP90    float64 `json:"beside_p90"`
	FirstMedian  float64 `json:"first_median"` // by the first look alone, of all pictures; of ours
	FirstP90     float64 `json:"first_p90"`
}

// sentFigures compare pictures as they are sent by default with the same ones sharp.
type sentFigures struct {
	Pictures    int          `json:"pictures"`
	Witnessed   int          `json:"witnessed"` // of these, looked at by other models
	Dropped     int          `json:"dropped"`
	Grown       int          `json:"grown"`
	FullGrown   int          `json:"full_grown"` // of the same pictures, sharp around
	FullDropped int          `json:"full_dropped"`
	Residue     []sentRow    `json:"residue"`
	Recall      []sentRecall `json:"recall"`
}

// sentRow is what one witness finds in a hundred of these pictures.
type sentRow struct {
	Class    string   `json:"class"`
	Model    string   `json:"model"`
	Original estimate `json:"original"`
	Plain    left     `json:"plain"` // by the plain pass, which leaves the surroundings sharp
	Sharp    left     `json:"sharp"`
	Sent     left     `json:"sent"`
	Versus   versus   `json:"versus"` // as sent, against the plain pass
	role     string   // of the witness's weights in the way that is sent
	plain    string   // and in the plain pass
}

// sentRecall is what became of the objects of one class in these pictures.
type sentRecall struct {
	Class   string   `json:"class"`
	Objects int      `json:"objects"`
	Sharp   estimate `json:"sharp"`
	Sent    estimate `json:"sent"`
}

// newReport joins what was found. Of a method that refuses every picture nothing can
// be said, and it would look perfect.
func newReport(r *run, found []finding) (*report, error) {
	all, err := methods(r.config)
	if err != nil {
		return nil, err
	}
	rep := &report{Every: r.every, Pictures: found, ways: all}
	for _, m := range all {
		rep.Methods = append(rep.Methods, described{m.name, m.with})
		removed := removedBy(m.name, found)
		if removed.Dropped == len(found) {
			return nil, fmt.Errorf("%s let no picture pass: %s", m.name, found[0].By[m.name].Dropped)
		}
		rep.Removal = append(rep.Removal, removed)
	}
	for _, class := range classes() {
		rep.Recall = append(rep.Recall, rep.recall(class)...)
	}
	for _, f := range found {
		if f.Original != nil {
			rep.witnesses++
		}
	}
	for _, w := range witnesses() {
		rep.Residue = append(rep.Residue, rep.residueOf(w))
	}
	rep.Again = rep.again()
	rep.Sent = rep.asSent()
	return rep, nil
}

func removedBy(name string, found []finding) removal {
	r := removal{Method: name}
	var all, beside, first []float64
	for _, f := range found {
		p := f.By[name]
		first = append(first, p.First)
		if p.Dropped != "" {
			r.Dropped++
			continue
		}
		all = append(all, p.Removed)
		if p.Beside != nil {
			beside = append(beside, *p.Beside)
		}
	}
	r.FirstMedian, r.FirstP90 = quantile(first, 0.5), quantile(first, 0.9)
	r.Median, r.P90 = quantile(all, 0.5), quantile(all, 0.9)
	if len(beside) > 0 {
		r.BesideMedian, r.BesideP90 = quantile(beside, 0.5), quantile(beside, 0.9)
	}
	return r
}

// recall returns the rows of one class: all, by size, by place, and those that no model showed
// to the human who drew them.
func (rep *report) recall(class string) []recallRow {
	rows := []recallRow{rep.row(class, "all", func(string, fate) bool { return true })}
	for i := range sizes(class) {
		rows = append(rows, rep.row(class, sizeName(class, i), func(_ string, o fate) bool { return sizeOf(class, o.Size) == i }))
	}
	for _, p := range places() {
		rows = append(rows, rep.row(class, "in "+p, func(place string, _ fate) bool { return place == p }))
	}
	rows = append(rows, rep.row(class, "shown by no model", func(_ string, o fate) bool { return o.Origin != shown }))
	return slices.DeleteFunc(rows, func(r recallRow) bool { return r.Objects == 0 })
}

// row is of the objects of a class that in picks by where they are and what they are.
func (rep *report) row(class, kind string, in func(place string, o fate) bool) recallRow {
	row := recallRow{Class: class, Kind: kind, By: map[string]share{}}
	gone, half := map[string][]tally{}, map[string]tally{}
	for _, f := range rep.Pictures {
		place := placeOf(f.Set)
		mine := slices.DeleteFunc(slices.Clone(f.Objects), func(o fate) bool { return o.Class != class || !in(place, o) })
		if len(mine) == 0 {
			continue
		}
		row.Objects += len(mine)
		row.Pictures++
		for _, m := range rep.Methods {
			gone[m.Name] = append(gone[m.Name], count(mine, by(m.Name), goneFrom))
			half[m.Name] = sum([]tally{half[m.Name], count(mine, by(m.Name), halfFrom)}, func(i int) int { return i })
		}
	}
	for name, tallies := range gone {
		e, _ := shareOf(tallies)
		row.By[name] = share{e, half[name].hits / half[name].of}
	}
	return row
}

// by returns which share of an object a method removed.
func by(name string) func(fate) float64 { return func(o fate) float64 { return o.Gone[name] } }

// count tells of how many objects at least this share is removed.
func count(objects []fate, removed func(fate) float64, least float64) tally {
	var t tally
	for _, o := range objects {
		t = t.with(removed(o) >= least)
	}
	return t
}

// way returns the method of that name, which must be one of those compared.
func (rep *report) way(name string) method {
	return rep.ways[slices.IndexFunc(rep.ways, func(m method) bool { return m.name == name })]
}

func (rep *report) residueOf(w witness) residue {
	seen := slices.DeleteFunc(slices.Clone(rep.Pictures), func(f finding) bool { return f.Original == nil })
	r := residue{Class: w.class, Model: w.model, By: map[string]left{}, Versus: map[string]versus{}, witness: w}
	r.Original = foundIn(seen, func(f finding) hits { return f.Original }, w).Found
	for _, m := range rep.ways {
		left := func(f finding) hits { return f.By[m.name].Residue }
		r.By[m.name] = foundIn(seen, left, w)
		if m.own {
			r.Versus[m.name] = against(seen, left, w)
		}
	}
	return r
}

// foundIn counts what a witness found in one form of pictures that it has seen.
func foundIn(seen []finding, form func(finding) hits, w witness) left {
	var all, known []int
	for _, f := range seen {
		now := form(f)[w.model]
		all = append(all, len(now))
		known = append(known, len(now)-fresher(now, f.Original[w.model]))
	}
	return left{perHundred(all), perHundred(known)}
}

// fresher counts the boxes of which less than half lies in any one of before.
func fresher(now, before [][4]int) int {
	n := 0
	for _, b := range now {
		box := rectangle(b)
		inside := func(o [4]int) bool {
			both := box.Intersect(rectangle(o))
			return 2*both.Dx()*both.Dy() >= box.Dx()*box.Dy()
		}
		if !slices.ContainsFunc(before, inside) {
			n++
		}
	}
	return n
}

func rectangle(b [4]int) image.Rectangle { return image.Rect(b[0], b[1], b[2], b[3]) }

// The lines of a document between which the tables stand.
const (
	beginTables = "<!-- recall: begin; written by make recall -->\n"
	endTables   = "<!-- recall: end -->\n"
)

// intoDocument puts text between the marked lines of a document and leaves the rest.
func intoDocument(path, text string) error {
	doc, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	changed, err := between(doc, text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, changed, 0o644)
}

func between(doc []byte, text string) ([]byte, error) {
	before, rest, begins := bytes.Cut(doc, []byte(beginTables))
	_, after, ends := bytes.Cut(rest, []byte(endTables))
	if !begins || !ends {
		return nil, fmt.Errorf("want the lines %q and %q, in this order", beginTables, endTables)
	}
	return slices.Concat(before, []byte(beginTables+"\n"+text+"\n"+endTables), after), nil
}
