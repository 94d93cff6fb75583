package panel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// seat is where the driver sits: a switch that does what the agent's does, and writes
// down what was asked of it.
type seat struct {
	mu     sync.Mutex
	began  time.Time
	on     bool
	paused bool
	fault  string
	wrote  []string
	offAt  time.Time     // it was turned off last
	hangs  chan struct{} // if set, Press waits for it
}

func (s *seat) note(format string, args ...any) {
	s.wrote = append(s.wrote, fmt.Sprintf("%g ", time.Since(s.began).Round(100*time.Millisecond).Seconds())+fmt.Sprintf(format, args...))
}

func (s *seat) set(on bool) {
	if s.on && !on {
		s.offAt = time.Now()
	}
	s.on = on
}

func (s *seat) On() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.on
}

func (s *seat) Press(time.Time) {
	s.mu.Lock()
	hangs := s.hangs
	s.set(!s.on && !s.paused && s.fault == "")
	s.note("press, on %t", s.on)
	s.mu.Unlock()
	if hangs != nil {
		<-hangs
	}
}

func (s *seat) Hold(time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = !s.paused
	s.set(false)
	s.note("hold, paused %t", s.paused)
}

func (s *seat) Fault(why string, _ time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = why
	if why != "" {
		s.set(false)
	}
	s.note("fault %q", why)
}

// socket turns the switch on or off as the local socket does.
func (s *seat) socket(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(on && s.fault == "")
}

func (s *seat) log() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.wrote...)
}

// device is a line of a fake chip: a button's, or a lamp's.
type device struct {
	mu        sync.Mutex
	level     bool
	missing   error         // taking it fails
	broken    error         // using it fails
	hangs     chan struct{} // if set, using it waits for this
	hangClose chan struct{} // if set, closing it does
	panics    bool          // using it panics
	deaf      bool          // edges are lost
	bounces   int           // and come so often more
	edge      chan struct{}
	takes     int // how often it was looked for
	open      int // how often it is open
	shone     []string
	began     time.Time
}

func newDevice() *device { return &device{edge: make(chan struct{}, 1), began: time.Now()} }

func (d *device) change(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
}

// put moves the button, and says so as the kernel does.
func (d *device) put(level bool) {
	d.mu.Lock()
	d.level = level
	deaf, times := d.deaf, 1+d.bounces
	d.mu.Unlock()
	for range times {
		if !deaf {
			select {
			case d.edge <- struct{}{}:
			default:
			}
		}
	}
}

func (d *device) take() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.takes++
	if d.missing == nil {
		d.open++
	}
	return d.missing
}

func (d *device) use() error {
	d.mu.Lock()
	hangs := d.hangs
	d.mu.Unlock()
	if hangs != nil {
		<-hangs
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.panics {
		panic("library")
	}
	return d.broken
}

func (d *device) pressed() (bool, error) {
	if err := d.use(); err != nil {
		return false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.level, nil
}

func (d *device) edges() <-chan struct{} { return d.edge }
func (d *device) steady() bool           { return true }
func (d *device) String() string         { return "GPIO17" }

func (d *device) set(lit bool) error {
	if err := d.use(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if lit != d.level {
		d.level = lit
		d.shone = append(d.shone, fmt.Sprintf("%g %t", time.Since(d.began).Round(10*time.Millisecond).Seconds(), lit))
	}
	return nil
}

func (d *device) Close() error {
	d.mu.Lock()
	hangs := d.hangClose
	d.mu.Unlock()
	if hangs != nil {
		<-hangs
	}
	d.change(func() { d.open-- })
	return nil
}

// bench is a panel on fake lines that runs.
type bench struct {
	*seat
	button, lamp *device
	logged       *bytes.Buffer // read it after stop
	end          context.CancelFunc
	ended        chan time.Time
	shows        chan Light
}

// mount makes a panel in a synctest bubble and runs it.
func mount(t *testing.T, prepare func(*bench)) *bench {
	t.Helper()
	b := &bench{
		seat: &seat{began: time.Now()}, button: newDevice(), lamp: newDevice(),
		logged: &bytes.Buffer{}, ended: make(chan time.Time, 1), shows: make(chan Light, 1),
	}
	p, err := New(Config{Log: slog.New(slog.NewTextHandler(b.logged, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		prepare(b)
	}
	if b.button != nil {
		p.button = func() (contact, error) { return b.button, b.button.take() }
	}
	if b.lamp != nil {
		p.lamp = func() (bulb, error) { return b.lamp, b.lamp.take() }
	}
	var ctx context.Context
	ctx, b.end = context.WithCancel(context.Background())
	light := Dark
	go func() {
		err := p.Run(ctx, b.seat, func() Light {
			select {
			case light = <-b.shows:
			default:
			}
			return light
		})
		if err != nil {
			t.Errorf("Run returned %v", err)
		}
		b.ended <- time.Now()
	}()
	synctest.Wait()
	return b
}

// stop ends Run and returns how long that took.
func (b *bench) stop() time.Duration {
	asked := time.Now()
	b.end()
	return (<-b.ended).Sub(asked)
}

// press presses the button for a time.
func (b *bench) press(d time.Duration) {
	b.button.put(true)
	sleep(d)
	b.button.put(false)
}

// leaks tells how many lines are still open.
func (b *bench) leaks() int {
	n := 0
	for _, d := range []*device{b.button, b.lamp} {
		if d != nil {
			d.change(func() { n += d.open })
		}
	}
	return n
}

// lines are the lines of the log that hold a text.
func (b *bench) lines(text string) int { return strings.Count(b.logged.String(), text) }

var errNoDevice = errors.New("no such device")

// sleep lets time pass, and everybody do what is due.
func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
