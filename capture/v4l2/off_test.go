package v4l2

import (
	"bytes"
	"context"
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"gadeblik/capture"
)

// TestCameraOff: from the end of the context to STREAMOFF, whatever the camera
// does meanwhile, and without asking it all the time.
func TestCameraOff(t *testing.T) {
	good := testJPEG(t, 640, 480)
	tests := []struct {
		name string
		dev  *fakeDevice
		most int // waits in the two seconds before
	}{
		{"frozen", &fakeDevice{silent: true}, 100},
		{"one frame a second", &fakeDevice{frame: good, every: time.Second}, 101},
		{"thirty frames a second", &fakeDevice{frame: good, every: time.Second / 30}, 121},
		{"a hundred damaged frames a second", &fakeDevice{frame: good[:99], every: 10 * time.Millisecond}, 201},
		{"announces frames it does not have", &fakeDevice{getErr: func() error { return syscall.EAGAIN }}, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := started(t, tt.dev, Config{Stall: time.Hour})
				ctx, cancel := context.WithCancel(t.Context())
				var pressed time.Time
				go func() {
					time.Sleep(2*time.Second - time.Millisecond)
					pressed = time.Now()
					cancel()
				}()
				var err error
				for err == nil {
					var f *capture.Frame
					f, err = c.Next(ctx)
					if err == nil && ctx.Err() != nil {
						t.Error("a frame after the switch was off")
					}
					f.Release()
				}
				noticed := time.Since(pressed)
				if !errors.Is(err, context.Canceled) || noticed > 100*time.Millisecond {
					t.Errorf("%v after %s, want the context's error within 100ms", err, noticed)
				}
				if err := c.Stop(); err != nil {
					t.Fatal(err)
				}
				if off := tt.dev.off.Sub(pressed); off > 200*time.Millisecond || tt.dev.streaming {
					t.Errorf("off after %s, streaming %v, want off within 200ms", off, tt.dev.streaming)
				}
				if tt.dev.waits > tt.most || tt.dev.out != 0 {
					t.Errorf("%d waits, %d buffers kept, want at most %d and none", tt.dev.waits, tt.dev.out, tt.most)
				}
			})
		})
	}
}

// TestCameraForgets: what is in the slot and what the caller held shows nothing
// once it is released and the camera off.
func TestCameraForgets(t *testing.T) {
	raw := bytes.Repeat([]byte{200}, 2*640*480)
	tests := map[string]*fakeDevice{
		"MJPG": {frame: testJPEG(t, 640, 480)},
		"YUYV": {frame: raw, have: []fourcc{formatYUYV}, actual: frameFormat{code: formatYUYV, width: 640, height: 480, stride: 1280, full: true}},
	}
	for name, d := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := started(t, d, Config{})
				slot := capture.NewSlot()
				var pictures [][]byte
				for range 3 {
					f, err := c.Next(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if f.YCbCr != nil {
						pictures = append(pictures, f.YCbCr.Y, f.YCbCr.Cb, f.YCbCr.Cr)
					} else {
						pictures = append(pictures, f.JPEG)
					}
					slot.Put(f)
				}
				if bytes.Count(pictures[len(pictures)-1], []byte{0}) == len(pictures[len(pictures)-1]) {
					t.Fatal("there is no picture: this test shows nothing")
				}
				if err := c.Stop(); err != nil {
					t.Fatal(err)
				}
				slot.Clear()
				for i, p := range pictures {
					if !bytes.Equal(p, make([]byte, len(p))) {
						t.Errorf("picture %d outlived the camera", i)
					}
				}
			})
		})
	}
}

// TestCameraIdles: a camera that is off, or closed, or broken costs nothing: no
// goroutine waits for anything.
func TestCameraIdles(t *testing.T) {
	ours := goleak.IgnoreCurrent()
	defer goleak.VerifyNone(t, ours)
	d := &fakeDevice{frame: testJPEG(t, 640, 480), every: time.Millisecond}
	c := started(t, d, Config{})
	for _, end := range []func() error{c.Stop, c.Close} {
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		f, err := c.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f.Release()
		waits := d.waits
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if err := goleak.Find(ours); err != nil || d.waits != waits {
			t.Errorf("%v, %d waits after the end", err, d.waits-waits)
		}
	}
	c = started(t, &fakeDevice{getErr: func() error { return syscall.ENODEV }}, Config{})
	if _, err := c.Next(t.Context()); !errors.Is(err, syscall.ENODEV) {
		t.Errorf("error %v, want ENODEV", err)
	}
}

// TestCameraTimesAreMonotonic: the computer's clock stands in 1970 and jumps
// when somebody sets it. Frame and fix belong together by the time that does
// not.
func TestCameraTimesAreMonotonic(t *testing.T) {
	c := started(t, &fakeDevice{frame: testJPEG(t, 640, 480), every: time.Millisecond}, Config{})
	f, err := c.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f.At == f.At.Round(0) {
		t.Errorf("%v has no monotonic reading", f.At)
	}
	f.Release()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestCameraSizes: a header is believed when three in a row say the same.
func TestCameraSizes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own, small, tiny := testJPEG(t, 640, 480), testJPEG(t, 320, 240), testJPEG(t, 160, 120)
		come := [][]byte{small, own, small, small, tiny, small, small, own, small, small, small, small, own, small}
		want := map[uint64]int{2: 640, 8: 640, 11: 320, 12: 320, 14: 320} // by number, widths of those given
		d := &fakeDevice{}
		d.before = func() { d.frame = come[min(d.gets, len(come))-1] }
		c := started(t, d, Config{})
		for range want {
			f, err := c.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if f.Width != want[f.Seq] {
				t.Errorf("frame %d is %d wide, want %d", f.Seq, f.Width, want[f.Seq])
			}
			f.Release()
		}
		if got := c.Counters(); got.Resized != 9 || got.Frames != 5 || got.Damaged != 0 {
			t.Errorf("counters %+v, want 5 frames and 9 resized", got)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestCameraChangedWhileOff: buffers are given back when it is off, so others
// may set it to something else.
func TestCameraChangedWhileOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		yuyv := frameFormat{code: formatYUYV, width: 4, height: 2, stride: 8}
		d := &fakeDevice{have: []fourcc{formatYUYV}, actual: yuyv}
		c := started(t, d, Config{})
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
		d.actual.width, d.actual.height = 2, 4 // the same number of bytes
		err := c.Start(t.Context())
		if want := "start camera /dev/video0: another program has set it to YUYV 2x4"; err == nil || err.Error() != want || !d.closed || d.streaming {
			t.Errorf("error %v, closed %v, streaming %v, want %s", err, d.closed, d.streaming, want)
		}
	})
}
