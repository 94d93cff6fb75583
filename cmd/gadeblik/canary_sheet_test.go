package main

import (
	"context"
	"encoding/json"
	"image"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"gadeblik/agent"
	"gadeblik/blur"
)

// sheet is a drive whose faces and plates carry a canary.
type sheet struct {
	canary *canary
	size   image.Point // of its frames
	frames []paintedFrame
	plain  int // frames that were left out: nothing of them could be told
	tiny   int // faces, plates and persons too small for a canary
	dull   int // painted, and too even or too small to be told by it alone
}

// paintedFrame is a frame as it is on disk.
type paintedFrame struct {
	name   string
	img    *image.YCbCr
	jpeg   []byte
	places []hole
	missed []hole
}

// hole is a face, a plate or a person in a frame.
type hole struct {
	class blur.Class
	box   image.Rectangle
	step  int // of depths
}

// depths of paint, of 255, the boldest first. What is painted boldly, correlation finds
// in any picture; but models stop to see a person through it. So each place gets the
// boldest through which it is still seen.
var depths = [...]int{40, 26, 18, 12, 8, 5}

// leastArea is in pixels: 20 cells.
const leastArea = 320

// finder returns what the models would remove from a frame.
type finder func(t testing.TB, jpeg []byte) []blur.Region

// newFinder finds with the models that gadeblik chooses for a folder of models, ""
// for those built in.
func newFinder(t testing.TB, models string) finder {
	t.Helper()
	c := chooseModels(models)
	m, loaded, err := c.open(loading{lib: needs(t), dir: models, threads: 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { loaded.close() })
	m.Timeout = time.Minute
	r := &agent.Redactor{Models: m}
	return func(t testing.TB, jpeg []byte) []blur.Region {
		t.Helper()
		src, err := blur.Open(jpeg)
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		regions, err := r.Find(context.Background(), src)
		if err != nil {
			t.Fatal(err)
		}
		return regions
	}
}

// add paints the places of one frame and returns the frame, or nil for one of which
// nothing could be told: the search would pass over it whatever it shows. A place that
// the models don't see even when it is hardly painted is missed: it stays as it was.
func (s *sheet) add(t testing.TB, look finder, name string, raw []byte, places []hole) []byte {
	t.Helper()
	ground := decoded(t, raw)
	s.size = ground.Rect.Size()
	f := paintedFrame{name: name}
	for _, p := range places {
		if p.box.Dx()*p.box.Dy() < leastArea {
			s.tiny++
			continue
		}
		f.places = append(f.places, p)
	}
	var out []byte
	for again := true; again; {
		img := copyOf(ground)
		for _, p := range f.places {
			s.canary.paint(img, p.box, depths[p.step])
		}
		out = encoded(t, img, 92)
		again = f.fade(look(t, out))
	}
	f.img, f.jpeg = decoded(t, out), out
	const clear = strongInPlace + 2 // coded once more, it will be fainter
	best, dull := find{}, 0
	for _, there := range s.canary.each(grayOf(f.img), boxesOf(f.places)) {
		best = stronger(best, there)
		if there.strength() < strongInPlace {
			dull++
		}
	}
	if best.strength() < clear {
		s.plain++
		return nil
	}
	s.dull += dull
	s.frames = append(s.frames, f)
	return out
}

func boxesOf(holes []hole) []image.Rectangle {
	var boxes []image.Rectangle
	for _, h := range holes {
		boxes = append(boxes, h.box)
	}
	return boxes
}

// fade gives every place that the models don't see the next lighter depth, and
// takes away those for which there is none. It tells whether there was any.
func (f *paintedFrame) fade(seen []blur.Region) bool {
	before := len(f.places)
	faded := false
	f.places = slices.DeleteFunc(f.places, func(p hole) bool {
		gone := !covered(p.box, seen) && p.step == len(depths)-1
		if gone {
			f.missed = append(f.missed, p)
		}
		return gone
	})
	for i := range f.places {
		if p := &f.places[i]; !covered(p.box, seen) {
			p.step++
			faded = true
		}
	}
	return faded || len(f.places) < before
}

// covered tells whether regions, grown by half the least that redaction grows them
// by, hide the whole of a box.
func covered(box image.Rectangle, regions []blur.Region) bool {
	const grow = 8
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			hides := func(r blur.Region) bool { return image.Pt(x, y).In(r.Box.Inset(-grow)) }
			if !slices.ContainsFunc(regions, hides) {
				return false
			}
		}
	}
	return true
}

// count returns how many places of a class are painted, and how many are missed.
func (s *sheet) count(c blur.Class) (painted, missed int) {
	of := func(p []hole) (n int) {
		for _, p := range p {
			if p.class == c {
				n++
			}
		}
		return n
	}
	for _, f := range s.frames {
		painted, missed = painted+of(f.places), missed+of(f.missed)
	}
	return painted, missed
}

func (s *sheet) log(t testing.TB) {
	t.Helper()
	t.Logf("canary of seed %d on %d frames, %d were left out for want of it; %d places too small for it; %d painted and too faint to be told alone", s.canary.seed, len(s.frames), s.plain, s.tiny, s.dull)
	for _, c := range []blur.Class{blur.Face, blur.Plate, blur.Person} {
		painted, missed := s.count(c)
		t.Logf("%s: %d painted, %d missed by the models and left as they are", c, painted, missed)
	}
}

// demoSheet writes the most populous frames of the bundled drive to a folder, painted
// where the drive's truth says that a face, a plate or a person is.
func demoSheet(t testing.TB, to string, c *canary, most int) *sheet {
	t.Helper()
	from := filepath.Join(repository(t), "testdata", "drives", "demo")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	truth := truthOf(t, from)
	area := func(name string) (sum int) {
		for _, p := range truth[name] {
			sum += p.box.Dx() * p.box.Dy()
		}
		return sum
	}
	entries, err := os.ReadDir(filepath.Join(to, "frames"))
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(entries, func(a, b os.DirEntry) int { return area(b.Name()) - area(a.Name()) })
	s, look := &sheet{canary: c}, newFinder(t, "")
	for _, e := range entries {
		path := filepath.Join(to, "frames", e.Name())
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var painted []byte
		if len(s.frames) < most {
			painted = s.add(t, look, e.Name(), raw, truth[e.Name()])
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if painted != nil {
			write(t, path, string(painted))
		}
	}
	return s
}

// truthOf returns where the faces, plates and persons of a drawn drive are, by frame.
func truthOf(t testing.TB, drive string) map[string][]hole {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(drive, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var truth struct {
		Frames map[string][]struct {
			Class blur.Class
			Box   [4]int
		}
	}
	if err := json.Unmarshal(raw, &truth); err != nil {
		t.Fatal(err)
	}
	places := map[string][]hole{}
	for name, marks := range truth.Frames {
		for _, m := range marks {
			if slices.Contains([]blur.Class{blur.Face, blur.Plate, blur.Person}, m.Class) {
				places[name] = append(places[name], hole{class: m.Class, box: image.Rect(m.Box[0], m.Box[1], m.Box[2], m.Box[3])})
			}
		}
	}
	return places
}
