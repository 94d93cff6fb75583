package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// classes are what redaction removes, in the order of the tables.
func classes() []string { return []string{"person", "face", "plate"} }

// How a box came to be true.
const (
	annotated = "annotated" // came with the pictures
	drawn     = "drawn"     // a human drew it, no model had shown it
	shown     = "shown"     // a public detector showed it, and a human said yes
)

// object is one person, face or plate that a human says is there.
type object struct {
	class, origin string
	box           image.Rectangle
}

// size is by which an object is classed, in pixels.
func (o object) size() int {
	if o.class == "plate" {
		return o.box.Dx()
	}
	return o.box.Dy()
}

// scene is what humans say of one picture.
type scene struct {
	objects  []object
	doubtful []image.Rectangle // somebody, perhaps: neither asked for nor removed without need
	refuted  []object          // a detector saw somebody, and a human says that nobody is there
}

// nobody is whether a human has said of such a box that nobody is there.
func (s scene) nobody(class string, box image.Rectangle) bool {
	return slices.ContainsFunc(s.refuted, func(o object) bool { return o.class == class && overlap(o.box, box) > 0.5 })
}

// truth is every scene by the picture's path below the folder of shared data.
type truth map[string]*scene

// readTruth joins the annotations in shared with the labels of the folder labels, as
// inference/training/prepare.py does; what a model alone believed is left out.
func readTruth(shared, labels string) (truth, error) {
	t := truth{}
	for _, name := range []string{"faces.json", "romania_plates.json"} {
		if err := t.readAnnotations(filepath.Join(shared, "annotations", name)); err != nil {
			return nil, err
		}
	}
	if err := t.readLabels(filepath.Join(labels, "drawn.jsonl")); err != nil {
		return nil, err
	}
	return t, t.readLabels(filepath.Join(labels, "verdicts.jsonl"))
}

func (t truth) of(file string) *scene {
	if t[file] == nil {
		t[file] = &scene{}
	}
	return t[file]
}

func (t truth) readAnnotations(path string) error {
	var notes struct {
		Images []struct {
			File    string
			Objects []label
		}
	}
	if err := readJSON(path, &notes); err != nil {
		return err
	}
	for _, i := range notes.Images {
		for _, l := range i.Objects {
			t.of(i.File).add(l, annotated)
		}
	}
	return nil
}

func (t truth) readLabels(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for n := 1; lines.Scan(); n++ {
		var l label
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
		t.of(l.File).judge(l)
	}
	return lines.Err()
}

// label is one line of inference/training/labels, or one object of an annotation.
type label struct {
	File, Label, Verdict, Note string
	Box, Fixed                 []int
}

// judge takes in a label as its verdict says; without one it was drawn by hand.
func (s *scene) judge(l label) {
	doubt := l.Verdict == "unsure" || l.Verdict == "poster" || strings.Contains(l.Note, "doubtful")
	switch {
	case len(l.Box) != 4: // "none": a picture without anybody
	case l.Verdict == "no":
		s.refuted = append(s.refuted, object{l.Label, shown, l.rectangle()})
	case doubt || l.Label == "cyclist": // whose rider has a box as a person
		s.doubtful = append(s.doubtful, l.rectangle())
	case l.Verdict == "yes":
		s.add(l, shown)
	default:
		s.add(l, drawn)
	}
}

func (l label) rectangle() image.Rectangle {
	b := l.Box
	if len(l.Fixed) == 4 {
		b = l.Fixed
	}
	return image.Rect(b[0], b[1], b[2], b[3])
}

// add takes in an object unless it is there already: two who boxed one person hardly
// boxed it alike.
func (s *scene) add(l label, origin string) {
	if !slices.Contains(classes(), l.Label) || len(l.Box) != 4 {
		return
	}
	box := l.rectangle()
	same := func(o object) bool { return o.class == l.Label && overlap(o.box, box) > 0.5 }
	if !box.Empty() && !slices.ContainsFunc(s.objects, same) {
		s.objects = append(s.objects, object{l.Label, origin, box})
	}
}

// overlap is intersection over union.
func overlap(a, b image.Rectangle) float64 {
	size := func(r image.Rectangle) int { return r.Dx() * r.Dy() }
	both := size(a.Intersect(b))
	if both == 0 {
		return 0
	}
	return float64(both) / float64(size(a)+size(b)-both)
}
