package agent

import (
	"time"

	"gadeblik/uplink"
)

// loadCommands says what the store found damaged; its sender sees it in the status.
func (a *Agent) loadCommands() {
	if a.cfg.Commands == nil {
		return
	}
	if damage := a.cfg.Commands.Damage(); damage != "" {
		a.answer.Store(&uplink.CommandReport{Reason: damage})
		a.cfg.Log.Error("record of commands damaged", "err", damage)
	}
	if a.cfg.Commands.Paused() {
		a.cfg.Log.Info("paused by a command")
	}
}

// paused tells whether a command has paused the vehicle.
func (a *Agent) paused() bool { return a.cfg.Commands != nil && a.cfg.Commands.Paused() }

// Command verifies a signed command by trusted time and obeys it: the loop does
// at its next turn, which this brings on. It tells whether the command was good;
// its sender reads that, and what has become of the vehicle, in the status.
func (a *Agent) Command(envelope []byte) bool {
	utc, _, ok := a.pipe.clock.UTC(time.Now())
	if !ok {
		utc = time.Time{}
	}
	r := a.cfg.Commands.Take(envelope, utc)
	if r.Accepted {
		a.cfg.Log.Info("command obeyed", "action", r.Action, "nonce", r.Nonce)
	} else {
		a.cfg.Log.Warn("command refused", "action", r.Action, "nonce", r.Nonce, "err", r.Reason)
	}
	a.answer.Store(&r)
	select {
	case a.commanded <- struct{}{}:
	default: // the loop will look anyway
	}
	return r.Accepted
}
