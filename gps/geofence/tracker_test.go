package geofence

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

var morning = time.Date(2026, 6, 2, 7, 20, 0, 0, time.UTC)

// town has a square of 400 m by 200 m (zone 0) and one of 100 m in it (zone 1).
func town(tb testing.TB) *Index {
	m := copenhagen
	return mustIndex(tb, orb.Polygon{m.ring(0, 0, 400, 0, 400, 200, 0, 200)}, orb.Polygon{m.square(150, 50, 100)})
}

// fixAt is a good fix of 5 m, ms after the start.
func fixAt(ms int, east, north float64) Position {
	return Position{
		At: morning.Add(time.Duration(ms) * time.Millisecond), Point: copenhagen.at(east, north),
		Valid: true, HDOP: 1, Satellites: 8, Speed: 10,
	}
}

func but(p Position, change func(*Position)) Position {
	change(&p)
	return p
}

// step is a fix and what the tracker says at once after it.
type step struct {
	fix    Position
	zones  []int
	reason Reason
}

func follow(t *testing.T, tr *Tracker, steps []step) {
	t.Helper()
	for i, s := range steps {
		tr.Observe(s.fix)
		for range 2 { // asking changes nothing
			zones, reason := tr.Inside(s.fix.At)
			if reason != s.reason || !cmp.Equal(zones, s.zones) {
				t.Errorf("step %d: got %v %q, want %v %q", i+1, zones, reason, s.zones, s.reason)
			}
		}
	}
}

// settled is three good fixes in the middle of zone 0, after which we are in it.
func settled() []step {
	return []step{
		{fixAt(0, 50, 100), nil, Settling},
		{fixAt(1000, 60, 100), nil, Settling},
		{fixAt(2000, 70, 100), []int{0}, OK},
	}
}

