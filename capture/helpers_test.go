package capture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// shared returns a path below the folder of shared test data, or skips.
func shared(tb testing.TB, elem ...string) string {
	tb.Helper()
	root := os.Getenv("GADEBLIK_SHARED")
	for dir := "."; root == ""; dir = filepath.Join(dir, "..") {
		abs, err := filepath.Abs(dir)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(abs, "go.mod")); err == nil {
			root = filepath.Join(abs, "..", "shared")
		}
		if abs == filepath.Dir(abs) {
			tb.Skip("no go.mod above the test: where the shared test data lies is unknown")
		}
	}
	path := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		tb.Skipf("no shared test data: %v", err)
	}
	return path
}

// picture returns a JPEG of the given size with something in it.
func picture(tb testing.TB, width, height int) []byte {
	tb.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, color.RGBA{uint8(x * 7), uint8(y * 5), uint8(x * y), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// withoutTables removes the DHT segment that image/jpeg writes.
func withoutTables(tb testing.TB, b []byte) []byte {
	tb.Helper()
	i := bytes.Index(b, []byte{0xFF, mDHT, 0x01, 0xA2})
	if i < 0 {
		tb.Fatal("no standard tables in the picture")
	}
	return append(bytes.Clone(b[:i]), b[i+len(standardDHT):]...)
}

// sentence completes an NMEA sentence with its checksum and line end.
func sentence(body string) string {
	var sum byte
	for _, c := range []byte(body) {
		sum ^= c
	}
	return fmt.Sprintf("$%s*%02X\r\n", body, sum)
}

var testStart = time.Date(2026, 6, 2, 7, 20, 0, 0, time.UTC)

const testYAML = `name: test
started: 2026-06-02T07:20:00Z
track: made for a test
camera: {mount: front, height_m: 1.4, pitch_deg: -2, hfov_deg: 70}
`

// seconds returns a track of RMC sentences, one a second.
func seconds(n int) string {
	var b strings.Builder
	for i := range n {
		at := testStart.Add(time.Duration(i) * time.Second)
		b.WriteString(sentence("GNRMC," + at.Format("150405.00") + ",A,5540.3740,N,01233.8520,E,4.860,244.56,020626,,,A"))
	}
	return b.String()
}

// makeDrive writes a drive folder; frames maps milliseconds to pictures.
func makeDrive(tb testing.TB, track string, frames map[int][]byte) string {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "drive")
	write := func(name string, b []byte) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	write("drive.yaml", []byte(testYAML))
	write("track.nmea", []byte(track))
	if err := os.MkdirAll(filepath.Join(dir, "frames"), 0o755); err != nil {
		tb.Fatal(err)
	}
	for ms, b := range frames {
		write(fmt.Sprintf("frames/%09d.jpg", ms), b)
	}
	return dir
}

// seen is what a test remembers of an event after its frame is released.
type seen struct {
	At       time.Time
	NMEA     string
	Location Location
	JPEG     string
	Seq      uint64
	Damaged  string
}

// read returns all events of a drive and releases their frames.
func read(tb testing.TB, d *Drive) []seen {
	tb.Helper()
	var all []seen
	for ev, err := range d.Events() {
		if err != nil {
			tb.Fatal(err)
		}
		s := seen{At: ev.At, NMEA: string(ev.NMEA)}
		if ev.Location != nil {
			s.Location = *ev.Location
		}
		if ev.Frame != nil {
			s.JPEG, s.Seq = string(ev.Frame.JPEG), ev.Frame.Seq
			ev.Frame.Release()
		}
		if ev.Damaged != nil {
			s.Damaged = ev.Damaged.Error()
		}
		all = append(all, s)
	}
	return all
}

func open(tb testing.TB, path string) *Drive {
	tb.Helper()
	d, err := OpenDrive(path)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// allocated returns how many bytes f allocated.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
