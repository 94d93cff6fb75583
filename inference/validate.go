package inference

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const (
	minSide    = 32
	maxSide    = 2048 // a tensor of 2048x2048 is 48 MiB
	maxClasses = 256
	maxKinds   = 16
	maxText    = 400 // bytes in a free text
)

// mistakes collects what is wrong, in the order of the file.
type mistakes []error

func (v *mistakes) unless(ok bool, format string, args ...any) {
	if !ok {
		*v = append(*v, fmt.Errorf(format, args...))
	}
}

// Validate names every mistake in the manifest, one a line, each with its key, its rule and the value found.
func (m Manifest) Validate() error {
	var v mistakes
	v.unless(matches(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`, m.Name),
		"name: must be up to 64 letters, digits, dots, dashes and underscores (got %q)", m.Name)
	v.unless(matches(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,122}\.onnx$`, m.File) && filepath.Base(m.File) == m.File,
		"file: must be the name of an .onnx file without folders (got %q)", m.File)
	v.unless(matches(`^[0-9a-f]{64}$`, m.SHA256), "sha256: must be 64 lower-case hexadecimal digits (got %q)", m.SHA256)
	m.validateTask(&v)
	v.unless(sensible(m.Licence), "licence: must say under which licence the weights are (got %q)", m.Licence)
	v.unless(sensible(m.Source), "source: must say where the weights come from (got %q)", m.Source)
	m.Input.validate(&v)
	m.validateDecoder(&v)
	m.validateClasses(&v)
	m.validateScores(&v)
	v.unless(m.NMS > 0 && m.NMS <= 1, "nms: must be above 0 and at most 1 (got %v)", m.NMS)
	m.Text.validate(&v, m.Decoder)
	m.Shape.validate(&v)
	v.unless(m.Grow >= 0 && m.Grow <= 1, "grow: must be between 0 and 1 (got %v)", m.Grow)
	return errors.Join(v...)
}

func (m Manifest) validateScores(v *mistakes) {
	v.unless(m.Score > 0 && m.Score < 1, "score: must be between 0 and 1 (got %v)", m.Score)
	labels := m.Labels()
	for _, label := range slices.Sorted(maps.Keys(m.Scores)) {
		v.unless(slices.Contains(labels, label), "scores: %q is not among the classes", label)
		s := m.Scores[label]
		v.unless(s > 0 && s < 1, "scores: %s must be between 0 and 1 (got %v)", label, s)
	}
}

func (m Manifest) validateTask(v *mistakes) {
	tasks := []Task{TaskObjects, TaskPersons, TaskFaces, TaskPlates}
	v.unless(slices.Contains(tasks, m.Task),
		"task: must be objects, persons, faces or plates (got %q); a model that tells people apart cannot be used", m.Task)
}

func (in Input) validate(v *mistakes) {
	v.unless(sensible(in.Name), "input.name: must name the model's input (got %q)", in.Name)
	side := func(key string, n int) {
		v.unless(n >= minSide && n <= maxSide && n%strides[len(strides)-1] == 0,
			"input.%s: must be a multiple of 32 from %d to %d (got %d)", key, minSide, maxSide, n)
	}
	side("width", in.Width)
	side("height", in.Height)
	v.unless(in.Colour == "bgr" || in.Colour == "rgb", "input.colour: must be bgr or rgb (got %q)", in.Colour)
	for i := range in.Mean {
		v.unless(in.Mean[i] >= -1000 && in.Mean[i] <= 1000, "input.mean[%d]: must be between -1000 and 1000 (got %v)", i, in.Mean[i])
	}
	for i := range in.Std {
		v.unless(in.Std[i] >= 1e-3 && in.Std[i] <= 1000, "input.std[%d]: must be between 0.001 and 1000 (got %v)", i, in.Std[i])
	}
	v.unless(in.Pad >= 0 && in.Pad <= 255, "input.pad: must be between 0 and 255 (got %v)", in.Pad)
}

