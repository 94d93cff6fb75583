package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

// facet is a triangle: three vertices and three places on the texture.
type facet struct{ v, t [3]int32 }

// shell is a surface as its file has it: vertices, places on the texture (origin at the lower left), triangles.
type shell struct {
	verts  []vec
	uvs    [][2]float64
	facets []facet
	groups []string // per triangle
}

// mostLines bounds what any of the files may hold; the largest has a tenth.
const mostLines = 2_000_000

// eachLine calls f with the words of every line that is neither empty nor a comment, until f returns an error.
func eachLine(path string, f func(words []string) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 1<<16), 1<<20)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if n > mostLines {
			return fmt.Errorf("read %s: more than %d lines", path, mostLines)
		}
		if err := f(words); err != nil {
			return fmt.Errorf("read %s: line %d: %w", path, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// numbers parses words as finite numbers, at least n of them.
func numbers(words []string, n int) ([]float64, error) {
	if len(words) < n {
		return nil, fmt.Errorf("%d numbers, want %d", len(words), n)
	}
	out := make([]float64, len(words))
	for i, w := range words {
		x, err := strconv.ParseFloat(w, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("%q is not a number", w)
		}
		out[i] = x
	}
	return out, nil
}

// readShell reads a Wavefront OBJ file; polygons become fans of triangles.
func readShell(path string) (*shell, error) {
	s := &shell{}
	group := ""
	err := eachLine(path, func(words []string) error {
		switch words[0] {
		case "v":
			x, err := numbers(words[1:], 3)
			if err != nil {
				return err
			}
			s.verts = append(s.verts, vec{x[0], x[1], x[2]})
		case "vt":
			x, err := numbers(words[1:], 2)
			if err != nil {
				return err
			}
			s.uvs = append(s.uvs, [2]float64{x[0], x[1]})
		case "g":
			group = strings.Join(words[1:], " ")
		case "f":
			return s.polygon(words[1:], group)
		}
		return nil
	})
	if err == nil && len(s.facets) == 0 {
		err = fmt.Errorf("read %s: no faces", path)
	}
	return s, err
}

func (s *shell) polygon(words []string, group string) error {
	v, t := make([]int32, len(words)), make([]int32, len(words))
	for i, w := range words {
		a, rest, _ := strings.Cut(w, "/")
		b, _, _ := strings.Cut(rest, "/")
		n, err := strconv.Atoi(a)
		if err != nil || n < 1 || n > len(s.verts) {
			return fmt.Errorf("vertex %q: 1 to %d", w, len(s.verts))
		}
		v[i] = int32(n - 1)
		if b == "" {
			continue
		}
		m, err := strconv.Atoi(b)
		if err != nil || m < 1 || m > len(s.uvs) {
			return fmt.Errorf("place on the texture %q: 1 to %d", w, len(s.uvs))
		}
		t[i] = int32(m - 1)
	}
	if len(s.uvs) == 0 {
		s.uvs = append(s.uvs, [2]float64{})
	}
	for i := 2; i < len(v); i++ {
		s.facets = append(s.facets, facet{v: [3]int32{v[0], v[i-1], v[i]}, t: [3]int32{t[0], t[i-1], t[i]}})
		s.groups = append(s.groups, group)
	}
	return nil
}

// islands numbers the connected parts of a surface, per triangle, and returns how many there are.
func (s *shell) islands() (of []int, n int) {
	root := make([]int32, len(s.verts))
	for i := range root {
		root[i] = int32(i)
	}
	find := func(i int32) int32 {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for _, f := range s.facets {
		root[find(f.v[1])] = find(f.v[0])
		root[find(f.v[2])] = find(f.v[0])
	}
	number := make(map[int32]int)
	of = make([]int, len(s.facets))
	for i, f := range s.facets {
		r := find(f.v[0])
		if _, ok := number[r]; !ok {
			number[r] = len(number)
		}
		of[i] = number[r]
	}
	return of, len(number)
}

// normals returns a unit vector per vertex, square to the surface round it.
func normals(verts []vec, facets []facet) []vec {
	out := make([]vec, len(verts))
	for _, f := range facets {
		a, b, c := verts[f.v[0]], verts[f.v[1]], verts[f.v[2]]
		n := b.sub(a).cross(c.sub(a))
		for _, v := range f.v {
			out[v] = out[v].add(n)
		}
	}
	for i := range out {
		out[i] = out[i].unit()
	}
	return out
}
