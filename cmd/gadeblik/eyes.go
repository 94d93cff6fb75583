package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"gadeblik/agent"
	"gadeblik/blur"
	"gadeblik/cmd/gadeblik/config"
	"gadeblik/inference"
	"gadeblik/inference/catalogue"
	"gadeblik/inference/onnx"
)

// detectors are loaded models, by name.
type detectors struct {
	byName  map[string]agent.Detector
	loaded  []*inference.Detector
	bytes   []int  // of the weights of each that is loaded
	runtime string // version of ONNX Runtime
}

// loading says where models are loaded from, and how.
type loading struct {
	lib     string // ONNX Runtime; empty searches for it
	dir     string // folder of models beside those that are built in; empty for none
	threads int    // of one detection
	// adjust, if set, may change what the manifest of the model called name asks for.
	adjust func(name string, m inference.Manifest) inference.Manifest
}

// load loads the named models, each once and checked against its manifest.
func (l loading) load(names []string) (*detectors, error) {
	path, err := onnx.Find(l.lib)
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
		errs = append(errs, l.one(rt, d, name))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(hinted(err, "%s", fetchInto(l.dir)), d.close())
	}
	return d, nil
}

// one adds a model to d.
func (l loading) one(rt *onnx.Runtime, d *detectors, name string) error {
	m, err := catalogue.Load(l.dir, name)
	if err != nil {
		return err
	}
	if l.adjust != nil {
		m = l.adjust(name, m)
	}
	data, err := m.Read()
	if err != nil {
		return err
	}
	session, err := rt.Load(m, data, l.threads)
	if err != nil {
		return err
	}
	det, err := inference.NewDetector(m, session)
	if err != nil {
		return errors.Join(err, session.Close())
	}
	d.byName[name], d.loaded, d.bytes = det, append(d.loaded, det), append(d.bytes, len(data))
	return nil
}

// fetchInto says how a missing model is come by.
func fetchInto(dir string) string {
	if dir == "" {
		return "fetch public models with `gadeblik models fetch`, and name their folder with --models " + defaultModels
	}
	return fmt.Sprintf("fetch the models with `gadeblik models fetch --dir %s`", dir)
}

func (d *detectors) close() error {
	var errs []error
	for _, det := range d.loaded {
		errs = append(errs, det.Close())
	}
	return errors.Join(errs...)
}

// choice says which models look, which find what is removed, and which look at what
// is left.
type choice struct {
	detector string
	redact   []agent.RedactModel
	second   []agent.RedactModel
}

// The models of a folder taken where nobody chose, best first. What is removed is
// looked for by the built-in model as well, and by these at a large size: what is
// removed too much costs little, what is missed costs everything. How sure a model
// must be, its manifest says. Those of the second look have other weights than the
// first, which would miss the same people again.
var preferred = struct {
	detector []string
	removed  [3]preference
}{
	detector: []string{"yolox_nano_container", "yolox_nano_640x384", "yolox_nano", catalogue.Street},
	removed: [...]preference{
		{blur.Person, []string{"yolox_nano_960x544", "yolox_nano_640x384", "yolox_nano"}, []string{catalogue.Street}},
		{blur.Face, []string{"yunet_n_1280x736", "yunet_n"}, []string{"yunet_s_1280x736", "yunet_s"}},
		{blur.Plate, []string{"en_PP-OCRv3_det"}, []string{"ch_PP-OCRv3_det"}},
	},
}

type preference struct {
	class         blur.Class
	first, second []string
}

// chooseModels takes the best of what a folder has beside what is built in; without
// a folder, what is built in.
func chooseModels(dir string) choice {
	best := func(names []string) string {
		for _, n := range names {
			if m, err := catalogue.Load(dir, n); err == nil && (m.BuiltIn() || exists(m.Path())) {
				return n
			}
		}
		return ""
	}
	c := choice{detector: best(preferred.detector)}
	scores := map[string]float64{}
	for _, r := range config.Defaults().Models.SecondLook {
		scores[r.Model] = r.MinScore
	}
	for _, of := range preferred.removed {
		c.redact = append(c.redact, agent.RedactModel{Class: of.class, Model: catalogue.Privacy})
		if name := best(of.first); name != "" {
			c.redact = append(c.redact, agent.RedactModel{Class: of.class, Model: name})
		}
		if name := best(of.second); name != "" {
			c.second = append(c.second, agent.RedactModel{Class: of.class, Model: name, MinScore: scores[name]})
		}
	}
	return c
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// names returns every model of the choice.
func (c choice) names() []string {
	out := []string{c.detector}
	for _, r := range slices.Concat(c.redact, c.second) {
		out = append(out, r.Model)
	}
	return out
}

// lacking returns what is built in where the model that looks does not know all of
// the labels: a public one knows no bag.
func (c choice) lacking(dir string, labels []string) []string {
	if len(beyond(dir, c.detector, labels)) > 0 {
		return []string{catalogue.Street}
	}
	return nil
}

// beyond returns those of the labels that a model does not know.
func beyond(dir, model string, labels []string) []string {
	m, err := catalogue.Load(dir, model)
	if err != nil {
		return nil // loading it will say so
	}
	known := m.Labels()
	strange := slices.DeleteFunc(slices.Sorted(slices.Values(labels)), func(l string) bool { return slices.Contains(known, l) })
	return slices.Compact(strange)
}

// folderFor returns the folder of public models on this desk if somebody asks for
// what only they find, and nothing otherwise: recorded drives often come with orders
// in the words of public models.
func folderFor(labels []string) (dir string, foreign []string) {
	foreign = beyond("", catalogue.Street, labels)
	if len(foreign) == 0 {
		return "", nil
	}
	dir = modelsFolder()
	if c := chooseModels(dir); c.detector == catalogue.Street || len(beyond(dir, c.detector, foreign)) > 0 {
		return "", nil
	}
	return dir, foreign
}

// adjust lets a model report what it is asked to remove: a score below that of its
// manifest takes that one's place.
func (c choice) adjust(name string, m inference.Manifest) inference.Manifest {
	for _, r := range slices.Concat(c.redact, c.second) {
		for _, label := range m.Labels() {
			if r.Model == name && r.Finds(label) && r.MinScore > 0 && r.MinScore < m.ScoreOf(label) {
				m = m.WithScore(label, r.MinScore)
			}
		}
	}
	return m
}

// open loads the models of the choice and those that orders want beside them.
func (c choice) open(l loading, also []string) (*agent.Models, *detectors, error) {
	l.adjust = c.adjust
	d, err := l.load(append(c.names(), also...))
	if err != nil {
		return nil, nil, err
	}
	m := &agent.Models{Detectors: d.byName, Primary: c.detector, Redact: c.redact, SecondLook: c.second}
	if err := m.Check(); err != nil {
		return nil, nil, errors.Join(err, d.close())
	}
	return m, d, nil
}

// modelsFolder is where public models are on a desk: fetched, or in a mirror.
func modelsFolder() string {
	if found, err := filepath.Glob(filepath.Join(defaultModels, "*.onnx")); err == nil && len(found) > 0 {
		return defaultModels
	}
	if m := foundMirror(); m != "" {
		return m
	}
	return defaultModels
}
