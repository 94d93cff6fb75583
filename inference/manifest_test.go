package inference

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"
)

const plateYAML = `name: plates
file: plates.onnx
sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
task: plates
licence: Apache-2.0
source: https://example.org/plates
input: {name: x, width: 1280, height: 736, colour: rgb, mean: [1, 2, 3], std: [4, 5, 6], pad: 0}
decoder: text
output: map
classes: [plate]
score: 0.4
nms: 0.5
text: {threshold: 0.3, min_pixels: 6, unclip: 1.1}
shape: {min_ratio: 1.3, max_ratio: 8, max_height: 0.16, min_centre: 0.28}
grow: 0.12
`

func plateManifest() Manifest {
	return Manifest{
		Name: "plates", File: "plates.onnx", SHA256: anyHash, Task: TaskPlates, Licence: "Apache-2.0", Source: "https://example.org/plates",
		Input:   Input{"x", 1280, 736, "rgb", [3]float64{1, 2, 3}, [3]float64{4, 5, 6}, 0},
		Decoder: DecoderText, Output: "map", Classes: []string{"plate"}, Score: 0.4, NMS: 0.5,
		Text: Text{0.3, 6, 1.1}, Shape: Shape{1.3, 8, 0.16, 0.28}, Grow: 0.12,
	}
}

