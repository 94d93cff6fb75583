package main

import (
	"fmt"
	"math"
	"strconv"
)

// tie says where one vertex of a cloth hangs: on three vertices of the body, by weights, and an offset that grows with
// the body.
type tie struct {
	v   [3]int32
	w   [3]float64
	off vec
}

// gauge is a length of the body along one axis that a cloth's offsets were measured with.
type gauge struct {
	a, b int32
	div  float64
}

// cloth is a garment, hair or the eyes: a surface that hangs on the body.
type cloth struct {
	shell *shell
	ties  []tie
	scale [3]gauge // X, Y, Z
	hides []int32  // vertices of the body that are under it
	parts []uint8  // per triangle, see partOf
}

// The parts of a suit that are dyed on their own.
const (
	partLower = iota // trousers
	partUpper        // the largest piece above the waist
	partExtra        // all else above the waist: ties, lapels, sleeves of another shirt
	partShoe         // what is on the feet
	partWhole        // shirt and trousers in one, dyed as partUpper above the waist and partLower below
	partCount
)

// waist is the height, in the body's files, that parts trousers from shirts, and ankle what parts them from shoes. A
// piece that reaches from below knee to above chest is shirt and trousers in one and parted by the waist.
const waist, ankle, knee, chest = 0.4, -6.9, -3.0, 3.0

// readCloth reads how a surface hangs on a body of n vertices.
func readCloth(path string, sh *shell, n int) (*cloth, error) {
	c := &cloth{shell: sh}
	section := ""
	err := eachLine(path, func(words []string) error {
		switch words[0] {
		case "verts", "delete_verts":
			section = words[0]
			return nil
		case "x_scale", "y_scale", "z_scale":
			return c.measure(words, n)
		}
		if words[0][0] < '0' || words[0][0] > '9' {
			return nil
		}
		if section == "verts" {
			return c.hang(words, n)
		}
		return c.hide(words, n)
	})
	if err == nil && len(c.ties) != len(sh.verts) {
		err = fmt.Errorf("read %s: %d ties for %d vertices", path, len(c.ties), len(sh.verts))
	}
	if err != nil {
		return nil, err
	}
	c.parts = sh.cut()
	return c, nil
}

func (c *cloth) measure(words []string, n int) error {
	x, err := numbers(words[1:], 3)
	if err != nil {
		return err
	}
	if min(x[0], x[1]) < 0 || max(x[0], x[1]) >= float64(n) || x[2] == 0 {
		return fmt.Errorf("scale %v: two vertices below %d and a length", x, n)
	}
	c.scale[words[0][0]-'x'] = gauge{int32(x[0]), int32(x[1]), x[2]}
	return nil
}

func (c *cloth) hang(words []string, n int) error {
	x, err := numbers(words, 1)
	if err != nil {
		return err
	}
	t := tie{w: [3]float64{1, 0, 0}}
	t.v = [3]int32{int32(x[0]), int32(x[0]), int32(x[0])}
	if len(x) >= 6 {
		t.v, t.w = [3]int32{int32(x[0]), int32(x[1]), int32(x[2])}, [3]float64{x[3], x[4], x[5]}
	}
	if len(x) >= 9 {
		t.off = vec{x[6], x[7], x[8]}
	}
	for _, v := range t.v {
		if v < 0 || int(v) >= n {
			return fmt.Errorf("vertex %d: below %d", v, n)
		}
	}
	c.ties = append(c.ties, t)
	return nil
}

// hide reads vertices and spans of them, "3 - 5 9".
func (c *cloth) hide(words []string, n int) error {
	last, span := int32(-1), false
	for _, w := range words {
		if w == "-" {
			span = true
			continue
		}
		v, err := strconv.Atoi(w)
		if err != nil || v < 0 || v >= n {
			return fmt.Errorf("hidden vertex %q: below %d", w, n)
		}
		for span && last+1 < int32(v) {
			last++
			c.hides = append(c.hides, last)
		}
		last, span = int32(v), false
		c.hides = append(c.hides, last)
	}
	return nil
}

// drape returns the cloth's vertices on a body.
func (c *cloth) drape(body []vec) []vec {
	axis := func(v vec, k int) float64 { return [3]float64{v.X, v.Y, v.Z}[k] }
	s := [3]float64{1, 1, 1}
	for k, g := range c.scale {
		if g.div != 0 {
			s[k] = math.Abs(axis(body[g.a], k)-axis(body[g.b], k)) / g.div
		}
	}
	out := make([]vec, len(c.ties))
	for i, t := range c.ties {
		p := vec{t.off.X * s[0], t.off.Y * s[1], t.off.Z * s[2]}
		for k, v := range t.v {
			p = p.add(body[v].mul(t.w[k]))
		}
		out[i] = p
	}
	return out
}

// island is a connected part of a surface.
type island struct{ low, high, height, size float64 }

func (s *shell) survey() (of []int, lands []island) {
	of, n := s.islands()
	lands = make([]island, n)
	for i := range lands {
		lands[i].low, lands[i].high = math.Inf(1), math.Inf(-1)
	}
	for i, f := range s.facets {
		l, y := &lands[of[i]], s.verts[f.v[0]].Y
		l.low, l.high = min(l.low, y), max(l.high, y)
		l.height, l.size = l.height+y, l.size+1
	}
	for i := range lands {
		lands[i].height /= lands[i].size
	}
	return of, lands
}

// cut sorts the triangles of a suit into its parts.
func (s *shell) cut() []uint8 {
	of, lands := s.survey()
	largest := -1
	for k, l := range lands {
		if l.height > waist && (largest < 0 || l.size > lands[largest].size) {
			largest = k
		}
	}
	parts := make([]uint8, len(s.facets))
	for i := range s.facets {
		l := lands[of[i]]
		switch {
		case l.low < knee && l.high > chest:
			parts[i] = partWhole
		case of[i] == largest:
			parts[i] = partUpper
		case l.height > waist:
			parts[i] = partExtra
		case l.height < ankle:
			parts[i] = partShoe
		}
	}
	return parts
}
