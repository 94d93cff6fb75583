package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// follow tells of every file as it is done with. Nobody to tell it to is a reason
// to stop.
func (r *redaction) follow(finished <-chan *photo, stop func()) error {
	total := len(r.pictures)
	bar := r.bar(total)
	defer bar.done()
	var err error
	n := 0
	tell := func(p *photo) {
		n++
		bar.set(n)
		if e := r.line(progressLine{n, total, p.record}); e != nil && err == nil {
			err = e
			stop()
		}
	}
	for _, p := range r.pictures {
		if p.settled {
			tell(p)
		}
	}
	for p := range finished {
		tell(p)
	}
	return err
}

// bar is for who watches, and only where it does not tear JSON lines apart.
func (r *redaction) bar(total int) *progress {
	if r.quietly || r.asJSON && terminal(r.std.out) {
		return &progress{}
	}
	return newPictureProgress(r.std, total, "redacting")
}

// progressLine is what --json prints of each file.
type progressLine struct {
	N  int `json:"n"`
	Of int `json:"of"`
	record
}

// line prints JSON where it is asked for.
func (r *redaction) line(v any) error {
	if !r.asJSON {
		return nil
	}
	return json.NewEncoder(r.std.out).Encode(v)
}

// conclude says what was done. The error names everything that was not.
func (r *redaction) conclude() error {
	t := count(r.pictures, r.labels)
	if err := r.line(map[string]totals{"totals": t}); err != nil {
		return err
	}
	var errs []error
	for _, p := range r.pictures {
		if p.Status == failed {
			errs = append(errs, p.complaint())
		}
	}
	if t.Failed > 0 {
		errs = append(errs, fmt.Errorf("%d of %d pictures could not be redacted and were not written", t.Failed, t.pictures()))
	}
	if t.Pending > 0 {
		errs = append(errs, hinted(fmt.Errorf("stopped: %d of %d pictures were not looked at", t.Pending, t.pictures()), "--resume goes on"))
	}
	if !r.asJSON && !r.quietly {
		errs = append(errs, r.summarise(t))
	}
	return errors.Join(errs...)
}

func (r *redaction) summarise(t totals) error {
	var b strings.Builder
	verb := "redacted"
	if r.dryRun {
		verb = "would be redacted"
	}
	fmt.Fprintf(&b, "%s: %s %s", r.out, several(t.Redacted-t.Earlier, "picture"), verb)
	for _, more := range []struct {
		n   int
		say string
	}{{t.Earlier, "%d left as an earlier run made them"}, {t.Failed, "%d failed"}, {t.Pending, "%d not looked at"}} {
		if more.n > 0 {
			fmt.Fprintf(&b, ", "+more.say, more.n)
		}
	}
	var gone []string
	for _, l := range r.labels {
		gone = append(gone, several(t.Regions[l], l))
	}
	fmt.Fprintf(&b, "\n  removed  %s\n", strings.Join(gone, ", "))
	if t.Skipped > 0 {
		fmt.Fprintf(&b, "  skipped  %s\n", r.skippedNames(t.Skipped))
	}
	if r.withReport {
		fmt.Fprintf(&b, "  report   %s\n", filepath.Join(r.out, reportHTML))
	}
	_, err := io.WriteString(r.std.out, b.String())
	return err
}

// skippedNames names the first few; reports and --json name all.
func (r *redaction) skippedNames(n int) string {
	const most = 4
	var names []string
	for _, p := range r.pictures {
		if p.Status == skipped && len(names) < most {
			names = append(names, fmt.Sprintf("%s (%s)", plain(p.Path), p.Reason))
		}
	}
	if n > most {
		names = append(names, fmt.Sprintf("and %d more, which --json and --report name", n-most))
	}
	return several(n, "file") + ": " + strings.Join(names, ", ")
}

// several is a number with its noun.
func several(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
