package catalogue

import (
	"embed"
	"fmt"
	"io/fs"

	"gadeblik/inference"
)

// ownFiles are the project's own models, so that a clone needs no download to work: each a manifest
// and the weights it names.
//
//go:embed own/gadeblik_*.onnx own/gadeblik_*.yaml
var ownFiles embed.FS

// The models that serve where nobody chose others. The first looks for what tasks name; one look of
// the second finds all that is removed.
const (
	Street  = "gadeblik_street"
	Privacy = "gadeblik_privacy"
)

// own returns the models that are built in.
func own() []Model {
	models, err := builtIn(ownFiles)
	if err != nil {
		panic(fmt.Sprintf("catalogue: internal error: %v", err))
	}
	return models
}

// builtIn reads the manifests of the models in the folder own of files.
func builtIn(files fs.FS) ([]Model, error) {
	own, err := fs.Sub(files, "own")
	if err != nil {
		return nil, err
	}
	paths, err := fs.Glob(own, "*.yaml")
	if err != nil {
		return nil, err
	}
	var models []Model
	for _, path := range paths {
		raw, err := fs.ReadFile(own, path)
		if err != nil {
			return nil, err
		}
		m, err := inference.ParseManifest(raw)
		if err != nil {
			return nil, fmt.Errorf("manifest %s: %w", path, err)
		}
		info, err := fs.Stat(own, m.File)
		if err != nil {
			return nil, fmt.Errorf("manifest %s: %w", path, err)
		}
		models = append(models, Model{Manifest: m.Within(own), Bytes: info.Size()})
	}
	return models, nil
}
