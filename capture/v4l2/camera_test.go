package v4l2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"gadeblik/capture"
)

// fakeDevice is a camera whose behaviour a test writes by hand. What is not set
// is a healthy MJPEG camera of 640x480 at 10 frames per second.
type fakeDevice struct {
	frame      []byte
	have       []fourcc
	sets       fourcc      // the format that setFormat answers, 0 = the one asked for
	actual     frameFormat // what format answers
	startErr   error
	waitErr    func() error
	getErr     func() error
	releaseErr error
	stopErr    error
	silent     bool
	every      time.Duration // between two frames, 0 = 100 ms
	before     func()        // called by get

	calls     []string // but wait, get and release
	waits     int
	gets      int
	out       int // buffers not given back
	streaming bool
	closed    bool
	next      time.Time // when the next frame is due
	off       time.Time // when it was stopped last
}

func (d *fakeDevice) did(format string, args ...any) {
	d.calls = append(d.calls, fmt.Sprintf(format, args...))
}

func (d *fakeDevice) formats() []fourcc {
	if d.have == nil {
		return []fourcc{formatYUYV, formatMJPG}
	}
	return d.have
}

func (d *fakeDevice) sizes(fourcc) []sizeRange {
	return []sizeRange{{640, 640, 0, 480, 480, 0}, {1920, 1920, 0, 1080, 1080, 0}}
}

func (d *fakeDevice) setFormat(f fourcc, w, h int) (fourcc, error) {
	d.did("format %s %dx%d", f, w, h)
	if d.sets != 0 {
		return d.sets, nil
	}
	return f, nil
}

func (d *fakeDevice) format() (frameFormat, error) {
	if d.actual == (frameFormat{}) {
		return frameFormat{code: formatMJPG, width: 640, height: 480, full: true}, nil
	}
	return d.actual, nil
}

func (d *fakeDevice) setRate(fps float64) error { d.did("rate %g", fps); return syscall.ENOTTY }
func (d *fakeDevice) rate() (float64, error)    { return 10, nil }
func (d *fakeDevice) Close() error              { d.did("close"); d.closed, d.streaming = true, false; return nil }

func (d *fakeDevice) start(buffers int) error {
	d.did("start %d", buffers)
	d.streaming = d.startErr == nil
	return d.startErr
}

func (d *fakeDevice) stop() error {
	d.did("stop")
	d.off = time.Now()
	d.streaming = d.stopErr != nil
	return d.stopErr
}

func (d *fakeDevice) wait(limit time.Duration) (bool, error) {
	d.waits++
	if d.closed || !d.streaming {
		panic("wait on a camera that does not stream")
	}
	if d.waitErr != nil {
		if err := d.waitErr(); err != nil {
			return false, err
		}
	}
	if d.silent {
		time.Sleep(limit)
		return false, nil
	}
	if d.getErr != nil { // a failing camera is ready at once
		return true, nil
	}
	every := d.every
	if every == 0 {
		every = 100 * time.Millisecond
	}
	if d.next.IsZero() {
		d.next = time.Now().Add(every)
	}
	due := time.Until(d.next)
	if due > limit {
		time.Sleep(limit)
		return false, nil
	}
	time.Sleep(due)
	d.next = time.Time{}
	return true, nil
}

func (d *fakeDevice) get() ([]byte, uint32, error) {
	d.gets++
	if d.before != nil {
		d.before()
	}
	if d.getErr != nil {
		if err := d.getErr(); err != nil {
			return nil, 0, err
		}
	}
	d.out++
	return d.frame, 3, nil
}

func (d *fakeDevice) release(index uint32) error {
	if index != 3 {
		panic("a buffer that was not given out")
	}
	d.out--
	return d.releaseErr
}

