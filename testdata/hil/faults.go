package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"gadeblik/uplink"
)

// fault breaks something, sees that it is noticed, mends it and waits until the vehicle
// captures again.
type fault struct {
	what    string
	do      func() error
	noticed func(condition) bool // what the daemon is to say meanwhile
	lamp    *light               // what the driver is to see; nil: nobody looks
	mend    func() error
}

func (t *teller) fault(f fault) bool {
	return t.step(f.what, func() (string, error) {
		if err := t.steady(); err != nil {
			return "", fmt.Errorf("before the fault: %w", err)
		}
		begin := time.Now()
		if err := f.do(); err != nil {
			return "", fmt.Errorf("the fault itself: %w", err)
		}
		var reason string
		err := t.is("the fault is noticed", patience, func(c condition) bool {
			reason = c.why()
			return f.noticed(c)
		})
		noticed := time.Since(begin)
		if f.lamp != nil && err == nil {
			_, err = t.shows(*f.lamp)
		}
		mended := time.Now()
		if err = errors.Join(err, f.mend()); err != nil {
			return "", err
		}
		if err := t.streams(patience); err != nil {
			return "", err
		}
		took := time.Since(mended)
		seen := fmt.Sprintf("noticed after %.1f s: %s; back after %.1f s", noticed.Seconds(), reason, took.Seconds())
		if most := backTime * backAllowance; took > most {
			return "", fmt.Errorf("%s, at most %s under emulation", seen, most)
		}
		return seen, t.is("capturing", patience, capturing)
	})
}

func degraded(c condition) bool { return c.Status.State == uplink.Degraded }

func unplugged(t *teller) bool {
	return t.fault(fault{
		what: "USB camera pulled out and plugged in", do: t.unplug, noticed: degraded, lamp: &blinking, mend: t.plug,
	})
}

func frozen(t *teller) bool {
	return t.fault(fault{
		what: "USB camera frozen: opened anew",
		do:   func() error { t.camera.Freeze(true); return nil },
		noticed: func(c condition) bool {
			return degraded(c) && strings.Contains(c.Status.Reason, "no usable frame")
		},
		mend: func() error { t.camera.Freeze(false); return nil },
	})
}

func corrupt(t *teller) bool {
	return t.fault(fault{
		what: "USB camera sends halves of pictures", do: func() error { t.camera.Corrupt(true); return nil },
		noticed: func(c condition) bool { return c.Status.Counters["bad_frames"] > 0 || !capturing(c) },
		mend:    func() error { t.camera.Corrupt(false); return nil },
	})
}

func noFix(c condition) bool { return c.Status.State == uplink.NoFix }

// silent is a receiver that says nothing for a while; its line stays.
func silent(t *teller) bool {
	return t.fault(fault{
		what: "GPS silent on the UART", do: func() error { return t.route.hear("") }, noticed: noFix,
		mend: func() error { return t.route.hear(t.socket("uart-gps")) },
	})
}

// hungUp moves the receiver to a USB line, pulls that out, plugs it in, and moves back.
func hungUp(t *teller) bool {
	plug := func() error {
		if err := t.route.hear(t.socket("usb-gps")); err != nil {
			return err
		}
		return t.until(usbGPS+" in the guest", patience, func() error {
			_, err := t.run("test -c " + usbGPS)
			return err
		})
	}
	return t.fault(fault{
		what: "GPS moved to a USB line",
		do:   func() error { return errors.Join(t.route.hear(""), t.gps(usbGPS)) }, noticed: noFix, mend: plug,
	}) && t.fault(fault{
		what: "USB GPS pulled out and plugged in", do: func() error { return t.route.hear("") }, noticed: noFix, mend: plug,
	}) && t.fault(fault{
		what: "GPS moved back to the UART",
		do:   func() error { return errors.Join(t.route.hear(""), t.gps(t.uart)) }, noticed: noFix,
		mend: func() error { return t.route.hear(t.socket("uart-gps")) },
	})
}

