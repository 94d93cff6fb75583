package main

import (
	"context"
	"fmt"
	"image"

	"gadeblik/blur"
)

// publishedQuality is that of the JPEGs which others' methods are published in.
const publishedQuality = 88

// method makes a published picture of a camera's.
type method struct {
	name string
	kind kind
	// usual says that this is how it is mostly done.
	usual bool
	// request is what package blur is asked for; nil for a method of others.
	request func(s *stage) blur.Request
	// spoil is what others do to the pixels: linear in them, but for a constant.
	spoil func(p *picture, s *stage)
	// area is what spoil changes.
	area func(s *stage) image.Rectangle
	// sigma is that of a blur, in pixels; 0 for what is none.
	sigma func(s *stage) float64
}

// kind says what has to come out for a method.
type kind int

const (
	safe    kind = iota // no attack may do better than chance
	broken              // the attacks must succeed, or they prove nothing
	exhibit             // shown for comparison
)

// published is a picture as the world gets it, and where in the frame it lies.
type published struct {
	file []byte
	at   image.Point
}

// publish redacts a camera's JPEG.
func (m *method) publish(s *stage, file []byte) (published, error) {
	if m.request == nil {
		p, err := decode(file)
		if err != nil {
			return published{}, err
		}
		m.spoil(p, s)
		out, err := p.encode(publishedQuality)
		return published{file: out}, err
	}
	src, err := blur.Open(file)
	if err != nil {
		return published{}, err
	}
	defer src.Close()
	img, err := blur.Redact(context.Background(), src, m.request(s))
	if err != nil {
		return published{}, err
	}
	return published{img.JPEG(), img.Offset()}, nil
}

// view is a published picture as an attacker opens it.
type view struct {
	published
	*picture
}

// see publishes a camera's file and looks at what comes out.
func (s *stage) see(m *method, file []byte) (view, error) {
	out, err := m.publish(s, file)
	if err != nil {
		return view{}, err
	}
	p, err := decode(out.file)
	return view{out, p}, err
}

// methods are all that is attacked.
func methods() []*method {
	var all []*method
	for _, f := range []blur.Fill{blur.Veil, blur.Solid} {
		for _, c := range []blur.Context{blur.Full, blur.Crop, blur.Coarse} {
			all = append(all, ours(f, c))
		}
	}
	return append(all,
		&method{name: "black box, on the grid of MCUs", kind: safe, spoil: black(applied), area: applied},
		&method{name: "black box, the plate's pixels", kind: exhibit, spoil: black(box), area: box},
		ownDC(),
		mosaic("mosaic, cells of 8 pixels", func(*stage) int { return 8 }).must(true),
		mosaic("mosaic, cells of 1/2 height", func(s *stage) int { return s.height / 2 }).must(false),
		mosaic("mosaic, cells of 1 height", func(s *stage) int { return s.height }),
		gaussian("Gaussian blur, 19x19 (σ 3.2)", func(*stage) float64 { return usualSigma }).must(true),
		gaussian("Gaussian blur, σ 1/4 height", func(s *stage) float64 { return float64(s.height) / 4 }).must(false),
		gaussian("Gaussian blur, σ 1/2 height", func(s *stage) float64 { return float64(s.height) / 2 }),
		gaussian("Gaussian blur, σ 1 height", func(s *stage) float64 { return float64(s.height) }),
	)
}

// usualSigma is what OpenCV makes of a kernel of 19x19.
const usualSigma = 3.2

// must says that the attacks have to succeed on the method.
func (m *method) must(usual bool) *method {
	m.kind, m.usual = broken, usual
	return m
}

func ours(f blur.Fill, c blur.Context) *method {
	return &method{
		name: fmt.Sprintf("ours: %v, %v", f, c), kind: safe, area: applied,
		request: func(s *stage) blur.Request {
			r := blur.Request{Fill: f, Context: c, Regions: []blur.Region{{Class: blur.Plate, Box: s.box}}}
			switch c {
			case blur.Crop:
				r.Keep = s.view
			case blur.Coarse:
				// Half of the plate lies in what is kept sharp.
				r.Keep = image.Rect(0, 0, s.frame.X/2, s.frame.Y)
			}
			return r
		},
	}
}

func applied(s *stage) image.Rectangle { return s.applied }

func box(s *stage) image.Rectangle { return s.box }
