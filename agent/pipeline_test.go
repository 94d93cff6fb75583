package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"gadeblik/blur"
	"gadeblik/capture"
	"gadeblik/gps"
	"gadeblik/inference"
	"gadeblik/uplink"
)

// kinds returns the kinds of the products, in order.
func (b *bench) kinds() []uplink.Kind {
	var out []uplink.Kind
	for _, p := range b.products {
		out = append(out, p.Observation.Kind)
	}
	return out
}

func TestOneObjectInOnePassIsOneObservation(t *testing.T) {
	s := newSight()
	s.look.see = always(det("bin", 0.8, 100, 60, 180, 140))
	s.face.see = always(det("face", 0.9, 20, 20, 40, 44))
	s.plate.see = always(det("plate", 0.2, 200, 20, 240, 30)) // less sure than asked for
	b := newBench(t, s, task("bins", nil))
	b.drive(t, 0, 30)
	if len(b.products) != 0 {
		t.Fatalf("%d products before the pass has ended", len(b.products))
	}
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	if got, want := b.kinds(), []uplink.Kind{uplink.Finding}; !slices.Equal(got, want) {
		t.Fatalf("kinds = %v, want %v", got, want)
	}
	o := b.products[0].Observation
	if err := o.Validate(); err != nil {
		t.Errorf("observation: %v", err)
	}
	if o.Task != "bins" || o.Zone != "street" || o.OrdersVersion != 7 || o.Object.Label != "bin" {
		t.Errorf("observation = %+v", o)
	}
	want := map[string]int{"person": 1, "face": 1, "plate": 0} // the person to whom the face belongs
	for class, n := range want {
		if o.Redaction.Regions[class] != n {
			t.Errorf("removed %s = %d, want %d", class, o.Redaction.Regions[class], n)
		}
	}
	if ref := b.products[0].Evidence.Ref(); *o.Image != ref {
		t.Errorf("image = %+v, evidence is %+v", *o.Image, ref)
	}
}

func TestTheBestLookIsKept(t *testing.T) {
	s := newSight()
	boxes := []image.Rectangle{image.Rect(100, 60, 140, 100), image.Rect(95, 55, 150, 110), image.Rect(100, 60, 138, 98)}
	look := 0
	s.look.see = func(*image.YCbCr) []inference.Detection {
		b := boxes[min(look, len(boxes)-1)]
		look++
		return []inference.Detection{{Label: "bin", Score: 0.8, Box: b}}
	}
	b := newBench(t, s, task("bins", map[string]any{"context": "full"}))
	b.drive(t, 0, 20)
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	if len(b.products) != 1 {
		t.Fatalf("%d products, want 1", len(b.products))
	}
	if got, want := b.products[0].Observation.Object.Box, [4]int{95, 55, 150, 110}; got != want {
		t.Errorf("box = %v, want that of the largest look %v", got, want)
	}
}

func TestAThingWithTwoLabelsIsOneObservation(t *testing.T) {
	s := newSight()
	look := 0
	s.look.see = func(*image.YCbCr) []inference.Detection { // a bin, a car, both at once...
		look++
		bin, car := det("bin", 0.6, 100, 60, 180, 140), det("car", 0.7, 102, 58, 184, 142)
		return [][]inference.Detection{{bin}, {car}, {car, bin}}[look%3]
	}
	b := newBench(t, s, task("things", map[string]any{"labels": []string{"bin", "car"}}),
		task("number", map[string]any{"labels": []string{"bin", "car"}, "action": "count"}))
	b.drive(t, 0, 20)
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	if got, want := b.kinds(), []uplink.Kind{uplink.Finding, uplink.Count}; !slices.Equal(got, want) {
		t.Fatalf("kinds = %v, want %v", got, want)
	}
	if c := b.products[1].Observation.Counts; c["bin"]+c["car"] != 1 {
		t.Errorf("counts = %v, want one thing", c)
	}
}

