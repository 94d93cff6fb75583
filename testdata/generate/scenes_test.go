package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// thumb is the size of scenes in tests.
var thumb = image.Pt(240, 136)

// run writes a part of series 7 and returns its pictures and labels by file.
func run(t *testing.T, first, count, workers int) (pictures map[string][]byte, labels map[string][]label) {
	t.Helper()
	j := scenes{out: t.TempDir(), first: first, count: count, seed: 7, size: thumb, workers: workers, progress: func(int, int) {}}
	if err := j.write(); err != nil {
		t.Fatal(err)
	}
	pictures, labels = map[string][]byte{}, map[string][]label{}
	for i := range count {
		b, err := os.ReadFile(filepath.Join(j.out, sceneName(first+i)))
		if err != nil {
			t.Fatal(err)
		}
		pictures[sceneName(first+i)] = b
	}
	b, err := os.ReadFile(filepath.Join(j.out, "labels.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		var l label
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatalf("line %q: %v", lines.Text(), err)
		}
		labels[l.File] = append(labels[l.File], l)
	}
	return pictures, labels
}

// One worker draws five scenes, then three workers draw the middle three of them: nothing may depend on what else was
// drawn, or in which order.
func TestSceneDependsOnSeedAndNumberOnly(t *testing.T) {
	all, allLabels := run(t, 10, 5, 1)
	part, partLabels := run(t, 11, 3, 3)
	for name, b := range part {
		if !bytes.Equal(b, all[name]) {
			t.Errorf("%s: %d bytes alone, %d bytes that differ in company", name, len(b), len(all[name]))
		}
		if d := cmp.Diff(partLabels[name], allLabels[name]); d != "" {
			t.Errorf("%s: labels differ (-alone +company):\n%s", name, d)
		}
	}
	if bytes.Equal(all[sceneName(10)], all[sceneName(11)]) {
		t.Error("two numbers give the same picture")
	}
	st := newStudio(thumb.X, thumb.Y)
	other, _, err := st.draw(8, 10)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(other, all[sceneName(10)]) {
		t.Error("two seeds give the same picture")
	}
}

// extent is what the drawn picture shows of one object.
type extent struct {
	label  string
	box    image.Rectangle
	pixels int
}

// extents measures all objects straight from the drawn pixels.
func (t *studio) extents() []extent {
	found := map[int]*extent{}
	for i, id := range t.eye.id {
		if id < 0 {
			continue
		}
		for o := t.arena.insts[t.arena.prims[id].inst].obj; o != nil; o = o.of {
			if found[o.id] == nil {
				found[o.id] = &extent{label: o.class}
			}
			x, y := i%t.eye.w, i/t.eye.w
			found[o.id].box = found[o.id].box.Union(image.Rect(x, y, x+1, y+1))
			found[o.id].pixels++
		}
	}
	var out []extent
	for _, e := range found {
		out = append(out, *e)
	}
	return out
}

// Forty scenes: boxes lie in the picture and are those of drawn things, and every label comes up.
func TestScenesAreLabelled(t *testing.T) {
	st := newStudio(thumb.X, thumb.Y)
	seen := map[string]int{}
	for n := range 40 {
		b, labels, err := st.draw(3, n)
		if err != nil {
			t.Fatal(err)
		}
		img, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil || img.Bounds().Size() != thumb {
			t.Fatalf("scene %d: size %v, error %v, want %v", n, img.Bounds().Size(), err, thumb)
		}
		drawn := st.extents()
		for _, l := range labels {
			seen[l.Label]++
			checkLabel(t, l, img.Bounds(), drawn)
		}
	}
	for _, name := range strings.Split("person,cyclist,car,truck,container,bag,sign,bench,traffic light,face,plate", ",") {
		if seen[name] == 0 {
			t.Errorf("no %s in forty scenes, seen %v", name, seen)
		}
	}
	if len(seen) != 11 {
		t.Errorf("labels %v, want eleven", seen)
	}
}

