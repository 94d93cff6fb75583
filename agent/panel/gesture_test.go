package panel

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func (a act) String() string { return [...]string{"nothing", "off", "on", "hold"}[a] }

var start = time.Date(2026, 8, 3, 6, 0, 0, 0, time.UTC)

// played gives a gesture the readings of a script, "+0.1 down" or "+2 gone", with a
// switch that does what is asked, and returns what was asked and at fault, and when.
func played(t *testing.T, on bool, script string) []string {
	t.Helper()
	g := gesture{long: 2 * time.Second}
	var got []string
	at := time.Duration(0)
	for step := range strings.SplitSeq(script, ",") {
		var seconds float64
		var word string
		if _, err := fmt.Sscanf(strings.TrimSpace(step), "+%g %s", &seconds, &word); err != nil {
			t.Fatalf("%q: %v", step, err)
		}
		at += time.Duration(seconds * float64(time.Second))
		r := reading{at: start.Add(at), pressed: word == "down"}
		switch word {
		case "gone":
			r.err = errors.New("gone")
		case "socket": // somebody else turns it on
			on = true
			continue
		}
		before := g.trouble
		a := g.step(r, on)
		if g.trouble != before {
			got = append(got, fmt.Sprintf("%g fault %q", at.Seconds(), g.trouble))
		}
		if a != nothing {
			got = append(got, fmt.Sprintf("%g %s", at.Seconds(), a))
		}
		on = a == turnOn || on && a == nothing
	}
	return got
}

func TestGesture(t *testing.T) {
	for _, tt := range []struct {
		name   string
		on     bool
		script string
		want   []string
	}{
		{"nobody presses", false, "+0 up, +1 up, +1 up", nil},
		{"on when it is let go", false, "+0 up, +1 down, +0.3 down, +0.2 up", []string{"1.5 on"}},
		{"off when it goes down", true, "+0 up, +1 down, +0.3 up, +1 up", []string{"1 off"}},
		{"on and off", false, "+0 up, +1 down, +0.2 up, +1 down, +0.2 up", []string{"1.2 on", "2.2 off"}},
		{"long when off", false, "+0 up, +1 down, +1 down, +1 down, +1 down, +1 up", []string{"3 hold"}},
		{"long when on", true, "+0 up, +1 down, +1 down, +1 down, +1 up", []string{"1 off", "3 hold"}},
		{"long twice", false, "+0 up, +1 down, +2 down, +1 up, +1 down, +2 down, +1 up", []string{"3 hold", "7 hold"}},
		{"pressed as soon as it is found", false, "+0 up, +0.02 down, +0.3 up", []string{"0.32 on"}},
		{"as long as long, seen late", false, "+0 up, +1 down, +2 up", nil},
		{"just not long", false, "+0 up, +1 down, +1.999 up", []string{"2.999 on"}},
		{"every level twice", false, "+0 up, +0 up, +1 down, +0 down, +0.5 up, +0 up", []string{"1.5 on"}},

		{"pressed at the start", false, "+0 down, +5 down, +60 down, +1 up, +1 up", []string{`0 fault "button pressed since the start"`, `66 fault ""`}},
		{"pressed at the start, and on", true, "+0 down, +3 up, +1 down", []string{`0 fault "button pressed since the start"`, `3 fault ""`, "4 off"}},
		{"stuck", true, "+0 up, +1 down, +2 down, +27 down, +1 down, +60 down, +1 up, +1 down, +0.2 up",
			[]string{"1 off", "3 hold", `31 fault "button stuck"`, `92 fault ""`, "93.2 on"}},
		{"gone and back", true, "+0 up, +1 gone, +1 gone, +1 up, +1 down", []string{`1 fault "gone"`, `3 fault ""`, "4 off"}},
		{"gone while pressed, back pressed", false, "+0 up, +1 down, +0.5 gone, +1 down, +1 up",
			[]string{`1.5 fault "gone"`, `2.5 fault "button pressed since the start"`, `3.5 fault ""`}},
		{"gone while pressed, back let go", false, "+0 up, +1 down, +0.5 gone, +1 up", []string{`1.5 fault "gone"`, `2.5 fault ""`}},

		{"the contact bounces as it is let go after off", true, "+0 up, +1 down, +0.3 up, +0.05 down, +0.02 up", []string{"1 off"}},
		{"the contact bounces as it is let go after on", false, "+0 up, +1 down, +0.3 up, +0.05 down, +0.02 up", []string{"1.3 on", "1.35 off"}},
		{"a quick second press", true, "+0 up, +1 down, +0.1 up, +0.1 down, +0.1 up", []string{"1 off", "1.3 on"}},
		{"turned on by another while it was down", false, "+0 up, +1 down, +0.1 socket, +0.1 up", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, played(t, tt.on, tt.script)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// readings draws what a button might say: levels that change or not, at any distance,
// now and then a loss.
func readings(t *rapid.T) []reading {
	var all []reading
	at := start
	for range rapid.IntRange(1, 60).Draw(t, "readings") {
		at = at.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 20, 99, 100, 400, 1999, 2000, 29_000, 31_000}).Draw(t, "after")) * time.Millisecond)
		r := reading{at: at, pressed: rapid.Bool().Draw(t, "pressed")}
		if rapid.IntRange(0, 15).Draw(t, "lost") == 0 {
			r.err = errors.New("gone")
		}
		all = append(all, r)
	}
	return all
}

