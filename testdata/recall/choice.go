package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"gadeblik/agent"
	"gadeblik/blur"
	"gadeblik/inference"
	"gadeblik/inference/catalogue"
)

// choice is what a way looks with. Of the product's own ways it is all that differs.
type choice struct {
	redact []redactModel // what finds who is removed
	second []redactModel // what looks at the result
}

// redactModel is one line of models.redact or models.second_look of a configuration.
type redactModel struct {
	Class    blur.Class `yaml:"class"`
	Model    string     `yaml:"model"`
	MinScore float64    `yaml:"min_score"`
}

// configured returns what a configuration looks with.
func configured(path string) (choice, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return choice{}, err
	}
	var file struct {
		Models struct {
			Redact     []redactModel  `yaml:"redact"`
			SecondLook *[]redactModel `yaml:"second_look"` // nil where it is left out
		} `yaml:"models"`
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		return choice{}, fmt.Errorf("read %s: %w", path, err)
	}
	if len(file.Models.Redact) == 0 {
		return choice{}, fmt.Errorf("%s: models.redact names no model", path)
	}
	c := choice{file.Models.Redact, beside(file.Models.Redact)}
	if file.Models.SecondLook != nil {
		c.second = *file.Models.SecondLook
	}
	return c, nil
}

// byItself is what the program looks with where nothing is configured.
func byItself() choice {
	redact := privacy()
	return choice{redact, beside(redact)}
}

func privacy() []redactModel {
	var all []redactModel
	for _, class := range classes() {
		all = append(all, redactModel{Class: blur.Class(class), Model: catalogue.Privacy})
	}
	return all
}

// streetScore is how sure the program wants the street model of a second look to be.
// It is said again here, like the choices below: nothing may import the program. Tests
// notice a difference.
const streetScore = 0.1

// beside returns what looks a second time where a configuration names nothing: for each
// class a built-in model that does not find it the first time.
func beside(redact []redactModel) []redactModel {
	var second []redactModel
	for _, of := range append([]redactModel{{Class: blur.Person, Model: catalogue.Street, MinScore: streetScore}}, privacy()...) {
		class := func(r redactModel) bool { return r.Class == of.Class }
		same := func(r redactModel) bool { return class(r) && r.Model == of.Model }
		if !slices.ContainsFunc(second, class) && !slices.ContainsFunc(redact, same) {
			second = append(second, of)
		}
	}
	return second
}

// largest is what the program chooses, beside what is built in, of a folder that has
// all public models.
func largest() choice {
	return choice{
		append(privacy(),
			redactModel{Class: blur.Person, Model: "yolox_nano_960x544"},
			redactModel{Class: blur.Face, Model: "yunet_n_1280x736"},
			redactModel{Class: blur.Plate, Model: "en_PP-OCRv3_det"}),
		[]redactModel{
			{Class: blur.Person, Model: catalogue.Street, MinScore: streetScore},
			{Class: blur.Face, Model: "yunet_s_1280x736"},
			{Class: blur.Plate, Model: "ch_PP-OCRv3_det"},
		},
	}
}

func (c choice) String() string {
	if len(c.second) == 0 {
		return wording(c.redact)
	}
	return wording(c.redact) + "; second look: " + wording(c.second)
}

func wording(with []redactModel) string {
	var words []string
	for _, r := range with {
		word := fmt.Sprintf("%s by %s", r.Class, r.Model)
		if r.MinScore > 0 {
			word += fmt.Sprintf(" from %v", r.MinScore)
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

// role says what weights do in a way: "first look", "second look" or nothing.
func (c choice) role(weights string) string {
	has := func(r redactModel) bool { return r.Model == weights || strings.HasPrefix(r.Model, weights+"_") }
	first, second := "", ""
	if slices.ContainsFunc(c.redact, has) {
		first = "first look"
	}
	if slices.ContainsFunc(c.second, has) {
		second = "second look"
	}
	return cmp.Or(first, second)
}

// redactor returns the product's own redactor with these models.
func (c choice) redactor(e *eyes) (*agent.Redactor, error) {
	m := &agent.Models{Detectors: map[string]agent.Detector{}, Timeout: patience, Redact: lines(c.redact), SecondLook: lines(c.second)}
	for _, r := range slices.Concat(c.redact, c.second) {
		d, err := c.open(e, r.Model)
		if err != nil {
			return nil, err
		}
		m.Detectors[r.Model], m.Primary = d, r.Model
	}
	return &agent.Redactor{Models: m}, m.Check()
}

func lines(with []redactModel) []agent.RedactModel {
	var all []agent.RedactModel
	for _, r := range with {
		all = append(all, agent.RedactModel(r))
	}
	return all
}

// open opens a model of the choice as the choice asks for it.
func (c choice) open(e *eyes, name string) (*once, error) {
	m, err := e.manifest(name)
	if err != nil {
		return nil, err
	}
	return e.open(c.lowered(m))
}

// lowered lets a model report what it is asked to remove, as the program does: a score
// below that of its manifest takes that one's place.
func (c choice) lowered(m inference.Manifest) inference.Manifest {
	for _, r := range lines(slices.Concat(c.redact, c.second)) {
		for _, label := range m.Labels() {
			if r.Model == m.Name && r.Finds(label) && r.MinScore > 0 && r.MinScore < m.ScoreOf(label) {
				m = m.WithScore(label, r.MinScore)
			}
		}
	}
	return m
}
