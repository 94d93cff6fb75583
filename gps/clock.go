package gps

import (
	"sync/atomic"
	"time"
)

// ClockConfig says when a [Clock] trusts what the receiver says.
type ClockConfig struct {
	// Floor and Ceiling bound the times that are believed: Floor <= UTC <
	// Ceiling. A zero Floor is no bound, a zero Ceiling 19 years after Floor.
	Floor, Ceiling time.Time

	// Consistent is how many seconds must agree before there is trust; 0 is 3.
	Consistent int

	// Tolerance is how much receiver and host may differ on the time between
	// two fixes; 0 is one second. It must allow for the delay of the line.
	Tolerance time.Duration

	// Holdover is how long trust lasts without a fix; 0 is one hour.
	Holdover time.Duration
}

// A Clock is the trusted time: what the receiver says, once it has said the
// same for long enough. It reads no clock of its own, so that a replayed drive
// has the time of the drive. One goroutine calls Observe; any may call UTC.
type Clock struct {
	cfg    ClockConfig
	run    int       // consistent seconds so far
	newest anchor    // newest fix of the run
	second time.Time // newest second that was counted
	trust  atomic.Pointer[anchor]
}

// An anchor is a host time and the UTC that belongs to it.
type anchor struct{ at, utc time.Time }

// clockSource is the only source of time there is here.
const clockSource = "gps"

// NewClock returns a clock that trusts nothing yet.
func NewClock(cfg ClockConfig) *Clock {
	cfg.Ceiling = defaultCeiling(cfg.Floor, cfg.Ceiling)
	if cfg.Consistent <= 0 {
		cfg.Consistent = 3
	}
	if cfg.Tolerance <= 0 {
		cfg.Tolerance = time.Second
	}
	if cfg.Holdover <= 0 {
		cfg.Holdover = time.Hour
	}
	return &Clock{cfg: cfg}
}

// Observe takes the next fix. Fixes that are not valid or have no time change
// nothing. A time that is out of bounds, or that does not follow from the fix
// before, takes all trust away until enough seconds agree again.
func (c *Clock) Observe(f Fix) {
	if !f.Valid || f.Time.IsZero() {
		return
	}
	if !within(f.Time, c.cfg.Floor, c.cfg.Ceiling) {
		c.forget()
		return
	}
	now := anchor{at: f.At, utc: f.Time}
	if c.run > 0 && !c.follows(now) {
		c.forget()
	}
	c.newest = now
	// Fixes can come ten times a second; what counts is how long they agree.
	if s := f.Time.Truncate(time.Second); c.run == 0 || s.After(c.second) {
		c.second = s
		c.run = min(c.run+1, c.cfg.Consistent)
	}
	if c.run >= c.cfg.Consistent {
		c.trust.Store(&now)
	}
}

// UTC returns the trusted time that belongs to the host time at, and "gps". It
// is not ok before there is trust, after a jump, and further than Holdover from
// the newest fix.
func (c *Clock) UTC(at time.Time) (utc time.Time, source string, ok bool) {
	a := c.trust.Load()
	if a == nil {
		return time.Time{}, "", false
	}
	since := at.Sub(a.at)
	if since.Abs() > c.cfg.Holdover {
		return time.Time{}, "", false
	}
	return a.utc.Add(since), clockSource, true
}

// follows reports whether as much time has passed for the receiver as for the
// host.
func (c *Clock) follows(a anchor) bool {
	receiver, host := a.utc.Sub(c.newest.utc), a.at.Sub(c.newest.at)
	return (receiver - host).Abs() <= c.cfg.Tolerance
}

func (c *Clock) forget() {
	c.run = 0
	c.trust.Store(nil)
}
