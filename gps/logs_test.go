package gps

import (
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// log is a recorded stream of the shared test data.
type log struct {
	name string
	data []byte
}

// logs reads every file in every folder of the shared NMEA data, those that
// are not NMEA included.
func logs(t testing.TB) []log {
	t.Helper()
	dir := sharedFolder(t, "nmea")
	var all []log
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		all = append(all, log{filepath.ToSlash(name), data})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Skipf("no files in %s", dir)
	}
	return all
}

// find returns the fixes of one log.
func find(t *testing.T, name string) ([]Fix, Counters) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(sharedFolder(t, "nmea"), name))
	if err != nil {
		t.Skip(err)
	}
	return decode(DecoderConfig{}, string(data))
}

// Whatever a device has ever said must not lead to a panic or a false fix, from
// the beginning or from the middle, with and without a window for dates.
func TestAllLogs(t *testing.T) {
	all := logs(t)
	var sum Counters
	for _, l := range all {
		for _, cfg := range []DecoderConfig{{}, {Midstream: true}, {Floor: day(2019, 1, 1)}} {
			fixes, count := decode(cfg, string(l.data))
			for i, f := range fixes {
				if s := complaint(f); s != "" {
					t.Errorf("%s: fix %d: %s: %+v", l.name, i, s, f)
				}
			}
			if s := unbalanced(count, len(l.data)); s != "" {
				t.Errorf("%s: %s", l.name, s)
			}
			if cfg == (DecoderConfig{}) {
				sum.Bytes += count.Bytes
				sum.Accepted += count.Accepted
				sum.Fixes += count.Fixes
			}
		}
	}
	t.Logf("%d files, %d bytes, %d sentences accepted, %d valid fixes", len(all), sum.Bytes, sum.Accepted, sum.Fixes)
}

// Binary protocols hold no fix, but for the few files that embed sentences.
func TestBinaryLogs(t *testing.T) {
	embedded := map[string]uint64{"april6_2019.log": 2, "tcp-test.log": 1, "udp-test.log": 1}
	for _, l := range logs(t) {
		base, binary := strings.CutPrefix(l.name, "gpsd_binary/")
		if !binary {
			continue
		}
		if _, count := decode(DecoderConfig{}, string(l.data)); count.Fixes != embedded[base] {
			t.Errorf("%s: got %d valid fixes, want %d", l.name, count.Fixes, embedded[base])
		}
	}
}

// The long tracks are complete: one valid fix for each second, at the speed it
// claims.
func TestTracks(t *testing.T) {
	for name, want := range map[string]int{
		"lege_track_0.nmea": 637, "lege_track_1.nmea": 1997, "lege_track_3.nmea": 584,
		"lege_track_4.nmea": 1997, "lege_track_6.nmea": 561, "lege_track_7.nmea": 1049,
	} {
		t.Run(name, func(t *testing.T) {
			fixes, _ := find(t, name)
			if len(fixes) != want {
				t.Errorf("got %d fixes, want %d", len(fixes), want)
			}
			for i, f := range fixes {
				if !f.Valid || f.Quality != Autonomous || f.HDOP != 0.8 || f.Satellites != 12 || f.Speed < 0 || !f.HasAltitude {
					t.Fatalf("fix %d is not complete: %+v", i, f)
				}
				if i > 0 {
					checkStep(t, fixes[i-1], f, 4)
				}
			}
		})
	}
}

// checkStep compares two fixes a second apart: the way between them must be
// what their speeds say, but for slack in metres.
func checkStep(t *testing.T, a, b Fix, slack float64) {
	t.Helper()
	if d := b.Time.Sub(a.Time); d != time.Second {
		t.Errorf("%v follows %v after %v, want 1s", b.Time, a.Time, d)
	}
	const degree = 111_195 // metres
	north := (b.Lat - a.Lat) * degree
	east := (b.Lon - a.Lon) * degree * math.Cos(a.Lat*math.Pi/180)
	if way, most := math.Hypot(north, east), max(a.Speed, b.Speed)+slack; way > most {
		t.Errorf("%.1f m from %v to %v, want at most %.1f", way, a.Time, b.Time, most)
	}
}

// A real walk: the receiver loses its satellites for 28 seconds and estimates,
// which RMC passes off as valid; and the log has a gap.
func TestWalk(t *testing.T) {
	fixes, count := find(t, "amod_walk_603s.nmea")
	estimated, gaps := 0, 0
	var last Fix
	for _, f := range fixes {
		switch {
		case f.Quality == Estimated && !f.Valid:
			estimated++
			continue
		case !f.Valid:
			t.Errorf("invalid: %+v", f)
			continue
		}
		if f.Speed > 3 {
			t.Errorf("walking at %.1f m/s at %v", f.Speed, f.Time)
		}
		if f.Speed < 0 || last.Speed < 0 || last.Time.IsZero() || f.Time.Sub(last.Time) != time.Second {
			gaps++
		} else {
			checkStep(t, last, f, 25) // the estimates end beside the truth
		}
		last = f
	}
	if estimated != 28 || count.Fixes != 595 || gaps > 45 {
		t.Errorf("got %d estimated, %d valid, %d gaps, want 28, 595, at most 45", estimated, count.Fixes, gaps)
	}
}

