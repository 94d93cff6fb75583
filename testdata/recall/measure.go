package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// run is one measurement of all pictures.
type run struct {
	shared  string   // folder of annotated pictures
	models  []string // folders of public models, looked through in order
	labels  string   // folder of inference/training/labels
	config  string   // the configuration whose redaction is the example
	only    string   // part of the paths of the pictures that are measured
	every   int      // of the pictures of a set, witnesses look at one in so many
	workers int
	step    func() // is told of each picture that is done; must allow for many callers
	witness []witness
}

// job is one picture to measure.
type job struct {
	file, set string
	judged    bool // what is there is known of all classes
	witnessed bool
	scene     scene
	jpeg      []byte // once it is at hand
}

// finding is what was measured on one picture.
type finding struct {
	File     string             `json:"file"`
	Set      string             `json:"set"`
	Objects  []fate             `json:"objects,omitempty"`
	Original hits               `json:"original,omitempty"` // where witnesses looked
	By       map[string]product `json:"by"`                 // by method
	Sent     *shipment          `json:"sent,omitempty"`     // if a task would send it
}

// fate is what became of one object.
type fate struct {
	Class  string             `json:"class"`
	Origin string             `json:"origin"`
	Box    [4]int             `json:"box"`
	Size   int                `json:"size"`  // pixels high; of plates, wide
	Gone   map[string]float64 `json:"gone"`  // the share of its box that was removed, by method
	First  map[string]float64 `json:"first"` // the same of the first look alone; of ours
}

// product is what one method did to one picture.
type product struct {
	First   float64     `json:"first"`            // share of the picture that the first look alone removes
	Removed float64     `json:"removed"`          // share of the picture
	Beside  *float64    `json:"beside,omitempty"` // the same without what is somebody, where that is known
	Residue hits        `json:"residue,omitempty"`
	Dropped string      `json:"dropped,omitempty"` // why no picture leaves
	Second  *secondLook `json:"second,omitempty"`  // nil where none is done
}

// hits are the boxes that each witness found, by its model.
type hits map[string][][4]int

// shipment is a picture as it is sent by default.
type shipment struct {
	Gone    []float64 `json:"gone,omitempty"` // of each object, also under coarse blocks
	Residue hits      `json:"residue,omitempty"`
	Dropped string    `json:"dropped,omitempty"`
	Grown   bool      `json:"grown"` // by the second look
}

