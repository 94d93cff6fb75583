package v4l2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"gadeblik/capture"
)

const (
	// kernelBuffers is how many frames the driver may hold. With fewer a frame
	// is lost whenever the reader is a little late, with more the reader sees
	// the past.
	kernelBuffers = 4
	// waitStep is how long one wait for a frame lasts, and so how late Next may
	// notice that its context ended. Waking fifty times a second costs nothing
	// beside a frame, and nobody waits while the camera is off.
	waitStep = 20 * time.Millisecond
	// retryPause keeps a driver that announces frames it does not have from
	// using up a processor core.
	retryPause = 5 * time.Millisecond

	defaultStall = 5 * time.Second
	// defaultBuffers is one frame each for the camera, the slot, the look under way
	// and the one held for its neighbour, and one to spare.
	defaultBuffers = 5
)

// device is one open V4L2 node: what the library and the kernel do, one method
// per step. Errors are the kernel's.
type device interface {
	formats() []fourcc
	sizes(f fourcc) []sizeRange
	setFormat(f fourcc, width, height int) (fourcc, error)
	format() (frameFormat, error)
	setRate(fps float64) error
	rate() (float64, error)
	// start gives the driver buffers and makes it stream. It leaves nothing
	// behind when it fails, or says ErrRestart.
	start(buffers int) error
	// wait reports whether there is something to get, after at most limit.
	wait(limit time.Duration) (bool, error)
	// get returns a frame in the driver's memory, which is good until release.
	get() ([]byte, uint32, error)
	release(index uint32) error
	// stop makes the device silent, then leaves no picture in its memory.
	stop() error
	io.Closer
}

// Camera is an open V4L2 camera. It keeps the contract of [capture.Camera].
// Only Counters may be called from other goroutines.
type Camera struct {
	dev    device
	cfg    Config
	mode   Mode
	fmt    frameFormat
	pool   *capture.Pool
	ranges *ranges
	size   believed

	on      bool
	closed  bool
	broken  error         // what ended the camera
	seq     uint64        // frames that came from the driver
	starved time.Duration // spent in Next since the last usable frame

	frames, damaged, resized, empty, noBuffer, retries atomic.Uint64
}

var _ capture.Camera = (*Camera)(nil)

// newCamera sets an open device up. It closes dev when it fails.
func newCamera(dev device, path string, cfg Config) (*Camera, error) {
	if cfg.Stall <= 0 {
		cfg.Stall = defaultStall
	}
	if cfg.Buffers <= 0 {
		cfg.Buffers = defaultBuffers
	}
	c := &Camera{dev: dev, cfg: cfg, mode: Mode{Path: path}, pool: capture.NewPool(cfg.Buffers)}
	if err := c.setUp(); err != nil {
		// The second error would only repeat the first.
		_ = dev.Close()
		return nil, fmt.Errorf("set up camera %s: %w", path, err)
	}
	return c, nil
}

// setUp chooses and sets format, size and rate. That is done once, before the
// driver has buffers: afterwards it answers EBUSY.
func (c *Camera) setUp() error {
	want, err := chooseFormat(c.dev.formats(), c.cfg.Format)
	if err != nil {
		return err
	}
	w, h := chooseSize(c.dev.sizes(want), c.cfg.Width, c.cfg.Height)
	got, err := c.dev.setFormat(want, w, h)
	if err != nil {
		return explain(fmt.Sprintf("set format %s %dx%d", want, w, h), err)
	}
	if got != want { // a driver that lacks a format takes another and says nothing
		return fmt.Errorf("set format %s: the driver chose %s", want, got)
	}
	// The library returns the size that was asked for; the driver knows better.
	if c.fmt, err = c.dev.format(); err != nil {
		return explain("read format", err)
	}
	if c.fmt.code != want {
		return fmt.Errorf("set format %s: the driver has %s", want, c.fmt.code)
	}
	c.ranges, c.size.size = newRanges(c.fmt), c.fmt.size()
	if c.cfg.FPS > 0 {
		// Cameras without a choice of rates refuse; they have their own.
		_ = c.dev.setRate(c.cfg.FPS)
	}
	c.mode.FPS, _ = c.dev.rate() // 0 = it does not say
	c.mode.Format, c.mode.Width, c.mode.Height = want.String(), c.fmt.width, c.fmt.height
	return nil
}

// Mode returns what the camera was set to.
func (c *Camera) Mode() Mode {
	return c.mode
}

// Counters returns what became of frames so far. It is safe to call at any time.
func (c *Camera) Counters() Counters {
	return Counters{
		Frames:   c.frames.Load(),
		Damaged:  c.damaged.Load(),
		Resized:  c.resized.Load(),
		Empty:    c.empty.Load(),
		NoBuffer: c.noBuffer.Load(),
		Retries:  c.retries.Load(),
	}
}

