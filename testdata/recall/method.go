package main

import (
	"context"
	"fmt"
	"image"
	"os"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"gadeblik/agent"
	"gadeblik/blur"
	"gadeblik/inference"
	"gadeblik/inference/catalogue"
)

// method is one way to take people out of a picture.
type method struct {
	name string
	with string        // what it looks with, in words
	own  []redactModel // what the product's redactor looks with; nil for a stranger
	// redact returns what is left of a picture. An outcome that is dropped is no error:
	// no picture leaves, so nobody is seen.
	redact func(ctx context.Context, e *eyes, jpeg []byte) (outcome, error)
}

// outcome is what one method made of one picture.
type outcome struct {
	removed *area
	jpeg    []byte
	dropped string // why no picture leaves; empty if one does
}

// redactModel is one line of models.redact of a configuration.
type redactModel struct {
	Class    blur.Class `yaml:"class"`
	Model    string     `yaml:"model"`
	MinScore float64    `yaml:"min_score"`
}

// methods returns all that are compared, the stranger first.
func methods(config string) ([]method, error) {
	example, err := configured(config)
	if err != nil {
		return nil, err
	}
	return []method{
		{name: "plain pass", with: plainWith, redact: plainPass},
		ours("built-in", byItself()),
		ours(exampleMethod, example),
		ours("largest", largest()),
	}, nil
}

// exampleMethod is the one whose pictures are looked at as they are sent, too.
const exampleMethod = "example"

// configured returns what the redaction of a configuration looks with.
func configured(path string) ([]redactModel, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Models struct {
			Redact []redactModel `yaml:"redact"`
		} `yaml:"models"`
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(file.Models.Redact) == 0 {
		return nil, fmt.Errorf("%s: models.redact names no model", path)
	}
	return file.Models.Redact, nil
}

// byItself is the built-in model and nothing beside it.
func byItself() []redactModel {
	var all []redactModel
	for _, class := range classes() {
		all = append(all, redactModel{Class: blur.Class(class), Model: catalogue.Privacy})
	}
	return all
}

// largest is what the program chooses, beside what is built in, of a folder that has
// all public models.
func largest() []redactModel {
	return append(byItself(),
		redactModel{Class: blur.Person, Model: "yolox_nano_960x544"},
		redactModel{Class: blur.Face, Model: "yunet_n_1280x736"},
		redactModel{Class: blur.Plate, Model: "en_PP-OCRv3_det"},
	)
}

// patience is how long a look may take: what the machine does beside must not decide
// what is found.
const patience = time.Minute

// ours is the product's own redactor with these models. What it is given to work with
// is decided here and nowhere else in this command.
func ours(name string, with []redactModel) method {
	redact := func(ctx context.Context, e *eyes, jpeg []byte) (outcome, error) {
		redactor, err := redactorOf(e, with)
		if err != nil {
			return outcome{}, err
		}
		return apply(ctx, redactor, jpeg, blur.Request{Context: blur.Full})
	}
	return method{name, wording(with), with, redact}
}

func wording(with []redactModel) string {
	var text string
	for i, r := range with {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s by %s", r.Class, r.Model)
		if r.MinScore > 0 {
			text += fmt.Sprintf(" from %v", r.MinScore)
		}
	}
	return text
}

func redactorOf(e *eyes, with []redactModel) (*agent.Redactor, error) {
	m := &agent.Models{Detectors: map[string]agent.Detector{}, Timeout: patience}
	for _, r := range with {
		manifest, err := e.manifest(r.Model)
		if err != nil {
			return nil, err
		}
		d, err := e.open(lowered(manifest, with))
		if err != nil {
			return nil, err
		}
		m.Detectors[r.Model], m.Primary = d, r.Model
		m.Redact = append(m.Redact, agent.RedactModel{Class: r.Class, Model: r.Model, MinScore: r.MinScore})
	}
	return &agent.Redactor{Models: m}, m.Check()
}

// lowered lets a model report what it is asked to remove, as the program does: a score
// below that of its manifest takes that one's place.
func lowered(m inference.Manifest, with []redactModel) inference.Manifest {
	for _, r := range with {
		label := string(r.Class)
		if r.Model == m.Name && slices.Contains(m.Labels(), label) && r.MinScore > 0 && r.MinScore < m.ScoreOf(label) {
			m = m.WithScore(label, r.MinScore)
		}
	}
	return m
}

// apply redacts a picture. Whatever the redactor refuses is dropped, as in a vehicle.
func apply(ctx context.Context, r *agent.Redactor, jpeg []byte, req blur.Request) (outcome, error) {
	src, err := blur.Open(jpeg)
	if err != nil {
		return outcome{}, err
	}
	defer src.Close()
	size := src.Bounds().Size()
	got, err := r.Redact(ctx, src, req)
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	o := outcome{removed: newArea(size)}
	if err != nil {
		o.removed.addBox(image.Rectangle{Max: size})
		o.dropped = err.Error()
		return o, nil
	}
	for _, region := range got.Image.Regions() {
		o.removed.addBox(region.Box.Add(got.Image.Offset()))
	}
	o.jpeg = got.Image.JPEG()
	return o, nil
}
