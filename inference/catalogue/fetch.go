package catalogue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"gadeblik/inference"
)

// fromProgram is what [Fetched.From] says of a model that is built in.
const fromProgram = "built in"

// FetchOptions say where models come from and go to.
type FetchOptions struct {
	Dir      string         // where to; made if it is not there
	Mirror   string         // folder that is looked into before the network; empty for none
	Progress func(Progress) // called in order, from the goroutine of Fetch; nil for none
	Client   *http.Client   // nil for the default one; time limits and HTTPS are Fetch's own
}

// Progress is how far a file has come.
type Progress struct {
	Model       string
	From        string // mirror path or address
	Done, Total int64  // bytes
}

// Fetched says what Fetch did about a model.
type Fetched struct {
	Name string
	Path string // of the manifest
	From string // mirror path, address or "built in"; empty if the file was there already
}

// Fetch brings models, or [Defaults] if there are no names, to o.Dir: the file, whole and with the
// right hash or not at all, and its manifest as name.yaml. A model that is built in is written out, for
// whoever wants other thresholds. What is there and right is left alone, also
// a manifest in which somebody has changed a threshold. One model's failure does not keep the others
// from coming; the error names each.
func Fetch(ctx context.Context, names []string, o FetchOptions) ([]Fetched, error) {
	return fetch(ctx, Models(), names, o)
}

func fetch(ctx context.Context, known []Model, names []string, o FetchOptions) ([]Fetched, error) {
	if o.Dir == "" {
		return nil, errors.New("fetch models: no folder to put them")
	}
	if len(names) == 0 {
		names = defaults(known, o.Mirror)
	}
	var (
		models []Model
		errs   []error
	)
	for _, name := range names {
		m, err := find(known, name)
		models, errs = append(models, m), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("fetch models: %w", err)
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("fetch models: %w", err)
	}
	var all []Fetched
	for _, m := range models {
		f, err := o.one(ctx, m)
		if err != nil {
			errs = append(errs, fmt.Errorf("fetch model %s: %w", m.Name, err))
			continue
		}
		all = append(all, f)
	}
	return all, errors.Join(errs...)
}

// one brings the file and then the manifest, so that a manifest never stands beside nothing.
func (o FetchOptions) one(ctx context.Context, m Model) (Fetched, error) {
	held := m.Manifest
	m.Manifest = m.In(o.Dir)
	from, err := o.file(ctx, m, held)
	if err != nil {
		return Fetched{}, err
	}
	path, err := o.manifest(m)
	return Fetched{Name: m.Name, Path: path, From: from}, err
}

// file tries what is there, what the program may hold, the mirror, the addresses, in this order.
func (o FetchOptions) file(ctx context.Context, m Model, held inference.Manifest) (from string, err error) {
	if _, err := m.Read(); err == nil {
		return "", nil
	}
	if held.BuiltIn() {
		data, err := held.Read()
		if err != nil {
			return "", err
		}
		return fromProgram, o.take(ctx, m, fromProgram, bytes.NewReader(data))
	}
	var tried attempts
	if o.Mirror != "" {
		path := filepath.Join(o.Mirror, m.File)
		err := o.copy(ctx, m, path)
		if err == nil {
			return path, nil
		}
		tried = append(tried, err)
	}
	for _, url := range m.URLs {
		err := o.download(ctx, m, url)
		if err == nil {
			return url, nil
		}
		tried = append(tried, fmt.Errorf("get %s: %w", url, err))
		if ctx.Err() != nil {
			break
		}
	}
	if len(m.URLs) == 0 {
		tried = append(tried, fmt.Errorf("only a mirror has %s: %s Put it into a folder and name that with --mirror", m.File, m.MirrorOnly))
	}
	return "", tried
}

// manifest writes name.yaml unless a good one for the same file is there.
func (o FetchOptions) manifest(m Model) (path string, err error) {
	path = filepath.Join(o.Dir, m.Name+".yaml")
	have, err := inference.LoadManifest(path)
	if err == nil && have.Name == m.Name && have.File == m.File && have.SHA256 == m.SHA256 {
		return path, nil
	}
	err = install(path, func(w io.Writer) error {
		_, err := io.WriteString(w, "# Written by `gadeblik models fetch`. Thresholds may be changed; fetching again keeps them.\n")
		e := yaml.NewEncoder(w)
		e.SetIndent(2)
		return errors.Join(err, e.Encode(m.Manifest), e.Close())
	})
	if err != nil {
		return "", fmt.Errorf("write manifest: %w", err)
	}
	return path, nil
}

// attempts are the ways that did not lead to a file, told in one line.
type attempts []error

func (a attempts) Error() string {
	var s []string
	for _, err := range a {
		s = append(s, err.Error())
	}
	return strings.Join(s, "; ")
}

func (a attempts) Unwrap() []error { return a }
