package main

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// These tests hold everything that is written against the frames it came from.
// A frame that lies in a file, whole or in part, alone or inside of another
// format, shows by 64 bytes of its entropy-coded scan: no other picture has them,
// not even the same one encoded again. What a camera writes beside the picture
// shows by the words that marked puts there.
//
// In evidence what is outside of all regions is bit by bit what the camera wrote. So
// there only those bytes count that are known to be of something that must go.

const (
	windowSize  = 64
	windowEvery = 256 // bytes between two windows: a part of a frame shows too
)

// traces recognises the frames it was made of.
type traces struct {
	windows map[uint64][]window // by their first eight bytes
	frames  int
}

type window struct {
	frame string
	kind  string // of what: empty is the scan
	bytes []byte
	// secret bytes are of what no picture may show. All others may be in evidence.
	secret bool
}

// sourceWord is in every segment that marked adds.
const sourceWord = "gadeblik-test-source-segment"

// marked returns a JPEG with a comment and an application segment of its own, as
// cameras write their make, serial number and position.
func marked(jpeg []byte) []byte {
	var b bytes.Buffer
	b.Write(jpeg[:2])
	for _, marker := range []byte{0xFE, 0xE5} { // COM, APP5
		word := fmt.Sprintf("%s %02x", sourceWord, marker)
		b.Write([]byte{0xFF, marker})
		b.Write(binary.BigEndian.AppendUint16(nil, uint16(len(word)+2)))
		b.WriteString(word)
	}
	b.Write(jpeg[2:])
	return b.Bytes()
}

