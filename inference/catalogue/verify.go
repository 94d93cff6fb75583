package catalogue

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"gadeblik/inference"
)

// Verify checks what is built in, then every manifest in dir and the file it names; an empty dir is no
// folder. It returns the manifests with which everything is right, those of dir in order of their file
// names, and an error that names the others.
func Verify(dir string) ([]inference.Manifest, error) {
	var v verified
	for _, m := range own() {
		v.read(m.Manifest)
	}
	if dir != "" {
		v.folder(dir)
	}
	return v.good, errors.Join(v.errs...)
}

// verified gathers what was checked.
type verified struct {
	good []inference.Manifest
	errs []error
}

func (v *verified) read(m inference.Manifest) {
	if _, err := m.Read(); err != nil {
		v.errs = append(v.errs, err)
		return
	}
	v.good = append(v.good, m)
}

func (v *verified) folder(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		v.errs = append(v.errs, fmt.Errorf("verify models: %w", err))
		return
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return filepath.Ext(e.Name()) != ".yaml" })
	if len(entries) == 0 {
		v.errs = append(v.errs, fmt.Errorf("verify models: no manifest in %s; fetch some with `gadeblik models fetch`", dir))
	}
	for _, e := range entries {
		m, err := inference.LoadManifest(filepath.Join(dir, e.Name()))
		if err != nil {
			v.errs = append(v.errs, err)
			continue
		}
		v.read(m)
	}
}
