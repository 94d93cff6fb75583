package main

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestTravelledIsSteady(t *testing.T) {
	last, _ := travelled(0)
	for i := 1; i <= seconds*100; i++ {
		s, v := travelled(float64(i) / 100)
		if d := s - last; d < 0 || math.Abs(d-v/100) > 0.01 {
			t.Fatalf("at %.2f s: %.3f m in a hundredth of a second at %.2f m/s", float64(i)/100, d, v)
		}
		last = s
	}
}

func TestAngle(t *testing.T) {
	for _, c := range []struct {
		deg    float64
		digits int
		want   string
	}{
		{55.5, 2, "5530.00000"}, {12.5593, 3, "01233.55800"}, {9.0, 3, "00900.00000"}, {12.99999999999, 3, "01300.00000"},
	} {
		if got := angle(c.deg, c.digits); got != c.want {
			t.Errorf("angle(%v) = %q, want %q", c.deg, got, c.want)
		}
	}
}

func TestSentences(t *testing.T) {
	// A sentence of a real receiver, to know the checksum is the right one.
	if got, want := sentence("GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,"), "$GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,*76\r\n"; got != want {
		t.Errorf("sentence %q, want %q", got, want)
	}
	f := fix{
		utc: time.Date(2026, 6, 9, 8, 15, 7, 200e6, time.UTC), lat: 55.5, lon: 12.25, speed: 1852.0 / 3600, course: 9.5,
		reception: reception{true, 0.9, 11},
	}
	lost := f
	lost.reception = reception{false, 99.99, 0}
	for got, want := range map[string]string{
		sentence(f.rmc()):    "$GNRMC,081507.20,A,5530.00000,N,01215.00000,E,1.000,9.50,090626,,,A*7B\r\n",
		sentence(f.gga()):    "$GNGGA,081507.20,5530.00000,N,01215.00000,E,1,11,0.90,9.4,M,37.1,M,,*4E\r\n",
		sentence(lost.rmc()): "$GNRMC,081507.20,V,,,,,,,090626,,,N*61\r\n",
		sentence(lost.gga()): "$GNGGA,081507.20,,,,,0,00,99.99,,,,,,*71\r\n",
	} {
		if got != want {
			t.Errorf("sentence %q, want %q", got, want)
		}
	}
}

// The drive has something for every no of the gate: a poor fix, a lost one, too much speed, a hole, closed hours.
func TestTheDriveGivesReasonsToSayNo(t *testing.T) {
	poor, lost, fast, hole, closed := 0, 0, 0, 0, 0
	for _, ms := range shots() {
		at := float64(ms) / 1000
		s, speed := travelled(at)
		r := received(at)
		inside := zoneOne().covers(s) || zoneTwo().covers(s)
		switch {
		case inside && !r.fixed:
			lost++
		case inside && r.hdop > 4:
			poor++
		case inside && speed*3.6 > tasks()[0].MaxSpeedKmh:
			fast++
		case schoolYard().covers(s):
			hole++
		case zoneThree().covers(s):
			closed++
		}
	}
	if poor < 2 || lost < 2 || fast < 1 || hole < 2 || closed < 2 {
		t.Errorf("frames with a poor fix %d, a lost fix %d, too fast %d, in the hole %d, out of hours %d", poor, lost, fast, hole, closed)
	}
}

func TestRingsAreClosedAndTurnTheRightWay(t *testing.T) {
	l := newLine()
	for _, c := range []struct {
		name string
		ring [][2]float64
		turn float64
	}{
		{"outer", zoneOne().ring(l, false), 1}, {"hole", schoolYard().ring(l, true), -1},
		{"second", zoneTwo().ring(l, false), 1}, {"third", zoneThree().ring(l, false), 1},
	} {
		n := len(c.ring)
		if c.ring[0] != c.ring[n-1] {
			t.Errorf("%s ring is open: %v, %v", c.name, c.ring[0], c.ring[n-1])
		}
		area := 0.0
		for i := range n - 1 {
			area += c.ring[i][0]*c.ring[i+1][1] - c.ring[i+1][0]*c.ring[i][1]
		}
		if area*c.turn <= 0 {
			t.Errorf("%s ring turns the wrong way: signed area %g", c.name, area)
		}
	}
}

func TestPlatesAreNobodys(t *testing.T) {
	for _, o := range newStage().objects {
		if o.class == "plate" && !strings.HasPrefix(o.text, "Q") {
			t.Errorf("plate %q could be somebody's: Denmark issues only those that do not begin with Q", o.text)
		}
	}
}