// Start implements [capture.Camera].
func (c *Camera) Start(ctx context.Context) error {
	if err := c.usable(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil || c.on {
		return err
	}
	// While it was off the camera was anybody's.
	if f, err := c.dev.format(); err != nil || f != c.fmt {
		return c.fail(c.changed(f, err))
	}
	if err := c.dev.start(kernelBuffers); err != nil {
		return c.fail(explain("start camera "+c.mode.Path, err))
	}
	c.on, c.starved = true, 0
	return nil
}

// changed says why the camera is not set to what it was set to.
func (c *Camera) changed(now frameFormat, err error) error {
	if err != nil {
		return explain("start camera "+c.mode.Path, err)
	}
	return fmt.Errorf("start camera %s: another program has set it to %s %dx%d", c.mode.Path, now.code, now.width, now.height)
}

// Next implements [capture.Camera]. A frame that is no picture is dropped and
// counted, and the next one waited for. It notices the end of ctx within 20 ms,
// also when the camera gives nothing, and gives no frame after it has.
func (c *Camera) Next(ctx context.Context) (*capture.Frame, error) {
	if err := c.usable(); err != nil {
		return nil, err
	}
	if !c.on {
		return nil, capture.ErrStopped
	}
	// Time that the caller spends elsewhere is not the camera's fault, and many
	// short calls without a frame are.
	before, begun := c.starved, time.Now()
	for ctx.Err() == nil {
		f, err := c.poll(ctx)
		if err != nil {
			return nil, c.fail(err)
		}
		if f != nil {
			c.starved = 0
			c.frames.Add(1)
			return f, nil
		}
		if c.starved = before + time.Since(begun); c.starved > c.cfg.Stall {
			return nil, c.fail(fmt.Errorf("camera %s gave no usable frame for %s (%s): %w", c.mode.Path, c.cfg.Stall, c.tally(), capture.ErrStalled))
		}
	}
	return nil, ctx.Err()
}

// poll waits once and returns a frame, or nil when there was none to use.
func (c *Camera) poll(ctx context.Context) (*capture.Frame, error) {
	ready, err := c.dev.wait(waitStep)
	if err != nil && !transient(err) {
		return nil, explain("wait for camera "+c.mode.Path, err)
	}
	if err != nil {
		c.pause(ctx)
		return nil, nil
	}
	if !ready || ctx.Err() != nil {
		return nil, nil
	}
	data, index, err := c.dev.get()
	// An unplugged camera is always ready and never has a frame: any error
	// but "not now" ends it, and "not now" is not asked about at full speed.
	if err != nil && !transient(err) {
		return nil, explain("read camera "+c.mode.Path, err)
	}
	if err != nil {
		c.pause(ctx)
		return nil, nil
	}
	at := time.Now()
	c.seq++
	// The driver writes into data again as soon as it is given back.
	f, ferr := c.copy(data)
	if err := c.dev.release(index); err != nil {
		// One buffer is lost for good; soon there would be none.
		f.Release()
		return nil, explain("give a buffer back to camera "+c.mode.Path, err)
	}
	switch {
	case errors.Is(ferr, capture.ErrNoBuffer):
		c.noBuffer.Add(1)
		return nil, nil
	case errors.Is(ferr, errResized):
		c.resized.Add(1)
		return nil, nil
	case ferr != nil:
		c.damaged.Add(1)
		return nil, nil
	case f == nil:
		c.empty.Add(1)
		return nil, nil
	}
	f.Seq, f.At = c.seq, at
	return f, nil
}

// pause lets a little time pass.
func (c *Camera) pause(ctx context.Context) {
	c.retries.Add(1)
	t := time.NewTimer(retryPause)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// tally says what came instead of usable frames.
func (c *Camera) tally() string {
	n := c.Counters()
	return fmt.Sprintf("so far %d good, %d damaged, %d of another size, %d empty, %d without a buffer, %d retries", n.Frames, n.Damaged, n.Resized, n.Empty, n.NoBuffer, n.Retries)
}

func (c *Camera) usable() error {
	if c.broken != nil {
		return c.broken
	}
	if c.closed {
		return capture.ErrClosed
	}
	return nil
}

// fail ends the camera: the device is closed at once, so that it streams
// nothing whatever the caller does next.
func (c *Camera) fail(err error) error {
	c.broken = err
	if !c.closed {
		c.on, c.closed = false, true
		// What went wrong is known; that closing fails too adds nothing.
		_ = c.dev.Close()
	}
	return err
}

// Stop implements [capture.Camera].
func (c *Camera) Stop() error {
	if !c.on {
		return nil
	}
	c.on = false
	if err := c.dev.stop(); err != nil {
		return c.fail(explain("stop camera "+c.mode.Path, err))
	}
	return nil
}

// Close implements [capture.Camera].
func (c *Camera) Close() error {
	if c.closed {
		return nil
	}
	err := c.Stop()
	if !c.closed {
		c.closed = true
		err = c.dev.Close()
	}
	return err
}
