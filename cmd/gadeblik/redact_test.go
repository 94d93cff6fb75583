package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gadeblik/agent"
	"gadeblik/blur"
	"gadeblik/inference"
	"gadeblik/inference/catalogue"
)

// files writes files with their contents below a folder.
func files(t testing.TB, dir string, all map[string][]byte) {
	t.Helper()
	for name, data := range all {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

// found is what gather returns, as lines.
func found(all []*photo) []string {
	var out []string
	for _, p := range all {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s", p.Path, p.Status, p.Reason)))
	}
	return out
}

func TestGatherKeepsPlacesAndOrder(t *testing.T) {
	t.Chdir(t.TempDir())
	pic := emptyPicture()
	files(t, "in", map[string][]byte{
		"z.jpg": pic, "b/2.JPEG": pic, "b/10.jpg": pic, "b/c/x": pic, "empty.jpg": nil, "text.txt": []byte("x"), "b/deep.jpg/y.jpg": pic,
	})
	files(t, ".", map[string][]byte{"more/one.jpg": pic})
	if err := errors.Join(os.Symlink("../more", "in/more"), os.Symlink("in", "alias"), os.Symlink("loop", "in/loop")); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"b/10.jpg", "b/2.JPEG", "b/c/x", "b/deep.jpg/y.jpg", "empty.jpg failed not a JPEG, in spite of its name",
		"loop skipped a link that leads nowhere", "more skipped a link to a folder is not followed",
		"text.txt skipped not a JPEG", "z.jpg",
	}
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"a folder", []string{"in"}, want},
		{"a folder by a link, twice", []string{"alias", "in/"}, want},
		{"files keep their names alone", []string{"in/b/c/x", "in/z.jpg"}, []string{"x", "z.jpg"}},
		{"a file again", []string{"in/b", "in/b/10.jpg"}, []string{"10.jpg", "2.JPEG", "c/x", "deep.jpg/y.jpg"}},
		{"a file that is named and is none", []string{"in/z.jpg", "in/text.txt"}, []string{"z.jpg", "text.txt failed not a JPEG"}},
	} {
		all, err := gather(tt.args, "out")
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if d := cmp.Diff(tt.want, found(all)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}

// A folder that cannot be read may hold anything: the run fails for it.
func TestGatherNamesWhatItCannotRead(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root can read everything")
	}
	dir := t.TempDir()
	files(t, dir, map[string][]byte{"in/a.jpg": emptyPicture(), "in/shut/b.jpg": emptyPicture(), "in/shut.jpg": emptyPicture()})
	for _, name := range []string{"in/shut", "in/shut.jpg"} {
		if err := os.Chmod(filepath.Join(dir, name), 0); err != nil {
			t.Fatal(err)
		}
	}
	defer os.Chmod(filepath.Join(dir, "in/shut"), 0o755) // so that it can be removed
	all, err := gather([]string{filepath.Join(dir, "in")}, filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a.jpg", "shut failed what is in it is not known: open: permission denied", "shut.jpg failed open: permission denied"}
	if d := cmp.Diff(want, found(all)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestBelow(t *testing.T) {
	for _, tt := range []struct {
		dir, path string
		want      bool
	}{
		{"/a", "/a", true}, {"/a", "/a/b/c", true}, {"/", "/a", true}, {"/a", "/ab", false},
		{"/a/b", "/a", false}, {"/a", "/a/..b", true}, {"/a", "/b", false},
	} {
		if got := below(tt.dir, tt.path); got != tt.want {
			t.Errorf("%s below %s: %v", tt.path, tt.dir, got)
		}
	}
}

// The output folder need not exist to be found among the originals.
func TestResolveFollowsLinksOfWhatIsNotThere(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "real"), 0o755), os.Symlink("real", filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	got, err := resolve(filepath.Join(dir, "link", "new", "newer"))
	real, realErr := filepath.EvalSymlinks(dir)
	if want := filepath.Join(real, "real", "new", "newer"); err != nil || realErr != nil || got != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

// Reports are given away: no reason names a place on this machine.
func TestFailureLeavesThePlaceOut(t *testing.T) {
	_, err := os.Open("/home/anna/holiday.jpg")
	p := &photo{record: record{Path: "holiday.jpg"}, source: "/home/anna/holiday.jpg"}
	p.fail(errors.Join(fmt.Errorf("store: %w", err), errors.New("second")))
	if want := "store: open: no such file or directory; second"; p.Reason != want || p.Status != failed {
		t.Errorf("%s: %q, want %q", p.Status, p.Reason, want)
	}
	p.source = "a\x1b[2J.jpg"
	if got := p.complaint().Error(); strings.Contains(got, "\x1b") {
		t.Errorf("%q reaches the terminal", got)
	}
}

func TestMoreLabels(t *testing.T) {
	for begun, want := range map[string][]string{
		"": {"person", "face", "plate"}, "fa": {"person", "face", "plate"},
		"face,": {"face,person", "face,plate"}, "face,person,pl": {"face,person,plate"},
	} {
		if got := moreLabels(begun); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", begun, got, want)
		}
	}
}

// A usual margin is what package blur takes by itself.
func TestUsualMarginIsBlurs(t *testing.T) {
	var jpegs [2][]byte
	for i, margin := range []float64{0, usualMargin} {
		src, err := blur.Open(noisyPicture())
		if err != nil {
			t.Fatal(err)
		}
		img, err := blur.Redact(t.Context(), src, blur.Request{Context: blur.Full, Margin: margin,
			Regions: []blur.Region{{Class: blur.Person, Box: image.Rect(100, 50, 400, 300)}}})
		if err != nil {
			t.Fatal(err)
		}
		jpegs[i] = img.JPEG()
	}
	if !bytes.Equal(jpegs[0], jpegs[1]) {
		t.Error("the margin that redact calls usual is not the one that package blur takes")
	}
}

// --min-score only ever removes more.
func TestMinScoreNeverRemovesLess(t *testing.T) {
	m, err := catalogue.Load("", catalogue.Privacy)
	if err != nil {
		t.Fatal(err)
	}
	prints := map[string]bool{}
	for _, score := range []float64{0, 0.01, 0.1, 0.5, 0.99} {
		o := redactOptions{labels: redactLabels(), minScore: score, fill: fillVeil, margin: usualMargin}
		c, s, fingerprint, err := o.eyes()
		if err != nil {
			t.Fatal(err)
		}
		prints[fingerprint] = true
		for _, r := range c.redact {
			if own := m.ScoreOf(string(r.Class)); r.MinScore > own {
				t.Errorf("--min-score %v: %s must score %v, more than its own %v", score, r.Class, r.MinScore, own)
			}
		}
		for label, got := range s.Models[0].Finds {
			want := m.ScoreOf(label)
			if score > 0 {
				want = min(want, score)
			}
			if got != want {
				t.Errorf("--min-score %v: %s must score %v, want %v", score, label, got, want)
			}
		}
	}
	if len(prints) != 3 { // as it is, 0.01 and 0.1
		t.Errorf("%d kinds of settings, want 3: --resume goes by them", len(prints))
	}
}

// blind is a model that sees nobody, and fails where it is told to.
type blind struct {
	looks int
	look  func(n int) error
}

func (b *blind) Detect(_ context.Context, _ inference.View, dst []inference.Detection) ([]inference.Detection, error) {
	b.looks++
	return dst, b.look(b.looks)
}

func (b *blind) Manifest() inference.Manifest {
	return inference.Manifest{Name: "blind", Classes: redactLabels(), Input: inference.Input{Width: 64, Height: 64}}
}

func (b *blind) Clear() {}

// trip is a run over so many pictures with a model of which look is called each
// time.
func trip(t *testing.T, n int, look func(n int) error) (*redaction, *worker) {
	t.Helper()
	dir := t.TempDir()
	o := &redactOptions{out: filepath.Join(dir, "out"), labels: redactLabels(), fill: fillVeil, jobs: 1}
	r := &redaction{redactOptions: o, std: stdio{out: new(bytes.Buffer), err: new(bytes.Buffer)}, req: blur.Request{Context: blur.Full}}
	var err error
	if r.album, err = openAlbum(o.out); err != nil {
		t.Fatal(err)
	}
	if err := r.album.make(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.album.close() })
	for i := range n {
		name := fmt.Sprintf("%d.jpg", i+1)
		files(t, dir, map[string][]byte{name: emptyPicture()})
		r.pictures = append(r.pictures, &photo{record: record{Path: name}, source: filepath.Join(dir, name)})
	}
	models := &agent.Models{Detectors: map[string]agent.Detector{"blind": &blind{look: look}}, Primary: "blind"}
	for _, l := range redactLabels() {
		models.Redact = append(models.Redact, agent.RedactModel{Class: blur.Class(l), Model: "blind"})
	}
	return r, &worker{redactor: agent.Redactor{Models: models}, loaded: &detectors{}}
}

// written returns the pictures in a folder, and whatever else was left there.
func written(t *testing.T, dir string) []string {
	t.Helper()
	return slices.DeleteFunc(names(t, dir), func(n string) bool { return n == journalFile })
}

// What cannot be redacted is not written, and the others are.
func TestAFailingModelWritesNothing(t *testing.T) {
	var r *redaction
	r, w := trip(t, 4, func(int) error { return nil })
	bad := r.pictures[1]
	w.redactor.Models.Detectors["blind"].(*blind).look = func(int) error {
		if r.pictures[0].Status != "" && bad.Status == "" {
			return errors.New("no more memory")
		}
		return nil
	}
	if err := r.work(t.Context(), []*worker{w}, r.pictures); err != nil {
		t.Fatal(err)
	}
	if got := written(t, r.out); !slices.Equal(got, []string{"1.jpg", "3.jpg", "4.jpg"}) {
		t.Errorf("written: %v", got)
	}
	if bad.Status != failed || !strings.Contains(bad.Reason, "no more memory") {
		t.Errorf("%+v", bad.record)
	}
	if err := r.conclude(); err == nil || !strings.Contains(err.Error(), "2.jpg: ") ||
		!strings.Contains(err.Error(), "1 of 4 pictures could not be redacted and were not written") {
		t.Errorf("it ends with %v", err)
	}
}

// An interrupt lets the picture at hand be finished, and says what was not done.
func TestInterruptStopsBetweenPictures(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var r *redaction
	r, w := trip(t, 4, func(int) error {
		if r.pictures[0].Status != "" {
			interrupt()
		}
		return nil
	})
	if err := r.work(ctx, []*worker{w}, r.pictures); err != nil {
		t.Fatal(err)
	}
	if got := written(t, r.out); !slices.Equal(got, []string{"1.jpg", "2.jpg"}) {
		t.Errorf("written: %v", got)
	}
	want := []string{"1.jpg redacted", "2.jpg redacted", "3.jpg pending", "4.jpg pending"}
	if d := cmp.Diff(want, found(r.pictures)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	err := r.conclude()
	if err == nil || err.Error() != "stopped: 2 of 4 pictures were not looked at" {
		t.Errorf("it ends with %v", err)
	}
	// What was done is remembered.
	err = r.album.remember()
	if m, known := r.album.known("2.jpg"); err != nil || len(r.album.done) != 2 || !known || m.Width != 640 {
		t.Errorf("remembered %v (%v)", r.album.done, err)
	}
}

// A full disk is one failure and not one for each picture; a reader who has gone ends
// the run too.
func TestRunEndsWhereNothingCanBeStoredOrTold(t *testing.T) {
	r, w := trip(t, 3, func(int) error { return nil })
	r.asJSON, r.std.out = true, shut{}
	if err := r.work(t.Context(), []*worker{w}, r.pictures); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("got %v, want a broken pipe", err)
	}
	if r.pictures[2].Status != pending {
		t.Errorf("it went on: %v", found(r.pictures))
	}
	for err, want := range map[error]bool{syscall.ENOSPC: true, syscall.EROFS: true, syscall.ENAMETOOLONG: false, errors.New("x"): false} {
		if got := full(fmt.Errorf("store: %w", &os.PathError{Op: "write", Err: err})); got != want {
			t.Errorf("%v: %v", err, got)
		}
	}
}

// shut is a pipe that nobody reads.
type shut struct{}

func (shut) Write([]byte) (int, error) { return 0, syscall.EPIPE }

// The journal knows what is there by what was written, and survives a line that was cut
// short.
func TestAlbumRemembers(t *testing.T) {
	dir := t.TempDir()
	a, err := openAlbum(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.make(); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, text := range []string{"first", "second"} {
		p := &photo{record: record{Path: "a/b.jpg", Status: redacted, SHA256: digest([]byte(text)), Bytes: len(text)}, replace: text == "second"}
		if err := a.keep(p, made{record: p.record, Source: stamp{7, at}, Settings: "s"}, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.keep(&photo{record: record{Path: "a/b.jpg"}}, made{}, nil); err == nil || !strings.Contains(err.Error(), "there is one already") {
		t.Errorf("an output was overwritten: %v", err)
	}
	if _, err := a.journal.WriteString(`{"path":"a/c.jpg","sta`); err != nil {
		t.Fatal(err)
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	for n, text := range []string{"second", "first", "third"} { // the first: a crash came before the file
		if err := os.WriteFile(filepath.Join(dir, "a", "b.jpg"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if a, err = openAlbum(dir); err != nil {
			t.Fatal(err)
		}
		err := errors.Join(a.remember(), a.make())
		m, known := a.known("a/b.jpg")
		if err := errors.Join(err, a.close()); err != nil {
			t.Fatal(err)
		}
		if want := n < 2; known != want || known && (m.SHA256 != digest([]byte(text)) || m.Source != (stamp{7, at}) || m.Settings != "s") {
			t.Errorf("%s: known %v as %+v", text, known, m)
		}
		if len(a.done) != 1 {
			t.Errorf("remembered %+v", a.done)
		}
	}
	if got := names(t, filepath.Join(dir, "a")); !slices.Equal(got, []string{"b.jpg"}) {
		t.Errorf("left in the folder: %v", got)
	}
}

// A picture that is stored lying on its side comes out as people look at it.
func TestRedactedPictureStandsUpright(t *testing.T) {
	r, w := trip(t, 1, func(int) error { return nil })
	if err := os.WriteFile(r.pictures[0].source, withOrientation(t, lettered(320, 160), 6, binary.BigEndian), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.work(t.Context(), []*worker{w}, r.pictures); err != nil {
		t.Fatal(err)
	}
	img := luma(t, filepath.Join(r.out, "1.jpg"))
	if got := quarters(img); got != [4]int{2, 0, 3, 1} || r.pictures[0].Width != 160 {
		t.Errorf("%v in %v", got, img.Rect)
	}
}

// redactFolder runs the program and returns its report.
func redactFolder(t *testing.T, in, out string, flags ...string) []record {
	t.Helper()
	tmp := t.TempDir()
	cmd := exec.Command("gadeblik", append([]string{"redact", in, "--out", out, "--report", "--quiet", "--onnxruntime", needs(t)}, flags...)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	// A second look that is not sure of a picture makes it a failure, as it should.
	if text, err := cmd.CombinedOutput(); err != nil && !strings.Contains(string(text), agent.ErrStillVisible.Error()) {
		t.Fatalf("%v\n%s", err, text)
	}
	if left := names(t, tmp); len(left) > 0 {
		t.Errorf("temporary files %v", left)
	}
	raw, err := os.ReadFile(filepath.Join(out, reportJSON))
	if err != nil {
		t.Fatal(err)
	}
	var rep struct{ Pictures []record }
	if err := json.Unmarshal(raw, &rep); err != nil {
		t.Fatal(err)
	}
	return rep.Pictures
}

// What the report says was removed is gone, the rest of the picture is there, and
// nothing of the file but the picture.
func TestRedactRemovesWhatItSaysAndNoMore(t *testing.T) {
	root := repository(t)
	t.Run("drawn pictures", func(t *testing.T) {
		drive := filepath.Join(t.TempDir(), "drive")
		markedDrive(t, filepath.Join(root, "testdata", "drives", "demo"), drive, 12)
		removesWhatItSays(t, filepath.Join(drive, "frames"))
	})
	t.Run("real people", func(t *testing.T) {
		in := filepath.Join(shared(root), "images", "faces")
		if !isFolder(in) {
			t.Skip("no pictures in ../shared/images/faces")
		}
		removesWhatItSays(t, in)
	})
}

func removesWhatItSays(t *testing.T, in string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	people := 0
	made := 0
	for _, rec := range redactFolder(t, in, out) {
		if rec.Status == failed && strings.HasPrefix(rec.Reason, agent.ErrStillVisible.Error()) && !exists(filepath.Join(out, rec.Path)) {
			continue // nothing was released
		}
		if rec.Status != redacted {
			t.Fatalf("%+v", rec)
		}
		made++
		before, after := luma(t, filepath.Join(in, rec.Path)), luma(t, filepath.Join(out, rec.Path))
		if after.Rect.Dx() != rec.Width || after.Rect.Dy() != rec.Height || before.Rect != after.Rect {
			t.Fatalf("%s: %v became %v, the report says %dx%d", rec.Path, before.Rect, after.Rect, rec.Width, rec.Height)
		}
		var gone []image.Rectangle
		for _, boxes := range rec.Regions {
			for _, b := range boxes {
				gone = append(gone, image.Rect(b[0], b[1], b[2], b[3]))
			}
		}
		people += len(gone)
		inside, outside := differences(before, after, gone)
		if len(gone) > 0 && inside < 8 || outside > 3 {
			t.Errorf("%s: mean difference %.1f inside of what was removed and %.1f outside", rec.Path, inside, outside)
		}
	}
	if people == 0 || made < 3 {
		t.Errorf("%d regions of %d pictures were removed: this proves nothing", people, made)
	}
	for _, rec := range names(t, out) {
		data, err := os.ReadFile(filepath.Join(out, rec))
		if err != nil || bytes.Contains(data, []byte(sourceWord)) || bytes.Contains(data, []byte("Exif\x00")) {
			t.Errorf("%s holds a segment of its source (%v)", rec, err)
		}
	}
}

func luma(t *testing.T, path string) *image.YCbCr {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return img.(*image.YCbCr)
}

// differences returns the mean differences of luma inside and outside of boxes.
func differences(a, b *image.YCbCr, boxes []image.Rectangle) (inside, outside float64) {
	var sum, n [2]float64
	for y := range a.Rect.Dy() {
		for x := range a.Rect.Dx() {
			which := 1
			if slices.ContainsFunc(boxes, func(r image.Rectangle) bool { return image.Pt(x, y).In(r) }) {
				which = 0
			}
			sum[which] += math.Abs(float64(a.Y[a.YOffset(x, y)]) - float64(b.Y[b.YOffset(x, y)]))
			n[which]++
		}
	}
	return sum[0] / max(n[0], 1), sum[1] / max(n[1], 1)
}
