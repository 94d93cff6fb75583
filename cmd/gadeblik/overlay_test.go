package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	gobuild "go/build"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Some tests must see a program that breaks its promises: a search that finds nothing
// in what a good program wrote has to find it in what a bad one wrote. The bad program
// is made here and nowhere else, of the same sources with one statement more; the
// compiler reads these from a folder of the test's (go build -overlay). So there is
// no switch, no build tag and no variable by which a program that is shipped could be
// made to do the same.

// fault is a statement that comes first in a function.
type fault struct {
	folder, function string
	// param is the type of the parameter that the statement names with %s, if any.
	param, statement string
	// beside is another file of the package that the statement needs, if any.
	beside string
}

// builtProgram builds gadeblik with the faults, without the race detector, in a folder
// from which every user may run it. The test is skipped where there is no compiler.
func builtProgram(t testing.TB, faults ...fault) string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command here: the test builds the program")
	}
	dir, err := os.MkdirTemp("", "gadeblik-built-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "gadeblik")
	args := []string{"build", "-o", out}
	if len(faults) > 0 {
		args = append(args, "-overlay", overlay(t, dir, faults))
	}
	cmd := exec.Command("go", append(args, "./cmd/gadeblik")...)
	cmd.Dir = repository(t)
	cmd.Env = append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=1")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, said)
	}
	return out
}

// overlay writes the faulty sources and the list of them that the compiler takes.
func overlay(t testing.TB, dir string, faults []fault) string {
	t.Helper()
	replace := map[string]string{}
	for i, f := range faults {
		path, text := f.spoil(t)
		replace[path] = filepath.Join(dir, fmt.Sprintf("fault-%d.go", i))
		write(t, replace[path], text)
		if f.beside != "" {
			beside := filepath.Join(dir, fmt.Sprintf("beside-%d.go", i))
			write(t, beside, f.beside)
			replace[filepath.Join(filepath.Dir(path), "fault_of_a_test_.go")] = beside
		}
	}
	raw, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	write(t, list, string(raw))
	return list
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// spoil finds the function and returns the file it is in, and that file with the
// fault. It leans on nothing but the function's name and the type of its parameter.
func (f fault) spoil(t testing.TB) (path, text string) {
	t.Helper()
	dir := filepath.Join(repository(t), f.folder)
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if ok, err := gobuild.Default.MatchFile(dir, filepath.Base(path)); err != nil || !ok || strings.HasSuffix(path, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := f.in(t, path, string(raw)); ok {
			return path, text
		}
	}
	t.Fatalf("package %s has no function %s with a parameter %s any more: name another in which to put the fault %q", f.folder, f.function, f.param, f.statement)
	return "", ""
}

func (f fault) in(t testing.TB, path, text string) (string, bool) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Name.Name != f.function || fn.Body == nil {
			continue
		}
		name, ok := f.named(fn, text, fset)
		if !ok {
			continue
		}
		statement := strings.ReplaceAll(f.statement, "%s", name)
		at := fset.Position(fn.Body.Lbrace).Offset + 1
		return text[:at] + " " + statement + "; " + text[at:], true
	}
	return "", false
}

// named returns the name of the parameter whose type is wanted.
func (f fault) named(fn *ast.FuncDecl, text string, fset *token.FileSet) (string, bool) {
	for _, field := range fn.Type.Params.List {
		typ := text[fset.Position(field.Type.Pos()).Offset:fset.Position(field.Type.End()).Offset]
		if typ == f.param && len(field.Names) > 0 {
			return field.Names[0].Name, true
		}
	}
	return "", f.param == ""
}
