package inference

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"
)

const (
	maxManifestBytes = 64 << 10
	maxModelBytes    = 256 << 20
)

// Task is what a model is for.
type Task string

// The tasks there are. There is none for telling people apart, and none can be added by a manifest.
const (
	TaskObjects Task = "objects" // things with several classes
	TaskPersons Task = "persons"
	TaskFaces   Task = "faces" // where a face is, never whose
	TaskPlates  Task = "plates"
)

// The decoders there are.
const (
	DecoderYOLOX = "yolox" // outputs [1, cells, 5+classes], anchor-free, strides 8, 16 and 32
	DecoderYuNet = "yunet" // outputs cls_, obj_ and bbox_ for strides 8, 16 and 32; landmarks are not read
	// DecoderUltraFace reads outputs scores [1, boxes, 1+kinds], of which the first is for nothing, and boxes
	// [1, boxes, 4], corners in fractions of the tensor; three boxes a cell for stride 8, two for 16 and 32, three for 64.
	DecoderUltraFace = "ultraface"
	DecoderText      = "text" // one output [1, 1, height, width]: how likely each pixel belongs to lettering
)

// Manifest describes one model: a YAML file beside the .onnx. It is a value: change a copy (a lower
// score with [Manifest.WithScore], say) before making a detector of it.
type Manifest struct {
	Name    string   `yaml:"name"`             // what detections and observations call the model
	File    string   `yaml:"file"`             // .onnx file in the manifest's folder; several manifests may share one
	SHA256  string   `yaml:"sha256"`           // of that file, 64 lower-case hexadecimal digits
	Task    Task     `yaml:"task"`             // what the model is for
	Licence string   `yaml:"licence"`          // of the weights, SPDX where there is an identifier
	Source  string   `yaml:"source"`           // where the weights come from
	Input   Input    `yaml:"input"`            // the tensor the model wants
	Decoder string   `yaml:"decoder"`          // how the outputs are read
	Output  string   `yaml:"output,omitempty"` // name of the output; not for yunet and ultraface, whose names are fixed
	Classes []string `yaml:"classes,flow"`     // labels in the order of the output
	Heads   []Head   `yaml:"heads,omitempty"`  // further outputs on the same grid; yolox only
	Score   float64  `yaml:"score"`            // what scores less is not reported
	NMS     float64  `yaml:"nms"`              // of two boxes of one class that overlap more than this, the better stays
	Kinds   int      `yaml:"kinds,omitempty"`  // of face that the model tells apart, all the same to us; ultraface only
	Text    Text     `yaml:"text,omitempty"`   // for the text decoder only
	Shape   Shape    `yaml:"shape,omitempty"`  // boxes of another shape are not reported; zero lets all pass
	Grow    float64  `yaml:"grow,omitempty"`   // fraction of its size by which a box is moved outward on each side

	// Scores stands in for Score where a label is in it. It is shared by copies: change it with WithScore.
	Scores map[string]float64 `yaml:"scores,omitempty"`

	dir  string
	held fs.FS // has the model file instead of dir; nil if dir has it
}

// Input describes the tensor [1, 3, Height, Width]: the picture scaled to fit, at the top left, value (v-Mean)/Std.
type Input struct {
	Name   string     `yaml:"name"`
	Width  int        `yaml:"width"`  // pixels; also fixes the size of a model that leaves it open
	Height int        `yaml:"height"` // pixels
	Colour string     `yaml:"colour"` // order of the channels: bgr or rgb
	Mean   [3]float64 `yaml:"mean,flow"`
	Std    [3]float64 `yaml:"std,flow"`
	Pad    float64    `yaml:"pad"` // 0 to 255, what is beside the picture, before Mean and Std
}

// Head is an output beside the first one, for classes that were taught to the model later.
type Head struct {
	Output  string   `yaml:"output"`
	Classes []string `yaml:"classes,flow"`
}

// Text says how lettering is cut out of a probability map.
type Text struct {
	Threshold float64 `yaml:"threshold"`  // a pixel above it belongs to lettering
	MinPixels int     `yaml:"min_pixels"` // smaller patches are noise
	Unclip    float64 `yaml:"unclip"`     // boxes grow by this times area over half the perimeter: maps show shrunken text
}

// Shape lets boxes of some proportions pass. A bound that is zero lets everything pass.
type Shape struct {
	MinRatio  float64 `yaml:"min_ratio,omitempty"`  // width over height
	MaxRatio  float64 `yaml:"max_ratio,omitempty"`  // width over height
	MaxHeight float64 `yaml:"max_height,omitempty"` // fraction of the picture's height
	MinCentre float64 `yaml:"min_centre,omitempty"` // fraction of the picture's height above which no centre may lie
}

