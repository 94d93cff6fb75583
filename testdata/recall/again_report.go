package main

import (
	"fmt"
	"slices"
	"strings"
)

// againFigures is what second looks did.
type againFigures struct {
	Pictures []againPictures `json:"pictures"`
	Hits     []againHits     `json:"hits"`
	Recall   []againRecall   `json:"recall"`
}

// againPictures counts the pictures of one method.
type againPictures struct {
	Method  string `json:"method"`
	Looked  int    `json:"looked"`
	Grown   onPart `json:"grown"`
	Dropped onPart `json:"dropped"`
	Faces   growth `json:"faces"`  // of the pictures that grew for a face, among others
	Others  growth `json:"others"` // of the other pictures that grew
}

// growth is how much of pictures is removed before and after they grow, in the median.
type growth struct {
	Pictures int     `json:"pictures"`
	Before   float64 `json:"before"`
	After    float64 `json:"after"`
}

func newGrowth(grown []product) growth {
	if len(grown) == 0 {
		return growth{}
	}
	var before, after []float64
	for _, p := range grown {
		before, after = append(before, p.First), append(after, p.Removed)
	}
	return growth{len(grown), quantile(before, 0.5), quantile(after, 0.5)}
}

// onPart is a number of pictures, and of how many of them a human says that the models
// saw somebody whom the looks before left.
type onPart struct {
	All    int `json:"all"`
	Missed int `json:"missed"`
}

// againHits counts, by what they were on, the hits of one class, and for which of them
// pictures were dropped; in pictures of which a human has said who is there.
type againHits struct {
	Method string         `json:"method"`
	Class  string         `json:"class"`
	Hits   map[string]int `json:"hits"`
	Still  map[string]int `json:"still"`
}

// againRecall is what became of the objects of one class.
type againRecall struct {
	Method  string   `json:"method"`
	Class   string   `json:"class"`
	Objects int      `json:"objects"`
	First   estimate `json:"first"`   // gone after the first look alone
	Gone    estimate `json:"gone"`    // with what the second look adds; in dropped pictures all are
	Grown   int      `json:"grown"`   // gone since their pictures grew
	Spared  int      `json:"spared"`  // gone since their pictures were dropped
	Dropped int      `json:"dropped"` // objects in pictures that it dropped
	Leaving estimate `json:"leaving"` // gone, of those in the other pictures
}

// again gathers the figures of the second look.
func (rep *report) again() againFigures {
	var a againFigures
	for _, m := range rep.ways {
		if !m.own {
			continue
		}
		a.Pictures = append(a.Pictures, rep.againPictures(m.name))
		for _, class := range classes() {
			if h := rep.againHits(m.name, class); len(h.Hits)+len(h.Still) > 0 {
				a.Hits = append(a.Hits, h)
			}
			if r, ok := rep.againRecall(m.name, class); ok {
				a.Recall = append(a.Recall, r)
			}
		}
	}
	return a
}

func (rep *report) againPictures(name string) againPictures {
	a := againPictures{Method: name}
	var faces, others []product
	for _, f := range rep.Pictures {
		p := f.By[name]
		if p.Second == nil {
			continue
		}
		a.Looked++
		missed := func(h hit) bool { return h.On == onMissed }
		switch {
		case p.Second.Still != nil:
			a.Dropped = a.Dropped.with(missed(*p.Second.Still))
		case p.Second.Grown:
			a.Grown = a.Grown.with(slices.ContainsFunc(p.Second.Hits, missed))
			if slices.ContainsFunc(p.Second.Hits, func(h hit) bool { return h.Class == "face" }) {
				faces = append(faces, p)
				continue
			}
			others = append(others, p)
		}
	}
	a.Faces, a.Others = newGrowth(faces), newGrowth(others)
	return a
}

// with counts one more.
func (p onPart) with(missed bool) onPart {
	p.All++
	if missed {
		p.Missed++
	}
	return p
}

