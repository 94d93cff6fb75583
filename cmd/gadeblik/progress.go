package main

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress is a bar on a terminal and silence elsewhere.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress starts a bar over total steps; -1 is an unknown number.
func newProgress(std stdio, total int, what string) *progress {
	if !terminal(std.err) {
		return &progress{}
	}
	return &progress{progressbar.NewOptions(total,
		progressbar.OptionSetWriter(std.err),
		progressbar.OptionSetDescription(what),
		progressbar.OptionThrottle(65*time.Millisecond),
		progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(30),
		progressbar.OptionClearOnFinish(),
	)}
}

// set moves the bar to step n. A terminal that cannot be written to is no
// reason to stop, so the bar's errors are dropped here and below.
func (p *progress) set(n int) {
	if p.bar != nil {
		_ = p.bar.Set(n)
	}
}

func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