func TestAThingPassedAgainIsReportedOnce(t *testing.T) {
	for _, tt := range []struct {
		name  string
		dedup float64
		want  int
	}{{"within 15 m", 15, 1}, {"dedup off", 0, 2}} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSight()
			pass := 0
			s.look.see = func(*image.YCbCr) []inference.Detection {
				if pass++; pass > 3 {
					return nil
				}
				return []inference.Detection{det("bin", 0.8, 100, 60, 180, 140)}
			}
			b := newBench(t, s, task("bins", map[string]any{"dedup_m": tt.dedup}))
			again := func(from int) {
				pass = 0
				for i := range 12 { // the same 60 m of street each time
					at, metres := float64(from+i), float64(100+5*i)
					if err := b.Fix(fixAt(at, metres)); err != nil {
						t.Fatal(err)
					}
					if err := b.Frame(context.Background(), frameAt(at+0.5)); err != nil {
						t.Fatal(err)
					}
				}
				b.SetSwitch(false)
				if err := b.Reconsider(began.Add(time.Duration(from+12) * time.Second)); err != nil {
					t.Fatal(err)
				}
				b.SetSwitch(true)
			}
			again(0)
			again(600)
			if len(b.products) != tt.want {
				t.Errorf("%d observations of two passes, want %d", len(b.products), tt.want)
			}
			if c := b.Counters(); int(c.Repeated) != 2-tt.want {
				t.Errorf("repeated = %d, want %d", c.Repeated, 2-tt.want)
			}
		})
	}
}

func TestCountAndSurveySendNumbersAndNoPicture(t *testing.T) {
	s := newSight()
	s.look.see = always(det("car", 0.9, 10, 50, 100, 120), det("car", 0.8, 150, 50, 240, 120), det("bin", 0.4, 250, 50, 300, 120))
	b := newBench(t, s,
		task("cars", map[string]any{"action": "count", "labels": []string{"car", "bin"}}),
		task("clean", map[string]any{"action": "survey", "labels": []string{"bin"}}),
	)
	b.drive(t, 0, 20)
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	if got, want := b.kinds(), []uplink.Kind{uplink.Count, uplink.Clear}; !slices.Equal(got, want) {
		t.Fatalf("kinds = %v, want %v", got, want)
	}
	o := b.products[0].Observation
	if o.Counts["car"] != 2 || o.Counts["bin"] != 0 {
		t.Errorf("counts = %v, want 2 cars and no bin", o.Counts)
	}
	for _, p := range b.products {
		if p.Evidence != nil || p.Observation.Image != nil {
			t.Errorf("%s: a picture was kept", p.Observation.Task)
		}
		if err := p.Observation.Validate(); err != nil {
			t.Errorf("%s: %v", p.Observation.Task, err)
		}
	}
	if n := s.face.calls + s.plate.calls + s.person.calls; n != 0 {
		t.Errorf("the models that find people ran %d times though no picture was to be kept", n)
	}
}

// A model that finds all that is removed looks once at a frame, though three
// classes and two tasks ask it; of each class, what it was asked for is removed.
func TestOneLookOfAModelServesAllItsClasses(t *testing.T) {
	s := newSight()
	s.look.see = always(det("bin", 0.8, 100, 60, 180, 140), det("car", 0.8, 200, 60, 280, 140))
	all := &scripted{name: "all", labels: []string{"person", "face", "plate"}, see: always(
		det("person", 0.8, 10, 20, 50, 160), det("person", 0.4, 60, 20, 90, 160),
		det("face", 0.35, 20, 24, 34, 40), det("plate", 0.1, 220, 110, 250, 120),
	)}
	models := s.models()
	models.Detectors["all"] = all
	models.Redact = []RedactModel{
		{Class: blur.Person, Model: "all", MinScore: 0.5}, {Class: blur.Face, Model: "all", MinScore: 0.3}, {Class: blur.Plate, Model: "all"},
	}
	b := newBenchOf(t, models, task("bins", nil), task("cars", map[string]any{"labels": []string{"car"}}))
	b.drive(t, 0, 20)
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	if len(b.products) != 2 {
		t.Fatalf("%d products, want two", len(b.products))
	}
	for _, p := range b.products {
		want := map[string]int{"person": 1, "face": 1, "plate": 1}
		if got := p.Observation.Redaction.Regions; !maps.Equal(got, want) {
			t.Errorf("removed %v, want %v", got, want)
		}
		if n := len(p.Observation.Models); n != 2 {
			t.Errorf("the observation names %d models, want the one that looked and the one that found people", n)
		}
	}
	if n := s.person.calls + s.face.calls + s.plate.calls; n != 0 {
		t.Errorf("models that nobody named ran %d times", n)
	}
	if looked := b.Counters().Looked; uint64(s.look.calls) != looked || all.calls != 1 {
		t.Errorf("the model that looks ran %d times at %d frames, the one that finds people %d times at the one that was kept",
			s.look.calls, looked, all.calls)
	}
}

