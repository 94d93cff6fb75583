package capture

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

// shown is when a frame was shown, since the beginning, and which one it was.
type shown struct {
	after time.Duration
	width int
	seq   uint64
}

// widths makes a drive whose frames are told apart by their width.
func widths(t *testing.T, ms ...int) string {
	frames := make(map[int][]byte)
	for i, at := range ms {
		frames[at] = picture(t, 8*(i+1), 8)
	}
	return makeDrive(t, seconds(3), frames)
}

func next(t *testing.T, c Camera, begun time.Time) shown {
	t.Helper()
	f, err := c.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	if f.At.Sub(begun) != time.Since(begun) {
		t.Errorf("frame at %s, shown at %s", f.At, time.Now())
	}
	return shown{time.Since(begun), f.Width, f.Seq}
}

func TestDriveCameraPace(t *testing.T) {
	path := widths(t, 100, 400, 2000)
	file := t.TempDir() + "/drive.mcap"
	writeMCAPFile(t, open(t, path), file)
	for name, path := range map[string]string{"folder": path, "MCAP": file} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := PlayDrive(open(t, path), PlayOptions{})
				begun := time.Now()
				if _, err := c.Next(t.Context()); !errors.Is(err, ErrStopped) {
					t.Errorf("before Start: %v", err)
				}
				if err := c.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				for _, want := range []shown{{100 * time.Millisecond, 8, 1}, {400 * time.Millisecond, 16, 2}, {2 * time.Second, 24, 3}} {
					if got := next(t, c, begun); got != want {
						t.Errorf("shown %v, want %v", got, want)
					}
				}
				if _, err := c.Next(t.Context()); !errors.Is(err, io.EOF) {
					t.Errorf("after the end: %v", err)
				}
				if err := errors.Join(c.Stop(), c.Close(), c.Close()); err != nil {
					t.Error(err)
				}
				if _, err := c.Next(t.Context()); !errors.Is(err, ErrClosed) {
					t.Errorf("after Close: %v", err)
				}
				if err := c.Start(t.Context()); !errors.Is(err, ErrClosed) {
					t.Errorf("Start after Close: %v", err)
				}
			})
		})
	}
}

func TestDriveCameraTimeGoesOnWhileStopped(t *testing.T) {
	path := widths(t, 100, 1000, 2000, 3000, 4000)
	synctest.Test(t, func(t *testing.T) {
		c := PlayDrive(open(t, path), PlayOptions{})
		begun := time.Now()
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := next(t, c, begun); got.width != 8 {
			t.Fatalf("shown %v", got)
		}
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Next(t.Context()); !errors.Is(err, ErrStopped) {
			t.Errorf("while stopped: %v", err)
		}
		time.Sleep(3400 * time.Millisecond)
		// What is too old to be shown is not even read.
		if err := os.Remove(filepath.Join(path, "frames", "000002000.jpg")); err != nil {
			t.Fatal(err)
		}
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		// At 3.5 s: the frame of 3 s is still fresh, older ones are gone.
		for _, want := range []shown{{3500 * time.Millisecond, 32, 2}, {4 * time.Second, 40, 3}} {
			if got := next(t, c, begun); got != want {
				t.Errorf("shown %v, want %v", got, want)
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestDriveCameraSlowReader(t *testing.T) {
	path := widths(t, 0, 500, 1000, 1500, 2000, 5000)
	synctest.Test(t, func(t *testing.T) {
		c := PlayDrive(open(t, path), PlayOptions{})
		begun := time.Now()
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		next(t, c, begun)
		time.Sleep(2900 * time.Millisecond)
		if got, want := next(t, c, begun), (shown{2900 * time.Millisecond, 40, 2}); got != want {
			t.Errorf("shown %v, want %v: no frame older than %s", got, want, cameraLag)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestDriveCameraKeepsFrameWhenInterrupted(t *testing.T) {
	path := widths(t, 4000)
	synctest.Test(t, func(t *testing.T) {
		c := PlayDrive(open(t, path), PlayOptions{})
		begun := time.Now()
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := c.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v, want the deadline's", err)
			}
			cancel()
		}
		if got, want := next(t, c, begun), (shown{4 * time.Second, 8, 1}); got != want {
			t.Errorf("shown %v, want %v", got, want)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestDriveCameraForgetsWhatItReadAhead(t *testing.T) {
	path := widths(t, 1000, 9000)
	synctest.Test(t, func(t *testing.T) {
		c := PlayDrive(open(t, path), PlayOptions{})
		begun := time.Now()
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, err := c.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the deadline's", err)
		}
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4500 * time.Millisecond)
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := next(t, c, begun), (shown{9 * time.Second, 16, 1}); got != want {
			t.Errorf("shown %v, want %v", got, want)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestDriveCameraLoop(t *testing.T) {
	path := widths(t, 100, 400)
	synctest.Test(t, func(t *testing.T) {
		c := PlayDrive(open(t, path), PlayOptions{Loop: true})
		begun := time.Now()
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, want := range []shown{{100 * time.Millisecond, 8, 1}, {400 * time.Millisecond, 16, 2}, {1500 * time.Millisecond, 8, 3}, {1800 * time.Millisecond, 16, 4}} {
			if got := next(t, c, begun); got != want {
				t.Errorf("shown %v, want %v", got, want)
			}
		}
		// After a long stop it is in the round that is due: 1.4 s each.
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(140*time.Second - time.Since(begun))
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := next(t, c, begun), (shown{140*time.Second + 100*time.Millisecond, 8, 5}); got != want {
			t.Errorf("shown %v, want %v", got, want)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestDriveCameraLoopWithoutAGoodFrame(t *testing.T) {
	path := makeDrive(t, seconds(1), map[int][]byte{500: {1, 2, 3}})
	empty := makeDrive(t, seconds(1), nil)
	synctest.Test(t, func(t *testing.T) {
		c := PlayDrive(open(t, path), PlayOptions{Loop: true})
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := c.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the deadline's", err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		c = PlayDrive(open(t, empty), PlayOptions{Loop: true})
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("a drive without frames: %v, want io.EOF", err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestDriveCameraZero(t *testing.T) {
	path := widths(t, 10_000)
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		c := PlayDrive(open(t, path), PlayOptions{Zero: begun.Add(-9 * time.Second)})
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := next(t, c, begun), (shown{time.Second, 8, 1}); got != want {
			t.Errorf("shown %v, want %v", got, want)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A drive that plays a camera which is off costs nothing either.
func TestDriveCameraIdles(t *testing.T) {
	ours := goleak.IgnoreCurrent()
	defer goleak.VerifyNone(t, ours)
	c := PlayDrive(open(t, widths(t, 0, 10)), PlayOptions{Loop: true})
	for _, end := range []func() error{c.Stop, c.Close} {
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		f, err := c.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if f.At == f.At.Round(0) {
			t.Errorf("%v has no monotonic reading", f.At)
		}
		f.Release()
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if err := goleak.Find(ours); err != nil {
			t.Error(err)
		}
	}
}
