package agent

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/jpeg"
	"slices"
	"testing"
	"time"

	"gadeblik/capture"
	"gadeblik/inference"
)

// shade is a picture of one grey, by which scripted models tell frames apart.
func shade(v uint8) []byte {
	img := image.NewGray(image.Rect(0, 0, 320, 192))
	for i := range img.Pix {
		img.Pix[i] = v
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 100}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func shadeOf(img *image.YCbCr) uint8 { return img.Y[img.YOffset(1, 1)] }

// bySight sees in each shade of picture what is listed for it.
func bySight(what map[uint8][]inference.Detection) func(*image.YCbCr) []inference.Detection {
	return func(img *image.YCbCr) []inference.Detection { return slices.Clone(what[shadeOf(img)]) }
}

// opened is a bench that has entered the zone: fixes for 7 seconds and no frame.
func opened(t *testing.T, s *sight, tasks ...map[string]any) *bench {
	t.Helper()
	return enter(t, newBench(t, s, tasks...))
}

func enter(t *testing.T, b *bench) *bench {
	t.Helper()
	for i := range 8 {
		if err := b.Fix(fixAt(float64(i), float64(100+5*i))); err != nil {
			t.Fatal(err)
		}
	}
	if b.Decision().Reason != Open {
		t.Fatalf("the gate is closed: %s", b.Decision().Reason)
	}
	return b
}

// give gives a frame of a shade, seconds into the drive, and returns it.
func (b *bench) give(t *testing.T, seconds float64, v uint8) *capture.Frame {
	t.Helper()
	f := &capture.Frame{At: began.Add(time.Duration(seconds * float64(time.Second))), JPEG: shade(v)}
	if err := b.Frame(context.Background(), f); err != nil {
		t.Fatal(err)
	}
	return f
}

// The bin is seen at shade 100 only: that frame becomes the picture. Frames come
// before it (50) and after it (150), and a person is seen in some of them.
func TestNeighboursOnlyAdd(t *testing.T) {
	here, there, far := det("person", 0.8, 20, 40, 60, 160), det("person", 0.8, 50, 40, 90, 160), det("person", 0.8, 250, 40, 300, 160)
	upper := det("person", 0.8, 20, 40, 60, 90)
	for _, tt := range []struct {
		name              string
		before, own, next []inference.Detection
		gapBefore, gap    float64 // seconds
		want              int     // persons removed
		covered           []image.Rectangle
		bare              []image.Rectangle
		followed          uint64
	}{
		{name: "nobody", want: 0},
		{name: "seen in the picture too", before: []inference.Detection{here}, own: []inference.Detection{here}, next: []inference.Detection{here},
			want: 1, covered: []image.Rectangle{here.Box}},
		{name: "before and after, not between", before: []inference.Detection{here}, next: []inference.Detection{there},
			want: 1, covered: []image.Rectangle{here.Box.Union(there.Box)}, followed: 1},
		{name: "before only", before: []inference.Detection{far}, want: 1, covered: []image.Rectangle{far.Box}, followed: 1},
		{name: "after only", next: []inference.Detection{far}, want: 1, covered: []image.Rectangle{far.Box}, followed: 1},
		{name: "two apart", before: []inference.Detection{here}, next: []inference.Detection{far},
			want: 2, covered: []image.Rectangle{here.Box, far.Box}, followed: 2},
		{name: "half seen", own: []inference.Detection{upper}, next: []inference.Detection{here},
			want: 1, covered: []image.Rectangle{here.Box}, followed: 1},
		{name: "half seen, and moved on", own: []inference.Detection{det("person", 0.8, 20, 40, 100, 90)}, next: []inference.Detection{det("person", 0.8, 60, 40, 140, 160)},
			want: 1, covered: []image.Rectangle{image.Rect(20, 40, 100, 160)}, followed: 1},
		{name: "smaller in the neighbour", own: []inference.Detection{here}, next: []inference.Detection{upper},
			want: 1, covered: []image.Rectangle{here.Box}},
		{name: "moved on", own: []inference.Detection{here}, next: []inference.Detection{there},
			want: 1, covered: []image.Rectangle{here.Box}},
		{name: "someone else besides", before: []inference.Detection{here, far}, own: []inference.Detection{here},
			want: 2, covered: []image.Rectangle{here.Box, far.Box}, followed: 1},
		{name: "too long before", before: []inference.Detection{far}, gapBefore: 0.501, want: 0, bare: []image.Rectangle{far.Box}},
		{name: "too long after", next: []inference.Detection{far}, gap: 0.501, want: 0, bare: []image.Rectangle{far.Box}},
		{name: "just in time", before: []inference.Detection{far}, next: []inference.Detection{here}, gapBefore: 0.5, gap: 0.5,
			want: 2, covered: []image.Rectangle{here.Box, far.Box}, followed: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSight()
			s.look.see = bySight(map[uint8][]inference.Detection{100: {det("bin", 0.8, 120, 60, 200, 140)}})
			s.person.see = bySight(map[uint8][]inference.Detection{50: tt.before, 100: tt.own, 150: tt.next})
			b := opened(t, s, task("bins", map[string]any{"context": "full"}))
			b.give(t, 7.6-cmp.Or(tt.gapBefore, 0.1), 50)
			b.move(t, 7.55, 140)
			b.give(t, 7.6, 100)
			b.give(t, 7.6+cmp.Or(tt.gap, 0.1), 150) // not far enough for a look of its own
			c := b.best(t)
			if got := c.Removed["person"]; got != tt.want {
				t.Errorf("%d persons removed, want %d", got, tt.want)
			}
			for _, box := range tt.covered {
				if uncovered(box, c.Image.Regions()) > 0 {
					t.Errorf("%v is not removed: %v", box, c.Image.Regions())
				}
			}
			for _, box := range tt.bare {
				if uncovered(box, c.Image.Regions()) < area(box) {
					t.Errorf("%v is removed: %v", box, c.Image.Regions())
				}
			}
			if c := b.Counters(); c.Followed != tt.followed || c.Looked != 2 || c.Skipped != 1 {
				t.Errorf("followed = %d, want %d; looked at %d, skipped %d", c.Followed, tt.followed, c.Looked, c.Skipped)
			}
			if s.person.calls > 3 {
				t.Errorf("the model that finds persons looked %d times at 3 frames", s.person.calls)
			}
		})
	}
}

