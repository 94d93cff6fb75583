package main

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
)

// A canary is a pattern that no street has: cells of four by four pixels, each a
// little lighter or darker than what it is painted on, by a rule that only its seed
// gives. Painted on faces and plates it survives JPEG coding, a new size and a new
// place in another picture, and whoever knows the seed finds it by correlation where
// nobody would see it.
//
// The rule is one for the whole picture, as if it lay under a sheet with holes: so
// one correlation finds whatever hole of whatever frame shows, also a part of one.
type canary struct {
	seed uint64
	rule [ruleCells][ruleCells]float32 // 1 or -1
}

const (
	cellSize  = 4  // pixels
	ruleCells = 16 // until the rule repeats
	ruleSize  = ruleCells * cellSize
)

// Strengths from which on a find is the canary. Pictures that never met it reach 2.6
// where others are painted and 5.5 anywhere; what is painted reaches 4 to 50.
const (
	strongInPlace  = 4.0
	strongAnywhere = 7.0
)

func newCanary(seed uint64) *canary {
	c := &canary{seed: seed}
	r := rand.New(rand.NewPCG(seed, 0x63616e617279))
	for y := range c.rule {
		// As many light cells as dark ones in each row, so that no row is a bar.
		for i, x := range r.Perm(ruleCells) {
			c.rule[y][x] = float32(1 - 2*(i%2))
		}
	}
	return c
}

// paint makes each cell inside of the box so much lighter or darker, of 255.
func (c *canary) paint(img *image.YCbCr, box image.Rectangle, depth int) {
	box = box.Intersect(img.Rect)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			i := img.YOffset(x, y)
			ground := min(max(int(img.Y[i]), depth), 255-depth)
			img.Y[i] = uint8(ground + int(c.rule[y/cellSize%ruleCells][x/cellSize%ruleCells])*depth)
		}
	}
}

// relief is a picture without what is large or strong in it: how much lighter each
// pixel is than its surroundings, limited to -1 and 1. The first row and column of
// the sums are zero.
type relief struct {
	w, h   int
	v      []float32
	energy []float64 // sums of v*v from the top left corner
}

func (r *relief) size() image.Rectangle { return image.Rect(0, 0, r.w, r.h) }

// bold is a difference that counts half of the strongest.
const bold = 20

// reliefOf takes cells of so many pixels for what is small.
func reliefOf(g *image.Gray, cell int) *relief {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	sums := integral(w, h, func(i int) float64 { return float64(g.Pix[i]) })
	r := &relief{w: w, h: h, v: make([]float32, w*h)}
	reach := 3 * cell / 2
	for y := range h {
		for x := range w {
			around := image.Rect(x-reach, y-reach, x+reach+1, y+reach+1).Intersect(r.size())
			d := float64(g.Pix[y*g.Stride+x]) - sumOf(sums, w, around)/float64(around.Dx()*around.Dy())
			r.v[y*w+x] = float32(d / (math.Abs(d) + bold)) // an edge weighs no more than paint
		}
	}
	r.energy = integral(w, h, func(i int) float64 { return float64(r.v[i]) * float64(r.v[i]) })
	return r
}

// integral sums what of gives for each pixel, from the top left corner on.
func integral(w, h int, of func(i int) float64) []float64 {
	sums := make([]float64, (w+1)*(h+1))
	for y := range h {
		row := 0.0
		for x := range w {
			row += of(y*w + x)
			sums[(y+1)*(w+1)+x+1] = sums[y*(w+1)+x+1] + row
		}
	}
	return sums
}

func sumOf(sums []float64, w int, b image.Rectangle) float64 {
	at := func(x, y int) float64 { return sums[y*(w+1)+x] }
	return at(b.Max.X, b.Max.Y) - at(b.Min.X, b.Max.Y) - at(b.Max.X, b.Min.Y) + at(b.Min.X, b.Min.Y)
}

// find is the place of a picture that looks most like the canary.
type find struct {
	box         image.Rectangle // in pixels of the picture that was searched
	correlation float64         // -1 to 1
	cells       float64         // how many the box has
}

// strength is the correlation in units of what chance gives: a box of few cells
// looks like anything now and then.
func (f find) strength() float64 { return f.correlation * math.Sqrt(f.cells) }

func (f find) String() string {
	return fmt.Sprintf("%.1f (correlation %.2f over %.0f cells at %v)", f.strength(), f.correlation, f.cells, f.box)
}

// faint keeps places from looking like anything that are all but even: less than an
// eighth of the paint counts for less and less.
const faint = 0.06

// rate correlates a box, given the sums of relief times rule.
func (r *relief) rate(sums []float64, b image.Rectangle, cell int) find {
	n := float64(b.Dx() * b.Dy())
	c := sumOf(sums, r.w, b) / math.Sqrt((sumOf(r.energy, r.w, b)+n*faint*faint)*n)
	return find{b, c, n / float64(cell*cell)}
}