func testJPEG(tb testing.TB, w, h int) []byte {
	tb.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w {
		img.Set(i, i%h, color.RGBA{uint8(i), 9, 99, 255})
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// started returns a camera on d that streams.
func started(tb testing.TB, d *fakeDevice, cfg Config) *Camera {
	tb.Helper()
	c, err := newCamera(d, "/dev/video0", cfg)
	if err != nil {
		tb.Fatal(err)
	}
	if err := c.Start(context.Background()); err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestCameraLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDevice{frame: testJPEG(t, 640, 480)}
		c, err := newCamera(d, "/dev/video0", Config{Width: 1800, Height: 1000, FPS: 15})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Next(t.Context()); !errors.Is(err, capture.ErrStopped) {
			t.Errorf("Next before Start: %v", err)
		}
		for round := range 2 { // Start after Stop works
			if err := errors.Join(c.Start(t.Context()), c.Start(t.Context())); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				f, err := c.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if f.Width != 640 || f.Height != 480 || !bytes.Equal(f.JPEG, d.frame) || &f.JPEG[0] == &d.frame[0] || f.At != time.Now() {
					t.Errorf("round %d: frame %d is %dx%d at %s", round, f.Seq, f.Width, f.Height, f.At)
				}
				f.Release()
			}
			if err := errors.Join(c.Stop(), c.Stop()); err != nil || d.streaming {
				t.Errorf("Stop: %v, streaming %v", err, d.streaming)
			}
			if _, err := c.Next(t.Context()); !errors.Is(err, capture.ErrStopped) {
				t.Errorf("Next after Stop: %v", err)
			}
		}
		if err := errors.Join(c.Close(), c.Close()); err != nil {
			t.Error(err)
		}
		if _, err := c.Next(t.Context()); !errors.Is(err, capture.ErrClosed) {
			t.Errorf("Next after Close: %v", err)
		}
		want := []string{"format MJPG 1920x1080", "rate 15", "start 4", "stop", "start 4", "stop", "close"}
		if diff := cmp.Diff(want, d.calls); diff != "" {
			t.Errorf("calls: -want +got\n%s", diff)
		}
		if got, want := c.Mode(), (Mode{"/dev/video0", "MJPG", 640, 480, 10}); got != want {
			t.Errorf("mode %+v, want %+v", got, want)
		}
		if got := c.Counters(); got != (Counters{Frames: 6}) {
			t.Errorf("counters %+v", got)
		}
	})
}

func TestNewCameraErrors(t *testing.T) {
	tests := []struct {
		name string
		dev  *fakeDevice
		cfg  Config
		err  string
	}{
		{"metadata node", &fakeDevice{have: []fourcc{}}, Config{}, "set up camera /dev/video0: " + errNoFormats.Error()},
		{"format it lacks", &fakeDevice{have: []fourcc{formatYUYV, 'N' | 'V'<<8 | '1'<<16 | '2'<<24}}, Config{Format: "MJPG"}, "set up camera /dev/video0: format MJPG: the camera has NV12, YUYV"},
		{"driver takes another and says so", &fakeDevice{sets: formatYUYV}, Config{}, "set up camera /dev/video0: set format MJPG: the driver chose YUYV"},
		{"driver takes another in silence", &fakeDevice{actual: frameFormat{code: formatYUYV, width: 640, height: 480, stride: 1280}}, Config{}, "set up camera /dev/video0: set format MJPG: the driver has YUYV"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newCamera(tt.dev, "/dev/video0", tt.cfg)
			if err == nil || err.Error() != tt.err {
				t.Errorf("error %v, want %s", err, tt.err)
			}
			if !tt.dev.closed {
				t.Error("the device was left open")
			}
		})
	}
}