// chipGone takes the driver of the GPIO chip away. A daemon whose button is gone turns
// the camera off: whoever turned it on could not turn it off any more.
func chipGone(t *teller) bool {
	if t.arch != "arm64" {
		t.report.note("GPIO chip removed", "not told: lines of gpio-sim come back low, which would be a press")
		return true
	}
	driver := func(do string) func() error {
		return func() error {
			_, err := t.run(fmt.Sprintf("echo %s >/sys/bus/amba/drivers/pl061_gpio/%s", t.chip, do))
			return err
		}
	}
	return t.fault(fault{
		what: "GPIO chip removed: off; back: on by the button", do: driver("unbind"),
		noticed: func(c condition) bool { return !c.Switch.On && !t.camera.Streaming() },
		mend: func() error {
			if err := driver("bind")(); err != nil {
				return err
			}
			if err := t.is("the switch is well", backTime*backAllowance, func(c condition) bool { return c.Switch.Fault == "" }); err != nil {
				return err
			}
			_, err := t.press(true)
			return err
		},
	})
}

// waiting is how many observations the outbox holds.
func waiting(c condition) uint64 { return c.Status.Counters["outbox_waiting"] }

// connected tells whether the broker is at the other end, as far as the daemon knows.
func connected(c condition) bool { return c.Status.Counters["uplink_connected"] > 0 }

// delivered waits until nothing waits any more.
func (t *teller) delivered() error {
	return t.is("an empty outbox", patience, func(c condition) bool { return waiting(c) == 0 })
}

// pass waits for a look and drives out of the zone, which ends the pass: at least one
// observation comes of it.
func (t *teller) pass() error {
	before, err := t.condition()
	if err != nil {
		return err
	}
	if err := t.is("a look", patience, func(c condition) bool {
		return c.Status.Counters["looked"] > before.Status.Counters["looked"]
	}); err != nil {
		return err
	}
	t.route.change(false)
	return t.is("an end of the pass", patience, func(c condition) bool { return c.Status.Reason == "outside" })
}

// collect makes passes until so many observations wait.
func (t *teller) collect(n uint64) (uint64, error) {
	for {
		if err := t.pass(); err != nil {
			return 0, err
		}
		c, err := t.condition()
		if queued := waiting(c); err != nil || queued >= n {
			return queued, err
		}
		if err := t.steady(); err != nil {
			return 0, err
		}
	}
}

// apart is a fault of the way to the office: capturing goes on, and what is found waits.
func (t *teller) apart(what string, do, mend func() error) bool {
	return t.step(what, func() (string, error) {
		if err := errors.Join(t.steady(), t.delivered()); err != nil {
			return "", fmt.Errorf("before the fault: %w", err)
		}
		if err := do(); err != nil {
			return "", err
		}
		begin := time.Now()
		before, err := t.office.parcels()
		if err != nil {
			return "", err
		}
		queued, err := t.collect(2)
		if err == nil {
			err = t.is("the daemon has noticed", patience, func(c condition) bool { return !connected(c) })
		}
		gone := time.Since(begin)
		mended := time.Now()
		if err = errors.Join(err, mend()); err != nil {
			return "", err
		}
		fresh := 0
		err = t.until("what waited is stored", patience, func() error {
			now, err := t.office.parcels()
			if fresh = len(now) - len(before); err == nil && fresh < int(queued) {
				err = fmt.Errorf("%d new, %d waited", fresh, queued)
			}
			return err
		})
		took := time.Since(mended)
		seen := fmt.Sprintf("away for %.0f s; %d waited while capturing went on; stored %.1f s after", gone.Seconds(), queued, took.Seconds())
		if most := backTime * backAllowance; err == nil && took > most {
			err = fmt.Errorf("%s, at most %s under emulation", seen, most)
		}
		return seen, err
	})
}

func brokerGone(t *teller) bool {
	return t.apart("broker killed and started again", func() error { t.office.broker.Kill(); return nil }, t.office.broker.Start)
}

func networkGone(t *teller) bool {
	return t.apart("network cut and restored", func() error { return t.connected(false) }, func() error { return t.connected(true) })
}

func leaks(t *teller) bool {
	return t.step("no descriptor leaked by the faults", func() (string, error) {
		if err := errors.Join(t.steady(), t.delivered()); err != nil {
			return "", err
		}
		// A connection that ends or a file that is being written is no leak.
		now := 0
		err := t.until("as many descriptors as before", time.Minute, func() error {
			var err error
			if now, err = t.descriptors(); err == nil && now > t.opened {
				err = fmt.Errorf("%d open, %d before the faults", now, t.opened)
			}
			return err
		})
		return fmt.Sprintf("%d open, %d before", now, t.opened), err
	})
}
