package gps

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// at returns the sentence bodies of a second after noon.
func rmcAt(s int) string {
	return fmt.Sprintf("GPRMC,1200%02d.00,A,5540.3740,N,01233.8520,E,9.719,244.56,010326,,,A", s)
}
func ggaAt(s int) string {
	return fmt.Sprintf("GPGGA,1200%02d.00,5540.3740,N,01233.8520,E,1,11,0.%02d,8.0,M,40.0,M,,", s, s+10)
}

const (
	gsaHDOP  = "GPGSA,A,3,23,09,16,07,,,,,,,,,1.71,1.01,1.38"
	gsaNone  = "GPGSA,A,1,,,,,,,,,,,,,,,"
	gsaOther = "BDGSA,A,1,,,,,,,,,,,,,,,"
	vtgFast  = "GPVTG,90.0,T,,M,20.000,N,37.040,K,A"
	vtgKmh   = "GPVTG,90.0,T,,M,,N,36.000,K,A"
	vtgNone  = "GPVTG,90.0,T,,M,20.000,N,37.040,K,N"
	zdaNoon  = "GPZDA,120000.00,01,03,2026,00,00"
)

// summary is a fix in short, for tests of the order of things.
func summary(fixes []Fix) []string {
	var s []string
	for _, f := range fixes {
		clock := "no time"
		if !f.Time.IsZero() {
			clock = f.Time.Format("15:04:05.000")
		}
		s = append(s, fmt.Sprintf("%s valid=%t hdop=%.2f speed=%.1f course=%.0f", clock, f.Valid, f.HDOP, f.Speed, f.Course))
	}
	return s
}

