package v4l2

import (
	"unsafe"

	"github.com/blackjack/webcam"
	"github.com/blackjack/webcam/ioctl"
)

// The part of linux/videodev2.h that the library does not offer.

const (
	capVideoCapture = 0x00000001
	capStreaming    = 0x04000000
	capDeviceCaps   = 0x80000000

	bufTypeVideoCapture = 1

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

// queryCap is VIDIOC_QUERYCAP.
func queryCap(fd int) (uapiCapability, error) {
	var c uapiCapability
	err := ioctl.Ioctl(uintptr(fd), webcam.VIDIOC_QUERYCAP, uintptr(unsafe.Pointer(&c)))
	return c, err
}

// getFormat is VIDIOC_G_FMT.
func getFormat(fd int) (uapiPixFormat, error) {
	f := uapiFormat{kind: bufTypeVideoCapture}
	op := ioctl.IoRW('V', 4, unsafe.Sizeof(f))
	err := ioctl.Ioctl(uintptr(fd), op, uintptr(unsafe.Pointer(&f)))
	return f.pix, err
}
