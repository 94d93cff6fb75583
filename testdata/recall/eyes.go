package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"

	"gadeblik/agent"
	"gadeblik/blur"
	"gadeblik/inference"
	"gadeblik/inference/catalogue"
	"gadeblik/inference/onnx"
)

// eyes are the models that one worker looks with, each loaded when it is first asked
// for. They belong to one goroutine.
type eyes struct {
	runtime *onnx.Runtime
	folders []string // of public models, looked through in order
	known   map[string]inference.Manifest
	loaded  map[string]*once
	closing []*inference.Detector
}

func newEyes(folders []string) (*eyes, error) {
	path, err := onnx.Find("")
	if err != nil {
		return nil, err
	}
	runtime, err := onnx.Open(path)
	if err != nil {
		return nil, err
	}
	return &eyes{runtime: runtime, folders: folders, known: map[string]inference.Manifest{}, loaded: map[string]*once{}}, nil
}

// manifest returns what the catalogue says of a model.
func (e *eyes) manifest(name string) (inference.Manifest, error) {
	if m, ok := e.known[name]; ok {
		return m, nil
	}
	m, err := loadFrom(e.folders, name)
	if err == nil {
		e.known[name] = m
	}
	return m, err
}

// loadFrom takes a model from the first folder that has it. The error is that of the last.
func loadFrom(folders []string, name string) (m inference.Manifest, err error) {
	for _, folder := range folders {
		if m, err = catalogue.Load(folder, name); err == nil {
			return m, nil
		}
	}
	return m, err
}

// open returns the model with this manifest, the same one each time.
func (e *eyes) open(m inference.Manifest) (*once, error) {
	key := fmt.Sprint(m.Name, m.Input.Width, m.Input.Height, m.Score, m.Scores, m.NMS)
	if o := e.loaded[key]; o != nil {
		return o, nil
	}
	data, err := m.Read()
	if err != nil {
		return nil, err
	}
	// One thread, so that no sum depends on how many there are.
	session, err := e.runtime.Load(m, data, 1)
	if err != nil {
		return nil, err
	}
	d, err := inference.NewDetector(m, session)
	if err != nil {
		return nil, errors.Join(err, session.Close())
	}
	o := &once{Detector: d, seed: maphash.MakeSeed()}
	e.loaded[key], e.closing = o, append(e.closing, d)
	return o, nil
}

// named opens a model as the catalogue has it.
func (e *eyes) named(name string) (*once, error) {
	m, err := e.manifest(name)
	if err != nil {
		return nil, err
	}
	return e.open(m)
}

// look lets a model of the catalogue look at a JPEG.
func (e *eyes) look(ctx context.Context, name string, jpeg []byte) ([]inference.Detection, error) {
	d, err := e.named(name)
	if err != nil {
		return nil, err
	}
	src, err := blur.Open(jpeg)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return agent.Look(ctx, d, src, nil)
}

// forget makes room for the next picture.
func (e *eyes) forget() {
	for _, o := range e.loaded {
		clear(o.seen)
	}
}

func (e *eyes) close() error {
	var errs []error
	for _, d := range e.closing {
		errs = append(errs, d.Close())
	}
	return errors.Join(errs...)
}

// once looks at each picture once, however many methods ask for it: several ask the
// same models, and a look is all that takes time here. It knows a picture by its
// samples, so that it may stand wherever a detector may.
type once struct {
	agent.Detector
	seed maphash.Seed
	seen map[uint64][]inference.Detection
}

// Detect does as [inference.Detector.Detect] does.
func (o *once) Detect(ctx context.Context, v inference.View, dst []inference.Detection) ([]inference.Detection, error) {
	key := o.key(v)
	if known, ok := o.seen[key]; ok {
		return append(dst, known...), nil
	}
	before := len(dst)
	dst, err := o.Detector.Detect(ctx, v, dst)
	if err != nil {
		return dst, err
	}
	if o.seen == nil {
		o.seen = map[uint64][]inference.Detection{}
	}
	o.seen[key] = slices.Clone(dst[before:])
	return dst, nil
}

func (o *once) key(v inference.View) uint64 {
	var h maphash.Hash
	h.SetSeed(o.seed)
	for _, n := range []int{v.Reduce, v.Bounds.Dx(), v.Bounds.Dy()} {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(n)))
	}
	for _, plane := range [][]byte{v.Planes.Y, v.Planes.Cb, v.Planes.Cr} {
		h.Write(plane)
	}
	return h.Sum64()
}
