package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gadeblik/uplink"
)

// tries runs a part that fails after lasting for a while, and returns the pauses
// between its runs.
func tries(t *testing.T, n int, lasting func(try int) time.Duration, wake <-chan struct{}) []time.Duration {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var pauses []time.Duration
	ended := time.Now()
	p := part{name: "test", log: slog.New(slog.DiscardHandler), most: atMost(maxWait), wake: wake}
	p.run = func(context.Context) error {
		pauses = append(pauses, time.Since(ended))
		if len(pauses) > n {
			cancel()
		}
		time.Sleep(lasting(len(pauses)))
		ended = time.Now()
		return errors.New("failed")
	}
	if err := keep(ctx, p); err != nil {
		t.Error(err)
	}
	return pauses[1:]
}

func TestPausesDoubleWithFullJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const fleet = 200
		var longest, shortest [12]time.Duration
		for i := range fleet {
			for try, pause := range tries(t, len(longest), func(int) time.Duration { return 0 }, nil) {
				longest[try] = max(longest[try], pause)
				if i == 0 || pause < shortest[try] {
					shortest[try] = pause
				}
			}
		}
		most := firstWait
		for try := range longest {
			if longest[try] > most+1 || longest[try] < most*9/10 || shortest[try] > most/10 {
				t.Errorf("pause %d: %s to %s in a fleet of %d, want 0 to %s", try+1, shortest[try], longest[try], fleet, most)
			}
			most = min(2*most, maxWait)
		}
		if most != time.Minute {
			t.Errorf("the longest pause is %s, want a minute", most)
		}
	})
}

func TestAMinuteOfSuccessForgivesFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steady := func(try int) time.Duration {
			if try > 10 {
				return steadyAfter + time.Second
			}
			return 0
		}
		for try, pause := range tries(t, 30, steady, nil)[10:] {
			if pause > firstWait+1 {
				t.Errorf("pause %d: %s, want at most %s", try+11, pause, firstWait)
			}
		}
	})
}

// A broker that was out of reach is found within 15 s of its return, however long it
// was away; one that takes connections and fails then is spared.
func TestAnUnreachableBrokerIsTriedMoreOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var longest [2]time.Duration
		ended, tries := time.Now(), 0
		p := part{name: "uplink", log: slog.New(slog.DiscardHandler), most: brokerWait}
		p.run = func(context.Context) error {
			phase := min(tries/1000, 1)
			if tries%1000 > 10 { // the pauses have grown
				longest[phase] = max(longest[phase], time.Since(ended))
			}
			if tries++; tries == 2000 {
				cancel()
			}
			ended = time.Now()
			if phase == 0 {
				return errors.New("not authorized")
			}
			return fmt.Errorf("connect: %w", uplink.ErrUnreachable)
		}
		if err := keep(ctx, p); err != nil {
			t.Fatal(err)
		}
		if longest[0] < maxWait*9/10 || longest[1] > maxUnreachedWait+1 || longest[1] < maxUnreachedWait*9/10 {
			t.Errorf("the longest pauses are %s and, out of reach, %s; want %s and %s", longest[0], longest[1], maxWait, maxUnreachedWait)
		}
	})
}

// A network that comes up ends the pause soon, and one that comes and goes all the
// time does not make attempts that follow each other closely.
func TestNewHopeEndsThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wake := make(chan struct{}, 1)
		wake <- struct{}{}
		again := func(int) time.Duration {
			select {
			case wake <- struct{}{}:
			default:
			}
			return 0
		}
		for try, pause := range tries(t, 50, again, wake) {
			if pause > settling+firstWait {
				t.Errorf("pause %d: %s in spite of new hope", try+1, pause)
			}
		}
	})
}

// What goes on failing in the same way is said once and then every ten minutes, what
// fails in another way at once.
func TestTheSameFailureIsNotLoggedEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		p := part{name: "camera", log: slog.New(slog.NewTextHandler(&out, nil)), most: atMost(maxDeviceWait)}
		began, tries := time.Now(), 0
		p.run = func(context.Context) error {
			tries++
			switch since := time.Since(began); {
			case since > 31*time.Minute:
				cancel()
			case since > 30*time.Minute:
				return errors.New("busy")
			}
			return errors.New("no such device")
		}
		if err := keep(ctx, p); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(out.String(), "no such device"); n < 3 || n > 4 {
			t.Errorf("said %d times in half an hour of %d tries, want 3 or 4", n, tries)
		}
		if n := strings.Count(out.String(), "busy"); n != 1 {
			t.Errorf("another failure was said %d times, want once", n)
		}
		if tries < 31*60/int(maxDeviceWait.Seconds()) {
			t.Errorf("%d tries in 31 minutes, want one every %s at least", tries, maxDeviceWait)
		}
	})
}
