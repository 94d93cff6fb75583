package blur

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
)

// canvas is the picture in the making. It is where non-interference comes
// from: blank copies what is outside the mask and no more, and all that
// follows sees the canvas only.
type canvas struct {
	img    *image.YCbCr
	planes [3]plane
	mask   mask
	veil   membrane
	line   []int32 // one row of the veil
	cells  cells
	out    bytes.Buffer
}

// blank covers the regions and copies the rest of the frame.
func (c *canvas) blank(s *Source, regions []Region) {
	c.mask.reset(s, regions)
	if c.img == nil {
		c.img = image.NewYCbCr(s.img.Rect, s.img.SubsampleRatio)
		c.planes = planesOf(c.img)
	}
	from := planesOf(s.img)
	c.mask.runs(image.Rect(0, 0, c.mask.cols, c.mask.rows), func(id int32, pixels image.Rectangle) {
		for i := range c.planes {
			p := &c.planes[i]
			r := p.samples(pixels)
			for y := r.Min.Y; y < r.Max.Y; y++ {
				if id == outside {
					copy(p.row(y)[r.Min.X:r.Max.X], from[i].row(y)[r.Min.X:r.Max.X])
				} else {
					clear(p.row(y)[r.Min.X:r.Max.X])
				}
			}
		}
	})
}

// fill paints over all patches. A patch is filled from the ring round it, in
// which no other patch lies: if it touched, it would be the same patch.
func (c *canvas) fill(ctx context.Context, f Fill) error {
	for id := int32(1); int(id) < len(c.mask.bounds); id++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if f == Solid {
			c.fillSolid(id)
			continue
		}
		c.fillVeil(id)
	}
	return nil
}

// encode returns the part r of the canvas as a baseline JPEG.
func (c *canvas) encode(r image.Rectangle, quality int) ([]byte, error) {
	c.out.Reset()
	if err := jpeg.Encode(&c.out, c.img.SubImage(r), &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	return bytes.Clone(c.out.Bytes()), nil
}

// wipe forgets everything.
func (c *canvas) wipe() {
	if c.img != nil {
		wipe(c.img)
	}
	c.veil.wipe()
	clear(c.line[:cap(c.line)])
	clear(c.cells.mean[:cap(c.cells.mean)])
	clear(c.cells.line[:cap(c.cells.line)])
	clear(c.cells.row[:cap(c.cells.row)])
	*c = canvas{}
}
