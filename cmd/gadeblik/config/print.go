package config

import (
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// redacted stands for a value that is nobody's business.
const redacted = "(set)"

// Print writes the configuration as YAML with every key, each with the place its
// value comes from. The user's name at the broker is not shown; passwords and keys
// are not in the configuration, only the names of their files are.
func (c *Config) Print(w io.Writer) error {
	root := &yaml.Node{Kind: yaml.MappingNode}
	for _, s := range settings() {
		path := strings.Split(s.key, ".")
		m := root
		for _, step := range path[:len(path)-1] {
			m = child(m, step)
		}
		v := c.node(s)
		if from := c.from[s.key]; v.Kind == yaml.ScalarNode || v.Style == yaml.FlowStyle {
			v.LineComment = from.String()
		}
		m.Content = append(m.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: path[len(path)-1]}, v)
	}
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return fmt.Errorf("print configuration: %w", err)
	}
	if err := e.Close(); err != nil {
		return fmt.Errorf("print configuration: %w", err)
	}
	return nil
}

// child returns the section called name, made if it is not there.
func child(m *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == name {
			return m.Content[i+1]
		}
	}
	section := &yaml.Node{Kind: yaml.MappingNode}
	m.Content = append(m.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, section)
	return section
}

func (c *Config) node(s setting) *yaml.Node {
	v := s.of(c).Interface()
	switch v := v.(type) {
	case string:
		if s.key == "mqtt.username" && v != "" {
			v = redacted
		}
		return text(v)
	case []string:
		list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, item := range v {
			list.Content = append(list.Content, text(item))
		}
		return list
	}
	if s.table() {
		return c.table(s)
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: pretty(v)}
}

// table gives a list of sections; the place it comes from stands behind the first.
func (c *Config) table(s setting) *yaml.Node {
	rows := s.of(c)
	list := &yaml.Node{Kind: yaml.SequenceNode}
	if rows.Len() == 0 {
		list.Style = yaml.FlowStyle
	}
	for i := range rows.Len() {
		list.Content = append(list.Content, rowNode(rows.Index(i)))
	}
	if rows.Len() > 0 {
		list.Content[0].LineComment = c.from[s.key].String()
	}
	return list
}

func rowNode(v reflect.Value) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("mapstructure")
		if key == "min_score" && v.Field(i).IsZero() {
			continue // left to the model
		}
		value := text(v.Field(i).String())
		if f, ok := v.Field(i).Interface().(float64); ok {
			value = &yaml.Node{Kind: yaml.ScalarNode, Value: strconv.FormatFloat(f, 'f', -1, 64)}
		}
		n.Content = append(n.Content, text(key), value)
	}
	return n
}

// text makes the library quote whatever would not be read as text again.
func text(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}