// TestEpochs asks which sentences make one fix, and when. A body "idle" calls
// Idle, "|" notes what has been emitted so far.
func TestEpochs(t *testing.T) {
	tests := []struct {
		name string
		in   []string
		want []string
	}{
		{"complete ones are emitted at once",
			[]string{rmcAt(1), "|", ggaAt(1), "|", rmcAt(2), "|", ggaAt(2)},
			[]string{"|", "12:00:01.000 valid=true hdop=0.11 speed=5.0 course=245", "|", "|",
				"12:00:02.000 valid=true hdop=0.12 speed=5.0 course=245"}},
		{"HDOP of another second is not taken",
			[]string{ggaAt(1), rmcAt(2), ggaAt(3), rmcAt(3)},
			[]string{"no time valid=true hdop=0.11 speed=-1.0 course=-1", "12:00:02.000 valid=true hdop=0.00 speed=5.0 course=245",
				"12:00:03.000 valid=true hdop=0.13 speed=5.0 course=245"}},
		{"RMC alone is emitted at the next time",
			[]string{rmcAt(1), "|", rmcAt(2), "|"},
			[]string{"|", "12:00:01.000 valid=true hdop=0.00 speed=5.0 course=245", "|", "12:00:02.000 valid=true hdop=0.00 speed=5.0 course=245"}},
		{"RMC alone is emitted at a silence",
			[]string{rmcAt(1), "idle", "|", rmcAt(2), "idle", "|"},
			[]string{"12:00:01.000 valid=true hdop=0.00 speed=5.0 course=245", "|", "12:00:02.000 valid=true hdop=0.00 speed=5.0 course=245", "|"}},
		{"a silence does not cut an epoch of a receiver that sends both",
			[]string{rmcAt(1), ggaAt(1), rmcAt(2), "idle", "|", ggaAt(2), "|"},
			[]string{"12:00:01.000 valid=true hdop=0.11 speed=5.0 course=245", "|", "12:00:02.000 valid=true hdop=0.12 speed=5.0 course=245", "|"}},
		{"a receiver that ceases to send both is believed after three",
			[]string{rmcAt(1), ggaAt(1), rmcAt(2), "idle", rmcAt(3), "idle", rmcAt(4), "idle", "|", rmcAt(5), "idle", "|"},
			[]string{"12:00:01.000 valid=true hdop=0.11 speed=5.0 course=245", "12:00:02.000 valid=true hdop=0.00 speed=5.0 course=245",
				"12:00:03.000 valid=true hdop=0.00 speed=5.0 course=245", "|",
				"12:00:04.000 valid=true hdop=0.00 speed=5.0 course=245", "12:00:05.000 valid=true hdop=0.00 speed=5.0 course=245", "|"}},
		{"one epoch, one fix: what is late is dropped",
			[]string{rmcAt(1), ggaAt(1), "GNGNS,120001.00,5540.3740,N,01233.8520,E,AA,9,2.0,8.0,40.0,,", rmcAt(1), ggaAt(1)},
			[]string{"12:00:01.000 valid=true hdop=0.11 speed=5.0 course=245"}},
		{"the first of two of a kind counts",
			[]string{ggaAt(1), "GLGGA,120001.00,5540.3740,N,01233.8520,E,1,04,7.0,8.0,M,40.0,M,,", rmcAt(1)},
			[]string{"12:00:01.000 valid=true hdop=0.11 speed=5.0 course=245"}},
		{"sentences without time are never one epoch twice",
			[]string{"GPRMC,,V,,,,,,,,,,N", "GPRMC,,V,,,,,,,,,,N"},
			[]string{"no time valid=false hdop=0.00 speed=-1.0 course=-1", "no time valid=false hdop=0.00 speed=-1.0 course=-1"}},

		{"GSA between two of one time gives HDOP",
			[]string{rmcAt(1), gsaHDOP, "GPGNS,120001.00,5540.3740,N,01233.8520,E,A,11,,8.0,40.0,,"},
			[]string{"12:00:01.000 valid=true hdop=1.01 speed=5.0 course=245"}},
		{"GSA that may be of either second gives nothing",
			[]string{rmcAt(1), gsaHDOP, rmcAt(2), gsaHDOP, rmcAt(3)},
			[]string{"12:00:01.000 valid=true hdop=0.00 speed=5.0 course=245", "12:00:02.000 valid=true hdop=0.00 speed=5.0 course=245",
				"12:00:03.000 valid=true hdop=0.00 speed=5.0 course=245"}},
		{"GSA before a silence is of the second before it",
			[]string{rmcAt(1), gsaHDOP, "idle", rmcAt(2), "idle"},
			[]string{"12:00:01.000 valid=true hdop=1.01 speed=5.0 course=245", "12:00:02.000 valid=true hdop=0.00 speed=5.0 course=245"}},
		{"GSA after a silence is of the second after it",
			[]string{rmcAt(1), "idle", gsaHDOP, rmcAt(2), "idle"},
			[]string{"12:00:01.000 valid=true hdop=0.00 speed=5.0 course=245", "12:00:02.000 valid=true hdop=1.01 speed=5.0 course=245"}},
		{"GSA without a fix denies it",
			[]string{ggaAt(1), gsaNone, rmcAt(1)},
			[]string{"12:00:01.000 valid=false hdop=0.00 speed=-1.0 course=-1"}},
		{"one system without satellites denies nothing",
			[]string{ggaAt(1), gsaHDOP, gsaOther, rmcAt(1)},
			[]string{"12:00:01.000 valid=true hdop=0.11 speed=5.0 course=245"}},

		{"VTG gives speed and course to GGA",
			[]string{ggaAt(1), vtgFast, "idle"},
			[]string{"no time valid=true hdop=0.11 speed=10.3 course=90"}},
		{"VTG in km/h",
			[]string{ggaAt(1), vtgKmh, "idle"},
			[]string{"no time valid=true hdop=0.11 speed=10.0 course=90"}},
		{"VTG without a fix gives nothing",
			[]string{ggaAt(1), vtgNone, "idle"},
			[]string{"no time valid=true hdop=0.11 speed=-1.0 course=-1"}},
		{"VTG does not overrule RMC",
			[]string{rmcAt(1), vtgFast, ggaAt(1)},
			[]string{"12:00:01.000 valid=true hdop=0.11 speed=5.0 course=245"}},
		{"VTG of an unknown second gives nothing",
			[]string{ggaAt(1), vtgFast, ggaAt(2)},
			[]string{"no time valid=true hdop=0.11 speed=-1.0 course=-1", "no time valid=true hdop=0.12 speed=-1.0 course=-1"}},
		{"VTG after a complete epoch is not kept for the next",
			[]string{rmcAt(1), ggaAt(1), vtgFast, ggaAt(2), "idle", ggaAt(3)},
			[]string{"12:00:01.000 valid=true hdop=0.11 speed=5.0 course=245", "12:00:02.000 valid=true hdop=0.12 speed=-1.0 course=-1",
				"12:00:03.000 valid=true hdop=0.13 speed=-1.0 course=-1"}},

		{"course is noise below 1 m/s",
			[]string{"GPRMC,120001.00,A,5540.3740,N,01233.8520,E,1.90,86.57,010326,,,A", "GPRMC,120002.00,A,5540.3740,N,01233.8520,E,1.95,86.57,010326,,,A"},
			[]string{"12:00:01.000 valid=true hdop=0.00 speed=1.0 course=-1", "12:00:02.000 valid=true hdop=0.00 speed=1.0 course=87"}},
		{"course 360 is 0",
			[]string{"GPRMC,120001.00,A,5540.3740,N,01233.8520,E,9.719,360.0,010326,,,A"},
			[]string{"12:00:01.000 valid=true hdop=0.00 speed=5.0 course=0"}},

		{"ZDA gives a date to GGA",
			[]string{zdaNoon, ggaAt(0), "idle", ggaAt(1), "idle"},
			[]string{"12:00:00.000 valid=true hdop=0.10 speed=-1.0 course=-1", "12:00:01.000 valid=true hdop=0.11 speed=-1.0 course=-1"}},
		{"RMC once a second gives a date to GGA ten times a second",
			[]string{ggaAt(1), rmcAt(1), "GPGGA,120001.10,5540.3740,N,01233.8520,E,1,11,0.50,8.0,M,40.0,M,,"},
			[]string{"12:00:01.000 valid=true hdop=0.11 speed=5.0 course=245", "12:00:01.100 valid=true hdop=0.50 speed=-1.0 course=-1"}},
		{"a date is not kept for longer than a minute",
			[]string{rmcAt(1), "GPGGA,120102.00,5540.3740,N,01233.8520,E,1,11,0.50,8.0,M,40.0,M,,"},
			[]string{"12:00:01.000 valid=true hdop=0.00 speed=5.0 course=245", "no time valid=true hdop=0.50 speed=-1.0 course=-1"}},
		{"the date of a receiver without a fix is not kept",
			[]string{"GPRMC,120000.00,V,,,,,,,060180,,,N", ggaAt(1)},
			[]string{"12:00:00.000 valid=false hdop=0.00 speed=-1.0 course=-1", "no time valid=true hdop=0.11 speed=-1.0 course=-1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			emit := func(f Fix) { got = append(got, summary([]Fix{f})...) }
			d := NewDecoder(DecoderConfig{})
			for _, body := range test.in {
				switch body {
				case "idle":
					d.Idle(emit)
				case "|":
					got = append(got, "|")
				default:
					d.Write([]byte(seal(body)), arrival(), emit)
				}
			}
			d.Flush(arrival(), emit)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("fixes (-want +got):\n%s", diff)
			}
		})
	}
}

