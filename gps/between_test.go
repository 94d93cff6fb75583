package gps

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// moving is a fix of a vehicle in motion, some time after the first.
func moving(after time.Duration, lat, lon float64) Fix {
	return Fix{
		At: arrival().Add(after), Time: noon().Add(after), Valid: true, Lat: lat, Lon: lon, Quality: Autonomous,
		HDOP: 0.9, Satellites: 11, Speed: 5, Course: 90, Altitude: 8, HasAltitude: true,
	}
}

// A space is a place on the ellipsoid in metres from the centre of the Earth:
// another way to reckon than the one that is tested.
type space [3]float64

func spaceOf(lat, lon float64) space {
	sinLat, cosLat := math.Sincos(lat * math.Pi / 180)
	sinLon, cosLon := math.Sincos(lon * math.Pi / 180)
	n := 6378137.0 / math.Sqrt(1-0.00669437999014132*sinLat*sinLat)
	return space{n * cosLat * cosLon, n * cosLat * sinLon, n * (1 - 0.00669437999014132) * sinLat}
}

func (s space) metres(o space) float64 {
	return math.Sqrt((s[0]-o[0])*(s[0]-o[0]) + (s[1]-o[1])*(s[1]-o[1]) + (s[2]-o[2])*(s[2]-o[2]))
}

// east and north are a metre each at a place.
func axes(lat, lon float64) (east, north space) {
	sinLat, cosLat := math.Sincos(lat * math.Pi / 180)
	sinLon, cosLon := math.Sincos(lon * math.Pi / 180)
	return space{-sinLon, cosLon, 0}, space{-sinLat * cosLon, -sinLat * sinLon, cosLat}
}

func (s space) plus(o space, by float64) space {
	return space{s[0] + o[0]*by, s[1] + o[1]*by, s[2] + o[2]*by}
}

// degreesOf returns the place above or below which s lies, by iteration.
func degreesOf(s space) (lat, lon float64) {
	const e2 = 0.00669437999014132
	far := math.Hypot(s[0], s[1])
	phi := math.Atan2(s[2], far*(1-e2))
	for range 10 {
		sin := math.Sin(phi)
		phi = math.Atan2(s[2]+e2*6378137/math.Sqrt(1-e2*sin*sin)*sin, far)
	}
	return phi * 180 / math.Pi, math.Atan2(s[1], s[0]) * 180 / math.Pi
}

// drawFix draws a fix such as a decoder may emit.
func drawFix(t *rapid.T, name string, at time.Time, lat, lon float64) Fix {
	f := Fix{At: at, Valid: true, Lat: lat, Lon: lon, Satellites: rapid.IntRange(-1, 30).Draw(t, name+" satellites")}
	f.Quality = rapid.SampledFrom([]Quality{Autonomous, Differential, PPS, RTKFixed, RTKFloat}).Draw(t, name+" quality")
	f.HDOP = max(0, rapid.Float64Range(-10, 50).Draw(t, name+" hdop"))
	f.Speed, f.Course = -1, -1
	if rapid.Bool().Draw(t, name+" has speed") {
		f.Speed = rapid.Float64Range(0, maxSpeed).Draw(t, name+" speed")
	}
	if f.Speed < 0 || f.Speed >= minCourseSpeed {
		f.Course = math.Mod(max(-1, rapid.Float64Range(-90, 359.999).Draw(t, name+" course")), 360)
		if f.Course < 0 {
			f.Course = -1
		}
	}
	if rapid.Bool().Draw(t, name+" has altitude") {
		f.Altitude, f.HasAltitude = rapid.Float64Range(-100, 3000).Draw(t, name+" altitude"), true
	}
	if rapid.Bool().Draw(t, name+" has time") {
		f.Time = noon().Add(at.Sub(arrival()))
	}
	return f
}

