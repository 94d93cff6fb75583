package main

import (
	"bytes"
	"encoding/json"
)

// The parts of CycloneDX 1.5 that are used. A serial number and a time are optional,
// and left out: they would differ in every build.
type bom struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Ref      string      `json:"bom-ref"`
	Type     string      `json:"type"`
	Name     string      `json:"name"`
	Version  string      `json:"version"`
	Hashes   []hash      `json:"hashes,omitempty"`
	Licences []choice    `json:"licenses"`
	PURL     string      `json:"purl,omitempty"`
	External []reference `json:"externalReferences,omitempty"`
	Extra    []property  `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

// choice is one licence or an expression of several.
type choice struct {
	Licence    *licenceID `json:"license,omitempty"`
	Expression string     `json:"expression,omitempty"`
}

type licenceID struct {
	ID string `json:"id"`
}

type reference struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn"`
}

// cyclone makes the bill of materials of the package.
func cyclone(o options, parts []part) ([]byte, error) {
	sum, err := fileSum(o.binary)
	if err != nil {
		return nil, err
	}
	whole := component{
		Ref: "gadeblik", Type: "application", Name: "gadeblik", Version: o.version,
		Hashes: []hash{{"SHA-256", sum}}, Licences: []choice{{Licence: &licenceID{"Apache-2.0"}}},
		PURL: "pkg:deb/gadeblik@" + o.version + "?arch=" + o.arch,
	}
	b := bom{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: metadata{whole}}
	on := dependency{Ref: whole.Ref}
	for _, p := range parts {
		c := p.component()
		b.Components = append(b.Components, c)
		on.On = append(on.On, c.Ref)
	}
	b.Dependencies = []dependency{on}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err = e.Encode(b)
	return out.Bytes(), err
}

func (p part) component() component {
	c := component{Ref: p.purl, Type: p.kind, Name: p.name, Version: p.version, PURL: p.purl}
	if c.Ref == "" {
		c.Ref = p.kind + ":" + p.name
	}
	c.Licences = []choice{{Expression: p.licence.expression()}}
	if len(p.licence.ids) == 1 {
		c.Licences = []choice{{Licence: &licenceID{p.licence.ids[0]}}}
	}
	if p.sha256 != "" {
		c.Hashes = []hash{{"SHA-256", p.sha256}}
	}
	if p.source != "" {
		c.External = []reference{{"website", p.source}}
	}
	if p.sum != "" {
		// What go.sum has is the hash of a list of hashes, and no hash of a file.
		c.Extra = []property{{"go:sum", p.sum}}
	}
	return c
}
