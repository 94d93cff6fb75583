package gps

import (
	"testing"
	"time"
)

// step is one observation: how much later it arrives and what it says.
type step struct {
	host, receiver time.Duration // since the beginning
	invalid        bool
	trusted        bool // afterwards
}

func TestClock(t *testing.T) {
	const s = time.Second
	year := 365 * 24 * time.Hour
	tests := []struct {
		name  string
		cfg   ClockConfig
		steps []step
	}{
		{"three seconds", ClockConfig{}, []step{{0, 0, false, false}, {s, s, false, false}, {2 * s, 2 * s, false, true}, {3 * s, 3 * s, false, true}}},
		{"as many as configured", ClockConfig{Consistent: 2}, []step{{0, 0, false, false}, {s, s, false, true}}},
		{"ten times a second counts seconds", ClockConfig{}, []step{
			{0, 0, false, false}, {s / 10, s / 10, false, false}, {s / 5, s / 5, false, false}, {s, s, false, false}, {2 * s, 2 * s, false, true}}},
		{"a late line is within tolerance", ClockConfig{}, []step{{0, 0, false, false}, {1900 * time.Millisecond, s, false, false}, {2 * s, 2 * s, false, true}}},
		{"a jump forward takes trust away", ClockConfig{}, []step{
			{0, 0, false, false}, {s, s, false, false}, {2 * s, 2 * s, false, true},
			{3 * s, 13 * s, false, false}, {4 * s, 14 * s, false, false}, {5 * s, 15 * s, false, true}}},
		{"a jump back takes trust away", ClockConfig{}, []step{
			{0, 0, false, false}, {s, s, false, false}, {2 * s, 2 * s, false, true},
			{3 * s, -10 * s, false, false}, {4 * s, -9 * s, false, false}, {5 * s, -8 * s, false, true}}},
		{"a jump before there is trust begins anew", ClockConfig{}, []step{
			{0, 0, false, false}, {s, s, false, false}, {2 * s, 9 * s, false, false}, {3 * s, 10 * s, false, false}, {4 * s, 11 * s, false, true}}},
		{"a clock that stands still is never trusted", ClockConfig{}, []step{
			{0, 0, false, false}, {s / 2, 0, false, false}, {s, 0, false, false}, {3 * s, 0, false, false}, {6 * s, 0, false, false}}},
		{"invalid fixes count neither way", ClockConfig{}, []step{
			{0, 0, false, false}, {s, s, false, false}, {2 * s, 99 * s, true, false}, {3 * s, 3 * s, false, true}, {4 * s, 99 * s, true, true}}},
		{"a tunnel does not take trust away", ClockConfig{}, []step{
			{0, 0, false, false}, {s, s, false, false}, {2 * s, 2 * s, false, true}, {30 * time.Minute, 30 * time.Minute, false, true}}},
		{"before the floor", ClockConfig{Floor: noon().Add(s)}, []step{
			{0, 0, false, false}, {s, s, false, false}, {2 * s, 2 * s, false, false}, {3 * s, 3 * s, false, true}}},
		{"out of bounds takes trust away", ClockConfig{Floor: noon()}, []step{
			{0, 0, false, false}, {s, s, false, false}, {2 * s, 2 * s, false, true}, {3 * s, -year, false, false}, {4 * s, 4 * s, false, false}}},
		{"the ceiling is out of bounds", ClockConfig{Ceiling: noon().Add(2 * s)}, []step{
			{0, 0, false, false}, {s, s, false, false}, {2 * s, 2 * s, false, false}}},
		{"the default ceiling", ClockConfig{Floor: noon().Add(-20 * year)}, []step{
			{0, 0, false, false}, {s, s, false, false}, {2 * s, 2 * s, false, false}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// The host's clock stands in 1970, as on a board without a battery.
			boot := time.Unix(100, 0)
			c := NewClock(test.cfg)
			for i, step := range test.steps {
				at, utc := boot.Add(step.host), noon().Add(step.receiver)
				c.Observe(Fix{At: at, Time: utc, Valid: !step.invalid})
				got, source, ok := c.UTC(at)
				if ok != step.trusted {
					t.Fatalf("step %d: trusted %t, want %t", i, ok, step.trusted)
				}
				if ok && !step.invalid && (!got.Equal(utc) || source != "gps") {
					t.Errorf("step %d: got %v from %q, want %v from \"gps\"", i, got, source, utc)
				}
				if !ok && (!got.IsZero() || source != "") {
					t.Errorf("step %d: got %v from %q without trust", i, got, source)
				}
			}
		})
	}
}

func TestClockHoldover(t *testing.T) {
	boot := time.Unix(100, 0)
	c := NewClock(ClockConfig{Holdover: 10 * time.Minute})
	if _, _, ok := c.UTC(boot); ok {
		t.Fatal("a new clock is trusted")
	}
	for i := range 3 {
		d := time.Duration(i) * time.Second
		c.Observe(Fix{At: boot.Add(d), Time: noon().Add(d), Valid: true})
	}
	tests := []struct {
		after time.Duration
		ok    bool
	}{{2 * time.Second, true}, {-time.Minute, true}, {10*time.Minute + 2*time.Second, true}, {10*time.Minute + 3*time.Second, false}, {-time.Hour, false}}
	for _, test := range tests {
		got, _, ok := c.UTC(boot.Add(test.after))
		if ok != test.ok || ok && !got.Equal(noon().Add(test.after)) {
			t.Errorf("after %v: got %v, %t, want %v, %t", test.after, got, ok, noon().Add(test.after), test.ok)
		}
	}
}

// The trusted time goes into evidence: it is UTC and nothing but.
func TestClockIsUTC(t *testing.T) {
	c := NewClock(ClockConfig{})
	start := time.Now() // carries a monotonic reading; its value does not matter
	for i := range 3 {
		d := time.Duration(i) * time.Second
		c.Observe(Fix{At: start.Add(d), Time: noon().Add(d), Valid: true})
	}
	got, _, ok := c.UTC(start.Add(5 * time.Second))
	if want := noon().Add(5 * time.Second); !ok || !got.Equal(want) {
		t.Errorf("got %v, %t, want %v", got, ok, want)
	}
	if got != got.Round(0) || got.Location() != time.UTC {
		t.Errorf("got %v, want UTC without a monotonic reading", got)
	}
}
