package gps

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// drive returns the host times of the seconds of a drive on a board whose clock
// stands in 1970 and is set, and set wrongly, on the way.
func drive(t *testing.T, seconds int) []time.Time {
	t.Helper()
	at := make([]time.Time, seconds)
	for i := range at {
		mono := time.Duration(i) * time.Second
		wall := time.Unix(100, 0).Add(mono)
		switch {
		case i >= 30: // back to the beginning
			wall = time.Unix(5, 0).Add(mono)
		case i >= 20: // an hour ahead
			wall = noon().Add(time.Hour + mono)
		case i >= 10: // from the network
			wall = noon().Add(mono)
		}
		at[i] = hostTime(t, wall, 12*time.Second+mono)
	}
	return at
}

// TestClockWithHostClockSet: setting the computer's clock is no jump of the
// receiver's. Trust comes as soon as it would, stays, and says the same time.
func TestClockWithHostClockSet(t *testing.T) {
	for _, set := range []string{"on the way", "at the third second"} {
		at := drive(t, 40)
		if set != "on the way" {
			at = at[8:]
		}
		c := NewClock(ClockConfig{Floor: noon().Add(-time.Hour)})
		for i, host := range at {
			utc := noon().Add(time.Duration(i) * time.Second)
			c.Observe(Fix{At: host, Time: utc, Valid: true})
			got, _, ok := c.UTC(host.Add(300 * time.Millisecond))
			if ok != (i >= 2) {
				t.Fatalf("set %s, second %d: trusted %t", set, i, ok)
			}
			if want := utc.Add(300 * time.Millisecond); ok && !got.Equal(want) {
				t.Errorf("set %s, second %d: %v, want %v", set, i, got, want)
			}
		}
	}
}

// TestClockHoldoverWithHostClockSet: trust lasts as long as time really passes.
func TestClockHoldoverWithHostClockSet(t *testing.T) {
	c := NewClock(ClockConfig{Holdover: 10 * time.Minute})
	for i, host := range drive(t, 3) {
		c.Observe(Fix{At: host, Time: noon().Add(time.Duration(i) * time.Second), Valid: true})
	}
	last := 14 * time.Second // of monotonic time
	for _, wall := range []time.Time{time.Unix(0, 0), time.Unix(102, 0), noon().AddDate(20, 0, 0)} {
		for after, ok := range map[time.Duration]bool{time.Second: true, 10 * time.Minute: true, 10*time.Minute + time.Second: false} {
			got, _, trusted := c.UTC(hostTime(t, wall, last+after))
			if trusted != ok || ok && !got.Equal(noon().Add(2*time.Second+after)) {
				t.Errorf("%s later, host says %v: %v, %t, want %t", after, wall, got, trusted, ok)
			}
		}
	}
}

// TestDecoderWithHostClockSet: what a receiver says does not depend on what the
// computer's clock says, and the host time goes through untouched.
func TestDecoderWithHostClockSet(t *testing.T) {
	run := func(at func(i int) time.Time) []Fix {
		var fixes []Fix
		d := NewDecoder(DecoderConfig{Floor: noon().AddDate(-1, 0, 0)})
		for i := range 40 {
			d.Write([]byte(seals(rmcAt(i), ggaAt(i))), at(i), func(f Fix) { fixes = append(fixes, f) })
		}
		return fixes
	}
	host := drive(t, 40)
	want := run(func(int) time.Time { return arrival() })
	got := run(func(i int) time.Time { return host[i] })
	if len(want) != 40 || len(got) != 40 {
		t.Fatalf("%d and %d fixes of 40", len(want), len(got))
	}
	for i := range got {
		if got[i].At != host[i] { // == compares the monotonic reading too
			t.Errorf("fix %d: host time %v, want %v with its monotonic reading", i, got[i].At, host[i])
		}
		got[i].At = want[i].At
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the host's clock changes the fixes: -want +got\n%s", diff)
	}
}

// TestReceiverTimesAreMonotonic: frame and fix belong together by the time that
// nobody sets.
func TestReceiverTimesAreMonotonic(t *testing.T) {
	r := receiver(t, &fakePort{read: func(n int, b []byte) (int, error) {
		if n == 0 {
			return copy(b, "\n"+seals(goodRMC, goodGGA)), nil
		}
		return 0, syscall.EIO
	}})
	emitted := 0
	err := r.Run(t.Context(), func(f Fix) {
		emitted++
		if f.At == f.At.Round(0) {
			t.Errorf("%v has no monotonic reading", f.At)
		}
	})
	if !errors.Is(err, syscall.EIO) || emitted != 1 {
		t.Fatalf("%d fixes, %v", emitted, err)
	}
	if last, ok := r.Last(); !ok || last.At == last.At.Round(0) {
		t.Errorf("last is of %v, %t, without a monotonic reading", last.At, ok)
	}
}
