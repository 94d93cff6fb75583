package agent

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"

	"gadeblik/blur"
	"gadeblik/uplink"
)

// ErrStillVisible says that a picture is not released because somebody can be
// seen in it whom redaction did not get rid of.
var ErrStillVisible = errors.New("a second look still sees somebody")

// lookAgain lets the models of the second look see a redacted picture and returns
// what it still shows, in the frame's coordinates.
func (r *Redactor) lookAgain(ctx context.Context, img *blur.Image, req blur.Request) ([]blur.Region, error) {
	if err := r.second.OpenImage(img); err != nil {
		return nil, fmt.Errorf("look again: %w", err)
	}
	defer r.second.Close()
	seen, err := newView(r.Models, &r.second).regions(ctx, r.Models.SecondLook)
	if err != nil {
		return nil, fmt.Errorf("look again: %w", err)
	}
	hits := exposed(seen, img.Regions(), sharp(img, req))
	for i := range hits {
		hits[i].Box = hits[i].Box.Add(img.Offset())
	}
	return hits, nil
}

// removeAgain redacts with what a second look has added, and releases the picture
// only if nobody is seen any more.
func (r *Redactor) removeAgain(ctx context.Context, src *blur.Source, req blur.Request) (*blur.Image, error) {
	img, err := blur.Redact(ctx, src, req)
	if err != nil {
		return nil, fmt.Errorf("redact again: %w", err)
	}
	hits, err := r.lookAgain(ctx, img, req)
	if err != nil {
		return nil, err
	}
	if len(hits) > 0 {
		return nil, fmt.Errorf("%w: %s at %v", ErrStillVisible, hits[0].Class, hits[0].Box)
	}
	return img, nil
}

// record says what a second look has found.
func (r *Redactor) record(hits []blur.Region) *uplink.SecondLook {
	s := &uplink.SecondLook{Hits: map[string]int{}, Grown: len(hits) > 0}
	for _, m := range r.Models.SecondLook {
		s.Hits[string(m.Class)] = 0
		if !slices.Contains(s.Models, m.Model) {
			s.Models = append(s.Models, m.Model)
		}
	}
	for _, h := range hits {
		s.Hits[string(h.Class)]++
	}
	return s
}

// sliver is how much of what a model sees may show without being looked at again.
// Models draw boxes a few pixels too large, and see a figure in the soft patch that
// redaction leaves. Of an adult, some 7.5 heads high, a strip that shows the eyes
// is half a head, 0.067 of the box, and with the margin round every region that
// takes more than a model's error; so a bound below that lets nobody be recognised.
const sliver = 0.05

// exposed returns what of the things seen in a redacted picture can really be
// seen: more than a sliver of it is sharp and outside of all regions. In a region
// nothing of the frame is left, so what a model sees there is its imagination.
//
// The same holds where the surroundings were coarsened to cells larger than a head
// at the distance of the object: models see people in such patches, and no second
// removal would make them see less. What lies there alone is passed over.
func exposed(seen, applied []blur.Region, sharp image.Rectangle) []blur.Region {
	var out []blur.Region
	for _, s := range seen {
		if float64(uncovered(s.Box.Intersect(sharp), applied)) > sliver*float64(area(s.Box)) {
			out = append(out, s)
		}
	}
	return out
}

// untouched returns those of the hits, which are in the frame's coordinates, that lie
// in no region at all. Models see faces in the soft patch that redaction leaves, large
// ones, to each of which a body nine times as high would belong: that took two thirds
// of a picture and found nobody. A face that is seen beside all patches is another's.
func untouched(hits []blur.Region, img *blur.Image) []blur.Region {
	return slices.DeleteFunc(slices.Clone(hits), func(h blur.Region) bool {
		return slices.ContainsFunc(img.Regions(), func(r blur.Region) bool { return r.Box.Overlaps(h.Box.Sub(img.Offset())) })
	})
}

// sharp returns the part of the picture that is not coarsened, in its own
// coordinates, rather too large than too small: redaction leaves the object a
// margin of 0.12, at least one block of the picture, and aligns it to blocks.
func sharp(img *blur.Image, req blur.Request) image.Rectangle {
	if req.Context != blur.Coarse {
		return img.Bounds()
	}
	const share, least = 8, 64 // an eighth of the box, two of the largest blocks there are
	b := req.Keep
	dx, dy := b.Dx()/share+least, b.Dy()/share+least
	if b.Empty() {
		return image.Rectangle{}
	}
	return image.Rect(b.Min.X-dx, b.Min.Y-dy, b.Max.X+dx, b.Max.Y+dy).Intersect(img.Bounds())
}

// uncovered returns how many pixels of the box lie in none of the regions.
func uncovered(box image.Rectangle, regions []blur.Region) int {
	parts := []image.Rectangle{box}
	for _, r := range regions {
		var rest []image.Rectangle
		for _, p := range parts {
			rest = append(rest, without(p, r.Box)...)
		}
		parts = rest
	}
	n := 0
	for _, p := range parts {
		n += area(p)
	}
	return n
}

// without cuts c out of p and returns the pieces that are left.
func without(p, c image.Rectangle) []image.Rectangle {
	in := p.Intersect(c)
	if in.Empty() {
		return []image.Rectangle{p}
	}
	pieces := []image.Rectangle{
		{Min: p.Min, Max: image.Pt(p.Max.X, in.Min.Y)},                        // above
		{Min: image.Pt(p.Min.X, in.Max.Y), Max: p.Max},                        // below
		{Min: image.Pt(p.Min.X, in.Min.Y), Max: image.Pt(in.Min.X, in.Max.Y)}, // left
		{Min: image.Pt(in.Max.X, in.Min.Y), Max: image.Pt(p.Max.X, in.Max.Y)}, // right
	}
	return slices.DeleteFunc(pieces, image.Rectangle.Empty)
}

func area(r image.Rectangle) int { return r.Dx() * r.Dy() }