func (m Manifest) validateDecoder(v *mistakes) {
	switch m.Decoder {
	case DecoderYOLOX, DecoderText:
		v.unless(sensible(m.Output), "output: must name the model's output (got %q)", m.Output)
	case DecoderYuNet, DecoderUltraFace:
		v.unless(m.Output == "", "output: must be left out, the outputs of %s have fixed names (got %q)", m.Decoder, m.Output)
	default:
		v.unless(false, "decoder: must be yolox, yunet, ultraface or text (got %q)", m.Decoder)
	}
	if m.Decoder == DecoderUltraFace {
		v.unless(m.Kinds >= 1 && m.Kinds <= maxKinds, "kinds: must be 1 to %d for the decoder ultraface (got %d)", maxKinds, m.Kinds)
	} else {
		v.unless(m.Kinds == 0, "kinds: must be left out unless the decoder is ultraface (got %d)", m.Kinds)
	}
}

func (m Manifest) validateClasses(v *mistakes) {
	labels := m.Labels()
	n := len(labels)
	v.unless(len(m.Classes) >= 1 && n <= maxClasses, "classes: must be 1 to %d labels with those of the heads (got %d)", maxClasses, n)
	if n > maxClasses {
		return
	}
	label := regexp.MustCompile(`^[a-z0-9][a-z0-9 _-]{0,39}$`) // once: the catalogue has a thousand labels
	for i, c := range labels {
		v.unless(label.MatchString(c),
			"classes: must be up to 40 lower-case letters, digits, spaces and dashes each (got %q)", c)
		v.unless(slices.Index(labels, c) == i, "classes: %q is there twice", c)
	}
	m.validateHeads(v)
	// Redaction goes by label: the models it relies on must say the words it knows.
	only := map[Task]string{TaskPersons: "person", TaskFaces: "face", TaskPlates: "plate"}[m.Task]
	if only != "" {
		v.unless(n == 1 && labels[0] == only, "classes: must be [%s] for the task %s (got [%s])",
			only, m.Task, strings.Join(labels, ", "))
		return
	}
	one := slices.Contains([]string{DecoderYuNet, DecoderUltraFace, DecoderText}, m.Decoder)
	v.unless(!one || n == 1, "classes: must be one label for the decoder %s (got %d)", m.Decoder, n)
}

func (m Manifest) validateHeads(v *mistakes) {
	v.unless(len(m.Heads) == 0 || m.Decoder == DecoderYOLOX, "heads: must be left out unless the decoder is yolox")
	for i, h := range m.Heads {
		v.unless(sensible(h.Output), "heads[%d].output: must name an output of the model (got %q)", i, h.Output)
		twice := h.Output == m.Output || slices.ContainsFunc(m.Heads[:i], func(o Head) bool { return o.Output == h.Output })
		v.unless(!twice, "heads[%d].output: %q is there twice", i, h.Output)
		v.unless(len(h.Classes) > 0, "heads[%d].classes: must be at least one label", i)
	}
}

func (t Text) validate(v *mistakes, decoder string) {
	if decoder != DecoderText {
		v.unless(t == Text{}, "text: must be left out unless the decoder is text")
		return
	}
	v.unless(t.Threshold > 0 && t.Threshold < 1, "text.threshold: must be between 0 and 1 (got %v)", t.Threshold)
	v.unless(t.MinPixels >= 1 && t.MinPixels <= 10000, "text.min_pixels: must be from 1 to 10000 (got %d)", t.MinPixels)
	v.unless(t.Unclip >= 0 && t.Unclip <= 10, "text.unclip: must be between 0 and 10 (got %v)", t.Unclip)
}

func (s Shape) validate(v *mistakes) {
	v.unless(s.MinRatio >= 0 && s.MinRatio <= 100, "shape.min_ratio: must be between 0 and 100 (got %v)", s.MinRatio)
	v.unless(s.MaxRatio == 0 || s.MaxRatio >= s.MinRatio && s.MaxRatio <= 100,
		"shape.max_ratio: must be between min_ratio and 100 (got %v)", s.MaxRatio)
	v.unless(s.MaxHeight >= 0 && s.MaxHeight <= 1, "shape.max_height: must be between 0 and 1 (got %v)", s.MaxHeight)
	v.unless(s.MinCentre >= 0 && s.MinCentre < 1, "shape.min_centre: must be at least 0 and below 1 (got %v)", s.MinCentre)
}

func matches(pattern, s string) bool {
	return regexp.MustCompile(pattern).MatchString(s)
}

// sensible says whether a free text says something and can be shown on one line.
func sensible(s string) bool {
	return strings.TrimSpace(s) != "" && len(s) <= maxText && !strings.ContainsAny(s, "\x00\r\n")
}
