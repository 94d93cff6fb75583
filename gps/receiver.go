package gps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

const (
	// The kernel counts read timeouts in tenths of a second. A longer one than
	// maxReadTimeout would delay the end of Run as long.
	minReadTimeout = 100 * time.Millisecond
	maxReadTimeout = 2 * time.Second

	// quickEOFs is how many reads in a row may end at once without a byte. An
	// unplugged device ends all of them so, a living one hardly any.
	quickEOFs = 3

	// quickPause keeps an unplugged device from filling a processor.
	quickPause = 50 * time.Millisecond

	// readSize is more than arrives at a time: reads return with what is there.
	readSize = 1024
)

// ReceiverConfig describes one receiver on a serial port. Only Device is
// required.
type ReceiverConfig struct {
	// Device is the path of the port. It is resolved anew by each Run, so a
	// name under /dev/serial/by-id survives replugging.
	Device string

	Baud         int           // 0 = 9600
	ReadTimeout  time.Duration // 100 ms to 2 s; 0 = 200 ms. Run ends that late.
	Stale        time.Duration // without a whole sentence for so long the device is lost; 0 = 5 s
	OpenTimeout  time.Duration // bound on opening the port; 0 = 10 s
	CloseTimeout time.Duration // bound on closing it; 0 = 2 s

	// Floor and Ceiling are those of [DecoderConfig].
	Floor, Ceiling time.Time
}

// A Receiver reads fixes from a serial port. Last and Counters may be called
// from any goroutine.
type Receiver struct {
	cfg      ReceiverConfig
	open     opener
	running  atomic.Bool
	last     atomic.Pointer[Fix]
	counters atomic.Pointer[Counters]

	// stuck is closed when a call into the driver that Run gave up waiting for
	// has returned after all; nil if there is none. Only Run touches it.
	stuck <-chan struct{}
}

// NewReceiver returns a receiver that has touched nothing yet, or every mistake
// in cfg.
func NewReceiver(cfg ReceiverConfig) (*Receiver, error) {
	orElse := func(d *time.Duration, or time.Duration) {
		if *d == 0 {
			*d = or
		}
	}
	orElse(&cfg.ReadTimeout, 200*time.Millisecond)
	orElse(&cfg.Stale, 5*time.Second)
	orElse(&cfg.OpenTimeout, 10*time.Second)
	orElse(&cfg.CloseTimeout, 2*time.Second)
	if cfg.Baud == 0 {
		cfg.Baud = 9600
	}
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("check gps receiver: %w", err)
	}
	return &Receiver{cfg: cfg, open: openSerial}, nil
}

// Run opens the port, reads until ctx ends or the device is lost, and closes
// the port. It calls emit, which must not block for long, from its own
// goroutine for each epoch. It returns nil when ctx has ended, at the latest a
// read timeout and a close timeout afterwards, and an error in every other
// case. It does not try again: call it again for that. Two Runs at a time are
// refused.
func (r *Receiver) Run(ctx context.Context, emit func(Fix)) error {
	if !r.running.CompareAndSwap(false, true) {
		return fmt.Errorf("run gps %s: it is running already", r.cfg.Device)
	}
	defer r.running.Store(false)
	p, err := r.openPort(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("open gps %s: %w", r.cfg.Device, hinted(err))
	}
	err = r.read(ctx, p, emit)
	closing := r.closePort(p)
	if ctx.Err() != nil {
		return nil
	}
	err = fmt.Errorf("read gps %s: %w", r.cfg.Device, hinted(err))
	if closing != nil {
		err = errors.Join(err, fmt.Errorf("close gps %s: %w", r.cfg.Device, hinted(closing)))
	}
	return err
}

// Last returns the newest fix, valid or not, and false before the first. It
// outlives the Run that found it: judge its age by At.
func (r *Receiver) Last() (Fix, bool) {
	if f := r.last.Load(); f != nil {
		return *f, true
	}
	return Fix{}, false
}

// Counters returns what has been counted over all Runs.
func (r *Receiver) Counters() Counters {
	if c := r.counters.Load(); c != nil {
		return *c
	}
	return Counters{}
}

// read feeds the decoder until ctx ends (nil) or the device is lost. It owns
// the port: nobody else reads, and nobody closes it before read has returned.
func (r *Receiver) read(ctx context.Context, p port, emit func(Fix)) error {
	d := NewDecoder(DecoderConfig{Floor: r.cfg.Floor, Ceiling: r.cfg.Ceiling, Midstream: true})
	*d.count = r.Counters()
	d.count.Opens++
	r.publish(d)
	w := watch{cfg: &r.cfg, port: p, decoder: d, heard: time.Now()}
	keep := func(f Fix) {
		r.last.Store(&f)
		emit(f)
	}
	// What the kernel has stored is of unknown age.
	if err := p.Flush(); err != nil {
		return fmt.Errorf("unplugged: %w", err)
	}
	buf := make([]byte, readSize)
	for ctx.Err() == nil {
		err := w.step(ctx, buf, keep)
		r.publish(d)
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Receiver) publish(d *Decoder) {
	c := d.Counters()
	r.counters.Store(&c)
}

// A watch judges the reads of one open port.
type watch struct {
	cfg     *ReceiverConfig
	port    port
	decoder *Decoder
	quick   int       // reads in a row that ended too soon
	heard   time.Time // arrival of the newest sentence
	bytes   uint64    // bytes since then
}

// step reads once. To the library a timeout and an unplugged device are the
// same, 0 and io.EOF; only the time it took tells them apart.
func (w *watch) step(ctx context.Context, buf []byte, emit func(Fix)) error {
	asked := time.Now()
	n, err := w.port.Read(buf)
	now := time.Now()
	switch {
	case n > 0:
		w.quick = 0
		w.take(buf[:n], now, emit)
	case err != nil && !errors.Is(err, io.EOF):
		return err
	case now.Sub(asked) >= w.cfg.ReadTimeout/2:
		w.quick = 0
		w.decoder.count.Timeouts++
		w.decoder.Idle(emit)
	default:
		if err := w.suspect(ctx); err != nil {
			return err
		}
	}
	return w.stale(now)
}

// take decodes what was read and remembers when the newest sentence came. A
// sentence of any type shows that device and line are well.
func (w *watch) take(p []byte, now time.Time, emit func(Fix)) {
	before := w.decoder.count.sound()
	w.bytes += uint64(len(p))
	w.decoder.Write(p, now, emit)
	if w.decoder.count.sound() > before {
		w.heard, w.bytes = now, 0
	}
}

// suspect deals with a read that ended too soon without a byte.
func (w *watch) suspect(ctx context.Context) error {
	w.quick++
	w.decoder.count.QuickEOFs++
	if err := w.port.Flush(); err != nil {
		return fmt.Errorf("unplugged: %w", err)
	}
	if w.quick >= quickEOFs {
		return errors.New("unplugged: reads end at once without a byte")
	}
	pause := time.NewTimer(quickPause)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
	return nil
}

// stale reports a device that is there and says nothing, or nothing legible.
func (w *watch) stale(now time.Time) error {
	silent := now.Sub(w.heard)
	switch {
	case silent < w.cfg.Stale:
		return nil
	case w.bytes == 0:
		return fmt.Errorf("silent for %v; check the cable and whether it is a GNSS receiver", w.cfg.Stale)
	}
	return fmt.Errorf("%d bytes in %v and no sentence among them; check the baud rate, now %d", w.bytes, w.cfg.Stale, w.cfg.Baud)
}
