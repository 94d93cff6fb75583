package gps

import (
	"context"
	"fmt"
	"time"
)

// A call into the driver of a serial port can neither be called off nor be
// relied on to return: setting a USB adapter up may take seconds, closing a
// port waits for its output. So the two calls that do it run in goroutines of
// their own and Run waits for them with a bound. One that is late keeps the
// receiver from touching the device again until it has returned; there is never
// more than one.

// openPort opens the port. If it is given up on, the port is closed as soon as
// it has opened.
func (r *Receiver) openPort(ctx context.Context) (port, error) {
	if err := r.unstuck(ctx); err != nil {
		return nil, err
	}
	type result struct {
		port port
		err  error
	}
	opened, gone, returned := make(chan result), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(returned)
		p, err := r.open(r.cfg.Device, r.cfg.Baud, r.cfg.ReadTimeout)
		select {
		case opened <- result{p, err}:
		case <-gone:
			if err == nil {
				_ = p.Close() // nothing was written to it, and nobody is left to be told
			}
		}
	}()
	limit := time.NewTimer(r.cfg.OpenTimeout)
	defer limit.Stop()
	var err error
	select {
	case res := <-opened:
		<-returned
		return res.port, res.err
	case <-limit.C:
		err = fmt.Errorf("the driver has not answered for %v; unplug the receiver and plug it in again", r.cfg.OpenTimeout)
	case <-ctx.Done():
		err = ctx.Err()
	}
	close(gone)
	r.stuck = returned
	return nil, err
}

// unstuck waits until an earlier call that was late has returned.
func (r *Receiver) unstuck(ctx context.Context) error {
	if r.stuck == nil {
		return nil
	}
	limit := time.NewTimer(r.cfg.OpenTimeout)
	defer limit.Stop()
	select {
	case <-r.stuck:
		r.stuck = nil
		return nil
	case <-limit.C:
		return fmt.Errorf("the driver has still not answered; unplug the receiver and plug it in again")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// closePort closes the port, which nobody reads any more.
func (r *Receiver) closePort(p port) error {
	var err error
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		err = p.Close()
	}()
	limit := time.NewTimer(r.cfg.CloseTimeout)
	defer limit.Stop()
	select {
	case <-closed:
		return err
	case <-limit.C:
		r.stuck = closed
		return fmt.Errorf("the driver has not answered for %v", r.cfg.CloseTimeout)
	}
}
