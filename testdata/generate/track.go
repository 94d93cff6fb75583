package main

import (
	"bytes"
	"fmt"
	"math"
	"time"
)

// The street begins north of Sankt Hans Torv in Copenhagen and runs north-west; houses and people are invented.
const (
	originLat, originLon = 55.69080, 12.55930
	bearing              = 325.0 // degrees true of the street's first metres
	metresPerDegree      = 111_320.0
	fixesPerSecond       = 5
)

// started is the moment of the drive's first fix, a Tuesday morning.
func started() time.Time { return time.Date(2026, time.June, 9, 8, 15, 0, 0, time.UTC) }

// geodetic turns a place of the stage into latitude and longitude.
func geodetic(p vec) (lat, lon float64) {
	s, c := math.Sincos(bearing * math.Pi / 180)
	north, east := p.Z*c-p.X*s, p.Z*s+p.X*c
	lat = originLat + north/metresPerDegree
	return lat, originLon + east/(metresPerDegree*math.Cos(originLat*math.Pi/180))
}

// reception is how well the receiver hears the sky at a time of the drive.
type reception struct {
	fixed      bool
	hdop       float64
	satellites int
}

// received lists the two bad moments: behind the bus in the first zone few satellites are left, and in the second
// there are none for a while.
func received(t float64) reception {
	switch {
	case t >= 46 && t < 50:
		return reception{true, 6.2 + 2.5*grain(t, 0, 701), 5}
	case t >= 66 && t < 69:
		return reception{false, 99.99, 0}
	}
	return reception{true, 0.8 + 0.3*grain(t/6, 0, 702), 10 + int(3*grain(t/9, 0, 703))}
}

// fix is one epoch of the receiver.
type fix struct {
	utc           time.Time
	lat, lon      float64
	speed, course float64 // metres per second, degrees true
	reception
}

// fixAt is what the receiver says at t seconds. It errs by a slowly wandering few decimetres, more where it hears badly.
func fixAt(l *line, t float64) fix {
	s, speed := travelled(t)
	r := received(t)
	p := l.at(s, 0)
	wander := vec{grain(t/7, 0, 704) - 0.5, 0, grain(t/7, 0, 705) - 0.5}.mul(0.8 * r.hdop)
	if !r.fixed {
		wander = vec{}
	}
	lat, lon := geodetic(p.O.add(wander))
	course := math.Mod(bearing+l.heading(s)*180/math.Pi+(grain(t/2, 0, 706)-0.5)*0.8+360, 360)
	return fix{
		utc: started().Add(time.Duration(math.Round(t*1000)) * time.Millisecond),
		lat: lat, lon: lon, speed: speed, course: course, reception: r,
	}
}

// nmea writes the whole drive as RMC and GGA sentences.
func nmea(l *line) []byte {
	var b bytes.Buffer
	for i := range seconds*fixesPerSecond + 1 {
		f := fixAt(l, float64(i)/fixesPerSecond)
		b.WriteString(sentence(f.rmc()))
		b.WriteString(sentence(f.gga()))
	}
	return b.Bytes()
}

func (f fix) rmc() string {
	clock, date := f.utc.Format("150405.00"), f.utc.Format("020106")
	if !f.fixed {
		return fmt.Sprintf("GNRMC,%s,V,,,,,,,%s,,,N", clock, date)
	}
	const knot = 1852.0 / 3600
	return fmt.Sprintf("GNRMC,%s,A,%s,%.3f,%.2f,%s,,,A", clock, f.place(), f.speed/knot, f.course, date)
}

func (f fix) gga() string {
	clock := f.utc.Format("150405.00")
	if !f.fixed {
		return fmt.Sprintf("GNGGA,%s,,,,,0,00,99.99,,,,,,", clock)
	}
	return fmt.Sprintf("GNGGA,%s,%s,1,%02d,%.2f,9.4,M,37.1,M,,", clock, f.place(), f.satellites, f.hdop)
}

// place writes latitude and longitude as NMEA does, in degrees and minutes.
func (f fix) place() string { return angle(f.lat, 2) + ",N," + angle(f.lon, 3) + ",E" }

func angle(deg float64, digits int) string {
	whole := math.Floor(deg)
	minutes := math.Round((deg-whole)*60*1e5) / 1e5
	if minutes >= 60 {
		whole, minutes = whole+1, 0
	}
	return fmt.Sprintf("%0*d%08.5f", digits, int(whole), minutes)
}

// sentence frames a body with its checksum.
func sentence(body string) string {
	sum := byte(0)
	for i := range len(body) {
		sum ^= body[i]
	}
	return fmt.Sprintf("$%s*%02X\r\n", body, sum)
}