func TestLoadManifest(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "plates.yaml")
	if err := os.WriteFile(path, []byte(plateYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := LoadManifest(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(plateManifest(), m, cmpopts.IgnoreUnexported(Manifest{})); d != "" {
		t.Error(d)
	}
	if got, want := m.Path(), filepath.Join(dir, "plates.onnx"); got != want {
		t.Errorf("path: got %s, want %s", got, want)
	}
	written, err := yaml.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseManifest(written)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(m, again, cmpopts.IgnoreUnexported(Manifest{})); d != "" {
		t.Errorf("written and read again: %s", d)
	}
}

func TestManifestMistakes(t *testing.T) {
	edit := func(old, replacement string) string {
		if !strings.Contains(plateYAML, old) {
			t.Fatalf("%q is not in the manifest", old)
		}
		return strings.Replace(plateYAML, old, replacement, 1)
	}
	long := strings.Repeat("#", maxManifestBytes+1)
	for _, c := range []struct{ name, yaml, want string }{
		{"empty", "", "empty"},
		{"too long", long, "larger than 65536 bytes"},
		{"not YAML", "\t{", "yaml: found character that cannot start any token"},
		{"unknown key", edit("grow:", "gorw:"), "yaml: unmarshal errors:\n  line 15: field gorw not found in type inference.Manifest"},
		{"key of an embedding", edit("grow:", "embedding: 512\ngrow:"), "yaml: unmarshal errors:\n  line 15: field embedding not found in type inference.Manifest"},
		{"wrong type", edit("score: 0.4", "score: high"), "yaml: unmarshal errors:\n  line 11: cannot unmarshal !!str `high` into float64"},
		{"key twice", plateYAML + "grow: 0.1\n", "yaml: unmarshal errors:\n  line 16: mapping key \"grow\" already defined at line 15"},
		{"two documents", plateYAML + "---\n" + plateYAML, "more than one YAML document; give each model its own file"},
		{"mean of two", edit("[1, 2, 3]", "[1, 2]"), "yaml: invalid array: want 3 elements but got 2"},
		{"face recognition", edit("task: plates", "task: embedding"),
			`task: must be objects, persons, faces or plates (got "embedding"); a model that tells people apart cannot be used`},
		{"not a number", edit("score: 0.4", "score: .nan"), "score: must be between 0 and 1 (got NaN)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseManifest([]byte(c.yaml))
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestValidateNamesEveryMistake(t *testing.T) {
	m := Manifest{
		Name: "../plates", File: "up/plates.onnx", SHA256: "ABC", Task: "who", Licence: " ", Source: "two\nlines",
		Input:   Input{"", 100, 4096, "cmyk", [3]float64{0, math.NaN(), 5000}, [3]float64{1, 0, math.Inf(1)}, 256},
		Decoder: "guess", Output: "map", Classes: []string{"plate", "Plate", "plate"}, Score: 1, NMS: 0,
		Heads: []Head{{Output: "map", Classes: nil}}, Text: Text{MinPixels: 1},
		Shape: Shape{MinRatio: 2, MaxRatio: 1, MaxHeight: -1, MinCentre: 1}, Grow: -0.1,
	}
	want := []string{
		`name: must be up to 64 letters, digits, dots, dashes and underscores (got "../plates")`,
		`file: must be the name of an .onnx file without folders (got "up/plates.onnx")`,
		`sha256: must be 64 lower-case hexadecimal digits (got "ABC")`,
		`task: must be objects, persons, faces or plates (got "who"); a model that tells people apart cannot be used`,
		`licence: must say under which licence the weights are (got " ")`,
		`source: must say where the weights come from (got "two\nlines")`,
		`input.name: must name the model's input (got "")`,
		`input.width: must be a multiple of 32 from 32 to 2048 (got 100)`,
		`input.height: must be a multiple of 32 from 32 to 2048 (got 4096)`,
		`input.colour: must be bgr or rgb (got "cmyk")`,
		`input.mean[1]: must be between -1000 and 1000 (got NaN)`,
		`input.mean[2]: must be between -1000 and 1000 (got 5000)`,
		`input.std[1]: must be between 0.001 and 1000 (got 0)`,
		`input.std[2]: must be between 0.001 and 1000 (got +Inf)`,
		`input.pad: must be between 0 and 255 (got 256)`,
		`decoder: must be yolox, yunet, ultraface or text (got "guess")`,
		`classes: must be up to 40 lower-case letters, digits, spaces and dashes each (got "Plate")`,
		`classes: "plate" is there twice`,
		`heads: must be left out unless the decoder is yolox`,
		`heads[0].output: "map" is there twice`,
		`heads[0].classes: must be at least one label`,
		`score: must be between 0 and 1 (got 1)`,
		`nms: must be above 0 and at most 1 (got 0)`,
		`text: must be left out unless the decoder is text`,
		`shape.max_ratio: must be between min_ratio and 100 (got 1)`,
		`shape.max_height: must be between 0 and 1 (got -1)`,
		`shape.min_centre: must be at least 0 and below 1 (got 1)`,
		`grow: must be between 0 and 1 (got -0.1)`,
	}
	if d := cmp.Diff(want, strings.Split(m.Validate().Error(), "\n")); d != "" {
		t.Error(d)
	}
}

func TestValidateOfDecoders(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*Manifest)
		want  string
	}{
		{"good", func(*Manifest) {}, ""},
		{"text parameters", func(m *Manifest) { m.Text = Text{Threshold: 1, Unclip: 11} },
			"text.threshold: must be between 0 and 1 (got 1)\ntext.min_pixels: must be from 1 to 10000 (got 0)\ntext.unclip: must be between 0 and 10 (got 11)"},
		{"scores", func(m *Manifest) { m.Scores = map[string]float64{"sign": 0.2, "plate": 1} },
			"scores: plate must be between 0 and 1 (got 1)\nscores: \"sign\" is not among the classes"},
		{"no output", func(m *Manifest) { m.Output = "" }, `output: must name the model's output (got "")`},
		{"output of yunet", func(m *Manifest) { *m = yunetManifest(); m.Output = "cls" },
			`output: must be left out, the outputs of yunet have fixed names (got "cls")`},
		{"output of ultraface", func(m *Manifest) { *m = ultrafaceManifest(); m.Output = "scores" },
			`output: must be left out, the outputs of ultraface have fixed names (got "scores")`},
		{"kinds", func(m *Manifest) { *m = ultrafaceManifest(); m.Kinds = 0 }, "kinds: must be 1 to 16 for the decoder ultraface (got 0)"},
		{"kinds of others", func(m *Manifest) { m.Kinds = 1 }, "kinds: must be left out unless the decoder is ultraface (got 1)"},
		{"label that redaction does not know", func(m *Manifest) { m.Classes = []string{"number plate"} },
			"classes: must be [plate] for the task plates (got [number plate])"},
		{"too many for the decoder", func(m *Manifest) { m.Task = TaskObjects; m.Classes = []string{"a", "b"} },
			"classes: must be one label for the decoder text (got 2)"},
		{"none", func(m *Manifest) { m.Task = TaskObjects; m.Classes = nil },
			"classes: must be 1 to 256 labels with those of the heads (got 0)\nclasses: must be one label for the decoder text (got 0)"},
		{"very many", func(m *Manifest) { m.Classes = make([]string, 300) }, "classes: must be 1 to 256 labels with those of the heads (got 300)"},
		{"head without output", func(m *Manifest) { *m = yoloxManifest(); m.Heads = []Head{{Classes: []string{"bin"}}} },
			`heads[0].output: must name an output of the model (got "")`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := plateManifest()
			c.spoil(&m)
			got := ""
			if err := m.Validate(); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestReadChecksTheHash(t *testing.T) {
	dir := t.TempDir()
	m := plateManifest().In(dir)
	path := filepath.Join(dir, "plates.onnx")
	read := func(want string) []byte {
		t.Helper()
		data, err := m.Read()
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		return data
	}
	read(fmt.Sprintf("model plates: open %s: no such file or directory; fetch it with `gadeblik models fetch`", path))
	if err := os.WriteFile(path, []byte("weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	if data := read("model plates.onnx: sha256 9a129038d9a0…, manifest says 0123456789ab…; fetch it again with `gadeblik models fetch`"); data != nil {
		t.Error("the bytes of a wrong file were given out")
	}
	sum := sha256.Sum256([]byte("weights"))
	m.SHA256 = hex.EncodeToString(sum[:])
	if data := read(""); string(data) != "weights" {
		t.Errorf("got %q", data)
	}
	if err := os.Truncate(path, maxModelBytes+1); err != nil {
		t.Fatal(err)
	}
	read(fmt.Sprintf("model plates: %s is not a file of at most 256 MiB", path))
}

func TestWithScoreLeavesTheOriginal(t *testing.T) {
	first := plateManifest().WithScore("plate", 0.3)
	second := first.WithScore("plate", 0.2)
	if got := [2]float64{first.Scores["plate"], second.Scores["plate"]}; got != [2]float64{0.3, 0.2} {
		t.Errorf("scores %v, want the first as it was", got)
	}
}

func TestReadOfWhatIsBuiltIn(t *testing.T) {
	sum := sha256.Sum256([]byte("weights"))
	m := plateManifest()
	m.SHA256 = hex.EncodeToString(sum[:])
	if m.BuiltIn() {
		t.Error("a manifest is built in by itself")
	}
	m = m.In(t.TempDir()).Within(fstest.MapFS{"plates.onnx": {Data: []byte("weights")}})
	if data, err := m.Read(); string(data) != "weights" || err != nil || m.Path() != "" || !m.BuiltIn() {
		t.Errorf("got %q, %v; path %q", data, err, m.Path())
	}
	for want, files := range map[string]fstest.MapFS{
		"model plates.onnx: sha256 41f0c27c00e8…, manifest says 9a129038d9a0…; build the program again, from a clean checkout": {"plates.onnx": {Data: []byte("damaged")}},
		"model plates: open plates.onnx: file does not exist":                                                                  {},
		"model plates: plates.onnx is not a file of at most 256 MiB":                                                           {"plates.onnx": {Mode: fs.ModeDir}},
	} {
		if data, err := m.Within(files).Read(); data != nil || err == nil || err.Error() != want {
			t.Errorf("got  %q, %v\nwant %s", data, err, want)
		}
	}
	dir := t.TempDir()
	if got := m.In(dir); got.BuiltIn() || got.Path() != filepath.Join(dir, "plates.onnx") {
		t.Errorf("put into a folder: path %q", got.Path())
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(plateYAML))
	f.Add([]byte(plateYAML + "scores: {plate: 0.2}\n"))
	f.Add([]byte("name: &a [*a]\n"))
	f.Add([]byte("input: {<<: {width: 32}, mean: [.inf, -.inf, .nan]}\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := ParseManifest(raw)
		if err != nil {
			return
		}
		// What passes can be used: tensors of a sane size, a detector on them, and a file to write it to.
		in, out := m.Tensors()
		if n := in.Len(); n < 3*32*32 || n > 3*maxSide*maxSide {
			t.Errorf("input of %d values", n)
		}
		for _, o := range out {
			if o.Len() < 1 || o.Len() > 100<<20 {
				t.Errorf("output %s of %d values", o.Name, o.Len())
			}
		}
		written, err := yaml.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseManifest(written)
		if err != nil {
			t.Fatalf("%v in\n%s", err, written)
		}
		if d := cmp.Diff(m, again, cmpopts.IgnoreUnexported(Manifest{}), cmpopts.EquateEmpty()); d != "" {
			t.Error(d)
		}
	})
}
