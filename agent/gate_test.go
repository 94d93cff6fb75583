package agent

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gadeblik/gps"
	"gadeblik/gps/geofence"
)

// settled returns a gate whose vehicle is well inside the zone.
func settled(t testing.TB, plan *Plan) *Gate {
	t.Helper()
	g := NewGate(geofence.TrackerConfig{})
	g.SetPlan(plan)
	for s := range 6 {
		g.Observe(fixAt(float64(s), float64(100+5*s)))
	}
	return g
}

func TestGateHasAReasonForEveryNo(t *testing.T) {
	open := func() Conditions {
		now := began.Add(5 * time.Second)
		return Conditions{Now: now, UTC: now, Switch: true, Storage: true, Redactor: true}
	}
	with := func(edit func(*Conditions)) Conditions {
		c := open()
		edit(&c)
		return c
	}
	fix := func(edit func(*gps.Fix)) gps.Fix {
		f := fixAt(6, 130)
		edit(&f)
		return f
	}
	six := with(func(c *Conditions) { c.Now = began.Add(6 * time.Second); c.UTC = c.Now })
	tests := []struct {
		name string
		task map[string]any
		fix  *gps.Fix // one more, at second six
		c    Conditions
		want Reason
	}{
		{"all is well", nil, nil, open(), Open},
		{"switch off", nil, nil, with(func(c *Conditions) { c.Switch = false }), SwitchOff},
		{"paused", nil, nil, with(func(c *Conditions) { c.Paused = true }), Paused},
		{"no trusted time", nil, nil, with(func(c *Conditions) { c.UTC = time.Time{} }), NoTime},
		{"before the orders", nil, nil, with(func(c *Conditions) { c.UTC = time.Date(2025, 12, 31, 23, 59, 59, 0, time.UTC) }), OrdersNotYetValid},
		{"the moment the orders end", nil, nil, with(func(c *Conditions) { c.UTC = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) }), OrdersExpired},
		{"outbox full", nil, nil, with(func(c *Conditions) { c.Storage = false }), Storage},
		{"redaction unwell", nil, nil, with(func(c *Conditions) { c.Redactor = false }), RedactorUnwell},
		{"stale fix", nil, nil, with(func(c *Conditions) { c.Now = began.Add(time.Minute) }), StaleFix},
		{"lost fix", nil, ptr(fix(func(f *gps.Fix) { f.Valid = false })), six, NoFix},
		{"dead reckoning", nil, ptr(fix(func(f *gps.Fix) { f.Quality = gps.Estimated })), six, PoorQuality},
		{"unknown satellites", nil, ptr(fix(func(f *gps.Fix) { f.Satellites = -1 })), six, PoorQuality},
		{"unknown HDOP", nil, ptr(fix(func(f *gps.Fix) { f.HDOP = 0 })), six, PoorAccuracy},
		{"HDOP too large", nil, ptr(fix(func(f *gps.Fix) { f.HDOP = 9 })), six, PoorAccuracy},
		{"jump", nil, ptr(fix(func(f *gps.Fix) { f.Lon += 0.02 })), six, ImplausibleJump},
		{"outside", nil, ptr(fix(func(f *gps.Fix) { f.Lat += 0.0006 })), six, Outside},
		{"error circle reaches over the border", nil, ptr(fix(func(f *gps.Fix) { f.Lat += 0.00049 })), six, Outside},
		{"not at this hour", map[string]any{"schedule": map[string]any{"timezone": "Europe/Copenhagen", "hours": []string{"10:00-12:00"}}}, nil, open(), OffSchedule},
		{"too fast", map[string]any{"max_speed_kmh": 10}, nil, open(), TooFast},
		{"speed unknown", map[string]any{"max_speed_kmh": 60}, ptr(fix(func(f *gps.Fix) { f.Speed = -1 })), six, SpeedUnknown},
		{"quota used up", map[string]any{"quota_per_day": 3}, nil, with(func(c *Conditions) { c.Used = func(int) int { return 3 } }), Quota},
		{"quota almost used up", map[string]any{"quota_per_day": 3}, nil, with(func(c *Conditions) { c.Used = func(int) int { return 2 } }), Open},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := settled(t, planOf(t, nil, task("bins", tt.task)))
			if tt.fix != nil {
				g.Observe(*tt.fix)
			}
			var d Decision
			g.Decide(tt.c, &d)
			if d.Reason != tt.want {
				t.Errorf("Reason = %s, want %s (tasks %v)", d.Reason, tt.want, d.Tasks)
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

func TestGateWithoutOrdersOrFixes(t *testing.T) {
	c := Conditions{Now: began, UTC: began, Switch: true, Storage: true, Redactor: true}
	g := NewGate(geofence.TrackerConfig{})
	var d Decision
	g.Decide(c, &d)
	if d.Reason != NoOrders {
		t.Errorf("without orders: %s, want %s", d.Reason, NoOrders)
	}
	g.SetPlan(planOf(t, nil, task("bins", nil)))
	g.Decide(c, &d)
	if d.Reason != NoFix {
		t.Errorf("before the first fix: %s, want %s", d.Reason, NoFix)
	}
}

func TestGateAnswersForEachTask(t *testing.T) {
	g := settled(t, planOf(t, nil,
		task("slow", map[string]any{"max_speed_kmh": 10}),
		task("bins", nil),
		task("night", map[string]any{"schedule": map[string]any{"timezone": "UTC", "hours": []string{"22:00-23:00"}}}),
	))
	now := began.Add(5 * time.Second)
	var d Decision
	g.Decide(Conditions{Now: now, UTC: now, Switch: true, Storage: true, Redactor: true}, &d)
	want := Decision{Reason: Open, Tasks: []TaskDecision{{0, 0, TooFast}, {1, 0, Open}, {2, 0, OffSchedule}}}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
}

func TestGateLeavesOnANewPlan(t *testing.T) {
	g := settled(t, planOf(t, nil, task("bins", nil)))
	g.SetPlan(planOf(t, nil, task("bins", nil)))
	now := began.Add(5 * time.Second)
	c := Conditions{Now: now, UTC: now, Switch: true, Storage: true, Redactor: true}
	var d Decision
	if g.Decide(c, &d); d.Reason == Open {
		t.Error("the gate stays open under a new plan without a new fix")
	}
}

func TestGateAllocatesNothing(t *testing.T) {
	g := settled(t, planOf(t, nil, task("a", nil), task("b", nil)))
	now := began.Add(5 * time.Second)
	c := Conditions{Now: now, UTC: now, Switch: true, Storage: true, Redactor: true, Used: func(int) int { return 0 }}
	var d Decision
	g.Decide(c, &d)
	if n := testing.AllocsPerRun(100, func() { g.Decide(c, &d) }); n != 0 {
		t.Errorf("a decision allocates %v times", n)
	}
}
