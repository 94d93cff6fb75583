package main

import (
	"fmt"
	"math"
	"strings"
)

// attitude is what a person does: the pose's name, the file it is from and the time in it.
type attitude struct {
	name    string
	file    string
	at      float64
	flipped bool
	wide    float64 // how large the movements of a walk are, 1 is as recorded
}

// castAttitude picks what a person does.
func castAttitude(d *dice) attitude {
	a := attitude{at: d.between(0, 14), flipped: d.next() < 0.5, wide: d.between(0.5, 1.05)}
	switch k := d.next(); {
	case k < 0.45:
		a.name, a.file = "walk", "walk1"
	case k < 0.66:
		a.name, a.file = "stand", fmt.Sprintf("standing0%d", 1+d.pick(4))
	case k < 0.68:
		a.name, a.file = "stand", "standing05"
	case k < 0.86:
		a.name = "stand" // at ease, made by hand
	case k < 0.92:
		a.name, a.file = "run", "run01"
	case k < 0.94:
		a.name, a.file = "sit", "sit01"
	default:
		a.name = "sit" // on a bench, made by hand
	}
	return a
}

// walkBones tells which joint of the walk turns a bone, and the bone and joint that follow, between which it stretches.
var walkBones = []struct{ bone, joint, nextBone, nextJoint string }{
	{"root", "Root", "", ""},
	{"pelvis.L", "Hips", "", ""}, {"pelvis.R", "Hips", "", ""},
	{"spine04", "Spine1", "", ""}, {"spine02", "Spine2", "", ""}, {"spine01", "Spine3", "", ""},
	{"neck02", "Neck", "", ""}, {"head", "Head", "", ""},
	{"upperarm01.L", "UpArm_L", "lowerarm01.L", "LoArm_L"},
	{"lowerarm01.L", "LoArm_L", "wrist.L", "Hand_L"},
	{"upperleg01.L", "UpLeg_L", "lowerleg01.L", "LoLeg_L"},
	{"lowerleg01.L", "LoLeg_L", "foot.L", "Foot_L"},
	{"foot.L", "Foot_L", "toe3-1.L", "Toe_L"},
}

// stance returns how a person with these joints holds itself.
func (l *larder) stance(a attitude, joints []vec) (stance, error) {
	if a.file == "" {
		s := l.rig.ease(joints)
		if a.name == "sit" {
			l.rig.seat(s)
		}
		return s, nil
	}
	m, err := l.motion(a.file)
	if err != nil {
		return nil, err
	}
	if a.file == "walk1" {
		return l.rig.stride(m, a, joints), nil
	}
	s := l.rig.upright()
	for i, b := range l.rig.bones {
		name := b.name
		if a.flipped {
			name = mirrorName(name)
		}
		j, ok := m.index[name]
		if !ok || b.parent < 0 && a.name != "sit" && a.name != "run" {
			continue
		}
		s[i] = m.local(j, 0)
		if a.flipped {
			s[i] = s[i].flipped()
		}
	}
	return s, nil
}

// ease hangs the arms and closes the legs of the body, which its files show with both apart.
func (r *rig) ease(joints []vec) stance {
	s := r.upright()
	for _, side := range []string{".L", ".R"} {
		for _, x := range []struct {
			bone, next string
			to         vec
		}{
			{"upperarm01", "lowerarm01", vec{0.16, -1, -0.05}},
			{"upperleg01", "lowerleg01", vec{0.02, -1, 0.02}},
		} {
			to := x.to
			if side == ".R" {
				to.X = -to.X
			}
			i, j := r.index[x.bone+side], r.index[x.next+side]
			s[i] = aligned(joints[j].sub(joints[i]), to)
		}
	}
	return s
}

// seat bends hips and knees of the body at ease as on a bench.
func (r *rig) seat(s stance) {
	for _, side := range []string{".L", ".R"} {
		i := r.index["upperleg01"+side]
		s[i] = spin(vec{1, 0, 0}, degrees(-82)).in(s[i])
		r.turn(s, "lowerleg01"+side, spin(vec{1, 0, 0}, degrees(78)))
		i = r.index["upperarm01"+side]
		s[i] = spin(vec{1, 0, 0}, degrees(-30)).in(s[i])
		r.turn(s, "lowerarm01"+side, spin(vec{1, 0, 0}, degrees(-20)))
	}
}

