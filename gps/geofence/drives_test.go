package geofence

import (
	"bufio"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
)

// TestDrives takes the zones and tracks of the recorded drives: every drive
// enters its one zone once, and none goes in and out on the way. One camera does
// not move, and stands exactly on the end of its zone: outside.
func TestDrives(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(shared(t, "drives"), "*", "orders.geojson"))
	if err != nil || len(folders) == 0 {
		t.Skipf("no drives with orders: %v", err)
	}
	for _, path := range folders {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			zones, err := ParseZones(data)
			if err != nil {
				t.Fatal(err)
			}
			x, err := NewIndex(zones)
			if err != nil {
				t.Fatal(err)
			}
			track := readTrack(t, filepath.Join(filepath.Dir(path), "track.nmea"))
			tr := NewTracker(x, TrackerConfig{})
			reasons, entries, was := map[Reason]int{}, 0, 0
			for _, p := range track {
				tr.Observe(p)
				in, reason := tr.Inside(p.At)
				reasons[reason]++
				if len(in) > was {
					entries++
				}
				was = len(in)
			}
			t.Logf("%d fixes: %v", len(track), reasons)
			want := 1
			if strings.Contains(path, "static_camera") {
				want = 0
			}
			if entries != want || reasons[OK] < want*len(track)/10 || reasons[OK]+reasons[Settling]+reasons[Outside] != len(track) {
				t.Errorf("%d fixes, entered %d times, want %d: %v", len(track), entries, want, reasons)
			}
		})
	}
}

// readTrack reads the GGA sentences of a track, one a second.
func readTrack(t *testing.T, path string) []Position {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var track []Position
	for lines := bufio.NewScanner(f); lines.Scan(); {
		field := strings.Split(lines.Text(), ",")
		if !strings.HasSuffix(field[0], "GGA") {
			continue
		}
		hdop, _ := strconv.ParseFloat(field[8], 64)
		satellites, _ := strconv.Atoi(field[7])
		track = append(track, Position{
			At:    morning.Add(time.Duration(len(track)) * time.Second),
			Point: orb.Point{degreesOf(field[4], field[5]), degreesOf(field[2], field[3])},
			Valid: field[6] == "1", HDOP: hdop, Satellites: satellites, Speed: -1,
		})
	}
	return track
}

// degreesOf turns (d)ddmm.mmmm and a hemisphere into degrees.
func degreesOf(value, hemisphere string) float64 {
	v, _ := strconv.ParseFloat(value, 64)
	whole := math.Floor(v / 100)
	degrees := whole + (v-100*whole)/60
	if hemisphere == "S" || hemisphere == "W" {
		return -degrees
	}
	return degrees
}
