package blur

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"

	"gadeblik/blur/scan"
)

// Request says what [Redact] hides and what it keeps. The zero value hides no
// region and keeps nothing but the coarse means of the picture.
type Request struct {
	// Regions are hidden, whatever Keep and Context say.
	Regions []Region
	// Margin is how much of its width and height a region grows by on each
	// side, at least one MCU. 0 means 0.12; at most 2.
	Margin float64
	// Keep is the object the picture is taken for. It is kept with a margin of
	// 0.12, at least one MCU, aligned outward. Crop needs one; with Coarse an
	// empty Keep keeps nothing; Full does not look at it.
	Keep image.Rectangle
	// Context is what is left outside Keep.
	Context Context
	// Fill is what is painted over the regions.
	Fill Fill
	// Into, if it is not nil, is an image that nobody uses any more: the new one is
	// written over it, in its memory, and Redact returns it. After an error it is
	// empty. It spares whoever makes many images the memory of each.
	Into *Image
}

const maxMargin = 2

// Redact returns the frame without what the regions hide. Two frames equal
// outside the applied regions give byte-identical images; the package comment
// says why.
//
// An error means that there is no image: for a request that makes no sense, a
// region or a Keep that misses the picture, a closed Source, or when ctx has
// ended, even if that was while the last byte was written; it is [ErrDamaged]
// where the scan cannot be followed. ctx is looked at between the steps. The
// Source is as it was and can be redacted again.
func Redact(ctx context.Context, s *Source, r Request) (*Image, error) {
	m := r.Into
	if m == nil {
		m = &Image{}
	}
	room := m.jpeg[:0]
	*m = Image{}
	if err := m.redact(ctx, s, &r, room); err != nil {
		return nil, fmt.Errorf("redact: %w", err)
	}
	return m, nil
}

// redact makes m the redacted picture, in the memory of room if there is enough.
func (m *Image) redact(ctx context.Context, s *Source, r *Request, room []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p, err := r.plan(s)
	if err != nil {
		return err
	}
	picture, err := s.coded(p.regions)
	if err != nil {
		return err
	}
	c := &s.canvas
	c.blank(picture, p.regions, r.Context == Coarse)
	// From here on the canvas is all there is to compute from.
	if err := c.paint(ctx, r.Fill); err != nil {
		return err
	}
	if r.Context == Coarse {
		if err := c.coarsen(ctx, c.mask.mcus(p.keep)); err != nil {
			return err
		}
	}
	jpeg, err := s.splice(picture, c.code(p.out), room)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	*m = Image{jpeg: jpeg, bounds: image.Rectangle{Max: p.out.Size()}, regions: within(p.regions, p.out), offset: p.out.Min}
	return nil
}

// splice writes the picture into room, or where there is none into memory of just its size.
func (s *Source) splice(picture *scan.Picture, e scan.Edit, room []byte) ([]byte, error) {
	if cap(room) > 0 {
		return picture.Splice(room, e)
	}
	var err error
	if s.out, err = picture.Splice(s.out[:0], e); err != nil {
		return nil, err
	}
	return bytes.Clone(s.out), nil
}

// coded returns the scan that is spliced. Of a frame that has none, what is
// outside the regions is given one.
func (s *Source) coded(regions []Region) (*scan.Picture, error) {
	picture := &s.picture
	if s.plain.made() {
		var err error
		if picture, err = s.plain.recode(regions); err != nil {
			return nil, err
		}
	}
	return picture, picture.Walk()
}

// plan is a request checked against the size of a picture. It knows no sample.
type plan struct {
	regions []Region        // as applied, in the coordinates of the source
	keep    image.Rectangle // left sharp
	out     image.Rectangle // left at all
}

func (r *Request) plan(s *Source) (plan, error) {
	if s == nil || s.size == (image.Point{}) {
		return plan{}, errors.New("the source is closed")
	}
	p := plan{out: s.Bounds()}
	margin := r.Margin
	if margin == 0 {
		margin = boxMargin
	}
	switch {
	case !(margin > 0 && margin <= maxMargin): // the negation refuses NaN too
		return plan{}, fmt.Errorf("margin %v: want 0 (for %v) or up to %v", r.Margin, boxMargin, maxMargin)
	case r.Fill > Solid:
		return plan{}, fmt.Errorf("unknown fill %v", r.Fill)
	case r.Context > Full:
		return plan{}, fmt.Errorf("unknown context %v", r.Context)
	}
	for i, region := range r.Regions {
		applied, err := s.apply(region, margin)
		if err != nil {
			return plan{}, fmt.Errorf("region %d (%s): %w", i, region.Class, err)
		}
		p.regions = append(p.regions, applied)
	}
	if err := p.frame(s, r); err != nil {
		return plan{}, err
	}
	return p, nil
}

// frame finds out what is kept of the surroundings.
func (p *plan) frame(s *Source, r *Request) error {
	if r.Context == Full {
		return nil
	}
	if r.Keep.Empty() {
		if r.Context == Crop {
			return fmt.Errorf("crop: keep %v is empty", r.Keep)
		}
		return nil
	}
	if !r.Keep.Overlaps(p.out) {
		return fmt.Errorf("keep %v lies outside the picture of %dx%d", r.Keep, p.out.Dx(), p.out.Dy())
	}
	p.keep = s.grow(r.Keep, boxMargin)
	if r.Context == Crop {
		p.out = p.keep
	}
	return nil
}

// within returns the regions that lie in out, cut and in its coordinates.
func within(regions []Region, out image.Rectangle) []Region {
	var in []Region
	for _, r := range regions {
		if box := r.Box.Intersect(out); !box.Empty() {
			in = append(in, Region{Class: r.Class, Box: box.Sub(out.Min)})
		}
	}
	return in
}
