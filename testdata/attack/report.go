package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// report is a study and what came out.
type report struct {
	Seed     uint64    `json:"seed"`
	Pictures []string  `json:"pictures"`
	Main     int       `json:"main_height"`
	Chance   float64   `json:"chance"`
	Findings []finding `json:"findings"`
	Problems []string  `json:"problems"`
	study    *study
}

func newReport(y *study, findings []finding) *report {
	r := &report{Seed: y.seed, Main: y.main, Chance: chance, Findings: findings, Problems: []string{}, study: y}
	for _, p := range y.photos {
		r.Pictures = append(r.Pictures, p.name)
	}
	for i := range findings {
		r.Problems = append(r.Problems, findings[i].problems()...)
	}
	return r
}

func (r *report) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// text is what a terminal shows and what the document holds.
func (r *report) text() string {
	var b strings.Builder
	y := r.study
	fmt.Fprintf(&b, "Characters read by synthesis, in percent, with the exact 95 %% interval; blind guessing gets %.1f right.\n"+
		"%d plates of %d characters at each height of the characters; seed %d, %d streets.\n\n",
		100*chance, y.plates, characters, r.Seed, len(y.photos))
	b.WriteString(table(r.byHeight()))
	fmt.Fprintf(&b, "\nAll attacks at characters of %d pixels. Characters right in percent; guessing gets %.1f.\n"+
		"The pupil learns from %d pictures and is asked about %d others. %d lineups of %d texts:\n"+
		"guessing finds the truth in %d %% and has an AUC of 0.5.\n\n",
		r.Main, 100*chance, y.lessons, y.exam, y.lineups, y.suspects, 100/y.suspects)
	b.WriteString(table(r.byAttack()))
	return b.String()
}

func (r *report) byHeight() [][]string {
	head := []string{"what was done to the plate"}
	for _, h := range r.study.heights {
		head = append(head, fmt.Sprintf("%d px", h))
	}
	rows := [][]string{head}
	for _, f := range r.Findings {
		row := []string{f.Method}
		for _, q := range f.Read {
			low, high := q.Synthesis.interval()
			row = append(row, fmt.Sprintf("%.1f (%.1f–%.1f)", 100*q.Synthesis.share(), 100*low, 100*high))
		}
		rows = append(rows, row)
	}
	return rows
}

func (r *report) byAttack() [][]string {
	rows := [][]string{{"what was done to the plate", "whole plates", "Wiener filter", "learnt", "lineup: found",
		"AUC picture", "AUC outside", "AUC length", "identical files"}}
	for _, f := range r.Findings {
		row := []string{f.Method}
		for _, q := range f.Read {
			if q.Height == r.Main {
				row = append(row, fmt.Sprintf("%d of %d", q.Plates.Right, q.Plates.Of), percent(q.Wiener))
			}
		}
		same := f.identical()
		row = append(row, percent(f.Learnt), fmt.Sprintf("%d of %d", f.Lineup.First.Right, f.Lineup.First.Of))
		for _, m := range f.Lineup.measures() {
			row = append(row, fmt.Sprintf("%.2f", m.auc))
		}
		rows = append(rows, append(row, fmt.Sprintf("%d of %d", same.Right, same.Of)))
	}
	return rows
}

func percent(r rate) string {
	low, high := r.interval()
	return fmt.Sprintf("%.1f (%.1f–%.1f)", 100*r.share(), 100*low, 100*high)
}

// table sets rows, the first of which is the head, so that they read well as they stand
// and as Markdown.
func table(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	line := func(cells []string, fill string) {
		for i, cell := range cells {
			b.WriteString("|" + fill + cell + strings.Repeat(fill, widths[i]-utf8.RuneCountInString(cell)) + fill)
		}
		b.WriteString("|\n")
	}
	line(rows[0], " ")
	line(make([]string, len(widths)), "-")
	for _, row := range rows[1:] {
		line(row, " ")
	}
	return b.String()
}

// The figures of a document stand between these.
const (
	beginMark = "<!-- attacks: begin, written by make attack -->\n"
	endMark   = "<!-- attacks: end -->\n"
)

// write replaces what stands between the marks of a document.
func (r *report) write(path string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, ok := bytes.Cut(old, []byte(beginMark))
	_, tail, closed := bytes.Cut(rest, []byte(endMark))
	if !ok || !closed {
		return fmt.Errorf("%s: want the lines %q and %q around the figures", path, strings.TrimSpace(beginMark), strings.TrimSpace(endMark))
	}
	out := bytes.Join([][]byte{head, []byte(beginMark + "\n" + r.text() + "\n" + endMark), tail}, nil)
	return os.WriteFile(path, out, 0o644)
}
