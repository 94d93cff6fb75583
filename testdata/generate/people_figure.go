package main

import (
	"math"
	"path/filepath"
)

// decimetre is the unit of the files, in metres.
const decimetre = 0.1

// model is a character made: its figure in metres, feet on the ground, front along Z turned by its view, and where
// its face is.
type model struct {
	figure figure
	face   []vec // points of the face
	looks  []vec // their normals
	front  vec   // where the face looks
	middle vec   // of the person
}

// The face on the body as its files have it: from under the chin to the hair in the middle of the forehead, and from
// the ears forward.
const faceLow, faceHigh, faceBack = 6.14, 7.95, 0.30

func onFace(v vec) bool {
	return v.Y > faceLow && v.Y < faceHigh && v.Z > faceBack && math.Abs(v.X) < 0.9
}

// model makes a character.
func (l *larder) model(c character) (*model, error) {
	shape, err := l.shape(c.build)
	if err != nil {
		return nil, err
	}
	joints := l.rig.joints(shape)
	s, err := l.stance(c.attitude, joints)
	if err != nil {
		return nil, err
	}
	d := dice{seed: int(math.Float64bits(c.build.weight) >> 3)}
	l.rig.fidget(s, &d, c.attitude, joints)
	m := &maker{l: l, shape: shape, bones: l.rig.bend(s, joints), hidden: make([]bool, len(shape))}
	if err := m.dress(c); err != nil {
		return nil, err
	}
	if err := m.body(c); err != nil {
		return nil, err
	}
	return m.stand(c), nil
}

// maker puts a figure together; clothes come before the body, which they hide parts of.
type maker struct {
	l      *larder
	shape  []vec // the body at rest
	bones  []pose
	hidden []bool
	figure figure
}

func (m *maker) dress(c character) error {
	suit, err := m.put(filepath.Join("clothes", c.outfit.suit), c.outfit.suit)
	if err != nil {
		return err
	}
	for i, y := range c.outfit.dyes {
		suit.paints[i] = suit.dyed(uint8(i), y)
	}
	suit.paints[partWhole].below = suit.paints[partLower]
	shoes, err := m.put(filepath.Join("clothes", c.outfit.shoes), c.outfit.shoes)
	if err != nil {
		return err
	}
	if err := m.tuck(shoes, c.outfit); err != nil {
		return err
	}
	shoes.whole(shoes.dyed(partShoe, c.outfit.dyes[partShoe]))
	if c.outfit.hat {
		hat, err := m.put("clothes/fedora01", "fedora")
		if err != nil {
			return err
		}
		hat.whole(&paint{tex: plainPixmap(), target: c.outfit.hatDye.colour, mean: 0.5, power: 1})
	}
	return m.crown(c)
}

// tuck takes away what of the shoes is inside the trousers, which it would poke through.
func (m *maker) tuck(shoes *piece, w wear) error {
	suit, err := m.l.cloth(filepath.Join("clothes", w.suit), w.suit)
	if err != nil {
		return err
	}
	shoe, err := m.l.cloth(filepath.Join("clothes", w.shoes), w.shoes)
	if err != nil {
		return err
	}
	under := make(map[int32]bool, len(suit.hides))
	for _, v := range suit.hides {
		under[v] = true
	}
	bare := func(v int32) bool { return !under[shoe.ties[v].v[0]] }
	shoes.keep(func(f facet) bool { return bare(f.v[0]) || bare(f.v[1]) || bare(f.v[2]) })
	return nil
}

// keep takes away all triangles but those that want says to keep.
func (p *piece) keep(want func(f facet) bool) {
	facets, parts := p.facets, p.part
	p.facets, p.part = nil, nil
	for i, f := range facets {
		if want(f) {
			p.facets, p.part = append(p.facets, f), append(p.part, parts[i])
		}
	}
}

// brim is the height, in the body's files, above which a hat leaves no place for hair.
const brim = 7.75

// crown puts the hair on.
func (m *maker) crown(c character) error {
	if c.hair == "" {
		return nil
	}
	hair, err := m.put(filepath.Join("hair", c.hair), c.hair)
	if err != nil {
		return err
	}
	hair.whole(hair.dyed(partUpper, dye{colour: c.hairColor, power: 0.55}))
	hair.paints[0].shine = 0.05
	hair.hair = true
	if c.outfit.hat {
		hair.keep(func(f facet) bool { return hair.rest[f.v[0]].Y < brim })
	}
	return nil
}

// put hangs a cloth on the body and hides what is under it.
func (m *maker) put(folder, name string) (*piece, error) {
	c, err := m.l.cloth(folder, name)
	if err != nil {
		return nil, err
	}
	tex := plainPixmap()
	if found, _ := filepath.Glob(filepath.Join(m.l.dir, folder, "*_diffuse.png")); len(found) > 0 {
		if tex, err = m.l.image(filepath.Join(folder, filepath.Base(found[0]))); err != nil {
			return nil, err
		}
	}
	draped := c.drape(m.shape)
	p := &piece{verts: m.l.rig.wear(c, draped, m.bones), rest: c.shell.verts, uvs: c.shell.uvs, facets: c.shell.facets, part: c.parts}
	for range partCount {
		p.paints = append(p.paints, &paint{tex: tex, gain: vec{1, 1, 1}, keep: 1})
	}
	for _, v := range c.hides {
		m.hidden[v] = true
	}
	m.figure = append(m.figure, p)
	return p, nil
}

