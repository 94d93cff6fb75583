// Package onnx runs models on ONNX Runtime. It is the only place that loads that library, and the
// only one here that needs cgo: built without it, [Open] says so and everything else compiles.
//
// # Caveats
//
// ONNX Runtime lives once in a process and is never unloaded: tensors that outlive it crash. It can
// also abort the whole process over a damaged model, beyond any recover; hence [Runtime.Load] takes
// bytes, checks their hash first, and never opens a file.
package onnx

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Variable is the environment variable that names the library, or the folder it lies in.
const Variable = "GADEBLIK_ONNXRUNTIME"

// Find returns the path of the ONNX Runtime library. A path given here, or else by the environment,
// is taken or refused, never replaced by another. Otherwise it is looked for beside the program
// (../lib/gadeblik), in build/onnxruntime of the checkout that the program or the working folder
// lies in, in /usr/lib/gadeblik and where systems keep libraries. The error lists where it looked.
func Find(path string) (string, error) {
	if path != "" {
		return given("--onnxruntime", path)
	}
	if env := os.Getenv(Variable); env != "" {
		return given(Variable, env)
	}
	places := searched()
	for _, dir := range places {
		if lib, ok := libraryIn(dir); ok {
			return lib, nil
		}
	}
	return "", fmt.Errorf("find onnxruntime: no libonnxruntime.so in %s; install the gadeblik package, run `make deps` in a checkout, or name it with --onnxruntime or %s",
		strings.Join(places, ", "), Variable)
}

// given takes a file as it is and looks into a folder.
func given(by, path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find onnxruntime: %s: %w", by, err)
	}
	info, err := os.Stat(abs)
	if err != nil {
		return "", fmt.Errorf("find onnxruntime: %s: %w; correct the path, install the gadeblik package, or run `make deps` in a checkout", by, err)
	}
	if !info.IsDir() {
		return abs, nil
	}
	if lib, ok := libraryIn(abs); ok {
		return lib, nil
	}
	return "", fmt.Errorf("find onnxruntime: %s: no libonnxruntime.so in %s; correct the path, install the gadeblik package, or run `make deps` in a checkout", by, abs)
}

// searched lists the folders to look in, the nearest first.
func searched() []string {
	var dirs []string
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		dirs = append(dirs, filepath.Join(filepath.Dir(exe), "..", "lib", "gadeblik"))
		dirs = append(dirs, built(filepath.Dir(exe))...)
	}
	if dir, err := os.Getwd(); err == nil {
		for _, d := range built(dir) {
			if !slices.Contains(dirs, d) {
				dirs = append(dirs, d)
			}
		}
	}
	triplet := map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[runtime.GOARCH]
	return append(dirs, "/usr/lib/gadeblik", "/usr/local/lib", filepath.Join("/usr/lib", triplet), "/usr/lib64", "/opt/onnxruntime")
}

// built is where `make deps` puts the library, if dir lies in a checkout of this project. Any other
// folder on the way up is nobody's to load a library from.
func built(dir string) []string {
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(mod, []byte("module gadeblik\n")) {
			return []string{filepath.Join(dir, "build", "onnxruntime")}
		}
		up := filepath.Dir(dir)
		if err == nil || up == dir {
			return nil
		}
		dir = up
	}
}

// libraryIn finds the library in a folder laid out by hand, by a release archive or by a package.
func libraryIn(dir string) (string, bool) {
	for _, sub := range []string{"", "lib"} {
		for _, name := range []string{"libonnxruntime.so.1", "libonnxruntime.so"} {
			p := filepath.Join(dir, sub, name)
			if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() {
				return p, true
			}
		}
	}
	return "", false
}
