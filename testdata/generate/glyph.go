package main

import "strings"

// glyphs are letters drawn with a pen on a grid four wide and six high: strokes are separated by a slash, points
// by a space, each point is column then row. One table, looked up by position in letters.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZØÅÆ0123456789&-."

const strokes = "00 26 40/12 32;00 06 26 35 34 23 03/23 32 31 20 00;45 36 16 05 01 10 30 41;" + // A B C
	"00 06 26 44 42 20 00;40 00 06 46/03 33;00 06 46/03 33;45 36 16 05 01 10 30 41 43 23;" + // D E F G
	"00 06/40 46/03 43;20 26;01 10 20 31 36;00 06/46 03 40;06 00 40;00 06 23 46 40;00 06 40 46;" + // H-N
	"10 01 05 16 36 45 41 30 10;00 06 26 45 44 33 03;10 01 05 16 36 45 41 30 10/22 40;" + // O P Q
	"00 06 26 45 44 33 03/23 40;45 36 16 05 04 42 41 30 10 01;06 46/26 20;06 01 10 30 41 46;" + // R S T U
	"06 20 46;06 10 23 30 46;00 46/06 40;06 23 46/23 20;06 46 00 40;" + // V-Z
	"10 01 05 16 36 45 41 30 10/00 46;00 25 40/12 32/25 26;46 16 00/20 26/12 22/20 40/23 43;" + // Ø Å Æ
	"10 01 05 16 36 45 41 30 10;14 26 20;05 16 36 45 44 00 40;05 16 36 45 44 33 32 41 30 10 01/13 33;" + // 0-3
	"30 36 01 41;46 06 03 33 42 41 30 00;45 36 16 05 01 10 30 41 42 33 03;06 46 10;" + // 4-7
	"13 04 05 16 36 45 44 33 13 02 01 10 30 41 42 33;01 10 30 41 45 36 16 05 04 13 43;" + // 8 9
	"40 05 16 25 01 10 20 42;13 33;20 21" // & - .

// textRows is the height of a text's texture; letters take its middle 24 rows.
const textRows = 32

// texture is a picture of one value per cell with halved copies for the distance. It is not written once made.
type texture struct {
	w, h int
	v    []float32
	half *texture
	nib  float64 // half the width of the pen, in cells
}

// written draws one line of text with a round pen; unknown letters are gaps.
func written(text string) *texture { return penned(text, 2.6) }

// penned is written with a pen of another width.
func penned(text string, nib float64) *texture {
	const cell = 4.0
	runes := []rune(text)
	w := int(float64(len(runes))*5.6*cell) + 8
	t := &texture{w: w, h: textRows, v: make([]float32, w*textRows), nib: nib}
	shapes := strings.Split(strokes, ";")
	known := []rune(letters)
	for i, r := range runes {
		for k := range known {
			if known[k] == r {
				t.pen(shapes[k], 8+float64(i)*5.6*cell)
			}
		}
	}
	t.shrink()
	return t
}

// pen draws one glyph with its left edge at column left.
func (t *texture) pen(glyph string, left float64) {
	for line := range strings.SplitSeq(glyph, "/") {
		pts := strings.Fields(line)
		for i := 1; i < len(pts); i++ {
			t.line(spot(pts[i-1], left), spot(pts[i], left))
		}
	}
}

func spot(s string, left float64) vec {
	return vec{left + float64(s[0]-'0')*4, textRows - 4 - float64(s[1]-'0')*4, 0}
}

// line darkens all cells near the stroke from a to b.
func (t *texture) line(a, b vec) {
	d := b.sub(a)
	for y := max(0, int(min(a.Y, b.Y))-3); y <= min(t.h-1, int(max(a.Y, b.Y))+3); y++ {
		for x := max(0, int(min(a.X, b.X))-3); x <= min(t.w-1, int(max(a.X, b.X))+3); x++ {
			p := vec{float64(x) + 0.5, float64(y) + 0.5, 0}
			k := clamp(p.sub(a).dot(d)/d.dot(d), 0, 1)
			ink := clamp(t.nib+0.5-p.sub(a.add(d.mul(k))).len(), 0, 1)
			t.v[y*t.w+x] = max(t.v[y*t.w+x], float32(ink))
		}
	}
}

// shrink makes the halved copies.
func (t *texture) shrink() {
	if t.h < 4 || t.w < 4 {
		return
	}
	s := &texture{w: t.w / 2, h: t.h / 2, v: make([]float32, (t.w/2)*(t.h/2))}
	for y := range s.h {
		for x := range s.w {
			i := 2*y*t.w + 2*x
			s.v[y*s.w+x] = (t.v[i] + t.v[i+1] + t.v[i+t.w] + t.v[i+t.w+1]) / 4
		}
	}
	t.half = s
	s.shrink()
}

// ink reads the texture at u, v in [0, 1], v upward, with cells as large as the pixel covers; outside is none.
func (t *texture) ink(u, v, cover float64) float64 {
	for t.half != nil && cover*float64(t.w) > 1.4 {
		t = t.half
	}
	x, y := u*float64(t.w)-0.5, (1-v)*float64(t.h)-0.5
	if u < 0 || v < 0 || u > 1 || v > 1 {
		return 0
	}
	x0, y0 := int(max(x, 0)), int(max(y, 0))
	x1, y1 := min(x0+1, t.w-1), min(y0+1, t.h-1)
	fx, fy := clamp(x-float64(x0), 0, 1), clamp(y-float64(y0), 0, 1)
	at := func(x, y int) float64 { return float64(t.v[y*t.w+x]) }
	return mix(mix(at(x0, y0), at(x1, y0), fx), mix(at(x0, y1), at(x1, y1), fx), fy)
}
