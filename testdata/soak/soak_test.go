package main

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gadeblik/uplink"
)

// series makes one of n samples, each from its place in it (0 to 1).
func series(n int, at func(x float64) float64) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = at(float64(i) / float64(n-1))
	}
	return all
}

// TestGrowthIsTold: what grows is told from what is only restless.
func TestGrowthIsTold(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	noise := func(size float64) float64 { return size * (2*rng.Float64() - 1) }
	const mib = 1 << 20
	for _, tt := range []struct {
		name  string
		m     measure
		at    func(x float64) float64
		leaks bool
	}{
		{"steady memory", rss, func(float64) float64 { return 100 * mib }, false},
		{"memory that trembles", rss, func(float64) float64 { return 100*mib + noise(20*mib) }, false},
		{"a garbage collector's saw-tooth", rss, func(x float64) float64 { return 90*mib + 30*mib*math.Mod(17*x, 1) }, false},
		{"a warm-up that ends", rss, func(x float64) float64 { return 60*mib + 60*mib*min(1, 4*x) + noise(mib) }, false},
		{"a burst", rss, func(x float64) float64 {
			if x > 0.8 && x < 0.9 {
				return 300 * mib
			}
			return 100 * mib
		}, false},
		{"memory given back", rss, func(x float64) float64 { return 200*mib - 80*mib*x }, false},
		{"a leak", rss, func(x float64) float64 { return 100*mib + 20*mib*x }, true},
		{"a leak below a saw-tooth", rss, func(x float64) float64 { return 90*mib + 60*mib*x + 10*mib*math.Mod(17*x, 1) }, true},
		{"a leak in steps", rss, func(x float64) float64 { return 100*mib + 16*mib*math.Floor(4*x) }, true},
		{"a leak that begins late", rss, func(x float64) float64 { return 100*mib + 80*mib*max(0, x-0.6) }, true},
		{"descriptors", descriptors, func(x float64) float64 { return 16 + math.Round(noise(2)) }, false},
		{"a descriptor now and then", descriptors, func(x float64) float64 { return 16 + math.Floor(10*x) }, true},
		{"threads", threads, func(x float64) float64 { return 10 + math.Floor(2*x) }, false},
		{"a thread now and then", threads, func(x float64) float64 { return 10 + math.Floor(14*x) }, true},
		{"an outbox that fills and empties", disk, func(x float64) float64 { return 2*mib + 3*mib*math.Mod(20*x, 1) }, false},
		{"an outbox that fills", disk, func(x float64) float64 { return 2*mib + 5*mib*x }, true},
	} {
		if g := grown(tt.m, series(400, tt.at)); g.leaks() != tt.leaks {
			t.Errorf("%s: got %t (grows by %s, tolerance %s), want %t", tt.name, g.leaks(), tt.m.write(g.by()), tt.m.write(g.tolerance), tt.leaks)
		}
	}
	if g := grown(rss, series(fewest-1, func(x float64) float64 { return 1e9 * x })); g.leaks() || g.samples != 0 {
		t.Errorf("too few samples say something: %+v", g)
	}
}

// standing is a phase in which all went well.
func standing(name string) *phase {
	p := &phase{name: name, length: time.Minute}
	began := time.Now()
	for i := range 100 {
		s := sample{at: began.Add(time.Duration(i) * time.Second), cpu: time.Duration(i) * 5 * time.Millisecond}
		s.values[descriptors] = -1
		p.samples = append(p.samples, s)
	}
	p.after.Status.Counters = map[string]uint64{"fixes": 100}
	if name != "idle" {
		p.after.Status.Counters = map[string]uint64{"fixes": 100, "frames": 9, "looked": 8, "outbox_accepted": 7, "outbox_delivered": 6}
	}
	return p
}

