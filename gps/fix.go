package gps

import (
	"strconv"
	"time"
)

// Quality says how a position was obtained. The numbers are those of GGA.
type Quality uint8

// The qualities. Only Autonomous to RTKFloat are measured positions; the
// others never make a Fix valid.
const (
	NoFix        Quality = iota // the receiver has no position
	Autonomous                  // satellites alone
	Differential                // with corrections (DGPS, SBAS)
	PPS                         // precise positioning service
	RTKFixed                    // carrier phase, ambiguities fixed
	RTKFloat                    // carrier phase, ambiguities not fixed
	Estimated                   // dead reckoning
	Manual                      // typed in
	Simulated                   // made up by the receiver
)

// String returns the quality in lower-case words, for logs and reports.
func (q Quality) String() string {
	switch q {
	case NoFix:
		return "no fix"
	case Autonomous:
		return "autonomous"
	case Differential:
		return "differential"
	case PPS:
		return "pps"
	case RTKFixed:
		return "rtk fixed"
	case RTKFloat:
		return "rtk float"
	case Estimated:
		return "estimated"
	case Manual:
		return "manual"
	case Simulated:
		return "simulated"
	}
	return "quality " + strconv.Itoa(int(q))
}

// measured reports whether q stands for a position measured from satellites.
func (q Quality) measured() bool { return q >= Autonomous && q <= RTKFloat }

// trust ranks qualities: no position at all is the strongest denial, all
// measured ones are equals.
func (q Quality) trust() int {
	switch q {
	case NoFix:
		return 0
	case Simulated:
		return 1
	case Manual:
		return 2
	case Estimated:
		return 3
	}
	return 4
}

// Fix is what the receiver said of one moment. It is a value: copy it freely.
// No field is ever NaN or infinite.
type Fix struct {
	// At is the host time at which the sentence that completed the epoch
	// arrived. In live operation it carries a monotonic reading.
	At time.Time

	// Time is UTC as the receiver reports it, the zero time if the date or the
	// time of day is unknown or implausible. It is not yet trusted: see [Clock].
	Time time.Time

	// RolledOver says that Time was moved on by 1024 weeks, because the
	// receiver's own date lay before the Floor of the [DecoderConfig].
	RolledOver bool

	// Valid says that every sentence of the epoch claims a measured position,
	// that they agree, and that position and time of day are in range. Without
	// it only At, Time and Quality say something, the rest is unknown.
	Valid bool

	// Lat and Lon are degrees, WGS 84, north and east positive. They are
	// meaningful only if Valid, and then never both zero.
	Lat, Lon float64

	// Quality tells how the position was obtained or, if it is none of the
	// measured ones, why there is none.
	Quality Quality

	HDOP       float64 // horizontal dilution of precision; 0 = unknown
	Satellites int     // satellites used; -1 = unknown
	Speed      float64 // metres per second over ground; -1 = unknown

	// Course is the direction of travel in degrees from true north,
	// 0 <= Course < 360, or -1 if it is unknown. It is unknown at a known speed
	// below 1 m/s too, because what receivers report then is noise.
	Course float64

	Altitude    float64 // metres above mean sea level; 0 unless HasAltitude
	HasAltitude bool    // the receiver gave an altitude
}
