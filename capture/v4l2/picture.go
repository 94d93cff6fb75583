package v4l2

import (
	"errors"
	"image"

	"gadeblik/capture"
)

// believeAfter is how many pictures in a row must agree on a size that is not
// the driver's to be believed. A flipped bit does not repeat, so few are enough.
const believeAfter = 3

// copy makes a frame of the driver's bytes, nil if there are none.
func (c *Camera) copy(data []byte) (*capture.Frame, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if c.fmt.code != formatYUYV {
		return c.jpeg(data)
	}
	if err := checkYUYV(len(data), c.fmt); err != nil {
		return nil, err
	}
	f, err := c.pool.YCbCr422(c.fmt.width, c.fmt.height)
	if err != nil {
		return nil, err
	}
	unpackYUYV(f.YCbCr, data, c.fmt, c.ranges)
	return f, nil
}

// errResized says that a picture's header names another size than the driver.
var errResized = errors.New("another size than the driver's")

func (c *Camera) jpeg(data []byte) (*capture.Frame, error) {
	f, err := c.pool.JPEG(data)
	if err == nil && !c.size.believe(image.Pt(f.Width, f.Height)) {
		f.Release()
		return nil, errResized
	}
	return f, err
}

// believed is the size that pictures have: the driver's, until enough of them
// in a row agree on another.
type believed struct {
	size, claim image.Point
	times       int // how often claim was heard in a row
}

func (b *believed) believe(size image.Point) bool {
	if size != b.size {
		if size != b.claim {
			b.claim, b.times = size, 0
		}
		if b.times++; b.times < believeAfter {
			return false
		}
	}
	b.size, b.times = size, 0
	return true
}