func TestTracker(t *testing.T) {
	nan := math.NaN()
	good := fixAt(3000, 80, 100)
	tests := []struct {
		name  string
		steps []step // after settled
	}{
		{"stays in", []step{{good, []int{0}, OK}}},
		{"no fix", []step{{but(good, func(p *Position) { p.Valid = false }), nil, NoFix}}},
		{"NaN longitude", []step{{but(good, func(p *Position) { p.Point[0] = nan }), nil, NoFix}}},
		{"NaN latitude", []step{{but(good, func(p *Position) { p.Point[1] = nan }), nil, NoFix}}},
		{"latitude of no place", []step{{but(good, func(p *Position) { p.Point[1] = 91 }), nil, NoFix}}},
		{"longitude of no place", []step{{but(good, func(p *Position) { p.Point[0] = -181 }), nil, NoFix}}},
		{"estimated", []step{{but(good, func(p *Position) { p.Estimated = true }), nil, PoorQuality}}},
		{"three satellites", []step{{but(good, func(p *Position) { p.Satellites = 3 }), nil, PoorQuality}}},
		{"four satellites", []step{{but(good, func(p *Position) { p.Satellites = 4 }), []int{0}, OK}}},
		{"satellites unknown", []step{{but(good, func(p *Position) { p.Satellites = -1 }), nil, PoorQuality}}},
		{"HDOP 4", []step{{but(good, func(p *Position) { p.HDOP = 4 }), []int{0}, OK}}},
		{"HDOP above 4", []step{{but(good, func(p *Position) { p.HDOP = 4.01 }), nil, PoorAccuracy}}},
		{"HDOP unknown", []step{{but(good, func(p *Position) { p.HDOP = 0 }), nil, PoorAccuracy}}},
		{"HDOP negative", []step{{but(good, func(p *Position) { p.HDOP = -1 }), nil, PoorAccuracy}}},
		{"HDOP NaN", []step{{but(good, func(p *Position) { p.HDOP = nan }), nil, PoorAccuracy}}},
		{"speed 70", []step{{but(good, func(p *Position) { p.Speed = 70 }), []int{0}, OK}}},
		{"speed above 70", []step{{but(good, func(p *Position) { p.Speed = 70.1 }), nil, ImplausibleJump}}},
		{"speed unknown", []step{{but(good, func(p *Position) { p.Speed = -1 }), []int{0}, OK}}},
		{"speed NaN", []step{{but(good, func(p *Position) { p.Speed = nan }), nil, ImplausibleJump}}},
		{"70 m/s and both circles", []step{{fixAt(3000, 149.9, 100), []int{0}, OK}}},
		{"farther than 70 m/s and both circles", []step{{fixAt(3000, 150.1, 100), nil, ImplausibleJump}}},
		{"circle in by a hair", []step{{fixAt(3000, 5.01, 100), []int{0}, OK}}},
		{"circle out by a hair", []step{{fixAt(3000, 4.99, 100), nil, Outside}}},
		{
			"once left, entered from nothing", []step{
				{fixAt(3000, 4, 100), nil, Outside},
				{fixAt(4000, 20, 100), nil, Settling},
				{fixAt(5000, 20, 100), nil, Settling},
				{fixAt(6000, 20, 100), []int{0}, OK},
			},
		},
		{
			"one bad fix leaves; good ones enter from nothing", []step{
				{but(good, func(p *Position) { p.HDOP = 9 }), nil, PoorAccuracy},
				{fixAt(4000, 80, 100), nil, Settling},
				{fixAt(5000, 80, 100), nil, Settling},
				{fixAt(6000, 80, 100), []int{0}, OK},
			},
		},
		{
			"a jump away and back", []step{
				{fixAt(3000, 5000, 100), nil, ImplausibleJump},
				{fixAt(4000, 80, 100), nil, ImplausibleJump},
				{fixAt(5000, 90, 100), nil, Settling},
				{fixAt(6000, 90, 100), nil, Settling},
				{fixAt(7000, 90, 100), []int{0}, OK},
			},
		},
		{
			"a jump to stay", []step{
				{fixAt(3000, 380, 100), nil, ImplausibleJump},
				{fixAt(4000, 380, 100), nil, Settling},
				{fixAt(5000, 380, 100), nil, Settling},
				{fixAt(6000, 380, 100), []int{0}, OK},
			},
		},
		{
			"far away after some bad fixes is no jump", []step{
				{but(fixAt(3000, 80, 100), func(p *Position) { p.Valid = false }), nil, NoFix},
				{but(fixAt(4000, 80, 100), func(p *Position) { p.Valid = false }), nil, NoFix},
				{fixAt(5000, 200, 100), nil, Settling},
			},
		},
		{"gap of the greatest age", []step{{fixAt(4000, 80, 100), []int{0}, OK}}},
		{
			"gap longer than the greatest age", []step{
				{fixAt(4001, 80, 100), nil, Settling},
				{fixAt(5000, 80, 100), nil, Settling},
				{fixAt(6000, 80, 100), []int{0}, OK},
			},
		},
		{
			"clock steps back", []step{
				{fixAt(1500, 80, 100), nil, Settling},
				{fixAt(2500, 80, 100), nil, Settling},
				{fixAt(3500, 80, 100), []int{0}, OK},
			},
		},
		{
			"same time twice may leave", []step{
				{fixAt(3000, 10, 100), []int{0}, OK},
				{fixAt(3000, 4, 100), nil, Outside},
			},
		},
		{
			"same time twice may jump", []step{
				{fixAt(3000, 80, 100), []int{0}, OK},
				{fixAt(3000, 89.9, 100), []int{0}, OK},
				{fixAt(3000, 101, 100), nil, ImplausibleJump},
			},
		},
		{
			"zone in a zone", []step{
				{fixAt(3000, 140, 100), []int{0}, OK},
				{fixAt(4000, 165, 100), []int{0}, OK},
				{fixAt(5000, 170, 100), []int{0}, OK},
				{fixAt(6000, 175, 100), []int{0, 1}, OK},
				{fixAt(7000, 240, 100), []int{0, 1}, OK},
				{fixAt(8000, 248, 100), []int{0}, OK},
				{fixAt(9000, 248, 195.5), nil, ImplausibleJump},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := NewTracker(town(t), TrackerConfig{})
			follow(t, tr, settled())
			follow(t, tr, tt.steps)
		})
	}
}

