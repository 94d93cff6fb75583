package agent

import (
	"context"
	"time"
)

// upkeepEvery is how often the outbox is asked for what has expired.
const upkeepEvery = time.Minute

// upkeep deletes what waits in the outbox beyond its time, by trusted time only:
// a clock that runs ahead would delete evidence. It ends with ctx.
func (a *Agent) upkeep(ctx context.Context) {
	tick := time.NewTicker(upkeepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			a.expire(now)
		}
	}
}

func (a *Agent) expire(now time.Time) {
	utc, _, ok := a.pipe.clock.UTC(now)
	if !ok {
		return
	}
	n, err := a.cfg.Outbox.Expire(utc)
	if n > 0 {
		a.cfg.Log.Warn("observations expired before they could be sent", "count", n)
	}
	if err != nil { // Healthy says it too, and closes the gate
		a.cfg.Log.Error("outbox", "err", err)
	}
}
