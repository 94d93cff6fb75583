package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"gadeblik/agent"
	"gadeblik/blur"
	"gadeblik/inference"
	"gadeblik/inference/catalogue"
)

// settings are what decides how a picture comes out, as reports tell it.
type settings struct {
	Agent   string      `json:"agent"`
	Labels  []string    `json:"labels"`
	Fill    string      `json:"fill"`
	Margin  float64     `json:"margin"`
	Context string      `json:"context"`
	Models  []usedModel `json:"models"`
	// SecondLook is the models that look at what was redacted.
	SecondLook []usedModel `json:"second_look,omitempty"`
}

// usedModel is one of the models that look.
type usedModel struct {
	Name   string             `json:"name"`
	SHA256 string             `json:"sha256"`
	Finds  map[string]float64 `json:"finds"` // class: how sure it must be
}

// eyes chooses the models and says what they are, without loading them.
func (o *redactOptions) eyes() (choice, settings, string, error) {
	c := chooseModels(o.models)
	c.detector = catalogue.Privacy // no task looks for anything else
	s := settings{Agent: version, Labels: o.labels, Fill: o.fill, Margin: o.margin, Context: blur.Full.String()}
	for i, r := range c.redact {
		m, err := catalogue.Load(o.models, r.Model)
		if err != nil {
			return c, s, "", hinted(err, "%s", fetchInto(o.models))
		}
		// Only ever less sure than the manifest asks: more is removed, never less.
		if own := m.ScoreOf(string(r.Class)); o.minScore > 0 && o.minScore < own {
			c.redact[i].MinScore = o.minScore
		}
	}
	var manifests []inference.Manifest
	var err error
	for _, of := range []struct {
		list []agent.RedactModel
		told *[]usedModel
	}{{c.redact, &s.Models}, {c.second, &s.SecondLook}} {
		more, e := o.used(c, of.list, of.told)
		manifests, err = append(manifests, more...), errors.Join(err, e)
	}
	if err != nil {
		return c, s, "", err
	}
	raw, err := json.Marshal([]any{s, manifests})
	return c, s, digest(raw)[:16], err
}

// used tells which models look for the classes that are asked for.
func (o *redactOptions) used(c choice, list []agent.RedactModel, told *[]usedModel) ([]inference.Manifest, error) {
	var manifests []inference.Manifest
	for _, r := range list {
		if o.omits(r) {
			continue
		}
		m, err := catalogue.Load(o.models, r.Model)
		if err != nil {
			return nil, err
		}
		m = c.adjust(r.Model, m)
		at := slices.IndexFunc(*told, func(u usedModel) bool { return u.Name == m.Name })
		if at < 0 {
			at = len(*told)
			*told, manifests = append(*told, usedModel{m.Name, m.SHA256, map[string]float64{}}), append(manifests, m)
		}
		(*told)[at].Finds[string(r.Class)] = m.ScoreOf(string(r.Class))
	}
	return manifests, nil
}

// omits tells whether nobody asked for what a model looks for.
func (o *redactOptions) omits(r agent.RedactModel) bool {
	return !slices.Contains(o.labels, string(r.Class))
}

// load loads the models of the choice, for one goroutine.
func (o *redactOptions) load(c choice) (*agent.Models, *detectors, error) {
	m, d, err := c.open(loading{lib: o.lib, dir: o.models, threads: o.threads}, nil)
	if err != nil {
		return nil, nil, err
	}
	m.Redact, m.SecondLook = slices.DeleteFunc(m.Redact, o.omits), slices.DeleteFunc(m.SecondLook, o.omits)
	m.Timeout = patience
	return m, d, nil
}

// settle decides what is done with outputs that are there already. An error means
// that nothing must be done.
func (o *redactOptions) settle(a *album, all []*photo, fingerprint string) error {
	if o.resume {
		if err := a.remember(); err != nil {
			return err
		}
	}
	var there []string
	for _, p := range all {
		if p.Status != "" || !a.exists(p) {
			continue
		}
		m, known := a.known(p.Path)
		switch {
		case a.isSource(p):
			p.fail(errors.New("it is its own output"))
		case known && m.Settings == fingerprint && m.Source == p.stamp():
			p.record = m.record
			p.Earlier = true
		case known || o.force:
			p.replace = true
		default:
			there = append(there, p.Path)
		}
	}
	if o.withReport && !o.force && !o.resume && a.exists(&photo{record: record{Path: reportJSON}}) {
		there = append(there, reportJSON)
	}
	if len(there) == 0 {
		return nil
	}
	first := plain(filepath.Join(a.dir, filepath.FromSlash(there[0])))
	if n := len(there) - 1; n > 0 {
		first += fmt.Sprintf(" and %d more", n)
	}
	if o.resume {
		return hinted(fmt.Errorf("%s: not what an earlier run made there", first), "name another folder with --out, or make all anew with --force")
	}
	return hinted(fmt.Errorf("%s: there already", first), "--resume goes on with an earlier run, --force makes all anew; or name another folder with --out")
}
