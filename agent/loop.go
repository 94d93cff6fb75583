package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"gadeblik/gps"
)

// loop is the one goroutine that decides. It ends with ctx.
func (a *Agent) loop(ctx context.Context) error {
	tick := time.NewTicker(turn)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case f := <-a.fixes:
			err = a.fix(f)
		case <-a.planChanged:
			err = a.pipe.SetPlan(a.plan.Load())
		case <-a.slot.Ready():
			err = a.frame(ctx)
		case <-a.cfg.Switch.Changed():
		case <-a.commanded:
		case <-tick.C:
		}
		if err = errors.Join(err, a.settle(time.Now())); err != nil {
			return err
		}
	}
}

// absorb takes the fixes that wait. The newest must be known before a look, which
// needs it, and before the clock is asked, which a long look has moved on.
func (a *Agent) absorb() error {
	var errs []error
	for {
		select {
		case f := <-a.fixes:
			errs = append(errs, a.fix(f))
		default:
			return errors.Join(errs...)
		}
	}
}

// frame looks at the newest frame, after the fixes that came before it.
func (a *Agent) frame(ctx context.Context) error {
	err := a.absorb()
	f := a.slot.TryTake()
	if f == nil {
		return err
	}
	// A button pressed meanwhile counts: ask before looking, not after. One that is
	// pressed during the look ends it.
	permit := a.askSwitch(time.Now())
	a.pipe.SetPaused(a.paused())
	return errors.Join(err, a.pipe.Frame(a.looking.of(ctx, permit), f), a.absorb())
}

// looking is the context of looks: it ends with the agent or with the driver's permit.
// It lasts as long as these two, so that who watches it need not begin again at each
// frame.
type looking struct {
	context.Context
	permit context.Context
	leave  func() bool // the agent's context
}

func (l *looking) of(agent, permit context.Context) context.Context {
	if l.permit != permit {
		if l.leave != nil {
			l.leave()
		}
		ctx, end := context.WithCancel(permit)
		*l = looking{ctx, permit, context.AfterFunc(agent, end)}
	}
	return l.Context
}

// askSwitch tells the pipeline what the switch says, and returns what ends when it
// goes off.
func (a *Agent) askSwitch(now time.Time) (permit context.Context) {
	a.pipe.SetSwitch(a.cfg.Switch.State(now).On)
	permit = a.cfg.Switch.permit()
	a.pipe.SetPermit(permit)
	return permit
}

// fix takes a fix, and what it says of time and place beside the pipeline.
func (a *Agent) fix(f gps.Fix) error {
	err := a.pipe.Fix(f)
	a.depot.observe(f)
	if utc, _, ok := a.pipe.clock.UTC(f.At); ok {
		if old := a.trusted.Swap(&instant{f.At, utc}); old == nil {
			a.tryAgain() // without a time, certificates may have been refused
		}
	}
	return err
}

// settle brings everything up to the moment now: switch, health, gate, camera
// and status.
func (a *Agent) settle(now time.Time) error {
	a.flush()
	a.askSwitch(now)
	a.pipe.SetPaused(a.paused())
	a.pipe.SetStorage(a.storageErr() == nil)
	err := a.pipe.Reconsider(now)
	a.look.set(a.pipe.Decision().Reason == Open)
	a.report(now)
	a.beat.Store(now.UnixNano())
	return err
}

// finish ends the open passes; the camera has stopped.
func (a *Agent) finish() error {
	a.drainFixes()
	err := a.pipe.Finish()
	a.flush()
	if len(a.pending) > 0 {
		err = errors.Join(err, a.storageErr())
		a.cfg.Log.Error("observations lost at stop", "count", len(a.pending), "err", a.storageErr())
	}
	return err
}

func (a *Agent) drainFixes() {
	for {
		select {
		case <-a.fixes:
		default:
			return
		}
	}
}

// take is the pipeline's sink: it never fails, since a pass that ended cannot be
// asked again. What the outbox refuses waits; meanwhile the gate is closed. What it
// would always refuse would keep the rest waiting for ever, and is lost.
func (a *Agent) take(p Product) error {
	if err := p.Observation.Validate(); err != nil {
		a.lost.Add(1)
		a.cfg.Log.Error("observation lost: it is not valid", "id", p.Observation.ID, "err", err)
		return nil
	}
	if len(a.pending) >= maxPending {
		a.lost.Add(1)
		a.cfg.Log.Error("observation lost: the outbox has refused for too long", "id", p.Observation.ID)
		return nil
	}
	a.pending = append(a.pending, p)
	a.flush()
	return nil
}

// flush hands pending products to the outbox, oldest first.
func (a *Agent) flush() {
	for len(a.pending) > 0 {
		p := a.pending[0]
		if err := a.cfg.Outbox.Put(p.Observation, p.Evidence, p.Terms); err != nil {
			a.refusal = cmp.Or(a.refusal, err)
			return
		}
		a.pending = a.pending[1:]
	}
	a.refusal = nil
}

// storageErr is why the gate must be closed for the sake of what is stored.
func (a *Agent) storageErr() error {
	if err := a.cfg.Outbox.Healthy(); err != nil {
		return err
	}
	if len(a.pending) > 0 {
		return fmt.Errorf("%d observations wait for the outbox: %w", len(a.pending), a.refusal)
	}
	st := a.cfg.Outbox.Stats()
	if float64(st.Bytes) >= a.cfg.HighWater*float64(st.MaxBytes) || float64(st.Items+st.Aside) >= a.cfg.HighWater*float64(st.MaxItems) {
		return fmt.Errorf("the outbox holds %d of %d items, %d of %d bytes: capturing goes on when some were delivered",
			st.Items+st.Aside, st.MaxItems, st.Bytes, st.MaxBytes)
	}
	return nil
}
