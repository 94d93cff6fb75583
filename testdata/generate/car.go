package main

import "math"

// knot is one point of a car's outline seen from the side: z as a share of half the length, height in metres.
type knot struct{ z, y float64 }

// body is the plan of a car: outline, size, and where its glass and wheels are.
type body struct {
	name          string
	length, width float64
	top, belt     []knot
	wheel         float64    // radius
	axles         [2]float64 // rear, front: z in metres
	pillars       []float64  // z of the posts between side windows
	rearGlass     [2]float64 // heights
	lamp          [4]float64 // rear lamps: from, to as shares of half the width; heights
	plateY        float64
	glassFrom     float64 // z behind which the side is not glazed
}

func (b *body) half() float64 { return b.length / 2 }

// along reads an outline at z metres.
func (b *body) along(k []knot, z float64) float64 {
	t := z / b.half()
	for i := 1; i < len(k); i++ {
		if t <= k[i].z {
			return mix(k[i-1].y, k[i].y, clamp((t-k[i-1].z)/(k[i].z-k[i-1].z), 0, 1))
		}
	}
	return k[len(k)-1].y
}

func hatchback() *body {
	return &body{
		name: "car", length: 4.1, width: 1.78, wheel: 0.31, axles: [2]float64{-1.28, 1.24},
		top: []knot{{-1, 0.58}, {-0.985, 0.70}, {-0.97, 0.93}, {-0.945, 1.02}, {-0.86, 1.32}, {-0.80, 1.43}, {-0.6, 1.48},
			{-0.2, 1.50}, {0.08, 1.48}, {0.2, 1.41}, {0.5, 1.04}, {0.57, 0.98}, {0.84, 0.87}, {0.94, 0.77}, {0.98, 0.63}, {1, 0.5}},
		belt: []knot{{-1, 1.0}, {-0.5, 0.97}, {0.5, 0.90}, {1, 0.8}}, pillars: []float64{-0.25, -1.1},
		rearGlass: [2]float64{1.05, 1.37}, lamp: [4]float64{0.66, 1.2, 0.74, 0.98}, plateY: 0.80, glassFrom: -1.45,
	}
}

func estate() *body {
	return &body{
		name: "car", length: 4.65, width: 1.82, wheel: 0.32, axles: [2]float64{-1.42, 1.36},
		top: []knot{{-1, 0.58}, {-0.985, 0.72}, {-0.975, 0.92}, {-0.955, 1.0}, {-0.87, 1.30}, {-0.83, 1.39}, {-0.5, 1.46},
			{-0.1, 1.48}, {0.1, 1.45}, {0.2, 1.38}, {0.48, 1.01}, {0.55, 0.96}, {0.84, 0.86}, {0.94, 0.76}, {0.985, 0.62}, {1, 0.5}},
		belt: []knot{{-1, 0.98}, {-0.5, 0.95}, {0.5, 0.89}, {1, 0.8}}, pillars: []float64{-0.2, -1.15},
		rearGlass: [2]float64{1.03, 1.34}, lamp: [4]float64{0.72, 1.2, 0.68, 1.0}, plateY: 0.78, glassFrom: -1.95,
	}
}

func saloon() *body {
	return &body{
		name: "car", length: 4.7, width: 1.82, wheel: 0.32, axles: [2]float64{-1.42, 1.38},
		top: []knot{{-1, 0.56}, {-0.985, 0.72}, {-0.97, 0.94}, {-0.93, 1.03}, {-0.72, 1.07}, {-0.66, 1.10}, {-0.42, 1.36},
			{-0.3, 1.41}, {-0.05, 1.44}, {0.12, 1.40}, {0.42, 1.03}, {0.5, 0.97}, {0.84, 0.85}, {0.94, 0.75}, {0.985, 0.6}, {1, 0.48}},
		belt: []knot{{-1, 1.0}, {-0.5, 0.95}, {0.5, 0.88}, {1, 0.8}}, pillars: []float64{-0.1, -0.95},
		rearGlass: [2]float64{1.12, 1.34}, lamp: [4]float64{0.58, 1.2, 0.76, 0.93}, plateY: 0.76, glassFrom: -1.15,
	}
}

func suv() *body {
	return &body{
		name: "car", length: 4.45, width: 1.86, wheel: 0.36, axles: [2]float64{-1.36, 1.32},
		top: []knot{{-1, 0.68}, {-0.985, 0.80}, {-0.975, 1.05}, {-0.95, 1.15}, {-0.87, 1.48}, {-0.82, 1.60}, {-0.5, 1.66},
			{-0.1, 1.67}, {0.1, 1.63}, {0.2, 1.55}, {0.48, 1.17}, {0.55, 1.11}, {0.84, 1.02}, {0.94, 0.92}, {0.985, 0.74}, {1, 0.6}},
		belt: []knot{{-1, 1.13}, {-0.5, 1.08}, {0.5, 1.03}, {1, 0.9}}, pillars: []float64{-0.2, -1.1},
		rearGlass: [2]float64{1.18, 1.53}, lamp: [4]float64{0.7, 1.2, 0.84, 1.12}, plateY: 0.88, glassFrom: -1.75,
	}
}

