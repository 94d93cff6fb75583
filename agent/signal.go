package agent

import (
	"context"
	"sync"
)

// signal is a yes or no that goroutines can wait for. The zero value says no.
type signal struct {
	mu      sync.Mutex // guards both: a waiter must see the value and the channel of one moment
	on      bool
	changed chan struct{} // closed at the next change
}

// set changes what the signal says.
func (s *signal) set(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on == on {
		return
	}
	s.on = on
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

func (s *signal) get() (on bool, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.on, s.changed
}

// wait returns when the signal says yes, or the error of ctx, which comes first
// where both hold.
func (s *signal) wait(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		on, changed := s.get()
		if on {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// while returns a context that ends when the signal says no, or parent ends.
func (s *signal) while(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	on, changed := s.get()
	if !on {
		cancel()
		return ctx, cancel
	}
	go func() {
		select {
		case <-changed:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
