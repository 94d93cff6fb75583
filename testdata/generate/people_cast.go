package main

import "math"

// character is one person before it is made: all that chance decides.
type character struct {
	build     build
	tone      float64 // of the skin, 0 lightest to 1 darkest
	skin      string  // texture
	skinColor vec
	hair      string // folder; "" is none
	hairColor vec
	outfit    wear
	attitude  attitude
	eyeColor  vec
	view      viewpoint
	light     sunlight
}

// viewpoint is where the person is seen from.
type viewpoint struct {
	turned   float64 // radians that the body's front looks past the camera
	distance float64 // metres along the ground
	height   float64 // of the camera, metres above the person's ground
	pan      float64 // radians the camera looks past the person
	tilt     float64 // radians the camera looks down
}

// tones are skins from very light to very dark, as daylight shows them; steps of equal weight.
var tones = []uint32{0xe6bfa9, 0xdfb196, 0xd6a285, 0xca9273, 0xb87f5d, 0x9d6848, 0x805239, 0x66412e, 0x4e3225, 0x39261e}

func toneColour(t float64) vec {
	x := clamp(t, 0, 1) * float64(len(tones)-1)
	i := min(int(x), len(tones)-2)
	return srgb(tones[i]).mix(srgb(tones[i+1]), x-float64(i))
}

// castCharacter decides who the picture with this number shows.
func castCharacter(seed, number int) character {
	d := &dice{seed: int(hash(seed, number, 5501) >> 1)}
	// The first numbers take turns, so that small sets are even too.
	sweep := func(k, n int) float64 {
		return wrap(rnd(seed, k, 5502)+float64(number)*[]float64{0.6180339887, 0.7548776662, 0.5698402910}[n], 1)
	}
	c := character{tone: sweep(1, 0)}
	c.build = castBuild(d, sweep(2, 1), c.tone)
	c.skinColor = toneColour(c.tone).mul(d.between(0.92, 1.08)).by(vec{1.03, d.between(0.96, 1.04), d.between(0.82, 0.98)})
	c.skin = castSkin(d, c.build, c.tone)
	c.hair, c.hairColor = castHair(d, c.build, c.tone)
	c.eyeColor = castEyes(d, c.tone)
	c.attitude = castAttitude(d)
	c.outfit = castOutfit(d, c.build)
	c.view = castView(d)
	c.light = castLight(d)
	return c
}

// castBuild picks a body; k in [0, 1) picks the age.
func castBuild(d *dice, k, tone float64) build {
	b := build{female: d.next() < 0.5}
	switch {
	case k < 0.12:
		b.age = 4 + k/0.12*9
	case k < 0.20:
		b.age = 13 + (k-0.12)/0.08*7
	default:
		b.age = 20 + (k-0.20)/0.80*65
	}
	af, as, ca := step(0.35, 0.75, tone), 0.5*band(tone, 0.05, 0.6, 0.1), 1-step(0.45, 0.8, tone)
	af, as, ca = af*d.next()*1.5+0.02, as*math.Pow(d.next(), 2)*3+0.02, ca*d.next()+0.02
	sum := af + as + ca
	b.african, b.asian, b.caucasian = af/sum, as/sum, ca/sum
	b.muscle = clamp(0.5+0.18*bell(d), 0.1, 0.95)
	b.weight = clamp(0.52+0.20*bell(d), 0.05, 1)
	if b.age > 35 {
		b.weight = clamp(b.weight+0.08, 0.05, 1)
	}
	b.height = clamp(0.28*bell(d), -0.8, 0.8)
	b.proportions = clamp(0.3+0.4*bell(d), -0.6, 1)
	return b
}

// bell is a number about 0 with a standard deviation of 1, never beyond 3.
func bell(d *dice) float64 { return (d.next() + d.next() + d.next() - 1.5) * 2 }

func castSkin(d *dice, b build, tone float64) string {
	name := "young"
	if b.age > 38+bell(d)*3 {
		name = "middleage"
	}
	if b.age > 60+bell(d)*3 {
		name = "old"
	}
	sex := "_male"
	if b.female {
		sex = "_female"
	}
	if tone > 0.6+0.06*bell(d) {
		return name + "_darkskinned" + sex + "_diffuse"
	}
	kinds := map[string][]string{
		"young_female": {"", "2", "3"}, "young_male": {"", "2", "3"},
		"middleage_female": {"", "2"}, "middleage_male": {"", "2"},
		"old_female": {"", "2"}, "old_male": {"", "2"},
	}[name+sex]
	return name + "_lightskinned" + sex + "_diffuse" + kinds[d.pick(len(kinds))]
}

