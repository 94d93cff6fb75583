package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"slices"
)

// minPixels is how many pixels of a thing must show for truth to mention it.
const minPixels = 36

// mark is one thing in one picture.
type mark struct {
	ID     int     `json:"id"`
	Class  string  `json:"class"`
	Box    [4]int  `json:"box"` // of the pixels that show: x0, y0, x1, y1, the last two exclusive
	Pixels int     `json:"pixels"`
	Shown  float64 `json:"shown"` // the box's share of the box it would have if nothing hid it or cut it off
	Away   float64 `json:"metres"`
	Turned *int    `json:"turned,omitempty"` // of faces: degrees between where it looks and the camera
}

// gathered is what one frame shows of one object.
type gathered struct {
	obj    *object
	box    image.Rectangle
	full   [4]float64
	pixels int
	away   float64
	turned int
}

// marks reads the painter's last pass: who is to be seen where. Boxes are those of the drawn picture, exact to the pixel.
func (p *painter) marks(cam camera) []mark { return p.seen(cam, minPixels) }

// seen is marks with another limit than the drive's.
func (p *painter) seen(cam camera, least int) []mark {
	found := map[*object]*gathered{}
	for i, id := range p.eye.id {
		if id < 0 {
			continue
		}
		at := image.Pt(i%cam.w, i/cam.w)
		for owner := p.arena.insts[p.arena.prims[id].inst].obj; owner != nil; owner = owner.of {
			g := found[owner]
			if g == nil {
				g = &gathered{obj: owner, full: [4]float64{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}}
				found[owner] = g
			}
			g.box = g.box.Union(image.Rectangle{at, at.Add(image.Pt(1, 1))})
			g.pixels++
		}
	}
	p.spans(cam, found)
	var out []mark
	for _, g := range found {
		if g.pixels >= least {
			out = append(out, g.mark())
		}
	}
	slices.SortFunc(out, func(a, b mark) int { return a.ID - b.ID })
	return out
}

// spans measures the objects that were found as if nothing stood before them.
func (p *painter) spans(cam camera, found map[*object]*gathered) {
	next := 0
	for _, in := range p.arena.insts {
		corners := p.arena.seen[next : next+len(in.mesh.vs)]
		next += len(in.mesh.vs)
		for owner := in.obj; owner != nil; owner = owner.of {
			if g := found[owner]; g != nil {
				g.span(cam, in, corners)
			}
		}
	}
}

func (g *gathered) span(cam camera, in *instance, corners []vec) {
	for _, v := range corners {
		if v.Z < near {
			continue
		}
		q := cam.screen(v)
		g.full = [4]float64{min(g.full[0], q.X), min(g.full[1], q.Y), max(g.full[2], q.X), max(g.full[3], q.Y)}
	}
	g.away = cam.view(in.pose.O).len()
	if g.obj.class == "face" {
		to := cam.pose.O.sub(in.pose.O).unit()
		g.turned = int(math.Round(math.Acos(clamp(to.dot(in.pose.Z.unit()), -1, 1)) * 180 / math.Pi))
	}
}

func (g *gathered) mark() mark {
	b := g.box
	whole := (g.full[2] - g.full[0]) * (g.full[3] - g.full[1])
	m := mark{
		ID: g.obj.id, Class: g.obj.class, Box: [4]int{b.Min.X, b.Min.Y, b.Max.X, b.Max.Y}, Pixels: g.pixels,
		Shown: math.Round(clamp(float64(b.Dx()*b.Dy())/whole, 0.01, 1)*100) / 100, Away: math.Round(g.away*10) / 10,
	}
	if g.obj.class == "face" {
		m.Turned = &g.turned
	}
	return m
}

// entry is an object in the list of all that was drawn.
type entry struct {
	ID     int      `json:"id"`
	Class  string   `json:"class"`
	Of     int      `json:"of,omitempty"`
	Text   string   `json:"text,omitempty"`
	Lat    *float64 `json:"lat,omitempty"` // of what stands still
	Lon    *float64 `json:"lon,omitempty"`
	Frames int      `json:"frames"` // in how many frames it shows
}

// truth is the record of the drive, one line per object and per frame.
type truth struct {
	stage  *stage
	size   image.Point
	frames map[int][]mark
}

// bytes writes the record: JSON with a line for each object and frame, objects that never show left out.
func (t truth) bytes() ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n \"size\": [%d, %d],\n \"objects\": [", t.size.X, t.size.Y)
	seen := map[int]int{}
	for _, marks := range t.frames {
		for _, m := range marks {
			seen[m.ID]++
		}
	}
	sep := "\n  "
	for _, o := range t.stage.objects {
		if seen[o.id] == 0 {
			continue
		}
		e := entry{ID: o.id, Class: o.class, Text: o.text, Frames: seen[o.id]}
		if o.of != nil {
			e.Of = o.of.id
		}
		if p, still := t.stage.places[o.id]; still {
			at := lonLat(p)
			e.Lat, e.Lon = &at[1], &at[0]
		}
		line, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		b.WriteString(sep)
		b.Write(line)
		sep = ",\n  "
	}
	b.WriteString("\n ],\n \"frames\": {")
	sep = "\n  "
	for _, ms := range shots() {
		marks, drawn := t.frames[ms]
		if !drawn {
			continue
		}
		line, err := json.Marshal(marks)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s\"%s\": %s", sep, frameName(ms), line)
		sep = ",\n  "
	}
	b.WriteString("\n }\n}\n")
	return b.Bytes(), nil
}
