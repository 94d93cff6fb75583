package gps

import (
	"errors"
	"testing"
	"time"

	"github.com/adrianmo/go-nmea"
	"github.com/google/go-cmp/cmp"
)

// A good RMC and GGA of one epoch, and the fix they make.
const (
	goodRMC = "GPRMC,120000.00,A,5540.3740,N,01233.8520,E,9.719,244.56,010326,,,A"
	goodGGA = "GPGGA,120000.00,5540.3740,N,01233.8520,E,1,11,0.90,8.0,M,40.0,M,,"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func goodFix() Fix {
	return Fix{
		At: arrival(), Time: noon(), Valid: true, Quality: Autonomous,
		Lat: 55 + 40.3740/60, Lon: 12 + 33.8520/60, HDOP: 0.9, Satellites: 11,
		Speed: 9.719 * knot, Course: 244.56, Altitude: 8, HasAltitude: true,
	}
}

// but returns the good fix with changes.
func but(change func(*Fix)) Fix {
	f := goodFix()
	change(&f)
	return f
}

func rmcOnly(f *Fix) { f.HDOP, f.Satellites, f.Altitude, f.HasAltitude = 0, -1, 0, false }
func ggaOnly(f *Fix) { f.Time, f.Speed, f.Course = time.Time{}, -1, -1 }

// near compares fixes whose positions differ by rounding only.
func near() cmp.Option {
	return cmp.Comparer(func(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 })
}

// TestSentences has a case for each way in which receivers and the library
// are known to mislead.
func TestSentences(t *testing.T) {
	none := time.Time{}
	tests := []struct {
		name  string
		in    string
		want  []Fix
		count Counters // but for Bytes, Noise, Sentences, Epochs and Fixes
	}{
		{"RMC and GGA", seals(goodRMC, goodGGA), []Fix{goodFix()}, Counters{Accepted: 2}},
		{"GGA and RMC", seals(goodGGA, goodRMC), []Fix{goodFix()}, Counters{Accepted: 2}},
		{"RMC alone: HDOP unknown", seals(goodRMC), []Fix{but(rmcOnly)}, Counters{Accepted: 1}},
		{"GGA alone: date and speed unknown", seals(goodGGA), []Fix{but(ggaOnly)}, Counters{Accepted: 1}},
		{"RMC and GNS", seals(goodRMC, "GNGNS,120000.00,5540.3740,N,01233.8520,E,AAN,11,0.90,8.0,40.0,,"),
			[]Fix{goodFix()}, Counters{Accepted: 2}},
		{"GNS alone", seals("GNGNS,120000.00,5540.3740,N,01233.8520,E,NR,11,0.90,8.0,40.0,,0138,S"),
			[]Fix{but(func(f *Fix) { ggaOnly(f); f.Quality = RTKFixed })}, Counters{Accepted: 1}},
		{"GNS without a fix", seals("GNGNS,120000.00,,,,,NNNN,00,,,0.0,,0000"),
			[]Fix{unknown(none, NoFix)}, Counters{Accepted: 1}},
		{"GNS by dead reckoning", seals("GNGNS,120000.00,5540.3740,N,01233.8520,E,NE,11,0.90,8.0,40.0,,"),
			[]Fix{unknown(none, Estimated)}, Counters{Accepted: 1}},

		// No fix is 0/0 without an error to the library.
		{"RMC without a fix", seals("GNRMC,,V,,,,,,,,,,N"), []Fix{unknown(none, NoFix)}, Counters{Accepted: 1}},
		{"RMC with empty status", seals("GPRMC,120000.00,,5540.3740,N,01233.8520,E,9.719,244.56,010326,,,A"),
			[]Fix{unknown(noon(), NoFix)}, Counters{Accepted: 1}},
		{"RMC valid without position", seals("GPRMC,120000.00,A,,,,,9.719,244.56,010326,,,A"),
			[]Fix{unknown(noon(), Autonomous)}, Counters{Accepted: 1, OutOfRange: 1}},
		{"RMC valid at 0/0", seals("GPRMC,120000.00,A,0000.0000,N,00000.0000,E,9.719,244.56,010326,,,A"),
			[]Fix{unknown(noon(), Autonomous)}, Counters{Accepted: 1, OutOfRange: 1}},
		{"RMC valid at minus 0/0", seals("GPRMC,120000.00,A,0000.0000,S,00000.0000,W,9.719,244.56,010326,,,A"),
			[]Fix{unknown(noon(), Autonomous)}, Counters{Accepted: 1, OutOfRange: 1}},
		{"RMC valid without time", seals("GPRMC,,A,5540.3740,N,01233.8520,E,9.719,244.56,010326,,,A"),
			[]Fix{unknown(none, Autonomous)}, Counters{Accepted: 1}},
		{"RMC void with old position and mode A", seals("GPRMC,120000.00,V,5540.3740,N,01233.8520,E,9.719,244.56,010326,,,A", goodGGA),
			[]Fix{unknown(noon(), NoFix)}, Counters{Accepted: 2}},
		{"RMC void at 36000 degrees", seals("GPRMC,120000.00,V,36000.0000,N,72000.0000,E,0.0,,010326,,", goodGGA),
			[]Fix{unknown(noon(), NoFix)}, Counters{Accepted: 2}},
		{"GGA with empty quality", seals("GPGGA,120000.00,5540.3740,N,01233.8520,E,,3,2.506,160.002,M,,M,,"),
			[]Fix{unknown(none, NoFix)}, Counters{Accepted: 1}},
		{"GGA without a fix, RMC with one", seals(goodRMC, "GPGGA,120000.00,5540.3740,N,01233.8520,E,0,11,0.90,8.0,M,40.0,M,,"),
			[]Fix{unknown(noon(), NoFix)}, Counters{Accepted: 2}},

		// Positions that are not measured.
		{"RMC estimated", seals("GPRMC,120000.00,A,5540.3740,N,01233.8520,E,9.719,244.56,010326,,,E"),
			[]Fix{unknown(noon(), Estimated)}, Counters{Accepted: 1}},
		{"GGA estimated, RMC silent about it", seals(goodRMC, "GPGGA,120000.00,5540.3740,N,01233.8520,E,6,00,50.0,16.8,M,41.5,M,,0000"),
			[]Fix{unknown(noon(), Estimated)}, Counters{Accepted: 2}},
		{"GGA quality 7 is manual", seals("GPGGA,120000.00,5540.3740,N,01233.8520,E,7,11,0.90,8.0,M,40.0,M,,"),
			[]Fix{unknown(none, Manual)}, Counters{Accepted: 1}},
		{"GGA quality 8 is simulated", seals(goodRMC, "GPGGA,120000.00,5540.3740,N,01233.8520,E,8,11,0.90,8.0,M,40.0,M,,"),
			[]Fix{unknown(noon(), Simulated)}, Counters{Accepted: 2}},
		{"GGA quality 9", seals("GPGGA,120000.00,5540.3740,N,01233.8520,E,9,11,0.90,8.0,M,40.0,M,,"), nil, Counters{Unparsable: 1}},
		{"RMC with a maker's own mode", seals("GPRMC,120000.00,A,5540.3740,N,01233.8520,E,9.719,244.56,010326,,,U"),
			[]Fix{unknown(noon(), NoFix)}, Counters{Accepted: 1}},
		{"RMC differential, GGA rtk float", seals("GPRMC,120000.00,A,5540.3740,N,01233.8520,E,9.719,244.56,010326,,,D",
			"GPGGA,120000.00,5540.3740,N,01233.8520,E,5,11,0.90,8.0,M,40.0,M,,"),
			[]Fix{but(func(f *Fix) { f.Quality = RTKFloat })}, Counters{Accepted: 2}},

		// Numbers that are none.
		{"RMC speed and course nan", seals("GPRMC,120000.00,A,5540.3740,N,01233.8520,E,nan,nan,010326,,,A"),
			[]Fix{but(func(f *Fix) { rmcOnly(f); f.Speed, f.Course = -1, -1 })}, Counters{Accepted: 1, OutOfRange: 1}},
		{"RMC latitude nan", seals("GPRMC,120000.00,A,nan,N,01233.8520,E,9.719,244.56,010326,,,A"),
			[]Fix{unknown(noon(), Autonomous)}, Counters{Accepted: 1, OutOfRange: 1}},
		{"RMC speed inf", seals("GPRMC,120000.00,A,5540.3740,N,01233.8520,E,inf,244.56,010326,,,A"),
			[]Fix{unknown(noon(), Autonomous)}, Counters{Accepted: 1, OutOfRange: 1}},
		{"RMC at 300 knots", seals("GPRMC,120000.00,A,5540.3740,N,01233.8520,E,300.0,244.56,010326,,,A", goodGGA),
			[]Fix{unknown(noon(), Autonomous)}, Counters{Accepted: 2, OutOfRange: 1}},
		{"RMC with negative speed", seals("GPRMC,120000.00,A,5540.3740,N,01233.8520,E,-2,244.56,010326,,,A"),
			[]Fix{but(func(f *Fix) { rmcOnly(f); f.Speed = -1 })}, Counters{Accepted: 1, OutOfRange: 1}},
		{"GGA HDOP, satellites, altitude nonsense", seals(goodRMC, "GPGGA,120000.00,5540.3740,N,01233.8520,E,1,-4,nan,99999,M,,M,,"),
			[]Fix{but(rmcOnly)}, Counters{Accepted: 2, OutOfRange: 1}},
		{"GGA HDOP 0.0 is unknown", seals(goodRMC, "GPGGA,120000.00,5540.3740,N,01233.8520,E,1,11,0.0,8.0,M,,M,,"),
			[]Fix{but(func(f *Fix) { f.HDOP = 0 })}, Counters{Accepted: 2}},
		{"GGA with empty HDOP, satellites, altitude", seals(goodRMC, "GPGGA,120000.00,5540.3740,N,01233.8520,E,1,,,,M,,M,,"),
			[]Fix{but(rmcOnly)}, Counters{Accepted: 2}},

		// Positions that are none.
		{"latitude 151 degrees because of its letter", seals("GPRMC,120000.00,A,15107.038,E,01233.8520,E,9.719,244.56,010326,,,A"),
			[]Fix{unknown(noon(), Autonomous)}, Counters{Accepted: 1, OutOfRange: 1}},
		{"latitude with 99 minutes", seals("GPRMC,120000.00,A,4899.038,N,01233.8520,E,9.719,244.56,010326,,,A"),
			[]Fix{unknown(noon(), Autonomous)}, Counters{Accepted: 1, OutOfRange: 1}},
		{"latitude with 60 minutes", seals("GPRMC,120000.00,A,8960.000,N,01233.8520,E,9.719,244.56,010326,,,A"),
			[]Fix{unknown(noon(), Autonomous)}, Counters{Accepted: 1, OutOfRange: 1}},
		{"latitude negative", seals("GPRMC,120000.00,A,-4807.038,N,01233.8520,E,9.719,244.56,010326,,,A"),
			[]Fix{unknown(noon(), Autonomous)}, Counters{Accepted: 1, OutOfRange: 1}},
		{"latitude above 90", seals("GPRMC,120000.00,A,9000.001,N,01233.8520,E,9.719,244.56,010326,,,A"), nil, Counters{Unparsable: 1}},
		{"longitude that has lost a digit", seals("GPRMC,120000.00,A,5540.3740,N,1233.8520,E,9.719,244.56,010326,,,A"),
			[]Fix{unknown(noon(), Autonomous)}, Counters{Accepted: 1, OutOfRange: 1}},
		{"latitude and longitude swapped", seals("GPRMC,120000.00,A,01233.8520,E,5540.3740,N,9.719,244.56,010326,,,A"),
			[]Fix{unknown(noon(), Autonomous)}, Counters{Accepted: 1, OutOfRange: 1}},
		{"RMC and GGA in different places", seals(goodRMC, "GPGGA,120000.00,5541.3740,N,01233.8520,E,1,11,0.90,8.0,M,40.0,M,,"),
			[]Fix{unknown(noon(), Autonomous)}, Counters{Accepted: 2, Disagreed: 1}},
		{"south and west", seals("GPRMC,120000.00,A,3356.0000,S,07040.0000,W,9.719,244.56,010326,,,A"),
			[]Fix{but(func(f *Fix) { rmcOnly(f); f.Lat, f.Lon = -(33 + 56.0/60), -(70 + 40.0/60) })}, Counters{Accepted: 1}},

		// Times and dates that are none.
		{"date 999999", seals("GPRMC,120000.00,A,5540.3740,N,01233.8520,E,9.719,244.56,999999,,,A"),
			[]Fix{but(func(f *Fix) { rmcOnly(f); f.Time = none })}, Counters{Accepted: 1, OutOfRange: 1}},
		{"the 31st of February", seals("GPRMC,120000.00,A,5540.3740,N,01233.8520,E,9.719,244.56,310226,,,A"),
			[]Fix{but(func(f *Fix) { rmcOnly(f); f.Time = none })}, Counters{Accepted: 1, OutOfRange: 1}},
		{"the year -1", seals("GPRMC,120000.00,A,5540.3740,N,01233.8520,E,9.719,244.56,2208-1,,,A"),
			[]Fix{but(func(f *Fix) { rmcOnly(f); f.Time = none })}, Counters{Accepted: 1, OutOfRange: 1}},
		{"time 259961", seals("GPRMC,259961,A,5540.3740,N,01233.8520,E,9.719,244.56,010326,,,A"),
			[]Fix{unknown(none, Autonomous)}, Counters{Accepted: 1, OutOfRange: 1}},
		{"hour 24", seals("GPRMC,240000,A,5540.3740,N,01233.8520,E,9.719,244.56,010326,,,A"),
			[]Fix{unknown(none, Autonomous)}, Counters{Accepted: 1, OutOfRange: 1}},
		{"minute 60", seals("GPRMC,126000,A,5540.3740,N,01233.8520,E,9.719,244.56,010326,,,A"),
			[]Fix{unknown(none, Autonomous)}, Counters{Accepted: 1, OutOfRange: 1}},
		{"second 60", seals("GPRMC,120060,A,5540.3740,N,01233.8520,E,9.719,244.56,010326,,,A"),
			[]Fix{unknown(none, Autonomous)}, Counters{Accepted: 1, OutOfRange: 1}},
		{"milliseconds that round up to the next day", seals("GPRMC,235959.9999,A,5540.3740,N,01233.8520,E,9.719,244.56,010326,,,A"),
			[]Fix{but(func(f *Fix) { rmcOnly(f); f.Time = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) })}, Counters{Accepted: 1}},

		// Shapes of sentences.
		{"very old RMC with 10 fields", seals("GPRMC,120000.00,A,5540.3740,N,01233.8520,E,9.719,244.56,010326,004.2"),
			[]Fix{but(rmcOnly)}, Counters{Accepted: 1}},
		{"RMC with its mode one field early", seals("GPRMC,120000.00,A,5540.3740,N,01233.8520,E,9.719,244.56,010326,0,A"),
			[]Fix{but(rmcOnly)}, Counters{Accepted: 1}},
		{"RMC with its mode one field early, none", seals("GPRMC,120000.00,A,5540.3740,N,01233.8520,E,9.719,244.56,010326,0,N"),
			[]Fix{unknown(noon(), NoFix)}, Counters{Accepted: 1}},
		{"RMC with an unknown navigation status", seals("GPRMC,120000.00,A,5540.3740,N,01233.8520,E,9.719,244.56,010326,,,A,X"),
			[]Fix{but(rmcOnly)}, Counters{Accepted: 1}},
		{"VTG with 4 fields", seals("GPVTG,45.5,67.5,30.45,56.40"), nil, Counters{Unparsable: 1}},
		{"GGA with a word for a number", seals("GPGGA,120000.00,5540.3740,N,01233.8520,E,1,many,0.90,8.0,M,40.0,M,,"), nil, Counters{Unparsable: 1}},
		{"any talker", seals("BDRMC"+goodRMC[5:], "QZGGA"+goodGGA[5:]), []Fix{goodFix()}, Counters{Accepted: 2}},
		{"talker in small letters", seals("gpRMC" + goodRMC[5:]), nil, Counters{Unsupported: 1}},

		// What must not reach the library.
		{"TXT with too few fields", seals("GNTXT,01,01"), nil, Counters{Unsupported: 1}},
		{"ALC too short", seals("XXALC"), nil, Counters{Unsupported: 1}},
		{"GSV with hexadecimal signal and fractional SNR", seals("GBGSV,1,1,01,07,46,259,40.5,B"), nil, Counters{Unsupported: 1}},
		{"proprietary", seals("PUBX,00,1", "PQTMVER", "PARMC,1"), nil, Counters{Unsupported: 3}},
		{"nothing between dollar and star", "$*00\r\n", nil, Counters{Unsupported: 1}},

		// Damage on the line.
		{"no checksum", "$" + goodRMC + "\r\n", nil, Counters{NoChecksum: 1}},
		{"empty checksum", "$" + goodRMC + "*\r\n", nil, Counters{BadChecksum: 1}},
		{"wrong checksum", "$" + goodRMC + "*00\r\n", nil, Counters{BadChecksum: 1}},
		{"checksum that is no number", "$" + goodRMC + "*G0\r\n", nil, Counters{BadChecksum: 1}},
		{"checksum in small letters", "$" + "GPRMC,205202.00,V,,,,,,,,,,,V" + "*4e\r\n", []Fix{unknown(none, NoFix)}, Counters{Accepted: 1}},
		{"something behind the checksum", seal(goodRMC)[:len(goodRMC)+4] + "x\r\n", nil, Counters{BadChecksum: 1}},
		{"two sentences glued", seal(goodGGA)[:len(goodGGA)+4] + seal(goodRMC), []Fix{but(rmcOnly)}, Counters{Accepted: 1, Garbled: 1}},
		{"something before the sentence", "\x00\xff,A*" + seal(goodRMC), []Fix{but(rmcOnly)}, Counters{Accepted: 1}},
		{"a digit lost", "$" + goodRMC[:12] + seal(goodRMC)[14:], nil, Counters{BadChecksum: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, count := decode(DecoderConfig{}, test.in)
			if diff := cmp.Diff(test.want, got, near()); diff != "" {
				t.Errorf("fixes (-want +got):\n%s", diff)
			}
			if s := unbalanced(count, len(test.in)); s != "" {
				t.Error(s)
			}
			count.Bytes, count.Noise, count.Sentences, count.Epochs, count.Fixes = 0, 0, 0, 0, 0
			if diff := cmp.Diff(test.count, count); diff != "" {
				t.Errorf("counters (-want +got):\n%s", diff)
			}
		})
	}
}

