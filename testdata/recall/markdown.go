package main

import (
	"fmt"
	"strings"
)

// markdown returns the tables as they stand in a document.
func (rep *report) markdown() string {
	var b strings.Builder
	rep.writePictures(&b)
	rep.writeMethods(&b)
	rep.writeRecall(&b)
	rep.writeAgain(&b)
	rep.writeResidue(&b)
	rep.writeVersus(&b)
	rep.writeWitnesses(&b)
	rep.writeRemoval(&b)
	rep.writeSent(&b)
	return b.String()
}

func (rep *report) writePictures(b *strings.Builder) {
	b.WriteString("### Pictures\n\n| set | pictures | persons | faces | plates |\n|---|--:|--:|--:|--:|\n")
	for _, s := range measured() {
		pictures, objects := 0, map[string]int{}
		for _, f := range rep.Pictures {
			if f.Set != s.name {
				continue
			}
			pictures++
			for _, o := range f.Objects {
				objects[o.Class]++
			}
		}
		fmt.Fprintf(b, "| %s | %d | %d | %d | %d |\n", s.name, pictures, objects["person"], objects["face"], objects["plate"])
	}
}

func (rep *report) writeMethods(b *strings.Builder) {
	b.WriteString("\n### Ways compared\n\n| way | looks for |\n|---|---|\n")
	for _, m := range rep.Methods {
		fmt.Fprintf(b, "| %s | %s |\n", m.Name, m.With)
	}
}

// header begins a table that has a column for each method.
func (rep *report) header(b *strings.Builder, left ...string) {
	for _, name := range left {
		fmt.Fprintf(b, "| %s ", name)
	}
	for _, m := range rep.Methods {
		fmt.Fprintf(b, "| %s ", m.Name)
	}
	b.WriteString("|\n|---")
	b.WriteString(strings.Repeat("|--:", len(left)-1+len(rep.Methods)))
	b.WriteString("|\n")
}

func (rep *report) writeRecall(b *strings.Builder) {
	fmt.Fprintf(b, "\n### Removed\n\nShare of objects of whose box at least %v is removed (95 %% interval) / at least %v.\n\n", goneFrom, halfFrom)
	rep.header(b, "objects", "number", "in pictures")
	for _, r := range rep.Recall {
		name := r.Class + ", " + r.Kind
		if r.Kind == "all" {
			name = "**" + r.Class + "**"
		}
		fmt.Fprintf(b, "| %s | %d | %d ", name, r.Objects, r.Pictures)
		for _, m := range rep.Methods {
			s := r.By[m.Name]
			fmt.Fprintf(b, "| %s / %.2f ", s.Gone.text("%.2f"), s.Half)
		}
		b.WriteString("|\n")
	}
}

func (rep *report) writeResidue(b *strings.Builder) {
	fmt.Fprintf(b, "\n### Still found\n\nHits in 100 pictures (95 %% interval), over %d pictures: all / only those that the originals had. ", rep.witnesses)
	b.WriteString("In square brackets where the model's weights take part in the way.\n\n")
	rep.header(b, "looked for", "by", "in originals")
	for _, r := range rep.Residue {
		fmt.Fprintf(b, "| %s | %s | %s ", r.Class, r.Model, r.Original.text("%.0f"))
		for _, m := range rep.ways {
			fmt.Fprintf(b, "| %s ", marked(r.By[m.name].text(), m.looks.role(r.witness.weights)))
		}
		b.WriteString("|\n")
	}
}

// writeWitnesses says of each how far it is a stranger.
func (rep *report) writeWitnesses(b *strings.Builder) {
	b.WriteString("\n")
	for _, w := range witnesses() {
		var parts []string
		for _, m := range rep.ways {
			if role := m.looks.role(w.weights); role != "" {
				parts = append(parts, role+" of "+m.name)
			}
		}
		if w.kin != "" {
			parts = append(parts, w.kin)
		}
		if len(parts) == 0 {
			parts = []string{"a stranger to every way"}
		}
		fmt.Fprintf(b, "- `%s`: %s.\n", w.model, strings.Join(parts, "; "))
	}
}

func (rep *report) writeRemoval(b *strings.Builder) {
	b.WriteString("\n### Cost\n\nShare of a picture that is removed, in all and outside of every box of somebody; dropped pictures are not in it.\n\n")
	b.WriteString("| way | median | 90th percentile | outside, median | outside, 90th percentile | by the first look alone, median | 90th percentile | pictures dropped |\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range rep.Removal {
		first := []string{"", ""}
		if rep.way(r.Method).own {
			first = []string{percent(r.FirstMedian), percent(r.FirstP90)}
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s | %d |\n", r.Method, percent(r.Median), percent(r.P90),
			percent(r.BesideMedian), percent(r.BesideP90), first[0], first[1], r.Dropped)
	}
}

func (rep *report) writeSent(b *strings.Builder) {
	s := rep.Sent
	fmt.Fprintf(b, "\n### As sent by default\n\nWay `%s`, %d of the pictures: those in which the built-in model sees a container or bag, with coarse blocks around it; the second look let %d of them grow, and %d were dropped (with sharp surroundings %d and %d). Other models looked at %d.\n\n",
		exampleMethod, s.Pictures, s.Grown, s.Dropped, s.FullGrown, s.FullDropped, s.Witnessed)
	fmt.Fprintf(b, "| looked for | by | in originals | %s | redacted, sharp around | redacted, as sent | as sent, against the %s |\n|---|---|--:|--:|--:|--:|--:|\n",
		plainMethod, plainMethod)
	for _, r := range s.Residue {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s |\n", r.Class, r.Model, r.Original.text("%.0f"), marked(r.Plain.text(), r.plain),
			marked(r.Sharp.text(), r.role), marked(r.Sent.text(), r.role), marked(r.Versus.text(), r.role+r.plain))
	}
	fmt.Fprintf(b, "\n| objects | number | removed, sharp around | removed or coarse, as sent |\n|---|--:|--:|--:|\n")
	for _, r := range s.Recall {
		fmt.Fprintf(b, "| %s | %d | %s | %s |\n", r.Class, r.Objects, r.Sharp.text("%.2f"), r.Sent.text("%.2f"))
	}
}

// text is the value and, in brackets, its interval; verb formats each number.
func (e estimate) text(verb string) string {
	return fmt.Sprintf(verb+" ("+verb+" to "+verb+")", e.Value, e.Low, e.High)
}

func (v versus) text() string { return v.All.difference() + " / " + v.Known.difference() }

// text is what is found, and what of it the originals had.
func (l left) text() string { return l.Found.text("%.0f") + " / " + l.Known.text("%.0f") }

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }
