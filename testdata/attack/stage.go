package main

import (
	"context"
	"fmt"
	"image"
	"math/rand/v2"

	"gadeblik/blur"
)

const (
	characters    = 6  // on a plate
	cameraQuality = 90 // of the camera's JPEG
	ring          = 16 // pixels around what was covered that an attacker looks at, too
)

// stage is everything about a plate and its place but the text; the attacker knows it.
type stage struct {
	height  int             // of the characters, in pixels
	advance int             // from one character to the next
	frame   image.Point     // of the camera
	box     image.Rectangle // of the plate, off every grid
	text    image.Point     // of the first character
	applied image.Rectangle // of the box, as package blur grows and aligns it
	view    image.Rectangle // applied and the ring
	glyphs  []glyph
	grounds []*picture // what the camera sees without the plate
}

// newStage lays a plate out in the middle of frames that are just large enough.
func newStage(height int) (*stage, error) {
	s := &stage{height: height, advance: height * 17 / 20}
	pad := image.Pt(height/2, height*3/10)
	size := image.Pt(characters*s.advance, height).Add(pad.Mul(2)).Add(image.Pt(1, 1)).Div(2).Mul(2)
	around := image.Pt(max(16, size.X*12/100)+32, max(16, size.Y*12/100)+32)
	s.frame = size.Add(around.Mul(2)).Add(image.Pt(15, 15)).Div(16).Mul(16)
	// Six pixels off the grid of the blocks, so that it is nobody's friend.
	at := s.frame.Sub(size).Div(32).Mul(16).Add(image.Pt(6, 6))
	s.box = image.Rectangle{Min: at, Max: at.Add(size)}
	s.text = at.Add(pad)
	s.glyphs = newGlyphs(height, s.advance)
	var err error
	if s.applied, err = s.covered(); err != nil {
		return nil, err
	}
	s.view = s.applied.Inset(-ring).Intersect(image.Rectangle{Max: s.frame})
	return s, nil
}

// covered asks package blur which region it applies for the box.
func (s *stage) covered() (image.Rectangle, error) {
	file, err := newPicture(s.frame).encode(cameraQuality)
	if err != nil {
		return image.Rectangle{}, err
	}
	src, err := blur.Open(file)
	if err != nil {
		return image.Rectangle{}, err
	}
	defer src.Close()
	m, err := blur.Redact(context.Background(), src, blur.Request{Context: blur.Full, Regions: []blur.Region{{Class: blur.Plate, Box: s.box}}})
	if err != nil {
		return image.Rectangle{}, err
	}
	if n := len(m.Regions()); n != 1 {
		return image.Rectangle{}, fmt.Errorf("%d regions applied for one box", n)
	}
	return m.Regions()[0].Box.Add(m.Offset()), nil
}

// plate is a text, as indices of glyphs.
type plate [characters]int

func newPlate(rng *rand.Rand) (p plate) {
	for i := range p {
		p[i] = rng.IntN(symbols)
	}
	return p
}

// unknown is the plate of which nothing is known; with is it with one character known.
func unknown() (p plate) {
	for i := range p {
		p[i] = mean
	}
	return p
}

func (p plate) with(i, symbol int) plate {
	p[i] = symbol
	return p
}

// ground and ink are the colours of a Dutch plate. Its yellow shows in chroma what black
// on white would show in luma only.
func colours() (ground, ink [3]float32) {
	return [3]float32{182, 39, 169}, [3]float32{16, 128, 128}
}

// paint draws the plate over the picture, without perspective, sharp.
func (s *stage) paint(p *picture, text plate) {
	size := s.box.Size()
	cover := newPlane(size.X, size.Y)
	for i, symbol := range text {
		at := s.text.Sub(s.box.Min).Add(image.Pt(i*s.advance, 0))
		g := s.glyphs[symbol]
		for y := range g.h {
			copy(cover.v[(at.Y+y)*cover.w+at.X:][:g.w], g.ink[y*g.w:])
		}
	}
	ground, ink := colours()
	for i := range p.planes {
		r := samples(i, s.box)
		for y := r.Min.Y; y < r.Max.Y; y++ {
			row := p.planes[i].v[y*p.planes[i].w:]
			for x := r.Min.X; x < r.Max.X; x++ {
				row[x] = ground[i] + (ink[i]-ground[i])*cover.under(i, x-r.Min.X, y-r.Min.Y)
			}
		}
	}
}

// under is the ink in sample (x, y) of plane i.
func (c plane) under(i, x, y int) float32 {
	if i == 0 {
		return c.v[y*c.w+x]
	}
	at := c.v[2*y*c.w+2*x:]
	return (at[0] + at[1] + at[c.w] + at[c.w+1]) / 4
}

// frameOf is what the camera writes. The noise of the frame does not depend on the text;
// the plate has noise of its own over it. A nil source means no noise.
func (s *stage) frameOf(ground int, text plate, around, inside *rand.Rand) ([]byte, error) {
	p := s.grounds[ground].clone()
	if around != nil {
		p.noise(around, image.Rectangle{Max: s.frame})
	}
	s.paint(p, text)
	if inside != nil {
		p.noise(inside, s.box)
	}
	return p.encode(cameraQuality)
}

// look gathers what an attacker sees in the view: the means of squares of so many
// samples, luma first.
func (s *stage) look(v view, side int) []float32 {
	var out []float32
	for i, q := range v.planes {
		r := samples(i, s.view.Sub(v.at))
		for y := r.Min.Y; y+side <= r.Max.Y; y += side {
			for x := r.Min.X; x+side <= r.Max.X; x += side {
				out = append(out, q.mean(image.Rect(x, y, x+side, y+side)))
			}
		}
	}
	return out
}

func (c plane) mean(r image.Rectangle) float32 {
	var sum float32
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for _, v := range c.v[y*c.w+r.Min.X : y*c.w+r.Max.X] {
			sum += v
		}
	}
	return sum / float32(r.Dx()*r.Dy())
}
