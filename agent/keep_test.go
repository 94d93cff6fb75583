package agent

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// tries runs a part that fails after lasting for a while, and returns the pauses
// between its runs.
func tries(t *testing.T, n int, lasting func(try int) time.Duration, wake <-chan struct{}) []time.Duration {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var pauses []time.Duration
	ended := time.Now()
	p := part{name: "test", log: slog.New(slog.DiscardHandler), wake: wake}
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
