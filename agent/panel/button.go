package panel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// contact is a button that was found and taken.
type contact interface {
	pressed() (bool, error)
	edges() <-chan struct{} // ready when it may be time to look
	steady() bool           // the kernel debounces
	String() string         // which button it is
	io.Closer
}

const (
	// poll is how often the level is read where no edge says to: a lost edge delays
	// "off" by so much at most.
	poll = 100 * time.Millisecond
	// breath bounds how often edges are followed: a line that nobody is wired to may
	// have a hundred thousand a second.
	breath = 5 * time.Millisecond
	// maxSilence is how long a device may take to answer.
	maxSilence = 2 * time.Second
)

// watch takes the button and gives its readings to out, until ctx ends or it is lost.
func (p *Panel) watch(ctx context.Context, out chan<- reading) (err error) {
	c, err := p.button()
	if err != nil {
		return fmt.Errorf("button missing: %w", err)
	}
	defer func() {
		// Told before it is closed, which may hang.
		if err != nil {
			give(ctx, out, reading{at: time.Now(), err: err})
		}
		err = errors.Join(err, c.Close())
	}()
	d := debouncer{period: p.cfg.Button.Debounce}
	if c.steady() {
		d.period = 0
	}
	look := time.NewTimer(0)
	defer look.Stop()
	for {
		raw, err := c.pressed()
		if err != nil {
			return fmt.Errorf("button gone: %s: %w", c, err)
		}
		now := time.Now()
		level, again := d.step(raw, now)
		if !give(ctx, out, reading{at: now, pressed: level, where: c.String()}) {
			return nil
		}
		if again == 0 || again > poll {
			again = poll
		}
		look.Reset(again)
		pause(ctx, breath)
		select {
		case <-ctx.Done():
			return nil
		case <-c.edges():
		case <-look.C:
		}
	}
}

// give hands a value over, unless ctx ends.
func give[T any](ctx context.Context, out chan<- T, v T) bool {
	select {
	case out <- v:
		return true
	case <-ctx.Done():
		return false
	}
}

// desk is where all that is known of button and lamp comes together. It alone talks to
// the driver.
type desk struct {
	*Panel
	driver  Driver
	gesture gesture
	where   string // the button that was found last
	lamp    string // what is wrong with the lamp
	said    string // the fault the driver knows
}

var (
	errSilent = fmt.Errorf("button does not answer for %s", maxSilence)
	errUnlit  = fmt.Errorf("lamp does not answer for %s", maxSilence)
)

// work returns when ctx has ended and every device is closed.
func (p *Panel) work(ctx context.Context, driver Driver, light func() Light) {
	d := &desk{Panel: p, driver: driver, gesture: gesture{long: p.cfg.Button.LongPress}}
	readings, lit := make(chan reading), make(chan error)
	var parts sync.WaitGroup
	defer parts.Wait()
	var silent, unlit watchdog
	if p.button != nil {
		silent.start()
		parts.Go(func() {
			p.keep(ctx, func(ctx context.Context) error { return p.watch(ctx, readings) },
				func(err error) { give(ctx, readings, reading{at: time.Now(), err: err}) })
		})
	}
	if p.lamp != nil {
		unlit.start()
		parts.Go(func() {
			p.keep(ctx, func(ctx context.Context) error { return p.shine(ctx, light, lit) },
				func(err error) { give(ctx, lit, err) })
		})
	}
	for ctx.Err() == nil { // asked first: a driver that hung is not called again
		select {
		case <-ctx.Done():
		case r := <-readings:
			silent.start()
			d.read(r)
		case err := <-lit:
			unlit.start()
			d.glow(err)
		case <-silent.c:
			if silent.bites() {
				d.silent()
			}
		case <-unlit.c:
			if unlit.bites() {
				d.unlit()
			}
		}
	}
}

// watchdog is ready on c when maxSilence has passed since start was called last; its
// zero value never is.
type watchdog struct {
	c      <-chan time.Time
	barked bool
}

func (w *watchdog) start() { w.c, w.barked = time.After(maxSilence), false }

// bites tells whether the device is silent for good. The first time it gives it another
// moment: when the whole process stood still, everything is due at once, and what the
// device has to say may come second.
func (w *watchdog) bites() bool {
	if w.barked {
		return true
	}
	w.c, w.barked = time.After(2*poll), true
	return false
}

// read acts on a reading. What is wrong is told before anything is turned on.
func (d *desk) read(r reading) {
	asked := d.gesture.step(r, d.driver.On())
	if r.err == nil && d.where != r.where {
		d.where = r.where
		d.cfg.Log.Info("button found", "button", r.where)
	}
	d.tell(r.at)
	switch asked {
	case turnOff:
		d.turnOff(r.at)
	case turnOn:
		d.driver.Press(r.at)
	case hold:
		d.driver.Hold(r.at)
	}
}

// turnOff presses only what is on: the switch may have turned itself off since it was
// asked, and a press would turn it on again.
func (d *desk) turnOff(now time.Time) {
	const tries = 2
	for i := 0; i < tries && d.driver.On(); i++ {
		d.driver.Press(now)
	}
}

// silent is the button's reader hanging in the kernel, or waiting to try again. Why a
// button was lost says more than that it is silent since.
func (d *desk) silent() {
	if d.gesture.phase != lost || d.gesture.trouble == "" {
		d.read(reading{at: time.Now(), err: errSilent})
	}
}

// unlit is the same of the lamp.
func (d *desk) unlit() {
	if d.lamp == "" {
		d.glow(errUnlit)
	}
}

func (d *desk) glow(err error) {
	d.lamp = ""
	if err != nil {
		d.lamp = err.Error()
	}
	d.tell(time.Now())
}

// tell says what is wrong, where that has changed.
func (d *desk) tell(now time.Time) {
	var all []string
	for _, why := range []string{d.gesture.trouble, d.lamp} {
		if why != "" {
			all = append(all, why)
		}
	}
	why := strings.Join(all, "; ")
	if why == d.said {
		return
	}
	d.said = why
	d.driver.Fault(why, now)
	if why == "" {
		d.cfg.Log.Info("panel works again")
		return
	}
	d.cfg.Log.Warn("panel at fault", "err", why)
}
