// Package catalogue knows public models: where their weights are, under which licence, how they are
// read, and it brings them to a folder, each with its manifest beside it.
//
// Nothing in it is trusted because of where it came from: a file counts as a model only if size and
// sha256 are those of the catalogue, whether it lies in a mirror, comes over HTTPS or was there before.
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
	URLs       []string // pinned HTTPS addresses, tried in order
	MirrorOnly string   // a sentence why there is no address; empty if there is one
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

// Models returns the catalogue in its own order. The caller owns the slice.
func Models() []Model {
	models, err := parse(embedded)
	if err != nil {
		panic(fmt.Sprintf("catalogue: internal error: %v", err))
	}
	return models
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

// Load returns the manifest of a model in dir: that of dir/name.yaml, or, where there is only the
// model's file, that of the catalogue.
func Load(dir, name string) (inference.Manifest, error) {
	if name == "" || filepath.Base(name) != name {
		return inference.Manifest{}, fmt.Errorf("model %q: must be a name without folders", name)
	}
	m, err := inference.LoadManifest(filepath.Join(dir, name+".yaml"))
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return m, err
	}
	known, err := Find(name)
	if err != nil {
		return inference.Manifest{}, fmt.Errorf("no %s.yaml in %s, and %w", name, dir, err)
	}
	if !present(dir, known.File) {
		return inference.Manifest{}, fmt.Errorf("model %s: neither %s.yaml nor %s in %s; fetch it with `gadeblik models fetch %s`",
			name, name, known.File, dir, name)
	}
	return known.In(dir), nil
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