// TestVerdictNamesWhatDidNotHold: each promise of the soak by itself.
func TestVerdictNamesWhatDidNotHold(t *testing.T) {
	for _, tt := range []struct {
		name, phase string
		spoil       func(*phase, *condition) error // what it returns is how the agent stopped
		want        string                         // "" holds
	}{
		{"idle", "idle", func(*phase, *condition) error { return nil }, ""},
		{"work", "work", func(*phase, *condition) error { return nil }, ""},
		{"busy while idle", "idle", func(p *phase, _ *condition) error {
			for i := range p.samples {
				p.samples[i].cpu = time.Duration(i) * 10 * time.Millisecond
			}
			return nil
		}, "idle: 1.00 % of a core, must be below 1 %"},
		{"the camera is open", "idle", func(p *phase, _ *condition) error { p.after.Status.Counters["frames"] = 3; return nil }, "idle: the camera gave 3 frames"},
		{"no fix", "idle", func(p *phase, _ *condition) error { p.after.Status.Counters["fixes"] = 0; return nil }, "idle: no fix arrived"},
		{"nothing is looked at", "faults", func(p *phase, _ *condition) error { p.after.Status.Counters["looked"] = 0; return nil }, "faults: looked stands still"},
		{"nothing arrives", "work", func(p *phase, _ *condition) error { p.after.Status.Counters["outbox_delivered"] = 0; return nil }, "work: outbox_delivered stands still"},
		{"threads grow", "work", func(p *phase, _ *condition) error {
			for i := range p.samples {
				p.samples[i].values[threads] = float64(i)
			}
			return nil
		}, "work: threads grows by 50 in 30s (tolerance"},
		{"something is lost", "work", func(_ *phase, c *condition) error { c.Status.Counters["lost"] = 2; return nil }, "2 observations were lost"},
		{"it does not stop", "work", func(*phase, *condition) error { return violated("the agent ended with exit code 2") }, "exit code 2"},
	} {
		p, last := standing(tt.phase), condition{}
		last.Status.Counters = map[string]uint64{}
		stopped := tt.spoil(p, &last)
		err := judge([]*phase{p}, last, stopped)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestSample: this process is one that can be looked at.
func TestSample(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), make([]byte, 100<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := look(os.Getpid(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for m := range measures {
		if m != goroutines && s.values[m] <= 0 { // those only an agent can tell
			t.Errorf("%s: got %v", m, s.values[m])
		}
	}
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if more, err := look(os.Getpid(), dir); err != nil || more.values[descriptors] != s.values[descriptors]+1 || more.cpu < s.cpu {
		t.Errorf("with one more file open: %v, %v, before: %v", more.values, err, s.values)
	}
}

// TestTheRoadCrossesZones: an arc lies in a zone, the next does not, and the orders
// are ones that an agent accepts.
func TestTheRoadCrossesZones(t *testing.T) {
	o, err := uplink.ParseOrders(orders(time.Now().UTC()))
	if err != nil {
		t.Fatal(err)
	}
	inside := func(at place, from, to time.Duration) (n int) {
		for s := from; s < to; s += time.Second {
			lat, lon, _ := at.at(s)
			for _, f := range o.Features.Features {
				b := f.Geometry.Bound()
				if lat >= b.Min.Lat() && lat <= b.Max.Lat() && lon >= b.Min.Lon() && lon <= b.Max.Lon() {
					n++
				}
			}
		}
		return n
	}
	if n := inside(town, 0, lap); n < 20 || n > 30 {
		t.Errorf("%d of %d seconds of a lap lie in zones, want half", n, lap/time.Second)
	}
	if n := inside(outside, 0, lap); n > 0 {
		t.Errorf("%d seconds outside lie in zones", n)
	}
}

func TestPhases(t *testing.T) {
	for _, tt := range []struct {
		s    soak
		want int
		err  string
	}{
		{soak{length: 10 * time.Minute}, 3, ""},
		{soak{length: 30 * time.Second, only: "idle"}, 1, ""},
		{soak{length: 30 * time.Second}, 0, "--for 30s gives phase idle 9s; at least 20s say something"},
		{soak{length: time.Hour, only: "sleep"}, 0, `--only must be idle, work or faults (got "sleep")`},
	} {
		all, err := tt.s.phases()
		if len(all) != tt.want || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%+v: got %d phases, %v; want %d, %q", tt.s, len(all), err, tt.want, tt.err)
		}
	}
}