func checkLabel(t *testing.T, l label, frame image.Rectangle, drawn []extent) {
	t.Helper()
	box := image.Rect(l.Box[0], l.Box[1], l.Box[2], l.Box[3])
	if box.Empty() || !box.In(frame) || l.Shown <= 0 || l.Shown > 1 || l.Pixels < leastPixels {
		t.Errorf("%s: %s %v in %v, shown %v, %d pixels", l.File, l.Label, box, frame, l.Shown, l.Pixels)
	}
	if (l.Label == "face") != (l.Turned != nil) || l.Of != "" && l.Label != "person" {
		t.Errorf("%s: %s turned %v of %q", l.File, l.Label, l.Turned, l.Of)
	}
	for _, e := range drawn {
		if e == (extent{l.Label, box, l.Pixels}) {
			return
		}
	}
	t.Errorf("%s: nothing drawn is a %s of %d pixels at %v", l.File, l.Label, l.Pixels, box)
}

// What shows of somebody's face shows of the person, and a rider's of the cyclist.
func TestPartsOfAFigureLieInsideIt(t *testing.T) {
	s := &scene{size: thumb, line: curvedLine(0), cut: section{leftKerb: -5, rightKerb: 5}, air: &weather{fog: 1000, sunlight: sunlight{to: vec{Y: 1}, sky: vec{1, 1, 1}}}}
	q := home()
	q.O.Y = 1.5
	s.cam = newCamera(q, 60, thumb.X, thumb.Y)
	s.finish = newDevelopment(&dice{seed: 1}, s.air, 1)
	s.cyclist(&dice{seed: 5}, 5, 0)
	st := newStudio(thumb.X, thumb.Y)
	st.expose(s)
	whole := map[string]image.Rectangle{}
	for _, e := range st.extents() {
		whole[e.label] = e.box
	}
	if len(whole) < 2 || !whole["person"].In(whole["cyclist"]) || !whole["face"].In(whole["person"]) {
		t.Errorf("boxes %v; want the face in the person in the cyclist", whole)
	}
}

// Letters that the pen does not know would be gaps, and a plate of gaps is no plate.
func TestWordsCanBeWritten(t *testing.T) {
	d := &dice{seed: 9}
	var words []string
	for range 500 {
		words = append(words, shopWord(d))
	}
	for _, p := range plateDesigns() {
		words = append(words, worded(d, p.form), strings.Replace(worded(d, p.square), "/", "", 1))
		if strings.Count(p.square, "/") != 1 {
			t.Errorf("square form %q: want two lines", p.square)
		}
	}
	for _, w := range words {
		for _, r := range w {
			if r != ' ' && !strings.ContainsRune(letters, r) {
				t.Errorf("%q: the pen cannot write %q", w, r)
			}
		}
	}
}

func TestScenesThatCannotBeDrawn(t *testing.T) {
	good := scenes{out: "x", count: 10, first: mostScenes - 10, size: image.Pt(64, 4096)}
	if err := good.check(); err != nil {
		t.Error(err)
	}
	for want, wrong := range map[string]func(*scenes){
		"--out: name the folder to write to":                                 func(j *scenes) { j.out = "" },
		"--first 999990 --count 0: at least one scene, numbers 0 to 999999":  func(j *scenes) { j.count = 0 },
		"--first 999990 --count 11: at least one scene, numbers 0 to 999999": func(j *scenes) { j.count = 11 },
		"--first -1 --count 10: at least one scene, numbers 0 to 999999":     func(j *scenes) { j.first = -1 },
		"--width 63 --height 4096: 64 to 4096 pixels":                        func(j *scenes) { j.size.X = 63 },
		"--width 64 --height 4097: 64 to 4096 pixels":                        func(j *scenes) { j.size.Y = 4097 },
	} {
		j := good
		wrong(&j)
		if err := j.check(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
