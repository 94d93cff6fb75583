package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// moved is one vertex of a target and where it goes.
type moved struct {
	v          int32
	dx, dy, dz float32
}

// readTarget reads the moves of a shape; vertices beyond n are an error.
func readTarget(path string, n int) ([]moved, error) {
	var out []moved
	err := eachLine(path, func(words []string) error {
		x, err := numbers(words, 4)
		if err != nil {
			return err
		}
		if x[0] < 0 || int(x[0]) >= n {
			return fmt.Errorf("vertex %v: below %d", x[0], n)
		}
		out = append(out, moved{int32(x[0]), float32(x[1]), float32(x[2]), float32(x[3])})
		return nil
	})
	return out, err
}

// build is what a body's shape follows from. The shares of origin sum to 1.
type build struct {
	female                    bool
	age                       float64 // years
	african, asian, caucasian float64
	muscle, weight            float64 // 0 to 1, 0.5 is average
	height, proportions       float64 // -1 to 1
}

type share struct {
	name string
	of   float64
}

// between3 splits x in [0, 1] between three names at 0, 0.5 and 1.
func between3(x float64, low, middle, high string) []share {
	x = clamp(x, 0, 1)
	if x < 0.5 {
		return []share{{low, 1 - 2*x}, {middle, 2 * x}}
	}
	return []share{{middle, 2 - 2*x}, {high, 2*x - 1}}
}

// ages splits an age between the four that shapes exist for: baby (1), child (10), young (25), old (90).
func ages(years float64) []share {
	switch {
	case years < 10:
		k := clamp((years-1)/9, 0, 1)
		return []share{{"baby", 1 - k}, {"child", k}}
	case years < 25:
		k := (years - 10) / 15
		return []share{{"child", 1 - k}, {"young", k}}
	}
	k := clamp((years-25)/65, 0, 1)
	return []share{{"young", 1 - k}, {"old", k}}
}

// targets lists the shapes that make a body, with their shares.
func (b build) targets() []share {
	sex := "male"
	if b.female {
		sex = "female"
	}
	var out []share
	for _, age := range ages(b.age) {
		for _, o := range []share{{"african", b.african}, {"asian", b.asian}, {"caucasian", b.caucasian}} {
			out = append(out, share{o.name + "-" + sex + "-" + age.name, age.of * o.of})
		}
		for _, m := range between3(b.muscle, "minmuscle", "averagemuscle", "maxmuscle") {
			for _, w := range between3(b.weight, "minweight", "averageweight", "maxweight") {
				k := age.of * m.of * w.of
				kind := sex + "-" + age.name + "-" + m.name + "-" + w.name
				out = append(out, share{"universal-" + kind, k})
				out = append(out, ends("height/"+kind, b.height, "-minheight", "-maxheight", k))
				out = append(out, ends("proportions/"+kind, b.proportions, "-uncommonproportions", "-idealproportions", k))
			}
		}
	}
	return out
}

func ends(kind string, x float64, low, high string, k float64) share {
	if x < 0 {
		return share{kind + low, -x * k}
	}
	return share{kind + high, x * k}
}

// shape returns the vertices of a body, in decimetres, standing as its files have it.
func (l *larder) shape(b build) ([]vec, error) {
	out := append([]vec(nil), l.base.verts...)
	for _, s := range b.targets() {
		if s.of < 1e-4 {
			continue
		}
		moves, err := l.target(s.name)
		if err != nil {
			return nil, err
		}
		for _, m := range moves {
			out[m.v] = out[m.v].add(vec{float64(m.dx), float64(m.dy), float64(m.dz)}.mul(s.of))
		}
	}
	return out, nil
}

// larder holds what was read so far. It is for one goroutine.
type larder struct {
	dir     string
	base    *shell
	rig     *rig
	inBody  []bool // which vertices are of the body that shows
	shapes  map[string][]moved
	cloths  map[string]*cloth
	images  map[string]*pixmap
	motions map[string]*motionFile
}

func openLarder(dir string) (*larder, error) {
	base, err := readShell(filepath.Join(dir, "base.obj"))
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w; inference/training/fetch.py brings it into build/training/pictures/people", err)
	}
	if err != nil {
		return nil, err
	}
	r, err := readRig(dir, base.verts)
	if err != nil {
		return nil, err
	}
	in := make([]bool, len(base.verts))
	for i, f := range base.facets {
		for _, v := range f.v {
			in[v] = in[v] || base.groups[i] == "body"
		}
	}
	return &larder{dir: dir, base: base, rig: r, inBody: in, shapes: map[string][]moved{}, cloths: map[string]*cloth{},
		images: map[string]*pixmap{}, motions: map[string]*motionFile{}}, nil
}

// target returns a shape; one that has no file moves nothing, as the set is not complete for every body.
func (l *larder) target(name string) ([]moved, error) {
	if t, ok := l.shapes[name]; ok {
		return t, nil
	}
	path := filepath.Join(l.dir, "targets", "macrodetails", name+".target")
	if found, _ := filepath.Glob(path); len(found) == 0 {
		l.shapes[name] = nil
		return nil, nil
	}
	t, err := readTarget(path, len(l.base.verts))
	if err == nil {
		l.shapes[name] = t
	}
	return t, err
}

// cloth returns the garment in a folder, told by the name of its file.
func (l *larder) cloth(folder, name string) (*cloth, error) {
	key := folder + "/" + name
	if c, ok := l.cloths[key]; ok {
		return c, nil
	}
	path := filepath.Join(l.dir, folder, name)
	sh, err := readShell(path + ".obj")
	if err != nil {
		return nil, err
	}
	c, err := readCloth(path+".mhclo", sh, len(l.base.verts))
	if err == nil {
		l.cloths[key] = c
	}
	return c, err
}

// image returns a texture.
func (l *larder) image(path string) (*pixmap, error) {
	if t, ok := l.images[path]; ok {
		return t, nil
	}
	t, err := readPixmap(filepath.Join(l.dir, path))
	if err == nil {
		l.images[path] = t
	}
	return t, err
}

// motion returns a file of poses.
func (l *larder) motion(name string) (*motionFile, error) {
	if m, ok := l.motions[name]; ok {
		return m, nil
	}
	m, err := readMotion(filepath.Join(l.dir, "poses", name+".bvh"))
	if err == nil {
		l.motions[name] = m
	}
	return m, err
}
