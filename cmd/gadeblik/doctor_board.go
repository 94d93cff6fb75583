package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// clock says what the system believes the time is, and why.
func (v *visit) clock(context.Context) []checkup {
	synchronised, err := clockSynchronised()
	return []checkup{v.kernelFiles.judgeClock(time.Now(), v.cfg.Time.Floor, synchronised, err)}
}

func (k kernelFiles) judgeClock(now, floor time.Time, synchronised bool, err error) checkup {
	const part = "clock"
	says := "the system clock says " + now.UTC().Format(time.DateTime)
	battery := "a clock chip keeps it while the power is off"
	if k.found("", "sys/class/rtc/rtc*") == "" {
		battery = "no clock chip keeps it while the power is off"
	}
	mend := "`timedatectl set-ntp true`"
	if k.timekeepers() == "" {
		mend = "`apt install systemd-timesyncd`"
	}
	switch {
	case now.Before(floor):
		return checkup{part, doubt, says + ", before time.floor; " + battery, "no harm: the agent takes its time from the GPS; TLS may refuse certificates until the clock is set"}
	case err != nil:
		return checkup{part, healthy, fmt.Sprintf("%s UTC; nobody knows whether it is synchronised: %v; the agent takes its time from the GPS", says, err), ""}
	case !synchronised:
		return checkup{part, doubt, says + " UTC, not synchronised; " + battery, mend + "; the agent takes its time from the GPS, TLS before the first fix does not"}
	}
	return checkup{part, healthy, says + " UTC, synchronised; " + battery, ""}
}

// timekeepers are the programs installed that could set the clock from the network.
func (k kernelFiles) timekeepers() string {
	return k.found("", "usr/lib/systemd/systemd-timesyncd") + k.found("", "usr/sbin/chronyd") + k.found("", "usr/sbin/ntpd")
}

const (
	hot     = 75_000 // thousandths of a degree: 80 °C is where a Raspberry Pi begins to slow down
	soonHot = "give it air: a fan, a heat sink, a place out of the sun"
)

// heat says how warm the board is and whether it has to slow down.
func (v *visit) heat(context.Context) []checkup {
	return []checkup{judgeHeat(newBoard(v.root).now(time.Now()))}
}

func judgeHeat(h heat) checkup {
	const part = "heat"
	if now := h.complaints(false); len(now) > 0 {
		mend := soonHot
		if h.bits&underVoltage != 0 {
			mend = "a stronger power supply or a thicker, shorter cable: 5.1 V, 5 A for a Raspberry Pi 5"
		}
		return checkup{part, doubt, h.String() + "; now: " + strings.Join(now, ", "), mend}
	}
	if h.cooling || h.known && h.milli >= hot {
		return checkup{part, doubt, h.String(), soonHot}
	}
	if was := h.complaints(true); len(was) > 0 {
		return checkup{part, doubt, h.String() + "; since the start: " + strings.Join(was, ", "), "look at power supply and cooling; the word goes away with a restart"}
	}
	return checkup{part, healthy, h.String(), ""}
}

// mount is where a file lies.
type mount struct {
	point, kind, source string
	options             []string // of the mount and of the file system
}

// mountOf finds the mount of a path: of those that hold it, the last of the longest.
func (k kernelFiles) mountOf(path string) (mount, bool) {
	text, err := k.read("proc/self/mountinfo")
	if err != nil {
		return mount{}, false
	}
	var best mount
	for line := range strings.Lines(text) {
		left, right, ok := strings.Cut(line, " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if !ok || len(l) < 6 || len(r) < 3 {
			continue
		}
		// The kernel writes a space in a name as \040.
		point := strings.ReplaceAll(l[4], `\040`, " ")
		if holds(point, path) && len(point) >= len(best.point) {
			best = mount{point, r[0], r[1], strings.Split(l[5]+","+r[2], ",")}
		}
	}
	return best, best.point != ""
}

// holds tells whether a path lies in a folder.
func holds(folder, path string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}
