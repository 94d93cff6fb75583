package gps

import (
	"fmt"
	"testing"
	"time"
)

func day(year, month, dd int) time.Time {
	return time.Date(year, time.Month(month), dd, 0, 0, 0, 0, time.UTC)
}

func TestDates(t *testing.T) {
	built := day(2025, 11, 1)
	tests := []struct {
		name       string
		cfg        DecoderConfig
		date       string
		status     string
		want       string // "" is unknown
		rolledOver bool
	}{
		{"any date without a floor", DecoderConfig{}, "041112", "A", "2012-11-04", false},
		{"the last of this century", DecoderConfig{}, "311279", "A", "2079-12-31", false},
		{"GPS began in 1980", DecoderConfig{}, "060180", "A", "1980-01-06", false},
		{"the last of last century", DecoderConfig{}, "311299", "A", "1999-12-31", false},
		{"within the window", DecoderConfig{Floor: built}, "010326", "A", "2026-03-01", false},
		{"the floor itself", DecoderConfig{Floor: built}, "011125", "A", "2025-11-01", false},
		{"1024 weeks early", DecoderConfig{Floor: built}, "160706", "A", "2026-03-01", true},
		{"1024 weeks early without a fix", DecoderConfig{Floor: built}, "160706", "V", "", false},
		{"a receiver after a reset", DecoderConfig{Floor: built}, "060180", "A", "", false},
		{"just before the floor", DecoderConfig{Floor: built, Ceiling: day(2040, 1, 1)}, "311025", "A", "", false},
		{"after the default ceiling", DecoderConfig{Floor: built}, "011144", "A", "", false},
		{"before the default ceiling", DecoderConfig{Floor: built}, "311044", "A", "2044-10-31", false},
		{"after a ceiling", DecoderConfig{Ceiling: built}, "011125", "A", "", false},
		{"no date", DecoderConfig{}, "", "A", "", false},
		{"a telephone in April 2019", DecoderConfig{Floor: day(2019, 1, 1)}, "220899", "A", "2019-04-07", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := seal(fmt.Sprintf("GPRMC,120000.00,%s,5540.3740,N,01233.8520,E,9.719,244.56,%s,,,", test.status, test.date))
			fixes, count := decode(test.cfg, in)
			if len(fixes) != 1 {
				t.Fatalf("got %d fixes, want 1", len(fixes))
			}
			f, got := fixes[0], ""
			if !f.Time.IsZero() {
				got = f.Time.Format(time.DateOnly)
			}
			if got != test.want || f.RolledOver != test.rolledOver {
				t.Errorf("got %q, rolled over %t, want %q, %t", got, f.RolledOver, test.want, test.rolledOver)
			}
			bad := test.want == "" && test.date != ""
			if (count.BadDates == 1) != bad || (count.RolledOver == 1) != test.rolledOver {
				t.Errorf("counted %d bad dates and %d rolled over", count.BadDates, count.RolledOver)
			}
		})
	}
}

// A receiver whose week counter has turned names a day that is 7168 days back;
// checked here against the calendar, not against the constant.
func TestWeekTurn(t *testing.T) {
	first, second := day(1999, 8, 22), day(2019, 4, 7) // the two turns there have been
	if got := first.AddDate(0, 0, weekTurn); !got.Equal(second) {
		t.Errorf("got %v, want %v", got, second)
	}
}

func TestMidnight(t *testing.T) {
	gga := "GPGGA,%s,5540.3740,N,01233.8520,E,1,11,0.90,8.0,M,40.0,M,,"
	fixes, _ := decode(DecoderConfig{}, seals(
		"GPZDA,235959.90,28,02,2026,00,00", fmt.Sprintf(gga, "235959.90"), fmt.Sprintf(gga, "000000.10"),
		"GPZDA,000000.20,01,03,2026,00,00", fmt.Sprintf(gga, "235959.95")))
	want := []string{"2026-02-28T23:59:59.9Z", "2026-03-01T00:00:00.1Z", "2026-02-28T23:59:59.95Z"}
	for i, w := range want {
		if got := fixes[i].Time.Format(time.RFC3339Nano); got != w {
			t.Errorf("fix %d: got %s, want %s", i, got, w)
		}
	}
}

func TestLongDate(t *testing.T) {
	gga := "GPGGA,120000.00,5540.3740,N,01233.8520,E,1,11,0.90,8.0,M,40.0,M,,"
	tests := []struct{ zda, want string }{
		{"GPZDA,120000.00,01,03,2026,00,00", "2026-03-01T12:00:00Z"},
		{"GPZDA,120000.00,01,03,2026,-01,00", "2026-03-01T12:00:00Z"},
		{"GPZDA,120000.00,01,03,2026", "2026-03-01T12:00:00Z"},
		{"GPZDA,120000.00,31,02,2026,00,00", ""},
		{"GPZDA,120000.00,00,03,2026,00,00", ""},
		{"GPZDA,120000.00,01,13,2026,00,00", ""},
		{"GPZDA,120000.00,01,03,1970,00,00", ""},
		{"GPZDA,120000.00,01,03,99999,00,00", ""},
		{"GPZDA,120000.00,-1,03,2026,00,00", ""},
		{"GPZDA,120000.00,4294967297,03,2026,00,00", ""},
		{"GPZDA,,,,,00,00", ""},
	}
	for _, test := range tests {
		fixes, _ := decode(DecoderConfig{}, seals(test.zda, gga))
		got := ""
		if !fixes[0].Time.IsZero() {
			got = fixes[0].Time.Format(time.RFC3339Nano)
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.zda, got, test.want)
		}
	}
}
