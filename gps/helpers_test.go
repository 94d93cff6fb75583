package gps

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// arrival is the host time of tests in which it does not matter.
func arrival() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// seal makes a sentence of its body: "GPRMC,..." becomes "$GPRMC,...*hh\r\n".
func seal(body string) string {
	var x byte
	for i := range len(body) {
		x ^= body[i]
	}
	return fmt.Sprintf("$%s*%02X\r\n", body, x)
}

// seals makes one stream of several bodies.
func seals(bodies ...string) string {
	var b strings.Builder
	for _, body := range bodies {
		b.WriteString(seal(body))
	}
	return b.String()
}

// decode runs a whole stream through a new decoder.
func decode(cfg DecoderConfig, stream string) ([]Fix, Counters) {
	var fixes []Fix
	emit := func(f Fix) { fixes = append(fixes, f) }
	d := NewDecoder(cfg)
	d.Write([]byte(stream), arrival(), emit)
	d.Flush(arrival(), emit)
	return fixes, d.Counters()
}

// unknown is a fix of which nothing is known but its time and quality.
func unknown(utc time.Time, q Quality) Fix {
	return Fix{At: arrival(), Time: utc, Quality: q, Satellites: -1, Speed: -1, Course: -1}
}

// complaint says what is wrong with a fix that no decoder may ever emit.
func complaint(f Fix) string {
	for _, v := range []float64{f.Lat, f.Lon, f.HDOP, f.Speed, f.Course, f.Altitude} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "a value is not finite"
		}
	}
	switch {
	case !f.Valid && (f.Lat != 0 || f.Lon != 0):
		return "an invalid fix has a position"
	case f.Valid && f.Lat == 0 && f.Lon == 0:
		return "a valid fix lies at 0/0"
	case math.Abs(f.Lat) > 90 || math.Abs(f.Lon) > 180:
		return "the position is out of range"
	case f.Valid && !f.Quality.measured():
		return "a valid fix is not measured"
	case f.HDOP < 0 || f.HDOP > maxHDOP:
		return "HDOP is out of range"
	case f.Satellites < -1 || f.Speed < 0 && f.Speed != -1 || f.Speed > maxSpeed:
		return "satellites or speed are out of range"
	case f.Course < 0 && f.Course != -1 || f.Course >= 360:
		return "course is out of range"
	case !f.HasAltitude && f.Altitude != 0:
		return "there is an altitude and there is none"
	case f.RolledOver && f.Time.IsZero():
		return "an unknown date was rolled over"
	}
	return ""
}

// unbalanced says which promise of [Counters] does not hold.
func unbalanced(c Counters, bytes int) string {
	switch {
	case c.Bytes != uint64(bytes):
		return fmt.Sprintf("%d bytes counted, want %d", c.Bytes, bytes)
	case c.Sentences != c.NoChecksum+c.BadChecksum+c.Unsupported+c.Unparsable+c.Accepted:
		return "sentences do not add up"
	case c.Fixes > c.Epochs || c.Panics > c.Unparsable || c.OutOfRange > c.Accepted || c.Late > c.Accepted:
		return "a part is larger than its whole"
	}
	return ""
}

// sharedFolder returns a folder of the shared test data, or skips the test.
func sharedFolder(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("GADEBLIK_SHARED")
	if dir == "" {
		root, err := filepath.Abs(".")
		if err != nil {
			t.Fatal(err)
		}
		for !exists(filepath.Join(root, "go.mod")) && root != filepath.Dir(root) {
			root = filepath.Dir(root)
		}
		dir = filepath.Join(filepath.Dir(root), "shared")
	}
	dir = filepath.Join(dir, name)
	if !exists(dir) {
		t.Skipf("no test data in %s; set GADEBLIK_SHARED to the folder that holds %s", dir, name)
	}
	return dir
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// hostTime makes what time.Now returns when the computer's clock says wall and
// has been running for mono. Tests need it because no test may set the clock.
func hostTime(t testing.TB, wall time.Time, mono time.Duration) time.Time {
	t.Helper()
	// The layout of time.Time, as its source explains it.
	type layout struct {
		wall uint64
		ext  int64
		loc  *time.Location
	}
	const hasMonotonic, wallBase = 1 << 63, -2682288000 // 1885, in Unix time
	out := wall
	l := (*layout)(unsafe.Pointer(&out))
	l.wall = hasMonotonic | uint64(wall.Unix()-wallBase)<<30 | uint64(wall.Nanosecond())
	l.ext = int64(mono) + 1 // 0 is the time before the program
	stripped := out.Round(0)
	if unsafe.Sizeof(out) != unsafe.Sizeof(*l) || !stripped.Equal(wall) || out == stripped || out.Add(time.Hour).Sub(out) != time.Hour {
		t.Fatalf("time.Time is not laid out as this test thinks: made %v of %v", out, wall)
	}
	return out
}
