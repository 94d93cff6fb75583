package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

const envPrefix = "GADEBLIK_"

// reserved variables are read by others, or say where the file is.
var reserved = [...]string{envConfig, "GADEBLIK_ONNXRUNTIME", "GADEBLIK_SHARED"}

const envConfig = "GADEBLIK_CONFIG"

// origin says where a value came from. The zero value is the default.
type origin struct {
	file string
	line int
	name string // of the variable or the flag
}

func (o origin) String() string {
	switch {
	case o.name != "":
		return o.name
	case o.line > 0:
		return fmt.Sprintf("%s:%d", o.file, o.line)
	}
	return "default"
}

// layer holds what one source sets.
type layer map[string]entry

type entry struct {
	value  any
	origin origin
}

func (l layer) set(s setting, v any, o origin) { l[s.key] = entry{v, o} }

// tree gives the layer as nested maps, in the form viper keeps.
func (l layer) tree() map[string]any {
	root := map[string]any{}
	for key, e := range l {
		path := strings.Split(key, ".")
		m := root
		for _, step := range path[:len(path)-1] {
			next, ok := m[step].(map[string]any)
			if !ok {
				next = map[string]any{}
				m[step] = next
			}
			m = next
		}
		m[path[len(path)-1]] = e.value
	}
	return root
}

// mistakes gathers what is wrong, in the order in which people look: down the
// file, then variables, flags, and last what is missing.
type mistakes struct {
	file string
	list []mistake
	keys map[string]bool // keys with a mistake: nothing more is said about them
}

type mistake struct {
	from origin
	text string
}

// at notes a mistake in a line of the file.
func (m *mistakes) at(line int, format string, args ...any) {
	m.list = append(m.list, mistake{origin{file: m.file, line: line}, fmt.Sprintf(format, args...)})
}

// wrong notes a mistake about a key.
func (m *mistakes) wrong(from origin, key string, err error) {
	if from.name == "" {
		from.file = m.file
	}
	m.list = append(m.list, mistake{from, key + ": " + err.Error()})
	m.keys[key] = true
}

// most is how many mistakes are reported at once.
const most = 50

func (m *mistakes) err() error {
	slices.SortStableFunc(m.list, func(a, b mistake) int { return rank(a) - rank(b) })
	var errs []error
	for i, e := range m.list {
		if i == most {
			errs = append(errs, fmt.Errorf("and %d more mistakes", len(m.list)-most))
			break
		}
		errs = append(errs, errors.New(strings.TrimPrefix(e.place()+": "+e.text, ": ")))
	}
	return errors.Join(errs...)
}

func (m mistake) place() string {
	if m.from == (origin{file: m.from.file}) {
		return m.from.file
	}
	return m.from.String()
}

func rank(m mistake) int {
	switch {
	case m.from.name != "":
		return maxFile + 1
	case m.from.line > 0:
		return m.from.line
	}
	return maxFile + 2
}

// parseEnv reads the variables' layer. A variable that is set but empty sets a
// text to nothing; for any other key it is a mistake. The value of a variable
// that is not known is not shown: it may be a secret in the wrong place.
func parseEnv(environ []string, bad *mistakes) layer {
	l := layer{}
	byName := map[string]setting{}
	names := append([]string{}, reserved[:]...)
	for _, s := range settings() {
		byName[s.env()] = s
		names = append(names, s.env())
	}
	for _, line := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(line, "=")
		s, known := byName[name]
		switch {
		case known:
			l.parse(s, value, origin{name: name}, bad)
		case strings.HasPrefix(strings.ToUpper(name), envPrefix) && !slices.Contains(reserved[:], name):
			bad.list = append(bad.list, mistake{origin{name: printable(name)}, "unknown variable" + didYouMean(name, names)})
		}
	}
	return l
}

func (l layer) parse(s setting, text string, from origin, bad *mistakes) {
	v, err := s.parse(text)
	if err != nil {
		bad.wrong(from, s.key, err)
		return
	}
	l.set(s, v, from)
}

// annotation marks the flags that set a key.
const annotation = "gadeblik_key"

// AddFlag adds to fs the flag --name that overrides the key, such as "models"
// for "models.dir". Lists are separated by commas. It panics if there is no such
// key.
func AddFlag(fs *pflag.FlagSet, name, key string) {
	all := settings()
	i := slices.IndexFunc(all, func(s setting) bool { return s.key == key && !s.table() })
	if i < 0 {
		panic("config: internal error: no key " + key + " for the flag --" + name)
	}
	fs.String(name, "", all[i].help+" ("+key+")")
	if err := fs.SetAnnotation(name, annotation, []string{key}); err != nil {
		panic("config: internal error: " + err.Error())
	}
}

// AddFlags adds a flag for each key, called like it with hyphens:
// --mqtt-keep-alive for mqtt.keep_alive. Those that fs has already are left.
func AddFlags(fs *pflag.FlagSet) {
	for _, s := range settings() {
		name := strings.NewReplacer(".", "-", "_", "-").Replace(s.key)
		if !s.table() && fs.Lookup(name) == nil {
			AddFlag(fs, name, s.key)
		}
	}
}

// parseFlags reads the layer of the flags that were given.
func parseFlags(fs *pflag.FlagSet, bad *mistakes) layer {
	l := layer{}
	if fs == nil {
		return l
	}
	byKey := map[string]setting{}
	for _, s := range settings() {
		byKey[s.key] = s
	}
	fs.Visit(func(f *pflag.Flag) {
		if keys := f.Annotations[annotation]; len(keys) == 1 {
			l.parse(byKey[keys[0]], f.Value.String(), origin{name: "--" + f.Name}, bad)
		}
	})
	return l
}
