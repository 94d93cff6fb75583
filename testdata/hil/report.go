package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Times under emulation. A processor that is emulated on a shared machine is ten to
// fifty times slower than a vehicle's, and looks take seconds. What the design promises
// in real time is therefore asserted with an allowance; what was measured is printed.
const (
	bootTime = 3 * time.Minute
	patience = 4 * time.Minute // for anything that no promise bounds
	pollTime = 50 * time.Millisecond

	// After a fault everything is back within 15 s.
	backTime      = 15 * time.Second
	backAllowance = 3
	// The driver's switch stops the camera within 200 ms.
	offTime      = 200 * time.Millisecond
	offAllowance = 5
	// Outside of the zone the camera is off with the first fix that says so, but for a
	// look that is under way.
	leaveTime = time.Minute
)

// fatal is an error that waiting does not mend.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

// until asks again and again until ok returns nil, and returns its last error where
// that takes too long.
func until(ctx context.Context, what string, within time.Duration, ok func() error) error {
	for deadline := time.Now().Add(within); ; {
		err := ok()
		var dead fatal
		switch {
		case err == nil:
			return nil
		case errors.As(err, &dead):
			return fmt.Errorf("waiting for: %s: %w", what, err)
		case time.Now().After(deadline):
			return fmt.Errorf("waited %s in vain for: %s: %w", within, what, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for: %s: %w (%w)", what, context.Cause(ctx), err)
		case <-time.After(pollTime):
		}
	}
}

// report prints one line for each event.
type report struct {
	out            io.Writer
	begin          time.Time
	passed, failed int
}

func (r *report) line(verdict, what string, took time.Duration, seen string) {
	fmt.Fprintf(r.out, "%7.1f  %-4s  %-46s %6.1f s  %s\n", time.Since(r.begin).Seconds(), verdict, what, took.Seconds(), seen)
}

// step tells one part of the story and whether it passed.
func (r *report) step(what string, part func() (seen string, err error)) bool {
	begin := time.Now()
	seen, err := part()
	if err != nil {
		r.failed++
		r.line("FAIL", what, time.Since(begin), err.Error())
		return false
	}
	r.passed++
	r.line("PASS", what, time.Since(begin), seen)
	return true
}

// note tells something that is neither.
func (r *report) note(what, seen string) { r.line("NOTE", what, 0, seen) }

// milliseconds writes a short time for people.
func milliseconds(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
