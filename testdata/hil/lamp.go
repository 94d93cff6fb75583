package main

import (
	"fmt"
	"time"

	"gadeblik/testdata/hil/guest"
)

// light is what a driver sees the lamp do. An emulated processor is late now and then, so
// that only what differs by far is told apart.
type light struct {
	word string
	is   func(share, flashes float64) bool // share of the time that it is lit, flashes a second
}

var (
	dark     = light{"dark", func(share, _ float64) bool { return share == 0 }}
	flashing = light{"one flash every two seconds", func(share, n float64) bool { return share < 0.3 && n > 0.2 && n < 1 }}
	lit      = light{"lit", func(share, _ float64) bool { return share == 1 }}
	blinking = light{"four flashes a second", func(share, n float64) bool { return share > 0.2 && share < 0.8 && n > 2 }}
)

const (
	linesFile = "/sys/kernel/debug/gpio"
	lampTime  = 4 * time.Second // how long it is watched
	lampTries = 10              // it may change meanwhile
)

// shows waits until the lamp does what it is to do for a while, and says what it does.
func (t *teller) shows(want light) (string, error) {
	if !t.gpio {
		return "not told: the guest has no GPIO", nil
	}
	if _, err := t.run("grep 'gadeblik lamp.* out ' " + linesFile); err != nil {
		return "", fmt.Errorf("the daemon has not taken the lamp: %w", err)
	}
	var seen string
	for range lampTries {
		a, err := t.guest.Do(guest.Request{Do: "watch", Path: linesFile, Line: "gadeblik lamp.* out hi", Timeout: lampTime})
		if err != nil {
			return "", err
		}
		share, flashes := float64(a.Seen)/float64(max(1, a.Looks)), float64(a.Came)/lampTime.Seconds()
		if want.is(share, flashes) {
			return "lamp: " + want.word, nil
		}
		seen = fmt.Sprintf("lit for %.0f %% of %s, %d flashes", 100*share, lampTime, a.Came)
		if err := t.ctx.Err(); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("the lamp is %s; want %s", seen, want.word)
}
