package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// Options says what a configuration is made of. The zero value gives the
// defaults.
type Options struct {
	Path  string         // of the YAML file; empty takes GADEBLIK_CONFIG of Env, or no file
	Env   []string       // as os.Environ gives it
	Flags *pflag.FlagSet // parsed; flags added by AddFlag or AddFlags count
	Run   bool           // also demand what only `gadeblik run` needs
}

// Load reads a configuration. The error joins every mistake, one a line, such as
//
//	gadeblik.yaml:12: mqtt.keep_alive: 30 has no unit; write 30s
//
// A relative name of a password, certificate or key file that the service manager
// has put among its credentials ($CREDENTIALS_DIRECTORY of Env) is replaced by the
// path there.
func Load(o Options) (*Config, error) {
	path := o.Path
	if path == "" {
		path = lookup(o.Env, envConfig)
	}
	var data []byte
	if path != "" {
		var err error
		if data, err = readFile(path); err != nil {
			return nil, err
		}
	}
	return load(path, data, o)
}

func lookup(environ []string, name string) string {
	for _, line := range environ {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return value
		}
	}
	return ""
}

func load(name string, data []byte, o Options) (*Config, error) {
	bad := &mistakes{file: name, keys: map[string]bool{}}
	file := parseFile(name, data, bad)
	env := parseEnv(o.Env, bad)
	flags := parseFlags(o.Flags, bad)
	c, err := merge(file, env, flags)
	if err != nil {
		return nil, err
	}
	if _, set := c.from["models.second_look"]; !set {
		c.Models.SecondLook = builtInSecondLook(c.Models.Redact)
	}
	c.derive(lookup(o.Env, "CREDENTIALS_DIRECTORY"))
	problems := c.problems()
	if o.Run {
		problems = append(problems, c.missing()...)
	}
	unread := maps.Clone(bad.keys)
	for _, p := range problems {
		if !unread[p.key] {
			bad.wrong(c.from[p.key], p.key, errors.New(p.rule))
		}
	}
	if err := bad.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// merge lets viper decide which layer wins. Viper is given values that have been
// read already and decodes nothing: by itself it ignores unknown keys, takes 30 for
// 30 nanoseconds, 18.9 for 18 and an empty variable for none, and does not know
// lines.
func merge(file, env, flags layer) (*Config, error) {
	v := viper.New()
	defaults := Defaults()
	for _, s := range settings() {
		v.SetDefault(s.key, s.of(&defaults).Interface())
	}
	c := &Config{from: map[string]origin{}}
	for _, l := range []layer{file, env} {
		if err := v.MergeConfigMap(l.tree()); err != nil {
			return nil, fmt.Errorf("merge configuration: %w", err)
		}
	}
	for key, e := range flags {
		v.Set(key, e.value)
	}
	for _, l := range []layer{file, env, flags} {
		for key, e := range l {
			c.from[key] = e.origin
		}
	}
	strict := func(d *mapstructure.DecoderConfig) { d.WeaklyTypedInput, d.DecodeHook = false, nil }
	if err := v.UnmarshalExact(c, strict); err != nil {
		return nil, fmt.Errorf("merge configuration: %w", err)
	}
	return c, nil
}

// secondScore is how sure the built-in model for streets must be that a redacted
// picture still shows a person: half of what it asks of itself.
const secondScore = 0.1

// builtInSecondLook returns for each class a built-in model that knows it and that
// redact does not name for it: what found somebody misses the same people again.
func builtInSecondLook(redact []Redact) []Redact {
	var second []Redact
	for _, of := range []Redact{
		{Class: "person", Model: "gadeblik_street", MinScore: secondScore},
		{Class: "person", Model: "gadeblik_privacy"},
		{Class: "face", Model: "gadeblik_privacy"},
		{Class: "plate", Model: "gadeblik_privacy"},
	} {
		sameClass := func(r Redact) bool { return r.Class == of.Class }
		same := func(r Redact) bool { return sameClass(r) && r.Model == of.Model }
		if !slices.ContainsFunc(second, sameClass) && !slices.ContainsFunc(redact, same) {
			second = append(second, of)
		}
	}
	return second
}

// derive fills in the defaults that depend on other keys.
func (c *Config) derive(credentials string) {
	if c.Models.Dir == "" {
		c.Models.Dir = filepath.Join(c.StateDir, "models")
	}
	if c.Outbox.Dir == "" {
		c.Outbox.Dir = filepath.Join(c.StateDir, "outbox")
	}
	if c.MQTT.ClientID == "" && c.Vehicle.Fleet != "" && c.Vehicle.ID != "" {
		c.MQTT.ClientID = "gadeblik-" + c.Vehicle.Fleet + "-" + c.Vehicle.ID
	}
	if c.Seal.KeyFile == "" {
		c.Seal.KeyFile = filepath.Join(c.StateDir, "device.key")
	}
	if c.Seal.OwnFile == "" {
		c.Seal.OwnFile = filepath.Join(c.StateDir, "device.age")
	}
	for _, name := range []*string{&c.Seal.KeyFile, &c.Seal.OwnFile, &c.MQTT.PasswordFile, &c.MQTT.TLS.CAFile, &c.MQTT.TLS.CertFile, &c.MQTT.TLS.KeyFile} {
		*name = credential(*name, credentials)
	}
}

// credential returns where the service manager keeps the credential called name,
// or the name where it keeps none.
func credential(name, dir string) string {
	if name == "" || dir == "" || !filepath.IsLocal(name) {
		return name
	}
	path := filepath.Join(dir, name)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return name
	}
	return path
}
