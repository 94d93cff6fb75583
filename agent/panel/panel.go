package panel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// Driver is the driver's switch as the panel works it. Its methods are called from
// one goroutine and must return quickly.
type Driver interface {
	// On tells whether capture is allowed now.
	On() bool
	// Press is a short press: it turns on what is off, and off what is on.
	Press(now time.Time)
	// Hold is a long press.
	Hold(now time.Time)
	// Fault says what is wrong with the panel. With "" nothing is any more.
	Fault(why string, now time.Time)
}

// The values of [Button].Bias.
const (
	PullUp   = "pull-up"   // the default
	PullDown = "pull-down" //
	NoBias   = "none"      // switched off: the wiring has a resistor
	AsIs     = "as-is"     // left as it is found
)

// Button says which button it is. The zero value is none.
type Button struct {
	// Line is a GPIO line: its name, such as GPIO17, on whatever chip, or CHIP:OFFSET
	// with a chip's name or label.
	Line      string
	ActiveLow bool   // pressed pulls the line to ground
	Bias      string // empty is PullUp

	// Input is a device below /dev/input in the place of Line. It is grabbed: nobody
	// else sees its keys. Key is one of them, such as KEY_F1; empty is any.
	Input string
	Key   string

	Debounce  time.Duration // a level counts when it has stood for so long; at most 100 ms
	LongPress time.Duration // 500 ms to 10 s; 0 is 2 s
}

// Lamp says which lamp it is. The zero value is none.
type Lamp struct {
	Line      string // as Button's
	ActiveLow bool   // lit pulls the line to ground
}

// Config is what a [Panel] is made of.
type Config struct {
	Button Button
	Lamp   Lamp
	Log    *slog.Logger // nil logs nothing
}

// Panel is the driver's panel. It is made by [New].
type Panel struct {
	cfg    Config
	button func() (contact, error) // finds and takes the button; nil: there is none
	lamp   func() (bulb, error)    // and the lamp
}

// New returns the panel of cfg, or every mistake in it. It touches no device.
func New(cfg Config) (*Panel, error) {
	if cfg.Button.LongPress == 0 {
		cfg.Button.LongPress = 2 * time.Second
	}
	if cfg.Button.Bias == "" {
		cfg.Button.Bias = PullUp
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if err := errors.Join(cfg.Button.check(), cfg.Lamp.check(cfg.Button)); err != nil {
		return nil, err
	}
	p := &Panel{cfg: cfg}
	switch b := cfg.Button; {
	case b.Line != "":
		p.button = func() (contact, error) { return openLine(b) }
	case b.Input != "":
		p.button = func() (contact, error) { return openInput(b) }
	}
	if l := cfg.Lamp; l.Line != "" {
		p.lamp = func() (bulb, error) { return openLamp(l) }
	}
	return p, nil
}

func (b Button) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("button: "+format, args...)) }
	if b.Line != "" && b.Input != "" {
		bad("is line %s and input %s; remove one", b.Line, b.Input)
	}
	if b.Input != "" && !strings.HasPrefix(b.Input, "/") {
		bad("input must be a path such as /dev/input/by-id/usb-Keypad-event-kbd (got %s)", b.Input)
	}
	if b.Key != "" {
		if _, err := keyCode(b.Key); err != nil {
			bad("%w", err)
		}
		if b.Input == "" {
			bad("key %s needs an input", b.Key)
		}
	}
	if all := []string{PullUp, PullDown, NoBias, AsIs}; !slices.Contains(all, b.Bias) {
		bad("bias must be one of %s (got %s)", strings.Join(all, ", "), b.Bias)
	}
	if b.Debounce < 0 || b.Debounce > 100*time.Millisecond { // "off" is to take effect within 200 ms
		bad("debounce must be 0s to 100ms (got %s)", b.Debounce)
	}
	if b.LongPress < 500*time.Millisecond || b.LongPress > 10*time.Second {
		bad("long press must be 500ms to 10s (got %s)", b.LongPress)
	}
	return errors.Join(errs...)
}

func (l Lamp) check(b Button) error {
	if l.Line != "" && l.Line == b.Line {
		return fmt.Errorf("lamp: %s is the button's line; name another", l.Line)
	}
	return nil
}

// grace is how long Run waits at its end for a device that may hang.
const grace = 300 * time.Millisecond

// Run works the panel until ctx ends and then returns nil, within half a second
// whatever the devices and the driver do. What is missing is told to the driver as a
// fault, logged once, and tried again. light says what the lamp is to show; it is
// asked from another goroutine than the driver, and may be nil without a lamp.
func (p *Panel) Run(ctx context.Context, driver Driver, light func() Light) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.work(ctx, driver, light)
	}()
	<-ctx.Done()
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
		p.cfg.Log.Warn("panel left to a device that hangs", "after", grace)
	}
	return nil
}

// How long to wait at most before a missing device is looked for again; chance says
// how long it is.
const (
	firstWait = 500 * time.Millisecond
	maxWait   = 10 * time.Second
	// steadyAfter is how long a device must have worked for its next failure to count
	// as a first one.
	steadyAfter = time.Minute
)

// keep takes a device and uses it until ctx ends, again whenever it fails. A panic is
// a failure like any other: the panel must not stop the rest.
func (p *Panel) keep(ctx context.Context, use func(context.Context) error, failed func(error)) {
	wait := firstWait
	for ctx.Err() == nil {
		began := time.Now()
		err := p.guarded(ctx, use)
		if ctx.Err() != nil {
			if err != nil {
				p.cfg.Log.Warn("panel not left as it should be", "err", err)
			}
			return
		}
		failed(err)
		if time.Since(began) > steadyAfter {
			wait = firstWait
		}
		pause(ctx, wait/2+rand.N(wait/2)+1)
		wait = min(2*wait, maxWait)
	}
}

func (p *Panel) guarded(ctx context.Context, use func(context.Context) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
			p.cfg.Log.Debug("panel panicked", "err", err, "stack", string(debug.Stack()))
		}
	}()
	return use(ctx)
}

// pause waits, less long when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
