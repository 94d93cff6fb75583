package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
)

// portrait is one line of the labels of cut-out people. Boxes are x0, y0, x1, y1 in pixels, the last two exclusive.
type portrait struct {
	File   string  `json:"file"`
	Person [4]int  `json:"person"`         // of the pixels that cover more than half
	Face   *[4]int `json:"face,omitempty"` // missing when it looks away or does not show
	Turned float64 `json:"turned"`         // degrees between where the face looks and the camera
	Sex    string  `json:"sex"`
	Age    int     `json:"age"`
	Skin   string  `json:"skin"`
	Pose   string  `json:"pose"`
}

// people is one run of the third job.
type people struct {
	assets, out  string
	first, count int
	seed         int
	progress     func(done, of int)
}

// mostPeople is how many numbers of five digits there are.
const mostPeople = 100_000

var errNoAssets = errors.New("--assets: name the folder with the body, its clothes and poses")

func drawPeople(args []string, progress func(done, of int)) error {
	j := people{progress: progress}
	set := flag.NewFlagSet("people", flag.ExitOnError)
	set.StringVar(&j.assets, "assets", "", "folder with the body, its clothes and poses")
	set.StringVar(&j.out, "out", "", "folder to write the people to")
	set.IntVar(&j.count, "count", 100, "how many people")
	set.IntVar(&j.first, "first", 0, "number of the first")
	set.IntVar(&j.seed, "seed", 1, "names the series")
	flags(set, args, j.check)
	return j.write()
}

// check says what was asked for that cannot be drawn.
func (j *people) check() error {
	switch {
	case j.out == "":
		return errNoFolder
	case j.assets == "":
		return errNoAssets
	case j.count < 1 || j.first < 0 || j.count > mostPeople-j.first:
		return fmt.Errorf("--first %d --count %d: at least one person, numbers 0 to %d", j.first, j.count, mostPeople-1)
	}
	return nil
}

// write draws the people one after the other. Each has its line of the labels as soon as its picture is there, so that
// a run that breaks off leaves what it made.
func (j people) write() error {
	l, err := openLarder(j.assets)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(j.out, 0o755); err != nil {
		return err
	}
	labels, err := os.Create(filepath.Join(j.out, "labels.jsonl"))
	if err != nil {
		return err
	}
	for i := range j.count {
		pic, p, err := l.portray(j.seed, j.first+i)
		if err == nil {
			err = os.WriteFile(filepath.Join(j.out, p.File), pic, 0o644)
		}
		if err == nil {
			err = json.NewEncoder(labels).Encode(p)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("draw person %d: %w", j.first+i, err), labels.Close())
		}
		j.progress(i+1, j.count)
	}
	return labels.Close()
}

// portray draws one person, which the seed and its number alone decide: its PNG and its labels.
func (l *larder) portray(seed, number int) ([]byte, portrait, error) {
	c := castCharacter(seed, number)
	m, err := l.model(c)
	if err != nil {
		return nil, portrait{}, err
	}
	cam := c.view.lookout(m.middle)
	m.figure.gather(c.light)
	cv := m.figure.expose(cam)
	s := m.figure.develop(cv, cam, c.light)
	p := portrait{File: fmt.Sprintf("%05d.png", number), Person: solid(s.img), Sex: "male", Age: int(c.build.age), Pose: c.attitude.name}
	if c.build.female {
		p.Sex = "female"
	}
	p.Skin = []string{"light", "medium", "dark"}[min(int(c.tone*3), 2)]
	p.Turned, p.Face = m.visage(cam, cv, s)
	var b bytes.Buffer
	if err := png.Encode(&b, s.img); err != nil {
		return nil, portrait{}, err
	}
	return b.Bytes(), p, nil
}

// standing is how many pixels high a metre is at the person's distance: 420 for a man of middle height.
const standing = 420 / 1.75

// lookout places the camera for a person whose middle is given. The ground of the person is at height 0.
func (v viewpoint) lookout(middle vec) *lookout {
	c := &lookout{eye: vec{0, v.height, v.distance}}
	// The camera looks along -Z of the world, so that X right and Y up stay as they are in the picture.
	s, k := math.Sincos(v.tilt)
	ps, pk := math.Sincos(v.pan)
	forward := vec{ps * k, -s, -pk * k}
	right := forward.cross(vec{0, 1, 0}).unit()
	c.turn = pose{X: right, Y: right.cross(forward), Z: forward}
	c.focal = standing * c.turn.inward(middle.sub(c.eye)).Z
	return c
}

// solid is the box of the pixels that cover more than half.
func solid(img *image.NRGBA) [4]int {
	box := image.Rectangle{}
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			if img.Pix[img.PixOffset(x, y)+3] >= 128 {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return [4]int{box.Min.X, box.Min.Y, box.Max.X, box.Max.Y}
}

// mostTurned is how far, in degrees, a face may look away and have a box; leastFace is the share of its box that must
// show it.
const mostTurned, leastFace = 100, 0.12

// visage returns how far the face looks away and its box in the picture.
func (m *model) visage(c *lookout, cv *canvas, s sprite) (turned float64, box *[4]int) {
	var sum vec
	for _, p := range m.face {
		sum = sum.add(p)
	}
	middle := sum.mul(1 / float64(len(m.face)))
	turned = math.Acos(clamp(m.front.dot(c.eye.sub(middle).unit()), -1, 1)) * 180 / math.Pi
	turned = math.Round(turned*10) / 10
	if turned >= mostTurned {
		return turned, nil
	}
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for i, p := range m.face {
		if m.looks[i].dot(c.eye.sub(p)) < 0 {
			continue
		}
		q := c.project(p)
		x0, y0, x1, y1 = min(x0, q.X), min(y0, q.Y), max(x1, q.X), max(y1, q.Y)
	}
	ox, oy := cv.x0+float64(s.at.X), cv.y0+float64(s.at.Y)
	b := [4]int{int(math.Floor(x0 - ox)), int(math.Floor(y0 - oy)), int(math.Ceil(x1 - ox)), int(math.Ceil(y1 - oy))}
	if float64(s.face) < leastFace*float64((b[2]-b[0])*(b[3]-b[1])) {
		return turned, nil
	}
	// A vertex can lie in a pixel that is covered by less than half.
	p := solid(s.img)
	b = [4]int{max(b[0], p[0]), max(b[1], p[1]), min(b[2], p[2]), min(b[3], p[3])}
	return turned, &b
}
