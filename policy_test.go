// Package gadeblik holds no code: it tests what must be true of the whole
// module, such as which package may import which.
package gadeblik

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mayImport is the design's table of packages: what of ours each may import. A
// package that is not in it must not exist.
var mayImport = map[string][]string{
	"blur":                {"blur/scan", "blur/scan/scantest"},
	"blur/scan":           {"blur/scan/scantest"},
	"blur/scan/scantest":  nil,
	"inference":           nil,
	"inference/onnx":      {"inference"},
	"inference/catalogue": {"inference"},
	"capture":             nil,
	"capture/v4l2":        {"capture"},
	"gps":                 nil,
	"gps/geofence":        {"gps"},
	"uplink":              {"blur", "gps", "gps/geofence"},
	"agent":               {"blur", "inference", "capture", "gps", "gps/geofence", "uplink"},
	"agent/panel":         nil,
	"cmd/gadeblik":        {"*"},
	"cmd/gadeblik/config": nil,
	"cmd/gadeblik/report": {"agent", "uplink", "gps", "gps/geofence", "capture"},
	"packaging/bill":      {"inference/catalogue"},
	"testdata":            nil,
	"testdata/generate":   nil,
	"testdata/campaign":   {"blur", "testdata/program", "uplink"},
	"testdata/soak":       {"testdata/program", "uplink"},
	"testdata/attack":     {"blur", "testdata"},
	"testdata/hil":        {"testdata/hil/guest", "testdata/hil/uvcsim", "testdata/program", "uplink"},
	"testdata/program":    nil,
	"testdata/hil/guest":  nil,
	"testdata/hil/uvcsim": nil,
	"testdata/recall":     {"blur", "inference", "inference/onnx", "inference/catalogue", "agent"},
}

// onlyIn names the one package that may import what reaches the kernel, C or
// somebody else's log.
var onlyIn = map[string][]string{
	"C":                                   {"inference"}, // its innermost loop, measured to pay
	"github.com/yalue/onnxruntime_go":     {"inference/onnx"},
	"github.com/blackjack/webcam":         {"capture/v4l2"},
	"github.com/tarm/serial":              {"gps"},
	"github.com/eclipse/paho.mqtt.golang": {"uplink", "testdata/campaign"},
	"go.etcd.io/bbolt":                    {"uplink"},
	"github.com/spf13/viper":              {"cmd/gadeblik/config"},
	"github.com/spf13/cobra":              {"cmd/gadeblik", "testdata/campaign", "testdata/recall"},
	"github.com/warthog618/go-gpiocdev":   {"agent/panel"},
	"github.com/holoplot/go-evdev":        {"agent/panel", "cmd/gadeblik/config"}, // config knows the keys' names only
	"log/slog":                            {"agent", "agent/panel", "cmd/gadeblik"},
	"log":                                 {},
}

// maxLines is the house's cap on one file; tests may be longer.
const maxLines = 400

type source struct {
	path, pkg string
	test      bool
	file      *ast.File
	text      []byte
}

// sources parses every Go file of the module.
func sources(t *testing.T) (*token.FileSet, []source) {
	t.Helper()
	fset := token.NewFileSet()
	var all []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "build" || d.Name() == "zz") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(fset, path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(filepath.Dir(path))
		all = append(all, source{path, pkg, strings.HasSuffix(path, "_test.go"), f, text})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("found %d Go files; run this test from the module's root", len(all))
	}
	return fset, all
}

func imports(f *ast.File) []string {
	var out []string
	for _, i := range f.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil {
			out = append(out, p)
		}
	}
	return out
}

