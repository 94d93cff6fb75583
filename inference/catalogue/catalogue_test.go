package catalogue

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gadeblik/inference"
)

func TestCatalogueIsRight(t *testing.T) {
	models, err := parse(embedded)
	if err != nil {
		t.Fatal(err)
	}
	pinned := regexp.MustCompile(`^https://raw\.githubusercontent\.com/[^/]+/[^/]+/[0-9a-f]{40}/[^?#]+\.onnx$`)
	for _, m := range models {
		for _, u := range m.URLs {
			if !pinned.MatchString(u) {
				t.Errorf("%s: %s is not pinned to a commit", m.Name, u)
			}
		}
		if m.MirrorOnly != "" && !strings.HasSuffix(m.MirrorOnly, ".") {
			t.Errorf("%s: %q is no sentence", m.Name, m.MirrorOnly)
		}
	}
	for _, want := range []struct {
		name  string
		task  inference.Task
		input [2]int
		label string
	}{
		{"yolox_nano", inference.TaskObjects, [2]int{416, 416}, "person"},
		{"yolox_nano_640x384", inference.TaskObjects, [2]int{640, 384}, "toothbrush"},
		{"yolox_nano_416x256", inference.TaskObjects, [2]int{416, 256}, "car"},
		{"yolox_nano_container", inference.TaskObjects, [2]int{640, 384}, "container"},
		{"lwpd_person", inference.TaskPersons, [2]int{192, 192}, "person"},
		{"yunet_n", inference.TaskFaces, [2]int{640, 384}, "face"},
		{"yunet_n_1280x736", inference.TaskFaces, [2]int{1280, 736}, "face"},
		{"en_PP-OCRv3_det", inference.TaskPlates, [2]int{1280, 736}, "plate"},
	} {
		m, err := Find(want.name)
		if err != nil {
			t.Error(err)
			continue
		}
		if m.Task != want.task || m.Input.Width != want.input[0] || m.Input.Height != want.input[1] || !slices.Contains(m.Labels(), want.label) {
			t.Errorf("%s: task %s at %dx%d, labels %v", m.Name, m.Task, m.Input.Width, m.Input.Height, m.Labels())
		}
	}
}

func TestDefaults(t *testing.T) {
	public := []string{"yolox_nano", "yunet_n", "yunet_n_1280x736", "yunet_s", "en_PP-OCRv3_det", "ch_PP-OCRv3_det"}
	if d := cmp.Diff(public, Defaults("")); d != "" {
		t.Error(d)
	}
	mirror := t.TempDir()
	if d := cmp.Diff(public, Defaults(mirror)); d != "" {
		t.Error(d)
	}
	write(t, filepath.Join(mirror, "yolox_nano_container.onnx"), "head")
	if d := cmp.Diff([]string{"yolox_nano", "yolox_nano_container", "yunet_n", "yunet_n_1280x736", "yunet_s", "en_PP-OCRv3_det", "ch_PP-OCRv3_det"}, Defaults(mirror)); d != "" {
		t.Error(d)
	}
}