// under returns the sums of the relief times the rule, moved by that much.
func (c *canary) under(r *relief, cell, dx, dy int) []float64 {
	sums := make([]float64, (r.w+1)*(r.h+1))
	across := make([]int, r.w)
	for x := range across {
		across[x] = (x + dx) / cell % ruleCells
	}
	for y := range r.h {
		rule, row := &c.rule[(y+dy)/cell%ruleCells], 0.0
		from, above, below := r.v[y*r.w:(y+1)*r.w], sums[y*(r.w+1)+1:], sums[(y+1)*(r.w+1)+1:]
		for x, v := range from {
			row += float64(v * rule[across[x]])
			below[x] = above[x] + row
		}
	}
	return sums
}

// inPlace looks at every place where something was painted, in a picture that shows what the frame showed
// where the frame showed it, give or take two pixels.
func (c *canary) inPlace(g *image.Gray, places []image.Rectangle) find {
	r := reliefOf(g, cellSize)
	var best find
	for dy := -2; dy <= 2; dy += 2 {
		for dx := -2; dx <= 2; dx += 2 {
			sums := c.under(r, cellSize, ruleSize+dx, ruleSize+dy)
			for _, p := range places {
				if f := r.rate(sums, p.Intersect(r.size()), cellSize); !f.box.Empty() && f.strength() > best.strength() {
					best = f
				}
			}
		}
	}
	return best
}

// each returns how strong the canary is at each place, exactly there.
func (c *canary) each(g *image.Gray, places []image.Rectangle) []find {
	r := reliefOf(g, cellSize)
	sums := c.under(r, cellSize, 0, 0)
	finds := make([]find, len(places))
	for i, p := range places {
		finds[i] = r.rate(sums, p.Intersect(r.size()), cellSize)
	}
	return finds
}

// holes are the sizes of the holes that anywhere looks for, in cells.
var holes = [...]image.Point{{8, 8}, {16, 6}, {6, 16}, {16, 16}, {10, 28}}

// anywhere looks at every place for any part of the rule, in a picture whose cells
// have so many pixels. It looks at half the size.
func (c *canary) anywhere(g *image.Gray, cell float64) find {
	const small = cellSize / 2
	r := reliefOf(resized(g, small/cell), small)
	var best find
	for phase := range (ruleCells * small) * (ruleCells * small) {
		sums := c.under(r, small, phase%(ruleCells*small), phase/(ruleCells*small))
		for _, hole := range holes {
			if f := r.sweep(sums, hole.Mul(small), small); f.strength() > best.strength() {
				best = f
			}
		}
	}
	k := cell / small
	best.box = image.Rect(int(float64(best.box.Min.X)*k), int(float64(best.box.Min.Y)*k), int(float64(best.box.Max.X)*k), int(float64(best.box.Max.Y)*k))
	return best
}

// sweep rates the box at every fourth pixel.
func (r *relief) sweep(sums []float64, size image.Point, cell int) find {
	var best find
	for y := 0; y+size.Y <= r.h; y += 4 {
		for x := 0; x+size.X <= r.w; x += 4 {
			if f := r.rate(sums, image.Rectangle{image.Pt(x, y), image.Pt(x, y).Add(size)}, cell); f.correlation > best.correlation {
				best = f
			}
		}
	}
	return best
}

// grayOf returns the luma of a picture, from (0,0) and without gaps.
func grayOf(img image.Image) *image.Gray {
	b := img.Bounds()
	g := image.NewGray(image.Rectangle{Max: b.Size()})
	planar, _ := img.(*image.YCbCr)
	for y := range b.Dy() {
		if planar != nil {
			copy(g.Pix[y*g.Stride:][:b.Dx()], planar.Y[planar.YOffset(b.Min.X, b.Min.Y+y):])
			continue
		}
		for x := range b.Dx() {
			g.Pix[y*g.Stride+x] = color.GrayModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.Gray).Y
		}
	}
	return g
}

// resized makes a picture k times as large, each pixel the mean of what it covers.
func resized(g *image.Gray, k float64) *image.Gray {
	w, h := max(1, int(float64(g.Rect.Dx())*k)), max(1, int(float64(g.Rect.Dy())*k))
	out := image.NewGray(image.Rect(0, 0, w, h))
	const taps = 4
	for y := range h {
		for x := range w {
			sum := 0
			for i := range taps * taps {
				sx := int((float64(x) + (float64(i%taps)+0.5)/taps) / k)
				sy := int((float64(y) + (float64(i/taps)+0.5)/taps) / k)
				sum += int(g.Pix[min(sy, g.Rect.Dy()-1)*g.Stride+min(sx, g.Rect.Dx()-1)])
			}
			out.Pix[y*out.Stride+x] = uint8((sum + taps*taps/2) / (taps * taps))
		}
	}
	return out
}