func castEyes(d *dice, tone float64) vec {
	if tone < 0.4 && d.next() < 0.5 {
		return []vec{srgb(0x6f8fae), srgb(0x6e8a6a), srgb(0x8c9aa0)}[d.pick(3)]
	}
	return srgb(0x5a3018).mul(d.between(0.6, 1.5))
}

// Hairs of women and men; what is named twice comes twice as often.
var (
	hairsOfWomen = []string{"bob01", "bob02", "long01", "long01", "ponytail01", "ponytail01", "braid01", "short03", "short04", "short02"}
	hairsOfMen   = []string{"short01", "short02", "short02", "short04", "short04", "short01", "short03"}
)

func castHair(d *dice, b build, tone float64) (name string, colour vec) {
	list := hairsOfMen
	if b.female {
		list = hairsOfWomen
	}
	name = list[d.pick(len(list))]
	bald := 0.06
	if b.age > 40 {
		bald = 0.25
	}
	switch k := d.next(); {
	case tone > 0.6 && k < 0.25:
		name = "afro01"
	case !b.female && b.age > 18 && k > 1-bald:
		name = ""
	case !b.female && b.age > 14 && k < 0.05:
		name = hairsOfWomen[d.pick(6)]
	}
	natural := []uint32{0x17120f, 0x1c1613, 0x2a1d15, 0x3b2617, 0x4d3320, 0x5c3d24, 0x8a6336, 0xb08d55, 0xcdb27c, 0x7a3a1c}
	k := d.pick(len(natural))
	if tone > 0.45 || d.next() < 0.25 {
		k = d.pick(4)
	}
	colour = srgb(natural[k]).mul(d.between(0.8, 1.25))
	grey := step(38, 72, b.age) * d.between(0.3, 1.5)
	colour = colour.mix(srgb(0xb9b6b2).mul(d.between(0.5, 1.3)), clamp(grey, 0, 1))
	if b.age > 14 && d.next() < 0.015 {
		colour = []vec{srgb(0xa02040), srgb(0x3050a0), srgb(0x307050), srgb(0xd080a0)}[d.pick(4)]
	}
	return name, colour
}

// castView picks a place for the camera: from all sides, more often from where a street shows people most.
func castView(d *dice) viewpoint {
	v := viewpoint{turned: d.between(-math.Pi, math.Pi)}
	if d.next() < 0.5 {
		v.turned = math.Pi/2*float64(d.pick(4)) + bell(d)*0.3
	}
	v.distance = 3 * math.Pow(25.0/3, d.next())
	v.height = d.between(1.0, 3.2)
	v.pan = d.between(-0.45, 0.45)
	v.tilt = d.between(-0.02, 0.2)
	return v
}

// castLight picks a day, a dull day or a night with one lamp.
func castLight(d *dice) sunlight {
	yaw, up := d.between(-math.Pi, math.Pi), d.between(0.12, 0.95)
	flat := math.Sqrt(1 - up*up)
	s, c := math.Sincos(yaw)
	l := sunlight{to: vec{s * flat, up, c * flat}}
	warm := vec{1, d.between(0.78, 0.98), d.between(0.58, 0.95)}
	if d.next() < 0.14 {
		return castNight(d, l, warm)
	}
	strength := d.next()
	if d.next() < 0.25 {
		strength *= 0.1
	}
	level := d.between(0.55, 1.15)
	l.sun = warm.mul(1.15 * strength * level)
	l.sky = vec{d.between(0.86, 1.05), 0.97, d.between(0.92, 1.1)}.mul(level * mix(0.85, 0.5, strength))
	l.ground = vec{1, d.between(0.92, 1), d.between(0.82, 1)}.mul(level * d.between(0.2, 0.5))
	return l
}

func castNight(d *dice, l sunlight, warm vec) sunlight {
	level := d.between(0.25, 0.8)
	if d.next() < 0.5 { // headlights of what carries the camera
		l.to = vec{d.between(-0.4, 0.4), d.between(-0.12, 0.2), 1}.unit()
	}
	l.sun = warm.mul(d.between(0.5, 1.6) * level)
	l.sky = vec{d.between(0.7, 1.1), 0.9, d.between(0.8, 1.2)}.mul(d.between(0.05, 0.22) * level)
	l.ground = l.sky.mul(d.between(0.4, 1))
	return l
}