// stride carries a walk that was recorded on another skeleton over to this one: limbs point where the walker's do.
func (r *rig) stride(m *motionFile, a attitude, joints []vec) stance {
	world := make([]pose, len(m.joints))
	for i, j := range m.joints {
		world[i] = m.local(i, a.at)
		switch {
		case strings.Contains(j.name, "Leg"):
			world[i] = world[i].eased(a.wide)
		case strings.Contains(j.name, "LoArm"):
			world[i] = world[i].eased(a.wide * 0.8)
		case strings.Contains(j.name, "Spine"), j.name == "Neck", j.name == "Head":
			world[i] = world[i].eased(0.35) // the walker stoops
		}
		if j.parent >= 0 {
			world[i] = world[j.parent].in(world[i])
		}
	}
	goal := make([]*pose, len(r.bones))
	set := func(bone, joint, nextBone, nextJoint string) {
		i, ok := r.index[bone]
		j, ok2 := m.index[joint]
		if !ok || !ok2 {
			return
		}
		p := world[j]
		if n, ok := m.index[nextJoint]; ok {
			p = p.in(aligned(joints[r.index[nextBone]].sub(joints[i]), m.joints[n].off))
		}
		goal[i] = &p
	}
	for _, b := range walkBones {
		set(b.bone, b.joint, b.nextBone, b.nextJoint)
		if other := mirrorName(b.bone); other != b.bone && b.nextBone != "" {
			set(other, mirrorName(b.joint), mirrorName(b.nextBone), mirrorName(b.nextJoint))
		}
	}
	s := r.upright()
	now := make([]pose, len(r.bones))
	for i, b := range r.bones {
		up := home()
		if b.parent >= 0 {
			up = now[b.parent]
		}
		now[i] = up
		if goal[i] != nil {
			now[i] = *goal[i]
			s[i] = up.inverse().in(now[i])
		}
	}
	if a.flipped {
		return r.flip(s)
	}
	return s
}

// flip swaps left and right.
func (r *rig) flip(s stance) stance {
	out := make(stance, len(s))
	for i, b := range r.bones {
		out[i] = s[i].flipped()
		if j, ok := r.index[mirrorName(b.name)]; ok {
			out[i] = s[j].flipped()
		}
	}
	return out
}

// eased is a turn about the same axis by k times the angle.
func (p pose) eased(k float64) pose {
	c := clamp((p.X.X+p.Y.Y+p.Z.Z-1)/2, -1, 1)
	axis := vec{p.Y.Z - p.Z.Y, p.Z.X - p.X.Z, p.X.Y - p.Y.X}
	if axis.len() < 1e-9 {
		return p
	}
	return spin(axis.unit(), math.Acos(c)*k)
}

// hinge is the axis about which a limb swings forward, from the joint where it begins to the one where it ends.
func (r *rig) hinge(joints []vec, from, to string) vec {
	return joints[r.index[to]].sub(joints[r.index[from]]).cross(vec{0, 0, 1}).unit()
}

func degrees(k float64) float64 { return k * math.Pi / 180 }

// fidget turns head and limbs a little, so that no two people hold themselves alike.
func (r *rig) fidget(s stance, d *dice, a attitude, joints []vec) {
	x, y, z := vec{1, 0, 0}, vec{0, 1, 0}, vec{0, 0, 1}
	yaw, pitch := d.between(-40, 40), d.between(-10, 18)
	if d.next() < 0.5 {
		yaw *= 0.3
	}
	for _, b := range []string{"neck02", "head"} {
		r.turn(s, b, spin(y, degrees(yaw/2)).in(spin(x, degrees(pitch/2))))
	}
	r.turn(s, "head", spin(z, degrees(d.between(-6, 6))))
	r.turn(s, "spine03", spin(y, degrees(d.between(-8, 8))).in(spin(x, degrees(d.between(-3, 8)))))
	curl := d.between(5, 30)
	for k, side := range []string{".L", ".R"} {
		if a.name == "walk" || a.file == "" {
			r.curl(s, side, degrees(curl*float64(2*k-1)))
		}
		swing := r.hinge(joints, "upperarm01"+side, "lowerarm01"+side)
		r.turn(s, "upperarm01"+side, spin(swing, degrees(d.between(-10, 12))).in(spin(z, degrees(d.between(-5, 5)))))
		elbow := d.between(0, 20)
		if a.file != "" {
			elbow /= 2
		}
		if a.name == "stand" && d.next() < 0.13 {
			elbow = d.between(40, 115) // holds something
		}
		r.turn(s, "lowerarm01"+side, spin(r.hinge(joints, "lowerarm01"+side, "wrist"+side), degrees(elbow)))
	}
}

// curl bends the fingers of a hand that hangs.
func (r *rig) curl(s stance, side string, by float64) {
	for f := 1; f <= 5; f++ {
		for b := 1; b <= 3; b++ {
			down := by
			if f == 1 {
				down /= 3
			}
			r.turn(s, fmt.Sprintf("finger%d-%d%s", f, b, side), spin(vec{0, 0, 1}, down))
		}
	}
}
