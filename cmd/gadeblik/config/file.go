package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile is far more than any configuration needs.
const maxFile = 256 << 10

// fileReader walks the file's YAML. It decodes nothing by itself that YAML would
// take for something else: each value is read by the rules of its key.
type fileReader struct {
	known map[string]setting
	keys  []string // all known keys
	layer layer
	bad   *mistakes
}

// readFile reads the whole file, within the limit.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("read configuration: %s has more than %d bytes", path, maxFile)
	}
	return data, nil
}

// parseFile reads the file's layer; every mistake goes to bad.
func parseFile(name string, data []byte, bad *mistakes) layer {
	r := fileReader{known: map[string]setting{}, layer: layer{}, bad: bad}
	for _, s := range settings() {
		r.known[s.key] = s
		r.keys = append(r.keys, s.key)
	}
	bad.file = name
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	err := d.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return r.layer // empty: all is at its default
	}
	if err != nil {
		r.syntax(err)
		return r.layer
	}
	if err := d.Decode(&second); !errors.Is(err, io.EOF) {
		r.bad.at(second.Line, "a second document begins here; remove the line ---")
	}
	if root := doc.Content[0]; root.ShortTag() != "!!null" {
		r.section(root, "")
	}
	return r.layer
}

// syntax reports what the YAML library found, in the form of all other mistakes.
func (r *fileReader) syntax(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		number, message, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			line, text = n, message
		}
	}
	if strings.Contains(text, "cannot start any token") {
		text += "; indent with spaces, not tabs"
	}
	r.bad.at(line, "%s", text)
}

// section reads a mapping; prefix is its key with a dot behind.
func (r *fileReader) section(n *yaml.Node, prefix string) {
	name := strings.TrimSuffix(prefix, ".")
	if n.Kind != yaml.MappingNode {
		r.bad.at(n.Line, "%s", strings.TrimPrefix(name+": must be a section: keys with values, indented", ": "))
		return
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		key := prefix + k.Value
		if line, twice := first[k.Value]; twice {
			r.bad.at(k.Line, "%s: appears twice, first in line %d", printable(key), line)
			continue
		}
		first[k.Value] = k.Line
		r.entry(k, v, key)
	}
}

func (r *fileReader) entry(k, v *yaml.Node, key string) {
	s, known := r.known[key]
	switch {
	case v.Kind == yaml.AliasNode || k.Kind != yaml.ScalarNode:
		r.bad.at(k.Line, "%s: aliases and composed keys are not supported; write the value out", printable(key))
	case known && !strings.Contains(k.Value, "."):
		r.value(s, v)
	case r.isSection(key) && !strings.Contains(k.Value, "."):
		if v.ShortTag() != "!!null" { // a section whose keys are all commented out
			r.section(v, key+".")
		}
	case known:
		r.bad.at(k.Line, "unknown key %q; write %s on its own line, indented under its section", k.Value, key[strings.LastIndex(key, ".")+1:])
	default:
		r.bad.at(k.Line, "unknown key %s%s", printable(key), didYouMean(key, r.candidates()))
	}
}

func (r *fileReader) isSection(key string) bool {
	for _, k := range r.keys {
		if strings.HasPrefix(k, key+".") {
			return true
		}
	}
	return false
}

// candidates are all keys and all sections.
func (r *fileReader) candidates() []string {
	words := append([]string{}, r.keys...)
	for _, k := range r.keys {
		for i := strings.LastIndex(k, "."); i > 0; i = strings.LastIndex(k[:i], ".") {
			words = append(words, k[:i])
		}
	}
	slices.Sort(words[len(r.keys):])
	return slices.Compact(words)
}

func (r *fileReader) value(s setting, n *yaml.Node) {
	var v any
	var err error
	switch {
	case n.ShortTag() == "!!null":
		err = errors.New("has no value; write one, or remove the line")
	case s.table():
		r.table(s, n)
		return
	case s.list():
		v, err = texts(n)
	default:
		v, err = scalar(s, n)
	}
	if err != nil {
		r.bad.wrong(origin{line: n.Line}, s.key, err)
		return
	}
	r.layer.set(s, v, origin{file: r.bad.file, line: n.Line})
}