// move gives a fix, so that the next frame is far enough from the last look.
func (b *bench) move(t *testing.T, seconds, metres float64) {
	t.Helper()
	if err := b.Fix(fixAt(seconds, metres)); err != nil {
		t.Fatal(err)
	}
}

// best returns the only candidate of the only pass.
func (b *bench) best(t *testing.T) *candidate {
	t.Helper()
	for _, ps := range b.passes {
		for _, c := range ps.best {
			return c
		}
	}
	t.Fatalf("no picture was made: %+v", b.Counters())
	return nil
}

// waitingBin is a bench with a picture that waits for the frame after it, and that
// frame's bytes.
func waitingBin(t *testing.T, s *sight) (b *bench, held []byte) {
	t.Helper()
	if s.look.see == nil {
		s.look.see = bySight(map[uint8][]inference.Detection{100: {det("bin", 0.8, 120, 60, 200, 140)}})
	}
	b = opened(t, s, task("bins", map[string]any{"context": "full"}))
	b.give(t, 7.5, 50)
	b.move(t, 7.55, 140)
	raw := shade(100)
	if err := b.Frame(context.Background(), &capture.Frame{At: began.Add(7600 * time.Millisecond), JPEG: raw}); err != nil {
		t.Fatal(err)
	}
	if c := b.Counters(); c.Redacted != 0 || b.window.newest == nil {
		t.Fatalf("the picture does not wait: %+v", c)
	}
	return b, raw
}