// A picture of which it is not known where people are is not kept.
func TestFailureClosesInsteadOfLeaking(t *testing.T) {
	s := newSight()
	s.look.see = always(det("bin", 0.8, 100, 60, 180, 140))
	s.plate.err = errors.New("out of memory")
	b := newBench(t, s, task("bins", nil))
	b.drive(t, 0, 20)
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	if len(b.products) != 0 {
		t.Errorf("%d products though no plate could be looked for", len(b.products))
	}
	if c := b.Counters(); c.Failed == 0 || c.Findings != 0 {
		t.Errorf("failed = %d, findings = %d", c.Failed, c.Findings)
	}
}

func TestModelsThatKeepFailingCloseTheGate(t *testing.T) {
	s := newSight()
	s.look.err = errors.New("out of memory")
	b := newBench(t, s, task("bins", nil))
	b.drive(t, 0, 25)
	if c := b.Counters(); c.Failed != maxFailures || c.No[RedactorUnwell] == 0 {
		t.Errorf("failed = %d, want %d and then a closed gate (%v)", c.Failed, maxFailures, c.Reasons())
	}
	s.look.err = nil
	b.drive(t, 25, 60)
	if c := b.Counters(); c.Looked == 0 {
		t.Error("the gate stays closed after the models came back")
	}
}