// The library is not to be relied on not to panic, though nothing that gets
// through to it is known to make it.
func TestParserPanic(t *testing.T) {
	d := NewDecoder(DecoderConfig{})
	d.parser.nmea.CustomParsers = map[string]nmea.ParserFunc{
		nmea.TypeVTG: func(s nmea.BaseSentence) (nmea.Sentence, error) { return nil, errors.New(s.Fields[99]) },
	}
	var got []Fix
	in := seals(goodRMC, "GPVTG,45.5,T,67.5,M,30.45,N,56.40,K", goodGGA)
	d.Write([]byte(in), arrival(), func(f Fix) { got = append(got, f) })
	if diff := cmp.Diff([]Fix{goodFix()}, got, near()); diff != "" {
		t.Errorf("fixes (-want +got):\n%s", diff)
	}
	if c := d.Counters(); c.Panics != 1 || c.Unparsable != 1 || c.Accepted != 2 {
		t.Errorf("got %d panics, %d unparsable, %d accepted, want 1, 1, 2", c.Panics, c.Unparsable, c.Accepted)
	}
}

func TestQualityString(t *testing.T) {
	want := []string{"no fix", "autonomous", "differential", "pps", "rtk fixed", "rtk float", "estimated", "manual", "simulated", "quality 9"}
	for i, w := range want {
		if got := Quality(i).String(); got != w {
			t.Errorf("quality %d: got %q, want %q", i, got, w)
		}
	}
}
