package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// bone is a part of the skeleton. Its place follows the body's shape: the mean of some vertices.
type bone struct {
	name   string
	parent int // -1 for the root
	head   []int32
}

// pull is how much a bone moves a vertex.
type pull struct {
	bone int32
	w    float64
}

// rig is the skeleton, parents before children, and what moves each vertex of the body.
type rig struct {
	bones []bone
	index map[string]int
	pulls [][]pull
}

// readRig reads the skeleton and its weights for a body.
func readRig(dir string, verts []vec) (*rig, error) {
	var skel struct {
		Bones map[string]struct {
			Head   string
			Parent *string
		}
		Joints map[string][]int32
	}
	if err := readJSON(filepath.Join(dir, "default.mhskel"), &skel); err != nil {
		return nil, err
	}
	r := &rig{index: map[string]int{}}
	names := make([]string, 0, len(skel.Bones))
	for name := range skel.Bones {
		names = append(names, name)
	}
	sort.Strings(names)
	var add func(name string, depth int) error
	add = func(name string, depth int) error {
		b, ok := skel.Bones[name]
		if _, done := r.index[name]; done {
			return nil
		}
		if !ok || depth > len(names) {
			return fmt.Errorf("read skeleton: bone %q hangs on nothing", name)
		}
		parent := -1
		if b.Parent != nil && *b.Parent != "" {
			if err := add(*b.Parent, depth+1); err != nil {
				return err
			}
			parent = r.index[*b.Parent]
		}
		for _, v := range skel.Joints[b.Head] {
			if v < 0 || int(v) >= len(verts) {
				return fmt.Errorf("read skeleton: joint %q: vertex %d of %d", b.Head, v, len(verts))
			}
		}
		r.index[name] = len(r.bones)
		r.bones = append(r.bones, bone{name, parent, skel.Joints[b.Head]})
		return nil
	}
	for _, name := range names {
		if err := add(name, 0); err != nil {
			return nil, err
		}
	}
	return r, r.weigh(dir, len(verts))
}

func (r *rig) weigh(dir string, n int) error {
	var file struct{ Weights map[string][][2]float64 }
	if err := readJSON(filepath.Join(dir, "default_weights.mhw"), &file); err != nil {
		return err
	}
	r.pulls = make([][]pull, n)
	for i, b := range r.bones {
		for _, x := range file.Weights[b.name] {
			if x[0] < 0 || int(x[0]) >= n {
				return fmt.Errorf("read weights: bone %q: vertex %v of %d", b.name, x[0], n)
			}
			r.pulls[int(x[0])] = append(r.pulls[int(x[0])], pull{int32(i), x[1]})
		}
	}
	return nil
}

func readJSON(path string, into any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// joints returns where the bones begin in a body that stands as its files have it.
func (r *rig) joints(body []vec) []vec {
	out := make([]vec, len(r.bones))
	for i, b := range r.bones {
		for _, v := range b.head {
			out[i] = out[i].add(body[v].mul(1 / float64(len(b.head))))
		}
	}
	return out
}

// stance is how each bone is turned against its parent, about the axes of the world.
type stance []pose

func (r *rig) upright() stance {
	s := make(stance, len(r.bones))
	for i := range s {
		s[i] = home()
	}
	return s
}

// turn turns a bone further, about the axes of the world as they are at rest; one that does not exist is left out.
func (r *rig) turn(s stance, name string, by pose) {
	if i, ok := r.index[name]; ok {
		s[i] = s[i].in(by)
	}
}

// bend returns where each bone takes the points near it.
func (r *rig) bend(s stance, joints []vec) []pose {
	out := make([]pose, len(r.bones))
	for i, b := range r.bones {
		p, at := s[i], joints[i]
		p.O = vec{}
		if b.parent >= 0 {
			p = out[b.parent].in(p)
			at = out[b.parent].point(at)
		}
		p.O = at.sub(p.dir(joints[i]))
		out[i] = p
	}
	return out
}

// skin moves the vertices of the body with its bones.
func (r *rig) skin(body []vec, bones []pose) []vec {
	out := make([]vec, len(body))
	for i, p := range body {
		out[i] = pulled(p, r.pulls[i], bones)
	}
	return out
}

func pulled(p vec, pulls []pull, bones []pose) vec {
	var sum vec
	total := 0.0
	for _, k := range pulls {
		sum = sum.add(bones[k.bone].point(p).mul(k.w))
		total += k.w
	}
	if total <= 0 {
		return p
	}
	return sum.mul(1 / total)
}

// wear moves the vertices of a cloth, draped on the body at rest, with the bones of what it hangs on.
func (r *rig) wear(c *cloth, draped []vec, bones []pose) []vec {
	out := make([]vec, len(draped))
	var sum []pull
	for i, p := range draped {
		sum = sum[:0]
		for k, v := range c.ties[i].v {
			for _, q := range r.pulls[v] {
				sum = gather(sum, q.bone, q.w*max(c.ties[i].w[k], 0))
			}
		}
		out[i] = pulled(p, sum, bones)
	}
	return out
}

func gather(sum []pull, bone int32, w float64) []pull {
	for i := range sum {
		if sum[i].bone == bone {
			sum[i].w += w
			return sum
		}
	}
	return append(sum, pull{bone, w})
}

// mirrorName swaps left and right in the name of a bone.
func mirrorName(name string) string {
	for _, end := range [][2]string{{".L", ".R"}, {".R", ".L"}, {"_L", "_R"}, {"_R", "_L"}} {
		if s, ok := strings.CutSuffix(name, end[0]); ok {
			return s + end[1]
		}
	}
	return name
}
