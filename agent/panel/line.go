package panel

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// chip is a GPIO controller as the kernel describes it.
type chip struct {
	name, label string
	lines       []line // by offset
}

// line is one of its lines.
type line struct {
	chip, label string
	offset      int
	name        string // many have none
	used        bool
	consumer    string // who uses it, as they call themselves
}

func (l line) String() string {
	where := fmt.Sprintf("%s:%d, %s", l.chip, l.offset, l.label)
	if l.name == "" {
		return where
	}
	return l.name + " (" + where + ")"
}

// user names who uses the line; "" is nobody.
func (l line) user() string {
	if l.used && l.consumer == "" {
		return "the kernel"
	}
	return l.consumer
}

// locate returns the line called spec: a name, or CHIP:OFFSET. A name that two lines
// have is a mistake: nobody knows which one the button is wired to.
func locate(chips []chip, spec string) (line, error) {
	if len(chips) == 0 {
		return line{}, fmt.Errorf("no GPIO line is called %s: this computer shows no GPIO chip", spec)
	}
	on, number, numbered := cutLast(spec, ":")
	offset, err := strconv.Atoi(number)
	var found []line
	for _, c := range chips {
		switch {
		case !numbered || err != nil:
			for _, l := range c.lines {
				if l.name == spec {
					found = append(found, l)
				}
			}
		case on == c.name || on == c.label:
			if offset < 0 || offset >= len(c.lines) {
				return line{}, fmt.Errorf("%s: chip %s has lines 0 to %d", spec, on, len(c.lines)-1)
			}
			found = append(found, c.lines[offset])
		}
	}
	switch {
	case len(found) == 0 && numbered && err == nil:
		return line{}, fmt.Errorf("no GPIO chip is called %s; there is %s", on, described(chips))
	case len(found) == 0:
		return line{}, fmt.Errorf("no GPIO line is called %s; %s", spec, similar(chips, spec))
	case len(found) > 1:
		return line{}, fmt.Errorf("%s is on %s and on %s; write one of these as CHIP:OFFSET", spec, found[0], found[1])
	}
	return found[0], nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func described(chips []chip) string {
	var all []string
	for _, c := range chips {
		all = append(all, fmt.Sprintf("%s (%s, %d lines)", c.name, c.label, len(c.lines)))
	}
	return strings.Join(all, ", ")
}

// similar ends a complaint about a name, with the names that are nearest to it.
func similar(chips []chip, name string) string {
	var names []string
	for _, c := range chips {
		for _, l := range c.lines {
			if l.name != "" && !slices.Contains(names, l.name) {
				names = append(names, l.name)
			}
		}
	}
	if len(names) == 0 {
		return "no line has a name here, so write CHIP:OFFSET; there is " + described(chips)
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(apart(name, a), apart(name, b)) })
	const most = 5
	return "the nearest are " + strings.Join(names[:min(most, len(names))], ", ")
}

// apart counts the letters to insert, delete or replace to turn a into b, whatever
// their case.
func apart(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
