package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// cameraLag is how old a frame of a drive may be when it is shown. A camera
// does not show what it saw before it was switched on, nor a queue of old
// pictures to a slow reader.
const cameraLag = time.Second

// loopGap is how long after its last frame a drive begins again.
const loopGap = time.Second

// PlayOptions say how a drive is played as a camera.
type PlayOptions struct {
	// Loop plays the drive again after its end; without it Next then returns
	// io.EOF.
	Loop bool
	// Zero is the host time at which the drive's first moment is played; the
	// zero Time means the call of PlayDrive.
	Zero time.Time
}

// DriveCamera plays the frames of a drive at their recorded pace, as a [Camera]
// would give them: Frame.At is the host time of the showing. Time goes on while
// it is stopped, like the street does, so it stays in step with a track that is
// played beside it. It reads one frame ahead. Damaged frames are passed over.
type DriveCamera struct {
	drive  *Drive
	loop   bool
	zero   time.Time // host time of drive time zero, in this round
	stream driveStream
	ahead  *Frame // read and not yet due
	on     bool
	closed bool
	seq    uint64
}

var _ Camera = (*DriveCamera)(nil)

// PlayDrive returns a camera that plays d. The drive's clock begins to run.
func PlayDrive(d *Drive, o PlayOptions) *DriveCamera {
	if o.Zero.IsZero() {
		o.Zero = time.Now()
	}
	return &DriveCamera{drive: d, loop: o.Loop, zero: o.Zero}
}

// Start implements [Camera].
func (c *DriveCamera) Start(ctx context.Context) error {
	if c.closed {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.on = true
	return nil
}

// Next implements [Camera].
func (c *DriveCamera) Next(ctx context.Context) (*Frame, error) {
	for {
		switch {
		case c.closed:
			return nil, ErrClosed
		case !c.on:
			return nil, ErrStopped
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		err := c.readAhead()
		if errors.Is(err, io.EOF) && c.loop && c.drive.Frames > 0 {
			if err := c.rewind(ctx); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := c.wait(ctx, c.ahead.At.Sub(c.drive.Started)); err != nil {
			return nil, err
		}
		f := c.ahead
		c.ahead = nil
		if c.position()-f.At.Sub(c.drive.Started) > cameraLag { // read before a Stop
			f.Release()
			continue
		}
		c.seq++
		f.Seq, f.At = c.seq, time.Now()
		return f, nil
	}
}

// position is the drive time that is being played.
func (c *DriveCamera) position() time.Duration {
	return time.Since(c.zero)
}

// readAhead makes ahead the next frame that is not too old to be shown.
func (c *DriveCamera) readAhead() error {
	if c.ahead != nil {
		return nil
	}
	if c.stream == nil {
		s, err := c.drive.open()
		if err != nil {
			return fmt.Errorf("play drive %s: %w", c.drive.Path, err)
		}
		c.stream = s
	}
	for {
		c.stream.skipTo(c.drive.Started.Add(c.position() - cameraLag))
		ev, err := c.stream.next()
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		if err != nil {
			return fmt.Errorf("play drive %s: %w", c.drive.Path, err)
		}
		if ev.Frame != nil {
			c.ahead = ev.Frame
			return nil
		}
	}
}

// wait waits until a drive time is played.
func (c *DriveCamera) wait(ctx context.Context, at time.Duration) error {
	t := time.NewTimer(at - c.position())
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// rewind begins the drive anew, or enters the round that is due after a long
// stop. It waits for the round to begin, so that a drive without a single good
// frame is not read over and over.
func (c *DriveCamera) rewind(ctx context.Context) error {
	round := c.drive.Length + loopGap
	next := max(1, c.position()/round)
	if err := c.wait(ctx, next*round); err != nil {
		return err
	}
	err := c.stream.close()
	c.stream = nil
	c.zero = c.zero.Add(next * round)
	return err
}

// Stop implements [Camera].
func (c *DriveCamera) Stop() error {
	c.on = false
	return nil
}

// Close implements [Camera].
func (c *DriveCamera) Close() error {
	c.on, c.closed = false, true
	c.ahead.Release()
	c.ahead = nil
	if c.stream == nil {
		return nil
	}
	err := c.stream.close()
	c.stream = nil
	return err
}
