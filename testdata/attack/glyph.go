package main

import (
	"math"
	"strings"
)

// alphabet is what a character of a plate can be, each as often as any other.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

const symbols = len(alphabet)

// strokes are the glyphs of the bundled drive's plates (testdata/generate): lines of a
// pen on a grid four wide and six high, parted by a slash, each point column then row.
// The zero has a stroke through it, or it would be the O, and nobody could tell them
// apart on the plate itself.
const strokes = "00 26 40/12 32;00 06 26 35 34 23 03/23 32 31 20 00;45 36 16 05 01 10 30 41;" + // A B C
	"00 06 26 44 42 20 00;40 00 06 46/03 33;00 06 46/03 33;45 36 16 05 01 10 30 41 43 23;" + // D E F G
	"00 06/40 46/03 43;20 26;01 10 20 31 36;00 06/46 03 40;06 00 40;00 06 23 46 40;00 06 40 46;" + // H-N
	"10 01 05 16 36 45 41 30 10;00 06 26 45 44 33 03;10 01 05 16 36 45 41 30 10/22 40;" + // O P Q
	"00 06 26 45 44 33 03/23 40;45 36 16 05 04 42 41 30 10 01;06 46/26 20;06 01 10 30 41 46;" + // R S T U
	"06 20 46;06 10 23 30 46;00 46/06 40;06 23 46/23 20;06 46 00 40;" + // V-Z
	"10 01 05 16 36 45 41 30 10/11 35;14 26 20;05 16 36 45 44 00 40;05 16 36 45 44 33 32 41 30 10 01/13 33;" + // 0-3
	"30 36 01 41;46 06 03 33 42 41 30 00;45 36 16 05 01 10 30 41 42 33 03;06 46 10;" + // 4-7
	"13 04 05 16 36 45 44 33 13 02 01 10 30 41 42 33;01 10 30 41 45 36 16 05 04 13 43" // 8 9

// glyph says for each pixel of its cell how much of it is ink, 0 to 1.
type glyph struct {
	w, h int
	ink  []float32
}

// mean is the index of the glyph that stands for a character nobody knows: the mean of all.
const mean = symbols

// newGlyphs draws the alphabet with characters so many pixels high in cells of the given
// width. The last, at index mean, is the mean of them.
func newGlyphs(height, width int) []glyph {
	all := make([]glyph, 0, symbols+1)
	average := glyph{w: width, h: height, ink: make([]float32, width*height)}
	for shape := range strings.SplitSeq(strokes, ";") {
		g := glyph{w: width, h: height, ink: make([]float32, width*height)}
		for y := range height {
			for x := range width {
				g.ink[y*width+x] = coverage(shape, x, y, height)
				average.ink[y*width+x] += g.ink[y*width+x] / float32(symbols)
			}
		}
		all = append(all, g)
	}
	return append(all, average)
}

// coverage is the share of pixel (x, y) that the pen blackens, of 4x4 points in it.
func coverage(shape string, x, y, height int) float32 {
	const side = 4
	nib := 0.07 * float64(height)
	step := (float64(height) - 2*nib) / 6
	n := 0
	for i := range side * side {
		px := float64(x) + (float64(i%side)+0.5)/side
		py := float64(y) + (float64(i/side)+0.5)/side
		// Into the grid, whose rows count upward.
		if near(shape, (px-nib)/step-0.3, (float64(height)-nib-py)/step) < nib/step {
			n++
		}
	}
	return float32(n) / (side * side)
}

// near is the distance of a point from the nearest stroke, in units of the grid.
func near(shape string, x, y float64) float64 {
	best := math.Inf(1)
	for line := range strings.SplitSeq(shape, "/") {
		pts := strings.Fields(line)
		for i := 1; i < len(pts); i++ {
			ax, ay := float64(pts[i-1][0]-'0'), float64(pts[i-1][1]-'0')
			dx, dy := float64(pts[i][0]-'0')-ax, float64(pts[i][1]-'0')-ay
			k := min(max(((x-ax)*dx+(y-ay)*dy)/(dx*dx+dy*dy), 0), 1)
			best = min(best, math.Hypot(x-ax-k*dx, y-ay-k*dy))
		}
	}
	return best
}
