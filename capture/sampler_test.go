package capture

import (
	"math"
	"testing"
	"time"
)

const metre = 1 / 111195.08 // degrees of latitude

// driver feeds a sampler fixes, one a second.
type driver struct {
	s        Sampler
	at       time.Time
	lat, lon float64
}

func (d *driver) look(north, east, every float64) bool {
	d.at = d.at.Add(time.Second)
	d.lat += north * metre
	d.lon += east * metre / math.Cos(55*math.Pi/180)
	return d.s.Look(55+d.lat, 12+d.lon, d.at, every)
}

func TestSamplerByDistance(t *testing.T) {
	var d driver
	if !d.look(0, 0, 10) {
		t.Fatal("the first look is not immediate")
	}
	looks := 0
	for range 100 { // 300 m
		if d.look(3, 0, 10) {
			looks++
		}
	}
	if looks != 25 { // every fourth fix: 12 m
		t.Errorf("%d looks on 300 m, want 25", looks)
	}
}

func TestSamplerAlongThePath(t *testing.T) {
	var d driver
	d.look(0, 0, 100)
	// Round a block of 20 m and home again: displacement 0, distance 80.
	for _, leg := range [][2]float64{{20, 0}, {0, 20}, {-20, 0}} {
		if d.look(leg[0], leg[1], 79) {
			t.Fatalf("look after %.0f m", d.s.travelled)
		}
	}
	if !d.look(0, -20, 79) {
		t.Errorf("no look after 80 m of path, travelled %.1f m", d.s.travelled)
	}
}

func TestSamplerStandingStill(t *testing.T) {
	var d driver
	d.look(0, 0, 5)
	for i := range 1000 { // the fix wanders by a metre
		if d.look(math.Sin(float64(i))/2, math.Cos(float64(i))/2, 5) {
			t.Fatalf("look %d while parked", i)
		}
	}
	// Creeping at 0.5 m/s is travel.
	looks := 0
	for range 100 {
		if d.look(0.5, 0, 5) {
			looks++
		}
	}
	if looks < 8 || looks > 10 {
		t.Errorf("%d looks on 50 m, want about 9", looks)
	}
}

func TestSamplerManyFramesPerFix(t *testing.T) {
	var s Sampler
	at := testStart
	if !s.Look(55, 12, at, 10) {
		t.Fatal("the first look is not immediate")
	}
	for range 30 {
		if s.Look(55, 12, at, 10) {
			t.Fatal("two looks at one fix")
		}
	}
	// Fixes between the frames count: out 8 m and back.
	s.Move(55+8*metre, 12, at.Add(time.Second))
	if !s.Look(55, 12, at.Add(2*time.Second), 10) {
		t.Errorf("no look after 16 m, travelled %.1f", s.travelled)
	}
}

func TestSamplerInstancesAndReset(t *testing.T) {
	var a, b Sampler
	at := testStart
	if !a.Look(55, 12, at, 10) || !b.Look(55, 12, at, 10) {
		t.Fatal("each instance looks at once")
	}
	if a.Look(55, 12, at.Add(time.Second), 10) {
		t.Fatal("look without travel")
	}
	a.Reset()
	if !a.Look(55, 12, at.Add(time.Second), 10) {
		t.Error("no look at once after Reset")
	}
	if b.Look(55, 12, at.Add(time.Second), 10) {
		t.Error("Reset of one instance reset another")
	}
}

func TestSamplerOddInput(t *testing.T) {
	var s Sampler
	nan := math.NaN()
	for _, p := range [][2]float64{{nan, 12}, {55, nan}, {math.Inf(1), 0}, {91, 0}, {0, 181}} {
		if s.Look(p[0], p[1], testStart, 0) {
			t.Errorf("look at %v", p)
		}
	}
	if s.Look(55, 12, testStart, nan) {
		t.Error("look with an unknown distance")
	}
	for range 3 {
		if !s.Look(55, 12, testStart, 0) {
			t.Error("every 0 m is every frame")
		}
	}
	s.Move(56, 12, testStart.Add(-time.Hour))
	if s.travelled != 0 {
		t.Errorf("an old fix counted: %.0f m", s.travelled)
	}
}
