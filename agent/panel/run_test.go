package panel

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const tenth = 100 * time.Millisecond

func TestRunPresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mount(t, nil)
		sleep(time.Second)
		b.press(5 * tenth) // on, at 1.5
		sleep(time.Second / 2)
		b.press(5 * tenth) // off, at 2
		sleep(time.Second / 2)
		b.press(3 * time.Second) // long, from 3 on
		sleep(time.Second)
		b.press(5 * tenth) // is paused: nothing
		sleep(time.Second / 2)
		b.press(3 * time.Second) // lifts that
		sleep(time.Second)
		if took := b.stop(); took > 0 {
			t.Errorf("Run took %s to end", took)
		}
		want := []string{"1.5 press, on true", "2 press, on false", "5 hold, paused true", "7.5 press, on false", "10 hold, paused false"}
		if d := cmp.Diff(want, b.log()); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if n := b.leaks(); n != 0 {
			t.Errorf("%d lines left open", n)
		}
	})
}

// Off takes effect within 200 ms of the press, whatever edges are lost or doubled.
func TestOffTakesEffectAtOnce(t *testing.T) {
	for name, prepare := range map[string]func(*device){
		"edges":        func(*device) {},
		"no edges":     func(d *device) { d.deaf = true },
		"doubled ones": func(d *device) { d.bounces = 5 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := mount(t, func(b *bench) { prepare(b.button) })
				sleep(1234567 * time.Microsecond)
				b.socket(true)
				pressed := time.Now()
				b.press(time.Second)
				if took := b.offAt.Sub(pressed); b.offAt.IsZero() || took > 200*time.Millisecond {
					t.Errorf("off %s after the press, want 200 ms at most", took)
				}
				if b.stop(); b.On() {
					t.Error("on again after the release")
				}
			})
		})
	}
}

func TestPressedAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mount(t, func(b *bench) { b.button.put(true) })
		sleep(60 * time.Second)
		b.button.put(false)
		sleep(time.Second)
		b.press(tenth * 3)
		sleep(time.Second)
		b.stop()
		want := []string{`0 fault "button pressed since the start"`, `60 fault ""`, "61.3 press, on true"}
		if d := cmp.Diff(want, b.log()); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

func TestStuckButton(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mount(t, nil)
		sleep(time.Second)
		b.press(5 * time.Minute)
		sleep(time.Second)
		b.stop()
		want := []string{"3 hold, paused true", `31 fault "button stuck"`, `301 fault ""`}
		if d := cmp.Diff(want, b.log()); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if b.lines("panel at fault") != 1 || b.lines("works again") != 1 {
			t.Errorf("logged:\n%s", b.logged)
		}
	})
}

// A chip that goes is told at once, closed, and found again.
func TestButtonGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mount(t, nil)
		sleep(time.Second)
		b.socket(true)
		gone := time.Now()
		b.button.change(func() { b.button.broken, b.button.missing = errNoDevice, errors.New("no GPIO line is called GPIO17") })
		sleep(200 * time.Millisecond) // the kernel tells nobody
		if took := b.offAt.Sub(gone); b.offAt.IsZero() || took > 200*time.Millisecond {
			t.Errorf("off %s after the button went", took)
		}
		if n := b.leaks(); n != 1 { // the lamp
			t.Errorf("%d lines open, want the button closed", n)
		}
		sleep(time.Minute)
		b.socket(true)
		if b.On() {
			t.Error("turned on without a button")
		}
		b.button.change(func() { b.button.broken, b.button.missing = nil, nil })
		sleep(maxWait)
		b.press(3 * tenth)
		sleep(time.Second)
		if !b.On() {
			t.Error("does not obey the button that is back")
		}
		b.stop()
		if n := b.leaks(); n != 0 {
			t.Errorf("%d lines left open", n)
		}
		got := b.log()
		if len(got) != 4 || !strings.HasSuffix(got[0], `fault "button gone: GPIO17: no such device"`) ||
			!strings.HasSuffix(got[1], `fault "button missing: no GPIO line is called GPIO17"`) || !strings.HasSuffix(got[2], `fault ""`) {
			t.Errorf("the driver was told:\n%s", strings.Join(got, "\n"))
		}
	})
}

// What is missing for long is tried for ever, and logged once.
func TestBusyForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := errors.New("GPIO17 (gpiochip0:17, pinctrl-rp1) is used by fan; free it, or name another line: device or resource busy")
		b := mount(t, func(b *bench) { b.button.missing = busy })
		sleep(time.Hour)
		if n := b.button.takes; n < 360 || n > 730 {
			t.Errorf("tried %d times in an hour, want once in 5 to 10 s", n)
		}
		b.stop()
		if n := b.lines("panel at fault"); n != 1 {
			t.Errorf("logged %d times:\n%s", n, b.logged)
		}
		if want := []string{fmt.Sprintf("0 fault %q", "button missing: "+busy.Error())}; !cmp.Equal(want, b.log()) {
			t.Errorf("the driver was told %q, want %q", b.log(), want)
		}
	})
}

