package geofence

import (
	"math"
	"time"

	"github.com/paulmach/orb"
)

// Position is what a [Tracker] needs to know of a GPS fix. It is not gps.Fix, so
// that zones can be used and tested without a receiver.
type Position struct {
	At         time.Time // when the fix arrived, by the clock that asks Inside
	Point      orb.Point // longitude, latitude in degrees
	Valid      bool      // the receiver vouches for the point
	HDOP       float64   // horizontal dilution of precision; not above 0 = unknown
	Satellites int       // used in the fix; negative = unknown
	Speed      float64   // metres per second over ground; negative = unknown
	Estimated  bool      // dead reckoning, manual or simulated: not measured
}

// plausible reports whether the position is a place on Earth the receiver vouches for.
func (p Position) plausible() bool {
	return p.Valid && math.Abs(p.Point[0]) <= 180 && math.Abs(p.Point[1]) <= 90
}

// Reason says in one word why a [Tracker] answers as it does; the words are
// counted, shown and journalled.
type Reason string

// The reasons. Only with OK is a vehicle inside anything.
const (
	NoFix           Reason = "no_fix"           // none yet, or the newest is not valid
	StaleFix        Reason = "stale_fix"        // the newest is too old, or from the future
	PoorQuality     Reason = "poor_quality"     // estimated, or too few satellites, or unknown how many
	PoorAccuracy    Reason = "poor_accuracy"    // HDOP too high or unknown
	ImplausibleJump Reason = "implausible_jump" // farther or faster than a vehicle drives
	OK              Reason = "ok"               // inside at least one zone
	Settling        Reason = "settling"         // in a zone, but not yet deep enough or for enough fixes
	Outside         Reason = "outside"          // good fix, in no zone
)
