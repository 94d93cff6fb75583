package agent

import (
	"context"
	"sync"
	"time"
)

// deadline gives contexts with a time limit without allocating: a look must cost no
// garbage. While uses end in time, the context and its channel stay the same, so that
// who watches it need not begin again. One that has ended keeps its error for ever, as
// contexts must, and the next use gets another.
//
// The zero value is ready. It is one goroutine's to set; contexts may be watched by any.
type deadline struct{ ctx *limited }

// within begins a use of at most limit, and returns the context of it: it ends when
// the limit is over or parent ends, whichever comes first. Call over at the end.
func (d *deadline) within(parent context.Context, limit time.Duration) context.Context {
	if d.ctx != nil && d.ctx.begin(parent, limit) {
		return d.ctx
	}
	d.ctx = &limited{done: make(chan struct{})}
	d.ctx.begin(parent, limit)
	return d.ctx
}

// over ends a use.
func (d *deadline) over() { d.ctx.over() }

// limited is the context of several uses, up to the first that does not end in time.
type limited struct {
	mu     sync.Mutex // of what the timer and the parent change
	parent context.Context
	until  time.Time // zero between two uses
	done   chan struct{}
	err    error
	timer  *time.Timer
	orphan func() bool // forgets the parent
}

var _ context.Context = (*limited)(nil)

// begin begins a use; not of a context that has ended.
func (d *limited) begin(parent context.Context, limit time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return false
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
	return true
}

func (d *limited) over() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.until = time.Time{}
	if d.timer != nil {
		d.timer.Stop()
	}
}

// late is called by the timer. It may come too late itself, in the next use.
func (d *limited) late() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.until.IsZero() && !time.Now().Before(d.until) {
		d.close(context.DeadlineExceeded)
	}
}

// end is called when a parent has ended.
func (d *limited) end(parent context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.parent == parent {
		d.close(parent.Err())
	}
}

// close needs the lock.
func (d *limited) close(err error) {
	if d.err == nil {
		d.err = err
		close(d.done)
		d.orphan()
	}
}

// Deadline is part of [context.Context].
func (d *limited) Deadline() (time.Time, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.until, !d.until.IsZero()
}

// Done is part of [context.Context].
func (d *limited) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done
}

// Err is part of [context.Context].
func (d *limited) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// Value is part of [context.Context].
func (d *limited) Value(key any) any {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.parent.Value(key)
}