// Whatever ends the wait, the picture is made with what is known, but for the driver,
// who wants none; and nothing of a frame stays in memory: not the bytes, not the planes,
// not what the models hold.
func TestNothingIsHeldOnceTheGateCloses(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(b *bench) error
		want int // pictures
	}{
		"a fix outside": {func(b *bench) error { f := fixAt(8, 140); f.Lat += 0.0006; return b.Fix(f) }, 1},
		"a stale fix":   {func(b *bench) error { return b.Reconsider(began.Add(20 * time.Second)) }, 1},
		"storage":       {func(b *bench) error { b.SetStorage(false); return b.Reconsider(began.Add(7700 * time.Millisecond)) }, 1},
		"another plan":  {func(b *bench) error { return b.SetPlan(nil) }, 1},
		"the end":       {func(b *bench) error { return b.Finish() }, 1},
		"the switch":    {func(b *bench) error { b.SetSwitch(false); return b.Reconsider(began.Add(7700 * time.Millisecond)) }, 0},
		"the switch, at a frame": {func(b *bench) error {
			b.SetSwitch(false)
			return b.Frame(context.Background(), frameAt(7.7))
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSight()
			b, raw := waitingBin(t, s)
			source := b.window.newest.src
			if err := tt.end(b); err != nil {
				t.Fatal(err)
			}
			if c := b.Counters(); len(b.products) != tt.want || int(c.Withdrawn) != 1-tt.want {
				t.Errorf("%d products, %d withdrawn; want %d and %d", len(b.products), c.Withdrawn, tt.want, 1-tt.want)
			}
			if b.window.newest != nil || slices.ContainsFunc(raw, func(c byte) bool { return c != 0 }) || !source.Bounds().Empty() {
				t.Error("the frame is still in memory")
			}
			if s.look.clears == 0 {
				t.Error("the models still hold the last picture")
			}
		})
	}
}

// While the gate stays open a frame is wiped when the one after the next comes, or
// when none comes.
func TestFramesAreHeldNoLongerThanNeeded(t *testing.T) {
	wiped := func(raw []byte) bool { return !slices.ContainsFunc(raw, func(c byte) bool { return c != 0 }) }
	b, raw := waitingBin(t, newSight())
	b.move(t, 9.2, 145) // the gate stays open
	if err := b.Reconsider(began.Add(7600*time.Millisecond + heldFor)); err != nil {
		t.Fatal(err)
	}
	if wiped(raw) {
		t.Error("the frame was given up while its neighbour could still come")
	}
	b.give(t, 9.61, 150)
	if !wiped(raw) || b.Counters().Redacted != 1 {
		t.Error("the next frame has come, and the one before is still in memory")
	}
	b, raw = waitingBin(t, newSight())
	b.move(t, 9.2, 145)
	if err := b.Reconsider(began.Add(7601*time.Millisecond + heldFor)); err != nil {
		t.Fatal(err)
	}
	if !wiped(raw) || b.window.newest != nil || b.Counters().Redacted != 1 || b.Decision().Reason != Open {
		t.Errorf("no frame came for %v, and the last is still in memory", heldFor)
	}
}

// A pass that ends while another task goes on takes its waiting picture with it.
func TestAPassThatEndsSettlesItsPicture(t *testing.T) {
	s := newSight()
	s.look.see = bySight(map[uint8][]inference.Detection{100: {det("bin", 0.8, 120, 60, 200, 140)}})
	b := opened(t, s, task("bins", map[string]any{"max_speed_kmh": 40}), task("cars", map[string]any{"labels": []string{"car"}}))
	b.give(t, 7.5, 100)
	fast := fixAt(8, 140)
	fast.Speed = 15
	if err := b.Fix(fast); err != nil {
		t.Fatal(err)
	}
	if len(b.products) != 1 || b.Decision().Reason != Open || len(b.passes) != 1 {
		t.Errorf("%d products, %d passes, gate %s; want 1, 1 and open", len(b.products), len(b.passes), b.Decision().Reason)
	}
}

// Where the models cannot look at a neighbour, nothing is known of it, and no
// picture is made.
func TestANeighbourThatCannotBeLookedAtDropsThePicture(t *testing.T) {
	for name, shade := range map[string]uint8{"before": 50, "after": 150} {
		s := newSight()
		s.look.see = bySight(map[uint8][]inference.Detection{100: {det("bin", 0.8, 120, 60, 200, 140)}})
		models := s.models()
		models.Detectors["plates"] = &blinded{s.plate, shade}
		b := enter(t, newBenchOf(t, models, task("bins", nil)))
		b.give(t, 7.5, 50)
		b.move(t, 7.55, 140)
		b.give(t, 7.6, 100)
		b.give(t, 7.7, 150)
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		if c := b.Counters(); len(b.products) != 0 || c.Redacted != 0 || c.Failed != 1 {
			t.Errorf("%s: %d products, %d redacted, %d failed; want 0, 0, 1", name, len(b.products), c.Redacted, c.Failed)
		}
	}
}

