package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"gadeblik/uplink"
)

// chapter is a part of the story. Those that the rest builds on end the story when they
// fail; the others are told in any case.
type chapter struct {
	name  string
	basis bool
	tell  func(*teller) bool
}

var chapters = []chapter{
	{"start", true, start},
	{"vivid", false, vivid},
	{"camera", true, usbCamera},
	{"zone left", false, one("zone left: camera off", (*teller).leaves)},
	{"evidence", false, one("evidence received, decrypted, stored", (*teller).evidenceArrives)},
	{"button off", false, one("button off while capturing: camera off", (*teller).buttonOff)},
	{"before", true, one("before the faults", (*teller).before)},
	{"unplugged", false, unplugged},
	{"frozen", false, frozen},
	{"corrupt", false, corrupt},
	{"silent", false, silent},
	{"hung up", false, hungUp},
	{"chip gone", false, chipGone},
	{"broker", false, brokerGone},
	{"network", false, networkGone},
	{"leaks", false, leaks},
	{"files", false, tidy},
	{"power cut", false, powerCut},
	{"end", true, end},
}

// teller tells the story of a rig.
type teller struct {
	*rig
	ctx    context.Context
	opened int // descriptors of the daemon before the faults
}

// tell sets the scene, tells the story and clears up.
func tell(ctx context.Context, o options) error {
	report := &report{out: os.Stdout, begin: time.Now()}
	r, err := newRig(o, report)
	if err != nil {
		if r != nil {
			r.close(false)
		}
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	driven := make(chan struct{})
	go func() { defer close(driven); r.route.drive(ctx) }()
	t := &teller{rig: r, ctx: ctx}
	t.chapters()
	stop()
	<-driven
	r.close(o.keep || report.failed > 0)
	fmt.Fprintf(report.out, "%7.1f  %s: %d passed, %d failed\n", time.Since(report.begin).Seconds(), o.arch, report.passed, report.failed)
	if report.failed > 0 {
		return fmt.Errorf("%d of %d steps failed", report.failed, report.failed+report.passed)
	}
	return nil
}

func (t *teller) chapters() {
	for _, c := range chapters {
		if !c.basis && !t.o.tells(c.name) {
			continue
		}
		if t.ctx.Err() != nil {
			t.report.step(c.name, func() (string, error) { return "", context.Cause(t.ctx) })
			return
		}
		if !c.tell(t) && c.basis {
			return
		}
	}
}

// step tells one event.
func (t *teller) step(what string, part func() (string, error)) bool {
	return t.report.step(what, part)
}

// until waits for something, and gives up at once where the daemon has ended.
func (t *teller) until(what string, within time.Duration, ok func() error) error {
	return until(t.ctx, what, within, ok)
}

// is waits for a condition of the daemon.
func (t *teller) is(what string, within time.Duration, ok func(condition) bool) error {
	return t.until(what, within, func() error {
		c, err := t.condition()
		if err == nil && !ok(c) {
			err = errors.New(c.String())
		}
		return err
	})
}

func start(t *teller) bool {
	return t.step("booted", func() (string, error) {
		if err := t.boot(t.ctx, t.o.cache, "utc"); err != nil {
			return "", err
		}
		return t.run("uname -rm")
	}) && t.step("broker up", func() (string, error) {
		return "mosquitto", t.office.broker.Start()
	})
}

// vivid is a first life with the kernel's own test camera: pixels without JPEG.
func vivid(t *teller) bool {
	ok := t.firstSteps(vividConfig, t.noCameraOpen) &&
		t.step("vivid: zone entered, frames are looked at", func() (string, error) {
			if _, err := t.press(true); err != nil {
				return "", err
			}
			t.route.change(true)
			if err := t.is("capturing", patience, capturing); err != nil {
				return "", err
			}
			err := t.is("looks", patience, func(c condition) bool { return c.Status.Counters["looked"] >= 2 })
			c, err2 := t.condition()
			return fmt.Sprintf("%s; %d frames at the gate, %d looked at", t.buttonWord(), c.Status.Counters["frames"], c.Status.Counters["looked"]), errors.Join(err, err2)
		}) &&
		t.step("vivid: zone left, no more frames", func() (string, error) {
			t.route.change(false)
			if err := t.is("armed", patience, func(c condition) bool { return c.Status.State == uplink.Armed }); err != nil {
				return "", err
			}
			return t.standsStill()
		})
	if t.alive() != nil {
		return false // said already
	}
	return t.step("vivid: SIGTERM, exit code 0", func() (string, error) { return "", t.stopDaemon() }) && ok
}

// noCameraOpen says which camera the daemon has open, or nil.
func (t *teller) noCameraOpen() error {
	out, err := t.run("ls -l /proc/[0-9]*/fd 2>/dev/null | grep /dev/video || true")
	if err == nil && out != "" {
		err = fmt.Errorf("a camera is open: %s", out)
	}
	return err
}

// standsStill sees that no frame comes to the gate any more.
func (t *teller) standsStill() (string, error) {
	var last uint64
	since := time.Now()
	err := t.until("no more frames", patience, func() error {
		c, err := t.condition()
		if n := c.Status.Counters["frames"]; n != last {
			last, since = n, time.Now()
		}
		if quiet := time.Since(since); err == nil && quiet < 3*time.Second {
			err = fmt.Errorf("%d frames, for %s", last, quiet)
		}
		return err
	})
	return fmt.Sprintf("%d frames in all", last), err
}

func capturing(c condition) bool { return c.Status.State == uplink.Capturing }

// firstSteps are those of each life, up to a vehicle outside of its zone. off says that
// the camera is.
func (t *teller) firstSteps(config string, off func() error) bool {
	return t.step("daemon up ("+config+")", func() (string, error) {
		if err := t.gps(t.uart); err != nil {
			return "", err
		}
		if err := t.startDaemon(t.ctx, config); err != nil {
			return "", err
		}
		return "", t.route.hear(t.socket("uart-gps"))
	}) && t.step("off after its start, camera off", func() (string, error) {
		c, err := t.condition()
		if err == nil && (c.Switch.On || c.Switch.By != "boot" || c.Status.State != uplink.Off) {
			err = errors.New("the agent is not off")
		}
		return c.String(), errors.Join(err, off())
	}) && t.ordered()
}

// ordered sees to it that orders are in force and the inbox listens.
func (t *teller) ordered() bool {
	if t.office.version > 0 {
		return true
	}
	return t.step("inbox up, orders pushed over the broker", func() (string, error) {
		key, err := t.run("cat /data/state/device.key.pub")
		if err == nil {
			err = t.office.openInbox(key)
		}
		if err == nil {
			err = t.office.push(orders())
		}
		return fmt.Sprintf("version %d is in force", t.office.version), err
	})
}