// drawPair draws two fixes that belong together, anywhere.
func drawPair(t *rapid.T) (a, b Fix) {
	lat, lon := rapid.Float64Range(-89.9, 89.9).Draw(t, "lat"), rapid.Float64Range(-180, 180).Draw(t, "lon")
	if lat == 0 && lon == 0 { // no fix is there
		lat = 1
	}
	gap := time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(maxGap)).Draw(t, "gap"))
	far := rapid.Float64Range(0, 0.95*maxTravel*gap.Seconds()).Draw(t, "metres")
	sin, cos := math.Sincos(rapid.Float64Range(0, 2*math.Pi).Draw(t, "direction"))
	east, north := axes(lat, lon)
	lat2, lon2 := degreesOf(spaceOf(lat, lon).plus(east, far*sin).plus(north, far*cos))
	return drawFix(t, "a", arrival(), lat, lon), drawFix(t, "b", arrival().Add(gap), lat2, lon2)
}

func TestBetweenIsAFix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawPair(t)
		at := a.At.Add(time.Duration(rapid.Int64Range(0, int64(b.At.Sub(a.At)+maxAhead)).Draw(t, "at")))
		f, ok := Between(a, b, at)
		if !ok {
			t.Fatalf("not ok: %+v, %+v at %v", a, b, at)
		}
		if c := complaint(f); c != "" {
			t.Errorf("%s: %+v", c, f)
		}
		if f.Speed >= 0 && f.Speed < minCourseSpeed && f.Course != -1 && at != a.At && at.Before(b.At) {
			t.Errorf("course %g at %g m/s", f.Course, f.Speed)
		}
		if !f.Valid || f.At != at {
			t.Errorf("valid %t at %v, want it at %v", f.Valid, f.At, at)
		}
	})
}

// At a it is a and at b it is b, and near them it is near.
func TestBetweenEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawPair(t)
		for _, end := range []Fix{a, b} {
			f, ok := Between(a, b, end.At)
			if !ok || f != end {
				t.Errorf("got %+v, %t, want %+v", f, ok, end)
			}
		}
		from, to := spaceOf(a.Lat, a.Lon), spaceOf(b.Lat, b.Lon)
		for _, near := range []struct {
			at time.Time
			to space
		}{{a.At.Add(1), from}, {b.At.Add(-1), to}, {b.At.Add(1), to}} {
			f, ok := Between(a, b, near.at)
			if d := spaceOf(f.Lat, f.Lon).metres(near.to); !ok || d > 0.001 {
				t.Errorf("%t, %g m away a nanosecond from an end", ok, d)
			}
		}
	})
}

// The way between is straight and its pace even.
func TestBetweenStraight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawPair(t)
		gap := b.At.Sub(a.At)
		since := time.Duration(rapid.Int64Range(1, int64(gap)-1).Draw(t, "since"))
		f, ok := Between(a, b, a.At.Add(since))
		from, to := spaceOf(a.Lat, a.Lon), spaceOf(b.Lat, b.Lon)
		share := float64(since) / float64(gap)
		want := space{}.plus(from, 1-share).plus(to, share)
		if d := spaceOf(f.Lat, f.Lon).metres(want); !ok || d > 0.01 {
			t.Errorf("%t, %g m off the line at share %g of %g m", ok, d, share, from.metres(to))
		}
	})
}

func TestBetweenMidpoint(t *testing.T) {
	tests := []struct {
		name                   string
		lat, lon, lat2, lon2   float64
		wantLat, wantLon, miss float64 // degrees
	}{
		{"east", 55.67, 12.56, 55.67, 12.5606, 55.67, 12.5603, 1e-9},
		{"north", 55.67, 12.56, 55.6702, 12.56, 55.6701, 12.56, 1e-9},
		{"antimeridian eastward", -17, 179.9999, -17, -179.9997, -17, -179.9999, 1e-9},
		{"antimeridian westward", -17, -179.9999, -17, 179.9997, -17, 179.9999, 1e-9},
		{"on the antimeridian", 10, 180, 10.0002, -180, 10.0001, 180, 1e-9},
		{"equator", -0.0001, 30, 0.0003, 30, 0.0001, 30, 1e-9},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := moving(0, tt.lat, tt.lon), moving(time.Second, tt.lat2, tt.lon2)
			f, ok := Between(a, b, a.At.Add(500*time.Millisecond))
			dlon := math.Abs(f.Lon - tt.wantLon)
			if !ok || math.Abs(f.Lat-tt.wantLat) > tt.miss || min(dlon, 360-dlon) > tt.miss {
				t.Errorf("%.9f %.9f, %t, want %.9f %.9f", f.Lat, f.Lon, ok, tt.wantLat, tt.wantLon)
			}
		})
	}
}