// blinded is a model that fails at pictures of one shade.
type blinded struct {
	*scripted
	shade uint8
}

func (b *blinded) Detect(ctx context.Context, v inference.View, dst []inference.Detection) ([]inference.Detection, error) {
	if shadeOf(v.Planes) == b.shade {
		return dst, errors.New("out of memory")
	}
	return b.scripted.Detect(ctx, v, dst)
}

// A frame that is no picture is nobody's neighbour, and no reason to drop one.
func TestABadNeighbourIsNone(t *testing.T) {
	b, _ := waitingBin(t, newSight())
	if err := b.Frame(context.Background(), &capture.Frame{At: began.Add(7700 * time.Millisecond), JPEG: []byte("no picture")}); err != nil {
		t.Fatal(err)
	}
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	if len(b.products) != 1 {
		t.Errorf("%d products, want 1", len(b.products))
	}
}

// The redaction models do not look at frames that no picture depends on.
func TestNeighboursAreLookedAtOnlyForAPicture(t *testing.T) {
	s := newSight()
	b := opened(t, s, task("bins", nil))
	for i := range 5 {
		b.give(t, 7.5+0.1*float64(i), 50)
	}
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	if n := s.person.calls + s.face.calls + s.plate.calls; n != 0 {
		t.Errorf("they looked %d times, and there was nothing to keep", n)
	}
}

// However often the clock is looked at between two frames, and however late, the
// products are the same.
func TestLookingAtTheClockChangesNothing(t *testing.T) {
	run := func(step time.Duration) []byte {
		s := newSight()
		s.look.see = always(det("bin", 0.8, 120, 60, 200, 140))
		s.person.see = bySight(map[uint8][]inference.Detection{50: {det("person", 0.8, 20, 40, 60, 160)}, 150: {det("person", 0.8, 250, 40, 300, 160)}})
		b := opened(t, s, task("bins", map[string]any{"context": "full"}))
		at := began.Add(7 * time.Second)
		for i, gap := range []float64{0.1, 0.3, 0.5, 0.6, 0.2, 1.9, 0.4, 0.1} {
			next := at.Add(time.Duration(gap * float64(time.Second)))
			for now := at; step > 0 && now.Before(next); now = now.Add(step) {
				if err := b.Reconsider(now); err != nil {
					t.Fatal(err)
				}
			}
			at = next
			b.move(t, at.Sub(began).Seconds()-0.01, 140+3*float64(i))
			b.give(t, at.Sub(began).Seconds(), []uint8{50, 100, 150}[i%3])
		}
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		var out []byte
		for _, p := range b.products {
			line, err := json.Marshal(p.Observation)
			if err != nil {
				t.Fatal(err)
			}
			out = append(append(out, line...), p.Evidence.JPEG()...)
		}
		return out
	}
	want := run(0)
	if len(want) == 0 {
		t.Fatal("nothing was found")
	}
	for _, step := range []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, 700 * time.Millisecond} {
		if !bytes.Equal(run(step), want) {
			t.Errorf("looking at the clock every %v changes what comes out", step)
		}
	}
}

func TestStretched(t *testing.T) {
	for _, tt := range []struct {
		name          string
		box, to, want image.Rectangle
	}{
		{"the same", image.Rect(10, 10, 20, 30), image.Rect(10, 10, 20, 30), image.Rect(10, 10, 20, 30)},
		{"smaller elsewhere", image.Rect(10, 10, 20, 30), image.Rect(50, 50, 55, 55), image.Rect(10, 10, 20, 30)},
		{"moved", image.Rect(10, 10, 20, 30), image.Rect(14, 12, 24, 32), image.Rect(10, 10, 20, 30)},
		{"the whole of a half", image.Rect(10, 10, 20, 30), image.Rect(8, 8, 22, 60), image.Rect(8, 8, 22, 60)},
		{"taller and further right", image.Rect(10, 10, 20, 30), image.Rect(15, 5, 25, 65), image.Rect(10, 5, 20, 65)},
		{"larger and far away", image.Rect(10, 10, 20, 30), image.Rect(100, 100, 140, 180), image.Rect(10, 10, 50, 90)},
	} {
		got := stretched(tt.box, tt.to)
		if got != tt.want || !tt.box.In(got) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