func TestAClosedGateReadsNoFrame(t *testing.T) {
	b := newBench(t, newSight(), task("bins", nil))
	f := fixAt(0, -500) // outside
	for i := range 6 {
		f.At, f.Time = f.At.Add(1e9), f.Time.Add(1e9)
		f.Lon += metreLon * float64(i)
		if err := b.Fix(f); err != nil {
			t.Fatal(err)
		}
	}
	frame, raw := &capture.Frame{At: f.At}, []byte("not a picture")
	n := testing.AllocsPerRun(100, func() {
		frame.JPEG = raw
		if err := b.Frame(context.Background(), frame); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("a frame outside of the zones allocates %v times", n)
	}
	if c := b.Counters(); c.BadFrames != 0 || c.Closed == 0 {
		t.Errorf("bad = %d, closed = %d: the frame was read", c.BadFrames, c.Closed)
	}
	if frame.JPEG != nil || slices.Max(raw) != 0 {
		t.Error("the frame was not released")
	}
}

func TestABadFrameIsCountedAndForgotten(t *testing.T) {
	s := newSight()
	b := newBench(t, s, task("bins", nil))
	for i := range 8 {
		if err := b.Fix(fixAt(float64(i), float64(100+5*i))); err != nil {
			t.Fatal(err)
		}
	}
	cut := frameAt(7.5)
	cut.JPEG = cut.JPEG[:len(cut.JPEG)/2]
	if err := b.Frame(context.Background(), cut); err != nil {
		t.Fatal(err)
	}
	if c := b.Counters(); c.BadFrames != 1 || c.Looked != 0 || s.look.calls != 0 {
		t.Errorf("bad = %d, looked = %d, model ran %d times; want 1, 0, 0", c.BadFrames, c.Looked, s.look.calls)
	}
}

func TestLeavingEndsThePass(t *testing.T) {
	leave := map[string]func(t *testing.T, b *bench) error{
		"switch off": func(_ *testing.T, b *bench) error {
			b.SetSwitch(false)
			return b.Reconsider(began.Add(20 * 1e9))
		},
		"lost fix": func(_ *testing.T, b *bench) error {
			f := fixAt(20, 200)
			f.Valid = false
			return b.Fix(f)
		},
		"outside": func(_ *testing.T, b *bench) error {
			f := fixAt(20, 200)
			f.Lat += 0.0006
			return b.Fix(f)
		},
		"stale fix":       func(_ *testing.T, b *bench) error { return b.Reconsider(began.Add(40 * 1e9)) },
		"new plan":        func(t *testing.T, b *bench) error { return b.SetPlan(planOf(t, nil, task("other", nil))) },
		"storage":         func(_ *testing.T, b *bench) error { b.SetStorage(false); return b.Reconsider(began.Add(20 * 1e9)) },
		"orders expired":  func(_ *testing.T, b *bench) error { return b.Fix(expired()) },
		"end of the work": func(_ *testing.T, b *bench) error { return b.Finish() },
	}
	for name, away := range leave {
		t.Run(name, func(t *testing.T) {
			s := newSight()
			s.look.see = always(det("bin", 0.8, 100, 60, 180, 140))
			b := newBench(t, s, task("bins", nil))
			b.drive(t, 0, 20)
			if err := away(t, b); err != nil {
				t.Fatal(err)
			}
			if len(b.products) != 1 {
				t.Errorf("%d products, want the one found before", len(b.products))
			}
			if len(b.passes) != 0 {
				t.Error("the pass goes on")
			}
			if b.Decision().Reason != Open && s.look.clears == 0 {
				t.Error("the models still hold the last picture")
			}
		})
	}
}

// expired is a fix of the year after the orders.
func expired() gps.Fix {
	f := fixAt(20, 200)
	f.Time = f.Time.AddDate(1, 0, 0)
	return f
}

func TestQuotaClosesTheTask(t *testing.T) {
	s := newSight()
	n := 0
	s.look.see = func(*image.YCbCr) []inference.Detection { // another thing in every look
		n++
		x := (n % 4) * 70
		return []inference.Detection{{Label: "bin", Score: 0.8, Box: image.Rect(x+2, 10, x+60, 100)}}
	}
	b := newBench(t, s, task("bins", map[string]any{"quota_per_day": 2}))
	b.drive(t, 0, 60)
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	if len(b.products) != 2 {
		t.Errorf("%d products, want 2, the quota", len(b.products))
	}
	if c := b.Counters(); c.No[Quota] == 0 {
		t.Error("the gate never said quota")
	}
}

func TestTheSameEventsGiveTheSameBytes(t *testing.T) {
	run := func() (lines, pictures []byte) {
		s := newSight()
		s.look.see = always(det("bin", 0.8, 100, 60, 180, 140), det("bin", 0.7, 200, 60, 260, 140), det("car", 0.7, 10, 20, 60, 90))
		s.person.see = always(det("person", 0.8, 150, 20, 190, 160))
		b := newBench(t, s, task("bins", nil), task("cars", map[string]any{"labels": []string{"car"}}),
			task("count", map[string]any{"labels": []string{"car", "bin"}, "action": "count"}))
		b.drive(t, 0, 20)
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		for _, p := range b.products {
			line, err := json.Marshal(p.Observation)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(append(lines, line...), '\n')
			if p.Evidence != nil {
				pictures = append(pictures, p.Evidence.JPEG()...)
			}
		}
		return lines, pictures
	}
	lines, pictures := run()
	for range 5 {
		l, p := run()
		if !bytes.Equal(l, lines) || !bytes.Equal(p, pictures) {
			t.Fatal("two runs differ")
		}
	}
	if bytes.Count(lines, []byte("\n")) != 4 {
		t.Errorf("observations:\n%s\nwant 4", lines)
	}
}

func TestASinkThatFailsIsHeard(t *testing.T) {
	s := newSight()
	s.look.see = always(det("bin", 0.8, 100, 60, 180, 140))
	b := newBench(t, s, task("bins", nil))
	full := errors.New("no room")
	b.cfg.Sink = func(Product) error { return full }
	b.drive(t, 0, 10)
	if err := b.Finish(); !errors.Is(err, full) {
		t.Errorf("err = %v, want %v", err, full)
	}
}

// A frame that waited belongs to where the vehicle was, not to where it is.
func TestAFrameFromLongBeforeTheFixIsNotLookedAt(t *testing.T) {
	s := newSight()
	b := opened(t, s, task("bins", nil))
	b.move(t, 9, 150)
	before := s.look.calls
	f := frameAt(7.9)
	if err := b.Frame(context.Background(), f); err != nil {
		t.Fatal(err)
	}
	if c := b.Counters(); c.Late != 1 || s.look.calls != before || b.window.newest != nil {
		t.Errorf("%d late, %d looks; want one and none", c.Late, s.look.calls-before)
	}
	if err := b.Frame(context.Background(), frameAt(8.1)); err != nil {
		t.Fatal(err)
	}
	if s.look.calls != before+1 {
		t.Error("a frame from within the second is not looked at")
	}
}

// An observation says where the vehicle was when the frame was taken, not where it was
// at the last fix: at 5 m/s half a second is 2.5 m.
func TestThePlaceIsThatOfTheFrame(t *testing.T) {
	s := newSight()
	s.look.see = always(det("bin", 0.8, 100, 60, 180, 140))
	b := newBench(t, s, task("bins", nil))
	b.drive(t, 0, 12)
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	if len(b.products) == 0 {
		t.Fatal("nothing was found")
	}
	o := b.products[0].Observation
	seconds := o.Time.UTC.Sub(began).Seconds()
	want, last := fixAt(seconds, 100+5*seconds), fixAt(seconds, 100+5*(seconds-0.5))
	if math.Abs(o.Position.Lon-want.Lon) > 1e-6 || math.Abs(last.Lon-want.Lon) < 1e-5 {
		t.Errorf("at %.1f s the place is %.6f, want %.6f (the last fix was at %.6f)", seconds, o.Position.Lon, want.Lon, last.Lon)
	}
}
