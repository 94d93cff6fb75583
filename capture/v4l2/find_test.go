package v4l2

import (
	"errors"
	"testing"
)

// plugged are the cameras of the tests, as List gives them: one UVC camera
// with its metadata node, one with a second node for infrared, one of which only
// sysfs says a name of its own, one that answers nothing about where it is.
func plugged() []Info {
	return []Info{
		{Path: "/dev/video0", Name: "HD Cam", Bus: "usb-1", Links: []string{"/dev/v4l/by-id/usb-HD-video-index0"}},
		{Path: "/dev/video1", Name: "HD Cam", Bus: "usb-1", Problem: errNotCapture.Error()},
		{Path: "/dev/video2", Name: "Night", Bus: "usb-2", Problem: errNotCapture.Error()},
		{Path: "/dev/video3", Name: "Night", Bus: "usb-2"},
		{Path: "/dev/video4", Name: "Night", Bus: "usb-2"},
		{Path: "/dev/video5", Name: "vivid", NodeName: "vivid-000-vid-cap", Bus: "platform:vivid-000"},
		{Path: "/dev/video10", Name: "Bare"},
	}
}

func TestResolve(t *testing.T) {
	cams := plugged()
	// A second camera of the same make, and the same camera come back as
	// another node.
	twins := append(plugged(), Info{Path: "/dev/video11", Name: "HD Cam", Bus: "usb-3"}, Info{Path: "/dev/video12", Name: "HD Cam", Bus: "usb-3", Problem: errNotCapture.Error()})
	moved := plugged()
	moved[0], moved[1] = moved[1], moved[0]
	moved[0].Path, moved[1].Path = "/dev/video1", "/dev/video2"
	bare := []Info{{Path: "/dev/video7", Name: "Bare"}, {Path: "/dev/video10", Name: "Bare"}}
	tests := []struct {
		name, device string
		cams         []Info
		path         string
		err          string
	}{
		{"name", "name:HD Cam", cams, "/dev/video0", ""},
		{"name after replugging", "name:HD Cam", moved, "/dev/video2", ""},
		{"name with spaces around", "name: HD Cam ", cams, "/dev/video0", ""},
		{"bare name", "HD Cam", cams, "/dev/video0", ""},
		{"name as the USB driver doubles it", "name:Fine", []Info{{Path: "/dev/video0", Name: "Finer: Finer"}, {Path: "/dev/video1", Name: "Fine: Fine"}}, "/dev/video1", ""},
		{"doubled name in full", "name:Fine: Fine", []Info{{Path: "/dev/video1", Name: "Fine: Fine"}}, "/dev/video1", ""},
		{"bus", "bus:usb-1", cams, "/dev/video0", ""},
		{"bus after replugging", "bus:usb-1", moved, "/dev/video2", ""},
		{"bus tells twins apart", "bus:usb-3", twins, "/dev/video11", ""},
		{"bus with a colon", "bus:platform:vivid-000", cams, "/dev/video5", ""},
		{"the first node with pictures", "name:Night", cams, "/dev/video3", ""},
		{"the name in sysfs", "name:vivid-000-vid-cap", cams, "/dev/video5", ""},
		{"the only one", "", cams[:2], "/dev/video0", ""},
		{"the only one, with two nodes", "", cams[2:5], "/dev/video3", ""},
		{"path", "/dev/video0", cams, "/dev/video0", ""},
		{"path nobody lists", "/dev/mine", cams, "/dev/mine", ""},
		{"path of a metadata node", "/dev/video1", cams, "", "/dev/video1: " + errNotCapture.Error() +
			"; the pictures of this camera come from /dev/v4l/by-id/usb-HD-video-index0 (HD Cam, bus:usb-1)"},
		{"twins", "name:HD Cam", twins, "", `2 times camera named "HD Cam"; name one by its link or its bus: ` +
			`/dev/v4l/by-id/usb-HD-video-index0 (HD Cam, bus:usb-1), /dev/video11 (HD Cam, bus:usb-3)`},
		{"twins that hide where they are", "Bare", bare, "", `2 times camera named "Bare"; name one by its link or its bus: /dev/video7 (Bare), /dev/video10 (Bare)`},
		{"which of several", "", cams[4:], "", "3 times camera; name one by its link or its bus: " +
			"/dev/video4 (Night, bus:usb-2), /dev/video5 (vivid, bus:platform:vivid-000), /dev/video10 (Bare)"},
		{"only metadata", "name:HD Cam", cams[1:2], "", `no camera named "HD Cam"; there is /dev/video1 (HD Cam, bus:usb-1): ` + errNotCapture.Error()},
		{"nothing there", "", nil, "", "no camera; there is no video device at all: is the camera plugged in and its driver loaded?"},
		{"unknown name", "Mine", cams[:1], "", `no camera named "Mine"; there is /dev/v4l/by-id/usb-HD-video-index0 (HD Cam, bus:usb-1)`},
		{"unknown bus", "bus:usb-9", cams[6:], "", `no camera on bus "usb-9"; there is /dev/video10 (Bare)`},
		{"empty name is not any camera", "name:", cams[:1], "", `"name:" names no camera; write name:NAME or bus:BUS`},
		{"empty bus is not the camera that hides it", "bus: ", cams[6:], "", `"bus: " names no camera; write name:NAME or bus:BUS`},
		{"a name with a slash needs its prefix", "name:A/V", []Info{{Path: "/dev/video0", Name: "A/V"}}, "/dev/video0", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := resolve(tt.device, tt.cams)
			if got.Path != tt.path || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
				t.Errorf("%q: %q, %v, want %q, %s", tt.device, got.Path, err, tt.path, tt.err)
			}
		})
	}
}

func TestInstead(t *testing.T) {
	cams := plugged()
	for path, want := range map[string]string{
		"/dev/video2":  "x; the pictures of this camera come from /dev/video3 (Night, bus:usb-2)",
		"/dev/video10": "x", // where it is plugged in is not known
		"/dev/none":    "x",
	} {
		cause := errors.New("x")
		if got := instead(cause, path, cams); got.Error() != want || !errors.Is(got, cause) {
			t.Errorf("%s: %v, want %s", path, got, want)
		}
	}
}
