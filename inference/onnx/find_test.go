package onnx

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// place writes an empty file and returns its path.
func place(t *testing.T, elem ...string) string {
	t.Helper()
	path := filepath.Join(elem...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// workIn makes a new folder the working one, with the symbolic links of its path resolved.
func workIn(t *testing.T, elem ...string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	deep := filepath.Join(append([]string{dir}, elem...)...)
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(deep)
	return dir
}

func TestFind(t *testing.T) {
	dir := workIn(t, "some", "package")
	built := place(t, dir, "build", "onnxruntime", "libonnxruntime.so.1")
	module(t, dir, "gadeblik")
	plain := place(t, dir, "plain", "libonnxruntime.so")
	nested := place(t, dir, "release", "lib", "libonnxruntime.so.1")
	odd := place(t, dir, "my-own.so")
	empty := filepath.Join(dir, "some")
	missing := filepath.Join(dir, "missing.so")
	for _, c := range []struct{ name, flag, env, want, err string }{
		{name: "build folder of the checkout", want: built},
		{name: "file in the environment", env: odd, want: odd},
		{name: "folder in the environment", env: filepath.Dir(plain), want: plain},
		{name: "flag before the environment", flag: odd, env: plain, want: odd},
		{name: "folder of a release", flag: filepath.Join(dir, "release"), want: nested},
		{name: "relative", flag: filepath.Join("..", "..", "my-own.so"), want: odd},
		{name: "missing flag is not replaced", flag: missing,
			err: "find onnxruntime: --onnxruntime: stat " + missing + ": no such file or directory; correct the path, install the gadeblik package, or run `make deps` in a checkout"},
		{name: "missing environment is not replaced", env: missing,
			err: "find onnxruntime: GADEBLIK_ONNXRUNTIME: stat " + missing + ": no such file or directory; correct the path, install the gadeblik package, or run `make deps` in a checkout"},
		{name: "empty folder", flag: empty,
			err: "find onnxruntime: --onnxruntime: no libonnxruntime.so in " + empty + "; correct the path, install the gadeblik package, or run `make deps` in a checkout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(Variable, c.env)
			got, err := Find(c.flag)
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if text := message(err); text != c.err {
				t.Errorf("got  %s\nwant %s", text, c.err)
			}
		})
	}
}

// module makes dir the root of a module.
func module(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module "+name+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A library that anybody may have put into a folder above is not loaded.
func TestFindKeepsToTheCheckout(t *testing.T) {
	dir := workIn(t, "other", "package")
	place(t, dir, "build", "onnxruntime", "libonnxruntime.so.1")
	t.Setenv(Variable, "")
	for _, m := range []string{"", "other"} {
		if m != "" {
			module(t, dir, m)
		}
		if lib, err := Find(""); err == nil && strings.HasPrefix(lib, dir) {
			t.Errorf("module %q: took %s", m, lib)
		}
	}
}

func TestFindSaysWhereItLooked(t *testing.T) {
	dir := workIn(t)
	module(t, dir, "gadeblik")
	t.Setenv(Variable, "")
	lib, err := Find("")
	if err == nil {
		t.Skipf("this system has %s", lib)
	}
	for _, part := range []string{
		filepath.Join(dir, "build", "onnxruntime"), "/usr/lib/gadeblik", "make deps", "--onnxruntime", Variable,
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in: %v", part, err)
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