// Beyond b it goes on straight ahead.
func TestBetweenAhead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawPair(t)
		d := time.Duration(rapid.Int64Range(1, int64(maxAhead)).Draw(t, "ahead"))
		f, ok := Between(a, b, b.At.Add(d))
		east, north := axes(b.Lat, b.Lon)
		far := b.Speed * d.Seconds()
		if b.Course < 0 || b.Speed < standing {
			far = 0
		}
		sin, cos := math.Sincos(b.Course * math.Pi / 180)
		want := spaceOf(b.Lat, b.Lon).plus(east, far*sin).plus(north, far*cos)
		if miss := spaceOf(f.Lat, f.Lon).metres(want); !ok || miss > 0.01 {
			t.Errorf("%t, %g m off after %g m at %g degrees", ok, miss, far, b.Course)
		}
		if f.Speed != b.Speed || f.Course != b.Course || f.Altitude != b.Altitude || f.HasAltitude != b.HasAltitude {
			t.Errorf("got %+v, want speed, course and altitude of %+v", f, b)
		}
		if far == 0 && (f.Lat != b.Lat || f.Lon != b.Lon) {
			t.Errorf("it stands at %g %g and is taken to be at %g %g", b.Lat, b.Lon, f.Lat, f.Lon)
		}
	})
}

// The same at speeds and places that vehicles have.
func TestBetweenAheadOnTheRoad(t *testing.T) {
	for _, lat := range []float64{-55, 0, 35, 55, 70} {
		for course := 0.0; course < 360; course += 30 {
			a, b := moving(0, lat, 12), moving(time.Second, lat, 12)
			b.Speed, b.Course = 20, course
			f, ok := Between(a, b, b.At.Add(time.Second))
			east, north := axes(lat, 12)
			sin, cos := math.Sincos(course * math.Pi / 180)
			want := spaceOf(lat, 12).plus(east, 20*sin).plus(north, 20*cos)
			if miss := spaceOf(f.Lat, f.Lon).metres(want); !ok || miss > 0.01 {
				t.Errorf("%t, %g m off after 20 m at %g degrees in latitude %g", ok, miss, course, lat)
			}
		}
	}
}

func TestBetweenCourse(t *testing.T) {
	tests := []struct {
		a, b, share, want float64
	}{
		{10, 20, 0.5, 15}, {20, 10, 0.25, 17.5},
		{350, 10, 0.5, 0}, {350, 20, 0.5, 5}, {10, 350, 0.25, 5}, {10, 350, 0.75, 355}, {359, 1, 0.25, 359.5}, {1, 359, 0.5, 0},
		{0, 179, 0.5, 89.5}, {0, 181, 0.5, 270.5}, {270, 91, 0.5, 180.5}, {359.9, 359.9, 0.5, 359.9}, {0, 0, 0.5, 0},
		{-1, 30, 0.25, 30}, {30, -1, 0.75, 30}, {-1, -1, 0.5, -1},
	}
	for _, tt := range tests {
		a, b := moving(0, 55, 12), moving(time.Second, 55, 12)
		a.Course, b.Course = tt.a, tt.b
		f, ok := Between(a, b, a.At.Add(time.Duration(tt.share*float64(time.Second))))
		if !ok || math.Abs(f.Course-tt.want) > 1e-9 || f.Course >= 360 {
			t.Errorf("from %g to %g at %g: %g, want %g", tt.a, tt.b, tt.share, f.Course, tt.want)
		}
	}
}

