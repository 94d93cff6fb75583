package capture

import (
	"bytes"
	"errors"
	"image"
	"io"
	"sync"
	"testing"
)

func TestFrameReleaseZeroes(t *testing.T) {
	p := NewPool(1)
	f, err := p.JPEG(picture(t, 32, 32))
	if err != nil {
		t.Fatal(err)
	}
	if f.Width != 32 || f.Height != 32 || f.YCbCr != nil {
		t.Errorf("frame %dx%d, YCbCr %v", f.Width, f.Height, f.YCbCr)
	}
	held := f.JPEG
	f.Release()
	if f.JPEG != nil || bytes.ContainsFunc(held, func(r rune) bool { return r != 0 }) {
		t.Error("pixels outlived the frame")
	}

	f, err = p.YCbCr422(8, 4)
	if err != nil {
		t.Fatal(err)
	}
	y, cb, cr := f.YCbCr.Y, f.YCbCr.Cb, f.YCbCr.Cr
	if len(y) != 32 || len(cb) != 16 || len(cr) != 16 || cap(y) != 32 {
		t.Fatalf("planes of %d, %d, %d", len(y), len(cb), len(cr))
	}
	for _, plane := range [][]byte{y, cb, cr} {
		for i, v := range plane {
			if v != 0 {
				t.Fatal("a new picture shows an old one")
			}
			plane[i] = 0xAA
		}
	}
	f.Release()
	for _, plane := range [][]byte{y, cb, cr} {
		if !bytes.Equal(plane, make([]byte, len(plane))) {
			t.Error("pixels outlived the frame")
		}
	}

	own := []byte{1, 2, 3}
	img := image.NewYCbCr(image.Rect(0, 0, 2, 2), image.YCbCrSubsampleRatio444)
	img.Y[0], img.Cb[0], img.Cr[0] = 9, 9, 9
	(&Frame{JPEG: own}).Release()
	(&Frame{YCbCr: img}).Release()
	if own[1] != 0 || img.Y[0] != 0 || img.Cb[0] != 0 || img.Cr[0] != 0 {
		t.Error("a frame made by hand kept its pixels")
	}
}

func TestFrameReleaseTwice(t *testing.T) {
	(*Frame)(nil).Release()
	p := NewPool(1)
	old, err := p.JPEG(picture(t, 32, 32))
	if err != nil {
		t.Fatal(err)
	}
	old.Release()
	old.Release()
	f, err := p.JPEG(picture(t, 32, 32))
	if err != nil {
		t.Fatal(err)
	}
	// A late second Release, as of a deferred call, must not take the buffer
	// away from the frame that has it now.
	old.Release()
	if f.JPEG[0] != 0xFF {
		t.Error("releasing an old frame cleared a new one")
	}
	if _, err := p.JPEG(picture(t, 32, 32)); !errors.Is(err, ErrNoBuffer) {
		t.Errorf("error %v: the pool of one gave two frames", err)
	}
}

func TestPool(t *testing.T) {
	src := picture(t, 32, 32)
	p := NewPool(2)
	a, errA := p.JPEG(src)
	_, errB := p.JPEG(src)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	if _, err := p.JPEG(src); !errors.Is(err, ErrNoBuffer) {
		t.Errorf("third of two: %v", err)
	}
	if _, err := p.YCbCr422(8, 8); !errors.Is(err, ErrNoBuffer) {
		t.Errorf("third of two: %v", err)
	}
	a.Release()
	// A damaged picture takes no buffer with it.
	for range 5 {
		if _, err := p.JPEG(src[:99]); !errors.Is(err, ErrDamaged) {
			t.Errorf("error %v, want ErrDamaged", err)
		}
	}
	if _, err := p.JPEG(src); err != nil {
		t.Error(err)
	}
	for _, size := range []image.Point{{}, {7, 8}, {8, -1}, {1 << 20, 1 << 20}} {
		if _, err := p.YCbCr422(size.X, size.Y); !errors.Is(err, ErrDamaged) {
			t.Errorf("size %v: %v, want ErrDamaged", size, err)
		}
	}
	if _, err := new(Pool).JPEG(src); !errors.Is(err, ErrNoBuffer) {
		t.Errorf("pool without buffers: %v", err)
	}
}

