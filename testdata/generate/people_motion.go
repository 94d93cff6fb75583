package main

import (
	"fmt"
	"math"
	"strings"
)

// joint is one joint of a motion file: how it lies from its parent at rest, and which numbers of a frame turn it.
type joint struct {
	name   string
	parent int
	off    vec
	turns  []turning
}

// turning is a rotation about one axis, read from one number of a frame.
type turning struct {
	axis byte // 'X', 'Y' or 'Z'
	at   int
}

// motionFile is a file of poses of the kind BVH, in this program's axes.
type motionFile struct {
	joints []joint
	index  map[string]int
	frames [][]float64
}

// readMotion reads poses. The files' Z is up; here Y is.
func readMotion(path string) (*motionFile, error) {
	m := &motionFile{index: map[string]int{}}
	var stack []int
	columns, frames, ends := 0, false, false
	err := eachLine(path, func(words []string) error {
		if frames {
			return m.frame(words, columns)
		}
		switch words[0] {
		case "ROOT", "JOINT":
			parent := -1
			if len(stack) > 0 {
				parent = stack[len(stack)-1]
			}
			name := strings.Join(words[1:], " ")
			m.index[name] = len(m.joints)
			m.joints = append(m.joints, joint{name: name, parent: parent})
		case "End":
			ends = true
		case "{":
			stack = append(stack, len(m.joints)-1)
		case "}":
			if len(stack) == 0 {
				return fmt.Errorf("} without {")
			}
			stack, ends = stack[:len(stack)-1], false
		case "OFFSET":
			x, err := numbers(words[1:], 3)
			if err != nil || ends || len(m.joints) == 0 {
				return err
			}
			m.joints[len(m.joints)-1].off = vec{x[0], x[2], -x[1]}
		case "CHANNELS":
			if len(m.joints) == 0 || len(words) < 2 {
				return fmt.Errorf("channels of no joint")
			}
			columns = m.joints[len(m.joints)-1].channels(words[2:], columns)
		case "Frame":
			frames = true
		}
		return nil
	})
	if err == nil && len(m.frames) == 0 {
		err = fmt.Errorf("read %s: no frames", path)
	}
	return m, err
}

func (j *joint) channels(words []string, columns int) int {
	for i, w := range words {
		if strings.HasSuffix(w, "rotation") {
			j.turns = append(j.turns, turning{w[0], columns + i})
		}
	}
	return columns + len(words)
}

func (m *motionFile) frame(words []string, columns int) error {
	x, err := numbers(words, columns)
	if err == nil {
		m.frames = append(m.frames, x)
	}
	return err
}

// spin is a turn about an axis of this program, in radians, counter-clockwise for who looks against the axis.
func spin(axis vec, a float64) pose {
	s, c := math.Sincos(a)
	row := func(v vec) vec {
		return v.mul(c).add(axis.cross(v).mul(s)).add(axis.mul(axis.dot(v) * (1 - c)))
	}
	return pose{X: row(vec{1, 0, 0}), Y: row(vec{0, 1, 0}), Z: row(vec{0, 0, 1})}
}

// local returns how a joint is turned against its parent at a time, counted in frames; between two frames it moves
// evenly, and the first follows the last.
func (m *motionFile) local(j int, at float64) pose {
	n := len(m.frames)
	i := int(math.Floor(at)) % n
	a, b, k := m.frames[i], m.frames[(i+1)%n], at-math.Floor(at)
	p := home()
	for _, t := range m.joints[j].turns {
		axis := vec{1, 0, 0}
		switch t.axis {
		case 'Y':
			axis = vec{0, 0, -1}
		case 'Z':
			axis = vec{0, 1, 0}
		}
		step := math.Remainder(b[t.at]-a[t.at], 360)
		p = p.in(spin(axis, (a[t.at]+k*step)*math.Pi/180))
	}
	return p
}

// flipped returns the turn that a mirror between left and right makes of p.
func (p pose) flipped() pose {
	f := func(v vec) vec { return vec{-v.X, v.Y, v.Z} }
	return pose{X: f(p.X).mul(-1), Y: f(p.Y), Z: f(p.Z)}
}

// inverse returns the turn that undoes p.
func (p pose) inverse() pose {
	return pose{X: vec{p.X.X, p.Y.X, p.Z.X}, Y: vec{p.X.Y, p.Y.Y, p.Z.Y}, Z: vec{p.X.Z, p.Y.Z, p.Z.Z}}
}

// aligned is the shortest turn that takes the direction a to b.
func aligned(a, b vec) pose {
	a, b = a.unit(), b.unit()
	axis := a.cross(b)
	if axis.len() < 1e-9 {
		return home()
	}
	return spin(axis.unit(), math.Atan2(axis.len(), a.dot(b)))
}
