package v4l2

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/blackjack/webcam"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestUAPISizes(t *testing.T) {
	want := uintptr(208)
	if unsafe.Sizeof(uintptr(0)) == 4 {
		want = 204
	}
	if got := unsafe.Sizeof(uapiFormat{}); got != want {
		t.Errorf("struct v4l2_format has %d bytes, want %d", got, want)
	}
	if got := unsafe.Sizeof(uapiCapability{}); got != 104 {
		t.Errorf("struct v4l2_capability has %d bytes, want 104", got)
	}
	if got := unsafe.Sizeof(uapiRequestBuffers{}); got != 20 {
		t.Errorf("struct v4l2_requestbuffers has %d bytes, want 20", got)
	}
}

// TestInside fails when the library changes so that what it keeps to itself can
// no longer be reached.
func TestInside(t *testing.T) {
	cam := new(webcam.Webcam)
	d, err := inside(cam)
	if err != nil {
		t.Fatal(err)
	}
	*d.buffers = make([][]byte, 3)
	if n := reflect.ValueOf(cam).Elem().FieldByName("buffers").Len(); n != 3 {
		t.Errorf("the library has %d buffers, want 3: the pointer leads somewhere else", n)
	}
}

// TestForget uses memory that is shared as a driver's is: what it shows after
// unmapping is read through the other end.
func TestForget(t *testing.T) {
	const name = "gadeblik-forget"
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		t.Skipf("no memory files here: %v", err)
	}
	defer unix.Close(fd)
	size := os.Getpagesize()
	if err := unix.Ftruncate(fd, int64(2*size)); err != nil {
		t.Fatal(err)
	}
	d, err := inside(new(webcam.Webcam))
	if err != nil {
		t.Fatal(err)
	}
	*d.buffers = make([][]byte, 3) // the last was never mapped
	for i := range 2 {
		b, err := unix.Mmap(fd, int64(i*size), size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			t.Fatal(err)
		}
		for k := range b {
			b[k] = 0xAB
		}
		(*d.buffers)[i] = b
	}
	if n := mappings(t, name); n == 0 {
		t.Fatal("the buffers are not mapped: this test shows nothing")
	}
	if err := d.forget(); err != nil {
		t.Fatal(err)
	}
	if n := mappings(t, name); n != 0 || *d.buffers != nil {
		t.Errorf("%d mappings and %d buffers are left", n, len(*d.buffers))
	}
	left := make([]byte, 2*size)
	if _, err := unix.Pread(fd, left, 0); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(left, make([]byte, len(left))) {
		t.Error("the driver's memory still shows the picture")
	}
	if err := d.forget(); err != nil {
		t.Errorf("nothing to forget: %v", err)
	}
	*d.buffers = [][]byte{make([]byte, 8)} // not mapped memory, which the kernel refuses
	if err := d.forget(); !errors.Is(err, ErrRestart) || *d.buffers != nil {
		t.Errorf("error %v and %d buffers, want ErrRestart and none", err, len(*d.buffers))
	}
}

// mappings counts the mappings of this process whose file has name in its path.
func mappings(t *testing.T, name string) int {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip(err)
	}
	return strings.Count(string(maps), name)
}

// TestWait uses a pipe, which is ready as a camera is.
func TestWait(t *testing.T) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	d := &webcamDevice{poll: [1]unix.PollFd{{Fd: int32(p[0]), Events: unix.POLLIN}}}
	const limit = 30 * time.Millisecond
	begun := time.Now()
	// A signal may end a wait early, as the runtime sends them.
	for time.Since(begun) < limit {
		if ready, err := d.wait(limit); ready || err != nil {
			t.Fatalf("ready %v, %v without a byte", ready, err)
		}
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("waited %s, want about %s: a camera is noticed to be off that late", took, limit)
	}
	if _, err := unix.Write(p[1], []byte{1}); err != nil {
		t.Fatal(err)
	}
	if ready, err := d.wait(time.Minute); !ready || err != nil {
		t.Errorf("ready %v, %v with a byte", ready, err)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = d.wait(0) }); n != 0 {
		t.Errorf("%v allocations per wait", n)
	}
	if err := unix.Close(p[1]); err != nil {
		t.Fatal(err)
	}
	if ready, err := d.wait(time.Minute); !ready || err != nil {
		t.Errorf("ready %v, %v after the other end is gone, want ready: get says what is wrong", ready, err)
	}
	if err := unix.Close(p[0]); err != nil {
		t.Fatal(err)
	}
}

func TestUsable(t *testing.T) {
	tests := []struct {
		name string
		caps uapiCapability
		want error
	}{
		{"capture", uapiCapability{caps: capVideoCapture | capStreaming}, nil},
		{"capture node", uapiCapability{caps: capDeviceCaps | capVideoCapture | capStreaming, deviceCaps: capVideoCapture | capStreaming}, nil},
		// What makes a metadata node look like a camera to the library.
		{"metadata node", uapiCapability{caps: capDeviceCaps | capVideoCapture | capStreaming, deviceCaps: capStreaming}, errNotCapture},
		{"read only", uapiCapability{caps: capVideoCapture}, errNoStreaming},
	}
	for _, tt := range tests {
		if got := tt.caps.usable(); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestListSysfs(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sys, dev := filepath.Join(root, "sys"), filepath.Join(root, "dev")
	for _, f := range [][2]string{
		{"sys/video10/name", "Late Cam\n"}, {"sys/video2/name", "HD Cam: HD Cam\n"}, {"sys/v4l-subdev0/name", "imx219\n"}, {"sys/video3/index", "1\n"},
		{"dev/video2", ""}, {"dev/video10", ""}, {"dev/video3", ""},
	} {
		path := filepath.Join(root, f[0])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(f[1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(dev, "v4l", "by-id", "usb-HD-video-index0")
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../video2", link); err != nil {
		t.Fatal(err)
	}
	got, err := list(sys, dev, func(c *Info) { c.Driver = "fake" })
	if err != nil {
		t.Fatal(err)
	}
	want := []Info{
		{Path: filepath.Join(dev, "video2"), Links: []string{link}, Name: "HD Cam: HD Cam", Driver: "fake"},
		{Path: filepath.Join(dev, "video3"), Driver: "fake"},
		{Path: filepath.Join(dev, "video10"), Name: "Late Cam", Driver: "fake"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got, err := list(filepath.Join(root, "none"), dev, nil); got != nil || err != nil {
		t.Errorf("without a video driver: %v, %v", got, err)
	}
}

func TestListAndOpenHere(t *testing.T) {
	cams, err := List()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cams {
		t.Logf("%+v", c)
	}
	_, err = Open(Config{Device: "/dev/none"})
	if want := "open camera /dev/none: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if _, err := Open(Config{Device: os.DevNull}); err == nil {
		t.Error("/dev/null is a camera")
	}
	_, err = Find("/dev/none")
	if want := "find camera: stat /dev/none: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	for _, c := range cams {
		// What can be found can be opened, by each of its names, and the rest
		// is refused.
		if found, err := Find(c.Path); (err == nil) != (c.Problem == "") || err == nil && found.Path != c.Path {
			t.Errorf("%s (problem %q): found %q, %v", c.Path, c.Problem, found.Path, err)
		}
	}
}
