package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"gadeblik/uplink"
)

// How long to wait at most before something that failed is tried again. How long
// it really is, chance says: with full jitter a fleet that lost its broker at the
// same moment comes back spread over the whole time.
const (
	firstWait = time.Second
	maxWait   = time.Minute
	// maxDeviceWait is the same for what is plugged into the computer: looking for it
	// costs nobody else anything, and the driver waits.
	maxDeviceWait = 5 * time.Second
	// maxUnreachedWait is the same for a broker that no attempt gets through to: those
	// burden nobody. Together with the 8 s that TCP waits between its own last two
	// attempts within [uplink.LinkConfig.ConnectTimeout] it stays below 15 s. What gets
	// through and fails then, as at a broker that a whole fleet comes back to, has the
	// long wait.
	maxUnreachedWait = 6 * time.Second
	// steadyAfter is how long something must have worked for its next failure
	// to count as a first one.
	steadyAfter = time.Minute
	// settling is how long to let a network come up before it is used: its address
	// comes after its link, its routes after its address. It is also the shortest
	// pause after a wake, so that a network that comes and goes costs little.
	settling = time.Second
)

// part is something that is kept running.
type part struct {
	name string
	run  func(context.Context) error
	log  *slog.Logger
	most func(error) time.Duration // the longest wait after a failure
	wake <-chan struct{}           // says that there is new hope: try soon; nil never does
}

func (a *Agent) part(name string, run func(context.Context) error) part {
	return part{name: name, run: run, log: a.cfg.Log, most: atMost(maxWait)}
}

func (a *Agent) devicePart(name string, run func(context.Context) error) part {
	p := a.part(name, run)
	p.most = atMost(maxDeviceWait)
	return p
}

// atMost is the same longest wait after every failure.
func atMost(d time.Duration) func(error) time.Duration {
	return func(error) time.Duration { return d }
}

// brokerWait is the longest wait before the broker is tried again.
func brokerWait(err error) time.Duration {
	if errors.Is(err, uplink.ErrUnreachable) {
		return maxUnreachedWait
	}
	return maxWait
}

// keep runs a part until ctx ends, again whenever it fails. It is the agent's
// only retry loop. A panic of the part is a failure like any other: a hostile
// sentence or a damaged queue must not stop the rest.
func keep(ctx context.Context, p part) error {
	wait := firstWait
	said := refrain{log: p.log}
	for ctx.Err() == nil {
		began := time.Now()
		err := guarded(ctx, p.run)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) > steadyAfter {
			wait = firstWait
		}
		pause := rand.N(wait) + 1
		said.stopped(p.name, err, pause)
		wait = min(2*wait, p.most(err))
		if p.rest(ctx, pause) {
			wait = firstWait
		}
	}
	return nil
}

// rest waits, less long when there is new hope, and tells whether there was. A wake
// from before the pause counts: the part may have failed just as the network came.
func (p part) rest(ctx context.Context, pause time.Duration) (woken bool) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-p.wake:
		woken = true
		select {
		case <-ctx.Done():
		case <-time.After(settling):
		}
	}
	return woken
}

// sayAgain is how often what goes on failing in the same way is logged.
const sayAgain = 10 * time.Minute

// refrain logs that a part stopped, but not the same over and over: a camera that is
// not there is looked for every few seconds, all night.
type refrain struct {
	log    *slog.Logger
	text   string
	at     time.Time
	unsaid int
}

func (r *refrain) stopped(part string, err error, pause time.Duration) {
	text := fmt.Sprint(err)
	if text == r.text && time.Since(r.at) < sayAgain {
		r.unsaid++
		return
	}
	r.log.Warn("part stopped", "part", part, "err", err, "again_in", pause.Round(time.Millisecond), "unsaid", r.unsaid)
	r.text, r.at, r.unsaid = text, time.Now(), 0
}

func guarded(ctx context.Context, part func(context.Context) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return part(ctx)
}
