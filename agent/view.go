package agent

import (
	"context"
	"image"
	"slices"

	"gadeblik/blur"
	"gadeblik/inference"
)

// view is one picture being looked at: a frame, or what is left of one after
// redaction. Each model runs over it at most once, however many tasks and classes
// ask for it.
type view struct {
	models *Models
	src    *blur.Source
	seen   map[string]saw // by model
}

// saw is what one model saw. The memory serves for the next picture.
type saw struct {
	dets []inference.Detection
	done bool
}

func newView(models *Models, src *blur.Source) *view {
	return &view{models: models, src: src, seen: map[string]saw{}}
}

// detect returns what one model sees, sorted by score, highest first.
func (v *view) detect(ctx context.Context, model string) ([]inference.Detection, error) {
	s := v.seen[model]
	if s.done {
		return s.dets, nil
	}
	var err error
	if s.dets, err = v.models.detect(ctx, model, v.src, s.dets[:0]); err != nil {
		return nil, err
	}
	s.done = true
	v.seen[model] = s
	return s.dets, nil
}

// forget makes it a view of nothing.
func (v *view) forget() {
	v.src = nil
	for model, s := range v.seen {
		clear(s.dets)
		v.seen[model] = saw{dets: s.dets[:0]}
	}
}

// people returns what must be removed: what the redaction models see, and what
// follows from it.
func (v *view) people(ctx context.Context) ([]blur.Region, error) {
	seen, err := v.regions(ctx, v.models.Redact)
	if err != nil {
		return nil, err
	}
	sure := slices.Clone(v.models.Redact)
	for i := range sure {
		sure[i].MinScore = max(sure[i].MinScore, sureFace)
	}
	faces, err := v.regions(ctx, sure)
	if err != nil {
		return nil, err
	}
	return append(seen, bodies(faces, seen, v.src.Bounds())...), nil
}

// regions returns every person, face and plate that any of the models sees. An
// error means that nothing is known, and so that no picture of this frame may be
// kept.
func (v *view) regions(ctx context.Context, models []RedactModel) ([]blur.Region, error) {
	var seen []blur.Region
	for _, r := range models {
		dets, err := v.detect(ctx, r.Model)
		if err != nil {
			return nil, err
		}
		for _, d := range dets {
			if r.Finds(d.Label) && d.Score >= r.MinScore {
				seen = append(seen, blur.Region{Class: r.Class, Box: d.Box})
			}
		}
	}
	return seen, nil
}

// worth says how good a look at an object is: large, sure and whole. A box that
// touches the picture's edge shows part of the object only.
func worth(d inference.Detection, picture image.Rectangle) float64 {
	w := d.Score * float64(d.Box.Dx()) * float64(d.Box.Dy())
	if !d.Box.In(picture.Inset(2)) {
		w /= 2
	}
	return w
}
