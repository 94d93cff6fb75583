package gps

import (
	"math"
	"time"
)

const (
	// maxGap is how far apart in time two fixes may be for what lies between
	// them to be known: a vehicle can turn a corner in more.
	maxGap = 3 * time.Second

	// maxAhead is how far beyond the newer fix a position is extrapolated.
	maxAhead = time.Second

	// maxTravel is the speed in m/s between two fixes above which one of them
	// is wrong: 180 km/h, which no vehicle in a street drives.
	maxTravel = 50.0

	// standing is the speed in m/s below which a vehicle is taken to stand.
	standing = 0.5

	// maxDrift is how much receiver and host may differ on the time between two
	// fixes for the UTC between them to be known.
	maxDrift = time.Second
)

// Between returns the fix of the moment at, such as that of a frame, from the
// fix a before it and the newer fix b. Moments are compared by the host's clock
// as [Fix].At has it, that is by monotonic time wherever all three carry it;
// the receiver's UTC plays no part. Between is pure.
//
// From a.At to b.At everything is interpolated. The position goes straight from
// a to b at an even pace. Speed is in proportion, -1 if either is unknown.
// Course goes the shortest way round in proportion; if only one of the two is
// known it serves for both, and it is -1 below 1 m/s as in every Fix. Altitude
// is in proportion, and unknown if either is.
//
// After b.At, for at most one second, the vehicle is taken to go on straight
// ahead, with the course, speed and altitude of b. It is taken to stand where b
// is if b has no course, or no speed of at least 0.5 m/s.
//
// HDOP and Satellites are the worse of the two, unknown being the worst, and
// Quality is the less precise. Time goes along with the position; it is the zero
// time if either fix has none or if receiver and host differ by more than a
// second on how far apart they are. RolledOver is set if it is in either. At is
// at. At the very moment of a or b the result is that fix itself, but for At.
//
// It is not ok if a or b is not valid, b is not newer than a or more than three
// seconds newer, they are further apart than 50 m/s allow, or at lies before
// a.At or more than a second after b.At. The result is then the zero Fix. It is
// no measurement: do not give it to [Clock.Observe].
func Between(a, b Fix, at time.Time) (fix Fix, ok bool) {
	gap, since := b.At.Sub(a.At), at.Sub(a.At)
	if !a.Valid || !b.Valid || gap <= 0 || gap > maxGap || since < 0 || since > gap+maxAhead {
		return Fix{}, false
	}
	from, to := normalAt(a.Lat, a.Lon), normalAt(b.Lat, b.Lon)
	if from.metres(to) > maxTravel*gap.Seconds() {
		return Fix{}, false
	}
	switch {
	case since == 0:
		fix = a
	case since == gap:
		fix = b
	case since < gap:
		share := float64(since) / float64(gap)
		fix = a.blend(b, share)
		fix.Lat, fix.Lon = from.blend(to, share).degrees()
	default:
		fix = a.blend(b, 1)
		fix.Speed, fix.Course = b.Speed, b.Course
		fix.Altitude, fix.HasAltitude = b.Altitude, b.HasAltitude
		fix.Lat, fix.Lon = b.ahead(since - gap)
		if !fix.Time.IsZero() {
			fix.Time = fix.Time.Add(since - gap)
		}
	}
	fix.At = at
	// What lies exactly between two places can be the one that no fix may have.
	if fix.Lat == 0 && fix.Lon == 0 {
		return Fix{}, false
	}
	return fix, true
}

