package agent

import (
	"net/netip"
	"testing"
	"time"

	"gadeblik/gps"
	"gadeblik/gps/geofence"
)

func depotOf(t *testing.T) *geofence.Index {
	t.Helper()
	zones, err := geofence.ParseZones(document())
	if err != nil {
		t.Fatal(err)
	}
	x, err := geofence.NewIndex(zones)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestDepot(t *testing.T) {
	inside := fixAt(6, 130)
	with := func(edit func(*gps.Fix)) gps.Fix {
		f := inside
		edit(&f)
		return f
	}
	for _, tt := range []struct {
		name string
		fix  gps.Fix
		age  time.Duration
		want bool
	}{
		{"inside", inside, 0, true},
		{"almost stale", inside, 2 * time.Second, true},
		{"stale", inside, 2*time.Second + 1, false},
		{"long stale", inside, time.Hour, false},
		{"outside", with(func(f *gps.Fix) { f.Lat += 0.0006 }), 0, false},
		{"its circle of error reaches out", with(func(f *gps.Fix) { f.Lat += 0.00048 }), 0, false},
		{"inaccurate", with(func(f *gps.Fix) { f.HDOP = 3.9; f.Lat += 0.00035 }), 0, false},
		{"accuracy unknown", with(func(f *gps.Fix) { f.HDOP = 0 }), 0, false},
		{"lost", with(func(f *gps.Fix) { f.Valid = false }), 0, false},
		{"estimated", with(func(f *gps.Fix) { f.Quality = gps.Estimated }), 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDepot(depotOf(t), geofence.TrackerConfig{})
			if d.home(inside.At) {
				t.Error("at home before the first fix")
			}
			d.observe(fixAt(5, 125))
			d.observe(tt.fix)
			if got := d.home(tt.fix.At.Add(tt.age)); got != tt.want {
				t.Errorf("home = %t, want %t", got, tt.want)
			}
		})
	}
}

func TestMaySend(t *testing.T) {
	cheap := netip.MustParseAddr("192.0.2.7")
	unmetered := func(a netip.Addr) bool { return a == cheap }
	a := &Agent{}
	if !a.maySend(netip.Addr{}) {
		t.Error("may not send though nothing is asked for")
	}
	a.cfg.Unmetered = unmetered
	if !a.maySend(cheap) || a.maySend(netip.MustParseAddr("10.0.0.1")) || a.maySend(netip.Addr{}) {
		t.Error("the address does not decide")
	}
	a.cfg.Depot = depotOf(t)
	a.depot = newDepot(a.cfg.Depot, geofence.TrackerConfig{})
	if a.maySend(cheap) {
		t.Error("may send before it is known where the vehicle is")
	}
	f := fixAt(0, 130)
	f.At = time.Now()
	a.depot.observe(f)
	if !a.maySend(cheap) {
		t.Error("may not send in the depot")
	}
}

// A board that booted in 1970 still judges certificates by the right time.
func TestCertificateTime(t *testing.T) {
	a := &Agent{}
	near := func(got, want time.Time) bool { return got.Sub(want).Abs() < time.Minute }
	if got := a.certificateTime(); !near(got, time.Now()) {
		t.Errorf("without a floor: %s", got)
	}
	a.cfg.Clock.Floor = time.Now().AddDate(30, 0, 0) // as seen from a board whose clock is 30 years behind
	if got := a.certificateTime(); !got.Equal(a.cfg.Clock.Floor) {
		t.Errorf("before the floor: %s, want the floor", got)
	}
	utc := time.Now().AddDate(31, 0, 0)
	a.trusted.Store(&instant{time.Now().Add(-5 * time.Hour), utc})
	if got, want := a.certificateTime(), utc.Add(5*time.Hour); !near(got, want) {
		t.Errorf("five hours after the last fix: %s, want %s", got, want)
	}
}
