package main

import (
	"context"
	"fmt"
	"math"
	"net"
	"sync"
	"time"
)

// The street runs east; the zone is the strip north of it. The vehicle drives up and
// down the street, in a lane outside of the zone or in one inside.
const (
	originLat, originLon = 55.6910, 12.5590 // the street's western end

	streetLength = 500.0 // metres
	zoneDepth    = 80.0
	outsideLane  = -15.0 // metres north of the zone's edge
	insideLane   = 30.0

	drivingSpeed  = 3.0 // metres per second along the street
	crossingSpeed = 5.0 // and across

	fixEvery = 200 * time.Millisecond
	hdop     = 0.9
)

// place turns metres into degrees.
func place(east, north float64) (lat, lon float64) {
	const metresPerDegree = 111_195
	return originLat + north/metresPerDegree, originLon + east/metresPerDegree/math.Cos(originLat*math.Pi/180)
}

// zone is the strip as a GeoJSON feature.
func zone() map[string]any {
	var ring [][2]float64
	for _, p := range [][2]float64{{-50, 0}, {streetLength + 50, 0}, {streetLength + 50, zoneDepth}, {-50, zoneDepth}, {-50, 0}} {
		lat, lon := place(p[0], p[1])
		ring = append(ring, [2]float64{lon, lat})
	}
	return map[string]any{
		"type": "Feature", "id": "strip", "properties": map[string]any{"name": "North of the street"},
		"geometry": map[string]any{"type": "Polygon", "coordinates": [][][2]float64{ring}},
	}
}

// route is the vehicle under way and its GPS receiver, which knows where that is.
type route struct {
	mu          sync.Mutex // guards what follows
	east, north float64
	west        bool    // the way it drives
	lane        float64 // that it is in or changes to
	entered     time.Time
	left        time.Time
	receiver    net.Conn // nil: it is silent
}

func newRoute() *route { return &route{north: outsideLane, lane: outsideLane} }

// drive sends fixes until ctx ends.
func (r *route) drive(ctx context.Context) {
	tick := time.NewTicker(fixEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			r.fix(now)
		}
	}
}

// fix moves the vehicle on and says where it is.
func (r *route) fix(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	east, north := r.moveLocked(now)
	if r.receiver == nil {
		return
	}
	speed, course := math.Hypot(east, north)/fixEvery.Seconds(), math.Mod(math.Atan2(east, north)*180/math.Pi+360, 360)
	lat, lon := place(r.east, r.north)
	// A line that nobody reads must not hold the vehicle up; a sentence that is cut
	// off has no checksum.
	if err := r.receiver.SetWriteDeadline(time.Now().Add(fixEvery / 2)); err != nil {
		return
	}
	_, _ = r.receiver.Write([]byte(rmc(now, lat, lon, speed, course) + gga(now, lat, lon)))
}

// moveLocked drives for the time between two fixes and returns how far, in metres.
func (r *route) moveLocked(now time.Time) (east, north float64) {
	step := fixEvery.Seconds()
	if r.east > streetLength {
		r.west = true
	} else if r.east < 0 {
		r.west = false
	}
	east = drivingSpeed * step
	if r.west {
		east = -east
	}
	north = max(-crossingSpeed*step, min(crossingSpeed*step, r.lane-r.north))
	before := r.north
	r.east, r.north = r.east+east, r.north+north
	switch {
	case before < 0 && r.north >= 0:
		r.entered = now
	case before >= 0 && r.north < 0:
		r.left = now
	}
	return east, north
}

// change drives to the lane inside the zone, or to the one outside.
func (r *route) change(inside bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lane = outsideLane
	if inside {
		r.lane = insideLane
	}
}

// crossed returns when the vehicle crossed the zone's edge last, inwards and outwards.
func (r *route) crossed() (entered, left time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.entered, r.left
}

// hear plugs the receiver into a line of the machine, or out of all with "".
func (r *route) hear(socket string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.receiver != nil {
		_ = r.receiver.Close() // the machine may have gone
		r.receiver = nil
	}
	if socket == "" {
		return nil
	}
	c, err := net.Dial("unix", socket)
	if err != nil {
		return fmt.Errorf("plug the GPS in: %w", err)
	}
	// Sentences that nobody reads must not be kept for later, as no cable does.
	if err := c.(*net.UnixConn).SetWriteBuffer(1); err != nil {
		return err
	}
	r.receiver = c
	return nil
}

// rmc and gga are sentences as a receiver sends them. speed is in metres per second,
// course in degrees.
func rmc(at time.Time, lat, lon, speed, course float64) string {
	const knot = 1852.0 / 3600
	at = at.UTC()
	return sentence(fmt.Sprintf("GNRMC,%s,A,%s,%s,%.3f,%.2f,%s,,,A", clock(at), angle(lat, "N", "S", 2), angle(lon, "E", "W", 3), speed/knot, course, at.Format("020106")))
}

func gga(at time.Time, lat, lon float64) string {
	return sentence(fmt.Sprintf("GNGGA,%s,%s,%s,1,11,%.2f,9.4,M,37.1,M,,", clock(at.UTC()), angle(lat, "N", "S", 2), angle(lon, "E", "W", 3), hdop))
}

// clock is a time of day to hundredths.
func clock(at time.Time) string {
	return fmt.Sprintf("%s.%02d", at.Format("150405"), at.Nanosecond()/10_000_000)
}

// angle is a latitude or longitude in degrees and minutes.
func angle(degrees float64, positive, negative string, digits int) string {
	side := positive
	if degrees < 0 {
		side, degrees = negative, -degrees
	}
	whole := math.Floor(degrees)
	return fmt.Sprintf("%0*d%08.5f,%s", digits, int(whole), (degrees-whole)*60, side)
}

func sentence(body string) string {
	sum := byte(0)
	for i := range len(body) {
		sum ^= body[i]
	}
	return fmt.Sprintf("$%s*%02X\r\n", body, sum)
}
