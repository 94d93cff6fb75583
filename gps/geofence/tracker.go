package geofence

import (
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/paulmach/orb"
)

// Tracker follows one vehicle through the zones of an index. Entering a zone
// takes several fixes whose circle of error lies inside with a margin to spare;
// leaving takes one fix whose circle does not lie inside, or that is missing,
// late, poor or implausible. A zone once left is entered anew from nothing, so
// that a vehicle on the border stays out rather than going in and out.
//
// It is a function of the fixes observed: no clock, no randomness. It is not safe
// for concurrent use. A Tracker must be made by [NewTracker].
type Tracker struct {
	index  *Index
	config TrackerConfig

	seen    bool
	newest  time.Time // At of the newest fix of any kind
	verdict Reason    // on the newest fix; OK if it can be used
	last    usable    // newest usable fix since the last restart

	inside []int   // zones we are in, ascending
	trials []trial // zones we may come to be in, ascending
	spare  []trial
	wide   []int // zones that contain the newest circle of error
	deep   []int // those that contain it with the margin
}

// usable is a fix that passed all checks; the zero value is none.
type usable struct {
	at     time.Time
	point  orb.Point
	radius float64 // of the circle of error, metres; above 0
}

// trial is the record of one zone over the last fixes.
type trial struct {
	zone  int
	marks uint64 // bit 0 for the newest fix: deep inside
}

// NewTracker makes a tracker that has seen nothing. A nil index holds no zones.
// Zero fields of the config take their defaults; a config from outside should
// pass [TrackerConfig.Validate] first.
func NewTracker(x *Index, config TrackerConfig) *Tracker {
	t := &Tracker{config: config.withDefaults()}
	t.Reset(x)
	return t
}

// Reset changes the index, nil for none. Everything is left at once, and no fix
// from before counts for entering a zone of the new index; a jump from the last
// one is still a jump.
func (t *Tracker) Reset(x *Index) {
	if x == nil {
		x = &Index{}
	}
	t.index = x
	t.inside, t.trials, t.wide = t.inside[:0], t.trials[:0], t.wide[:0]
	if t.verdict == OK {
		t.verdict = Settling
	}
}

// Inside returns the indices, ascending, of the zones the vehicle is in at now,
// with OK; or none and the reason. It changes nothing and allocates nothing. The
// slice is the tracker's: read it before the next Observe or Reset.
func (t *Tracker) Inside(now time.Time) ([]int, Reason) {
	if !t.seen {
		return nil, NoFix
	}
	// A frame may be a little older than the newest fix, hence both ways.
	if age := now.Sub(t.newest); age > t.config.MaxAge || age < -t.config.MaxAge {
		return nil, StaleFix
	}
	switch {
	case t.verdict != OK:
		return nil, t.verdict
	case len(t.inside) > 0:
		return t.inside, OK
	case len(t.wide) > 0:
		return nil, Settling
	}
	return nil, Outside
}

// Observe takes every fix in the order of arrival, the bad ones too.
//
// After a gap longer than MaxAge, or a step back in time, everything is left and
// entering starts anew; so it does after a jump, from the fix after it. A fix
// with the same At as the one before can make the vehicle leave, not enter. It
// allocates only where the vehicle meets more zones at once than ever before.
func (t *Tracker) Observe(p Position) {
	gap := p.At.Sub(t.newest)
	if t.seen && (gap < 0 || gap > t.config.MaxAge) {
		t.forget()
	}
	repeated := t.seen && gap == 0
	t.seen, t.newest = true, p.At
	t.wide, t.deep = t.wide[:0], t.deep[:0]

	radius := p.HDOP * t.config.MetresPerHDOP
	t.verdict = t.judge(p, radius)
	switch t.verdict {
	case OK:
		t.last = usable{at: p.At, point: p.Point, radius: radius}
		t.wide = t.index.Containing(p.Point, radius, t.wide)
		t.deep = t.index.Containing(p.Point, radius+t.config.EnterMargin, t.deep)
	case ImplausibleJump:
		t.forget()
		t.last = usable{at: p.At, point: p.Point, radius: radius}
		return
	}
	t.leave()
	if !repeated {
		t.enter()
	}
}

// judge returns OK if the fix can be used, else why not. Every comparison is
// written so that a NaN fails it.
func (t *Tracker) judge(p Position, radius float64) Reason {
	c := &t.config
	switch {
	case !p.plausible():
		return NoFix
	case p.Estimated, c.MinSatellites > 0 && p.Satellites < c.MinSatellites:
		return PoorQuality
	case !(p.HDOP > 0 && p.HDOP <= c.MaxHDOP && radius > 0):
		return PoorAccuracy
	case !(p.Speed <= c.MaxSpeed):
		return ImplausibleJump
	}
	if t.last.radius == 0 {
		return OK
	}
	reach := c.MaxSpeed*p.At.Sub(t.last.at).Seconds() + t.last.radius + radius
	if !(distance(t.last.point, p.Point) <= reach) {
		return ImplausibleJump
	}
	return OK
}

// leave drops the zones that do not contain the newest circle of error: all of
// them if there is none.
func (t *Tracker) leave() {
	kept := t.inside[:0]
	for _, zone := range t.inside {
		if _, ok := slices.BinarySearch(t.wide, zone); ok {
			kept = append(kept, zone)
		}
	}
	t.inside = kept
}

// enter moves the trials on by one fix and enters the zones that now have enough
// marks: that can only come about by a mark for this fix.
func (t *Tracker) enter() {
	window := uint64(math.MaxUint64) >> (maxWindow - t.config.Of)
	next, deep := t.spare[:0], t.deep
	for _, old := range t.trials {
		for len(deep) > 0 && deep[0] < old.zone {
			next = t.try(next, trial{zone: deep[0], marks: 1})
			deep = deep[1:]
		}
		old.marks = old.marks << 1 & window
		if len(deep) > 0 && deep[0] == old.zone {
			old.marks |= 1
			deep = deep[1:]
		}
		next = t.try(next, old)
	}
	for _, zone := range deep {
		next = t.try(next, trial{zone: zone, marks: 1})
	}
	t.trials, t.spare = next, t.trials
	slices.Sort(t.inside)
}

// try enters the zone of the trial, or keeps the trial in next while it has marks.
func (t *Tracker) try(next []trial, r trial) []trial {
	if r.marks == 0 || slices.Contains(t.inside, r.zone) {
		return next
	}
	if bits.OnesCount64(r.marks) >= t.config.Enter {
		t.inside = append(t.inside, r.zone)
		return next
	}
	return append(next, r)
}

// forget leaves everything and trusts no earlier fix.
func (t *Tracker) forget() {
	t.inside, t.trials, t.last = t.inside[:0], t.trials[:0], usable{}
}