func TestBetweenValues(t *testing.T) {
	a, b := moving(0, 55, 12), moving(2*time.Second, 55, 12.0001)
	b.Speed, b.HDOP, b.Satellites, b.Altitude, b.Quality = 9, 1.4, 7, 10, RTKFloat
	edit := func(change func(a, b *Fix)) [2]Fix {
		pair := [2]Fix{a, b}
		change(&pair[0], &pair[1])
		return pair
	}
	quarter := Fix{
		At: arrival().Add(500 * time.Millisecond), Time: noon().Add(500 * time.Millisecond), Valid: true, Lat: 55, Lon: 12.000025,
		Quality: Autonomous, HDOP: 1.4, Satellites: 7, Speed: 6, Course: 90, Altitude: 8.5, HasAltitude: true,
	}
	want := func(change func(*Fix)) Fix { f := quarter; change(&f); return f }
	tests := []struct {
		name string
		pair [2]Fix
		want Fix
	}{
		{"all known", [2]Fix{a, b}, quarter},
		{"HDOP unknown to one", edit(func(a, _ *Fix) { a.HDOP = 0 }), want(func(f *Fix) { f.HDOP = 0 })},
		{"HDOP worse before", edit(func(a, _ *Fix) { a.HDOP = 3 }), want(func(f *Fix) { f.HDOP = 3 })},
		{"satellites unknown to one", edit(func(_, b *Fix) { b.Satellites = -1 }), want(func(f *Fix) { f.Satellites = -1 })},
		{"fewer satellites before", edit(func(a, _ *Fix) { a.Satellites = 4 }), want(func(f *Fix) { f.Satellites = 4 })},
		{"speed unknown to one", edit(func(_, b *Fix) { b.Speed = -1 }), want(func(f *Fix) { f.Speed = -1 })},
		{"course is noise below 1 m/s", edit(func(a, b *Fix) { a.Speed, a.Course, b.Speed = 0.2, -1, 2 }), want(func(f *Fix) { f.Speed, f.Course = 0.65, -1 })},
		{"course of the one that moves", edit(func(a, b *Fix) { a.Speed, a.Course, b.Speed = 0.8, -1, 4 }), want(func(f *Fix) { f.Speed = 1.6 })},
		{"altitude unknown to one", edit(func(a, _ *Fix) { a.Altitude, a.HasAltitude = 0, false }), want(func(f *Fix) { f.Altitude, f.HasAltitude = 0, false })},
		{"UTC unknown to one", edit(func(a, _ *Fix) { a.Time = time.Time{} }), want(func(f *Fix) { f.Time = time.Time{} })},
		{"UTC jumps", edit(func(_, b *Fix) { b.Time = b.Time.Add(time.Hour) }), want(func(f *Fix) { f.Time = time.Time{} })},
		{"UTC at another pace, within tolerance", edit(func(_, b *Fix) { b.Time = b.Time.Add(400 * time.Millisecond) }), want(func(f *Fix) { f.Time = noon().Add(600 * time.Millisecond) })},
		{"rolled over", edit(func(_, b *Fix) { b.RolledOver = true }), want(func(f *Fix) { f.RolledOver = true })},
		{"less precise of two", edit(func(a, b *Fix) { a.Quality, b.Quality = RTKFloat, RTKFixed }), want(func(f *Fix) { f.Quality = RTKFloat })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := Between(tt.pair[0], tt.pair[1], quarter.At)
			if diff := cmp.Diff(tt.want, got, near()); !ok || diff != "" {
				t.Errorf("%t, -want +got\n%s", ok, diff)
			}
		})
	}
	ahead, ok := Between(a, b, b.At.Add(time.Second))
	if !ok || ahead.HDOP != 1.4 || ahead.Satellites != 7 || ahead.Quality != Autonomous || !ahead.Time.Equal(noon().Add(3*time.Second)) {
		t.Errorf("ahead: %+v, %t", ahead, ok)
	}
}

