package main

import (
	"context"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"gadeblik/uplink"
)

// deadTurn is how long the agent's loop may take for one turn before it counts
// as hung: the slowest look, and then some.
const deadTurn = 20 * time.Second

// living is what systemd is told of: the agent.
type living interface {
	Status() uplink.Status
	Alive(within time.Duration, now time.Time) bool
}

// tellSystemd says when the agent is ready, how it is, and that it is alive, but
// that only while its loop turns: a watchdog fed by a mere ticker guards nothing.
// Without systemd it does nothing.
func tellSystemd(ctx context.Context, a living) error {
	// With a word on how it is, or `systemctl status` after a start would have none.
	under, err := daemon.SdNotify(false, daemon.SdNotifyReady+"\n"+condensed(a))
	if err != nil {
		return fmt.Errorf("tell systemd: %w", err)
	}
	if !under {
		return nil
	}
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return fmt.Errorf("read WATCHDOG_USEC: %w", err)
	}
	period := 5 * time.Second
	if every > 0 {
		period = every / 3
	}
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			_, err := daemon.SdNotify(false, daemon.SdNotifyStopping)
			return err
		case now := <-tick.C:
			if err := notifyAlive(a, now, every > 0); err != nil {
				return err
			}
		}
	}
}

func notifyAlive(a living, now time.Time, watched bool) error {
	state := condensed(a)
	if watched && a.Alive(deadTurn, now) {
		state += "\n" + daemon.SdNotifyWatchdog
	}
	if _, err := daemon.SdNotify(false, state); err != nil {
		return fmt.Errorf("tell systemd: %w", err)
	}
	return nil
}

// condensed is how the agent is, for `systemctl status`.
func condensed(a living) string {
	s := a.Status()
	return fmt.Sprintf("STATUS=%s: %s; orders %d; %d waiting", s.State, s.Reason, s.OrdersVersion, s.Counters["outbox_waiting"])
}