func TestImportsFollowTheDesign(t *testing.T) {
	_, all := sources(t)
	for _, s := range all {
		allowed, known := mayImport[s.pkg]
		if !known && s.pkg != "." {
			t.Errorf("%s: package %s is not in the design's table of packages", s.path, s.pkg)
			continue
		}
		for _, p := range imports(s.file) {
			ours, is := strings.CutPrefix(p, "gadeblik/")
			if is && !s.test && !slices.Contains(allowed, ours) && !slices.Contains(allowed, "*") {
				t.Errorf("%s: %s must not import %s: data flows one way, imports go one way (it may import %v)", s.path, s.pkg, ours, allowed)
			}
			if users, bound := onlyIn[p]; bound && !s.test && !slices.Contains(users, s.pkg) {
				t.Errorf("%s: only %v may import %s", s.path, users, p)
			}
		}
	}
}

// inMemory are the packages that hold raw pixels: none of them may write a file
// or open a connection (P2). What they make leaves them as a redacted image, and
// package uplink takes nothing else.
var inMemory = []string{"blur", "blur/scan", "inference", "inference/onnx", "capture", "capture/v4l2", "agent", "gps", "gps/geofence"}

// ways out of memory, by package. Reading is no way out.
var waysOut = map[string][]string{
	"os": {"Create", "CreateTemp", "MkdirTemp", "OpenFile", "WriteFile", "Stdout", "Stderr", "Pipe", "StartProcess", "Rename", "CopyFS"},
}

// mustNotImport are packages that exist to write or to speak.
var mustNotImport = []string{"net", "net/http", "os/exec", "log", "log/syslog", "io/ioutil", "gadeblik/capture/v4l2"}

// mayOpen are the files that open a device for reading and writing, because that
// is how devices are opened.
var mayOpen = []string{"gps/port_linux.go", "capture/v4l2"}

func TestRawPixelsHaveNoWayOut(t *testing.T) {
	_, all := sources(t)
	for _, s := range all {
		if s.test || !slices.Contains(inMemory, s.pkg) {
			continue
		}
		for _, p := range imports(s.file) {
			if slices.Contains(mustNotImport, p) {
				t.Errorf("%s: %s holds raw pixels and must not import %s", s.path, s.pkg, p)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			from, ok := sel.X.(*ast.Ident)
			if ok && slices.Contains(waysOut[from.Name], sel.Sel.Name) && !slices.Contains(mayOpen, s.path) && !slices.Contains(mayOpen, s.pkg) {
				t.Errorf("%s: %s.%s: %s holds raw pixels, which never touch a disk", s.path, from.Name, sel.Sel.Name, s.pkg)
			}
			return true
		})
	}
}

