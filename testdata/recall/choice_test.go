package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gadeblik/blur"
	"gadeblik/cmd/gadeblik/config"
	"gadeblik/inference"
)

// program is what the program itself makes of a configuration.
func program(t *testing.T, path string) choice {
	t.Helper()
	c, err := config.Load(config.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	of := func(all []config.Redact) []redactModel {
		var out []redactModel
		for _, r := range all {
			out = append(out, redactModel{blur.Class(r.Class), r.Model, r.MinScore})
		}
		return out
	}
	return choice{of(c.Models.Redact), of(c.Models.SecondLook)}
}

func TestWhatIsBuiltInIsTheDefault(t *testing.T) {
	if d := gocmp.Diff(program(t, ""), byItself(), gocmp.AllowUnexported(choice{})); d != "" {
		t.Errorf("without a configuration (-program +here):\n%s", d)
	}
}

func TestConfiguredAsTheProgramReadsIt(t *testing.T) {
	const redact = "models:\n  redact:\n    - {class: person, model: p}\n    - {class: face, model: gadeblik_privacy, min_score: 0.3}\n    - {class: plate, model: q}\n"
	paths := []string{filepath.Join("..", "..", "configs", "gadeblik.yaml")}
	for i, text := range []string{
		redact,
		redact + "  second_look: []\n",
		redact + "  second_look: [{class: face, model: f}]\n",
		"models: {redact: [{class: person, model: gadeblik_street}, {class: face, model: f}, {class: plate, model: gadeblik_privacy}]}\n",
	} {
		path := filepath.Join(t.TempDir(), strconv.Itoa(i)+".yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	for _, path := range paths {
		got, err := configured(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := gocmp.Diff(program(t, path), got, gocmp.AllowUnexported(choice{}), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s (-program +here):\n%s", path, d)
		}
	}
}

// What the program prefers of a folder stands in package main, which nothing can
// import: its text is read.
func TestLargestIsWhatTheProgramPrefers(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "cmd", "gadeblik", "eyes.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	first, second := preferences(t, file)
	got := choice{largest().redact[len(privacy()):], largest().second}
	if names := models(got.redact); !slices.Equal(names, first) {
		t.Errorf("it looks first with %v, and the program prefers %v", names, first)
	}
	if names := models(got.second); !slices.Equal(names, second) {
		t.Errorf("it looks again with %v, and the program prefers %v", names, second)
	}
	for _, c := range []choice{largest(), byItself()} {
		for _, r := range c.second {
			if r.Model == "gadeblik_street" && r.MinScore != program(t, "").second[0].MinScore {
				t.Errorf("%v looks from %v, and the program from %v", r.Model, r.MinScore, program(t, "").second[0].MinScore)
			}
		}
	}
}

func models(of []redactModel) []string {
	var names []string
	for _, r := range of {
		names = append(names, r.Model)
	}
	return names
}

// preferences returns the best model for each class, and the best to look again, from
// the table named preferred: rows {class, first, second}, each a list, best first.
func preferences(t *testing.T, file *ast.File) (first, second []string) {
	t.Helper()
	best := func(e ast.Expr) string {
		head := e.(*ast.CompositeLit).Elts[0]
		if l, ok := head.(*ast.BasicLit); ok {
			name, _ := strconv.Unquote(l.Value)
			return name
		}
		return map[string]string{"Street": "gadeblik_street", "Privacy": "gadeblik_privacy"}[head.(*ast.SelectorExpr).Sel.Name]
	}
	ast.Inspect(file, func(n ast.Node) bool {
		kv, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		if key, ok := kv.Key.(*ast.Ident); !ok || key.Name != "removed" {
			return true
		}
		for _, row := range kv.Value.(*ast.CompositeLit).Elts {
			cells := row.(*ast.CompositeLit).Elts
			first, second = append(first, best(cells[1])), append(second, best(cells[2]))
		}
		return false
	})
	if len(first) != len(classes()) {
		t.Fatalf("eyes.go prefers %v, want a model for each of %v", first, classes())
	}
	return first, second
}

func TestLowered(t *testing.T) {
	m := inference.Manifest{Name: "a", Classes: []string{"face", "person", "cyclist"}, Score: 0.4}
	c := choice{
		[]redactModel{{blur.Face, "a", 0.2}, {blur.Face, "b", 0.1}, {blur.Plate, "a", 0.1}},
		[]redactModel{{blur.Person, "a", 0.3}},
	}
	for label, want := range map[string]float64{"face": 0.2, "person": 0.3, "cyclist": 0.3} {
		if got := c.lowered(m).ScoreOf(label); got != want {
			t.Errorf("%s asked from %v, want %v", label, got, want)
		}
	}
	if got := (choice{redact: []redactModel{{blur.Face, "a", 0.7}}}).lowered(m).ScoreOf("face"); got != 0.4 {
		t.Errorf("asked from %v, want the manifest's 0.4", got)
	}
}

func TestRoleOfWeights(t *testing.T) {
	c := choice{
		[]redactModel{{blur.Face, "yunet_n_1280x736", 0}, {blur.Person, "own", 0}},
		[]redactModel{{blur.Face, "yunet_s", 0}, {blur.Plate, "own", 0}},
	}
	for weights, want := range map[string]string{"yunet_n": "first look", "yunet_s": "second look", "own": "first look", "yunet": "first look", "yolox": ""} {
		if got := c.role(weights); got != want {
			t.Errorf("%s is the %q, want %q", weights, got, want)
		}
	}
}

// Names that begin as the weights do stand for the same ones, and no witness may hide
// behind another name: each is under its own.
func TestWitnessesAreNamedForTheirWeights(t *testing.T) {
	for _, w := range witnesses() {
		c := choice{redact: []redactModel{{blur.Class(w.class), w.model, 0}}}
		if c.role(w.weights) == "" {
			t.Errorf("%s is not known by the weights %s", w.model, w.weights)
		}
	}
}

// What the document says of the witnesses is not measured: it must follow the code at once.
func TestTheDocumentSaysWhoWitnesses(t *testing.T) {
	all, err := methods("../../configs/gadeblik.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/redaction.md")
	if err != nil {
		t.Fatal(err)
	}
	rep := report{ways: all}
	for _, m := range all {
		rep.Methods = append(rep.Methods, described{m.name, m.with})
	}
	var want strings.Builder
	rep.writeWitnesses(&want)
	rep.writeMethods(&want)
	for line := range strings.Lines(want.String()) {
		if !bytes.Contains(doc, []byte(line)) {
			t.Errorf("docs/redaction.md lacks %q; run `make recall`", line)
		}
	}
}