// whole gives all of a piece one paint.
func (p *piece) whole(pt *paint) {
	for i := range p.paints {
		p.paints[i] = pt
	}
}

// dyed returns the paint for one part of a piece, or for all of it when it has no such part.
func (p *piece) dyed(part uint8, y dye) *paint {
	pt := *p.paints[0]
	sum, n := vec{}, 0.0
	for pass := 0; pass < 2 && n == 0; pass++ {
		for i, t := range p.facets {
			if p.part[i] == part || pass == 1 {
				u, v := p.place(t, 1.0/3, 1.0/3)
				if c, alpha := pt.tex.at(u, v, 2); alpha > 0.3 {
					sum, n = sum.add(c), n+1
				}
			}
		}
	}
	mean := sum.mul(1 / max(n, 1))
	pt.mean = max(mean.dot(greys), 0.01)
	pt.target, pt.keep, pt.power = y.colour, y.keep, y.power
	k := clamp(y.colour.dot(greys)/pt.mean, 0.5, 1.6)
	pt.gain = vec{k, k, k}
	pt.stripe = stripes(y.bands)
	return &pt
}

// body adds the skin that no cloth hides, and the eyes.
func (m *maker) body(c character) error {
	tex, err := m.l.image(filepath.Join("skins", c.skin+".png"))
	if err != nil {
		return err
	}
	base := m.l.base
	p := &piece{verts: m.l.rig.skin(m.shape, m.bones), rest: base.verts, uvs: base.uvs}
	sum, n := vec{}, 0.0
	for i, f := range base.facets {
		if base.groups[i] != "body" {
			continue
		}
		face := onFace(base.verts[f.v[0]]) && onFace(base.verts[f.v[1]]) && onFace(base.verts[f.v[2]])
		if face {
			u, v := (&piece{uvs: base.uvs}).place(f, 1.0/3, 1.0/3)
			col, _ := tex.at(u, v, 2)
			sum, n = sum.add(col), n+1
		}
		if m.hidden[f.v[0]] && m.hidden[f.v[1]] && m.hidden[f.v[2]] {
			continue
		}
		p.facets, p.part, p.face = append(p.facets, f), append(p.part, 0), append(p.face, face)
	}
	mean := sum.mul(1 / max(n, 1))
	k := c.skinColor.dot(greys) / mean.dot(greys)
	gain := vec{c.skinColor.X / mean.X, c.skinColor.Y / mean.Y, c.skinColor.Z / mean.Z}
	pt := &paint{tex: tex, target: c.skinColor, mean: mean.dot(greys), power: 0.8, keep: 0.5, shine: 0.05}
	// Half of the way to the tone's own colour: lips and cheeks keep theirs.
	pt.gain = vec{k, k, k}.mix(gain, 0.5)
	// Palms are pale in the dark textures and would be white when these are brightened.
	pt.most, pt.stripe = 1.5, brows(c)
	p.paints = []*paint{pt}
	m.figure = append(m.figure, p)
	eyes, err := m.put("eyes/low-poly", "low-poly")
	if err != nil {
		return err
	}
	iris, err := m.l.image("eyes/materials/brown_eye.png")
	if err != nil {
		return err
	}
	eyes.lift = 0.03
	// Only the iris is red in the texture, the white of the eye is not.
	tint := func(_, col vec) vec {
		return col.mix(c.eyeColor.mul(col.dot(greys)/0.03), step(1.8, 3, col.X/max(col.Z, 0.002)))
	}
	eyes.whole(&paint{tex: iris, keep: 1, gain: vec{0.8, 0.8, 0.8}, shine: 0.1, stripe: tint})
	return nil
}

// stand turns the figure to its view, sets it on the ground and takes the measures of its face.
func (m *maker) stand(c character) *model {
	turn := at(vec{}, c.view.turned)
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range m.figure {
		p.norms = normals(p.verts, p.facets)
		for _, t := range p.facets {
			for _, v := range t.v {
				low, high = min(low, p.verts[v].Y), max(high, p.verts[v].Y)
			}
		}
		rest := make([]vec, len(p.rest))
		for i, v := range p.rest {
			rest[i] = v.mul(decimetre)
		}
		p.rest = rest
	}
	hip := m.bones[m.l.rig.index["root"]].point(m.shape[m.l.rig.bones[m.l.rig.index["root"]].head[0]])
	place := func(v vec) vec { return turn.dir(v.sub(vec{hip.X, low, hip.Z}).mul(decimetre)) }
	for _, p := range m.figure {
		for i := range p.verts {
			p.verts[i], p.norms[i] = place(p.verts[i]), turn.dir(p.norms[i])
		}
	}
	out := &model{figure: m.figure, middle: vec{0, (high - low) / 2 * decimetre, 0}}
	head := m.bones[m.l.rig.index["head"]]
	out.front = turn.dir(head.dir(vec{0, 0, 1}))
	body := m.figure[len(m.figure)-2]
	for i, v := range m.l.base.verts[:len(body.verts)] {
		if onFace(v) && m.l.inBody[i] {
			out.face, out.looks = append(out.face, body.verts[i]), append(out.looks, body.norms[i])
		}
	}
	return out
}
