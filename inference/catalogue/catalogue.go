// Package catalogue knows models: the project's own, which are part of the program, and public ones:
// where their weights are, under which licence, how they are read. It brings models to a folder, each
// with its manifest beside it.
//
// Nothing in it is trusted because of where it came from: a file counts as a model only if size and
// sha256 are those of the catalogue, whether it lies in a mirror, comes over HTTPS, was there before
// or is built in.
package catalogue

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"gadeblik/inference"
)

//go:embed catalogue.yaml
var embedded []byte

// Model is one entry: a manifest, and where its file can be had. Several models may share a file.
type Model struct {
	inference.Manifest
	Bytes      int64    // exact size of the file
	URLs       []string // pinned HTTPS addresses, tried in order; none for a model that is built in
	MirrorOnly string   // a sentence why there is no address; empty if there is one or none is needed
	Default    bool     // in the set that is fetched when no names are given
}

// source is the catalogue as it is written.
type source struct {
	Words    yaml.Node `yaml:"words"`
	Decoding yaml.Node `yaml:"decoding"`
	Files    []weights `yaml:"files"`
	Models   []entry   `yaml:"models"`
}

type weights struct {
	File       string   `yaml:"file"`
	SHA256     string   `yaml:"sha256"`
	Bytes      int64    `yaml:"bytes"`
	Licence    string   `yaml:"licence"`
	Source     string   `yaml:"source"`
	URLs       []string `yaml:"urls"`
	MirrorOnly string   `yaml:"mirror_only"`
}

type entry struct {
	inference.Manifest `yaml:",inline"`
	Default            bool `yaml:"default"`
}

// Models returns the catalogue: what is built in, then the public models in its own order. The caller
// owns the slice.
func Models() []Model {
	public, err := parse(embedded)
	if err != nil {
		panic(fmt.Sprintf("catalogue: internal error: %v", err))
	}
	return append(own(), public...)
}

// Find returns the model of that name. The error names the models there are.
func Find(name string) (Model, error) {
	return find(Models(), name)
}

func find(models []Model, name string) (Model, error) {
	i := slices.IndexFunc(models, func(m Model) bool { return m.Name == name })
	if i < 0 {
		return Model{}, fmt.Errorf("model %q is not in the catalogue, which has %s", name, strings.Join(names(models), ", "))
	}
	return models[i], nil
}

// Defaults names the models that an agent needs: objects, faces, plates. One that only a mirror has
// is among them if it lies in the folder mirror, which may be empty for none.
func Defaults(mirror string) []string {
	return defaults(Models(), mirror)
}

func defaults(models []Model, mirror string) []string {
	return names(slices.DeleteFunc(slices.Clone(models), func(m Model) bool {
		return !m.Default || (len(m.URLs) == 0 && !present(mirror, m.File))
	}))
}

func present(dir, file string) bool {
	if dir == "" {
		return false
	}
	info, err := os.Stat(filepath.Join(dir, file))
	return err == nil && info.Mode().IsRegular()
}

// Load returns the manifest of a model: that of dir/name.yaml; where there is none, that of the model
// of this name that is built in; where there is none either but the file of a public model lies in
// dir, that of the catalogue. An empty dir is no folder: only what is built in is found.
func Load(dir, name string) (inference.Manifest, error) {
	if name == "" || filepath.Base(name) != name {
		return inference.Manifest{}, fmt.Errorf("model %q: must be a name without folders", name)
	}
	if dir != "" {
		m, err := inference.LoadManifest(filepath.Join(dir, name+".yaml"))
		if err == nil || !errors.Is(err, os.ErrNotExist) {
			return m, err
		}
	}
	// Before all of the catalogue, which takes long to read.
	if m, err := find(own(), name); err == nil {
		return m.Manifest, nil
	}
	known, err := Find(name)
	switch {
	case err != nil && dir == "":
		return inference.Manifest{}, err
	case err != nil:
		return inference.Manifest{}, fmt.Errorf("no %s.yaml in %s, and %w", name, dir, err)
	case dir == "":
		return inference.Manifest{}, fmt.Errorf("model %s is not built in; fetch it with `gadeblik models fetch %s`, and name its folder", name, name)
	case !present(dir, known.File):
		return inference.Manifest{}, fmt.Errorf("model %s: neither %s.yaml nor %s in %s; fetch it with `gadeblik models fetch %s`",
			name, name, known.File, dir, name)
	}
	return known.In(dir), nil
}

// Present names the models that [Load] finds: those that are built in, then those of which dir has
// the file, then others of which dir has a manifest. An empty or missing dir has none.
func Present(dir string) []string {
	var all []string
	for _, m := range Models() {
		if m.BuiltIn() || present(dir, m.File) {
			all = append(all, m.Name)
		}
	}
	if dir == "" {
		return all
	}
	others, err := os.ReadDir(dir)
	if err != nil {
		return all
	}
	for _, e := range others {
		if name, ok := strings.CutSuffix(e.Name(), ".yaml"); ok && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

func names(models []Model) []string {
	var all []string
	for _, m := range models {
		all = append(all, m.Name)
	}
	return all
}

// parse reads and checks a catalogue. It names every mistake.
func parse(raw []byte) ([]Model, error) {
	var src source
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(&src); err != nil {
		return nil, err
	}
	var (
		models []Model
		errs   []error
	)
	for _, w := range src.Files {
		errs = append(errs, w.check())
	}
	for _, e := range src.Models {
		i := slices.IndexFunc(src.Files, func(w weights) bool { return w.File == e.File })
		if i < 0 {
			errs = append(errs, fmt.Errorf("model %s: %q is not among the files", e.Name, e.File))
			continue
		}
		m := src.Files[i].model(e)
		if err := m.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("model %s: %w", m.Name, err))
		}
		if slices.Contains(names(models), m.Name) {
			errs = append(errs, fmt.Errorf("model %s is there twice", m.Name))
		}
		models = append(models, m)
	}
	return models, errors.Join(errs...)
}

// model joins an entry to its file.
func (w weights) model(e entry) Model {
	m := Model{Manifest: e.Manifest, Bytes: w.Bytes, URLs: w.URLs, MirrorOnly: w.MirrorOnly, Default: e.Default}
	m.SHA256, m.Licence, m.Source = w.SHA256, w.Licence, w.Source
	return m
}

func (w weights) check() error {
	if w.Bytes < 1 {
		return fmt.Errorf("file %s: bytes: must be its size (got %d)", w.File, w.Bytes)
	}
	if (len(w.URLs) == 0) != (w.MirrorOnly != "") {
		return fmt.Errorf("file %s: must have either urls or mirror_only", w.File)
	}
	for _, u := range w.URLs {
		if !strings.HasPrefix(u, "https://") {
			return fmt.Errorf("file %s: urls: must begin with https:// (got %q)", w.File, u)
		}
	}
	return nil
}
