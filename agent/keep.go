package agent

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"
)

// How long to wait before something that failed is tried again: doubling, with
// full jitter so that a fleet does not come back in step.
const (
	firstWait = 500 * time.Millisecond
	maxWait   = 30 * time.Second
	// steadyAfter is how long something must have worked for its next failure
	// to count as a first one.
	steadyAfter = time.Minute
)

// keep runs a part until ctx ends, again whenever it fails. It is the agent's
// only retry loop. A panic of the part is a failure like any other: a hostile
// sentence or a damaged queue must not stop the rest.
func keep(ctx context.Context, log *slog.Logger, name string, part func(context.Context) error) error {
	wait := firstWait
	for ctx.Err() == nil {
		began := time.Now()
		err := guarded(ctx, part)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) > steadyAfter {
			wait = firstWait
		}
		pause := wait/2 + rand.N(wait/2+1)
		log.Warn("part stopped", "part", name, "err", err, "again_in", pause.Round(time.Millisecond))
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		wait = min(2*wait, maxWait)
	}
	return nil
}

func guarded(ctx context.Context, part func(context.Context) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return part(ctx)
}
