package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// leastPixels is how many pixels of a thing must show for a scene's labels to mention it: faces matter when they are
// six pixels high.
const leastPixels = 16

// faintest is how much a thing's picture must vary, of 1, to be told from its surroundings at all, and drowned what
// share of the noise is added to that. What the night or the fog hides is not asked of a detector.
const faintest, drowned = 0.018, 0.35

// thickest is the share of a thing's light that must come through the fog.
const thickest = 0.15

// label is one line of labels.jsonl.
type label struct {
	File   string  `json:"file"`
	Label  string  `json:"label"`
	Box    [4]int  `json:"box"` // x0, y0, x1, y1, the last two exclusive
	Shown  float64 `json:"shown"`
	Turned *int    `json:"turned,omitempty"`
	Pixels int     `json:"pixels"`
	Of     string  `json:"of,omitempty"` // cyclist, of the person who rides
}

// scenes is one run of the second job.
type scenes struct {
	out          string
	first, count int
	seed         int
	size         image.Point
	workers      int
	progress     func(done, of int)
}

// mostScenes is how many numbers of six digits there are.
const mostScenes = 1_000_000

// check says what was asked for that cannot be drawn.
func (j *scenes) check() error {
	switch {
	case j.out == "":
		return errNoFolder
	case j.count < 1 || j.first < 0 || j.count > mostScenes-j.first:
		return fmt.Errorf("--first %d --count %d: at least one scene, numbers 0 to %d", j.first, j.count, mostScenes-1)
	case min(j.size.X, j.size.Y) < 64 || max(j.size.X, j.size.Y) > 4096:
		return fmt.Errorf("--width %d --height %d: 64 to 4096 pixels", j.size.X, j.size.Y)
	}
	return nil
}

func sceneName(number int) string { return fmt.Sprintf("%06d.jpg", number) }

// draw makes one scene: its JPEG and its labels.
func (t *studio) draw(seed, number int) ([]byte, []label, error) {
	s := newScene(seed, number, image.Pt(t.eye.w, t.eye.h))
	cam := t.expose(s)
	marks := t.seen(cam, leastPixels)
	img := t.develop(s.finish)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: s.finish.quality}); err != nil {
		return nil, nil, fmt.Errorf("encode scene %d: %w", number, err)
	}
	var out []label
	for _, m := range marks {
		if t.film.spread(m.Box) < faintest+drowned*s.finish.noise || math.Exp(-m.Away/s.air.fog) < thickest {
			continue
		}
		l := label{File: sceneName(number), Label: m.Class, Box: m.Box, Shown: m.Shown, Turned: m.Turned, Pixels: m.Pixels}
		if m.Class == "person" && s.rides(m.ID) {
			l.Of = "cyclist"
		}
		out = append(out, l)
	}
	return b.Bytes(), out, nil
}

// rides tells whether person id belongs to a cyclist.
func (s *scene) rides(id int) bool {
	for _, in := range s.insts {
		if o := in.obj; o != nil && o.id == id {
			return o.of != nil
		}
	}
	return false
}

// spread is the standard deviation of the brightness inside a box and a little round it, before noise was added.
func (f *film) spread(box [4]int) float64 {
	mx, my := (box[2]-box[0])/5+1, (box[3]-box[1])/5+1
	sum, sq, n := 0.0, 0.0, 0.0
	for y := max(box[1]-my, 0); y < min(box[3]+my, f.h); y++ {
		for x := max(box[0]-mx, 0); x < min(box[2]+mx, f.w); x++ {
			v := float64(f.planes[0][y*f.w+x]+2*f.planes[1][y*f.w+x]+f.planes[2][y*f.w+x]) / 4
			sum, sq, n = sum+v, sq+v*v, n+1
		}
	}
	return math.Sqrt(max(sq/n-sum*sum/n/n, 0))
}

// write draws all scenes into the folder and their labels into one file, in the order of their numbers.
func (j scenes) write() error {
	if err := os.MkdirAll(j.out, 0o755); err != nil {
		return err
	}
	found := make([][]label, j.count)
	var next, done atomic.Int64
	var g errgroup.Group
	for range j.workers {
		g.Go(func() error {
			t := newStudio(j.size.X, j.size.Y)
			for i := int(next.Add(1)) - 1; i < j.count; i = int(next.Add(1)) - 1 {
				jpg, labels, err := t.draw(j.seed, j.first+i)
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(j.out, sceneName(j.first+i)), jpg, 0o644); err != nil {
					return err
				}
				found[i] = labels
				j.progress(int(done.Add(1)), j.count)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, labels := range found {
		for _, l := range labels {
			if err := enc.Encode(l); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(filepath.Join(j.out, "labels.jsonl"), b.Bytes(), 0o644)
}