// TestCameraFaults forces each fault that ends a camera.
func TestCameraFaults(t *testing.T) {
	always := func(err error) func() error { return func() error { return err } }
	good := testJPEG(t, 640, 480)
	tests := []struct {
		name string
		dev  *fakeDevice
		is   error
		err  string
		took time.Duration
		most int // calls of wait, so that nothing spins
	}{
		{"unplugged", &fakeDevice{getErr: always(syscall.ENODEV)}, syscall.ENODEV, "read camera /dev/video0: no such device (the camera was unplugged)", 0, 1},
		{"fatal queue error", &fakeDevice{getErr: always(syscall.EIO)}, syscall.EIO, "read camera /dev/video0: input/output error (the camera or its cable is faulty)", 0, 1},
		{"not streaming any more", &fakeDevice{getErr: always(syscall.EINVAL)}, syscall.EINVAL, "read camera /dev/video0: invalid argument", 0, 1},
		{"poll fails", &fakeDevice{waitErr: always(syscall.ENOMEM)}, syscall.ENOMEM, "wait for camera /dev/video0: cannot allocate memory", 0, 1},
		{"EAGAIN for ever", &fakeDevice{getErr: always(syscall.EAGAIN)}, capture.ErrStalled, "camera /dev/video0 gave no usable frame for 2s (so far 0 good, 0 damaged, 0 of another size, 0 empty, 0 without a buffer, 401 retries): camera stalled", 2005 * time.Millisecond, 401},
		{"EINTR for ever", &fakeDevice{waitErr: always(syscall.EINTR)}, capture.ErrStalled, "camera /dev/video0 gave no usable frame for 2s (so far 0 good, 0 damaged, 0 of another size, 0 empty, 0 without a buffer, 401 retries): camera stalled", 2005 * time.Millisecond, 401},
		{"frozen", &fakeDevice{silent: true}, capture.ErrStalled, "camera /dev/video0 gave no usable frame for 2s (so far 0 good, 0 damaged, 0 of another size, 0 empty, 0 without a buffer, 0 retries): camera stalled", 2020 * time.Millisecond, 101},
		{"empty frames", &fakeDevice{}, capture.ErrStalled, "camera /dev/video0 gave no usable frame for 2s (so far 0 good, 0 damaged, 0 of another size, 20 empty, 0 without a buffer, 0 retries): camera stalled", 2020 * time.Millisecond, 101},
		{"only rubbish", &fakeDevice{frame: good[:len(good)/2]}, capture.ErrStalled, "camera /dev/video0 gave no usable frame for 2s (so far 0 good, 20 damaged, 0 of another size, 0 empty, 0 without a buffer, 0 retries): camera stalled", 2020 * time.Millisecond, 101},
		{"buffer not taken back", &fakeDevice{frame: good, releaseErr: syscall.EINVAL}, syscall.EINVAL, "give a buffer back to camera /dev/video0: invalid argument", 100 * time.Millisecond, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := started(t, tt.dev, Config{Stall: 2 * time.Second})
				begun := time.Now()
				_, err := c.Next(t.Context())
				if err == nil || err.Error() != tt.err || !errors.Is(err, tt.is) {
					t.Errorf("error %v\nwant  %s", err, tt.err)
				}
				if took := time.Since(begun); took != tt.took || tt.dev.waits > tt.most {
					t.Errorf("took %s and %d waits, want %s and at most %d", took, tt.dev.waits, tt.took, tt.most)
				}
				if !tt.dev.closed || tt.dev.streaming || tt.dev.out != 0 {
					t.Errorf("closed %v, streaming %v, %d buffers kept", tt.dev.closed, tt.dev.streaming, tt.dev.out)
				}
				// The camera is of no more use and says so; nothing reaches the device.
				if _, again := c.Next(t.Context()); !errors.Is(again, tt.is) {
					t.Errorf("second Next: %v", again)
				}
				if again := c.Start(t.Context()); !errors.Is(again, tt.is) {
					t.Errorf("Start: %v", again)
				}
				if err := errors.Join(c.Stop(), c.Close()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestCameraStartFailure(t *testing.T) {
	d := &fakeDevice{startErr: plainError(errors.New("Failed to start streaming: no space left on device"))}
	c, err := newCamera(d, "/dev/video0", Config{})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Start(t.Context())
	want := "start camera /dev/video0: start streaming: no space left on device (not enough USB bandwidth; use a smaller size, a lower rate or another port)"
	if err == nil || err.Error() != want || !errors.Is(err, syscall.ENOSPC) || !d.closed {
		t.Errorf("error %v, closed %v, want %s", err, d.closed, want)
	}
}

func TestCameraStopFailureCloses(t *testing.T) {
	d := &fakeDevice{frame: testJPEG(t, 640, 480), stopErr: syscall.ENODEV}
	c := started(t, d, Config{})
	if err := c.Stop(); !errors.Is(err, syscall.ENODEV) {
		t.Errorf("error %v", err)
	}
	if d.streaming || !d.closed {
		t.Error("the camera still streams after Stop")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(strings.Join(d.calls, " "), "close"); n != 1 {
		t.Errorf("closed %d times", n)
	}
}

func TestCameraRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := testJPEG(t, 640, 480)
		n := 0
		d := &fakeDevice{frame: good}
		// Three EAGAIN, then good ones.
		d.getErr = func() error {
			if n++; n <= 3 {
				return syscall.EAGAIN
			}
			d.getErr = nil
			return nil
		}
		c := started(t, d, Config{})
		f, err := c.Next(t.Context())
		if err != nil || f.Seq != 1 {
			t.Fatalf("frame %v, %v", f, err)
		}
		f.Release()
		// A damaged frame is passed over and leaves a gap.
		d.frame, d.gets = good[:40], 0
		d.before = func() {
			if d.gets == 3 {
				d.frame = good
			}
		}
		f, err = c.Next(t.Context())
		if err != nil || f.Seq != 4 {
			t.Fatalf("frame %v, %v", f, err)
		}
		f.Release()
		if got, want := c.Counters(), (Counters{Frames: 2, Damaged: 2, Retries: 3}); got != want {
			t.Errorf("counters %+v, want %+v", got, want)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestCameraWatchdogCountsItsOwnTime: a busy caller is no stall, and many short
// calls on a frozen camera are one.
func TestCameraWatchdogCountsItsOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDevice{frame: testJPEG(t, 640, 480)}
		c := started(t, d, Config{Stall: 3 * time.Second})
		for range 3 {
			f, err := c.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			f.Release()
			time.Sleep(time.Hour)
		}
		d.silent = true
		var err error
		calls := 0
		for ; calls < 10 && !errors.Is(err, capture.ErrStalled); calls++ {
			ctx, cancel := context.WithTimeout(t.Context(), 490*time.Millisecond)
			_, err = c.Next(ctx)
			cancel()
		}
		if calls != 7 {
			t.Errorf("stalled after %d calls of half a second each: %v", calls, err)
		}
	})
}

func TestCameraContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDevice{silent: true}
		c := started(t, d, Config{})
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		begun := time.Now()
		if _, err := c.Next(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 1600*time.Millisecond {
			t.Errorf("error %v after %s", err, time.Since(begun))
		}
		d.silent, d.frame = false, testJPEG(t, 640, 480)
		f, err := c.Next(t.Context())
		if err != nil {
			t.Errorf("the camera did not survive its caller's deadline: %v", err)
		}
		f.Release()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestCameraWithoutBuffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDevice{frame: testJPEG(t, 640, 480)}
		c := started(t, d, Config{Buffers: 2})
		a, errA := c.Next(t.Context())
		b, errB := c.Next(t.Context())
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(450 * time.Millisecond)
			b.Release()
		}()
		f, err := c.Next(t.Context())
		if err != nil || f.Seq != 7 || c.Counters().NoBuffer != 4 {
			t.Errorf("frame %v, %v, counters %+v", f, err, c.Counters())
		}
		if a.JPEG == nil {
			t.Error("a frame in use was taken away")
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestCameraYUYV(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Two lines of four pixels, four bytes of padding behind the first.
		raw := []byte{16, 128, 235, 240, 50, 16, 60, 128, 0, 0, 0, 0, 1, 2, 3, 4, 255, 254, 253, 252}
		d := &fakeDevice{
			frame: raw, have: []fourcc{formatYUYV},
			actual: frameFormat{code: formatYUYV, width: 4, height: 2, stride: 12},
		}
		c := started(t, d, Config{})
		f, err := c.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if f.JPEG != nil || f.YCbCr.SubsampleRatio != image.YCbCrSubsampleRatio422 || f.YCbCr.Rect != image.Rect(0, 0, 4, 2) || f.Width != 4 || f.Height != 2 {
			t.Errorf("frame %+v", f.YCbCr)
		}
		// Video range is spread to 0..255.
		want := [3][]byte{{0, 255, 40, 51, 0, 0, 255, 255}, {128, 0, 0, 255}, {255, 128, 0, 255}}
		if diff := cmp.Diff(want, [3][]byte{f.YCbCr.Y, f.YCbCr.Cb, f.YCbCr.Cr}); diff != "" {
			t.Errorf("planes: -want +got\n%s", diff)
		}
		f.Release()
		d.frame, d.gets = raw[:19], 0 // a lost packet
		d.before = func() {
			if d.gets == 2 {
				d.frame = raw
			}
		}
		if f, err = c.Next(t.Context()); err != nil || c.Counters().Damaged != 1 {
			t.Errorf("frame %v, %v, counters %+v", f, err, c.Counters())
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}
