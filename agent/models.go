package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"gadeblik/blur"
	"gadeblik/inference"
)

// Detector finds things in a picture; [inference.Detector] is one. Detect
// appends to dst, boxes in pixels of the picture. Clear wipes what is left of the
// last picture.
type Detector interface {
	Detect(ctx context.Context, v inference.View, dst []inference.Detection) ([]inference.Detection, error)
	Manifest() inference.Manifest
	Clear()
}

// Models is what the vehicle can see with: the detectors by name, the one that
// looks where a task names none, and those that find what must be removed.
type Models struct {
	Detectors map[string]Detector
	Primary   string
	Redact    []RedactModel
	Timeout   time.Duration // of one detection; 0 means two seconds
}

// RedactModel says which model finds one class of what is always removed, and
// how sure it must be. The lower the score, the more is removed. One model may
// find several classes: it looks once at a picture, whatever it is named for.
type RedactModel struct {
	Class    blur.Class
	Model    string
	MinScore float64 // 0 removes all that the model reports
}

const defaultTimeout = 2 * time.Second

// Check reports every mistake in how the models are put together: a name
// without a detector, or a class of people that nothing would remove.
func (m *Models) Check() error {
	var errs []error
	if _, ok := m.Detectors[m.Primary]; !ok {
		errs = append(errs, fmt.Errorf("models.detector: no model %q (there are %v)", m.Primary, m.Names()))
	}
	found := map[blur.Class]bool{}
	for i, r := range m.Redact {
		d, ok := m.Detectors[r.Model]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("models.redact[%d].model: no model %q (there are %v)", i, r.Model, m.Names()))
		case !slices.Contains(d.Manifest().Labels(), string(r.Class)):
			errs = append(errs, fmt.Errorf("models.redact[%d].model: %s does not find %s (it finds %v)", i, r.Model, r.Class, d.Manifest().Labels()))
		}
		found[r.Class] = true
	}
	for _, class := range people {
		if !found[class] {
			errs = append(errs, fmt.Errorf("models.redact: nothing finds %s, so no picture could be released; name a model for it", class))
		}
	}
	return errors.Join(errs...)
}

// Names returns the names of the detectors, sorted.
func (m *Models) Names() []string { return slices.Sorted(maps.Keys(m.Detectors)) }

// assign chooses the model that looks for task number i: the one the task
// names, else the default where it knows every label, else the first by name
// that does.
func (m *Models) assign(t *Task, i int) error {
	c := complaints{path: fmt.Sprintf("tasks[%d]", i)}
	for _, name := range []string{t.Primary, t.Fallback} {
		if _, ok := m.Detectors[name]; !ok && name != "" {
			c.add("models", "this vehicle has no model %q (it has %v)", name, m.Names())
		}
	}
	if t.Primary == "" {
		t.Primary = m.knowing(t.Labels)
	}
	if d, ok := m.Detectors[t.Primary]; ok {
		classes := d.Manifest().Labels()
		for n, label := range t.Labels {
			if !slices.Contains(classes, label) {
				c.add(fmt.Sprintf("labels[%d]", n), "%s does not find %q; it finds %v", t.Primary, label, classes)
			}
		}
	}
	return c.err()
}

func (m *Models) knowing(labels []string) string {
	for _, name := range append([]string{m.Primary}, m.Names()...) {
		d, ok := m.Detectors[name]
		if !ok {
			continue
		}
		classes := d.Manifest().Labels()
		if !slices.ContainsFunc(labels, func(l string) bool { return !slices.Contains(classes, l) }) {
			return name
		}
	}
	return m.Primary
}

// clear wipes what the models remember of the last picture.
func (m *Models) clear() {
	for _, d := range m.Detectors {
		d.Clear()
	}
}

// detect runs one model over one picture within the time allowed.
func (m *Models) detect(ctx context.Context, name string, src *blur.Source) ([]inference.Detection, error) {
	d, ok := m.Detectors[name]
	if !ok {
		return nil, fmt.Errorf("detect: no model %q", name)
	}
	limit := m.Timeout
	if limit == 0 {
		limit = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return Look(ctx, d, src, nil)
}

// Look lets one model look at a picture and appends what it sees to dst, best
// first. The model gets no more of the picture than it can see.
func Look(ctx context.Context, d Detector, src *blur.Source, dst []inference.Detection) ([]inference.Detection, error) {
	v := inference.View{Bounds: src.Bounds()}
	v.Reduce = d.Manifest().Input.Reduction(v.Bounds.Size())
	var err error
	if v.Planes, err = src.Planes(v.Reduce); err != nil {
		return dst, err
	}
	return d.Detect(ctx, v, dst)
}
