package capture

import (
	"context"
	"errors"
	"sync/atomic"
)

// ErrClosed is what a closed slot or camera answers.
var ErrClosed = errors.New("closed")

// Slot hands frames from a camera to the frame loop: newest wins. It holds at
// most one frame; a frame that nobody took is released when the next one
// arrives, and counted. It is safe for concurrent use. Use [NewSlot].
type Slot struct {
	frame   atomic.Pointer[Frame]
	closed  atomic.Bool
	dropped atomic.Uint64
	ready   chan struct{}
	done    chan struct{}
}

// NewSlot returns an empty slot.
func NewSlot() *Slot {
	return &Slot{ready: make(chan struct{}, 1), done: make(chan struct{})}
}

// Put offers f, taking ownership, and never blocks. A frame still waiting is
// released and counted as dropped. After Close f itself is released.
func (s *Slot) Put(f *Frame) {
	if f == nil {
		return
	}
	if old := s.frame.Swap(f); old != nil {
		s.dropped.Add(1)
		old.Release()
	}
	// Looking at closed after the swap, not before: then either this call or
	// Close sees the frame, whichever comes second.
	if s.closed.Load() {
		s.Clear()
		return
	}
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// TryTake returns the waiting frame, whose owner the caller becomes, or nil.
func (s *Slot) TryTake() *Frame {
	return s.frame.Swap(nil)
}

// Take waits for a frame, whose owner the caller becomes. It fails with the
// context's error when ctx ends and with ErrClosed after Close.
func (s *Slot) Take(ctx context.Context) (*Frame, error) {
	for {
		if f := s.TryTake(); f != nil {
			return f, nil
		}
		select {
		case <-s.ready:
		case <-s.done:
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Ready returns a channel that yields once after one or more Puts, for a loop
// that waits for other things too. Follow it with TryTake, which may still
// find nothing when another taker was faster.
func (s *Slot) Ready() <-chan struct{} {
	return s.ready
}

// Dropped returns how many frames were overtaken by a newer one. Frames thrown
// away by Clear and Close are not among them.
func (s *Slot) Dropped() uint64 {
	return s.dropped.Load()
}

// Clear releases the waiting frame, if any. It is what forgets the last frame
// when the camera is switched off.
func (s *Slot) Clear() {
	s.frame.Swap(nil).Release()
}

// Close releases the waiting frame and ends every Take, now and later. It is
// safe to call more than once.
func (s *Slot) Close() {
	if s.closed.Swap(true) {
		return
	}
	s.Clear()
	close(s.done)
}
