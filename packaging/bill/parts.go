package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"gadeblik/inference/catalogue"
)

// part is one thing that the package holds.
type part struct {
	kind    string // as CycloneDX has it: library or machine-learning-model
	name    string
	version string
	purl    string
	sha256  string // of the file; "" for what is linked into the program
	sum     string // of a module, as go.sum has it
	source  string // address
	licence licence
	notice  string // what has to be passed on, verbatim
}

// parts lists all: the modules that are linked in, Go's own library, ONNX Runtime
// and the models, in this order.
func (o options) parts() ([]part, error) {
	info, err := buildinfo.ReadFile(o.binary)
	if err != nil {
		return nil, fmt.Errorf("read build information of %s: %w", o.binary, err)
	}
	for _, s := range info.Settings {
		if s.Key == "GOARCH" && s.Value != o.arch {
			return nil, fmt.Errorf("%s is built for %s, want %s", o.binary, s.Value, o.arch)
		}
	}
	all, err := moduleParts(info)
	if err != nil {
		return nil, err
	}
	std, err := standardLibrary(info.GoVersion)
	if err != nil {
		return nil, err
	}
	rt, err := o.runtimePart()
	if err != nil {
		return nil, err
	}
	models, err := modelParts()
	return slices.Concat(all, []part{std, rt}, models), err
}

func moduleParts(info *debug.BuildInfo) ([]part, error) {
	args := []string{"list", "-m", "-f", "{{.Path}}\t{{.Dir}}"}
	for _, d := range info.Deps {
		if d.Replace != nil {
			return nil, fmt.Errorf("module %s is replaced by %s: say so in packaging/bill first", d.Path, d.Replace.Path)
		}
		args = append(args, d.Path)
	}
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("find the modules' folders: go list: %w%s", err, stderrOf(err))
	}
	dirs := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
		dirs[path] = dir
	}
	var all []part
	var errs []error
	for _, d := range info.Deps {
		p := part{
			kind: "library", name: d.Path, version: d.Version, sum: d.Sum,
			purl: "pkg:golang/" + d.Path + "@" + d.Version, source: "https://pkg.go.dev/" + d.Path + "@" + d.Version,
		}
		p.licence, p.notice, err = readLicences(dirs[d.Path])
		if err != nil {
			errs = append(errs, fmt.Errorf("module %s: %w", d.Path, err))
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b part) int { return cmp.Compare(a.name, b.name) })
	return all, errors.Join(errs...)
}

func stderrOf(err error) string {
	var e *exec.ExitError
	if errors.As(err, &e) {
		return ": " + string(bytes.TrimSpace(e.Stderr))
	}
	return ""
}

func standardLibrary(version string) (part, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return part{}, fmt.Errorf("find GOROOT: %w%s", err, stderrOf(err))
	}
	p := part{
		kind: "library", name: "Go standard library", version: strings.TrimPrefix(version, "go"),
		purl: "pkg:golang/stdlib@" + strings.TrimPrefix(version, "go"), source: "https://go.dev/dl/",
	}
	p.licence, p.notice, err = readLicences(strings.TrimSpace(string(out)))
	return p, err
}

// runtimePart says what ONNX Runtime is. Its npm package brings the library without
// the text of its licence, which is MIT's.
func (o options) runtimePart() (part, error) {
	sum, err := fileSum(o.runtime)
	return part{
		kind: "library", name: "ONNX Runtime", version: o.runtimeVersion,
		purl: "pkg:npm/onnxruntime-node@" + o.runtimeVersion, sha256: sum,
		source:  "https://github.com/microsoft/onnxruntime",
		licence: licence{ids: []string{"MIT"}, text: mit, holders: []string{"Microsoft Corporation"}},
	}, err
}

func fileSum(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}

// modelParts lists the models that are built in. They are ours.
func modelParts() ([]part, error) {
	var all []part
	for _, m := range catalogue.Models() {
		if !m.BuiltIn() {
			continue
		}
		if m.Licence != "Apache-2.0" {
			return nil, fmt.Errorf("model %s: licence %s: say in packaging/bill whose it is", m.Name, m.Licence)
		}
		all = append(all, part{
			kind: "machine-learning-model", name: m.Name, version: m.SHA256[:12], sha256: m.SHA256,
			licence: licence{ids: []string{m.Licence}, holders: []string{ourselves}},
		})
	}
	if len(all) == 0 {
		return nil, errors.New("the catalogue has no model that is built in")
	}
	return all, nil
}

// ourselves holds the copyright of what is not somebody else's.
const ourselves = "The authors of Gadeblik"

// readLicences reads the licence and the notice of a module's folder.
func readLicences(dir string) (licence, string, error) {
	if dir == "" {
		return licence{}, "", errors.New("its folder is not known; run `go mod download`")
	}
	// Of two licences to choose from, the Eclipse Distribution License is the one taken.
	for _, name := range []string{"edl-v10", "LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return licence{}, "", err
		}
		l, err := classify(string(raw))
		if err != nil {
			return licence{}, "", fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
		}
		notice, err := readNotice(dir)
		return l, notice, err
	}
	return licence{}, "", fmt.Errorf("no licence in %s", dir)
}

// readNotice reads what the authors want passed on, if they want that.
func readNotice(dir string) (string, error) {
	for _, name := range []string{"NOTICE", "NOTICE.txt", "NOTICE.md"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			return strings.TrimSpace(string(raw)), nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	return "", nil
}
