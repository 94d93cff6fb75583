package capture

import (
	"image"
	"time"
)

// Frame is one raw camera picture, in memory only. Exactly one of JPEG and
// YCbCr is set until Release. A Frame has one owner at a time and is not safe
// for concurrent use; it must not be copied.
type Frame struct {
	// Seq numbers the frames of one camera or one pass over a drive, from 1.
	// A gap means that frames were dropped at the source.
	Seq uint64
	// At is the host time of arrival for a live camera and the drive time in
	// UTC for a replay.
	At time.Time
	// JPEG is a complete picture that FixMJPEG accepted. Its owner may read
	// it, and only until Release.
	JPEG []byte
	// YCbCr is an uncompressed picture in full range, for cameras without
	// MJPEG.
	YCbCr *image.YCbCr
	// Width and Height are the real size in pixels, taken from the picture.
	Width, Height int

	planes image.YCbCr // what YCbCr points to, so that it costs no allocation
	buf    []byte      // all memory that this frame has written to
	pool   *Pool       // where buf belongs, nil after Release
}

// Release zeroes the pixels and gives the memory back to its pool. It is safe
// on nil and any number of times; after the first call JPEG and YCbCr are nil.
func (f *Frame) Release() {
	if f == nil {
		return
	}
	buf, pool := f.buf, f.pool
	clear(buf)
	if buf == nil { // made by hand: the pixels are somewhere else
		clear(f.JPEG)
		if f.YCbCr != nil {
			clear(f.YCbCr.Y)
			clear(f.YCbCr.Cb)
			clear(f.YCbCr.Cr)
		}
	}
	f.JPEG, f.YCbCr, f.planes, f.buf, f.pool = nil, nil, image.YCbCr{}, nil, nil
	if pool != nil {
		pool.put(buf)
	}
}
