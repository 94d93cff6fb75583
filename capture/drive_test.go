package capture

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseDriveYAML(t *testing.T) {
	got, err := parseDriveYAML([]byte(testYAML + "frames: {count: 9, naming: milliseconds since started}\nsource: see MANIFEST.md\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := driveInfo{
		name: "test", started: testStart, track: "made for a test", source: "see MANIFEST.md",
		mount: Mount{Position: "front", HeightM: 1.4, PitchDeg: -2, HFovDeg: 70}, frames: 9,
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(driveInfo{})); d != "" {
		t.Errorf("-want +got\n%s", d)
	}

	// The example in the documentation is one.
	doc, err := os.ReadFile("../docs/drive.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(doc), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	if info, err := parseDriveYAML([]byte(example)); err != nil || info.name != "my_drive" || info.frames != 9 {
		t.Errorf("the example in docs/drive.md: %+v, %v", info, err)
	}

	long := strings.Repeat("a", 300)
	tests := []struct{ name, yaml, err string }{
		{"empty", "", "drive.yaml: empty; it needs at least name and started"},
		{"not a mapping", "- a\n", "drive.yaml:1: drive.yaml: must be a mapping of name, started, track, camera, frames, source"},
		{"no YAML", "name: [", "drive.yaml:1: did not find expected node content"},
		{"missing", "track: x\n", "drive.yaml:1: name is missing\ndrive.yaml:1: started is missing"},
		{"unknown key", testYAML + "startd: 1\n", `drive.yaml:5: unknown key "startd"; drive.yaml has name, started, track, camera, frames, source`},
		{"unknown key inside", "name: a\nstarted: 2026-06-02T07:20:00Z\ncamera:\n  heigth_m: 1\n", `drive.yaml:4: unknown key "heigth_m"; camera has mount, height_m, pitch_deg, hfov_deg`},
		{"twice", testYAML + "name: b\n", `drive.yaml:5: key "name" twice`},
		{"local time", "name: a\nstarted: 2026-06-02T07:20:00+02:00\n", `drive.yaml:2: started: must be a time in UTC such as 2026-06-02T07:20:00Z (got "2026-06-02T07:20:00+02:00")`},
		{"board without clock", "name: a\nstarted: 1970-01-01T00:00:00Z\n", `drive.yaml:2: started: must be a time in UTC such as 2026-06-02T07:20:00Z (got "1970-01-01T00:00:00Z")`},
		{"several at once", "name: \"a\\nb\"\nstarted: soon\ncamera: {height_m: 200, pitch_deg: .nan, hfov_deg: wide}\nframes: {count: -1, naming: seconds}\n",
			"drive.yaml:1: name: must be one line of text, 1 to 256 bytes\n" +
				"drive.yaml:2: started: must be a time in UTC such as 2026-06-02T07:20:00Z (got \"soon\")\n" +
				"drive.yaml:3: camera.height_m: must be a number from 0 to 20 (got \"200\")\n" +
				"drive.yaml:3: camera.pitch_deg: must be a number from -90 to 90 (got \".nan\")\n" +
				"drive.yaml:3: camera.hfov_deg: must be a number from 0 to 360 (got \"wide\")\n" +
				"drive.yaml:4: frames.count: must be a number from 0 to 1e+06 (got \"-1\")\n" +
				"drive.yaml:4: frames.naming: must be \"milliseconds since started\" (got \"seconds\")"},
		{"long text", "name: " + long + "\nstarted: 2026-06-02T07:20:00Z\n", "drive.yaml:1: name: must be one line of text, 1 to 256 bytes"},
		{"alias", "name: &n x\ntrack: *n\nstarted: 2026-06-02T07:20:00Z\n", "drive.yaml:2: track: must be one line of text, 1 to 256 bytes"},
		{"camera is text", "name: x\nstarted: 2026-06-02T07:20:00Z\ncamera: front\n", "drive.yaml:3: camera: must be a mapping of mount, height_m, pitch_deg, hfov_deg"},
		{"large", strings.Repeat("#", maxDriveYAML+1), "drive.yaml: 65537 bytes, at most 65536 are accepted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseDriveYAML([]byte(tt.yaml))
			if err == nil || err.Error() != tt.err {
				t.Errorf("error\n%v\nwant\n%s", err, tt.err)
			}
		})
	}
}

