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
	return &progress{bar(std, total, what)}
}

// newPictureProgress is a bar that also says how many pictures go by in a second;
// how long it will last, every bar says.
func newPictureProgress(std stdio, total int, what string) *progress {
	if !terminal(std.err) {
		return &progress{}
	}
	return &progress{bar(std, total, what, progressbar.OptionShowIts(), progressbar.OptionSetItsString("pictures"))}
}

func bar(std stdio, total int, what string, more ...progressbar.Option) *progressbar.ProgressBar {
	return progressbar.NewOptions(total, append([]progressbar.Option{
		progressbar.OptionSetWriter(std.err),
		progressbar.OptionSetDescription(what),
		progressbar.OptionThrottle(65 * time.Millisecond),
		progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(30),
		progressbar.OptionClearOnFinish(),
	}, more...)...)
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
