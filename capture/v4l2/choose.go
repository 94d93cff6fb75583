package v4l2

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// fourcc is a pixel format code of V4L2.
type fourcc uint32

const (
	formatMJPG fourcc = 'M' | 'J'<<8 | 'P'<<16 | 'G'<<24
	formatJPEG fourcc = 'J' | 'P'<<8 | 'E'<<16 | 'G'<<24
	formatYUYV fourcc = 'Y' | 'U'<<8 | 'Y'<<16 | 'V'<<24
)

func (f fourcc) String() string {
	b := []byte{byte(f), byte(f >> 8), byte(f >> 16), byte(f >> 24)}
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return strings.TrimRight(string(b), " ")
}

// sizeRange is what a camera says about the sizes of a format. One fixed size
// has equal ends. All zero means any.
type sizeRange struct {
	minW, maxW, stepW int
	minH, maxH, stepH int
}

func (r sizeRange) String() string {
	if r.minW == r.maxW && r.minH == r.maxH {
		return fmt.Sprintf("%dx%d", r.maxW, r.maxH)
	}
	return fmt.Sprintf("%dx%d..%dx%d", r.minW, r.minH, r.maxW, r.maxH)
}

// What a node can be that is not the one to open.
var (
	errNoFormats   = errors.New("not a camera: it offers no picture format, as the metadata node of a UVC camera; use the link that ends in video-index0")
	errNotCapture  = errors.New("not a node with pictures: it is the metadata node of a camera, an output or a multi-planar device")
	errNoStreaming = errors.New("the camera cannot stream")
)

// chooseFormat picks the format to use from those a camera has: MJPEG where
// there is a choice, because it is what a USB cable carries at full rate.
func chooseFormat(have []fourcc, want string) (fourcc, error) {
	if len(have) == 0 {
		return 0, errNoFormats
	}
	var names []string
	for _, f := range have {
		names = append(names, f.String())
	}
	slices.Sort(names)
	for _, f := range []fourcc{formatMJPG, formatJPEG, formatYUYV} {
		if slices.Contains(have, f) && (want == "" || strings.EqualFold(want, f.String())) {
			return f, nil
		}
	}
	if want == "" {
		want = "MJPG or YUYV"
	}
	return 0, fmt.Errorf("format %s: the camera has %s", want, strings.Join(names, ", "))
}

// defaultWidth and defaultHeight are what most cameras give at full rate.
const defaultWidth, defaultHeight = 1280, 720

// chooseSize returns the size on offer that is nearest to the one wished for,
// the larger of two equally near. With nothing on offer it is the wish, for the
// driver to adjust.
func chooseSize(offers []sizeRange, width, height int) (int, int) {
	if width <= 0 || height <= 0 {
		width, height = defaultWidth, defaultHeight
	}
	bestW, bestH, best := width, height, -1
	for _, r := range offers {
		if r.maxW <= 0 || r.maxH <= 0 {
			continue
		}
		w, h := nearest(width, r.minW, r.maxW, r.stepW), nearest(height, r.minH, r.maxH, r.stepH)
		d := abs(w-width) + abs(h-height)
		if best < 0 || d < best || d == best && w*h > bestW*bestH {
			bestW, bestH, best = w, h, d
		}
	}
	return bestW, bestH
}

// nearest returns the value of low, low+step, ... up to high next to want.
func nearest(want, low, high, step int) int {
	v := min(max(want, low), high)
	if step <= 1 || v == high {
		return v
	}
	v = low + (v-low+step/2)/step*step
	return min(v, high)
}

func abs(n int) int {
	return max(n, -n)
}