// blend returns what lies between f, at share 0, and g, at share 1, but for the
// position and At.
func (f Fix) blend(g Fix, share float64) Fix {
	out := Fix{
		Valid: true, RolledOver: f.RolledOver || g.RolledOver,
		Quality: lessPrecise(f.Quality, g.Quality), Satellites: min(f.Satellites, g.Satellites),
		Speed: -1, Course: blendCourse(f.Course, g.Course, share),
	}
	if f.HDOP > 0 && g.HDOP > 0 {
		out.HDOP = max(f.HDOP, g.HDOP)
	}
	if f.Speed >= 0 && g.Speed >= 0 {
		out.Speed = proportion(f.Speed, g.Speed, share)
	}
	if out.Speed >= 0 && out.Speed < minCourseSpeed {
		out.Course = -1
	}
	if f.HasAltitude && g.HasAltitude {
		out.Altitude, out.HasAltitude = proportion(f.Altitude, g.Altitude, share), true
	}
	if f.Time.IsZero() || g.Time.IsZero() {
		return out
	}
	utc := g.Time.Sub(f.Time)
	if (utc - g.At.Sub(f.At)).Abs() <= maxDrift {
		out.Time = f.Time.Add(time.Duration(share * float64(utc)))
	}
	return out
}

func proportion(a, b, share float64) float64 { return a + (b-a)*share }

// blendCourse turns from a to b, degrees or -1, the shortest way round.
func blendCourse(a, b, share float64) float64 {
	switch {
	case a < 0:
		return b
	case b < 0:
		return a
	}
	turn := math.Mod(b-a+540, 360) - 180
	return math.Mod(a+turn*share+360, 360)
}

func lessPrecise(a, b Quality) Quality {
	if a.precision() < b.precision() {
		return a
	}
	return b
}

// precision ranks qualities; the numbers of GGA do so but for those of RTK.
func (q Quality) precision() int {
	switch q {
	case RTKFixed:
		return int(RTKFloat)
	case RTKFloat:
		return int(RTKFixed)
	}
	return int(q)
}

// ahead returns where f is after going on straight for d.
func (f Fix) ahead(d time.Duration) (lat, lon float64) {
	if f.Course < 0 || f.Speed < standing {
		return f.Lat, f.Lon
	}
	return normalAt(f.Lat, f.Lon).moved(f.Course, f.Speed*d.Seconds()).degrees()
}

// A normal is the direction that is up at a place of the ellipsoid, as x, y, z.
// Unlike degrees it knows neither an antimeridian nor poles.
type normal [3]float64

const (
	radian        = 180 / math.Pi // in degrees
	earthMean     = 6371008.8     // metres, mean radius
	earthEquator  = 6378137.0     // metres, WGS 84
	eccentricity2 = 0.00669437999014132
)

func normalAt(lat, lon float64) normal {
	sinLat, cosLat := math.Sincos(lat / radian)
	sinLon, cosLon := math.Sincos(lon / radian)
	return normal{cosLat * cosLon, cosLat * sinLon, sinLat}
}

// degrees needs no unit length.
func (n normal) degrees() (lat, lon float64) {
	return math.Atan2(n[2], math.Hypot(n[0], n[1])) * radian, math.Atan2(n[1], n[0]) * radian
}

// metres returns a distance, right to half a per cent.
func (n normal) metres(o normal) float64 {
	return earthMean * math.Hypot(math.Hypot(n[0]-o[0], n[1]-o[1]), n[2]-o[2])
}

// blend returns the place at a share of the straight way from n to o, which are
// near each other.
func (n normal) blend(o normal, share float64) normal {
	for i := range n {
		n[i] = proportion(n[i], o[i], share)
	}
	return n
}

// moved returns the place some metres away, not many, in the direction of
// course, degrees from true north.
func (n normal) moved(course, metres float64) normal {
	sinLat, cosLat := n[2], math.Hypot(n[0], n[1])
	sinLon, cosLon := math.Sincos(math.Atan2(n[1], n[0]))
	north := normal{-sinLat * cosLon, -sinLat * sinLon, cosLat}
	east := normal{-sinLon, cosLon, 0}
	sin, cos := math.Sincos(course / radian)
	// The ellipsoid is curved more along the meridian than across it.
	w := 1 - eccentricity2*sinLat*sinLat
	across := earthEquator / math.Sqrt(w)
	along := across * (1 - eccentricity2) / w
	for i := range n {
		n[i] += metres * (north[i]*cos/along + east[i]*sin/across)
	}
	return n
}
