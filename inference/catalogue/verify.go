package catalogue

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"gadeblik/inference"
)

// Verify checks every manifest in dir and the file it names. It returns the manifests, in order of
// their file names, with which everything is right, and an error that names the others.
func Verify(dir string) ([]inference.Manifest, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("verify models: %w", err)
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return filepath.Ext(e.Name()) != ".yaml" })
	if len(entries) == 0 {
		return nil, fmt.Errorf("verify models: no manifest in %s; fetch some with `gadeblik models fetch`", dir)
	}
	var (
		good []inference.Manifest
		errs []error
	)
	for _, e := range entries {
		m, err := inference.LoadManifest(filepath.Join(dir, e.Name()))
		if err == nil {
			_, err = m.Read()
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		good = append(good, m)
	}
	return good, errors.Join(errs...)
}
