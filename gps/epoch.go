package gps

import (
	"math"
	"time"
)

const (
	// maxApart is how far apart, in degrees, two sentences of one epoch may
	// place the vehicle. They print the same position with other roundings.
	maxApart = 0.0005

	// minCourseSpeed is the speed in m/s below which a course is noise.
	minCourseSpeed = 1.0
)

// An epoch is what the receiver says of one moment, as far as it has arrived.
type epoch struct {
	time   daytime
	at     time.Time        // arrival of the newest of parts
	has    [gns + 1]bool    // by kind: which of parts are here
	parts  [gns + 1]reading // RMC, GGA, GNS
	extras extras           // GSA and VTG that can belong to no other epoch
}

// put adds a sentence that has a time.
func (e *epoch) put(r reading, at time.Time) {
	e.has[r.kind], e.parts[r.kind], e.at = true, r, at
}

// complete reports whether nothing of value can follow.
func (e *epoch) complete() bool { return e.has[rmc] && (e.has[gga] || e.has[gns]) }

// date returns the date that came with the epoch, if any.
func (e *epoch) date() date { return e.parts[rmc].date }

// fix makes a fix of the epoch, but for its Time.
func (e *epoch) fix(count *Counters) Fix {
	f := Fix{At: e.at, Quality: e.quality(), Satellites: -1, Speed: -1, Course: -1}
	if !f.Quality.measured() || e.time == noTime || e.broken() {
		return f
	}
	if e.disagrees() {
		count.Disagreed++
		return f
	}
	f.Valid = true
	// The order is that of precision: GGA has the most digits, RMC the fewest.
	for _, k := range []kind{rmc, gns, gga} {
		if e.has[k] {
			e.parts[k].fill(&f)
		}
	}
	e.extras.fill(&f)
	if f.Speed >= 0 && f.Speed < minCourseSpeed {
		f.Course = -1
	}
	return f
}

// fill writes what a reading knows over what f has.
func (r *reading) fill(f *Fix) {
	f.Lat, f.Lon = r.lat, r.lon
	if r.hdop > 0 {
		f.HDOP = r.hdop
	}
	if r.satellites >= 0 {
		f.Satellites = r.satellites
	}
	if r.speed >= 0 {
		f.Speed = r.speed
	}
	if r.course >= 0 {
		f.Course = r.course
	}
	if r.hasAltitude {
		f.Altitude, f.HasAltitude = r.altitude, true
	}
}

// quality returns the least trustworthy of what the sentences say; of equals
// that of the most precise sentence.
func (e *epoch) quality() Quality {
	if e.extras.noFix() {
		return NoFix
	}
	worst := RTKFixed
	for _, k := range []kind{rmc, gns, gga} {
		if q := e.parts[k].quality; e.has[k] && q.trust() <= worst.trust() {
			worst = q
		}
	}
	return worst
}

func (e *epoch) broken() bool {
	for k := range e.parts {
		if e.has[k] && e.parts[k].broken {
			return true
		}
	}
	return false
}

// disagrees reports whether two sentences name different places: one of them
// has been damaged in a way that its checksum does not show.
func (e *epoch) disagrees() bool {
	for i := range e.parts {
		for j := range i {
			if e.has[i] && e.has[j] && e.parts[i].apart(&e.parts[j]) {
				return true
			}
		}
	}
	return false
}

func (r *reading) apart(o *reading) bool {
	dlon := math.Abs(r.lon - o.lon)
	dlon = min(dlon, 360-dlon) // 180 E and 180 W are one place
	return math.Abs(r.lat-o.lat) > maxApart || dlon > maxApart
}

// extras is what the sentences without a time say, GSA and VTG.
type extras struct {
	hasGSA, fix   bool // fix: at least one GSA has one, there is one for each system
	hasVTG        bool
	hdop          float64
	speed, course float64
}

func (x *extras) put(r reading) {
	if r.kind == gsa {
		x.hasGSA = true
		x.fix = x.fix || r.quality.measured()
		x.hdop = max(x.hdop, r.hdop)
		return
	}
	x.hasVTG = true
	x.speed, x.course = r.speed, r.course
}

// merge adds what newer extras know.
func (x *extras) merge(o extras) {
	if o.hasGSA {
		x.hasGSA, x.fix, x.hdop = true, x.fix || o.fix, max(x.hdop, o.hdop)
	}
	if o.hasVTG {
		x.hasVTG, x.speed, x.course = true, o.speed, o.course
	}
}

func (x *extras) noFix() bool { return x.hasGSA && !x.fix }

// fill completes f where RMC, GGA and GNS have left something open.
func (x *extras) fill(f *Fix) {
	if f.HDOP == 0 {
		f.HDOP = x.hdop
	}
	if !x.hasVTG {
		return
	}
	if f.Speed < 0 {
		f.Speed = x.speed
	}
	if f.Course < 0 {
		f.Course = x.course
	}
}
