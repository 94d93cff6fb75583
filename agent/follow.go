package agent

import (
	"image"
	"slices"

	"gadeblik/blur"
	"gadeblik/inference"
)

// followed returns a frame's regions with what the frames before and after it show
// besides, and how many of them that changed. It only ever adds:
//
//   - Who is seen in the frame too stays where the frame sees him. His box becomes as
//     large as in the neighbour, since half a figure may have been missed, but does
//     not move there: what lies there now is not he.
//   - Who is seen before and after, and not in the frame, is somewhere between.
//   - Who is seen in one neighbour only is removed where that saw him.
func followed(own, before, after []blur.Region) (regions []blur.Region, added int) {
	regions = slices.Clone(own)
	lone := func(seen []blur.Region) []blur.Region {
		var out []blur.Region
		for _, s := range seen {
			i := linked(s, own)
			if i < 0 {
				out = append(out, s)
				continue
			}
			if wide := stretched(regions[i].Box, s.Box); !wide.In(withMargin(regions[i]).Box) {
				regions[i].Box = wide
				added++
			}
		}
		return out
	}
	earlier, later := lone(before), lone(after)
	met := make([]bool, len(later))
	for _, e := range earlier {
		if i := linked(e, later); i >= 0 {
			e.Box = e.Box.Union(later[i].Box)
			met[i] = true
		}
		regions = append(regions, e)
	}
	for i, l := range later {
		if !met[i] {
			regions = append(regions, l)
		}
	}
	return regions, added + len(regions) - len(own)
}

// linked returns which of the regions is most likely the same person, face or
// plate, by the rule that also tells which objects are the same from look to look;
// -1 for none. Several may be linked to one: two models draw two boxes.
func linked(r blur.Region, to []blur.Region) int {
	best, most := -1, 0.0
	for i, t := range to {
		if t.Class != r.Class {
			continue
		}
		if o := (inference.TrackerConfig{}).Overlap(r.Box, t.Box); o > most {
			best, most = i, o
		}
	}
	return best
}

// withMargin returns a region about as it is going to be applied: redaction grows it
// by 0.12 of its size on each side. A box that stays within that is no news.
func withMargin(r blur.Region) blur.Region {
	dx, dy := r.Box.Dx()*12/100, r.Box.Dy()*12/100
	r.Box.Min.X, r.Box.Max.X = r.Box.Min.X-dx, r.Box.Max.X+dx
	r.Box.Min.Y, r.Box.Max.Y = r.Box.Min.Y-dy, r.Box.Max.Y+dy
	return r
}

// stretched returns the smallest box that holds the first and is at least as wide
// and high as the second, as near to the second as can be. So a figure of which
// only half was seen is whole again, and one that only moved is no larger.
func stretched(box, to image.Rectangle) image.Rectangle {
	x0, x1 := span(box.Min.X, box.Max.X, to.Min.X, to.Max.X)
	y0, y1 := span(box.Min.Y, box.Max.Y, to.Min.Y, to.Max.Y)
	return image.Rect(x0, y0, x1, y1)
}

func span(a0, a1, b0, b1 int) (from, to int) {
	if b1-b0 <= a1-a0 {
		return a0, a1
	}
	by := min(a0-b0, 0) + max(a1-b1, 0)
	return b0 + by, b1 + by
}
