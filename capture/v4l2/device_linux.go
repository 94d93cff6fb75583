package v4l2

import (
	"errors"
	"fmt"
	"reflect"
	"syscall"
	"time"
	"unsafe"

	"github.com/blackjack/webcam"
	"golang.org/x/sys/unix"
)

// Open opens and sets up a camera; it does not stream yet. The device is found
// anew each time, because a camera that was plugged in again may be another
// node.
func Open(cfg Config) (*Camera, error) {
	path := cfg.Device
	if !isPath(path) {
		found, err := Find(path)
		if err != nil {
			return nil, err
		}
		path = found.Path
	}
	dev, err := openDevice(path)
	if err != nil {
		return nil, redirected(explain("open camera "+path, err), path)
	}
	cam, err := newCamera(dev, path, cfg)
	if err != nil {
		return nil, redirected(err, path)
	}
	return cam, nil
}

// webcamDevice is a device by means of the webcam library, and past it where
// the library falls short: it waits in whole seconds, unmaps its buffers before
// the camera is off and never gives them back to the kernel.
type webcamDevice struct {
	cam     *webcam.Webcam
	fd      int       // the library's, which closes it
	buffers *[][]byte // the library's: the driver's memory as this process sees it
	poll    [1]unix.PollFd
	on      bool
}

func openDevice(path string) (*webcamDevice, error) {
	// The library takes the word of the whole camera for that of each node.
	caps, err := capability(path)
	if err != nil {
		return nil, err
	}
	if err := caps.usable(); err != nil {
		return nil, err
	}
	// A program started at this moment would inherit the camera and keep it.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	cam, err := webcam.Open(path)
	if err != nil {
		return nil, err
	}
	d, err := inside(cam)
	if err != nil {
		return nil, errors.Join(err, cam.Close())
	}
	unix.CloseOnExec(d.fd)
	return d, nil
}

// inside finds what the library keeps to itself.
func inside(cam *webcam.Webcam) (*webcamDevice, error) {
	v := reflect.ValueOf(cam).Elem()
	fd, buffers := v.FieldByName("fd"), v.FieldByName("buffers")
	if !fd.IsValid() || fd.Kind() != reflect.Uintptr || !buffers.IsValid() || buffers.Type() != reflect.TypeFor[[][]byte]() {
		return nil, errors.New("the webcam library is not the version that this program was written for")
	}
	d := &webcamDevice{cam: cam, fd: int(fd.Uint()), buffers: (*[][]byte)(unsafe.Pointer(buffers.UnsafeAddr()))}
	d.poll[0] = unix.PollFd{Fd: int32(d.fd), Events: unix.POLLIN}
	return d, nil
}

func (d *webcamDevice) formats() []fourcc {
	var all []fourcc
	for f := range d.cam.GetSupportedFormats() {
		all = append(all, fourcc(f))
	}
	return all
}

func (d *webcamDevice) sizes(f fourcc) []sizeRange {
	var all []sizeRange
	for _, s := range d.cam.GetSupportedFrameSizes(webcam.PixelFormat(f)) {
		all = append(all, sizeRange{
			minW: int(s.MinWidth), maxW: int(s.MaxWidth), stepW: int(s.StepWidth),
			minH: int(s.MinHeight), maxH: int(s.MaxHeight), stepH: int(s.StepHeight),
		})
	}
	return all
}

func (d *webcamDevice) setFormat(f fourcc, width, height int) (fourcc, error) {
	got, _, _, err := d.cam.SetImageFormat(webcam.PixelFormat(f), uint32(width), uint32(height))
	return fourcc(got), err
}

// format asks the driver itself, because the library's answer is the question.
func (d *webcamDevice) format() (frameFormat, error) {
	p, err := getFormat(d.fd)
	if err != nil {
		return frameFormat{}, err
	}
	return frameFormat{
		code:  fourcc(p.pixelformat),
		width: int(p.width), height: int(p.height), stride: int(p.bytesperline),
		full: p.quantization == quantizationFull || p.quantization == quantizationNone && p.colorspace == colorspaceJPEG,
	}, nil
}

func (d *webcamDevice) setRate(fps float64) error { return d.cam.SetFramerate(float32(fps)) }

func (d *webcamDevice) rate() (float64, error) {
	r, err := d.cam.GetFramerate()
	return float64(r), err
}

func (d *webcamDevice) start(buffers int) error {
	// The library's own number is 256, of which the kernel grants 32.
	if err := d.cam.SetBufferCount(uint32(buffers)); err != nil {
		return err
	}
	if err := d.cam.StartStreaming(); err != nil {
		// What the library leaves mapped would keep the camera busy, for
		// everybody, see https://github.com/blackjack/webcam/issues/70.
		return errors.Join(plainError(err), d.forget())
	}
	d.on = true
	return nil
}

// forget zeroes what the driver's buffers show and unmaps them.
func (d *webcamDevice) forget() error {
	var errs []error
	for i, b := range *d.buffers {
		if len(b) == 0 { // the library got no further
			continue
		}
		clear(b)
		if err := unix.Munmap(b); err != nil {
			errs = append(errs, fmt.Errorf("%w: unmap buffer %d: %w", ErrRestart, i, err))
		}
	}
	*d.buffers = nil
	return errors.Join(errs...)
}

// wait uses poll and not the library, which counts whole seconds. A signal ends
// it early, which does no harm. A camera that was unplugged is ready at once,
// for get to say so.
func (d *webcamDevice) wait(limit time.Duration) (bool, error) {
	n, err := unix.Poll(d.poll[:], int(limit.Milliseconds()))
	if errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return n > 0, err
}

func (d *webcamDevice) get() (b []byte, index uint32, err error) {
	defer func() {
		// The library slices its buffers by what the driver says.
		if p := recover(); p != nil {
			b, index, err = nil, 0, fmt.Errorf("the driver gave a frame larger than its buffer: %w", syscall.EIO)
		}
	}()
	return d.cam.GetFrame()
}

func (d *webcamDevice) release(index uint32) error { return d.cam.ReleaseFrame(index) }

// stop silences the camera first, then forgets its pictures here, then has the
// kernel drop its own memory of them.
func (d *webcamDevice) stop() error {
	d.on = false
	off := streamOff(d.fd)
	gone := d.forget()
	// The library only has to learn of it: no buffer is left to unmap, and what
	// is off may be switched off.
	_ = d.cam.StopStreaming()
	if off != nil || gone != nil {
		return errors.Join(off, gone)
	}
	return freeBuffers(d.fd)
}

func (d *webcamDevice) Close() error {
	var err error
	if d.on {
		err = d.stop()
	}
	return errors.Join(err, d.cam.Close())
}