func TestFindNamesWhatThereIs(t *testing.T) {
	_, err := Find("yolo")
	if err == nil || !strings.HasPrefix(err.Error(), `model "yolo" is not in the catalogue, which has gadeblik_privacy, gadeblik_street, yolox_nano, yolox_nano_416x256, `) {
		t.Errorf("got %v", err)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	fail := func(name, want string) {
		t.Helper()
		if _, err := Load(dir, name); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	fail("../yunet_n", `model "../yunet_n": must be a name without folders`)
	fail("", `model "": must be a name without folders`)
	fail("yunet_n", "model yunet_n: neither yunet_n.yaml nor yunet_n_dynamic.onnx in "+dir+"; fetch it with `gadeblik models fetch yunet_n`")
	if _, err := Load(dir, "mine"); err == nil || !strings.HasPrefix(err.Error(), "no mine.yaml in "+dir+`, and model "mine" is not in the catalogue`) {
		t.Errorf("got %v", err)
	}

	write(t, filepath.Join(dir, "yunet_n_dynamic.onnx"), "weights")
	m, err := Load(dir, "yunet_n_1280x736")
	if err != nil {
		t.Fatal(err)
	}
	if m.Input.Width != 1280 || m.Path() != filepath.Join(dir, "yunet_n_dynamic.onnx") {
		t.Errorf("width %d, path %s", m.Input.Width, m.Path())
	}
	write(t, filepath.Join(dir, "yunet_n.yaml"), "name: yunet_n\n")
	if _, err := Load(dir, "yunet_n"); err == nil || !strings.HasPrefix(err.Error(), "manifest "+filepath.Join(dir, "yunet_n.yaml")+": file: must be") {
		t.Errorf("a bad manifest was passed over: %v", err)
	}
}

// What is built in is found where the folder has no manifest of that name: also without a folder, and
// beside a file of that name that nothing describes.
func TestLoadOfWhatIsBuiltIn(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, Street+".onnx"), "another street")
	for _, from := range []string{dir, "", filepath.Join(dir, "none")} {
		m, err := Load(from, Street)
		if err != nil {
			t.Fatal(err)
		}
		if !m.BuiltIn() || m.Path() != "" {
			t.Errorf("from %q: path %q, want what is built in", from, m.Path())
		}
	}
	write(t, filepath.Join(dir, Street+".yaml"), "name: other\n")
	if _, err := Load(dir, Street); err == nil || !strings.HasPrefix(err.Error(), "manifest "+filepath.Join(dir, Street+".yaml")+": ") {
		t.Errorf("the folder's manifest was passed over: %v", err)
	}
	fails := func(name, want string) {
		t.Helper()
		if _, err := Load("", name); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	fails("yunet_n", "model yunet_n is not built in; fetch it with `gadeblik models fetch yunet_n`, and name its folder")
	fails("nonsense", `model "nonsense" is not in the catalogue, which has gadeblik_privacy, `)
}

func TestPresent(t *testing.T) {
	dir := t.TempDir()
	own := []string{Privacy, Street}
	for _, empty := range []string{"", dir, filepath.Join(dir, "none")} {
		if d := cmp.Diff(own, Present(empty)); d != "" {
			t.Errorf("%q: %s", empty, d)
		}
	}
	write(t, filepath.Join(dir, "yunet_s_dynamic.onnx"), "weights")
	write(t, filepath.Join(dir, "mine.yaml"), "")
	write(t, filepath.Join(dir, Street+".yaml"), "")
	if d := cmp.Diff(append(own, "yunet_s", "yunet_s_1280x736", "mine"), Present(dir)); d != "" {
		t.Error(d)
	}
}

func TestParseNamesEveryMistake(t *testing.T) {
	_, err := parse([]byte(`files:
  - {file: a.onnx, bytes: 0, urls: ["https://example.org/a.onnx"]}
  - {file: b.onnx, bytes: 1}
  - {file: c.onnx, bytes: 1, urls: ["http://example.org/c.onnx"]}
models:
  - {name: lost, file: d.onnx}
`))
	want := `file a.onnx: bytes: must be its size (got 0)
file b.onnx: must have either urls or mirror_only
file c.onnx: urls: must begin with https:// (got "http://example.org/c.onnx")
model lost: "d.onnx" is not among the files`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	_, err = parse([]byte("modles: []\n"))
	if err == nil || !strings.Contains(err.Error(), "field modles not found") {
		t.Errorf("unknown key: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(embedded)
	f.Fuzz(func(t *testing.T, raw []byte) {
		models, err := parse(raw)
		if err != nil {
			return
		}
		for _, m := range models {
			if err := m.Validate(); err != nil {
				t.Errorf("%s passed: %v", m.Name, err)
			}
		}
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
