package uplink

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DecodeStrict decodes one JSON value into the struct v points at and reports
// every mistake at once, each as "path: rule (got value)": unknown members, with
// the nearest known one, members that appear twice or are written in the wrong
// case, wrong types, null where there is no pointer to hold it, whole numbers
// with a fraction or out of range, durations without a unit, times that are not
// RFC 3339. path names the value in the messages, such as "tasks[0]".
//
// Fields are named by their json tag; a field with the tag `strict:"required"`
// must be there. A field with an UnmarshalJSON or UnmarshalText method decides
// itself, its error is the rule. After an error v is partly filled.
//
// # Caveats
//
// Embedded structs and arrays are not supported; they panic.
func DecodeStrict(raw []byte, path string, v any) error {
	into := reflect.ValueOf(v)
	if into.Kind() != reflect.Pointer || into.IsNil() {
		panic("uplink: internal error: DecodeStrict needs a pointer")
	}
	at := &jsonPath{name: path}
	root, err := parseJSON(raw, at)
	if err != nil {
		return err
	}
	d := strictDecoder{raw: raw}
	d.decode(root, at, into.Elem())
	return d.bad.err()
}

type strictDecoder struct {
	raw []byte
	bad mistakes
}

func (d *strictDecoder) text(n *jsonValue) []byte { return d.raw[n.start:n.end] }

// wrong notes that n breaks the rule.
func (d *strictDecoder) wrong(n *jsonValue, at *jsonPath, rule string) {
	d.bad.add(at, "%s (got %s)", rule, show(d.raw, n))
}

func (d *strictDecoder) decode(n *jsonValue, at *jsonPath, v reflect.Value) {
	if d.known(n, at, v) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if n.kind == 'n' {
			v.SetZero()
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, at, v.Elem())
	case reflect.Struct:
		d.object(n, at, v)
	case reflect.Map:
		d.dictionary(n, at, v)
	case reflect.Slice:
		d.list(n, at, v)
	case reflect.Interface:
		if err := json.Unmarshal(d.text(n), v.Addr().Interface()); err != nil {
			d.wrong(n, at, err.Error())
		}
	default:
		d.scalar(n, at, v)
	}
}

// known decodes the types that have a form of their own.
func (d *strictDecoder) known(n *jsonValue, at *jsonPath, v reflect.Value) bool {
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		t, err := time.Parse(time.RFC3339, d.string(n))
		if err != nil {
			d.wrong(n, at, "must be a time such as 2026-05-01T06:00:00Z")
		}
		*p = t
	case *time.Duration:
		t, err := time.ParseDuration(d.string(n))
		if err != nil || d.string(n) == "0" {
			d.wrong(n, at, "must be a duration with its unit, such as \"720h\" or \"90s\"")
		}
		*p = t
	case json.Unmarshaler:
		if err := p.UnmarshalJSON(d.text(n)); err != nil {
			d.wrong(n, at, err.Error())
		}
	case encoding.TextUnmarshaler:
		if n.kind != '"' {
			d.wrong(n, at, "must be text")
		} else if err := p.UnmarshalText([]byte(d.string(n))); err != nil {
			d.wrong(n, at, err.Error())
		}
	default:
		return false
	}
	return true
}

// string gives the text of a JSON string, and "" for anything else.
func (d *strictDecoder) string(n *jsonValue) string {
	if n.kind != '"' {
		return ""
	}
	return unquote(string(d.text(n)))
}

func (d *strictDecoder) object(n *jsonValue, at *jsonPath, v reflect.Value) {
	if n.kind != '{' {
		d.wrong(n, at, "must be an object")
		return
	}
	fields, names := fieldsOf(v.Type())
	for i := range n.kids {
		kid := &n.kids[i]
		index, ok := fields[kid.name]
		if !ok {
			d.bad.add(at.key(kid.name), "is not known here; %s", suggest(kid.name, names))
			continue
		}
		d.decode(kid, at.key(kid.name), v.Field(index))
	}
	for _, name := range names {
		required := v.Type().Field(fields[name]).Tag.Get("strict") == "required"
		if required && n.member(name) == nil {
			d.bad.add(at.key(name), "is missing")
		}
	}
}

// fieldsOf maps the names of a struct's members to its fields, and lists the
// names in order.
func fieldsOf(t reflect.Type) (map[string]int, []string) {
	fields := make(map[string]int, t.NumField())
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || f.Anonymous {
			panic(fmt.Sprintf("uplink: internal error: field %s of %s has no json tag", f.Name, t))
		}
		if name != "-" {
			fields[name] = i
			names = append(names, name)
		}
	}
	return fields, names
}

func (d *strictDecoder) dictionary(n *jsonValue, at *jsonPath, v reflect.Value) {
	if n.kind != '{' {
		d.wrong(n, at, "must be an object")
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.kids)))
	for i := range n.kids {
		kid := reflect.New(v.Type().Elem()).Elem()
		d.decode(&n.kids[i], at.key(n.kids[i].name), kid)
		v.SetMapIndex(reflect.ValueOf(n.kids[i].name).Convert(v.Type().Key()), kid)
	}
}

func (d *strictDecoder) list(n *jsonValue, at *jsonPath, v reflect.Value) {
	if n.kind != '[' {
		d.wrong(n, at, "must be a list")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.kids), len(n.kids)))
	for i := range n.kids {
		d.decode(&n.kids[i], at.at(i), v.Index(i))
	}
}

func (d *strictDecoder) scalar(n *jsonValue, at *jsonPath, v reflect.Value) {
	text := string(d.text(n))
	switch v.Kind() {
	case reflect.String:
		if n.kind != '"' {
			d.wrong(n, at, "must be text")
			return
		}
		v.SetString(d.string(n))
	case reflect.Bool:
		if n.kind != 't' {
			d.wrong(n, at, "must be true or false")
			return
		}
		v.SetBool(text == "true")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			d.wrong(n, at, rangeOr("must be a whole number", err))
		}
		v.SetInt(i)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		u, err := strconv.ParseUint(text, 10, v.Type().Bits())
		if err != nil {
			d.wrong(n, at, rangeOr("must be a whole number, 0 or more", err))
		}
		v.SetUint(u)
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(text, v.Type().Bits())
		if err != nil || n.kind != '0' {
			d.wrong(n, at, rangeOr("must be a number", err))
			return
		}
		v.SetFloat(f)
	default:
		panic(fmt.Sprintf("uplink: internal error: %s: cannot decode into %s", at, v.Type()))
	}
}

// rangeOr returns the rule, or that the number is one but does not fit.
func rangeOr(rule string, err error) string {
	if errors.Is(err, strconv.ErrRange) {
		return "is out of range"
	}
	return rule
}

// suggest says which known word was probably meant, or lists them.
func suggest(word string, known []string) string {
	if near := nearestWord(word, known); near != "" {
		return "did you mean " + near + "?"
	}
	return "known are " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}

// nearestWord returns the known word closest to word, "" when none is close:
// the same but for case and hyphens, a third of its letters wrong at most, or
// its beginning.
func nearestWord(word string, known []string) string {
	if len(word) > maxWord {
		return ""
	}
	plain := strings.NewReplacer("-", "_", " ", "_")
	word = strings.ToLower(plain.Replace(word))
	best, bound := "", max(2, len(word)/3)+1
	for _, k := range known {
		if d := distance(word, strings.ToLower(k)); d < bound && d < max(len(word), len(k)) {
			best, bound = k, d
		}
	}
	for _, k := range known {
		if best == "" && strings.HasPrefix(k, word+"_") {
			best = k
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to turn a into b.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
