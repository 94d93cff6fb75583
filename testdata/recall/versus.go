package main

import (
	"fmt"
	"strings"
)

// versus says how many hits more one of ours leaves in a hundred pictures than the
// stranger does; below zero are fewer.
type versus struct {
	All   estimate `json:"all"`
	Known estimate `json:"known"` // of hits that the originals had
}

// against compares what is left with what the stranger leaves, picture by picture, so that
// one picture full of people does not decide alone.
func against(pictures []finding, left func(finding) hits, w witness) versus {
	var all, known []tally
	for _, f := range pictures {
		before := f.Original[w.model]
		mine, other := left(f)[w.model], f.By[plainMethod].Residue[w.model]
		more := len(mine) - len(other)
		all = append(all, tally{float64(more), 1})
		known = append(known, tally{float64(more - fresher(mine, before) + fresher(other, before)), 1})
	}
	if len(all) == 0 {
		return versus{}
	}
	return versus{ratio(all).perHundred(), ratio(known).perHundred()}
}

func (rep *report) writeVersus(b *strings.Builder) {
	fmt.Fprintf(b, "\nHits in 100 pictures more (+) or fewer (-) than the %s leaves, picture by picture: all / only those that the originals had. ", plainMethod)
	b.WriteString("*Fewer* and *more* stand where the interval lies on one side of zero.\n\n| looked for | by ")
	for _, m := range rep.ways {
		if m.own {
			fmt.Fprintf(b, "| %s ", m.name)
		}
	}
	fmt.Fprintf(b, "|\n|---|---%s|\n", strings.Repeat("|--:", len(rep.ways)-1))
	for _, r := range rep.Residue {
		fmt.Fprintf(b, "| %s | %s ", r.Class, r.witness.model)
		for _, m := range rep.ways {
			if m.own {
				kin := m.looks.role(r.witness.weights) + rep.way(plainMethod).looks.role(r.witness.weights)
				fmt.Fprintf(b, "| %s ", marked(r.Versus[m.name].text(), kin))
			}
		}
		b.WriteString("|\n")
	}
}

func (e estimate) difference() string {
	verdict := ""
	switch {
	case e.High < 0:
		verdict = " *fewer*"
	case e.Low > 0:
		verdict = " *more*"
	}
	return e.text("%+.0f") + verdict
}

// marked puts into brackets what a witness says of a way that it takes part in.
func marked(text, role string) string {
	if role == "" {
		return text
	}
	return "[" + text + "]"
}