// A button whose driver hangs is a fault, and nothing waits for it: not even the end.
func TestHangs(t *testing.T) {
	for _, tt := range []struct {
		name  string
		hang  func(*bench, chan struct{})
		fault string
	}{
		{"reading", func(b *bench, c chan struct{}) { b.button.hangs = c }, "button does not answer for 2s"},
		{"closing", func(b *bench, c chan struct{}) { b.button.hangClose, b.button.broken = c, errNoDevice }, "button gone: GPIO17: no such device"},
		{"lamp", func(b *bench, c chan struct{}) { b.lamp.hangs = c }, "lamp does not answer for 2s"},
		{"closing the lamp", func(b *bench, c chan struct{}) { b.lamp.hangClose, b.lamp.broken = c, errNoDevice }, "lamp gone: GPIO17: no such device"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := mount(t, nil)
				sleep(time.Second)
				hang := make(chan struct{})
				b.button.mu.Lock()
				b.lamp.mu.Lock()
				tt.hang(b, hang)
				b.lamp.mu.Unlock()
				b.button.mu.Unlock()
				sleep(10 * time.Second)
				if got := b.log(); len(got) != 1 || !strings.HasSuffix(got[0], fmt.Sprintf("fault %q", tt.fault)) {
					t.Errorf("the driver was told %q, want %s", got, tt.fault)
				}
				if took := b.stop(); took > 500*time.Millisecond {
					t.Errorf("Run took %s to end", took)
				}
				close(hang)
				synctest.Wait()
				if n := b.leaks(); n != 0 {
					t.Errorf("%d lines left open when the kernel let go", n)
				}
			})
		})
	}
}

func TestDriverHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		b := mount(t, func(b *bench) { b.hangs = hang })
		sleep(time.Second)
		b.press(tenth)
		sleep(10 * time.Second)
		b.button.put(true)
		if took := b.stop(); took > 500*time.Millisecond {
			t.Errorf("Run took %s to end", took)
		}
		close(hang)
		synctest.Wait()
		if told := b.log(); len(told) != 1 {
			t.Errorf("told %q, the last of it after Run had returned", told)
		}
		if n := b.leaks(); n != 0 {
			t.Errorf("%d lines left open", n)
		}
	})
}

// Where all stands still for a while, neither button nor lamp is to blame.
func TestStandstillIsNoFault(t *testing.T) {
	for range 20 { // chance says what is looked at first
		synctest.Test(t, func(t *testing.T) {
			still := make(chan struct{})
			b := mount(t, func(b *bench) { b.hangs = still })
			sleep(time.Second)
			b.press(tenth)
			sleep(3 * time.Second)
			close(still)
			sleep(10 * time.Second)
			b.stop()
			if d := cmp.Diff([]string{"1.1 press, on true"}, b.log()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// A button that answers again, pressed, was not pressed by anybody.
func TestAnswersAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mount(t, nil)
		sleep(time.Second)
		hang := make(chan struct{})
		b.button.change(func() { b.button.hangs, b.button.level = hang, true })
		sleep(10 * time.Second)
		b.button.change(func() { b.button.hangs = nil })
		close(hang)
		sleep(time.Second)
		b.button.put(false)
		sleep(time.Second)
		b.stop()
		got := strings.Join(b.log(), "\n")
		if b.On() || strings.Contains(got, "press,") || strings.Contains(got, "hold") || !strings.HasSuffix(got, `fault ""`) {
			t.Errorf("the driver was told:\n%s", got)
		}
	})
}

func TestNoButtonNoLamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mount(t, func(b *bench) { b.button, b.lamp = nil, nil })
		sleep(time.Hour)
		if took := b.stop(); took > 0 || b.log() != nil || b.logged.Len() > 0 {
			t.Errorf("ended after %s, told %v, logged %s", took, b.log(), b.logged)
		}
	})
}

// raced is a switch that turns itself off just after it said, so often, that it is on.
type raced struct {
	*seat
	says int
}

func (r *raced) On() bool {
	r.says--
	return r.says >= 0 || r.seat.On()
}

func TestOffThatCameTooLateTurnsNothingOn(t *testing.T) {
	p, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, says := range []int{1, 2} {
		s := &raced{seat: &seat{began: start}, says: says}
		d := &desk{Panel: p, driver: s, gesture: gesture{long: 2 * time.Second, phase: rest}}
		d.read(reading{at: start, pressed: true})
		if s.seat.On() {
			t.Errorf("a press while on turned on; told %q", s.log())
		}
	}
}

func TestLampShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mount(t, func(b *bench) { b.button = nil })
		sleep(time.Second)
		b.shows <- Armed
		sleep(4 * time.Second)
		b.shows <- Capturing
		sleep(3 * time.Second)
		b.shows <- Dark
		sleep(time.Second)
		b.shows <- Paused
		sleep(time.Second)
		b.shows <- Fault
		sleep(600 * time.Millisecond)
		if b.stop(); b.lamp.level || b.leaks() != 0 {
			t.Errorf("lit %t and open %d after the end", b.lamp.level, b.leaks())
		}
		want := []string{
			"1 true", "1.1 false", "3 true", "3.1 false", "5 true", // armed, capturing
			"8 false", "9 true", "9.1 false", "9.3 true", "9.4 false", // dark, paused
			"10 true", "10.13 false", "10.25 true", "10.38 false", "10.5 true", "10.6 false", // fault, the end
		}
		if d := cmp.Diff(levels(want), levels(b.lamp.shone)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		for i, got := range b.lamp.shone {
			if late := seconds(t, got) - seconds(t, want[i]); late < -0.001 || late > 0.1 {
				t.Errorf("%s, want %s and 0.1 s later at most", got, want[i])
			}
		}
	})
}

// levels leaves the times out.
func levels(list []string) []string {
	var out []string
	for _, s := range list {
		_, level, _ := strings.Cut(s, " ")
		out = append(out, level)
	}
	return out
}

func seconds(t *testing.T, s string) float64 {
	t.Helper()
	var f float64
	if _, err := fmt.Sscanf(s, "%g", &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// A lamp that is gone is a fault: nobody is looked at without the sign that was asked for.
func TestLampGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mount(t, nil)
		b.shows <- Capturing
		sleep(time.Second)
		b.socket(true)
		b.lamp.change(func() { b.lamp.broken, b.lamp.missing = errNoDevice, errNoDevice })
		sleep(2 * renew)
		if b.On() {
			t.Error("on without the lamp")
		}
		sleep(time.Minute)
		b.lamp.change(func() { b.lamp.broken, b.lamp.missing = nil, nil })
		sleep(maxWait + time.Second)
		if b.fault != "" || !b.lamp.level {
			t.Errorf("fault %q, lit %t with the lamp back", b.fault, b.lamp.level)
		}
		b.stop()
		if n := b.lines("panel at fault"); n != 2 || b.leaks() != 0 { // gone, then missing
			t.Errorf("%d lines left open, logged:\n%s", b.leaks(), b.logged)
		}
	})
}

// A panic of a library is a failure like any other.
func TestAPanicIsAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mount(t, func(b *bench) { b.button.panics = true })
		sleep(time.Minute)
		b.stop()
		if got := b.log(); len(got) != 1 || !strings.Contains(got[0], `fault "panic: library`) {
			t.Errorf("the driver was told %.200q", got)
		}
		if n := b.leaks(); n != 0 {
			t.Errorf("%d lines left open", n)
		}
	})
}

// A try is one press of a random driver, with what becomes of its edges.
type try struct {
	after, lasts time.Duration
	deaf         bool
	bounces      int
}

// Whatever edges are lost or doubled: every press that a person can make and the poll
// can see does what it should, within the poll.
func TestRunProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pressed := rapid.Bool().Draw(rt, "pressed at the start")
		var tries []try
		for range rapid.IntRange(1, 8).Draw(rt, "presses") {
			tries = append(tries, try{
				after:   time.Duration(rapid.IntRange(300, 5000).Draw(rt, "after")) * time.Millisecond,
				lasts:   time.Duration(rapid.SampledFrom([]int{150, 300, 1000, 1700, 2200, 5000}).Draw(rt, "lasts")) * time.Millisecond,
				deaf:    rapid.Bool().Draw(rt, "deaf"),
				bounces: rapid.IntRange(0, 3).Draw(rt, "bounces"),
			})
		}
		var wrong string
		synctest.Test(t, func(t *testing.T) { wrong = tried(t, pressed, tries) })
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// tried plays the tries and returns what went wrong.
func tried(t *testing.T, pressed bool, tries []try) string {
	b := mount(t, func(b *bench) { b.button.level = pressed })
	defer b.stop()
	sleep(time.Second)
	b.button.put(false)
	sleep(time.Second)
	if b.On() || b.fault != "" {
		return fmt.Sprintf("on %t, fault %q before anybody pressed", b.On(), b.fault)
	}
	on, paused := false, false
	for _, try := range tries {
		b.button.change(func() { b.button.deaf, b.button.bounces = try.deaf, try.bounces })
		sleep(try.after)
		b.button.put(true)
		sleep(poll + time.Millisecond)
		if b.On() {
			return fmt.Sprintf("still on %s after the press; told %q", poll, b.log())
		}
		sleep(try.lasts - poll - time.Millisecond)
		b.button.put(false)
		sleep(poll + time.Millisecond)
		if on = !on && !paused; try.lasts > 2*time.Second+poll {
			on, paused = false, !paused
		}
		if b.On() != on || b.paused != paused || b.fault != "" {
			return fmt.Sprintf("on %t paused %t fault %q after a press of %s, want on %t paused %t; told %q",
				b.On(), b.paused, b.fault, try.lasts, on, paused, b.log())
		}
	}
	return ""
}