// At is the arrival of the sentence that completed the epoch, not of whatever
// made the decoder emit it.
func TestFixAt(t *testing.T) {
	var got []time.Duration
	emit := func(f Fix) { got = append(got, f.At.Sub(arrival())) }
	d := NewDecoder(DecoderConfig{})
	for i, body := range []string{rmcAt(1), ggaAt(1), rmcAt(2), gsaHDOP, rmcAt(3), "PUBX,00"} {
		d.Write([]byte(seal(body)), arrival().Add(time.Duration(i)*time.Second), emit)
	}
	d.Flush(arrival().Add(time.Hour), emit)
	if diff := cmp.Diff([]time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second}, got); diff != "" {
		t.Errorf("arrival (-want +got):\n%s", diff)
	}
}

// A sentence without line end counts when the stream ends, not before.
func TestFlushLastLine(t *testing.T) {
	var got []Fix
	emit := func(f Fix) { got = append(got, f) }
	d := NewDecoder(DecoderConfig{})
	in := seals(goodRMC, goodGGA)
	d.Write([]byte(in[:len(in)-2]), arrival(), emit)
	if len(got) != 0 {
		t.Fatalf("got %d fixes before the line end, want none", len(got))
	}
	d.Flush(arrival(), emit)
	if diff := cmp.Diff([]Fix{goodFix()}, got, near()); diff != "" {
		t.Errorf("fixes (-want +got):\n%s", diff)
	}
	d.Flush(arrival(), emit)
	if len(got) != 1 {
		t.Errorf("got %d fixes after a second flush, want 1", len(got))
	}
}