// LoadManifest reads the manifest at path and validates it; the model file is looked for in the same
// folder and not touched yet. The error names every mistake, one a line.
func LoadManifest(path string) (Manifest, error) {
	f, err := os.Open(path)
	if err != nil {
		return Manifest{}, fmt.Errorf("read manifest: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxManifestBytes+1))
	if err != nil {
		return Manifest{}, fmt.Errorf("read manifest: %w", err)
	}
	m, err := ParseManifest(raw)
	if err != nil {
		return Manifest{}, fmt.Errorf("manifest %s: %w", path, err)
	}
	return m.In(filepath.Dir(path)), nil
}

// ParseManifest decodes and validates one manifest. An unknown key, a second document and more than
// 64 KiB are errors.
func ParseManifest(raw []byte) (Manifest, error) {
	if len(raw) > maxManifestBytes {
		return Manifest{}, fmt.Errorf("larger than %d bytes", maxManifestBytes)
	}
	var m Manifest
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(&m); err != nil {
		if errors.Is(err, io.EOF) {
			return Manifest{}, errors.New("empty")
		}
		return Manifest{}, err
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Manifest{}, errors.New("more than one YAML document; give each model its own file")
	}
	if err := m.Validate(); err != nil {
		return Manifest{}, err
	}
	return m, nil
}

// In returns the manifest with its model file looked for in dir.
func (m Manifest) In(dir string) Manifest {
	m.dir, m.held = dir, nil
	return m
}

// Within returns the manifest of a model that is built in: its file is looked for in fsys, which is
// part of the program, and has no path.
func (m Manifest) Within(fsys fs.FS) Manifest {
	m.dir, m.held = "", fsys
	return m
}

// BuiltIn tells whether the model file is part of the program.
func (m Manifest) BuiltIn() bool { return m.held != nil }

// Path is where the model file is looked for on the disk; empty for one that is built in.
func (m Manifest) Path() string {
	if m.BuiltIn() {
		return ""
	}
	return filepath.Join(m.dir, m.File)
}

// Read returns the model's bytes, from the disk or from the program, after checking their hash. What
// it returns is what the manifest describes: load these bytes, not the file again.
func (m Manifest) Read() ([]byte, error) {
	f, err := m.open()
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxModelBytes {
		return nil, fmt.Errorf("model %s: %s is not a file of at most %d MiB", m.Name, cmp.Or(m.Path(), m.File), maxModelBytes>>20)
	}
	data, err := io.ReadAll(io.LimitReader(f, info.Size()))
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	if err := m.Check(data); err != nil {
		return nil, err
	}
	return data, nil
}

func (m Manifest) open() (fs.File, error) {
	if m.BuiltIn() {
		return m.held.Open(m.File)
	}
	f, err := os.Open(m.Path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; fetch it with `gadeblik models fetch`", err)
	}
	return f, err
}

// Check says whether data is the model that the manifest describes.
func (m Manifest) Check(data []byte) error {
	sum := sha256.Sum256(data)
	got := hex.EncodeToString(sum[:])
	if got == m.SHA256 {
		return nil
	}
	mend := "fetch it again with `gadeblik models fetch`"
	if m.BuiltIn() {
		mend = "build the program again, from a clean checkout"
	}
	return fmt.Errorf("model %s: sha256 %.12s…, manifest says %.12s…; %s", m.File, got, m.SHA256, mend)
}

// ScoreOf is what must be scored for things of this label to be reported.
func (m Manifest) ScoreOf(label string) float64 {
	if s, special := m.Scores[label]; special {
		return s
	}
	return m.Score
}

// WithScore returns the manifest with another score at which things of this label are reported.
func (m Manifest) WithScore(label string, score float64) Manifest {
	m.Scores = maps.Clone(m.Scores)
	if m.Scores == nil {
		m.Scores = map[string]float64{}
	}
	m.Scores[label] = score
	return m
}

// scores returns by class number what must be scored to be reported, and the least of these.
func (m Manifest) scores() (byClass []float64, least float64) {
	least = 1
	for _, label := range m.Labels() {
		s := m.ScoreOf(label)
		byClass, least = append(byClass, s), min(least, s)
	}
	return byClass, least
}

// Labels returns every label that the model can give, those of the heads last. The caller owns the slice.
func (m Manifest) Labels() []string {
	all := slices.Clone(m.Classes)
	for _, h := range m.Heads {
		all = append(all, h.Classes...)
	}
	return all
}

// Tensor is the name and shape of one input or output; all are float32.
type Tensor struct {
	Name  string
	Shape []int64
}

// Len is the number of values in the tensor.
func (t Tensor) Len() int {
	n := int64(1)
	for _, d := range t.Shape {
		n *= d
	}
	return int(n)
}

// Tensors returns the input that a session must have and the outputs that the decoder reads, with
// every dimension fixed. The manifest must be valid.
func (m Manifest) Tensors() (in Tensor, out []Tensor) {
	w, h := int64(m.Input.Width), int64(m.Input.Height)
	in = Tensor{m.Input.Name, []int64{1, 3, h, w}}
	switch m.Decoder {
	case DecoderYOLOX:
		cells := int64(0)
		for _, s := range strides {
			cells += (w / int64(s)) * (h / int64(s))
		}
		out = append(out, Tensor{m.Output, []int64{1, cells, int64(yoloxFields + len(m.Classes))}})
		for _, head := range m.Heads {
			out = append(out, Tensor{head.Output, []int64{1, cells, int64(yoloxFields + len(head.Classes))}})
		}
		return in, out
	case DecoderText:
		return in, []Tensor{{m.Output, []int64{1, 1, h, w}}}
	case DecoderUltraFace:
		n := ultrafaceBoxes(m.Input.Width, m.Input.Height)
		return in, []Tensor{{"scores", []int64{1, n, int64(1 + m.Kinds)}}, {"boxes", []int64{1, n, 4}}}
	}
	for _, s := range strides {
		n := (w / int64(s)) * (h / int64(s))
		out = append(out,
			Tensor{fmt.Sprintf("cls_%d", s), []int64{1, n, 1}},
			Tensor{fmt.Sprintf("obj_%d", s), []int64{1, n, 1}},
			Tensor{fmt.Sprintf("bbox_%d", s), []int64{1, n, 4}})
	}
	return in, out
}
