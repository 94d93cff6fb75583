package inference

import (
	"context"
	"fmt"
	"image"
)

// Session is a loaded model whose tensors are bound: Input and Output return the same memory each
// time, Run computes one from the other. Nobody but the detector that owns the session writes to it.
type Session interface {
	Input() []float32
	Run(ctx context.Context) error // ends early, with ctx's error, when ctx does
	Output(name string) []float32  // nil if the session has no such output
	Close() error
}

// decoder appends to dst what it reads in the outputs that it was made with.
type decoder interface {
	decode(dst []candidate) ([]candidate, error)
}

// Detector finds objects in pictures with one model. It belongs to one goroutine.
type Detector struct {
	manifest Manifest
	session  Session
	fit      *letterbox
	decoder  decoder
	labels   []string    // by the class number of a candidate
	found    []candidate // reused
}

// NewDetector joins a model to its manifest and takes the session over: Close closes it. A session
// whose tensors are not those that the manifest asks for is an error, and stays the caller's.
func NewDetector(m Manifest, s Session) (*Detector, error) {
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("manifest of model %s: %w", m.Name, err)
	}
	in, out := m.Tensors()
	if n := len(s.Input()); n != in.Len() {
		return nil, fmt.Errorf("model %s: input %q holds %d values, want %d", m.Name, in.Name, n, in.Len())
	}
	bound := make([][]float32, len(out))
	for i, t := range out {
		bound[i] = s.Output(t.Name)
		if n := len(bound[i]); n != t.Len() {
			return nil, fmt.Errorf("model %s: output %q holds %d values, want %d", m.Name, t.Name, n, t.Len())
		}
	}
	return &Detector{
		manifest: m,
		session:  s,
		fit:      newLetterbox(m.Input),
		decoder:  newDecoder(m, out, bound),
		labels:   m.Labels(),
	}, nil
}

func newDecoder(m Manifest, out []Tensor, bound [][]float32) decoder {
	w, h := m.Input.Width, m.Input.Height
	_, least := m.scores() // of the only class, but for yolox
	switch m.Decoder {
	case DecoderYOLOX:
		return newYOLOX(m, bound)
	case DecoderText:
		return &textMap{Text: m.Text, width: w, height: h, score: least, name: m.Output, out: bound[0]}
	case DecoderUltraFace:
		return &ultraface{
			width: float64(w), height: float64(h), score: least, columns: 1 + m.Kinds, scores: bound[0], boxes: bound[1],
		}
	}
	d := &yunet{width: w, score: least}
	for i := range d.levels {
		names, values := out[3*i:], bound[3*i:]
		d.levels[i] = yunetLevel{[3]string{names[0].Name, names[1].Name, names[2].Name}, values[0], values[1], values[2]}
	}
	return d
}

// Manifest returns what the detector was made with.
func (d *Detector) Manifest() Manifest { return d.manifest }

// Detect looks at a picture and appends what it finds to dst, best first; it does not keep the planes
// and does not allocate when dst has room. Boxes are in the picture's coordinates, finite, inside it.
// On an error, also when ctx ends, dst comes back as it was.
func (d *Detector) Detect(ctx context.Context, v View, dst []Detection) ([]Detection, error) {
	if d.session == nil {
		return dst, fmt.Errorf("look with model %s: the detector is closed", d.manifest.Name)
	}
	if v.Reduce < 1 {
		return dst, fmt.Errorf("look with model %s: a picture reduced by %d", d.manifest.Name, v.Reduce)
	}
	if err := d.fit.fill(v.Planes, d.session.Input()); err != nil {
		return dst, fmt.Errorf("look with model %s: %w", d.manifest.Name, err)
	}
	if err := d.session.Run(ctx); err != nil {
		return dst, fmt.Errorf("look with model %s: %w", d.manifest.Name, err)
	}
	found, err := d.decoder.decode(d.found[:0])
	d.found = found[:0]
	if err != nil {
		return dst, fmt.Errorf("look with model %s: %w", d.manifest.Name, err)
	}
	for _, c := range suppress(found, d.manifest.NMS) {
		if r, ok := d.place(c.box, v); ok {
			dst = append(dst, Detection{d.labels[c.class], c.score, r, d.manifest.Name})
		}
	}
	return dst, nil
}

// place moves a box from the tensor into the picture; false if nothing of it is there or its shape is refused.
func (d *Detector) place(b box, v View) (image.Rectangle, bool) {
	s, picture := d.fit.scale/float64(v.Reduce), v.Bounds
	b = box{b.x0 / s, b.y0 / s, b.x1 / s, b.y1 / s}
	if !d.manifest.Shape.passes(b, float64(picture.Dy())) {
		return image.Rectangle{}, false
	}
	b = b.grown(d.manifest.Grow)
	x, y := float64(picture.Min.X), float64(picture.Min.Y)
	r := box{b.x0 + x, b.y0 + y, b.x1 + x, b.y1 + y}.within(picture)
	return r, !r.Empty()
}

// passes judges a box whose coordinates start at the picture's corner.
func (s Shape) passes(b box, height float64) bool {
	ratio := b.width() / b.height()
	return !(s.MinRatio > 0 && ratio < s.MinRatio ||
		s.MaxRatio > 0 && ratio > s.MaxRatio ||
		s.MaxHeight > 0 && b.height() > s.MaxHeight*height ||
		s.MinCentre > 0 && (b.y0+b.y1)/2 < s.MinCentre*height)
}

// Clear forgets the last picture: the tensors and rows that held it are zeroed. Call it when the
// camera is switched off.
func (d *Detector) Clear() {
	if d.session == nil {
		return
	}
	d.fit.clear()
	clear(d.session.Input())
	_, out := d.manifest.Tensors()
	for _, t := range out {
		clear(d.session.Output(t.Name))
	}
	clear(d.found[:cap(d.found)])
}

// Close clears the detector and closes its session. A second Close does nothing; a look after it is an error.
func (d *Detector) Close() error {
	if d.session == nil {
		return nil
	}
	d.Clear()
	s := d.session
	d.session = nil
	if err := s.Close(); err != nil {
		return fmt.Errorf("close model %s: %w", d.manifest.Name, err)
	}
	return nil
}
