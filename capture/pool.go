package capture

import (
	"errors"
	"fmt"
	"image"
	"io"
	"sync"
)

const (
	// MaxJPEG is the largest compressed picture accepted, in bytes.
	MaxJPEG = 16 << 20
	// MaxPixels is the largest picture accepted.
	MaxPixels = 1 << 26
	// frameBlock is how many frame headers are allocated at a time. Headers
	// are never used twice, so that a second Release of an old frame cannot
	// give away the buffer of a new one.
	frameBlock = 128
	// bufferStep rounds buffers up: MJPEG frames differ a little in size and
	// should not make the buffer grow each time.
	bufferStep = 64 << 10
)

// ErrNoBuffer says that all buffers of a pool are in use: frames are not
// released as fast as they arrive. The frame is lost, the next one may do.
var ErrNoBuffer = errors.New("no free frame buffer")

// Pool is a fixed number of reusable frame buffers. Buffers grow to the size
// of the largest picture seen and are zeroed when a frame is released, so raw
// pixels exist in at most that many places. The zero value has no buffers; use
// [NewPool]. A Pool is safe for concurrent use.
type Pool struct {
	mu      sync.Mutex // buffers are returned by other goroutines than those that take them
	free    [][]byte
	headers []Frame
	out     int
	size    int
}

// NewPool returns a pool that gives out at most n frames at a time.
func NewPool(n int) *Pool {
	return &Pool{size: max(n, 0)}
}

// JPEG returns a frame holding a copy of src, checked and mended as FixMJPEG
// says, with Width and Height set. It fails with ErrNoBuffer when all buffers
// are in use and with an error that is ErrDamaged when src is no picture. It
// keeps nothing of src.
func (p *Pool) JPEG(src []byte) (*Frame, error) {
	if len(src) > MaxJPEG {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are accepted", ErrDamaged, len(src), MaxJPEG)
	}
	f := p.take(len(src) + len(standardDHT))
	if f == nil {
		return nil, ErrNoBuffer
	}
	copy(f.buf, src)
	if err := f.fix(len(src)); err != nil {
		f.Release()
		return nil, err
	}
	return f, nil
}

// YCbCr422 returns a frame whose YCbCr is a black 4:2:2 picture of the given
// size, for the caller to fill. It fails with ErrNoBuffer when all buffers are
// in use and with an error that is ErrDamaged for a size that is odd, empty or
// over MaxPixels.
func (p *Pool) YCbCr422(width, height int) (*Frame, error) {
	if width <= 0 || height <= 0 || width%2 != 0 || width > MaxPixels/height {
		return nil, fmt.Errorf("%w: size %dx%d", ErrDamaged, width, height)
	}
	f := p.take(2 * width * height)
	if f == nil {
		return nil, ErrNoBuffer
	}
	y, c := width*height, width/2*height
	f.planes = image.YCbCr{
		Y:              f.buf[:y:y],
		Cb:             f.buf[y : y+c : y+c],
		Cr:             f.buf[y+c : y+2*c : y+2*c],
		YStride:        width,
		CStride:        width / 2,
		SubsampleRatio: image.YCbCrSubsampleRatio422,
		Rect:           image.Rect(0, 0, width, height),
	}
	f.YCbCr, f.Width, f.Height = &f.planes, width, height
	return f, nil
}

// read returns a frame holding the n bytes of r. Unlike JPEG it never fails
// for want of a buffer: a replay must not lose frames, so it takes fresh
// memory, which is zeroed on release all the same.
func (p *Pool) read(r io.Reader, n int) (*Frame, error) {
	if n > MaxJPEG {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are accepted", ErrDamaged, n, MaxJPEG)
	}
	size := n + len(standardDHT)
	f := p.take(size)
	if f == nil {
		f = &Frame{buf: make([]byte, size)}
	}
	if _, err := io.ReadFull(r, f.buf[:n]); err != nil {
		f.Release()
		return nil, err
	}
	if err := f.fix(n); err != nil {
		f.Release()
		return nil, err
	}
	return f, nil
}

// fix makes the first n bytes of the buffer the frame's picture.
func (f *Frame) fix(n int) error {
	jpeg, info, err := FixMJPEG(f.buf[:n])
	if err != nil {
		return err
	}
	f.JPEG = jpeg[:len(jpeg):len(jpeg)]
	f.Width, f.Height = info.Width, info.Height
	return nil
}

// take returns a frame with a zeroed buffer of n bytes, or nil when all are out.
func (p *Pool) take(n int) *Frame {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out >= p.size {
		return nil
	}
	p.out++
	var buf []byte
	if last := len(p.free) - 1; last >= 0 {
		buf, p.free = p.free[last], p.free[:last]
	}
	if cap(buf) < n {
		buf = make([]byte, (n+bufferStep-1)/bufferStep*bufferStep)
	}
	if len(p.headers) == 0 {
		p.headers = make([]Frame, frameBlock)
	}
	f := &p.headers[0]
	p.headers = p.headers[1:]
	f.buf, f.pool = buf[:n], p
	return f
}

// put takes back a buffer that its frame has zeroed.
func (p *Pool) put(buf []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out--
	p.free = append(p.free, buf)
}
