package gps

import (
	"math"
	"strconv"
	"strings"

	"github.com/adrianmo/go-nmea"
)

// Limits of what is believed.
const (
	maxSpeed    = 120.0 // m/s: no road vehicle; a solution that says so is none
	maxHDOP     = 100.0 // 99.99 is what several receivers write for "none"
	minAltitude = -1000.0
	maxAltitude = 20000.0
)

// Units and widths of the standard.
const (
	knot            = 1852.0 / 3600 // in m/s
	kilometreHour   = 1000.0 / 3600 // in m/s
	latitudeDigits  = 2             // of whole degrees
	longitudeDigits = 3
)

// fields holds the raw fields of one sentence beside what the library made of
// them, because the library gives 0 for an empty field, takes "nan" for a
// number, and accepts a latitude of 151 degrees or 99 minutes.
type fields struct {
	raw   []string
	wrong bool // some value was there and impossible
}

// reading translates a sentence of the library.
func (f *fields) reading(s nmea.Sentence) (reading, bool) {
	switch m := s.(type) {
	case nmea.RMC:
		return f.rmc(m), true
	case nmea.GGA:
		return f.gga(m), true
	case nmea.GNS:
		return f.gns(m), true
	case nmea.ZDA:
		r := blank(zda)
		r.time, r.date = f.clock(m.Time), f.longDate(m)
		return r, true
	case nmea.GSA:
		return f.gsa(m), true
	case nmea.VTG:
		return f.vtg(m), true
	}
	return reading{}, false
}

// blank is a reading that knows nothing.
func blank(k kind) reading {
	return reading{kind: k, time: noTime, satellites: -1, speed: -1, course: -1}
}

func (f *fields) rmc(m nmea.RMC) reading {
	r := blank(rmc)
	r.time, r.date = f.clock(m.Time), f.shortDate(m.Date)
	r.quality = statusQuality(m.Validity, f.mode())
	if !r.quality.measured() {
		return r // such sentences carry the last position, or nonsense
	}
	f.position(&r, 2, m.Latitude, m.Longitude)
	r.course = f.course(7, m.Course)
	if v, ok := f.number(6, m.Speed, 0, math.Inf(1)); ok {
		r.speed = v * knot
	}
	if r.speed > maxSpeed {
		r.speed, r.broken, f.wrong = -1, true, true
	}
	return r
}

func (f *fields) gga(m nmea.GGA) reading {
	r := blank(gga)
	r.time = f.clock(m.Time)
	// An empty quality means none; the library has checked the others.
	q, _ := strconv.Atoi(f.at(5))
	r.quality = Quality(q)
	if !r.quality.measured() {
		return r
	}
	f.position(&r, 1, m.Latitude, m.Longitude)
	f.precision(&r, m.NumSatellites, m.HDOP, m.Altitude)
	return r
}

func (f *fields) gns(m nmea.GNS) reading {
	r := blank(gns)
	r.time = f.clock(m.Time)
	r.quality = systemsQuality(strings.Join(m.Mode, ""))
	if !r.quality.measured() {
		return r
	}
	f.position(&r, 1, m.Latitude, m.Longitude)
	f.precision(&r, m.SVs, m.HDOP, m.Altitude)
	return r
}

func (f *fields) gsa(m nmea.GSA) reading {
	r := blank(gsa)
	if m.FixType == nmea.Fix2D || m.FixType == nmea.Fix3D {
		r.quality = Autonomous
	}
	r.hdop = f.hdop(15, m.HDOP)
	return r
}

func (f *fields) vtg(m nmea.VTG) reading {
	r := blank(vtg)
	if mode := f.at(8); mode != "" && !modeQuality(mode).measured() {
		return r
	}
	r.course = f.course(0, m.TrueTrack)
	v, ok := f.number(4, m.GroundSpeedKnots, 0, maxSpeed/knot)
	v *= knot
	if !ok {
		v, ok = f.number(6, m.GroundSpeedKPH, 0, maxSpeed/kilometreHour)
		v *= kilometreHour
	}
	if ok {
		r.speed = v
	}
	return r
}

