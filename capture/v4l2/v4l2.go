// Package v4l2 is the camera of a Linux computer: USB cameras (UVC) and other
// single-planar V4L2 capture devices. It is the only package that touches the
// webcam library, and it decides nothing beyond it: which camera, which size,
// and when to start is said by its caller.
//
// [Open] gives a [Camera], which keeps the contract of capture.Camera; [List]
// says what cameras there are and why one cannot be used.
//
// # Caveats
//
// The size asked for is a wish. The nearest that the camera offers is set, and
// what a frame really has is in the frame. An MJPEG frame whose header names
// another size than the driver did is dropped and counted: a damaged header
// would shear the picture. Only when three in a row agree is it the camera's
// real size, and believed from then on. A YUYV frame has no header; one that
// has not the bytes of the driver's size is dropped and counted.
//
// Cameras of the Raspberry Pi and the Jetson that hang on a CSI connector
// (libcamera, Argus) are not such devices; feed them through v4l2loopback.
//
// A node such as /dev/video0 may be another camera after the next plugging or
// boot. Name a link in /dev/v4l/by-id or, where there is no udev, the camera's
// name or its bus, see [Config].
//
// A UVC camera has a second node for metadata, which opens like a camera and
// never gives a picture. It is refused with an error that names the right one.
//
// The library keeps its descriptor and its buffers private and has no way to
// wait for less than a second, to switch the camera off before it unmaps the
// pictures, or to give them back to the kernel. Both fields are read past its
// interface; Open refuses to work with a version of the library that lacks
// them. So Stop switches the camera off first and then leaves no picture behind:
// the driver's buffers are zeroed, unmapped and freed.
//
// The library also leaves the buffers mapped when streaming fails to start,
// with which the camera would stay busy until the process ends. Start unmaps
// them, so that the camera can be opened again. Only if the kernel refuses
// that is the error [ErrRestart], and the process has to end.
//
// Damaged frames that the kernel marks are delivered without the mark by the
// library. Every frame is checked; see capture.FixMJPEG for what that finds.
package v4l2

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"
)

// ErrRestart says that the camera cannot be freed by this process any more: end
// it and let the service manager start it again.
var ErrRestart = errors.New("the camera stays busy until this process ends")

// Config says which camera to open and how. The zero value is the only camera
// there is, as MJPEG of about 1280x720 at the camera's own rate.
type Config struct {
	// Device says which camera. It is found anew by each Open:
	//
	//	/dev/v4l/by-id/...       a path; a link survives replugging, /dev/videoN may not
	//	name:HD Pro Camera       the name that List or sysfs gives it, or the part of it before ": "
	//	bus:usb-0000:00:02.0-1   the socket it is plugged into, as List gives it
	//	HD Pro Camera            the name, if it has no slash
	//
	// Empty means the only camera there is. Of several nodes of one camera that
	// fit, the first that gives pictures is meant; two cameras that fit are an
	// error that lists both.
	Device string
	// Format is MJPG, YUYV, or empty for the first of them that the camera has.
	Format string
	// Width and Height are the size wished for in pixels; 0x0 means 1280x720.
	Width, Height int
	// FPS is the rate wished for in frames per second; 0 leaves the camera's.
	FPS float64
	// Stall is how long the camera may go without a usable frame before Next
	// fails with capture.ErrStalled; 0 means 5 s.
	Stall time.Duration
	// Buffers is how many frames may be in use by the caller at a time; 0
	// means 5. Frames that arrive when all are in use are dropped and counted.
	Buffers int
}

// Mode is what a camera was set to.
type Mode struct {
	Path          string // the node that was opened
	Format        string
	Width, Height int
	FPS           float64 // 0 = the camera does not say
}

// Info describes a camera, or a node that looks like one.
type Info struct {
	Path  string   // /dev/videoN
	Links []string // names of the same node that survive replugging, in /dev/v4l/by-id and by-path
	Name  string
	// NodeName is what sysfs calls the node where that is not Name, else "".
	NodeName string
	Driver   string
	Bus      string // where it is plugged in, such as usb-0000:00:14.0-1
	Formats  []Format
	// Problem says why it cannot be used, "" if it can.
	Problem string
}

// Format is a picture format and the sizes it comes in, such as 1280x720, or
// 48x32..1920x1080 for any in between.
type Format struct {
	Name  string
	Sizes []string
}

// Counters count what became of frames since the camera was opened.
type Counters struct {
	Frames   uint64 // given out
	Damaged  uint64 // no usable picture
	Resized  uint64 // of a size that the driver did not announce, and not yet believed
	Empty    uint64 // without a byte
	NoBuffer uint64 // arrived while all buffers were in use
	Retries  uint64 // the kernel said there was a frame, and then there was none
}

// hints say what an operator can do about an error of the kernel.
func hint(e syscall.Errno) string {
	switch e {
	case syscall.ENODEV, syscall.ENXIO:
		return "the camera was unplugged"
	case syscall.EBUSY:
		return "another program uses the camera"
	case syscall.EACCES, syscall.EPERM:
		return "no permission; add the user to group video"
	case syscall.ENOSPC:
		return "not enough USB bandwidth; use a smaller size, a lower rate or another port"
	case syscall.EIO:
		return "the camera or its cable is faulty"
	}
	return ""
}

// explain wraps an error of the library or the kernel with a hint.
func explain(what string, err error) error {
	if h := hint(errno(err)); h != "" {
		return fmt.Errorf("%s: %w (%s)", what, err, h)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// errno finds the kernel's error in err, 0 if there is none. The library turns
// some into text, of which only the end is the kernel's.
func errno(err error) syscall.Errno {
	var e syscall.Errno
	if err == nil || errors.As(err, &e) {
		return e
	}
	for _, e := range []syscall.Errno{syscall.ENODEV, syscall.EBUSY, syscall.ENOSPC, syscall.EIO, syscall.EACCES, syscall.ENOMEM, syscall.EINVAL} {
		if strings.HasSuffix(err.Error(), ": "+e.Error()) {
			return e
		}
	}
	return 0
}

// plainError turns a text of the library back into the kernel's error.
func plainError(err error) error {
	text := strings.TrimPrefix(err.Error(), "Failed to ")
	e := errno(err)
	if e == 0 {
		return errors.New(text)
	}
	return fmt.Errorf("%s: %w", strings.TrimSuffix(text, ": "+e.Error()), e)
}

// transient says that there is no frame now and that waiting again is right.
func transient(err error) bool {
	e := errno(err)
	return e == syscall.EAGAIN || e == syscall.EINTR
}
