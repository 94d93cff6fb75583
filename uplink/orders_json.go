package uplink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits on any JSON that comes from outside. A multipolygon lies eight levels
// deep; a million values is more than any payload of the size allowed needs.
const (
	maxJSONDepth  = 32
	maxJSONValues = 1 << 20
	maxMistakes   = 50
)

// jsonValue is one value of a document. It keeps what encoding/json loses: the
// members in their order, with their names exactly as written.
type jsonValue struct {
	kind       byte   // '{', '[', '"', '0', 't' or 'n'
	name       string // as a member of an object
	start, end int    // of its text in the document
	kids       []jsonValue
}

// member returns the member called name, exactly; encoding/json would take
// "Name" for it too.
func (v *jsonValue) member(name string) *jsonValue {
	for i := range v.kids {
		if v.kind == '{' && v.kids[i].name == name {
			return &v.kids[i]
		}
	}
	return nil
}

func (v *jsonValue) names() []string {
	names := make([]string, len(v.kids))
	for i := range v.kids {
		names[i] = v.kids[i].name
	}
	return names
}

// jsonPath says where a value stands. Its text is made only when there is
// something to complain about.
type jsonPath struct {
	parent *jsonPath
	name   string
	index  int // used where name is empty
}

func (p *jsonPath) key(name string) *jsonPath { return &jsonPath{parent: p, name: name} }
func (p *jsonPath) at(i int) *jsonPath        { return &jsonPath{parent: p, index: i} }

// String gives the path as a person writes it: tasks[0].min_score.
func (p *jsonPath) String() string {
	if p == nil {
		return ""
	}
	before := p.parent.String()
	switch {
	case p.name == "" && p.parent != nil:
		return before + "[" + strconv.Itoa(p.index) + "]"
	case before == "":
		return p.name // the root's name is ours and may itself be a path
	case plainName(p.name):
		return before + "." + p.name
	default:
		return before + "[" + strconv.Quote(short(p.name)) + "]"
	}
}

func plainName(s string) bool {
	return len(s) <= maxWord && strings.IndexFunc(s, func(r rune) bool {
		return !(r == '_' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	}) < 0
}

// mistakes gathers everything wrong with a document, up to a bound.
type mistakes struct {
	errs []error
	more int
}

func (m *mistakes) add(at *jsonPath, format string, args ...any) {
	if len(m.errs) >= maxMistakes {
		m.more++
		return
	}
	text := fmt.Sprintf(format, args...)
	if where := at.String(); where != "" {
		text = where + ": " + text
	}
	m.errs = append(m.errs, errors.New(text))
}

func (m *mistakes) err() error {
	if m.more > 0 {
		return errors.Join(append(m.errs, fmt.Errorf("and %d more mistakes", m.more))...)
	}
	return errors.Join(m.errs...)
}

// parseJSON reads one document. Beside what encoding/json refuses it refuses
// text that is not UTF-8, deep nesting, too many values, and members that
// appear twice: two readers could take different ones. The error joins them.
func parseJSON(raw []byte, at *jsonPath) (*jsonValue, error) {
	r := jsonReader{raw: raw}
	var v jsonValue
	err := checkSyntax(raw)
	if err == nil {
		v, err = r.value(at, 1)
	}
	if where := at.String(); err != nil && where != "" {
		err = fmt.Errorf("%s: %w", where, err)
	}
	if err != nil {
		return nil, err
	}
	if err := r.bad.err(); err != nil {
		return nil, err
	}
	return &v, nil
}

func checkSyntax(raw []byte) error {
	switch {
	case len(bytes.TrimSpace(raw)) == 0:
		return errors.New("the document is empty")
	case bytes.HasPrefix(raw, []byte("\xef\xbb\xbf")):
		return errors.New("the document starts with a byte order mark; save it as UTF-8 without one")
	case !utf8.Valid(raw):
		return errors.New("the document is not UTF-8 text")
	}
	var all json.RawMessage
	err := json.Unmarshal(raw, &all)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		line, column := lineColumn(raw, int(syntax.Offset))
		return fmt.Errorf("line %d, column %d: %w", line, column, err)
	}
	return err
}

// lineColumn turns a count of bytes read into the line and column of the last.
func lineColumn(raw []byte, read int) (line, column int) {
	before := raw[:max(0, min(read, len(raw))-1)]
	return 1 + bytes.Count(before, []byte("\n")), len(before) - bytes.LastIndexByte(before, '\n')
}

// jsonReader splits a document whose syntax has been checked into its values. It
// is a tenth of the work of json.Decoder's tokens.
type jsonReader struct {
	raw   []byte
	pos   int
	count int
	bad   mistakes // members that appear twice
}

// skip passes over the bytes in set.
func (r *jsonReader) skip(set string) {
	for r.pos < len(r.raw) && strings.IndexByte(set, r.raw[r.pos]) >= 0 {
		r.pos++
	}
}

// value reads the next value. An error is a limit passed.
func (r *jsonReader) value(at *jsonPath, depth int) (jsonValue, error) {
	r.skip(" \t\r\n,:")
	v := jsonValue{start: r.pos, kind: r.raw[r.pos]}
	if r.count++; r.count > maxJSONValues {
		return v, fmt.Errorf("the document has more than %d values", maxJSONValues)
	}
	if depth > maxJSONDepth {
		return v, fmt.Errorf("the document is nested deeper than %d levels", maxJSONDepth)
	}
	var err error
	switch v.kind {
	case '{', '[':
		err = r.children(&v, at, depth)
	case '"':
		r.text()
	case 't', 'f':
		v.kind = 't'
		r.skip("aeflrstu")
	case 'n':
		r.skip("lnu")
	default:
		v.kind = '0'
		r.skip("+-.0123456789Ee")
	}
	v.end = r.pos
	return v, err
}

// text passes over a string.
func (r *jsonReader) text() {
	for r.pos++; r.raw[r.pos] != '"'; r.pos++ {
		if r.raw[r.pos] == '\\' {
			r.pos++
		}
	}
	r.pos++
}

// children reads what stands between the brackets, and the closing one.
func (r *jsonReader) children(v *jsonValue, at *jsonPath, depth int) error {
	var seen map[string]bool
	if v.kind == '{' {
		seen = map[string]bool{}
	}
	for r.pos++; ; {
		r.skip(" \t\r\n,")
		if r.raw[r.pos] == '}' || r.raw[r.pos] == ']' {
			r.pos++
			return nil
		}
		step := jsonPath{parent: at, index: len(v.kids)}
		if seen != nil {
			start := r.pos
			r.text()
			step.name = unquote(string(r.raw[start:r.pos]))
			if seen[step.name] {
				r.bad.add(&step, "appears twice")
			}
			seen[step.name] = true
		}
		kid, err := r.value(&step, depth+1)
		if err != nil {
			return err
		}
		kid.name = step.name
		v.kids = append(v.kids, kid)
	}
}

// show gives a value for an error message: short, on one line, printable.
func show(raw []byte, v *jsonValue) string {
	text := string(raw[v.start:v.end])
	switch v.kind {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return strconv.Quote(short(unquote(text)))
	}
	return short(text)
}

// unquote decodes a JSON string whose syntax has been checked.
func unquote(text string) string {
	if strings.IndexByte(text, '\\') < 0 {
		return text[1 : len(text)-1]
	}
	var s string
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return text
	}
	return s
}