func TestBetweenRefuses(t *testing.T) {
	const s = time.Second
	good := func() [2]Fix { return [2]Fix{moving(0, 55, 12), moving(s, 55, 12.00005)} }
	edit := func(change func(a, b *Fix)) [2]Fix {
		pair := good()
		change(&pair[0], &pair[1])
		return pair
	}
	far := 40.0 / 111320 // degrees of latitude in about 40 m
	tests := []struct {
		name string
		pair [2]Fix
		at   time.Duration // since a
		ok   bool
	}{
		{"between", good(), s / 2, true},
		{"before a", good(), -1, false},
		{"long before a", good(), math.MinInt64 / 2, false},
		{"a second after b", good(), 2 * s, true},
		{"more than a second after b", good(), 2*s + 1, false},
		{"long after b", good(), math.MaxInt64 / 2, false},
		{"a is not valid", edit(func(a, _ *Fix) { a.Valid = false }), s / 2, false},
		{"b is not valid", edit(func(_, b *Fix) { b.Valid = false }), s / 2, false},
		{"the other way round", edit(func(a, b *Fix) { *a, *b = *b, *a }), -s / 2, false},
		{"the same moment", edit(func(a, b *Fix) { b.At = a.At }), 0, false},
		{"three seconds apart", edit(func(_, b *Fix) { b.At = b.At.Add(2 * s) }), s, true},
		{"more than three seconds apart", edit(func(_, b *Fix) { b.At = b.At.Add(2*s + 1) }), s, false},
		{"40 m/s", edit(func(_, b *Fix) { b.Lat += far }), s / 2, true},
		{"80 m/s", edit(func(_, b *Fix) { b.Lat += 2 * far }), s / 2, false},
		{"80 m/s, at a", edit(func(_, b *Fix) { b.Lat += 2 * far }), 0, false},
		{"80 m in two seconds", edit(func(_, b *Fix) { b.Lat += 2 * far; b.At = b.At.Add(s) }), s / 2, true},
		{"round the world", edit(func(_, b *Fix) { b.Lon -= 180 }), s / 2, false},
		{"through 0/0", [2]Fix{moving(0, 0.0001, -0.0001), moving(s, -0.0001, 0.0001)}, s / 2, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, ok := Between(tt.pair[0], tt.pair[1], tt.pair[0].At.Add(tt.at))
			if ok != tt.ok || !ok && f != (Fix{}) {
				t.Errorf("%t, want %t, with %+v", ok, tt.ok, f)
			}
		})
	}
}

// Setting the host's clock between two fixes, or between a fix and the frame,
// changes nothing.
func TestBetweenWithHostClockSet(t *testing.T) {
	const boot = 12 * time.Second
	a, b := moving(0, 55, 12), moving(time.Second, 55, 12.0001)
	for _, wall := range [][3]time.Time{
		{time.Unix(100, 0), noon(), time.Unix(101, 0)},
		{noon(), time.Unix(100, 0), noon()},
		{noon(), noon().Add(time.Second), time.Unix(100, 0)},
	} {
		a.At, b.At = hostTime(t, wall[0], boot), hostTime(t, wall[1], boot+time.Second)
		at := hostTime(t, wall[2], boot+500*time.Millisecond)
		f, ok := Between(a, b, at)
		if !ok || math.Abs(f.Lon-12.00005) > 1e-9 || f.At != at {
			t.Errorf("clock %v: %+v, %t, want 12.00005 at %v with its monotonic reading", wall, f, ok, at)
		}
	}
}

func TestBetweenAllocatesNothing(t *testing.T) {
	a, b := moving(0, 55, 12), moving(time.Second, 55, 12.0001)
	if n := testing.AllocsPerRun(100, func() {
		if _, ok := Between(a, b, b.At.Add(-1)); !ok {
			t.Error("not ok")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
