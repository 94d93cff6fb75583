package agent

import (
	"context"
	"fmt"

	"gadeblik/blur"
)

// Redactor finds who is in a picture and removes them. It belongs to one
// goroutine.
type Redactor struct {
	Models *Models
}

// Redacted is a picture that may be kept, and what was removed from it.
type Redacted struct {
	Image   *blur.Image
	Removed map[string]int // regions by class; every class that is always looked for is in it
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
// sees. An error means that nothing is known of who is there.
func (r *Redactor) Find(ctx context.Context, src *blur.Source) ([]blur.Region, error) {
	return newView(r.Models, src).regions(ctx)
}

// Remove returns the picture without the regions of the request.
func (r *Redactor) Remove(ctx context.Context, src *blur.Source, req blur.Request) (Redacted, error) {
	img, err := blur.Redact(ctx, src, req)
	if err != nil {
		return Redacted{}, fmt.Errorf("redact: %w", err)
	}
	return Redacted{Image: img, Removed: byClass(req.Regions)}, nil
}
