package agent

import (
	"context"
	"image"

	"gadeblik/blur"
	"gadeblik/inference"
)

// view is one frame being looked at. Each model runs over it at most once, however
// many tasks and classes ask for it, and the redaction models only when a picture
// is to be kept.
type view struct {
	models *Models
	src    *blur.Source
	seen   map[string][]inference.Detection // by model
	people []blur.Region
	found  bool // people is complete
}

func newView(models *Models, src *blur.Source) *view {
	return &view{models: models, src: src, seen: map[string][]inference.Detection{}}
}

// detect returns what one model sees, sorted by score, highest first.
func (v *view) detect(ctx context.Context, model string) ([]inference.Detection, error) {
	if dets, ok := v.seen[model]; ok {
		return dets, nil
	}
	dets, err := v.models.detect(ctx, model, v.src)
	if err != nil {
		return nil, err
	}
	v.seen[model] = dets
	return dets, nil
}

// regions returns where people are: every person, face and plate that any of
// the redaction models sees. An error means that nothing is known, and so that
// no picture of this frame may be kept.
func (v *view) regions(ctx context.Context) ([]blur.Region, error) {
	if v.found {
		return v.people, nil
	}
	for _, r := range v.models.Redact {
		dets, err := v.detect(ctx, r.Model)
		if err != nil {
			return nil, err
		}
		for _, d := range dets {
			if d.Label == string(r.Class) && d.Score >= r.MinScore {
				v.people = append(v.people, blur.Region{Class: r.Class, Box: d.Box})
			}
		}
	}
	v.found = true
	return v.people, nil
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
