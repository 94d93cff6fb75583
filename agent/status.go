package agent

import (
	"runtime/metrics"
	"time"

	"gadeblik/uplink"
)

// figuresEvery is how old the counters of a status may be.
const figuresEvery = time.Second

// report makes the status of this moment, and announces it where what a person
// would read has changed; counters alone are not news.
func (a *Agent) report(now time.Time) {
	last := a.status.Load()
	state, reason := a.state(now)
	var version uint64
	if plan := a.plan.Load(); plan != nil {
		version = plan.Version
	}
	answer, paused := a.answer.Load(), a.paused()
	news := state != last.State || reason != last.Reason || version != last.OrdersVersion ||
		answer != last.Command || paused != last.Paused
	if !news && now.Sub(last.Time) < figuresEvery {
		return
	}
	a.status.Store(&uplink.Status{
		State: state, Reason: reason, OrdersVersion: version,
		Time: now.UTC(), Counters: a.figures(), Paused: paused, Command: answer,
	})
	if !news {
		return
	}
	a.cfg.Log.Info("state", "state", state, "reason", reason, "was", last.State)
	select {
	case a.statusChanged <- struct{}{}:
	default: // the link will read the newest
	}
}

// state says in one word how the agent is, and why.
func (a *Agent) state(now time.Time) (uplink.State, string) {
	reason := a.pipe.Decision().Reason
	switch st := a.cfg.Switch.State(now); {
	case st.Fault != "":
		return uplink.Off, SwitchOff.String() + ": " + st.Fault
	case st.Paused:
		return uplink.Off, SwitchOff.String() + ": the driver has paused for the shift"
	case !st.On:
		return uplink.Off, SwitchOff.String()
	}
	if reason == Paused {
		return uplink.Armed, reason.String()
	}
	if err := a.storageErr(); err != nil {
		return uplink.Degraded, err.Error()
	}
	if text := a.cameraErr.Load(); text != nil {
		return uplink.Degraded, *text
	}
	switch reason {
	case Open:
		if a.streaming.Load() {
			return uplink.Capturing, reason.String()
		}
		return uplink.Armed, "camera starts"
	case NoOrders, OrdersExpired, OrdersNotYetValid, RedactorUnwell:
		return uplink.Degraded, reason.String()
	case NoTime, NoFix, StaleFix, PoorQuality, PoorAccuracy, ImplausibleJump:
		if text := a.gpsErr.Load(); text != nil {
			return uplink.NoFix, *text
		}
		return uplink.NoFix, reason.String()
	}
	return uplink.Armed, reason.String()
}

// figures are the counters of the status.
func (a *Agent) figures() map[string]uint64 {
	m := statusFigures(a.pipe.Counters())
	m["frames_replaced"], m["lost"] = a.slot.Dropped(), a.lost.Load()
	a.outboxFigures(m)
	a.linkFigures(m)
	a.vitalFigures(m)
	if a.cfg.Figures != nil {
		a.cfg.Figures(m)
	}
	return m
}

// statusFigures are those of the pipeline.
func statusFigures(c Counters) map[string]uint64 {
	m := map[string]uint64{
		"fixes": c.Fixes, "frames": c.Frames, "late": c.Late, "looked": c.Looked, "bad_frames": c.BadFrames,
		"failed": c.Failed, "dropped": c.Dropped, "withdrawn": c.Withdrawn, "redacted": c.Redacted,
		"followed": c.Followed, "second_looks": c.SecondLooks, "grown": c.Grown, "still_visible": c.StillVisible,
		"persons_removed": c.Persons, "faces_removed": c.Faces, "plates_removed": c.Plates,
		"findings": c.Findings, "counts": c.Counts, "clears": c.Clears, "repeated": c.Repeated, "over_quota": c.OverQuota,
	}
	for word, n := range c.Reasons() {
		m["gate_"+word] = n
	}
	return m
}

// linkFigures adds how the way to the broker is, where there is to be one.
func (a *Agent) linkFigures(m map[string]uint64) {
	link := a.link.Load()
	if link == nil {
		return
	}
	m["uplink_connected"] = 0
	if link.Connected() {
		m["uplink_connected"] = 1
	}
	s := link.Stats()
	m["uplink_connects"], m["uplink_published"] = s.Connects, s.Published
	m["uplink_resent"], m["uplink_refused"] = s.Resent, s.Refused
}

// vitalSigns are the figures of the process that a leak shows in, and what the Go runtime
// calls them.
var vitalSigns = [...]struct{ figure, metric string }{
	{"goroutines", "/sched/goroutines:goroutines"},
	{"heap_bytes", "/memory/classes/heap/objects:bytes"},
	{"heap_allocations", "/gc/heap/allocs:objects"}, // since the start
}

func newVitals() []metrics.Sample {
	all := make([]metrics.Sample, len(vitalSigns))
	for i, v := range vitalSigns {
		all[i].Name = v.metric
	}
	return all
}

func (a *Agent) vitalFigures(m map[string]uint64) {
	metrics.Read(a.vitals)
	for i, v := range vitalSigns {
		if s := a.vitals[i].Value; s.Kind() == metrics.KindUint64 {
			m[v.figure] = s.Uint64()
		}
	}
}

// outboxFigures adds what the outbox holds, and what became of all it ever accepted.
func (a *Agent) outboxFigures(m map[string]uint64) {
	s := a.cfg.Outbox.Stats()
	m["outbox_waiting"], m["outbox_aside"], m["outbox_bytes"] = uint64(s.Items), uint64(s.Aside), uint64(s.Bytes)
	m["outbox_accepted"], m["outbox_delivered"] = s.Ledger.Accepted, s.Ledger.Delivered
	m["outbox_expired"], m["outbox_evicted"], m["outbox_lost"] = s.Ledger.Expired, s.Ledger.Evicted, s.Ledger.Lost
}
