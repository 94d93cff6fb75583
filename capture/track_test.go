package capture

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestParseSentenceTime(t *testing.T) {
	clock := 7*time.Hour + 20*time.Minute + 1500*time.Millisecond
	tests := []struct {
		name, line string
		want       sentenceTime
		ok         bool
	}{
		{"RMC valid", sentence("GNRMC,072001.50,A,5540.3,N,01233.8,E,4.8,244.5,020626,,,A"), sentenceTime{clock, 26, 6, 2}, true},
		{"RMC void has no date", sentence("GNRMC,072001.50,V,,,,,,,060180,,,N"), sentenceTime{clock: clock}, true},
		{"RMC short", sentence("GPRMC,072001.50,A"), sentenceTime{clock: clock}, true},
		{"GGA", sentence("GNGGA,072001.50,5540.3,N,01233.8,E,1,11,0.9,8.0,M,40.0,M,,"), sentenceTime{clock: clock}, true},
		{"GLL", sentence("GPGLL,5540.3,N,01233.8,E,072001.50,A,A"), sentenceTime{clock: clock}, true},
		{"ZDA", sentence("GPZDA,072001.50,02,06,2026,00,00"), sentenceTime{clock: clock}, true},
		{"leap second", sentence("GNGGA,235960,,,,,0,,,,,,,,"), sentenceTime{clock: 24 * time.Hour}, true},
		{"noise before", "\x00\xffgarbage" + sentence("GNGGA,072001.50,,,,,0,,,,,,,,"), sentenceTime{clock: clock}, true},
		{"no time", sentence("GNRMC,,V,,,,,,,,,,N"), sentenceTime{}, false},
		{"GSV", sentence("GPGSV,3,1,11,03,03,111,00"), sentenceTime{}, false},
		{"proprietary", sentence("PUBX,072001.50"), sentenceTime{}, false},
		{"wrong checksum", "$GNGGA,072001.50,,,,,0,,,,,,,,*00\r\n", sentenceTime{}, false},
		{"no checksum", "$GNGGA,072001.50,,,,,0,,,,,,,,\r\n", sentenceTime{}, false},
		{"hour 24", sentence("GNGGA,242001,,,,,0,,,,,,,,"), sentenceTime{}, false},
		{"letters", sentence("GNGGA,07x001,,,,,0,,,,,,,,"), sentenceTime{}, false},
		{"month 13", sentence("GNRMC,072001.50,A,,,,,,,021326,,,A"), sentenceTime{clock: clock}, true},
		{"empty", "", sentenceTime{}, false},
		{"dollar only", "$", sentenceTime{}, false},
		{"star first", "*00$", sentenceTime{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := parseSentenceTime([]byte(tt.line))
			if got != tt.want || ok != tt.ok {
				t.Errorf("got %+v, %v, want %+v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

// gga and rmc give a line of a time after the start of the test's drive.
func gga(after time.Duration) string {
	return sentence("GNGGA," + testStart.Add(after).Format("150405.000") + ",,,,,0,,,,,,,,")
}

func rmc(after time.Duration) string {
	at := testStart.Add(after)
	return sentence("GNRMC," + at.Format("150405.000") + ",A,,,,,,," + at.Format("020106") + ",,,A")
}

func TestTrackClock(t *testing.T) {
	type line struct {
		text string
		want time.Duration // after the start
	}
	tests := []struct {
		name  string
		lines []line
	}{
		{"in order", []line{{rmc(0), 0}, {gga(0), 0}, {rmc(time.Second), time.Second}, {gga(1500 * time.Millisecond), 1500 * time.Millisecond}}},
		{"lines without time take the time before", []line{{"noise\n", 0}, {rmc(3 * time.Second), 3 * time.Second}, {sentence("GPGSV,1,1,00"), 3 * time.Second}, {"\r\n", 3 * time.Second}}},
		{"wrong checksum", []line{{rmc(time.Second), time.Second}, {strings.Replace(gga(2*time.Second), "*", "*0", 1), time.Second}}},
		{"over midnight", []line{{rmc(16 * time.Hour), 16 * time.Hour}, {rmc(16*time.Hour + 39*time.Minute + 59*time.Second), 16*time.Hour + 39*time.Minute + 59*time.Second}, {gga(16*time.Hour + 40*time.Minute), 16*time.Hour + 40*time.Minute}}},
		{"never back", []line{{rmc(10 * time.Second), 10 * time.Second}, {rmc(8 * time.Second), 10 * time.Second}, {rmc(11 * time.Second), 11 * time.Second}}},
		{"before the start", []line{{rmc(-5 * time.Second), 0}, {rmc(time.Second), time.Second}}},
		{"a tunnel, dated", []line{{rmc(0), 0}, {rmc(20 * time.Minute), 20 * time.Minute}}},
		{"a leap without date is doubted", []line{{rmc(0), 0}, {gga(5 * time.Hour), 0}, {gga(time.Second), time.Second}, {rmc(2 * time.Second), 2 * time.Second}}},
		{"a leap that is confirmed", []line{{gga(0), 0}, {gga(5 * time.Hour), 0}, {gga(5*time.Hour + time.Second), 5*time.Hour + time.Second}}},
		{"a date of another decade", []line{{rmc(time.Second), time.Second}, {rmc(-7168 * 24 * time.Hour), time.Second}, {rmc(2 * time.Second), 2 * time.Second}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTrackClock(testStart)
			for i, l := range tt.lines {
				if got := c.at([]byte(l.text)).Sub(testStart); got != l.want {
					t.Errorf("line %d %q: %s, want %s", i+1, l.text, got, l.want)
				}
			}
		})
	}
}

func TestTrackClockCentury(t *testing.T) {
	start := time.Date(1999, 12, 31, 23, 59, 0, 0, time.UTC)
	c := newTrackClock(start)
	if got := c.at([]byte(sentence("GNRMC,000001,A,,,,,,,010100,,,A"))).Sub(start); got != 61*time.Second {
		t.Errorf("%s after the start, want 1m1s", got)
	}
}

func TestTrackReaderLongLines(t *testing.T) {
	long := strings.Repeat("x", 3*maxNMEA+10) + "\n" + rmc(time.Second) + "no end"
	r := newTrackReader(strings.NewReader(long), testStart)
	var got []int
	var all strings.Builder
	for {
		ev, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, len(ev.NMEA))
		all.Write(ev.NMEA)
	}
	if len(got) != 6 || got[0] != maxNMEA || all.String() != long {
		t.Errorf("pieces of %v bytes, together the same: %v", got, all.String() == long)
	}
}

func FuzzTrack(f *testing.F) {
	f.Add([]byte(seconds(3)))
	f.Add([]byte(gga(5*time.Hour) + rmc(-time.Hour) + "\x00\xff$*"))
	f.Add([]byte("$GNRMC,235960.999999999999,A,,,,,,,310299,,,A*00\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newTrackReader(bytes.NewReader(b), testStart)
		last, total := testStart, 0
		for {
			ev, err := r.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if ev.At.Before(last) || ev.At.Sub(testStart) > MaxDrive || len(ev.NMEA) == 0 || len(ev.NMEA) > maxNMEA {
				t.Fatalf("%d bytes at %s after %s", len(ev.NMEA), ev.At, last)
			}
			last = ev.At
			total += len(ev.NMEA)
		}
		if total != len(b) {
			t.Fatalf("%d of %d bytes came through", total, len(b))
		}
	})
}