// jobs lists every picture of the test split, in the order of the tables.
func (r *run) jobs() ([]job, error) {
	if _, err := os.Stat(filepath.Join(r.shared, "annotations")); err != nil {
		return nil, fmt.Errorf("no annotated pictures: %w; they are no part of the repository: name their folder with --pictures or GADEBLIK_SHARED", err)
	}
	known, err := readTruth(r.shared, r.labels)
	if err != nil {
		return nil, err
	}
	split, err := newSplit(r.shared)
	if err != nil {
		return nil, err
	}
	var all []job
	for _, s := range measured() {
		files, err := split.test(r.shared, s)
		if err != nil {
			return nil, err
		}
		for i, f := range files {
			if !strings.Contains(f, r.only) {
				continue
			}
			all = append(all, job{file: f, set: s.name, judged: s.judged, witnessed: i%r.every == 0, scene: *known.of(f)})
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("--only %s: no picture of the test split has that in its path", r.only)
	}
	return all, nil
}

// measure returns what is found on each job, in their order, whoever was faster.
func (r *run) measure(ctx context.Context, jobs []job) ([]finding, error) {
	all, err := methods(r.config)
	if err != nil {
		return nil, err
	}
	found := make([]finding, len(jobs))
	var taken atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range r.workers {
		e, err := newEyes(r.models) // one after the other: they share one ONNX Runtime
		if err != nil {
			return nil, errors.Join(err, g.Wait())
		}
		g.Go(func() (err error) {
			defer func() { err = errors.Join(err, e.close()) }()
			for i := int(taken.Add(1)) - 1; i < len(jobs) && err == nil; i = int(taken.Add(1)) - 1 {
				w := worker{eyes: e, methods: all, witness: r.witness, shared: r.shared}
				found[i], err = w.measure(ctx, jobs[i])
				r.step()
			}
			return err
		})
	}
	return found, g.Wait()
}

// worker measures one picture at a time.
type worker struct {
	eyes    *eyes
	methods []method
	witness []witness
	shared  string
}

func (w *worker) measure(ctx context.Context, j job) (finding, error) {
	w.eyes.forget()
	f := finding{File: j.file, Set: j.set, By: map[string]product{}}
	for _, o := range j.scene.objects {
		f.Objects = append(f.Objects, fate{o.class, o.origin, corners(o.box), o.size(), map[string]float64{}, map[string]float64{}})
	}
	var err error
	if j.jpeg, err = os.ReadFile(filepath.Join(w.shared, filepath.FromSlash(j.file))); err != nil {
		return f, err
	}
	if f.Original, err = w.residue(ctx, j, outcome{jpeg: j.jpeg}); err != nil {
		return f, fmt.Errorf("%s: %w", j.file, err)
	}
	for _, m := range w.methods {
		if err := w.try(ctx, m, j, &f); err != nil {
			return f, fmt.Errorf("%s: %s: %w", j.file, m.name, err)
		}
	}
	return f, nil
}

// try adds to f what one method does to a picture.
func (w *worker) try(ctx context.Context, m method, j job, f *finding) error {
	o, err := m.redact(ctx, w.eyes, j.jpeg)
	if err != nil {
		return err
	}
	nothing := newArea(o.removed.bounds.Max)
	p := product{Removed: o.removed.beside(nothing), Dropped: o.dropped, Second: secondOf(o, j.scene)}
	if o.first != nil {
		p.First = o.first.beside(nothing)
	}
	for i, object := range j.scene.objects {
		f.Objects[i].Gone[m.name] = o.removed.share(object.box)
		if o.first != nil {
			f.Objects[i].First[m.name] = o.first.share(object.box)
		}
	}
	if j.judged {
		beside := o.removed.beside(somebody(j.scene, o.removed.bounds.Max))
		p.Beside = &beside
	}
	if p.Residue, err = w.residue(ctx, j, o); err != nil {
		return err
	}
	f.By[m.name] = p
	if m.name == exampleMethod {
		f.Sent, err = w.ship(ctx, m, j)
	}
	return err
}

// somebody is where somebody is, or perhaps is.
func somebody(s scene, size image.Point) *area {
	a := newArea(size)
	for _, o := range s.objects {
		a.addBox(o.box)
	}
	for _, d := range s.doubtful {
		a.addBox(d)
	}
	return a
}

// residue lets every witness look, if the picture is one of those they look at.
func (w *worker) residue(ctx context.Context, j job, o outcome) (hits, error) {
	if !j.witnessed {
		return nil, nil
	}
	found := hits{}
	for _, witness := range w.witness {
		boxes, err := witness.residue(ctx, w.eyes, o)
		if err != nil {
			return nil, err
		}
		found[witness.model] = [][4]int{}
		for _, b := range boxes {
			if !j.scene.nobody(witness.class, b) {
				found[witness.model] = append(found[witness.model], corners(b))
			}
		}
	}
	return found, nil
}

// ship measures the picture as it is sent, nil if it would not be.
func (w *worker) ship(ctx context.Context, m method, j job) (*shipment, error) {
	o, ok, err := sent(ctx, w.eyes, m.looks, j.jpeg)
	if err != nil || !ok {
		return nil, err
	}
	s := &shipment{Dropped: o.dropped, Grown: o.dropped == "" && o.again.grown}
	for _, object := range j.scene.objects {
		s.Gone = append(s.Gone, o.removed.share(object.box))
	}
	s.Residue, err = w.residue(ctx, j, o)
	return s, err
}

func corners(r image.Rectangle) [4]int { return [4]int{r.Min.X, r.Min.Y, r.Max.X, r.Max.Y} }
