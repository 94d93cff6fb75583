package agent

import (
	"time"

	"gadeblik/gps"
	"gadeblik/gps/geofence"
)

// Gate decides whether the vehicle may look. It holds the plan, the newest fix
// and the zones the vehicle is in; everything else is told it at each decision.
// What it does not know is a no.
//
// A Gate has no clock and belongs to one goroutine. Make one with [NewGate].
type Gate struct {
	plan    *Plan
	tracker *geofence.Tracker
	fix     gps.Fix
	known   bool // a fix was seen
}

// Conditions is what the rest of the vehicle says at one moment.
type Conditions struct {
	Now      time.Time          // host time of the decision
	UTC      time.Time          // trusted time; zero where there is none
	Switch   bool               // the driver allows capture
	Paused   bool               // a command has forbidden it
	Storage  bool               // the outbox takes observations
	Redactor bool               // the redaction models work
	Used     func(task int) int // observations made today, by number of task; nil means none
}

// Decision is the gate's answer for one moment. Tasks holds an answer for each
// task of the zones the vehicle is in, and is empty outside of all zones.
type Decision struct {
	Reason Reason
	Tasks  []TaskDecision
}

// TaskDecision is the answer for one task: Open, or why not.
type TaskDecision struct {
	Task, Zone int // numbers in the plan
	Reason     Reason
}

// NewGate returns a gate without a plan: it answers [NoOrders].
func NewGate(cfg geofence.TrackerConfig) *Gate {
	return &Gate{tracker: geofence.NewTracker(nil, cfg)}
}

// SetPlan puts plan in force. Every zone is left, and entered anew with the
// next fixes. A nil plan closes the gate.
func (g *Gate) SetPlan(plan *Plan) {
	g.plan = plan
	if plan == nil {
		g.tracker.Reset(nil)
		return
	}
	g.tracker.Reset(plan.zones)
}

// Observe takes every fix, valid or not, in order of arrival.
func (g *Gate) Observe(f gps.Fix) {
	g.fix, g.known = f, true
	g.tracker.Observe(positionOf(f))
}

// Fix returns the newest fix; ok is false before the first.
func (g *Gate) Fix() (f gps.Fix, ok bool) { return g.fix, g.known }

// Decide answers for the moment c.Now and writes the answer to d, whose Tasks
// are reused. It allocates nothing once d.Tasks has room.
func (g *Gate) Decide(c Conditions, d *Decision) {
	d.Tasks = d.Tasks[:0]
	if d.Reason = g.general(c); d.Reason != Open {
		return
	}
	zones, why := g.tracker.Inside(c.Now)
	if len(zones) == 0 {
		d.Reason = reasonOf(why)
		return
	}
	d.Reason = Outside
	for _, z := range zones {
		for _, t := range g.plan.byZone[z] {
			g.decideTask(c, d, TaskDecision{Task: t, Zone: z})
		}
	}
}

// general answers what holds for every task alike.
func (g *Gate) general(c Conditions) Reason {
	switch {
	case !c.Switch:
		return SwitchOff
	case c.Paused:
		return Paused
	case g.plan == nil:
		return NoOrders
	case c.UTC.IsZero():
		return NoTime
	case c.UTC.Before(g.plan.NotBefore):
		return OrdersNotYetValid
	case !c.UTC.Before(g.plan.NotAfter):
		return OrdersExpired
	case !c.Storage:
		return Storage
	case !c.Redactor:
		return RedactorUnwell
	case !g.known:
		return NoFix
	}
	return Open
}

// decideTask adds one task's answer. A task whose zones overlap is asked once,
// for the first of them. The decision is open where any task is; otherwise it
// gives the reason of the task that came furthest.
func (g *Gate) decideTask(c Conditions, d *Decision, td TaskDecision) {
	for i := range d.Tasks {
		if d.Tasks[i].Task == td.Task {
			return
		}
	}
	td.Reason = g.task(c, td.Task)
	d.Tasks = append(d.Tasks, td)
	switch {
	case td.Reason == Open:
		d.Reason = Open
	case d.Reason != Open:
		d.Reason = max(d.Reason, td.Reason)
	}
}

func (g *Gate) task(c Conditions, n int) Reason {
	t := &g.plan.Tasks[n]
	switch {
	case !t.Schedule.Allows(c.UTC):
		return OffSchedule
	case t.MaxSpeed > 0 && g.fix.Speed < 0:
		return SpeedUnknown
	case t.MaxSpeed > 0 && g.fix.Speed > t.MaxSpeed:
		return TooFast
	case c.Used != nil && c.Used(n) >= t.Quota:
		return Quota
	}
	return Open
}

// reasonOf translates the fence's word.
func reasonOf(why geofence.Reason) Reason {
	switch why {
	case geofence.StaleFix:
		return StaleFix
	case geofence.PoorQuality:
		return PoorQuality
	case geofence.PoorAccuracy:
		return PoorAccuracy
	case geofence.ImplausibleJump:
		return ImplausibleJump
	case geofence.Settling:
		return Settling
	case geofence.Outside:
		return Outside
	}
	return NoFix
}
