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
// looks where a task names none, those that find what must be removed, and those
// that look at what is left.
type Models struct {
	Detectors  map[string]Detector
	Primary    string
	Redact     []RedactModel
	SecondLook []RedactModel // none of them finds its class in Redact; a class without one has no second look
	Timeout    time.Duration // of one detection; 0 means two seconds

	limit deadline
}

// RedactModel says which model finds one class of what is always removed, and
// how sure it must be. The lower the score, the more is removed. One model may
// find several classes: it looks once at a picture, whatever it is named for.
type RedactModel struct {
	Class    blur.Class
	Model    string
	MinScore float64 // 0 removes all that the model reports
}

// Finds tells whether what a model calls by this label is of the class. A cyclist
// is a person, whom some models tell apart.
func (r RedactModel) Finds(label string) bool {
	return label == string(r.Class) || r.Class == blur.Person && label == cyclist
}

const cyclist = "cyclist"

const defaultTimeout = 2 * time.Second

// Check reports every mistake in how the models are put together: a name
// without a detector, or a class of people that nothing would remove.
func (m *Models) Check() error {
	var errs []error
	if _, ok := m.Detectors[m.Primary]; !ok {
		errs = append(errs, fmt.Errorf("models.detector: no model %q (there are %v)", m.Primary, m.Names()))
	}
	errs = append(errs, m.checkList("models.redact", m.Redact), m.checkList("models.second_look", m.SecondLook))
	for _, class := range people {
		if !slices.ContainsFunc(m.Redact, func(r RedactModel) bool { return r.Class == class }) {
			errs = append(errs, fmt.Errorf("models.redact: nothing finds %s, so no picture could be released; name a model for it", class))
		}
	}
	for i, s := range m.SecondLook {
		if m.finds(s) {
			errs = append(errs, fmt.Errorf("models.second_look[%d].model: %s finds %s already in models.redact; a second look is another model's", i, s.Model, s.Class))
		}
	}
	return errors.Join(errs...)
}

func (m *Models) checkList(key string, list []RedactModel) error {
	var errs []error
	for i, r := range list {
		d, ok := m.Detectors[r.Model]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("%s[%d].model: no model %q (there are %v)", key, i, r.Model, m.Names()))
		case !slices.ContainsFunc(d.Manifest().Labels(), r.Finds):
			errs = append(errs, fmt.Errorf("%s[%d].model: %s does not find %s (it finds %v)", key, i, r.Model, r.Class, d.Manifest().Labels()))
		}
	}
	return errors.Join(errs...)
}

// finds tells whether the weights that are to look a second time for a class find it
// the first time: under another name, with another size of input, they miss much
// the same.
func (m *Models) finds(second RedactModel) bool {
	d, ok := m.Detectors[second.Model]
	return ok && slices.ContainsFunc(m.Redact, func(r RedactModel) bool {
		first, ok := m.Detectors[r.Model]
		return ok && r.Class == second.Class && (r.Model == second.Model || first.Manifest().SHA256 == d.Manifest().SHA256)
	})
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

// detect runs one model over one picture within the time allowed, and appends what
// it sees to dst.
func (m *Models) detect(ctx context.Context, name string, src *blur.Source, dst []inference.Detection) ([]inference.Detection, error) {
	d, ok := m.Detectors[name]
	if !ok {
		return dst, fmt.Errorf("detect: no model %q", name)
	}
	limit := m.Timeout
	if limit == 0 {
		limit = defaultTimeout
	}
	defer m.limit.over()
	return Look(m.limit.within(ctx, limit), d, src, dst)
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
