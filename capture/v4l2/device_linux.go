package v4l2

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"syscall"
	"unsafe"

	"github.com/blackjack/webcam"
	"golang.org/x/sys/unix"
)

// Open opens and sets up a camera; it does not stream yet. The device is found
// anew each time, because a camera that was plugged in again may be another
// node.
func Open(cfg Config) (*Camera, error) {
	var cams []Info
	var err error
	if !strings.Contains(cfg.Device, "/") {
		if cams, err = List(); err != nil {
			return nil, fmt.Errorf("open camera: %w", err)
		}
	}
	path, err := resolve(cfg.Device, cams)
	if err != nil {
		return nil, fmt.Errorf("open camera: %w", err)
	}
	dev, err := openDevice(path)
	if err != nil {
		return nil, explain("open camera "+path, err)
	}
	return newCamera(dev, path, cfg)
}

// webcamDevice is a device by means of the webcam library.
type webcamDevice struct {
	cam  *webcam.Webcam
	path string
}

func openDevice(path string) (*webcamDevice, error) {
	cam, err := webcam.Open(path)
	if err != nil {
		return nil, err
	}
	return &webcamDevice{cam: cam, path: path}, nil
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

// format asks the driver through a second descriptor, because the library's is
// private and its answer is the question.
func (d *webcamDevice) format() (frameFormat, error) {
	fd, err := unix.Open(d.path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return frameFormat{}, err
	}
	defer unix.Close(fd) // only asked
	p, err := getFormat(fd)
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
		return errors.Join(plainError(err), unmapLeaked(d.cam))
	}
	return nil
}

// unmapLeaked frees what the library leaves mapped when StartStreaming fails.
// As long as it is mapped the camera answers EBUSY to everybody, see
// https://github.com/blackjack/webcam/issues/70.
func unmapLeaked(cam *webcam.Webcam) error {
	f := reflect.ValueOf(cam).Elem().FieldByName("buffers")
	if !f.IsValid() || f.Type() != reflect.TypeFor[[][]byte]() {
		return ErrRestart
	}
	buffers := *(*[][]byte)(unsafe.Pointer(f.UnsafeAddr()))
	for i, b := range buffers {
		if len(b) == 0 {
			continue
		}
		// Buffers of an earlier, stopped stream are unmapped already: EINVAL.
		if err := unix.Munmap(b); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("%w: unmap buffer %d: %w", ErrRestart, i, err)
		}
		buffers[i] = nil
	}
	return nil
}

func (d *webcamDevice) wait(seconds int) (bool, error) {
	err := d.cam.WaitForFrame(uint32(seconds))
	var timeout *webcam.Timeout
	if errors.As(err, &timeout) {
		return false, nil
	}
	return err == nil, err
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
func (d *webcamDevice) stop() error                { return d.cam.StopStreaming() }
func (d *webcamDevice) Close() error               { return d.cam.Close() }
