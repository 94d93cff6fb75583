package agent

import (
	"context"
	"fmt"
	"slices"

	"gadeblik/blur"
	"gadeblik/uplink"
)

// Redactor finds who is in a picture, removes them, and has other models look at
// what is left. It belongs to one goroutine.
type Redactor struct {
	Models *Models
	Masks  []Mask // removed from every picture

	second blur.Source // of the redacted picture, while it is looked at
}

// Redacted is a picture that may be kept, and what was removed from it.
type Redacted struct {
	Image   *blur.Image
	Removed map[string]int     // regions by class; every class that is always looked for is in it
	Second  *uplink.SecondLook // nil where no model looks a second time
}

// Redact finds everybody in the picture and returns it without them and without
// the regions that the request names. An error means that there is no picture.
func (r *Redactor) Redact(ctx context.Context, src *blur.Source, req blur.Request) (Redacted, error) {
	regions, err := r.Find(ctx, src)
	if err != nil {
		return Redacted{}, err
	}
	req.Regions = append(regions, req.Regions...)
	return r.Remove(ctx, src, req)
}

// Find returns every person, face and plate that any of the redaction models
// sees, and the body to every face. An error means that nothing is known of who is
// there.
func (r *Redactor) Find(ctx context.Context, src *blur.Source) ([]blur.Region, error) {
	return newView(r.Models, src).people(ctx)
}

// Remove returns the picture without the regions of the request and the masks,
// after other models looked at it: whom they still see is removed too, once. An
// error means that there is no picture; it is [ErrStillVisible] where they see
// somebody even then.
func (r *Redactor) Remove(ctx context.Context, src *blur.Source, req blur.Request) (Redacted, error) {
	req.Regions = slices.Clip(req.Regions)
	for _, m := range r.Masks {
		req.Regions = append(req.Regions, m.in(src.Bounds()))
	}
	img, err := blur.Redact(ctx, src, req)
	if err != nil {
		return Redacted{}, fmt.Errorf("redact: %w", err)
	}
	if len(r.Models.SecondLook) == 0 {
		return Redacted{Image: img, Removed: byClass(req.Regions)}, nil
	}
	hits, err := r.lookAgain(ctx, img, req)
	if err != nil {
		return Redacted{}, err
	}
	second := r.record(hits)
	if second.Grown {
		fresh := untouched(hits, img)
		req.Regions = slices.Concat(req.Regions, hits, bodies(fresh, slices.Concat(req.Regions, hits), src.Bounds()))
		req.Into = img
		if img, err = r.removeAgain(ctx, src, req); err != nil {
			return Redacted{Second: second}, err
		}
	}
	return Redacted{Image: img, Removed: byClass(req.Regions), Second: second}, nil
}

// byClass counts regions; every class that is always looked for is in it.
func byClass(regions []blur.Region) map[string]int {
	n := map[string]int{}
	for _, c := range people {
		n[string(c)] = 0
	}
	for _, r := range regions {
		n[string(r.Class)]++
	}
	return n
}
