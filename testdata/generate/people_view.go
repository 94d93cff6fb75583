package main

import (
	"image"
	"math"
)

// lookout is where the camera is and how it maps metres to pixels of the picture.
type lookout struct {
	eye   vec
	turn  pose // the camera's axes: X right, Y up, Z into the picture
	focal float64
}

// project returns where a point is in the picture, and 1/depth; the origin is the picture's middle.
func (c *lookout) project(p vec) vec {
	q := c.turn.inward(p.sub(c.eye))
	z := max(q.Z, 0.05)
	return vec{q.X / z * c.focal, -q.Y / z * c.focal, 1 / z}
}

// fine is how many samples a pixel has along each side.
const fine = 3

// sample is what is nearest at one place of the picture.
type sample struct {
	z      float32
	wb, wc float32
	piece  int16 // -1: nothing
	tri    int32
}

// canvas gathers samples. Its origin is that of lookout.project moved by (x0, y0).
type canvas struct {
	w, h   int // samples
	x0, y0 float64
	cells  []sample
}

// thresholds spreads opacity over the samples of a pixel, so that hair and hems are as dense as their texture says.
var thresholds = [fine * fine]float64{0.06, 0.72, 0.28, 0.5, 0.17, 0.83, 0.39, 0.94, 0.61}

// expose finds what each sample shows.
func (f figure) expose(c *lookout) *canvas {
	lo, hi := vec{math.Inf(1), math.Inf(1), 0}, vec{math.Inf(-1), math.Inf(-1), 0}
	seen := make([][]vec, len(f))
	for i, p := range f {
		seen[i] = make([]vec, len(p.verts))
		for k, v := range p.verts {
			seen[i][k] = c.project(v)
		}
		for _, t := range p.facets {
			for _, k := range t.v {
				q := seen[i][k]
				lo = vec{min(lo.X, q.X), min(lo.Y, q.Y), 0}
				hi = vec{max(hi.X, q.X), max(hi.Y, q.Y), 0}
			}
		}
	}
	x0, y0 := math.Floor(lo.X)-1, math.Floor(lo.Y)-1
	cv := &canvas{x0: x0, y0: y0, w: (int(hi.X-x0) + 2) * fine, h: (int(hi.Y-y0) + 2) * fine}
	cv.cells = make([]sample, cv.w*cv.h)
	for i := range cv.cells {
		cv.cells[i].piece = -1
	}
	for i, p := range f {
		for k := range p.facets {
			cv.fill(p, seen[i], i, k)
		}
	}
	return cv
}

// level is the copy of a texture that has about one pixel per sample of a triangle.
func (p *piece) level(t facet, area float64, tex *pixmap) int {
	a, b, c := p.uvs[t.t[0]], p.uvs[t.t[1]], p.uvs[t.t[2]]
	n := float64(len(tex.levels[0].Pix) / 4)
	texels := math.Abs((b[0]-a[0])*(c[1]-a[1])-(c[0]-a[0])*(b[1]-a[1])) * n
	if texels <= 0 || area <= 0 {
		return 0
	}
	return int(clamp(math.Log2(texels/area)/2-0.7, 0, 12))
}

func (cv *canvas) fill(p *piece, seen []vec, i, k int) {
	t := p.facets[k]
	at := func(v vec) vec { return vec{(v.X - cv.x0) * fine, (v.Y - cv.y0) * fine, v.Z} }
	a, b, c := at(seen[t.v[0]]), at(seen[t.v[1]]), at(seen[t.v[2]])
	area := (b.X-a.X)*(c.Y-a.Y) - (c.X-a.X)*(b.Y-a.Y)
	if math.Abs(area) < 1e-9 || math.IsNaN(area) {
		return
	}
	x0, x1 := max(0, int(math.Ceil(min(a.X, b.X, c.X)-0.5))), min(cv.w-1, int(math.Floor(max(a.X, b.X, c.X)-0.5)))
	y0, y1 := max(0, int(math.Ceil(min(a.Y, b.Y, c.Y)-0.5))), min(cv.h-1, int(math.Floor(max(a.Y, b.Y, c.Y)-0.5)))
	if x0 > x1 || y0 > y1 {
		return
	}
	tex := p.paints[p.part[k]].tex
	level := p.level(t, math.Abs(area)/2, tex)
	ub, uc := (c.Y-a.Y)/area, -(b.Y-a.Y)/area
	vb, vc := -(c.X-a.X)/area, (b.X-a.X)/area
	for y := y0; y <= y1; y++ {
		for x := x0; x <= x1; x++ {
			px, py := float64(x)+0.5-a.X, float64(y)+0.5-a.Y
			wb, wc := px*ub+py*vb, px*uc+py*vc
			if wb < 0 || wc < 0 || wb+wc > 1 {
				continue
			}
			z := float32(a.Z + wb*(b.Z-a.Z) + wc*(c.Z-a.Z))
			cell := &cv.cells[y*cv.w+x]
			if z <= cell.z {
				continue
			}
			u, v := p.place(t, wb, wc)
			if _, alpha := tex.at(u, v, level); alpha < thresholds[y%fine*fine+x%fine] {
				continue
			}
			*cell = sample{z, float32(wb), float32(wc), int16(i), int32(k)}
		}
	}
}

