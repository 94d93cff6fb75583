package panel

import (
	"strings"
	"testing"
	"time"
)

func TestLight(t *testing.T) {
	// Ten letters a second, X lit and . dark, for two seconds.
	for l, want := range map[Light]string{
		Dark:      "....................",
		Armed:     "X...................",
		Capturing: "XXXXXXXXXXXXXXXXXXXX",
		Paused:    "X..X................",
		Light(99): "....................",
	} {
		var got strings.Builder
		for i := range 40 {
			lit, holds := l.at(time.Duration(i) * 100 * time.Millisecond)
			if holds <= 0 {
				t.Errorf("%s after %d ms holds for %s", l, i*100, holds)
			}
			letter := "."
			if lit {
				letter = "X"
			}
			got.WriteString(letter)
		}
		if got.String() != want+want {
			t.Errorf("%s:\ngot  %s\nwant %s", l, got.String(), want+want)
		}
	}
}

func TestFaultBlinksFourTimesASecond(t *testing.T) {
	flashes, was := 0, false
	for now := time.Duration(0); now < 10*time.Second; {
		lit, holds := Fault.at(now)
		if lit && !was {
			flashes++
		}
		was = lit
		now += holds
	}
	if flashes != 40 {
		t.Errorf("%d flashes in 10 s, want 40", flashes)
	}
	if lit, holds := Armed.at(-time.Second); !lit || holds != 100*time.Millisecond {
		t.Errorf("before its beginning: %t for %s", lit, holds)
	}
}

func TestLightHasAWord(t *testing.T) {
	seen := map[string]bool{}
	for l := Dark; l <= Paused; l++ {
		seen[l.String()] = true
	}
	if len(seen) != 5 || seen[""] || Light(99).String() != "unknown" {
		t.Errorf("words %v, and %s", seen, Light(99))
	}
}