func van() *body {
	return &body{
		name: "van", length: 5.1, width: 1.95, wheel: 0.33, axles: [2]float64{-1.6, 1.6},
		top: []knot{{-1, 0.6}, {-0.99, 1.0}, {-0.985, 1.7}, {-0.97, 1.92}, {-0.93, 1.97}, {-0.3, 1.99}, {0.3, 1.98},
			{0.45, 1.88}, {0.72, 1.20}, {0.78, 1.12}, {0.92, 1.0}, {0.975, 0.85}, {0.99, 0.65}, {1, 0.5}},
		belt: []knot{{-1, 1.12}, {0.5, 1.10}, {1, 0.9}}, pillars: []float64{0.42},
		rearGlass: [2]float64{1.22, 1.68}, lamp: [4]float64{0.84, 1.2, 0.75, 1.25}, plateY: 0.72, glassFrom: 0.4,
	}
}

// skin lofts the body from so many stations, which stand closer where the outline turns.
func (b *body) skin(stations int) *mesh {
	m := &mesh{}
	var rings [][]vec
	for i := range stations + 1 {
		t := 2*float64(i)/float64(stations) - 1
		t = math.Sin(t * math.Pi / 2)
		rings = append(rings, b.ring(t))
	}
	m.loft(rings)
	return m
}

// ring is the cross-section at share t of half the length.
func (b *body) ring(t float64) []vec {
	z := t * b.half()
	w := b.width / 2 * (1 - 0.13*math.Pow(math.Abs(t), 5) - 0.05*step(0.97, 1, math.Abs(t)))
	low := 0.21 + 0.08*step(0.8, 1, math.Abs(t)) + (b.wheel-0.31)*1.4
	top := b.along(b.top, z)
	belt := min(b.along(b.belt, z), top-0.03)
	glass := top - belt
	lean := 0.20 * clamp(glass/0.5, 0, 1)
	if b.name == "van" {
		lean *= 0.45
	}
	half := []vec{
		{0, low, z}, {0.6 * w, low, z}, {0.92 * w, low + 0.02, z}, {0.975 * w, low + 0.1, z}, {w, mix(low, belt, 0.45), z},
		{w, mix(low, belt, 0.66), z}, {0.985 * w, mix(low, belt, 0.86), z}, {0.955 * w, mix(low, belt, 0.97), z}, {0.93 * w, belt, z},
		{(0.92 - lean*0.35) * w, belt + glass*0.35, z}, {(0.92 - lean*0.75) * w, belt + glass*0.75, z},
		{(0.90 - lean) * w, belt + glass*0.94, z}, {(0.82 - lean) * w, top - 0.008, z}, {0.4 * w, top, z}, {0, top + 0.012, z},
	}
	ring := append([]vec(nil), half...)
	for i := len(half) - 2; i > 0; i-- {
		ring = append(ring, vec{-half[i].X, half[i].Y, z})
	}
	return ring
}

// wheels are four in one mesh, with the hub as origin of the material.
func (b *body) wheels(sides int) *mesh {
	m := &mesh{}
	for _, z := range b.axles {
		for _, side := range []float64{-1, 1} {
			addWheel(m, vec{side * (b.width/2 - 0.11), b.wheel, z}, b.wheel, sides)
		}
	}
	return m
}

func addWheel(m *mesh, hub vec, r float64, sides int) {
	from := len(m.vs)
	x := vec{X: r / 3}
	m.tube([]vec{hub.sub(x), hub.sub(x.mul(0.8)), hub.add(x.mul(0.8)), hub.add(x)}, []float64{r * 0.94, r, r, r * 0.94}, sides)
	for i := from; i < len(m.vs); i++ {
		m.vs[i].o = m.vs[i].p.sub(hub).mul(1 / r)
	}
}

// rubber is tyre and rim; it reads the place from the hub in shares of the radius.
func rubber(h *hit) look {
	r, a := math.Hypot(h.o.Y, h.o.Z), math.Atan2(h.o.Y, h.o.Z)
	if r > 0.68 || math.Abs(h.local.X) < 0.5 {
		return look{base: srgb(0x242424).mul(0.8 + 0.4*band(r, 0.76, 0.80, 0.02)), shine: 0.03, rough: 0.8}
	}
	spoke := math.Abs(wrap(a+7, 2*math.Pi/5)-math.Pi/5) * r
	if r < 0.6 && r > 0.2 && spoke > 0.16 {
		return look{base: srgb(0x161616)}
	}
	return look{base: srgb(0x9fa1a4), shine: 0.35, rough: 0.45}
}
