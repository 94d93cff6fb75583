package capture

import (
	"context"
	"errors"
)

// ErrStalled says that a camera which should be streaming has given no usable
// frame for too long. Close it and open it anew.
var ErrStalled = errors.New("camera stalled")

// ErrStopped is what Next answers while the camera is not started.
var ErrStopped = errors.New("camera is not started")

// Camera is a source of frames that can be silenced.
//
// A camera belongs to one goroutine: its methods are not safe for concurrent
// use. It does not retry: any error of Start, Next and Stop other than the
// context's own, ErrStopped and io.EOF means that the camera is of no more use;
// Close it and open a new one.
type Camera interface {
	// Start makes the device stream. It may be called again after Stop.
	// Starting a started camera does nothing.
	Start(ctx context.Context) error
	// Next waits for the next frame, whose owner the caller becomes. Frames
	// come in order, none is given twice. It returns the context's error soon
	// after ctx ends, ErrStopped when the camera is not started, and io.EOF
	// from a source that has an end.
	Next(ctx context.Context) (*Frame, error)
	// Stop makes the device stream nothing, on return, whatever the error:
	// when the device cannot be told to stop, the camera is closed. Stopping
	// a stopped camera does nothing.
	Stop() error
	// Close stops and gives everything back. A second Close does nothing.
	Close() error
}
