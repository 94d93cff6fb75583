package main

import (
	"errors"
	"os"
	"path/filepath"

	"gadeblik/agent"
	"gadeblik/blur"
	"gadeblik/inference"
	"gadeblik/inference/catalogue"
	"gadeblik/inference/onnx"
)

// detectors are models loaded from a folder, by name.
type detectors struct {
	byName  map[string]agent.Detector
	loaded  []*inference.Detector
	runtime string // version of ONNX Runtime
}

// loadDetectors loads the named models, each checked against its manifest.
func loadDetectors(lib, dir string, threads int, names []string) (*detectors, error) {
	path, err := onnx.Find(lib)
	if err != nil {
		return nil, err
	}
	rt, err := onnx.Open(path)
	if err != nil {
		return nil, err
	}
	d := &detectors{byName: map[string]agent.Detector{}, runtime: rt.Version()}
	var errs []error
	tried := map[string]bool{"": true}
	for _, name := range names {
		if tried[name] {
			continue
		}
		tried[name] = true
		det, err := loadDetector(rt, dir, name, threads)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		d.byName[name], d.loaded = det, append(d.loaded, det)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(hinted(err, "fetch the models with `gadeblik models fetch --dir %s`", dir), d.close())
	}
	return d, nil
}

func loadDetector(rt *onnx.Runtime, dir, name string, threads int) (*inference.Detector, error) {
	m, err := catalogue.Load(dir, name)
	if err != nil {
		return nil, err
	}
	data, err := m.Read()
	if err != nil {
		return nil, err
	}
	session, err := rt.Load(m, data, threads)
	if err != nil {
		return nil, err
	}
	det, err := inference.NewDetector(m, session)
	if err != nil {
		return nil, errors.Join(err, session.Close())
	}
	return det, nil
}

func (d *detectors) close() error {
	var errs []error
	for _, det := range d.loaded {
		errs = append(errs, det.Close())
	}
	return errors.Join(errs...)
}

// choice says which models look and which find what is removed.
type choice struct {
	detector string
	redact   []agent.RedactModel
}

// The models taken where nobody chose, best first: those that see small things
// where the folder has them. People are looked for at a low score and a large
// size: what is removed too much costs little, what is missed costs everything.
var preferred = struct{ detector, person, face, plate []string }{
	detector: []string{"yolox_nano_container", "yolox_nano_640x384", "yolox_nano"},
	person:   []string{"yolox_nano_960x544", "yolox_nano_640x384", "yolox_nano"},
	face:     []string{"yunet_n_1280x736", "yunet_n"},
	plate:    []string{"en_PP-OCRv3_det"},
}

// chooseModels takes the best of what a folder has.
func chooseModels(dir string) choice {
	best := func(names []string) string {
		for _, n := range names {
			if m, err := catalogue.Load(dir, n); err == nil && exists(m.Path()) {
				return n
			}
		}
		return names[len(names)-1]
	}
	return choice{
		detector: best(preferred.detector),
		redact: []agent.RedactModel{
			{Class: blur.Person, Model: best(preferred.person), MinScore: 0.3},
			{Class: blur.Face, Model: best(preferred.face), MinScore: 0.4},
			{Class: blur.Plate, Model: best(preferred.plate), MinScore: 0.4},
		},
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// names returns every model of the choice.
func (c choice) names() []string {
	out := []string{c.detector}
	for _, r := range c.redact {
		out = append(out, r.Model)
	}
	return out
}

// open loads the models of the choice and those that orders name beside them.
func (c choice) open(lib, dir string, threads int, also []string) (*agent.Models, *detectors, error) {
	d, err := loadDetectors(lib, dir, threads, append(c.names(), also...))
	if err != nil {
		return nil, nil, err
	}
	m := &agent.Models{Detectors: d.byName, Primary: c.detector, Redact: c.redact}
	if err := m.Check(); err != nil {
		return nil, nil, errors.Join(err, d.close())
	}
	return m, d, nil
}

// modelsFolder is where models are on a desk: fetched, or in a mirror.
func modelsFolder() string {
	if found, err := filepath.Glob(filepath.Join(defaultModels, "*.onnx")); err == nil && len(found) > 0 {
		return defaultModels
	}
	if m := foundMirror(); m != "" {
		return m
	}
	return defaultModels
}