// position sets latitude and longitude from the four fields that begin at i,
// or marks the reading as broken.
func (f *fields) position(r *reading, i int, lat, lon float64) {
	ns, ew := f.at(i+1), f.at(i+3)
	sound := coordinate(f.at(i), latitudeDigits) && (ns == nmea.North || ns == nmea.South) &&
		coordinate(f.at(i+2), longitudeDigits) && (ew == nmea.East || ew == nmea.West) &&
		lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180 &&
		(lat != 0 || lon != 0)
	if !sound {
		r.broken, f.wrong = true, true
		return
	}
	r.lat, r.lon = lat, lon
}

// coordinate reports whether s is degrees and minutes as the standard writes
// them: n digits of degrees, two of minutes below 60, perhaps a fraction.
func coordinate(s string, n int) bool {
	if len(s) < n+2 || s[n] > '5' {
		return false
	}
	for i := range len(s) {
		point := i == n+2 && s[i] == '.'
		if !point && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// precision sets what GGA and GNS, which have them at the same places, say of
// satellites, HDOP and altitude.
func (f *fields) precision(r *reading, satellites int64, hdop, altitude float64) {
	r.hdop = f.hdop(7, hdop)
	if v, ok := f.number(6, float64(satellites), 0, 999); ok {
		r.satellites = int(v)
	}
	r.altitude, r.hasAltitude = f.number(8, altitude, minAltitude, maxAltitude)
}

// hdop returns 0 for an HDOP that is unknown; receivers write that too.
func (f *fields) hdop(i int, v float64) float64 {
	v, _ = f.number(i, v, 0, maxHDOP)
	return v
}

// course returns -1 for a course that is unknown.
func (f *fields) course(i int, v float64) float64 {
	v, ok := f.number(i, v, 0, 360)
	if !ok {
		return -1
	}
	if v == 360 {
		return 0
	}
	return v
}

// number returns the value of field i, and whether there is one between lo and
// hi. NaN is between nothing. Minus zero becomes zero.
func (f *fields) number(i int, v, lo, hi float64) (float64, bool) {
	if f.at(i) == "" {
		return 0, false
	}
	if !(v >= lo && v <= hi) {
		f.wrong = true
		return 0, false
	}
	return v + 0, true
}

// at returns field i, empty if the sentence is shorter.
func (f *fields) at(i int) string {
	if i >= len(f.raw) {
		return ""
	}
	return f.raw[i]
}

// mode returns the mode letter of RMC. NMEA 2.x receivers that leave out the
// direction of the variation write it one field earlier.
func (f *fields) mode() string {
	early := f.at(10)
	if len(f.raw) == 11 && early != nmea.East && early != nmea.West {
		return early
	}
	return f.at(11)
}

// statusQuality combines status and mode of RMC. The mode may be missing, the
// status may not.
func statusQuality(status, mode string) Quality {
	q := Autonomous
	if mode != "" {
		q = modeQuality(mode)
	}
	if status != nmea.ValidRMC && q.measured() {
		return NoFix
	}
	return q
}

// systemsQuality combines the mode letters that GNS has for each satellite
// system: one that measures is enough, the best one names the quality.
func systemsQuality(modes string) Quality {
	for _, m := range []string{"R", "F", "P", "D", "A", "E", "M", "S"} {
		if strings.Contains(modes, m) {
			return modeQuality(m)
		}
	}
	return NoFix
}

// modeQuality translates one mode letter. Letters that makers have added are
// not known to mean a measured position.
func modeQuality(mode string) Quality {
	switch mode {
	case nmea.AutonomousGNS:
		return Autonomous
	case nmea.DifferentialGNS:
		return Differential
	case nmea.PreciseGNS:
		return PPS
	case nmea.RealTimeKinematicGNS:
		return RTKFixed
	case nmea.FloatRTKGNS:
		return RTKFloat
	case nmea.EstimatedGNS:
		return Estimated
	case nmea.ManualGNS:
		return Manual
	case nmea.SimulatorGNS:
		return Simulated
	}
	return NoFix
}
