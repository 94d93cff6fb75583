package panel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// bulb is a lamp that was found and taken.
type bulb interface {
	set(lit bool) error
	String() string // which lamp it is
	io.Closer
}

const (
	// glance is how often the lamp asks what to show.
	glance = 50 * time.Millisecond
	// renew is how often a level is set that has not changed, to see that the lamp is
	// still there.
	renew = time.Second
)

// shine shows the light until ctx ends or the lamp is lost, and leaves it dark. Each
// time the lamp was set it gives nil to lit.
func (p *Panel) shine(ctx context.Context, light func() Light, lit chan<- error) (err error) {
	b, err := p.lamp()
	if err != nil {
		return fmt.Errorf("lamp missing: %w", err)
	}
	defer func() {
		// Told before it is closed, which may hang. A lamp that is gone is dark.
		if err != nil {
			give(ctx, lit, err)
			err = errors.Join(err, b.Close())
			return
		}
		err = errors.Join(b.set(false), b.Close())
	}()
	p.cfg.Log.Info("lamp found", "lamp", b.String())
	var shown Light
	var level bool
	began, set := time.Now(), time.Time{}
	for {
		if now, l := time.Now(), light(); l != shown {
			shown, began = l, now
		}
		want, holds := shown.at(time.Since(began))
		if want != level || time.Since(set) >= renew {
			if err := b.set(want); err != nil {
				return fmt.Errorf("lamp gone: %s: %w", b, err)
			}
			level, set = want, time.Now()
			if !give(ctx, lit, nil) {
				return nil
			}
		}
		if pause(ctx, min(glance, holds)); ctx.Err() != nil {
			return nil
		}
	}
}