// tracesOf takes windows of every frame of a drive's folder.
func tracesOf(t testing.TB, drive string) *traces {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(drive, "frames", "*.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	tr := &traces{windows: map[uint64][]window{}}
	for _, p := range paths {
		raw, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		tr.add(filepath.Base(p), raw)
	}
	if tr.frames == 0 {
		t.Fatalf("no frame of %s can be recognised: the test would prove nothing", drive)
	}
	return tr
}

func (tr *traces) add(name string, jpeg []byte) {
	scan := scanOf(jpeg)
	n := 0
	for at := 0; at+windowSize <= len(scan); at += windowEvery {
		if w := scan[at : at+windowSize]; telling(w) && tr.keep(window{frame: name, bytes: w}) {
			n++
		}
	}
	if n > 0 {
		tr.frames++
	}
}

// keep remembers a window, unless [traces.in] would pass over it.
func (tr *traces) keep(w window) bool {
	if uniform(w.bytes) {
		return false
	}
	k := binary.LittleEndian.Uint64(w.bytes)
	tr.windows[k] = append(tr.windows[k], w)
	return true
}

// uniform tells whether bytes begin with four of a kind. Memory has little else.
func uniform(b []byte) bool { return b[0] == b[1] && b[0] == b[2] && b[0] == b[3] }

// scanOf returns what follows the header of the first scan.
func scanOf(jpeg []byte) []byte {
	for at := 2; at+4 <= len(jpeg) && jpeg[at] == 0xFF; {
		next := at + 2 + int(binary.BigEndian.Uint16(jpeg[at+2:]))
		if next > len(jpeg) {
			return nil
		}
		if jpeg[at+1] == 0xDA {
			return jpeg[next:]
		}
		at = next
	}
	return nil
}

// telling tells whether a window could only come from its picture: an even
// surface is a run of the same few bits in every picture.
func telling(w []byte) bool { return different(w) >= windowSize/2 }

// different is how many values the bytes have.
func different(w []byte) int {
	var seen [256]bool
	n := 0
	for _, b := range w {
		if !seen[b] {
			seen[b] = true
			n++
		}
	}
	return n
}

// in returns what of the frames lies in data, "" if nothing does.
func (tr *traces) in(data []byte) string {
	if at := bytes.Index(data, []byte(sourceWord)); at >= 0 {
		return fmt.Sprintf("a segment of a source frame at byte %d", at)
	}
	evidence := isEvidence(data)
	for at := 0; at+windowSize <= len(data); at++ {
		if uniform(data[at:]) {
			continue
		}
		for _, w := range tr.windows[binary.LittleEndian.Uint64(data[at:])] {
			if (w.secret || !evidence) && bytes.HasPrefix(data[at:], w.bytes) {
				return fmt.Sprintf("%d bytes of the %s of frame %s at byte %d", len(w.bytes), cmp.Or(w.kind, "scan"), w.frame, at)
			}
		}
	}
	return ""
}

// isEvidence tells whether data is one picture as gadeblik makes them, from its first
// byte to its last: with its EXIF data or none, and no other segment that could
// come from a camera.
func isEvidence(data []byte) bool {
	if !bytes.HasPrefix(data, []byte{0xFF, 0xD8}) || !bytes.HasSuffix(data, []byte{0xFF, 0xD9}) {
		return false
	}
	want := []byte{0xDB, 0xC0, 0xC4, 0xDA} // DQT, SOF0, DHT, SOS
	for at := 2; at+4 <= len(data) && data[at] == 0xFF && len(want) > 0; at += 2 + int(binary.BigEndian.Uint16(data[at+2:])) {
		switch marker := data[at+1]; {
		case marker == 0xE1 && at == 2:
		case marker == want[0]:
			want = want[1:]
		default:
			return false
		}
	}
	return len(want) == 0
}

// embedded finds what text formats hold of others.
var embedded = regexp.MustCompile(`[A-Za-z0-9+/]{128,}=*`)

// folder fails the test for every file below dir that holds something of a
// frame, as it is or in Base64, and returns how many files it read.
func (tr *traces) folder(t testing.TB, dir string) int {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		if found := tr.in(data); found != "" {
			t.Errorf("%s holds %s", path, found)
		}
		for _, text := range embedded.FindAll(data, -1) {
			inner, err := base64.StdEncoding.DecodeString(string(text[:len(text)/4*4]))
			if found := tr.in(inner); err == nil && found != "" {
				t.Errorf("%s holds, in Base64, %s", path, found)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// markedDrive copies a drive with at most so many of its frames, each marked.
func markedDrive(t testing.TB, from, to string, most int) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(to, "frames", "*.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range paths {
		if err := os.Chmod(p, 0o644); err != nil {
			t.Fatal(err)
		}
		if i >= most {
			if err := os.Remove(p); err != nil {
				t.Fatal(err)
			}
			continue
		}
		raw, err := os.ReadFile(p)
		if err == nil {
			err = os.WriteFile(p, marked(raw), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestTracesFindAFrame(t *testing.T) {
	evidence := noisyPicture() // it has the segments of evidence
	// A camera says what it writes.
	frame := slices.Concat(evidence[:2], []byte("\xFF\xE0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"), evidence[2:])
	tr := &traces{windows: map[uint64][]window{}}
	tr.add("a.jpg", frame)
	if len(tr.windows) < 50 {
		t.Fatalf("%d windows, want many", len(tr.windows))
	}
	dir := t.TempDir()
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", []byte("nothing"), ""},
		{"another picture", emptyPicture(), ""},
		{"the frame", frame, "bytes of the scan of frame a.jpg"},
		{"a part of it", append([]byte("xx"), frame[len(frame)/2:len(frame)/2+400]...), "bytes of the scan of frame a.jpg"},
		{"evidence, with what is no secret", evidence, ""},
		{"a segment", marked(emptyPicture()), "a segment of a source frame at byte 6"},
	} {
		if got := tr.in(tt.data); !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%s: found %q, want %q", tt.name, got, tt.want)
		}
	}
	at := len(evidence) / 2
	tr.keep(window{frame: "a.jpg", bytes: evidence[at : at+windowSize], secret: true})
	if got := tr.in(evidence); !strings.Contains(got, "bytes of the scan of frame a.jpg") {
		t.Errorf("evidence with a secret: found %q", got)
	}
	page := `<img src="data:image/jpeg;base64,` + base64.StdEncoding.EncodeToString(frame) + `">`
	if err := os.WriteFile(filepath.Join(dir, "page.html"), []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	judge := &complaints{TB: t}
	if files := tr.folder(judge, dir); files != 1 || len(judge.list) != 1 || !strings.Contains(judge.list[0], "in Base64, 64 bytes of the scan") {
		t.Errorf("read %d files and found %q, want the frame in Base64", files, judge.list)
	}
}

// complaints is a test that keeps to itself what it is failed for.
type complaints struct {
	testing.TB
	list []string
}

func (c *complaints) Helper() {}
func (c *complaints) Errorf(format string, args ...any) {
	c.list = append(c.list, fmt.Sprintf(format, args...))
}

// TestReplayWritesNoFrame replays drives and searches everything that the process
// wrote, its folder for temporary files included.
func TestReplayWritesNoFrame(t *testing.T) {
	root := repository(t)
	lib := needs(t)
	t.Run("drawn pictures, the models built in", func(t *testing.T) {
		replayWritesNoFrame(t, filepath.Join(root, "testdata", "drives", "demo"), "--onnxruntime", lib)
	})
	t.Run("pictures of a real street, public models", func(t *testing.T) {
		drive := filepath.Join(shared(root), "drives", "romania_day003")
		switch {
		case !isFolder(drive):
			t.Skip("no recorded drives in ../shared/drives")
		case weights(root) == "":
			t.Skip("no public models in build/models or ../shared/models; fetch them with `gadeblik models fetch`")
		}
		replayWritesNoFrame(t, drive, "--onnxruntime", lib, "--models", weights(root))
	})
}

// replayWritesNoFrame replays the first frames of a drive.
func replayWritesNoFrame(t *testing.T, from string, flags ...string) {
	t.Helper()
	dir := t.TempDir()
	drive := filepath.Join(dir, "drive")
	markedDrive(t, from, drive, 60)
	for _, sub := range []string{"tmp", "out"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("gadeblik", append([]string{"replay", drive, "--out", "out"}, flags...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Join(dir, "tmp"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	tr := tracesOf(t, drive)
	for _, sub := range []string{"tmp", "out"} {
		files := tr.folder(t, filepath.Join(dir, sub))
		t.Logf("%s: %d files searched for %d frames", sub, files, tr.frames)
	}
	found, err := filepath.Glob(filepath.Join(dir, "out", "evidence", "*.jpg"))
	if err != nil || len(found) == 0 {
		t.Errorf("no evidence was written (%v): the search proves nothing", err)
	}
}

// needs returns the library that tests with real eyes need, or skips the test
// where it is missing.
func needs(t testing.TB) string {
	t.Helper()
	lib := runtimeLibrary()
	if lib == "" {
		t.Skip("no ONNX Runtime; fetch it with `make deps`")
	}
	return lib
}