// TestPoolHoldsNoPicture: whatever went through a pool, and however it ended,
// not a byte of it is left in memory that the pool keeps.
func TestPoolHoldsNoPicture(t *testing.T) {
	const n = 4
	p, slot := NewPool(n), NewSlot()
	large, small := picture(t, 320, 240), picture(t, 32, 32)
	fill := func(f *Frame) *Frame {
		for _, plane := range [][]byte{f.YCbCr.Y, f.YCbCr.Cb, f.YCbCr.Cr} {
			for i := range plane {
				plane[i] = 0xAA
			}
		}
		return f
	}
	for range 3 {
		for _, src := range [][]byte{large, withoutTables(t, large), append(bytes.Clone(small), large...), small} {
			// The slot drops the older ones, and the last is cleared.
			for range 2 {
				f, err := p.JPEG(src)
				if err != nil {
					t.Fatal(err)
				}
				slot.Put(f)
			}
			if _, err := p.JPEG(src[:len(small)/2]); !errors.Is(err, ErrDamaged) {
				t.Errorf("half a picture: %v", err)
			}
			if _, err := p.read(bytes.NewReader(src[:9]), len(src)); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("a file that ends early: %v", err)
			}
			f, err := p.read(bytes.NewReader(src), len(src))
			if err != nil {
				t.Fatal(err)
			}
			f.JPEG = f.JPEG[:1] // what an owner does with its view is no matter
			f.Release()
			f, err = p.YCbCr422(200, 100)
			if err != nil {
				t.Fatal(err)
			}
			fill(f).Release()
		}
	}
	var held []*Frame // all at a time, so that every buffer is used
	for range n - 1 {
		f, err := p.YCbCr422(640, 480)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, fill(f))
	}
	slot.Clear()
	for _, f := range held {
		f.Release()
	}
	if p.out != 0 || len(p.free) < n-1 {
		t.Fatalf("%d frames out, %d buffers kept: this test looks at too few", p.out, len(p.free))
	}
	for i, b := range p.free {
		b = b[:cap(b)]
		if j := bytes.IndexFunc(b, func(r rune) bool { return r != 0 }); j >= 0 {
			t.Errorf("buffer %d of %d bytes: byte %d is %#x", i, len(b), j, b[j])
		}
	}
	for i := range p.headers {
		if f := &p.headers[i]; f.buf != nil || f.JPEG != nil || f.YCbCr != nil {
			t.Errorf("frame %d, not given out yet, has memory", i)
		}
	}
}

func TestPoolMendsInPlace(t *testing.T) {
	src := withoutTables(t, picture(t, 32, 32))
	keep := bytes.Clone(src)
	f, err := NewPool(1).JPEG(src)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.JPEG) != len(src)+len(standardDHT) || &f.JPEG[0] != &f.buf[0] {
		t.Errorf("%d bytes, in the pool's memory: %v", len(f.JPEG), &f.JPEG[0] == &f.buf[0])
	}
	if !bytes.Equal(src, keep) {
		t.Error("the source was changed")
	}
}

func TestPoolAllocatesNothing(t *testing.T) {
	src := picture(t, 640, 480)
	p := NewPool(1)
	n := testing.AllocsPerRun(1000, func() {
		f, err := p.JPEG(src)
		if err != nil {
			t.Fatal(err)
		}
		f.Release()
	})
	if n != 0 {
		t.Errorf("%v allocations per frame, want 0", n)
	}
}

func TestPoolConcurrent(t *testing.T) {
	src := picture(t, 32, 32)
	p := NewPool(3)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				f, err := p.JPEG(src)
				if err != nil && !errors.Is(err, ErrNoBuffer) {
					t.Error(err)
				}
				if err == nil && !bytes.Equal(f.JPEG, src) {
					t.Error("two frames share memory")
				}
				f.Release()
			}
		})
	}
	wg.Wait()
	if p.out != 0 || len(p.free) > 3 {
		t.Errorf("%d frames out, %d buffers", p.out, len(p.free))
	}
}

func BenchmarkPoolJPEG(b *testing.B) {
	src := picture(b, 1920, 1080)
	p := NewPool(4)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		f, err := p.JPEG(src)
		if err != nil {
			b.Fatal(err)
		}
		f.Release()
	}
}
