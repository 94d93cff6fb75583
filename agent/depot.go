package agent

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/paulmach/orb"

	"gadeblik/gps"
	"gadeblik/gps/geofence"
)

// depot knows whether the vehicle is at home. It is asked by the uplink, beside
// the loop, so it keeps until when it may say yes: a loop that is busy with a
// long look must not make an old fix a fresh one.
type depot struct {
	tracker *geofence.Tracker
	fresh   time.Duration
	until   *atomic.Int64 // host time, Unix nanoseconds; 0 = no
}

// newDepot returns a depot that says no. Fixes are judged as the gate's are, but
// one is enough: what a wrong yes costs is money.
func newDepot(zones *geofence.Index, fence geofence.TrackerConfig) depot {
	if zones == nil {
		return depot{}
	}
	fence.Enter, fence.Of, fence.EnterMargin = 1, 1, -1
	if fence.MaxAge <= 0 {
		fence.MaxAge = maxFixAge
	}
	return depot{geofence.NewTracker(zones, fence), fence.MaxAge, new(atomic.Int64)}
}

// maxFixAge is the tracker's own default.
const maxFixAge = 2 * time.Second

// observe takes every fix, valid or not.
func (d depot) observe(f gps.Fix) {
	if d.tracker == nil {
		return
	}
	d.tracker.Observe(positionOf(f))
	until := int64(0)
	if zones, _ := d.tracker.Inside(f.At); len(zones) > 0 {
		until = f.At.Add(d.fresh).UnixNano()
	}
	d.until.Store(until)
}

// home tells whether the vehicle is in its depot, as far as is known at now.
func (d depot) home(now time.Time) bool { return now.UnixNano() <= d.until.Load() }

// maySend tells whether items may be sent now over a connection from this address.
func (a *Agent) maySend(local netip.Addr) bool {
	if a.cfg.Unmetered != nil && !a.cfg.Unmetered(local) {
		return false
	}
	return a.cfg.Depot == nil || a.depot.home(time.Now())
}

// positionOf is what a fence needs of a fix.
func positionOf(f gps.Fix) geofence.Position {
	return geofence.Position{
		At:         f.At,
		Point:      orb.Point{f.Lon, f.Lat},
		Valid:      f.Valid,
		HDOP:       f.HDOP,
		Satellites: f.Satellites,
		Speed:      f.Speed,
		Estimated:  f.Quality >= gps.Estimated,
	}
}

// instant is a host time and the trusted time that belongs to it.
type instant struct{ at, utc time.Time }

// certificateTime is the time by which a certificate must be valid. It goes on
// from the newest trusted time however long ago that was: a vehicle that stands
// in a garage overnight has no better. Before there is any it is the system's,
// but not earlier than the floor. What is captured is never judged by it.
func (a *Agent) certificateTime() time.Time {
	now := time.Now()
	if t := a.trusted.Load(); t != nil {
		return t.utc.Add(now.Sub(t.at))
	}
	if floor := a.cfg.Clock.Floor; now.Before(floor) {
		return floor
	}
	return now
}
