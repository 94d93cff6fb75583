package main

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"
)

const (
	cameraHeight = 1.8
	cameraPitch  = -2.3 // degrees, down
	cameraField  = 68.0 // degrees across
	exposure     = 0.008
)

// maxBytes is what the whole drive may weigh: it travels inside the binary.
const maxBytes = 4_000_000

// drive is one run of the generator.
type drive struct {
	out           string
	width, height int
	quality       int
	workers       int
	progress      func(done, of int)
}

// shotAt describes the exposure that begins ms milliseconds into the drive.
func (d drive) shotAt(st *stage, ms int) shot {
	t := float64(ms) / 1000
	return shot{
		insts: st.instances(t), seed: ms,
		camera: func(part float64) camera {
			s, _ := travelled(t + part*exposure)
			p := st.line.at(s, 0).nod(-cameraPitch * math.Pi / 180)
			p.O.Y += cameraHeight
			return newCamera(p, cameraField, d.width, d.height)
		},
	}
}

// frame draws one picture as JPEG and tells what it shows.
func (d drive) frame(p *painter, st *stage, ms int) ([]byte, []mark, error) {
	s := d.shotAt(st, ms)
	img := p.paint(s)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: d.quality}); err != nil {
		return nil, nil, fmt.Errorf("encode frame %d: %w", ms, err)
	}
	return b.Bytes(), p.marks(s.view(0)), nil
}

// write draws the whole drive into the folder and returns its size.
func (d drive) write() (int, error) {
	frames := filepath.Join(d.out, "frames")
	old, err := filepath.Glob(filepath.Join(frames, "[0-9]*.jpg"))
	if err != nil {
		return 0, err
	}
	for _, f := range old {
		if err := os.Remove(f); err != nil {
			return 0, err
		}
	}
	if err := os.MkdirAll(frames, 0o755); err != nil {
		return 0, err
	}
	st := newStage()
	t := truth{stage: st, size: image.Pt(d.width, d.height), frames: map[int][]mark{}}
	size, err := d.draw(st, t.frames)
	if err != nil {
		return 0, err
	}
	more, err := d.papers(st, t)
	if size += more; err == nil && size > maxBytes {
		err = fmt.Errorf("drive %s: %d bytes, at most %d fit: lower the quality or take fewer pictures", d.out, size, maxBytes)
	}
	return size, err
}

// draw writes the frames and puts into marks what each shows.
func (d drive) draw(st *stage, marks map[int][]mark) (int, error) {
	var mu sync.Mutex // guards marks, size, done
	size, done := 0, 0
	note := func(ms, bytes int, seen []mark) {
		mu.Lock()
		defer mu.Unlock()
		marks[ms] = seen
		size, done = size+bytes, done+1
		d.progress(done, len(shots()))
	}
	var g errgroup.Group
	for first := range d.workers {
		g.Go(func() error { return d.work(st, first, note) })
	}
	err := g.Wait()
	return size, err
}

// work draws every so-manieth frame from the first on with one painter.
func (d drive) work(st *stage, first int, note func(ms, bytes int, seen []mark)) error {
	p := newPainter(d.width, d.height)
	for i := first; i < len(shots()); i += d.workers {
		ms := shots()[i]
		jpg, seen, err := d.frame(p, st, ms)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(d.out, "frames", frameName(ms)), jpg, 0o644); err != nil {
			return err
		}
		note(ms, len(jpg), seen)
	}
	return nil
}

func frameName(ms int) string { return fmt.Sprintf("%09d.jpg", ms) }

// papers writes everything but the frames.
func (d drive) papers(st *stage, t truth) (int, error) {
	ord, err := orders(st.line)
	if err != nil {
		return 0, fmt.Errorf("write orders: %w", err)
	}
	tru, err := t.bytes()
	if err != nil {
		return 0, fmt.Errorf("write truth: %w", err)
	}
	about := fmt.Sprintf(`name: demo
started: %s
track: drawn   # no such drive took place; the street is a line in Copenhagen, its houses, people and plates are invented
camera: {mount: front, height_m: %g, pitch_deg: %g, hfov_deg: %g}
frames: {count: %d, naming: milliseconds since started}
source: drawn by testdata/generate
`, started().Format("2006-01-02T15:04:05Z"), cameraHeight, cameraPitch, cameraField, len(t.frames))
	size := 0
	for _, f := range []struct {
		name string
		data []byte
	}{{"drive.yaml", []byte(about)}, {"track.nmea", nmea(st.line)}, {"orders.geojson", ord}, {"truth.json", tru}} {
		if err := os.WriteFile(filepath.Join(d.out, f.name), f.data, 0o644); err != nil {
			return size, err
		}
		size += len(f.data)
	}
	return size, nil
}