func TestTrackerEnters(t *testing.T) {
	tests := []struct {
		name  string
		steps []step
	}{
		{
			"three of five, with misses between", []step{
				{fixAt(0, 20, 100), nil, Settling},
				{fixAt(1000, -20, 100), nil, Outside},
				{fixAt(2000, 20, 100), nil, Settling},
				{fixAt(3000, -20, 100), nil, Outside},
				{fixAt(4000, 20, 100), []int{0}, OK},
			},
		},
		{
			"three of six is too few", []step{
				{fixAt(0, 20, 100), nil, Settling},
				{fixAt(1000, -20, 100), nil, Outside},
				{fixAt(2000, 20, 100), nil, Settling},
				{fixAt(3000, -20, 100), nil, Outside},
				{fixAt(4000, -20, 100), nil, Outside},
				{fixAt(5000, 20, 100), nil, Settling},
				{fixAt(6000, 20, 100), []int{0}, OK},
			},
		},
		{
			"a bad fix is a miss", []step{
				{fixAt(0, 20, 100), nil, Settling},
				{fixAt(1000, 20, 100), nil, Settling},
				{but(fixAt(2000, 20, 100), func(p *Position) { p.Valid = false }), nil, NoFix},
				{fixAt(3000, 20, 100), []int{0}, OK},
			},
		},
		{
			"a fix without the margin is a miss", []step{
				{fixAt(0, 11, 100), nil, Settling},
				{fixAt(1000, 11, 100), nil, Settling},
				{fixAt(2000, 9, 100), nil, Settling},
				{fixAt(3000, 11, 100), []int{0}, OK},
			},
		},
		{
			"never deep enough", []step{
				{fixAt(0, 9.9, 100), nil, Settling},
				{fixAt(1000, 9.9, 100), nil, Settling},
				{fixAt(2000, 9.9, 100), nil, Settling},
				{fixAt(3000, 9.9, 100), nil, Settling},
				{fixAt(4000, 9.9, 100), nil, Settling},
			},
		},
		{
			"same time again does not count", []step{
				{fixAt(0, 20, 100), nil, Settling},
				{fixAt(0, 20, 100), nil, Settling},
				{fixAt(0, 20, 100), nil, Settling},
				{fixAt(1000, 20, 100), nil, Settling},
				{fixAt(2000, 20, 100), []int{0}, OK},
			},
		},
		{
			"a wider circle needs more room", []step{
				{but(fixAt(0, 24.9, 100), func(p *Position) { p.HDOP = 4 }), nil, Settling},
				{but(fixAt(1000, 24.9, 100), func(p *Position) { p.HDOP = 4 }), nil, Settling},
				{but(fixAt(2000, 24.9, 100), func(p *Position) { p.HDOP = 4 }), nil, Settling},
				{but(fixAt(3000, 25.1, 100), func(p *Position) { p.HDOP = 4 }), nil, Settling},
				{but(fixAt(4000, 25.1, 100), func(p *Position) { p.HDOP = 4 }), nil, Settling},
				{but(fixAt(5000, 25.1, 100), func(p *Position) { p.HDOP = 4 }), []int{0}, OK},
			},
		},
		{"outside", []step{{fixAt(0, -50, 100), nil, Outside}}},
		{"first fix bad", []step{{but(fixAt(0, 20, 100), func(p *Position) { p.Valid = false }), nil, NoFix}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			follow(t, NewTracker(town(t), TrackerConfig{}), tt.steps)
		})
	}
}

