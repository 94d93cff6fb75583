package blur

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"

	"gadeblik/blur/scan"
)

// plain is a frame whose pixels are there and not its scan: of a camera that does
// not compress, or decoded from a JPEG that cannot be spliced. What is outside the
// regions is coded as a JPEG that can.
type plain struct {
	img   *image.YCbCr // begins at (0,0); nil for none
	own   *image.YCbCr // memory of a frame that was copied
	views [4]reduction // by reduction: 2, 4, 8 from the second on
	blank *image.YCbCr
	coded bytes.Buffer
	scan  scan.Picture
}

// reduction is a frame with fewer samples.
type reduction struct {
	img  *image.YCbCr
	made bool
}

// sized returns an image of this size, in the memory of img if that is one.
func sized(img *image.YCbCr, size image.Point, r image.YCbCrSubsampleRatio) *image.YCbCr {
	if img != nil && img.Rect.Size() == size && img.SubsampleRatio == r {
		return img
	}
	return image.NewYCbCr(image.Rectangle{Max: size}, r)
}

// plainQuality is that of what has to be coded anew.
const plainQuality = 90

func (p *plain) made() bool { return p.img != nil }

func (p *plain) bounds() image.Rectangle {
	if p.img == nil {
		return image.Rectangle{}
	}
	return p.img.Rect
}

// copy takes a frame over and returns the grid its regions lie on.
func (p *plain) copy(img *image.YCbCr) image.Point {
	p.own = sized(p.own, img.Rect.Size(), img.SubsampleRatio)
	p.img = p.own
	from, to := samplesOf(img), samplesOf(p.img)
	for i := range to {
		for y := range to[i].h {
			copy(to[i].row(y), from[i].pix[y*from[i].stride:][:from[i].w])
		}
	}
	return p.grid(img.SubsampleRatio)
}

// grid returns the footprint of the largest block that the frame may have been
// coded with.
func (p *plain) grid(r image.YCbCrSubsampleRatio) image.Point {
	sx, sy := subsampling(r)
	return gridOf(image.Pt(8*sx, 8*sy))
}

// reduced returns the frame with the mean of each k x k samples of a plane.
func (p *plain) reduced(k int) *image.YCbCr {
	if k == 1 {
		return p.img
	}
	view := &p.views[k/4+1] // 2, 4, 8: 1, 2, 3
	if view.made {
		return view.img
	}
	size := p.img.Rect.Size()
	view.img = sized(view.img, image.Pt(ceilDiv(size.X, k), ceilDiv(size.Y, k)), p.img.SubsampleRatio)
	from, to := samplesOf(p.img), samplesOf(view.img)
	for i := range to {
		for y := range to[i].h {
			row := to[i].row(y)
			for x := range row {
				row[x] = from[i].mean(image.Rect(x*k, y*k, min((x+1)*k, from[i].w), min((y+1)*k, from[i].h)))
			}
		}
	}
	view.made = true
	return view.img
}

// recode codes the frame with the regions left out. This copy is the last time
// that the frame is read.
func (p *plain) recode(regions []Region) (*scan.Picture, error) {
	p.blank = sized(p.blank, p.img.Rect.Size(), p.img.SubsampleRatio)
	from, to := samplesOf(p.img), samplesOf(p.blank)
	for i := range to {
		for y := range to[i].h {
			copy(to[i].row(y), from[i].row(y))
		}
		for _, r := range regions {
			hole := to[i].within(r.Box)
			for y := hole.Min.Y; y < hole.Max.Y; y++ {
				clear(to[i].row(y)[hole.Min.X:hole.Max.X])
			}
		}
	}
	p.coded.Reset()
	if err := jpeg.Encode(&p.coded, p.blank, &jpeg.Options{Quality: plainQuality}); err != nil {
		return nil, err
	}
	if err := p.scan.Open(p.coded.Bytes()); err != nil {
		return nil, fmt.Errorf("read what was coded: %w", err)
	}
	return &p.scan, nil
}

// wipe forgets everything, and keeps the memory.
func (p *plain) wipe() {
	if p.img == nil {
		return
	}
	for _, img := range []*image.YCbCr{p.img, p.own, p.blank, p.views[1].img, p.views[2].img, p.views[3].img} {
		if img != nil {
			wipe(img)
		}
	}
	for i := range p.views {
		p.views[i].made = false
	}
	p.coded.Reset()
	clear(p.coded.AvailableBuffer()[:p.coded.Available()])
	p.scan.Wipe()
	p.img = nil
}

// wipe clears also what lies beyond the bounds: a decoder pads to whole MCUs.
func wipe(img *image.YCbCr) {
	for _, pix := range [][]uint8{img.Y, img.Cb, img.Cr} {
		clear(pix[:cap(pix)])
	}
}
