package v4l2

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"gadeblik/capture"
)

func TestChooseFormat(t *testing.T) {
	const nv12, h264 = fourcc('N' | 'V'<<8 | '1'<<16 | '2'<<24), fourcc('H' | '2'<<8 | '6'<<16 | '4'<<24)
	tests := []struct {
		have []fourcc
		want string
		got  fourcc
		err  string
	}{
		{[]fourcc{formatYUYV, h264, formatMJPG}, "", formatMJPG, ""},
		{[]fourcc{formatYUYV, formatJPEG}, "", formatJPEG, ""},
		{[]fourcc{formatYUYV, nv12}, "", formatYUYV, ""},
		{[]fourcc{formatYUYV, formatMJPG}, "yuyv", formatYUYV, ""},
		{[]fourcc{nv12, h264}, "", 0, "format MJPG or YUYV: the camera has H264, NV12"},
		{[]fourcc{formatMJPG, 1}, "NV12", 0, "format NV12: the camera has ????, MJPG"},
		{nil, "", 0, errNoFormats.Error()},
	}
	for _, tt := range tests {
		got, err := chooseFormat(tt.have, tt.want)
		if got != tt.got || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%v %q: %s, %v, want %s, %s", tt.have, tt.want, got, err, tt.got, tt.err)
		}
	}
}

func TestChooseSize(t *testing.T) {
	discrete := []sizeRange{{320, 320, 0, 240, 240, 0}, {640, 640, 0, 480, 480, 0}, {1280, 1280, 0, 720, 720, 0}, {1920, 1920, 0, 1080, 1080, 0}}
	stepwise := []sizeRange{{48, 1920, 16, 32, 1080, 8}}
	tests := []struct {
		name                string
		offers              []sizeRange
		width, height, w, h int
	}{
		{"exact", discrete, 640, 480, 640, 480},
		{"nearest", discrete, 1300, 700, 1280, 720},
		{"too large", discrete, 8000, 6000, 1920, 1080},
		{"too small", discrete, 1, 1, 320, 240},
		{"no wish", discrete, 0, 0, 1280, 720},
		{"half a wish", discrete, 640, 0, 1280, 720},
		{"equally near", []sizeRange{{600, 600, 0, 400, 400, 0}, {680, 680, 0, 400, 400, 0}}, 640, 400, 680, 400},
		{"steps", stepwise, 641, 483, 640, 480},
		{"steps, upper end", stepwise, 1919, 1079, 1920, 1080},
		{"steps, lower end", stepwise, 1, 1, 48, 32},
		{"a step that misses the upper end", []sizeRange{{100, 250, 100, 100, 250, 100}}, 240, 240, 200, 200},
		{"nothing known", nil, 800, 600, 800, 600},
		{"continuous, of which the library says nothing", []sizeRange{{}}, 800, 600, 800, 600},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if w, h := chooseSize(tt.offers, tt.width, tt.height); w != tt.w || h != tt.h {
				t.Errorf("%dx%d, want %dx%d", w, h, tt.w, tt.h)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		err       error
		errno     syscall.Errno
		transient bool
	}{
		{nil, 0, false},
		{syscall.EAGAIN, syscall.EAGAIN, true},
		{fmt.Errorf("x: %w", syscall.EINTR), syscall.EINTR, true},
		{&fs.PathError{Op: "open", Path: "/dev/video0", Err: syscall.ENODEV}, syscall.ENODEV, false},
		{errors.New("Failed to map request buffers: device or resource busy"), syscall.EBUSY, false},
		{errors.New("Not a video capture device"), 0, false},
		{os.ErrClosed, 0, false},
	}
	for _, tt := range tests {
		if got := errno(tt.err); got != tt.errno || transient(tt.err) != tt.transient {
			t.Errorf("%v: errno %v, transient %v", tt.err, got, transient(tt.err))
		}
	}
	got := plainError(errors.New("Failed to map request buffers: device or resource busy"))
	if got.Error() != "map request buffers: device or resource busy" || !errors.Is(got, syscall.EBUSY) {
		t.Errorf("plain: %v", got)
	}
	if got := plainError(errors.New("Already streaming")); got.Error() != "Already streaming" {
		t.Errorf("plain: %v", got)
	}
}

func TestCheckYUYV(t *testing.T) {
	f := frameFormat{code: formatYUYV, width: 4, height: 2, stride: 12}
	tests := []struct {
		n   int
		f   frameFormat
		err string
	}{
		{24, f, ""},
		{20, f, ""}, // the last line without its padding
		{19, f, "damaged picture: 19 bytes, 4x2 YUYV has 24"},
		{25, f, "damaged picture: 25 bytes, 4x2 YUYV has 24"},
		{0, frameFormat{}, "damaged picture: 0x0 with 0 bytes a line"},
		{24, frameFormat{width: 8, height: 1, stride: 12}, "damaged picture: 8x1 with 12 bytes a line"},
	}
	for _, tt := range tests {
		err := checkYUYV(tt.n, tt.f)
		if (err == nil) != (tt.err == "") || err != nil && (err.Error() != tt.err || !errors.Is(err, capture.ErrDamaged)) {
			t.Errorf("%d bytes: %v, want %s", tt.n, err, tt.err)
		}
	}
}

func TestRanges(t *testing.T) {
	full, video := newRanges(frameFormat{full: true}), newRanges(frameFormat{})
	for i := range 256 {
		if int(full.luma[i]) != i || int(full.chroma[i]) != i {
			t.Fatalf("full range changes %d", i)
		}
	}
	for in, want := range map[int][2]uint8{0: {0, 0}, 16: {0, 0}, 126: {128, 126}, 128: {130, 128}, 235: {255, 250}, 240: {255, 255}, 255: {255, 255}} {
		if got := [2]uint8{video.luma[in], video.chroma[in]}; got != want {
			t.Errorf("%d becomes %v, want %v", in, got, want)
		}
	}
}