// scalar reads one plain value. A text must be written as YAML takes for a text,
// and a number as it takes for a number: 007 is not the text that was meant, and
// "7" not the number.
func scalar(s setting, n *yaml.Node) (any, error) {
	if n.Kind != yaml.ScalarNode {
		return nil, errors.New("must be a single value")
	}
	tag := n.ShortTag()
	text, number := tag == "!!str", tag == "!!int" || tag == "!!float"
	switch s.typ {
	case reflect.TypeFor[string]():
		if !text {
			return nil, fmt.Errorf("must be text; put it in quotation marks: %q", n.Value)
		}
	case reflect.TypeFor[int](), reflect.TypeFor[float64]():
		if !number {
			return nil, fmt.Errorf("must be a number (got %s)", written(n))
		}
	case reflect.TypeFor[bool]():
		if tag != "!!bool" {
			return nil, fmt.Errorf("must be true or false (got %s)", written(n))
		}
	default:
		if !text && !number && tag != "!!timestamp" {
			return nil, fmt.Errorf("must be a value with its unit (got %s)", written(n))
		}
	}
	return s.parse(n.Value)
}

// written gives a scalar as it stands in the file, quotation marks included.
func written(n *yaml.Node) string {
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 && len(n.Value) < 60 {
		return strconv.Quote(n.Value)
	}
	return quote(n.Value)
}

// texts reads a list of texts.
func texts(n *yaml.Node) ([]string, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("must be a list; write [%s], or each on a line of its own after a hyphen", quote(n.Value))
	}
	list := []string{}
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode || item.ShortTag() != "!!str" || item.Value == "" {
			return nil, fmt.Errorf("must be a list of texts (line %d is not one)", item.Line)
		}
		list = append(list, item.Value)
	}
	return list, nil
}

// table reads a list of sections, such as the models that find what is removed.
func (r *fileReader) table(s setting, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		r.bad.wrong(origin{line: n.Line}, s.key, errors.New("must be a list; begin each entry with a hyphen"))
		return
	}
	before := len(r.bad.list)
	list := reflect.MakeSlice(s.typ, 0, len(n.Content))
	for i, item := range n.Content {
		list = reflect.Append(list, r.row(s.typ.Elem(), fmt.Sprintf("%s[%d]", s.key, i), item))
	}
	if len(r.bad.list) == before {
		r.layer.set(s, list.Interface(), origin{file: r.bad.file, line: n.Line})
	} else {
		r.bad.keys[s.key] = true
	}
}

// row reads one section of a list. All of its keys must be there but min_score,
// which is the model's own where it is left out.
func (r *fileReader) row(typ reflect.Type, path string, n *yaml.Node) reflect.Value {
	inner := fileReader{known: map[string]setting{}, layer: layer{}, bad: r.bad}
	for _, s := range settingsOf(typ, path+".", nil) {
		inner.known[s.key] = s
		inner.keys = append(inner.keys, s.key)
	}
	inner.section(n, path+".")
	e := reflect.New(typ).Elem()
	for key, v := range inner.layer {
		e.FieldByIndex(inner.known[key].index).Set(reflect.ValueOf(v.value))
	}
	score := path + ".min_score"
	for _, key := range inner.keys {
		if _, ok := inner.layer[key]; !ok && key != score && !r.bad.keys[key] && n.Kind == yaml.MappingNode {
			r.bad.at(n.Line, "%s: is missing", key)
		}
	}
	// Who writes 0 wants everything removed and must not get less.
	if v, ok := inner.layer[score]; ok && v.value == 0.0 {
		r.bad.wrong(v.origin, score, errors.New("must be above 0 and at most 1; leave it out for the model's own"))
	}
	return e
}
