package capture

import (
	"math"
	"time"
)

const (
	earthRadius = 6371008.8 // metres, mean
	// samplerNoise is how far, in metres, a position must move before it
	// counts: a parked vehicle's fixes wander, and that is not travel.
	samplerNoise = 1.5
)

// Sampler says when a vehicle has travelled far enough to look again. It
// measures the distance along the fixes, so driving round the block and back
// to the same place is travel, and standing still is none. Each task has its
// own Sampler. The zero value is ready, and due. It is pure: no clock, and not
// for concurrent use.
type Sampler struct {
	lat, lon  float64
	at        time.Time
	placed    bool    // lat, lon, at hold a fix
	looked    bool    // a look was taken since the last Reset
	travelled float64 // metres since the last look
}

// Move takes a fix into account: degrees, and its time of arrival. Feed it
// every fix, looked at or not; a fix not newer than the last is ignored, and
// so is a position that is not finite or not on Earth. Moves shorter than the
// noise of a receiver add up only once they lead somewhere.
func (s *Sampler) Move(lat, lon float64, at time.Time) {
	if !onEarth(lat, lon) || s.placed && !at.After(s.at) {
		return
	}
	s.at = at
	if s.placed {
		d := distance(s.lat, s.lon, lat, lon)
		if d < samplerNoise {
			return
		}
		s.travelled += d
	}
	s.lat, s.lon, s.placed = lat, lon, true
}

// Look takes a fix into account as Move does and reports whether a look is
// due: at once after a Reset, otherwise when every metres or more were
// travelled since the last look that was due. Zero or less makes every call a
// look. Without any usable fix no look is due.
func (s *Sampler) Look(lat, lon float64, at time.Time, every float64) bool {
	s.Move(lat, lon, at)
	if !s.placed || !onEarth(lat, lon) || math.IsNaN(every) {
		return false
	}
	if s.looked && every > 0 && s.travelled < every {
		return false
	}
	s.looked, s.travelled = true, 0
	return true
}

// Reset forgets everything: the zone was left, the plan changed, the camera was
// off. The next look is due at once.
func (s *Sampler) Reset() {
	*s = Sampler{}
}

func onEarth(lat, lon float64) bool {
	// NaN fails both comparisons.
	return math.Abs(lat) <= 90 && math.Abs(lon) <= 180
}

// distance returns metres on a sphere, exact enough from a metre to a city.
func distance(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	s := math.Sin((lat2 - lat1) * rad / 2)
	t := math.Sin((lon2 - lon1) * rad / 2)
	h := s*s + math.Cos(lat1*rad)*math.Cos(lat2*rad)*t*t
	return 2 * earthRadius * math.Asin(math.Sqrt(min(h, 1)))
}
