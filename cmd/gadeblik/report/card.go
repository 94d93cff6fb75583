package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/jpeg"
	"strings"

	"gadeblik/agent"
)

// card is one finding in the page's terms.
type card struct {
	N       int
	F       Finding
	Picture template.URL // a small copy of the evidence, which is redacted already
	Width   int
	Height  int
	Box     [4]string // of the object, in per cent of the picture
	Removed string
	Why     string
	Until   string
}

const (
	cardWidth   = 480 // pixels
	cardQuality = 72
)

func cardOf(n int, f Finding, p *agent.Plan) (card, error) {
	img, err := jpeg.Decode(bytes.NewReader(f.JPEG))
	if err != nil {
		return card{}, fmt.Errorf("read evidence %s: %w", f.ID, err)
	}
	small := shrink(img, cardWidth)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, small, &jpeg.Options{Quality: cardQuality}); err != nil {
		return card{}, fmt.Errorf("shrink evidence %s: %w", f.ID, err)
	}
	size := img.Bounds().Size()
	c := card{
		N: n, F: f,
		Picture: template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(b.Bytes())),
		Width:   small.Bounds().Dx(), Height: small.Bounds().Dy(),
		Removed: removed(f.Redaction.Regions),
		Why:     why(f, p),
		Until:   f.ExpiresAt.UTC().Format("2 January 2006"),
	}
	for i, v := range f.Object.Box {
		whole := size.X
		if i%2 == 1 {
			whole = size.Y
		}
		if i >= 2 {
			v -= f.Object.Box[i-2]
		}
		c.Box[i] = fmt.Sprintf("%.2f%%", 100*float64(v)/float64(whole))
	}
	return c, nil
}

// shrink averages the picture down to a width; a smaller one stays as it is.
func shrink(img image.Image, width int) image.Image {
	b := img.Bounds()
	if b.Dx() <= width {
		return img
	}
	height := max(b.Dy()*width/b.Dx(), 1)
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			cell := image.Rect(b.Min.X+x*b.Dx()/width, b.Min.Y+y*b.Dy()/height,
				b.Min.X+(x+1)*b.Dx()/width, b.Min.Y+(y+1)*b.Dy()/height)
			i := out.PixOffset(x, y)
			copy(out.Pix[i:i+4], mean(img, cell))
		}
	}
	return out
}

func mean(img image.Image, cell image.Rectangle) []byte {
	var r, g, b, n uint32
	for y := cell.Min.Y; y < max(cell.Max.Y, cell.Min.Y+1); y++ {
		for x := cell.Min.X; x < max(cell.Max.X, cell.Min.X+1); x++ {
			cr, cg, cb, _ := img.At(x, y).RGBA()
			r, g, b, n = r+cr>>8, g+cg>>8, b+cb>>8, n+1
		}
	}
	return []byte{byte(r / n), byte(g / n), byte(b / n), 255}
}

// removed says what is gone: "2 persons, 1 face, no plates".
func removed(regions map[string]int) string {
	var parts []string
	for _, class := range []string{"person", "face", "plate"} {
		switch n := regions[class]; n {
		case 0:
			parts = append(parts, "no "+class+"s")
		case 1:
			parts = append(parts, "1 "+class)
		default:
			parts = append(parts, fmt.Sprintf("%d %ss", n, class))
		}
	}
	return strings.Join(parts, ", ")
}

// why says in a sentence what allowed this look.
func why(f Finding, p *agent.Plan) string {
	for _, t := range p.Tasks {
		if t.ID == f.Task {
			return fmt.Sprintf("%s, by %s (%s), in zone %s, under orders version %d.",
				t.Title, t.Controller, t.LegalBasis, f.Zone, f.OrdersVersion)
		}
	}
	return ""
}