func (rep *report) againHits(name, class string) againHits {
	a := againHits{name, class, map[string]int{}, map[string]int{}}
	for _, f := range rep.Pictures {
		l := f.By[name].Second
		if l == nil || !judgedSet(f.Set) {
			continue
		}
		for _, h := range l.Hits {
			if h.Class == class {
				a.Hits[h.On]++
			}
		}
		if l.Still != nil && l.Still.Class == class {
			a.Still[l.Still.On]++
		}
	}
	return a
}

func (rep *report) againRecall(name, class string) (againRecall, bool) {
	a := againRecall{Method: name, Class: class}
	var first, gone, leaving []tally
	for _, f := range rep.Pictures {
		mine := slices.DeleteFunc(slices.Clone(f.Objects), func(o fate) bool { return o.Class != class })
		a.Objects += len(mine)
		first = append(first, count(mine, func(o fate) float64 { return o.First[name] }, goneFrom))
		gone = append(gone, count(mine, by(name), goneFrom))
		more := int(gone[len(gone)-1].hits - first[len(first)-1].hits)
		if f.By[name].Dropped != "" {
			a.Dropped += len(mine)
			a.Spared += more
			continue
		}
		a.Grown += more
		leaving = append(leaving, count(mine, by(name), goneFrom))
	}
	var ok bool
	a.First, ok = shareOf(first)
	a.Gone, _ = shareOf(gone)
	a.Leaving, _ = shareOf(leaving)
	return a, ok
}

func (rep *report) writeAgain(b *strings.Builder) {
	b.WriteString("\n### The second look\n\nIn brackets: of these, so many where a human says that somebody is, perhaps, who was left.\n\n")
	b.WriteString("| way | pictures looked at again | grown | dropped | grown for a face | removed of these, median | of the others that grew |\n|---|--:|--:|--:|--:|--:|--:|\n")
	for _, p := range rep.Again.Pictures {
		fmt.Fprintf(b, "| %s | %d | %s | %s | %d | %s | %s |\n", p.Method, p.Looked, p.Grown.text(), p.Dropped.text(),
			p.Faces.Pictures, p.Faces.text(), p.Others.text())
	}
	fmt.Fprintf(b, "\nWhat it saw in what the first look had left, and the first thing that it saw even when all that was removed, for which the picture was dropped; in the %d pictures that a human has searched for everybody:\n\n", rep.judged())
	b.WriteString("| way | class | hits on somebody left | on fill | elsewhere | dropped for somebody left | for fill | for what is elsewhere |\n|---|---|--:|--:|--:|--:|--:|--:|\n")
	for _, h := range rep.Again.Hits {
		fmt.Fprintf(b, "| %s | %s ", h.Method, h.Class)
		for _, n := range []map[string]int{h.Hits, h.Still} {
			for _, on := range onWhat() {
				fmt.Fprintf(b, "| %d ", n[on])
			}
		}
		b.WriteString("|\n")
	}
	fmt.Fprintf(b, "\nShare of objects of whose box at least %v is removed:\n\n", goneFrom)
	b.WriteString("| way | objects | number | by the first look alone | with the second, dropped ones gone | more by growing | more by dropping | in dropped pictures | of the others |\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range rep.Again.Recall {
		fmt.Fprintf(b, "| %s | %s | %d | %s | %s | %d | %d | %d | %s |\n", r.Method, r.Class, r.Objects,
			r.First.text("%.2f"), r.Gone.text("%.2f"), r.Grown, r.Spared, r.Dropped, r.Leaving.text("%.2f"))
	}
}

func (p onPart) text() string { return fmt.Sprintf("%d (%d)", p.All, p.Missed) }

func (g growth) text() string {
	if g.Pictures == 0 {
		return ""
	}
	return percent(g.Before) + " → " + percent(g.After)
}

// judged is how many pictures were searched by a human for all classes.
func (rep *report) judged() int {
	n := 0
	for _, f := range rep.Pictures {
		if judgedSet(f.Set) {
			n++
		}
	}
	return n
}