func TestTrackerStale(t *testing.T) {
	tr := NewTracker(town(t), TrackerConfig{})
	if zones, reason := tr.Inside(morning); zones != nil || reason != NoFix {
		t.Errorf("before any fix: got %v %q", zones, reason)
	}
	follow(t, tr, settled())
	newest := morning.Add(2 * time.Second)
	tests := []struct {
		after  time.Duration
		zones  []int
		reason Reason
	}{
		{0, []int{0}, OK},
		{2 * time.Second, []int{0}, OK},
		{2*time.Second + 1, nil, StaleFix},
		{time.Hour, nil, StaleFix},
		{-50 * time.Millisecond, []int{0}, OK}, // a frame taken just before the fix came
		{-2 * time.Second, []int{0}, OK},
		{-2*time.Second - 1, nil, StaleFix},
	}
	for _, tt := range tests {
		zones, reason := tr.Inside(newest.Add(tt.after))
		if reason != tt.reason || !cmp.Equal(zones, tt.zones) {
			t.Errorf("%v after the fix: got %v %q, want %v %q", tt.after, zones, reason, tt.zones, tt.reason)
		}
	}
}

// A vehicle that stands at the border, its fixes scattered by less than the margin,
// goes in at most once and does not come out again.
func TestTrackerDoesNotFlap(t *testing.T) {
	for _, tt := range []struct {
		name   string
		middle float64 // metres inside the border
		want   int     // changes
	}{{"on the border", 0, 0}, {"circle on the border", 5, 0}, {"margin never reached", 6, 0}, {"margin on the border", 10, 1}, {"well inside", 20, 1}} {
		t.Run(tt.name, func(t *testing.T) {
			tr := NewTracker(town(t), TrackerConfig{})
			changes, was := 0, false
			for i := range 1000 {
				tr.Observe(fixAt(1000*i, tt.middle+3.9*math.Sin(float64(i)), 100))
				zones, _ := tr.Inside(morning.Add(time.Duration(i) * time.Second))
				if is := len(zones) > 0; is != was {
					was = is
					changes++
				}
			}
			if changes != tt.want {
				t.Errorf("got %d changes, want %d", changes, tt.want)
			}
		})
	}
}

func TestTrackerReset(t *testing.T) {
	tr := NewTracker(town(t), TrackerConfig{})
	follow(t, tr, settled())
	tr.Reset(town(t))
	at := morning.Add(2 * time.Second)
	if zones, reason := tr.Inside(at); zones != nil || reason != Settling {
		t.Errorf("after Reset: got %v %q, want none %q", zones, reason, Settling)
	}
	follow(t, tr, []step{
		{fixAt(3000, 80, 100), nil, Settling},
		{fixAt(4000, 90, 100), nil, Settling},
		{fixAt(5000, 90, 100), []int{0}, OK},
	})
	tr.Reset(nil)
	follow(t, tr, []step{
		{fixAt(6000, 90, 100), nil, Outside},
		{fixAt(7000, 5000, 100), nil, ImplausibleJump},
	})
	tr.Reset(town(t))
	if _, reason := tr.Inside(morning.Add(7 * time.Second)); reason != ImplausibleJump {
		t.Errorf("Reset after a bad fix: got %q, want %q", reason, ImplausibleJump)
	}

	half := NewTracker(town(t), TrackerConfig{})
	follow(t, half, settled()[:2])
	half.Reset(town(t))
	follow(t, half, []step{{fixAt(2000, 70, 100), nil, Settling}})

	fresh := NewTracker(nil, TrackerConfig{})
	fresh.Reset(town(t))
	if _, reason := fresh.Inside(morning); reason != NoFix {
		t.Errorf("Reset before any fix: got %q, want %q", reason, NoFix)
	}
	follow(t, fresh, settled())
}

func TestTrackerAllocatesNothing(t *testing.T) {
	tr := NewTracker(town(t), TrackerConfig{})
	ms := 0
	drive := func() { // in and out of both zones
		for i := range 60 {
			ms += 1000
			tr.Observe(fixAt(ms, -30+10*float64(i), 100))
			tr.Inside(morning.Add(time.Duration(ms) * time.Millisecond))
		}
	}
	drive()
	if got := testing.AllocsPerRun(20, drive); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}
