package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"gadeblik/testdata/hil/uvcsim"
	"gadeblik/uplink"
)

// usbCamera is the life with the USB camera, in which all faults happen.
func usbCamera(t *teller) bool {
	off := func() error { return t.untouched(time.Time{}) }
	lamp := func(what string, l light) bool {
		return t.step("lamp "+what, func() (string, error) { return t.shows(l) })
	}
	return t.step("USB camera plugged in", func() (string, error) {
		if err := t.plug(); err != nil {
			return "", err
		}
		err := t.until("uvcvideo binds", patience, func() error {
			_, err := t.run("grep -l '" + uvcsim.Name + "' /sys/class/video4linux/*/name")
			return err
		})
		out, err2 := t.run("cat /sys/bus/usb/drivers/uvcvideo/*/interface 2>/dev/null; ls /dev/video*")
		return strings.Join(strings.Fields(out), " "), errors.Join(err, err2)
	}) && t.firstSteps(usbConfig, off) &&
		lamp("dark: capture is off", dark) &&
		t.step("switched on outside of the zone, camera off", func() (string, error) {
			begin := time.Now()
			if _, err := t.press(true); err != nil {
				return "", err
			}
			err := t.is("armed outside", patience, func(c condition) bool {
				return c.Switch.On && c.Status.State == uplink.Armed && c.Status.Reason == "outside"
			})
			return t.buttonWord(), errors.Join(err, t.untouched(begin))
		}) &&
		lamp("flashes: capture is allowed", flashing) &&
		t.step("zone entered: camera on", func() (string, error) {
			begin := time.Now()
			t.route.change(true)
			on, err := t.switched(begin, true, patience)
			entered, _ := t.route.crossed()
			return fmt.Sprintf("STREAMON %s after the edge was crossed", milliseconds(on.Sub(entered))), err
		}) &&
		t.step("frames are captured and looked at", func() (string, error) {
			err := t.is("looks", patience, func(c condition) bool {
				return capturing(c) && c.Status.Counters["looked"] >= 2 && c.Status.Counters["redacted"] >= 1
			})
			c, err2 := t.condition()
			return fmt.Sprintf("%d taken by the driver, %d looked at, %d redacted", t.camera.Frames(), c.Status.Counters["looked"], c.Status.Counters["redacted"]), errors.Join(err, err2)
		}) &&
		lamp("lit: the camera streams", lit)
}

// before counts what the faults must not add to.
func (t *teller) before() (string, error) {
	err := t.steady()
	n, err2 := t.descriptors()
	t.opened = n
	return fmt.Sprintf("capturing; the daemon has %d descriptors open", n), errors.Join(err, err2)
}

// one is a chapter of one step.
func one(what string, part func(*teller) (string, error)) func(*teller) bool {
	return func(t *teller) bool { return t.step(what, func() (string, error) { return part(t) }) }
}

func (t *teller) buttonWord() string {
	if t.keypad {
		return "by a key of a USB keypad"
	}
	return fmt.Sprintf("by the button at %s, line %d", t.chip, buttonLine)
}

// untouched says that the driver has streamed since a moment, or nil.
func (t *teller) untouched(since time.Time) error {
	if events := t.camera.Events(since); len(events) > 0 || t.camera.Streaming() {
		return fmt.Errorf("the camera streamed: %v", events)
	}
	return nil
}

// switched waits until the driver has turned the stream on, or off, since a moment, and
// returns when it did.
func (t *teller) switched(since time.Time, on bool, within time.Duration) (time.Time, error) {
	var at time.Time
	err := t.until(fmt.Sprintf("stream on: %t", on), within, func() error {
		events := t.camera.Events(since)
		if len(events) == 0 || events[len(events)-1].On != on {
			return fmt.Errorf("seen since: %v", events)
		}
		at = events[len(events)-1].At
		return nil
	})
	return at, err
}

// evidenceArrives waits for an observation with a picture.
func (t *teller) evidenceArrives() (string, error) {
	var seen stored
	err := t.until("an observation with a picture in the inbox", patience, func() error {
		shelf, err := t.office.shelf()
		for _, s := range shelf {
			if s.Image != nil {
				seen = s
				return err
			}
		}
		return errors.Join(err, fmt.Errorf("%d observations, none with a picture", len(shelf)))
	})
	if err != nil {
		return "", err
	}
	picture, err := os.ReadFile(strings.TrimSuffix(seen.path, ".json") + ".jpg")
	if err == nil && len(picture) != seen.Image.Bytes {
		err = fmt.Errorf("the picture has %d bytes, want %d", len(picture), seen.Image.Bytes)
	}
	return fmt.Sprintf("%s, score %.2f, %d bytes, time from %s", seen.Object.Label, seen.Object.Score, len(picture), seen.Time.Source), err
}

// leaves drives out of the zone.
func (t *teller) leaves() (string, error) {
	begin := time.Now()
	t.route.change(false)
	off, err := t.switched(begin, false, patience)
	if err != nil {
		return "", err
	}
	_, left := t.route.crossed()
	if left.Before(begin) { // the circle of error was outside first
		left = off
	}
	after := off.Sub(left)
	if after > leaveTime {
		err = fmt.Errorf("STREAMOFF %s after the edge was crossed, at most %s", milliseconds(after), milliseconds(leaveTime))
	}
	return fmt.Sprintf("STREAMOFF %s after the edge was crossed", milliseconds(after)), err
}

// buttonOff turns the switch off while the camera streams.
func (t *teller) buttonOff() (string, error) {
	if err := t.steady(); err != nil {
		return "", err
	}
	pressed, err := t.press(false)
	if err != nil {
		return "", err
	}
	off, err := t.switched(pressed, false, patience)
	if err != nil {
		return "", err
	}
	took := off.Sub(pressed)
	seen := fmt.Sprintf("STREAMOFF %s after the press (%s)", milliseconds(took), milliseconds(offTime))
	if most := offTime * offAllowance; took > most {
		return "", fmt.Errorf("%s, at most %s under emulation", seen, milliseconds(most))
	}
	return seen, nil
}

// steady brings the vehicle into the zone, capturing.
func (t *teller) steady() error {
	t.route.change(true)
	c, err := t.condition()
	if err != nil {
		return err
	}
	if !c.Switch.On {
		if _, err := t.press(true); err != nil {
			return err
		}
	}
	if err := t.streams(patience); err != nil {
		return err
	}
	return t.is("capturing", patience, capturing)
}

// steadyFrames is how many frames in a row say that the camera works.
const steadyFrames = 3

// streams waits until the driver takes pictures, and goes on to.
func (t *teller) streams(within time.Duration) error {
	if t.camera == nil {
		return errors.New("the camera is not plugged in")
	}
	first := t.camera.Frames()
	return t.until("pictures go to the driver", within, func() error {
		if n := t.camera.Frames() - first; !t.camera.Streaming() || n < steadyFrames {
			return fmt.Errorf("streaming: %t, %d pictures taken", t.camera.Streaming(), n)
		}
		return nil
	})
}
