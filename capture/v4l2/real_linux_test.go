package v4l2

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/blackjack/webcam"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"gadeblik/capture"
)

// realCamera returns the camera that GADEBLIK_CAMERA means, else the first
// usable one of this computer, set up as the tests need it.
func realCamera(t *testing.T) Config {
	t.Helper()
	cams, err := List()
	if err != nil {
		t.Fatal(err)
	}
	device := os.Getenv("GADEBLIK_CAMERA")
	for _, c := range cams {
		if device == "" && c.Problem == "" {
			device = c.Path
		}
	}
	if device == "" {
		t.Skip("no camera here")
	}
	return Config{Device: device, Format: os.Getenv("GADEBLIK_CAMERA_FORMAT"), Width: 640, Height: 480}
}

// TestRealCamera streams from the first usable camera of this computer.
func TestRealCamera(t *testing.T) {
	var cam capture.Camera
	real, err := Open(realCamera(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", real.Mode())
	cam = real
	for range 2 {
		if err := cam.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			f, err := cam.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if f.Width != real.Mode().Width || f.Height != real.Mode().Height {
				t.Errorf("frame %d is %dx%d, the mode %+v", f.Seq, f.Width, f.Height, real.Mode())
			}
			f.Release()
		}
		if err := cam.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%+v", real.Counters())
	if err := cam.Close(); err != nil {
		t.Error(err)
	}
}

// TestRealCameraOff switches off while the camera streams and while it is
// waited for. With GADEBLIK_CAMERA_FROZEN set the camera may give nothing.
func TestRealCameraOff(t *testing.T) {
	defer goleak.VerifyNone(t)
	cfg := realCamera(t)
	open := descriptors(t)
	cam, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	dev := cam.dev.(*webcamDevice)
	if flags, err := unix.FcntlInt(uintptr(dev.fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %x, %v: a program started now would inherit the camera", flags, err)
	}
	var took []time.Duration
	for round := range 5 {
		off, frames := switchOff(t, cam, time.Duration(700+37*round)*time.Millisecond)
		t.Logf("round %d: %d frames, off after %s", round, frames, off)
		took = append(took, off)
		if frames == 0 && os.Getenv("GADEBLIK_CAMERA_FROZEN") == "" {
			t.Error("no frames")
		}
		if n := mappings(t, "/dev/video"); n != 0 {
			t.Errorf("%d buffers are still mapped", n)
		}
		// Another user could not do so if the kernel still held ours.
		if err := takenByAnother(cam.Mode().Path); err != nil {
			t.Errorf("the kernel still holds the pictures: %v", err)
		}
	}
	// One of them may be late for want of a processor, as on an emulated board.
	if slices.Sort(took); took[2] > 200*time.Millisecond || took[4] > 500*time.Millisecond {
		t.Errorf("off after %s, want at most 200ms", took)
	}
	if err := cam.Close(); err != nil {
		t.Error(err)
	}
	if now := descriptors(t); now != open {
		t.Errorf("%d descriptors, %d before", now, open)
	}
}

// switchOff starts, ends the context after a while and stops. It returns how
// long the end took.
func switchOff(t *testing.T, cam *Camera, after time.Duration) (time.Duration, int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := cam.Start(ctx); err != nil {
		t.Fatal(err)
	}
	var pressed time.Time
	timer := time.AfterFunc(after, func() { pressed = time.Now(); cancel() })
	defer timer.Stop()
	frames := 0
	for {
		f, err := cam.Next(ctx)
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err != nil {
			break
		}
		frames++
		f.Release()
	}
	if err := cam.Stop(); err != nil {
		t.Error(err)
	}
	return time.Since(pressed), frames
}

// takenByAnother gets buffers through a descriptor of its own, and gives them
// back.
func takenByAnother(path string) error {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	r := uapiRequestBuffers{count: 2, kind: bufTypeVideoCapture, memory: memoryMmap}
	if err := control(fd, webcam.VIDIOC_REQBUFS, unsafe.Pointer(&r)); err != nil {
		return err
	}
	return freeBuffers(fd)
}

func descriptors(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(fds)
}

// TestRealStartFailure needs vivid, the kernel's test driver, which can be told
// to fail once: the camera must be of use again in the same process.
func TestRealStartFailure(t *testing.T) {
	const startError = 0x00f0f045 // vivid's "Inject VIDIOC_STREAMON Error"
	cfg := realCamera(t)
	found, err := Find(cfg.Device)
	if err != nil {
		t.Fatal(err)
	}
	if found.Driver != "vivid" {
		t.Skipf("camera %s is not of driver vivid", cfg.Device)
	}
	open := descriptors(t)
	for range 3 {
		cam, err := Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := cam.dev.(*webcamDevice).cam.SetControl(startError, 1); err != nil {
			t.Fatal(err)
		}
		err = cam.Start(t.Context())
		if err == nil || errors.Is(err, ErrRestart) || !strings.Contains(err.Error(), "start streaming") {
			t.Errorf("error %v, want the one that was injected", err)
		}
		if n := mappings(t, "/dev/video"); n != 0 {
			t.Errorf("%d buffers are still mapped", n)
		}
		cam, err = Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if off, frames := switchOff(t, cam, time.Second); frames == 0 {
			t.Errorf("no frames after a failed start (off after %s)", off)
		}
		if err := cam.Close(); err != nil {
			t.Error(err)
		}
	}
	if now := descriptors(t); now != open {
		t.Errorf("%d descriptors, %d before", now, open)
	}
}

// TestRealUnplugged needs somebody to pull the plug within half a minute of the
// first frame, and says so by GADEBLIK_CAMERA_UNPLUG. The camera must be noticed
// to be gone at once, leave nothing behind, and be found again by its name or
// bus when it is back.
func TestRealUnplugged(t *testing.T) {
	if os.Getenv("GADEBLIK_CAMERA_UNPLUG") == "" {
		t.Skip("nobody pulls the plug")
	}
	cfg := realCamera(t)
	open := descriptors(t)
	cam, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	before := cam.Mode().Path
	if err := cam.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	frames := 0
	for err = nil; err == nil; {
		var f *capture.Frame
		if f, err = cam.Next(ctx); err == nil {
			frames++
			f.Release()
		}
	}
	t.Logf("%d frames, then %v", frames, err)
	if frames == 0 || !errors.Is(err, syscall.ENODEV) {
		t.Errorf("%d frames, then %v, want some and ENODEV", frames, err)
	}
	if n, now := mappings(t, "/dev/video"), descriptors(t); n != 0 || now != open {
		t.Errorf("%d buffers mapped, %d descriptors, %d before", n, now, open)
	}
	for cam = nil; cam == nil && ctx.Err() == nil; {
		if cam, err = Open(cfg); err != nil {
			time.Sleep(250 * time.Millisecond) // until it is plugged in again
		}
	}
	if cam == nil {
		t.Fatalf("not found again: %v", err)
	}
	off, frames := switchOff(t, cam, time.Second)
	t.Logf("%s is %s now, %d frames, off after %s", before, cam.Mode().Path, frames, off)
	if frames == 0 {
		t.Error("no frames after plugging in again")
	}
	if err := cam.Close(); err != nil {
		t.Error(err)
	}
}