// Whatever a button says, only what a person did is done.
func TestGestureProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := gesture{long: 2 * time.Second}
		on := rapid.Bool().Draw(t, "on")
		free := false // let go since it was found
		var pressedAt time.Time
		var last reading
		acts := map[act]int{} // in this press
		for i, r := range readings(t) {
			if rapid.IntRange(0, 9).Draw(t, "socket") == 0 {
				on = !on
			}
			begins := free && r.err == nil && r.pressed && (i == 0 || !last.pressed)
			if begins {
				pressedAt, acts = r.at, map[act]int{}
			}
			a := g.step(r, on)
			acts[a]++
			switch {
			case r.err != nil && a != nothing:
				t.Fatalf("%d: %s from a button that is lost", i, a)
			case !free && a != nothing:
				t.Fatalf("%d: %s from a button that was pressed when it was found", i, a)
			case begins && on && a != turnOff:
				t.Fatalf("%d: pressed while on gives %s, want off at once", i, a)
			case a == turnOff && !on, a == turnOn && on:
				t.Fatalf("%d: %s, and it is so already", i, a)
			case a == turnOn && (r.pressed || !last.pressed || r.at.Sub(pressedAt) >= g.long):
				t.Fatalf("%d: on, and not from a short press that ended", i)
			case a == hold && (!r.pressed || r.at.Sub(pressedAt) < g.long):
				t.Fatalf("%d: hold %s after the press began", i, r.at.Sub(pressedAt))
			case acts[hold] > 1, acts[turnOn] > 1, acts[turnOff] > 1, acts[turnOff] > 0 && acts[turnOn] > 0:
				t.Fatalf("%d: one press did %v", i, acts)
			}
			if wrong := g.trouble != ""; wrong != (r.err != nil || r.pressed && (!free || r.at.Sub(pressedAt) >= stuckAfter)) {
				t.Fatalf("%d: fault %q of %+v", i, g.trouble, r)
			}
			free = r.err == nil && (free || !r.pressed)
			on = a == turnOn || on && a == nothing
			last = r
		}
	})
}

// The same level twice says nothing new.
func TestGestureDoubled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once, twice := gesture{long: 2 * time.Second}, gesture{long: 2 * time.Second}
		on := false
		for _, r := range readings(t) {
			a, b := once.step(r, on), twice.step(r, on)
			on = a == turnOn || on && a == nothing
			if again := twice.step(r, on); a != b || again != nothing {
				t.Fatalf("%+v: once %s, twice %s and %s", r, a, b, again)
			}
		}
		if d := cmp.Diff(once, twice, cmp.AllowUnexported(gesture{})); d != "" {
			t.Fatalf("(-once +twice):\n%s", d)
		}
	})
}

func TestDebouncer(t *testing.T) {
	d := debouncer{period: 20 * time.Millisecond}
	now := start
	for i, s := range []struct {
		after int
		raw   bool
		level bool
		again int
	}{
		{0, true, true, 0}, // the first is believed
		{100, false, true, 20},
		{5, true, true, 0}, // a bounce
		{5, false, true, 20},
		{19, false, true, 1},
		{1, false, false, 0},
		{500, false, false, 0},
	} {
		now = now.Add(time.Duration(s.after) * time.Millisecond)
		level, again := d.step(s.raw, now)
		if level != s.level || again != time.Duration(s.again)*time.Millisecond {
			t.Errorf("step %d: %t, again after %s, want %t after %dms", i, level, again, s.level, s.again)
		}
	}
	none := debouncer{}
	for _, raw := range []bool{false, true, false} {
		if level, again := none.step(raw, now); level != raw || again != 0 {
			t.Errorf("without a period %t becomes %t, again after %s", raw, level, again)
		}
	}
}
