package agent

import (
	"context"
	"sync"
	"time"
)

// deadline is a context with a time limit that is set anew for each use without
// allocating: a look must cost no garbage. Between two uses that end in time its
// channel stays the same, so that who watches it need not begin again.
//
// The zero value is ready. It is one goroutine's to set; contexts may be watched
// by any.
type deadline struct {
	mu     sync.Mutex // of what the timer and the parent change
	parent context.Context
	until  time.Time // zero between two uses
	done   chan struct{}
	err    error
	timer  *time.Timer
	orphan func() bool // forgets the parent
}

var _ context.Context = (*deadline)(nil)

// within begins a use of at most limit, and returns the context of it: it ends when
// the limit is over or parent ends, whichever comes first. Call over at the end.
func (d *deadline) within(parent context.Context, limit time.Duration) context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done == nil || d.err != nil {
		d.done, d.err = make(chan struct{}), nil
	}
	d.until = time.Now().Add(limit)
	if d.parent != parent {
		if d.orphan != nil {
			d.orphan()
		}
		d.parent = parent
		d.orphan = context.AfterFunc(parent, func() { d.end(parent) })
	}
	if err := parent.Err(); err != nil {
		d.close(err)
	} else if d.timer == nil {
		d.timer = time.AfterFunc(limit, d.late)
	} else {
		d.timer.Reset(limit)
	}
	return d
}

// over ends a use.
func (d *deadline) over() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.until = time.Time{}
	if d.timer != nil {
		d.timer.Stop()
	}
}

// late is called by the timer. It may come too late itself, in the next use.
func (d *deadline) late() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.until.IsZero() && !time.Now().Before(d.until) {
		d.close(context.DeadlineExceeded)
	}
}

// end is called when a parent has ended.
func (d *deadline) end(parent context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.parent == parent {
		d.close(parent.Err())
	}
}

// close needs the lock.
func (d *deadline) close(err error) {
	if d.err == nil {
		d.err = err
		close(d.done)
	}
}

// Deadline is part of [context.Context].
func (d *deadline) Deadline() (time.Time, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.until, !d.until.IsZero()
}

// Done is part of [context.Context].
func (d *deadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done
}

// Err is part of [context.Context].
func (d *deadline) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// Value is part of [context.Context].
func (d *deadline) Value(key any) any {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.parent.Value(key)
}