// Devices with ways of their own. Valid is how many RMC (or GGA) in the log claim
// a fix; the rest follows from what the device does not send.
func TestOddDevices(t *testing.T) {
	type summary struct {
		Epochs, Valid, WithoutHDOP, WithoutSpeed, WithoutTime int
		Quality                                               Quality // of the last
	}
	tests := []struct {
		name string
		want summary
	}{
		{"gpsd/ait250.log", summary{34, 34, 34, 0, 0, Autonomous}},            // AIS transponder: RMC only
		{"gpsd/magellan-ec10.log", summary{38, 21, 21, 0, 0, NoFix}},          // RMC only, checksums in small letters
		{"gpsd/rst39.log", summary{41, 41, 1, 37, 0, Differential}},           // GGA at 10 Hz, RMC at 1 Hz
		{"gpsd/hemi.log", summary{215, 21, 0, 20, 0, Autonomous}},             // GGA and VTG at 2 Hz, date from ZDA
		{"gpsd/beidou-gb.log", summary{5, 2, 0, 0, 0, Autonomous}},            // GGA, GNS, RMC
		{"gpsd/garmin-geko201.log", summary{18, 0, 0, 0, 0, Simulated}},       // GGA quality 8
		{"gpsd/garmin-10x.log", summary{14, 9, 0, 0, 0, Autonomous}},          // GGA quality 6
		{"gpsd/motorola-t805.log", summary{25, 16, 0, 0, 0, Autonomous}},      // mode one field early
		{"gpsd/haicom-305N.log", summary{74, 68, 0, 0, 0, Autonomous}},        // RMC void with mode A
		{"gpsd/telit-he910.log", summary{224, 187, 0, 0, 0, Autonomous}},      // empty fields, then a fix
		{"gpsd/mtk-3301.log", summary{11, 4, 0, 0, 0, Autonomous}},            // 89 degrees 60 minutes without a fix
		{"gpsd/tn200.log", summary{19, 0, 0, 0, 0, NoFix}},                    // 36000 degrees without a fix
		{"gpsd/skytraq.log", summary{17, 0, 0, 0, 0, NoFix}},                  // 0/0 without a fix
		{"gpsd/hp58534a.log", summary{0, 0, 0, 0, 0, NoFix}},                  // no checksums
		{"gpsd/ublox-zed-f9p-nmea.log", summary{29, 29, 0, 0, 0, Autonomous}}, // four systems
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fixes, _ := find(t, test.name)
			got := summary{Epochs: len(fixes)}
			for _, f := range fixes {
				got.Quality = f.Quality
				if !f.Valid {
					continue
				}
				got.Valid++
				got.WithoutHDOP += one(f.HDOP == 0)
				got.WithoutSpeed += one(f.Speed < 0)
				got.WithoutTime += one(f.Time.IsZero())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A telephone after the turn of the week counter in April 2019.
func TestWeekTurnLog(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(sharedFolder(t, "nmea"), "gpsd_binary/april6_2019.log"))
	if err != nil {
		t.Skip(err)
	}
	fixes, count := decode(DecoderConfig{Floor: day(2019, 1, 1)}, string(data))
	want := time.Date(2019, 4, 7, 0, 2, 31, 420e6, time.UTC)
	if n := len(fixes); n != 3 || !fixes[n-1].Time.Equal(want) || !fixes[n-1].RolledOver || count.RolledOver != 1 {
		t.Errorf("got %+v, want the last of 3 at %v, rolled over", fixes, want)
	}
}

// The clock finds the time of every track within its first seconds, from a
// board that believes it is 1970.
func TestClockOnTracks(t *testing.T) {
	for _, name := range []string{"lege_track_0.nmea", "lege_track_3.nmea", "amod_walk_603s.nmea"} {
		fixes, _ := find(t, name)
		boot := time.Unix(30, 0)
		c := NewClock(ClockConfig{Floor: day(2010, 1, 1)})
		for i, f := range fixes[:20] {
			f.At = boot.Add(f.Time.Sub(fixes[0].Time))
			c.Observe(f)
			utc, _, ok := c.UTC(f.At)
			if i >= 4 && (!ok || !utc.Equal(f.Time)) {
				t.Errorf("%s: fix %d: got %v, %t, want %v", name, i, utc, ok, f.Time)
			}
		}
	}
}