// A test may build a program that breaks promises, by an overlay of its sources, to see
// whether another test would notice. Nothing that builds for others may do so, and no
// source may wait for a tag that does.
func TestNothingIsBuiltWithAnOverlay(t *testing.T) {
	files := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "build" || d.Name() == "bin" || d.Name() == ".git" {
				return filepath.SkipDir
			}
			return nil
		}
		builds := d.Name() == "Makefile" || slices.Contains([]string{".mk", ".sh", ".yml", ".yaml", ".service", ".rules", ".toml"}, filepath.Ext(path)) || !strings.Contains(d.Name(), ".")
		if !builds || !d.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		if bytes.Contains(text, []byte("-overlay")) {
			t.Errorf("%s: -overlay is for tests: what is built with it is not what the sources say", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 5 {
		t.Errorf("%d files looked at, want the Makefile and more", files)
	}
	_, all := sources(t)
	for _, s := range all {
		if first, _, _ := bytes.Cut(s.text, []byte("\npackage ")); !s.test && regexp.MustCompile(`(?m)^//go:build .*\b(leak|unredacted|canary)\b`).Match(first) {
			t.Errorf("%s: a tag that switches a promise off could be shipped; use an overlay in the test", s.path)
		}
	}
}

// The outbox and the wire take redacted images only: no exported function of
// package uplink may take a picture in any other form.
func TestUplinkTakesRedactedImagesOnly(t *testing.T) {
	fset, all := sources(t)
	for _, s := range all {
		if s.test || s.pkg != "uplink" {
			continue
		}
		for _, p := range imports(s.file) {
			if p == "gadeblik/capture" || p == "image/jpeg" || p == "image/png" {
				t.Errorf("%s: uplink must not import %s: pictures come to it as *blur.Image", s.path, p)
			}
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !f.Name.IsExported() || !strings.Contains(f.Name.Name, "Evidence") {
				continue
			}
			signature := string(s.text[fset.Position(f.Type.Pos()).Offset:fset.Position(f.Type.End()).Offset])
			if !strings.Contains(signature, "*blur.Image") {
				t.Errorf("%s: %s makes evidence of something that is no *blur.Image", s.path, f.Name.Name)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	_, all := sources(t)
	docs := map[string][]string{}
	for _, s := range all {
		if s.test {
			continue
		}
		docs[s.pkg] = slices.Concat(docs[s.pkg], nil)
		if s.file.Doc != nil && len(strings.TrimSpace(s.file.Doc.Text())) > 0 {
			docs[s.pkg] = append(docs[s.pkg], s.path)
		}
	}
	for pkg, files := range docs {
		if len(files) != 1 {
			t.Errorf("package %s has %d package comments %v, want exactly one", pkg, len(files), files)
		}
	}
}

func TestNoInit(t *testing.T) {
	fset, all := sources(t)
	for _, s := range all {
		if s.test {
			continue
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: init hides work from the reader; call a function", fset.Position(f.Pos()))
			}
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	_, all := sources(t)
	for _, s := range all {
		if n := bytes.Count(s.text, []byte("\n")); !s.test && n > maxLines {
			t.Errorf("%s: %d lines, at most %d: is it one idea?", s.path, n, maxLines)
		}
	}
}

// longest is the house's cap on one function, in lines.
const longest = 60

func TestFunctionsAreShort(t *testing.T) {
	fset, all := sources(t)
	for _, s := range all {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || s.test || f.Body == nil {
				continue
			}
			lines := fset.Position(f.Body.End()).Line - fset.Position(f.Body.Pos()).Line - 1
			if lines > longest {
				t.Errorf("%s: %s has %d lines, at most %d", fset.Position(f.Pos()), f.Name.Name, lines, longest)
			}
		}
	}
}

func TestNoForbiddenFolders(t *testing.T) {
	for _, name := range []string{"internal", "pkg", "utils", "util", "common", "types", "models", "helpers"} {
		if _, err := os.Stat(name); err == nil {
			t.Errorf("folder %s exists; a package owns one noun of the field", name)
		}
	}
}

// Every module that is imported stands in the list of licences, and no other.
func TestLicencesAreListed(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	listed, err := os.ReadFile("docs/licences.md")
	if err != nil {
		t.Fatal(err)
	}
	direct := map[string]bool{}
	for line := range strings.Lines(string(mod)) {
		f := strings.Fields(line)
		if len(f) == 2 && strings.HasPrefix(line, "\t") {
			direct[f[0]] = true
			if !bytes.Contains(listed, []byte("| "+f[0]+" |")) {
				t.Errorf("docs/licences.md does not list %s", f[0])
			}
		}
	}
	for line := range strings.Lines(string(listed)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "|" && strings.Contains(f[1], ".") && !direct[f[1]] {
			t.Errorf("docs/licences.md lists %s, which go.mod does not require", f[1])
		}
	}
}

// docs/promises.md names tests; a renamed test must not leave it lying.
func TestPromisesNameRealTests(t *testing.T) {
	text, err := os.ReadFile("docs/promises.md")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	_, all := sources(t)
	for _, s := range all {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test {
				have[f.Name.Name] = true
			}
		}
	}
	named := regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllSubmatch(text, -1)
	if len(named) < 10 {
		t.Fatalf("found %d names of tests", len(named))
	}
	for _, m := range named {
		if !have[string(m[1])] {
			t.Errorf("docs/promises.md names %s, which is no test", m[1])
		}
	}
}
