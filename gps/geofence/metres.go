package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

const (
	equatorRadius = 6378137.0           // metres, WGS 84
	eccentricity2 = 0.00669437999014132 // WGS 84, squared
	radians       = math.Pi / 180
)

// metresPerDegree returns the length of a degree of longitude and of latitude
// on the ellipsoid at latitude lat.
func metresPerDegree(lat float64) (perLon, perLat float64) {
	sin, cos := math.Sincos(lat * radians)
	w := 1 - eccentricity2*sin*sin
	n := equatorRadius / math.Sqrt(w)
	return n * cos * radians, n * (1 - eccentricity2) / w * radians
}

// distance returns the metres from a to b on the plane that touches the
// ellipsoid at b: exact enough for the seconds between two fixes, and huge, as
// it should be, for anything a vehicle cannot have driven.
func distance(a, b orb.Point) float64 {
	perLon, perLat := metresPerDegree(b[1])
	return math.Hypot((a[0]-b[0])*perLon, (a[1]-b[1])*perLat)
}
