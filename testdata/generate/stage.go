package main

import "math"

// stage is all that the drive can see: what stands still, what moves, and the objects truth speaks of.
type stage struct {
	line    *line
	still   []*instance
	moving  []func(t float64) []*instance
	objects []*object
	places  map[int]pose // where the objects that stand still are
}

// add registers an object and gives it to its parts.
func (st *stage) add(class, text string, parts []*instance) *object {
	o := &object{id: len(st.objects) + 1, class: class, text: text}
	st.objects = append(st.objects, o)
	for _, p := range parts {
		p.obj = o
	}
	return o
}

// put sets an object down for good.
func (st *stage) put(class string, parts []*instance) {
	o := st.add(class, "", parts)
	st.places[o.id] = parts[0].pose
	st.still = append(st.still, parts...)
}

// set sets something down that truth does not speak of.
func (st *stage) set(parts []*instance) { st.still = append(st.still, parts...) }

// vehicle is a car, van, lorry or bus ready to be placed: local parts, and plates fore and aft.
type vehicle struct {
	class string
	parts []*instance
	obj   *object
}

// platesOn adds the two plates to a vehicle; rear and front are their middles.
func (st *stage) platesOn(v *vehicle, text string, rear, front vec) {
	mat, m := plate(text), plateMesh()
	for _, q := range []pose{at(rear, 0), at(front, math.Pi)} {
		in := &instance{mesh: m, pose: q, mat: mat}
		o := st.add("plate", text, []*instance{in})
		o.of = v.obj
		v.parts = append(v.parts, in)
	}
}

// coarseFrom is the distance from which cars are drawn from fewer triangles.
const coarseFrom = 34

// newCar makes a car of one of the bodies.
func (st *stage) newCar(b *body, paint uint32, text string) *vehicle {
	class := "car"
	if b.name == "van" {
		class = "van"
	}
	coat := livery{b: b, paint: srgb(paint), trim: paint%3 == 0}
	v := &vehicle{class: class, parts: []*instance{
		{mesh: b.skin(64), pose: home(), mat: coat.at, far: coarseFrom}, {mesh: b.wheels(28), pose: home(), mat: rubber, far: coarseFrom},
		{mesh: b.skin(28), pose: home(), mat: coat.at, from: coarseFrom}, {mesh: b.wheels(10), pose: home(), mat: rubber, from: coarseFrom},
	}}
	v.obj = st.add(class, "", v.parts)
	st.platesOn(v, text, vec{0, b.plateY, -b.half() - 0.012}, vec{0, 0.42 + (b.wheel-0.31)*2, b.half() + 0.012})
	return v
}

// newLorry makes a delivery truck with lettering.
func (st *stage) newLorry(paint, cab uint32, words, text string) *vehicle {
	parts, half := lorry(srgb(paint), srgb(cab), words)
	return st.heavy("truck", parts, half, text)
}

func (st *stage) newBus(words, text string) *vehicle {
	parts, half := bus(words)
	return st.heavy("bus", parts, half, text)
}

func (st *stage) heavy(class string, parts []*instance, half float64, text string) *vehicle {
	for _, p := range parts {
		p.pose = home()
	}
	v := &vehicle{class: class, parts: parts}
	v.obj = st.add(class, "", parts)
	front := half + 0.02
	if class == "truck" {
		front = 3.40
	}
	st.platesOn(v, text, vec{0, 0.70, -half - 0.03}, vec{0, 0.62, front})
	return v
}

// park leaves the vehicle at a pose for good.
func (st *stage) park(v *vehicle, at pose) {
	st.places[v.obj.id] = at
	st.still = append(st.still, v.moved(at)...)
}

// moved returns the parts as they are when the vehicle stands at the pose.
func (v *vehicle) moved(at pose) []*instance {
	out := make([]*instance, len(v.parts))
	for i, p := range v.parts {
		q := *p
		q.pose = at.in(p.pose)
		out[i] = &q
	}
	return out
}

// instances returns everything at time t.
func (st *stage) instances(t float64) []*instance {
	out := append([]*instance(nil), st.still...)
	for _, m := range st.moving {
		out = append(out, m(t)...)
	}
	return out
}