func FuzzDriveYAML(f *testing.F) {
	f.Add([]byte(testYAML))
	f.Add([]byte("name: &a [*a]\n<<: {x: 1}\n"))
	f.Add([]byte("{name: x, started: 2026-06-02T07:20:00Z, camera: {hfov_deg: 1e400}}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := parseDriveYAML(b)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "drive.yaml:") {
				t.Fatalf("error %v does not name the file", err)
			}
			return
		}
		if info.name == "" || info.started.Year() < minYear || info.started.Location() != time.UTC {
			t.Fatalf("accepted %+v", info)
		}
	})
}

func TestDriveFolder(t *testing.T) {
	one, two := picture(t, 32, 16), picture(t, 16, 16)
	path := makeDrive(t, rmc(0)+"noise\n"+rmc(time.Second)+gga(time.Second), map[int][]byte{0: one, 500: two, 1000: one, 2500: two[:99]})
	d := open(t, path)
	want := &Drive{Path: path, Name: "test", Started: testStart, Track: "made for a test", Mount: Mount{"front", 1.4, -2, 70}, Frames: 4, Length: 2500 * time.Millisecond}
	if diff := cmp.Diff(want, d, cmp.FilterPath(func(p cmp.Path) bool {
		return p.Last().String() == ".pool" || p.Last().String() == ".open" || p.Last().String() == ".orders" || p.Last().String() == ".attach"
	}, cmp.Ignore()), cmp.AllowUnexported(Drive{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	at := func(ms int) time.Time { return testStart.Add(time.Duration(ms) * time.Millisecond) }
	events := []seen{
		{At: at(0), NMEA: rmc(0)},
		{At: at(0), NMEA: "noise\n"},
		{At: at(0), JPEG: string(one), Seq: 1},
		{At: at(500), JPEG: string(two), Seq: 2},
		{At: at(1000), NMEA: rmc(time.Second)},
		{At: at(1000), NMEA: gga(time.Second)},
		{At: at(1000), JPEG: string(one), Seq: 3},
		{At: at(2500), Damaged: "frames/000002500.jpg: damaged picture: cut off before its end marker"},
	}
	for pass := range 2 {
		if diff := cmp.Diff(events, read(t, d)); diff != "" {
			t.Errorf("pass %d: -want +got\n%s", pass+1, diff)
		}
	}
	if got, err := d.Orders(); got != nil || err != nil || d.OrdersPath() != "" {
		t.Errorf("orders %q, %v at %q, want none", got, err, d.OrdersPath())
	}
}

func TestDriveOrders(t *testing.T) {
	path := makeDrive(t, seconds(2), nil)
	orders := filepath.Join(path, "orders.geojson")
	if err := os.WriteFile(orders, []byte(`{"type":"FeatureCollection"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	d := open(t, path)
	got, err := d.Orders()
	if err != nil || string(got) != `{"type":"FeatureCollection"}` || d.OrdersPath() != orders {
		t.Errorf("orders %q, %v at %q", got, err, d.OrdersPath())
	}
}

func TestDriveStopsEarly(t *testing.T) {
	d := open(t, makeDrive(t, seconds(3), map[int][]byte{0: picture(t, 16, 16)}))
	n := 0
	for _, err := range d.Events() {
		if err != nil {
			t.Fatal(err)
		}
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d events, want 1", n)
	}
}

func TestOpenDriveErrors(t *testing.T) {
	pic := picture(t, 16, 16)
	write := func(name, text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name  string
		spoil func(*testing.T, string)
		err   string
	}{
		{"no folder", remove(""), "no such file or directory"},
		{"no drive.yaml", remove("drive.yaml"), "drive.yaml: no such file or directory"},
		{"no track", remove("track.nmea"), "track.nmea: no such file or directory"},
		{"no frames", remove("frames"), "frames: no such file or directory"},
		{"wrong name", write("frames/7.jpg", "x"), "frames/7.jpg: a frame is named by nine digits of milliseconds and .jpg, such as 000012500.jpg"},
		{"wrong yaml", write("drive.yaml", "name: a\nstarted: yesterday\n"), `drive.yaml:2: started: must be a time in UTC such as 2026-06-02T07:20:00Z (got "yesterday")`},
		{"track that is not there yet", write("track.nmea", rmc(-7168*24*time.Hour)),
			"track.nmea:1: the sentence is of 2006-10-17T07:20:00Z, drive.yaml says the drive started 2026-06-02T07:20:00Z; mend started"},
		{"started on another day", write("drive.yaml", "name: a\nstarted: 2026-06-03T07:20:00Z\n"),
			"track.nmea:1: the sentence is of 2026-06-02T07:20:00Z, drive.yaml says the drive started 2026-06-03T07:20:00Z; mend started"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := makeDrive(t, seconds(3), map[int][]byte{0: pic})
			tt.spoil(t, dir)
			_, err := OpenDrive(dir)
			if want := "open drive " + dir + ": " + tt.err; err == nil || err.Error() != want {
				t.Errorf("error %v, want %s", err, want)
			}
		})
	}
}

func TestDriveReadErrors(t *testing.T) {
	dir := makeDrive(t, seconds(1), map[int][]byte{0: picture(t, 16, 16), 900: nil})
	d := open(t, dir)
	if err := os.Remove(filepath.Join(dir, "frames", "000000000.jpg")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "frames", "000000000.jpg"), 0o755); err != nil {
		t.Fatal(err)
	}
	var got error
	n := 0
	for _, err := range d.Events() {
		n++
		got = err
	}
	if want := "read drive " + dir + ": frames/000000000.jpg: not a regular file"; got == nil || got.Error() != want || n != 2 {
		t.Errorf("error %v after %d events, want %s", got, n, want)
	}
}

func TestDriveWarnings(t *testing.T) {
	dir := makeDrive(t, gga(0), map[int][]byte{0: picture(t, 16, 16)})
	for name, text := range map[string]string{"drive.yaml": testYAML + "frames: {count: 5}\n", "frames/.DS_Store": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"drive.yaml says 5 frames, frames/ has 1",
		"track.nmea has no valid RMC sentence with a date: times follow the time of day alone",
	}
	if diff := cmp.Diff(want, open(t, dir).Warnings); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestDriveTrackWarnings(t *testing.T) {
	tests := []struct {
		name, track string
		want        []string
	}{
		{"wrong date at first", rmc(-7168*24*time.Hour) + "x\n" + rmc(time.Second), nil},
		{"long silence", "x\n" + rmc(2*time.Hour), []string{"track.nmea:2: the first dated sentence is 2h0m0s after the drive started"}},
		{"empty", "", []string{"track.nmea has no valid RMC sentence with a date: times follow the time of day alone"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, open(t, makeDrive(t, tt.track, nil)).Warnings); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// TestSharedDrives opens every real drive and checks events against the files.
func TestSharedDrives(t *testing.T) {
	root := shared(t, "drives")
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		n++
		t.Run(e.Name(), func(t *testing.T) {
			path := filepath.Join(root, e.Name())
			d := open(t, path)
			if d.Name != e.Name() || len(d.Warnings) != 0 || d.Mount.HFovDeg == 0 || d.OrdersPath() == "" {
				t.Errorf("%+v", d)
			}
			track, err := os.ReadFile(filepath.Join(path, "track.nmea"))
			if err != nil {
				t.Fatal(err)
			}
			frames, err := filepath.Glob(filepath.Join(path, "frames", "*.jpg"))
			if err != nil {
				t.Fatal(err)
			}
			checkEvents(t, d, track, frames)
		})
	}
	if n < 6 {
		t.Errorf("%d drives, want 6 or more", n)
	}
}

func checkEvents(t *testing.T, d *Drive, track []byte, frames []string) {
	t.Helper()
	lines := bytes.SplitAfter(bytes.TrimSuffix(track, []byte("\n")), []byte("\n"))
	last := seen{At: d.Started}
	pictures, sentences := 0, 0
	for _, ev := range read(t, d) {
		if ev.At.Before(last.At) || ev.At.Equal(last.At) && last.JPEG != "" && ev.NMEA != "" {
			t.Fatalf("event at %s after %s: not in order", ev.At, last.At)
		}
		last = ev
		switch {
		case ev.JPEG != "":
			name := fmt.Sprintf("%09d.jpg", ev.At.Sub(d.Started).Milliseconds())
			if pictures >= len(frames) || filepath.Base(frames[pictures]) != name || ev.Seq != uint64(pictures+1) {
				t.Fatalf("picture %d at %s is not %s", ev.Seq, ev.At, name)
			}
			pictures++
		case ev.NMEA != "":
			// The clock of the sentence itself, read in the simplest way.
			if got := strings.Split(ev.NMEA, ",")[1]; got != ev.At.Format("150405.00") {
				t.Fatalf("sentence of %s at %s", got, ev.At)
			}
			if sentences >= len(lines) || strings.TrimSpace(ev.NMEA) != string(bytes.TrimSpace(lines[sentences])) {
				t.Fatalf("line %d is %q", sentences+1, ev.NMEA)
			}
			sentences++
		default:
			t.Fatalf("event %+v", ev)
		}
	}
	if pictures != len(frames) || sentences != len(lines) || d.Frames != len(frames) {
		t.Errorf("%d pictures of %d, %d sentences of %d, Frames %d", pictures, len(frames), sentences, len(lines), d.Frames)
	}
	t.Logf("%d frames, %d sentences, %s", pictures, sentences, d.Length)
}

// TestDriveStreams reads a drive much larger than what may stay in memory.
func TestDriveStreams(t *testing.T) {
	const n, size = 120, 1 << 19
	big := append(picture(t, 64, 64), make([]byte, size)...)
	frames := make(map[int][]byte)
	for i := range n {
		frames[i*100] = big
	}
	folder := open(t, makeDrive(t, seconds(12), frames))
	file := filepath.Join(t.TempDir(), "drive.mcap")
	// What lies behind a picture is cut off, so the file needs pictures that are
	// large in themselves.
	wide := picture(t, 1600, 1200)
	for ms := range frames {
		frames[ms] = wide
	}
	writeMCAPFile(t, open(t, makeDrive(t, seconds(12), frames)), file)
	for name, d := range map[string]*Drive{"folder": folder, "MCAP": open(t, file)} {
		t.Run(name, func(t *testing.T) {
			var before, now runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			most := uint64(0)
			seenFrames := 0
			for ev, err := range d.Events() {
				if err != nil {
					t.Fatal(err)
				}
				ev.Frame.Release()
				if ev.Frame == nil {
					continue
				}
				if seenFrames++; seenFrames%20 == 0 {
					runtime.GC()
					runtime.ReadMemStats(&now)
					most = max(most, now.HeapAlloc)
				}
			}
			grown := int64(most) - int64(before.HeapAlloc)
			t.Logf("%d frames of about %d KiB, heap grew by at most %d KiB", seenFrames, len(wide)>>10, grown>>10)
			if seenFrames != n || grown > 16<<20 {
				t.Errorf("%d frames, heap grew by %d bytes", seenFrames, grown)
			}
		})
	}
}

func writeMCAPFile(tb testing.TB, d *Drive, path string) {
	tb.Helper()
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	if err := errors.Join(WriteMCAP(f, d), f.Close()); err != nil {
		tb.Fatal(err)
	}
}