func (p *piece) place(t facet, wb, wc float64) (u, v float64) {
	a, b, c := p.uvs[t.t[0]], p.uvs[t.t[1]], p.uvs[t.t[2]]
	wa := 1 - wb - wc
	return a[0]*wa + b[0]*wb + c[0]*wc, a[1]*wa + b[1]*wb + c[1]*wc
}

func blend(list []vec, t facet, wb, wc float64) vec {
	return list[t.v[0]].mul(1 - wb - wc).add(list[t.v[1]].mul(wb)).add(list[t.v[2]].mul(wc))
}

// sprite is a developed picture with what its labels need.
type sprite struct {
	img  *image.NRGBA
	at   image.Point // of the picture's origin, in the canvas, pixels
	face int         // pixels that show the face
}

// develop lights the samples and makes pixels of them, cut to what shows and four pixels round it.
func (f figure) develop(cv *canvas, c *lookout, l sunlight) sprite {
	sun := f.shade(l.to, 420, newSurface(420, 420, false))
	w, h := cv.w/fine, cv.h/fine
	full := image.NewNRGBA(image.Rect(0, 0, w, h))
	box := image.Rectangle{}
	faces := 0
	for y := range h {
		for x := range w {
			sum, n := vec{}, 0
			for k := range fine * fine {
				s := &cv.cells[(y*fine+k/fine)*cv.w+x*fine+k%fine]
				if s.piece < 0 {
					continue
				}
				p := f[s.piece]
				sum = sum.add(p.light(s, c, l, sun))
				n++
				if p.face != nil && p.face[s.tri] {
					faces++
				}
			}
			if n == 0 {
				continue
			}
			box = box.Union(image.Rect(x, y, x+1, y+1))
			o := full.PixOffset(x, y)
			col := sum.mul(1 / float64(n))
			full.Pix[o], full.Pix[o+1], full.Pix[o+2] = shown(col.X), shown(col.Y), shown(col.Z)
			full.Pix[o+3] = byte((n*255 + fine*fine/2) / (fine * fine))
		}
	}
	const border = 4
	out := image.NewNRGBA(image.Rect(0, 0, box.Dx()+2*border, box.Dy()+2*border))
	for y := range box.Dy() {
		i, j := full.PixOffset(box.Min.X, box.Min.Y+y), out.PixOffset(border, border+y)
		copy(out.Pix[j:j+4*box.Dx()], full.Pix[i:])
	}
	return sprite{img: out, at: box.Min.Sub(image.Pt(border, border)), face: faces / (fine * fine)}
}

// light returns what leaves a sample towards the camera.
func (p *piece) light(s *sample, c *lookout, l sunlight, sun *sunMap) vec {
	t, wb, wc := p.facets[s.tri], float64(s.wb), float64(s.wc)
	pt := p.paints[p.part[s.tri]]
	u, v := p.place(t, wb, wc)
	col, _ := pt.tex.at(u, v, s.level(p, c))
	base := pt.colour(col, blend(p.rest, t, wb, wc))
	at, n := blend(p.verts, t, wb, wc), blend(p.norms, t, wb, wc).unit()
	back := c.eye.sub(at).unit()
	if n.dot(back) < 0 && !p.hair {
		n = n.sub(back.mul(2 * n.dot(back)))
	}
	sky := blend(p.sky, t, wb, wc)
	facing := n.dot(l.to)
	if p.hair {
		facing = 0.25 + 0.75*facing
	}
	lit := 0.0
	if facing > 0 {
		lit = sun.open(at.add(n.mul(0.01+p.lift)), 0.012+p.lift)
	}
	out := base.by(sky.add(l.sun.mul(max(facing, 0) * lit)))
	if pt.shine > 0 {
		half := back.add(l.to).unit()
		glint := math.Pow(max(half.dot(n), 0), 24) * lit
		out = out.add(l.sun.mul(glint * pt.shine)).add(sky.mul(pt.shine * 0.25 * math.Pow(1-max(n.dot(back), 0), 3)))
	}
	return out
}

// level is that of the sample's triangle, from how many pixels a metre is.
func (s *sample) level(p *piece, c *lookout) int {
	t := p.facets[s.tri]
	a, b, d := p.verts[t.v[0]], p.verts[t.v[1]], p.verts[t.v[2]]
	k := c.focal * float64(s.z) * fine
	area := b.sub(a).cross(d.sub(a)).len() / 2 * k * k
	return p.level(t, area, p.paints[p.part[s.tri]].tex)
}

// shown is light as a display value; the brightest is pressed together, as cameras do.
func shown(x float64) byte {
	if x > 0.6 {
		x = 0.6 + 0.4*(1-math.Exp(-(x-0.6)/0.4))
	}
	x = clamp(x, 0, 1)
	if x <= 0.0031308 {
		return byte(12.92*x*255 + 0.5)
	}
	return byte((1.055*math.Pow(x, 1/2.4)-0.055)*255 + 0.5)
}
