package config

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// setting is one key of the configuration and where its value is in a [Config].
type setting struct {
	key   string // mqtt.tls.ca_file
	help  string
	index []int
	typ   reflect.Type
}

// env is the variable that sets the key.
func (s setting) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}

// list tells whether the value is a list of texts.
func (s setting) list() bool { return s.typ == reflect.TypeFor[[]string]() }

// table tells whether the value is a list of sections, which is written in the
// file only.
func (s setting) table() bool {
	return s.typ.Kind() == reflect.Slice && s.typ.Elem().Kind() == reflect.Struct
}

func (s setting) of(c *Config) reflect.Value { return reflect.ValueOf(c).Elem().FieldByIndex(s.index) }

// settings lists every key in the order of the struct.
func settings() []setting { return settingsOf(reflect.TypeFor[Config](), "", nil) }

func settingsOf(t reflect.Type, prefix string, index []int) []setting {
	var all []setting
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		key := prefix + f.Tag.Get("mapstructure")
		at := append(append([]int{}, index...), i)
		if f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[time.Time]() {
			all = append(all, settingsOf(f.Type, key+".", at)...)
			continue
		}
		all = append(all, setting{key: key, help: f.Tag.Get("help"), index: at, typ: f.Type})
	}
	return all
}

// Size is a number of bytes.
type Size int64

// units are the sizes' units, the larger first.
var units = [...]struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40}, {"TB", 1e12}, {"GiB", 1 << 30}, {"GB", 1e9}, {"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"kB", 1e3}, {"B", 1},
}

// String gives the size in the largest unit that it is a whole number of.
func (s Size) String() string {
	for _, u := range units {
		if s != 0 && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

func parseSize(text string) (Size, error) {
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return 0, fmt.Errorf("%s has no unit; write %sB, or use kB, MB, GB, KiB, MiB or GiB", text, text)
	}
	for _, u := range units {
		number, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if bytes := f * float64(u.bytes); err == nil && f >= 0 && bytes <= 1<<50 && bytes == math.Trunc(bytes) {
			return Size(bytes), nil
		}
		break
	}
	return 0, fmt.Errorf("must be a size such as 512MiB or 2GB (got %s)", quote(text))
}

func parseDuration(text string) (time.Duration, error) {
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return 0, fmt.Errorf("%s has no unit; write %ss", text, text)
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("must be a duration such as 500ms, 30s or 10h (got %s)", quote(text))
	}
	return d, nil
}

func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("must be a time such as 2026-01-01 or 2026-01-01T06:00:00Z (got %s)", quote(text))
}

// parse makes a value of the setting's type of a text. Texts from the file, the
// environment and flags all come through here.
func (s setting) parse(text string) (any, error) {
	switch s.typ {
	case reflect.TypeFor[time.Duration]():
		return parseDuration(text)
	case reflect.TypeFor[Size]():
		return parseSize(text)
	case reflect.TypeFor[time.Time]():
		return parseTime(text)
	case reflect.TypeFor[[]string]():
		return splitList(text)
	case reflect.TypeFor[string]():
		return text, nil
	case reflect.TypeFor[int]():
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("must be a whole number (got %s)", quote(text))
		}
		return n, nil
	case reflect.TypeFor[float64]():
		return parseNumber(text)
	case reflect.TypeFor[bool]():
		return parseBool(text)
	}
	return nil, errors.New("can be set in the configuration file only")
}

func parseNumber(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("must be a number (got %s)", quote(text))
	}
	return f, nil
}

// parseBool knows two words: what yes, on or 1 would mean to whom is not guessed.
func parseBool(text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, fmt.Errorf("must be true or false (got %s)", quote(text))
	}
	return text == "true", nil
}

// splitList takes a list apart at its commas.
func splitList(text string) ([]string, error) {
	var list []string
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			return nil, fmt.Errorf("must be a list such as a.pub,b.pub (got %s)", quote(text))
		}
		list = append(list, part)
	}
	return list, nil
}

// quote gives what somebody wrote for an error message: on one line, not endless,
// in quotation marks unless it is plainly one word.
func quote(text string) string {
	const most = 60
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	if q := strconv.Quote(text); text == "" || q != `"`+text+`"` || strings.ContainsAny(text, " ,;:") {
		return q
	}
	return text
}
