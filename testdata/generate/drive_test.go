package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// small is a drive drawn at a quarter of the bundled size, so that tests are quick.
func small() drive { return drive{width: 240, height: 136, quality: 70} }

func drawn(t *testing.T, d drive, ms ...int) ([][]byte, [][]mark) {
	t.Helper()
	st, p := newStage(), newPainter(d.width, d.height)
	var pictures [][]byte
	var marks [][]mark
	for _, m := range ms {
		b, seen, err := d.frame(p, st, m)
		if err != nil {
			t.Fatal(err)
		}
		pictures, marks = append(pictures, b), append(marks, seen)
	}
	return pictures, marks
}

// The second run draws the frames in the other order: a painter carries nothing from one frame into the next.
func TestSameDriveSamePictures(t *testing.T) {
	a, am := drawn(t, small(), 12800, 68200)
	b, bm := drawn(t, small(), 68200, 12800)
	for i := range a {
		if !bytes.Equal(a[i], b[1-i]) {
			t.Errorf("frame %d: %d and %d bytes that differ between two runs", i, len(a[i]), len(b[1-i]))
		}
		if d := cmp.Diff(am[i], bm[1-i]); d != "" {
			t.Errorf("truth of frame %d differs between two runs:\n%s", i, d)
		}
	}
	if bytes.Equal(a[0], a[1]) {
		t.Error("two moments of the drive give the same picture")
	}
}

func TestTruthLiesInsideTheFrame(t *testing.T) {
	d := small()
	_, all := drawn(t, d, 12800, 24000, 45000)
	classes := map[string]int{}
	for _, marks := range all {
		for _, m := range marks {
			checkMark(t, m, image.Rect(0, 0, d.width, d.height))
			classes[m.Class]++
		}
	}
	for _, c := range []string{"person", "car", "truck", "bus", "bicycle"} {
		if classes[c] == 0 {
			t.Errorf("no %s in three frames, seen %v", c, classes)
		}
	}
}

func checkMark(t *testing.T, m mark, frame image.Rectangle) {
	t.Helper()
	box := image.Rect(m.Box[0], m.Box[1], m.Box[2], m.Box[3])
	switch {
	case box.Empty() || !box.In(frame):
		t.Errorf("%s %d: box %v is not inside %v", m.Class, m.ID, box, frame)
	case m.Pixels < minPixels || m.Pixels > box.Dx()*box.Dy():
		t.Errorf("%s %d: %d pixels in a box of %d", m.Class, m.ID, m.Pixels, box.Dx()*box.Dy())
	case m.Shown <= 0 || m.Shown > 1:
		t.Errorf("%s %d: shown %v", m.Class, m.ID, m.Shown)
	case m.Away <= 0 || m.Away > 260:
		t.Errorf("%s %d: %v metres away", m.Class, m.ID, m.Away)
	case (m.Class == "face") != (m.Turned != nil):
		t.Errorf("%s %d: turned %v", m.Class, m.ID, m.Turned)
	}
}

// A face is also its person: what belongs to something counts for both.
func TestPartsCountForTheirOwners(t *testing.T) {
	body := &object{id: 1, class: "person"}
	face := &object{id: 2, class: "face", of: body}
	p, m := newPainter(80, 60), &mesh{}
	m.box(vec{-0.5, -0.5, 4}, vec{0.5, 0.5, 5})
	s := shot{
		insts:  []*instance{{mesh: m, pose: home(), mat: plain(vec{0.5, 0.5, 0.5}), obj: face}},
		camera: func(float64) camera { return newCamera(home(), 60, 80, 60) },
	}
	p.paint(s)
	marks := p.marks(s.view(0))
	if len(marks) != 2 {
		t.Fatalf("%d things seen, want the face and its person: %+v", len(marks), marks)
	}
	if a, b := marks[0], marks[1]; a.ID != 1 || b.ID != 2 || a.Box != b.Box || a.Pixels != b.Pixels || b.Shown < 0.9 {
		t.Errorf("person %+v, face %+v; want the same box, wholly shown", a, b)
	}
}

// The bundled drive was written by this code: its small files are those the code writes now. Its pictures are too
// dear to draw again in a test.
func TestBundledDriveIsOfThisCode(t *testing.T) {
	dir := filepath.Join("..", "drives", "demo")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no bundled drive: run the generator")
	}
	l := newLine()
	want, err := orders(l)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"orders.geojson": want, "track.nmea": nmea(l)} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, data) {
			t.Errorf("%s is not what the generator writes; run go run ./testdata/generate --out testdata/drives/demo", name)
		}
	}
	checkFrames(t, dir)
}

func checkFrames(t *testing.T, dir string) {
	t.Helper()
	var truth struct {
		Size   [2]int            `json:"size"`
		Frames map[string][]mark `json:"frames"`
	}
	b, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &truth); err != nil {
		t.Fatal(err)
	}
	for _, ms := range shots() {
		name := frameName(ms)
		b, err := os.ReadFile(filepath.Join(dir, "frames", name))
		if err != nil {
			t.Fatal(err)
		}
		c, err := jpeg.DecodeConfig(bytes.NewReader(b))
		if err != nil || c.Width != truth.Size[0] || c.Height != truth.Size[1] {
			t.Errorf("%s: %dx%d, error %v, truth says %v", name, c.Width, c.Height, err, truth.Size)
		}
		for _, m := range truth.Frames[name] {
			checkMark(t, m, image.Rect(0, 0, c.Width, c.Height))
		}
	}
	if got, want := len(truth.Frames), len(shots()); got != want {
		t.Errorf("truth of %d frames, want %d", got, want)
	}
}
