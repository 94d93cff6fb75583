package main

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
)

// plane holds the samples of one component.
type plane struct {
	w, h int
	v    []float32
}

func newPlane(w, h int) plane { return plane{w, h, make([]float32, w*h)} }

// picture is Y, Cb and Cr in 4:2:0, in numbers that need not be whole: what is done to
// it before it is coded loses nothing.
type picture struct {
	size   image.Point
	planes [3]plane
}

func newPicture(size image.Point) *picture {
	half := size.Add(image.Pt(1, 1)).Div(2)
	return &picture{size, [3]plane{newPlane(size.X, size.Y), newPlane(half.X, half.Y), newPlane(half.X, half.Y)}}
}

func (p *picture) clone() *picture {
	q := *p
	for i := range q.planes {
		q.planes[i].v = append([]float32(nil), p.planes[i].v...)
	}
	return &q
}

// sub takes q away from p.
func (p *picture) sub(q *picture) {
	for i := range p.planes {
		for k, v := range q.planes[i].v {
			p.planes[i].v[k] -= v
		}
	}
}

// samples are those of plane i that lie under pixels of r.
func samples(i int, r image.Rectangle) image.Rectangle {
	if i == 0 {
		return r
	}
	return image.Rect(r.Min.X/2, r.Min.Y/2, (r.Max.X+1)/2, (r.Max.Y+1)/2)
}

// Strength of the camera's noise, in steps of a sample.
const (
	lumaNoise   = 2.5
	chromaNoise = 1.5
)

// noise is the camera's, over the pixels of r.
func (p *picture) noise(rng *rand.Rand, r image.Rectangle) {
	for i := range p.planes {
		s, strength := samples(i, r), lumaNoise
		if i > 0 {
			strength = chromaNoise
		}
		for y := s.Min.Y; y < s.Max.Y; y++ {
			row := p.planes[i].v[y*p.planes[i].w:]
			for x := s.Min.X; x < s.Max.X; x++ {
				row[x] += float32(strength * rng.NormFloat64())
			}
		}
	}
}

// encode returns the picture as a 4:2:0 JPEG.
func (p *picture) encode(quality int) ([]byte, error) {
	img := image.NewYCbCr(image.Rectangle{Max: p.size}, image.YCbCrSubsampleRatio420)
	for i, pix := range [][]uint8{img.Y, img.Cb, img.Cr} {
		for k, v := range p.planes[i].v {
			pix[k] = uint8(min(max(v+0.5, 0), 255))
		}
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality})
	return out.Bytes(), err
}

// decode reads a JPEG of any subsampling; one in 4:2:0 keeps its samples.
func decode(file []byte) (*picture, error) {
	found, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	img, ok := found.(*image.YCbCr)
	if !ok {
		return nil, fmt.Errorf("a picture in %T: want one in YCbCr", found)
	}
	return window(img, img.Rect), nil
}

// window copies r, which begins at even coordinates and lies in the picture. Where the
// picture has more chroma samples than one for 2x2 pixels, one of them is taken.
func window(img *image.YCbCr, r image.Rectangle) *picture {
	p := newPicture(r.Size())
	p.planes[0].fill(img.Y, func(x, y int) int { return img.YOffset(r.Min.X+x, r.Min.Y+y) })
	at := func(x, y int) int { return img.COffset(r.Min.X+2*x, r.Min.Y+2*y) }
	p.planes[1].fill(img.Cb, at)
	p.planes[2].fill(img.Cr, at)
	return p
}

// fill takes the samples from pix, in which (x, y) lies at an offset that is the sum of
// one for x and one for y.
func (c plane) fill(pix []uint8, at func(x, y int) int) {
	columns := make([]int, c.w)
	for x := range columns {
		columns[x] = at(x, 0)
	}
	for y := range c.h {
		from, row := at(0, y)-at(0, 0), c.v[y*c.w:][:c.w]
		for x := range row {
			row[x] = float32(pix[from+columns[x]])
		}
	}
}
