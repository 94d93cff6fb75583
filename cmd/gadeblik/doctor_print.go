package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// The colours of a terminal.
const (
	red, green, yellow, strong, noColour = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[1m", "\x1b[0m"
)

// colours tells whether colours are seen and wanted; see no-color.org.
func (d *doctor) colours() bool {
	return terminal(d.std.out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// print shows a whole round.
func (d *doctor) print(r *round) error {
	if d.asJSON {
		enc := json.NewEncoder(d.std.out)
		for _, c := range r.lines() {
			if err := enc.Encode(c); err != nil {
				return err
			}
		}
		return d.printSummary(r)
	}
	colour := d.colours()
	for i, s := range r.sections {
		if len(s.lines) == 0 {
			continue
		}
		if err := d.printTitle(s.title, i == 0, colour); err != nil {
			return err
		}
		for _, c := range s.lines {
			if err := d.printLine(c, colour); err != nil {
				return err
			}
		}
	}
	if _, err := fmt.Fprintln(d.std.out); err != nil {
		return err
	}
	return d.printSummary(r)
}

func (d *doctor) printTitle(title string, first, colour bool) error {
	if colour {
		title = strong + title + noColour
	}
	if !first {
		title = "\n" + title
	}
	_, err := fmt.Fprintln(d.std.out, title)
	return err
}

// printLine shows one thing. The mend stands below it, where it is looked for.
func (d *doctor) printLine(c checkup, colour bool) error {
	state := fmt.Sprintf("%-5s", c.State)
	if colour {
		state = map[string]string{healthy: green, doubt: yellow, ill: red}[c.State] + state + noColour
	}
	line := fmt.Sprintf("%s %-9s %s\n", state, c.Part, strings.ReplaceAll(c.Says, "\n", "; "))
	if c.Mend != "" {
		line += fmt.Sprintf("%-15s → %s\n", "", strings.ReplaceAll(c.Mend, "\n", "; "))
	}
	_, err := fmt.Fprint(d.std.out, line)
	return err
}

func (d *doctor) printSummary(r *round) error {
	s := r.summary()
	if d.asJSON {
		return json.NewEncoder(d.std.out).Encode(s)
	}
	_, err := fmt.Fprintln(d.std.out, s.Summary)
	return err
}
