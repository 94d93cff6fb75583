package v4l2

import (
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"github.com/blackjack/webcam"
	"github.com/google/go-cmp/cmp"

	"gadeblik/capture"
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
}

// TestUnmapLeaked fails when the library changes so that the way round its leak
// no longer works.
func TestUnmapLeaked(t *testing.T) {
	if err := unmapLeaked(new(webcam.Webcam)); err != nil {
		t.Errorf("the library's private buffers cannot be reached: %v", err)
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
}

// TestRealCamera streams from the first usable camera of this computer.
func TestRealCamera(t *testing.T) {
	cams, err := List()
	if err != nil {
		t.Fatal(err)
	}
	path := os.Getenv("GADEBLIK_CAMERA")
	for _, c := range cams {
		if path == "" && c.Problem == "" {
			path = c.Path
		}
	}
	if path == "" {
		t.Skip("no camera here")
	}
	var cam capture.Camera
	real, err := Open(Config{Device: path, Format: os.Getenv("GADEBLIK_CAMERA_FORMAT"), Width: 640, Height: 480})
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
