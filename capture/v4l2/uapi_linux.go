package v4l2

import (
	"unsafe"

	"github.com/blackjack/webcam"
	"github.com/blackjack/webcam/ioctl"
	"golang.org/x/sys/unix"
)

// The part of linux/videodev2.h that the library does not offer, or not alone.

const (
	capVideoCapture = 0x00000001
	capStreaming    = 0x04000000
	capDeviceCaps   = 0x80000000

	bufTypeVideoCapture = 1
	memoryMmap          = 1

	colorspaceJPEG   = 7
	quantizationFull = 1
	quantizationNone = 0 // the default of the colour space
)

type uapiCapability struct {
	driver     [16]byte
	card       [32]byte
	bus        [32]byte
	version    uint32
	caps       uint32
	deviceCaps uint32
	_          [3]uint32
}

type uapiPixFormat struct {
	width, height uint32
	pixelformat   uint32
	field         uint32
	bytesperline  uint32
	sizeimage     uint32
	colorspace    uint32
	priv          uint32
	flags         uint32
	ycbcrEnc      uint32
	quantization  uint32
	xferFunc      uint32
}

// uapiFormat is struct v4l2_format. The kernel's union holds pointers, which
// align it.
type uapiFormat struct {
	kind uint32
	_    [unsafe.Sizeof(uintptr(0)) - 4]byte
	pix  uapiPixFormat
	_    [200 - unsafe.Sizeof(uapiPixFormat{})]byte
}

type uapiRequestBuffers struct {
	count        uint32
	kind         uint32
	memory       uint32
	capabilities uint32
	flags        uint8
	_            [3]uint8
}

// control makes one ioctl call. The pointer becomes a number in the call itself
// and not before: between the two the stack it points to could move.
func control(fd int, op uintptr, arg unsafe.Pointer) error {
	_, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), op, uintptr(arg))
	if e != 0 {
		return e
	}
	return nil
}

// queryCap is VIDIOC_QUERYCAP.
func queryCap(fd int) (uapiCapability, error) {
	var c uapiCapability
	err := control(fd, webcam.VIDIOC_QUERYCAP, unsafe.Pointer(&c))
	return c, err
}

// getFormat is VIDIOC_G_FMT.
func getFormat(fd int) (uapiPixFormat, error) {
	f := uapiFormat{kind: bufTypeVideoCapture}
	op := ioctl.IoRW('V', 4, unsafe.Sizeof(f))
	err := control(fd, op, unsafe.Pointer(&f))
	return f.pix, err
}

// streamOff is VIDIOC_STREAMOFF. On a camera that does not stream it does
// nothing.
func streamOff(fd int) error {
	kind := uint32(bufTypeVideoCapture)
	return control(fd, webcam.VIDIOC_STREAMOFF, unsafe.Pointer(&kind))
}

// freeBuffers is VIDIOC_REQBUFS for none. The kernel refuses it while one of
// the buffers is mapped.
func freeBuffers(fd int) error {
	r := uapiRequestBuffers{kind: bufTypeVideoCapture, memory: memoryMmap}
	return control(fd, webcam.VIDIOC_REQBUFS, unsafe.Pointer(&r))
}
