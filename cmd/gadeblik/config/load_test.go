package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"
)

// minimal is all that `gadeblik run` asks for.
const minimal = `vehicle: {id: v1, fleet: cph}
gps: {device: /dev/ttyGPS}
camera: {device: /dev/video0}
orders: {trusted_keys: [a.pub]}
mqtt: {broker: "tls://broker:8883"}
`

var ignoreOrigins = cmpopts.IgnoreUnexported(Config{})

// fileWith writes a configuration file and returns its path.
func fileWith(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gadeblik.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// loaded loads a configuration that must be good.
func loaded(t *testing.T, text string, o Options) *Config {
	t.Helper()
	c, err := load("gadeblik.yaml", []byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func flagsOf(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	fs.Bool("json", false, "not a key")
	AddFlags(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return fs
}

func TestLoadNothingGivesDefaults(t *testing.T) {
	want := Defaults()
	want.Models.Dir, want.Outbox.Dir = "/var/lib/gadeblik/models", "/var/lib/gadeblik/outbox"
	want.Seal = Seal{KeyFile: "/var/lib/gadeblik/device.key", OwnFile: "/var/lib/gadeblik/device.age"}
	for _, text := range []string{"", "# nothing\n", "---\n", "vehicle:\nmqtt:\n  tls:\n"} {
		got := loaded(t, text, Options{})
		if d := cmp.Diff(&want, got, ignoreOrigins); d != "" {
			t.Errorf("%q (-want +got):\n%s", text, d)
		}
		if err := got.Validate(); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestLoadMinimal(t *testing.T) {
	got := loaded(t, minimal, Options{Run: true})
	want := Defaults()
	want.Vehicle = Vehicle{ID: "v1", Fleet: "cph"}
	want.GPS.Device, want.Camera.Device = "/dev/ttyGPS", "/dev/video0"
	want.Orders.TrustedKeys = []string{"a.pub"}
	want.Models.Dir, want.Outbox.Dir = "/var/lib/gadeblik/models", "/var/lib/gadeblik/outbox"
	want.Seal = Seal{KeyFile: "/var/lib/gadeblik/device.key", OwnFile: "/var/lib/gadeblik/device.age"}
	want.MQTT.Broker, want.MQTT.ClientID = "tls://broker:8883", "gadeblik-cph-v1"
	if d := cmp.Diff(&want, got, ignoreOrigins); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// Every key, each by another value than the default, comes in by every way.
func TestEveryKeyByEveryWay(t *testing.T) {
	values := map[string]string{
		"vehicle.id": "v9", "vehicle.fleet": "odense", "state_dir": "/s",
		"gps.device": "/dev/g", "gps.baud": "115200", "gps.read_timeout": "300ms", "gps.stale": "7s",
		"time.floor":    "2027-02-03T04:05:06Z",
		"camera.device": "/dev/c", "camera.drive": "", "camera.format": "YUYV", "camera.width": "1920", "camera.height": "1080",
		"camera.fps": "12.5", "camera.watchdog": "9s",
		"camera.mount.height_m": "1.7", "camera.mount.pitch_deg": "-3.5", "camera.mount.hfov_deg": "90",
		"models.dir": "/m", "models.onnxruntime": "/l.so", "models.detector": "d", "models.threads": "3", "models.timeout": "1500ms",
		"gate.max_fix_age": "3s", "gate.max_hdop": "2.5", "gate.metres_per_hdop": "6", "gate.min_satellites": "5",
		"gate.enter_margin_m": "7", "gate.enter_fixes": "4", "gate.enter_of": "6", "gate.max_jump_speed": "60",
		"orders.file": "/o", "orders.trusted_keys": "a.pub,b.pub", "orders.threshold": "2",
		"switch.socket": "/sock", "switch.auto_off": "8h",
		"switch.button.line": "", "switch.button.active_low": "false", "switch.button.bias": "as-is",
		"switch.button.input": "/dev/input/k", "switch.button.key": "KEY_F1", "switch.button.debounce": "30ms", "switch.button.long_press": "3s",
		"switch.lamp.line": "GPIO27", "switch.lamp.active_low": "true",
		"seal.recipients": "age1a,b.pub", "seal.key_file": "/d.key", "seal.own_file": "/d.age",
		"outbox.dir": "/out", "outbox.max_age": "240h", "outbox.max_bytes": "3GB", "outbox.max_items": "77", "outbox.high_water": "0.5",
		"mqtt.broker": "tls://b:1", "mqtt.client_id": "c", "mqtt.username": "u", "mqtt.password_file": "/p",
		"mqtt.tls.ca_file": "/ca", "mqtt.tls.cert_file": "/cert", "mqtt.tls.key_file": "/key", "mqtt.tls.server_name": "n", "mqtt.tls.alpn": "mqtt,x-amzn-mqtt-ca",
		"mqtt.in_flight": "4", "mqtt.ack": "puback", "mqtt.keep_alive": "90s", "mqtt.drain_timeout": "20s",
		"mqtt.when": "unmetered", "mqtt.unmetered_interfaces": "wlan0,eth0", "mqtt.depot_file": "/depot", "mqtt.max_payload": "1MiB", "mqtt.max_rate": "64KiB",
		"memory.lock": "true",
		"log.level":   "debug", "log.format": "json",
	}
	want := Config{
		Vehicle: Vehicle{"v9", "odense"}, StateDir: "/s",
		GPS:    GPS{"/dev/g", 115200, 300 * time.Millisecond, 7 * time.Second},
		Time:   Time{time.Date(2027, 2, 3, 4, 5, 6, 0, time.UTC)},
		Camera: Camera{"/dev/c", "", "YUYV", 1920, 1080, 12.5, 9 * time.Second, nil, Mount{1.7, -3.5, 90}},
		Models: Models{"/m", "/l.so", "d", 3, 1500 * time.Millisecond, Defaults().Models.Redact, Defaults().Models.SecondLook},
		Gate:   Gate{3 * time.Second, 2.5, 6, 5, 7, 4, 6, 60},
		Orders: Orders{"/o", []string{"a.pub", "b.pub"}, 2},
		Switch: Switch{"/sock", 8 * time.Hour, Button{"", false, "as-is", "/dev/input/k", "KEY_F1", 30 * time.Millisecond, 3 * time.Second}, Lamp{"GPIO27", true}},
		Seal:   Seal{[]string{"age1a", "b.pub"}, "/d.key", "/d.age"},
		Outbox: Outbox{"/out", 3e9, 77, 0.5, 240 * time.Hour},
		MQTT: MQTT{"tls://b:1", "c", "u", "/p", TLS{"/ca", "/cert", "/key", "n", []string{"mqtt", "x-amzn-mqtt-ca"}},
			4, "puback", 90 * time.Second, 20 * time.Second, "unmetered", []string{"wlan0", "eth0"}, "/depot", 1 << 20, 64 << 10},
		Memory: Memory{Lock: true},
		Log:    Log{"debug", "json"},
	}
	var env, args []string
	tree := layer{}
	for _, s := range settings() {
		value, ok := values[s.key]
		if s.table() {
			continue
		}
		if !ok {
			t.Fatalf("no value for %s", s.key)
		}
		env = append(env, s.env()+"="+value)
		args = append(args, "--"+strings.NewReplacer(".", "-", "_", "-").Replace(s.key)+"="+value)
		tree[s.key] = entry{value: value}
	}
	for name, got := range map[string]*Config{
		"environment": loaded(t, "", Options{Env: env}),
		"flags":       loaded(t, "", Options{Flags: flagsOf(t, args...)}),
		"file":        loaded(t, yamlOf(tree.tree(), ""), Options{}),
	} {
		if d := cmp.Diff(&want, got, ignoreOrigins); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// yamlOf writes texts as a person would: numbers bare, lists in brackets.
func yamlOf(tree map[string]any, indent string) string {
	var b strings.Builder
	for key, v := range tree {
		switch v := v.(type) {
		case map[string]any:
			b.WriteString(indent + key + ":\n" + yamlOf(v, indent+"  "))
		case string:
			switch {
			case slices.Contains([]string{"trusted_keys", "recipients", "alpn", "unmetered_interfaces"}, key):
				v = "[" + v + "]"
			case v == "":
				v = `""`
			}
			b.WriteString(indent + key + ": " + v + "\n")
		}
	}
	return b.String()
}

func TestPrecedence(t *testing.T) {
	text := "log: {level: warn, format: json}\nmqtt: {in_flight: 1}\norders: {trusted_keys: [file1, file2, file3]}\n"
	env := []string{"GADEBLIK_LOG_LEVEL=error", "GADEBLIK_MQTT_IN_FLIGHT=2", "GADEBLIK_ORDERS_TRUSTED_KEYS=env1, env2", "HOME=/x"}
	flags := flagsOf(t, "--mqtt-in-flight=3", "--json")
	c := loaded(t, text, Options{Env: env, Flags: flags})
	if c.Log.Format != "json" || c.Log.Level != "error" || c.MQTT.InFlight != 3 {
		t.Errorf("format %s, level %s, in flight %d: want json of the file, error of the environment, 3 of the flag", c.Log.Format, c.Log.Level, c.MQTT.InFlight)
	}
	if d := cmp.Diff([]string{"env1", "env2"}, c.Orders.TrustedKeys); d != "" {
		t.Errorf("a list is mixed from two sources (-want +got):\n%s", d)
	}
}

func TestShorterListReplacesTheDefault(t *testing.T) {
	text := "models:\n  redact:\n    - {class: plate, model: p, min_score: 0.1}\n    - {class: face, model: f, min_score: 0.2}\n    - {class: person, model: n, min_score: 1}\n    - {class: person, model: m}\n"
	c := loaded(t, text, Options{})
	want := []Redact{{"plate", "p", 0.1}, {"face", "f", 0.2}, {"person", "n", 1}, {"person", "m", 0}}
	if d := cmp.Diff(want, c.Models.Redact); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff(3, len(Defaults().Models.Redact)); d != "" {
		t.Error("the defaults changed")
	}
}

func TestButtonAndLamp(t *testing.T) {
	for text, want := range map[string]Switch{
		"switch: {button: {line: GPIO17}, lamp: {line: GPIO27}}":                             {Button: Button{Line: "GPIO17", ActiveLow: true}, Lamp: Lamp{Line: "GPIO27"}},
		"switch: {button: {line: '9030000.pl061:5', active_low: false}}":                     {Button: Button{Line: "9030000.pl061:5"}},
		"switch: {button: {input: /dev/input/by-id/usb-Keypad-event-kbd, key: KEY_KPENTER}}": {Button: Button{Input: "/dev/input/by-id/usb-Keypad-event-kbd", Key: "KEY_KPENTER", ActiveLow: true}},
	} {
		d := Defaults().Switch
		want.Socket, want.AutoOff = d.Socket, d.AutoOff
		want.Button.Bias, want.Button.Debounce, want.Button.LongPress = "pull-up", 20*time.Millisecond, 2*time.Second
		if d := cmp.Diff(want, loaded(t, text, Options{}).Switch); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
}

func TestMasks(t *testing.T) {
	c := loaded(t, "camera:\n  masks:\n  - {x0: 0, y0: 0.85, x1: 1, y1: 1}\n  - {x0: 0.4, y0: 0, x1: 0.5, y1: 0.25}", Options{})
	want := []Mask{{0, 0.85, 1, 1}, {0.4, 0, 0.5, 0.25}}
	if d := cmp.Diff(want, c.Camera.Masks); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	var out strings.Builder
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, loaded(t, out.String(), Options{}).Camera.Masks); d != "" {
		t.Errorf("printed and read again (-want +got):\n%s", d)
	}
}

// Where nobody says otherwise, a built-in model looks a second time for what it did
// not find the first time.
func TestSecondLook(t *testing.T) {
	const three = "models: {redact: [{class: person, model: %s}, {class: face, model: %s}, {class: plate, model: %s}]%s}"
	street, privacy := "gadeblik_street", "gadeblik_privacy"
	for _, tt := range []struct {
		name, file string
		want       []Redact
	}{
		{"nothing configured", "", []Redact{{"person", street, secondScore}}},
		{"public models", fmt.Sprintf(three, "p", "f", "l", ""), []Redact{{"person", street, secondScore}, {"face", privacy, 0}, {"plate", privacy, 0}}},
		{"the street model finds persons", fmt.Sprintf(three, street, privacy, "l", ""), []Redact{{"person", privacy, 0}, {"plate", privacy, 0}}},
		{"others", fmt.Sprintf(three, privacy, privacy, privacy, ", second_look: [{class: face, model: f, min_score: 0.2}]"), []Redact{{"face", "f", 0.2}}},
		{"none", "models: {second_look: []}", []Redact{}},
	} {
		c := loaded(t, tt.file, Options{})
		if d := cmp.Diff(tt.want, c.Models.SecondLook); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
		var out strings.Builder
		if err := c.Print(&out); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tt.want, loaded(t, out.String(), Options{}).Models.SecondLook, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s, printed and read again (-want +got):\n%s", tt.name, d)
		}
	}
}

func TestEmptyVariableAndFlagSetNothing(t *testing.T) {
	c := loaded(t, "mqtt: {username: u}", Options{Env: []string{"GADEBLIK_MQTT_USERNAME="}})
	if c.MQTT.Username != "" {
		t.Errorf("username %q, want none", c.MQTT.Username)
	}
}

func TestLoadPath(t *testing.T) {
	path := fileWith(t, "log: {level: warn}")
	for name, o := range map[string]Options{
		"path":     {Path: path},
		"variable": {Env: []string{"GADEBLIK_CONFIG=" + path}},
		"both":     {Path: path, Env: []string{"GADEBLIK_CONFIG=/nowhere"}},
	} {
		if c, err := Load(o); err != nil || c.Log.Level != "warn" {
			t.Errorf("%s: %+v %v", name, c, err)
		}
	}
	if _, err := Load(Options{Path: "/no/such/file"}); err == nil || err.Error() != "read configuration: open /no/such/file: no such file or directory" {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Load(Options{Path: filepath.Dir(path)}); err == nil {
		t.Error("read a folder")
	}
	big := fileWith(t, strings.Repeat("#", maxFile+1))
	if _, err := Load(Options{Path: big}); err == nil || err.Error() != "read configuration: "+big+" has more than 262144 bytes" {
		t.Errorf("large file: %v", err)
	}
}

func TestCredentials(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "credentials")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mqtt-password", "../outside"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	text := "mqtt: {username: u, password_file: %s, tls: {ca_file: ca.pem}}"
	env := []string{"CREDENTIALS_DIRECTORY=" + dir}
	for name, want := range map[string]string{
		"mqtt-password":      filepath.Join(dir, "mqtt-password"),
		"other":              "other",
		"/etc/mqtt-password": "/etc/mqtt-password",
		"../outside":         "../outside",
	} {
		c := loaded(t, strings.Replace(text, "%s", name, 1), Options{Env: env})
		if c.MQTT.PasswordFile != want || c.MQTT.TLS.CAFile != "ca.pem" {
			t.Errorf("%s becomes %s, want %s (ca_file %s)", name, c.MQTT.PasswordFile, want, c.MQTT.TLS.CAFile)
		}
	}
	if c := loaded(t, strings.Replace(text, "%s", "mqtt-password", 1), Options{}); c.MQTT.PasswordFile != "mqtt-password" {
		t.Errorf("without credentials it becomes %s", c.MQTT.PasswordFile)
	}
}

func TestShippedConfiguration(t *testing.T) {
	path := filepath.Join("..", "..", "..", "configs", "gadeblik.yaml")
	c, err := Load(Options{Path: path, Run: true})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// What the file says holds anyway is what holds.
	want := Defaults()
	want.Vehicle, want.GPS.Device, want.Camera.Device = c.Vehicle, c.GPS.Device, c.Camera.Device
	want.Orders.TrustedKeys, want.MQTT.Broker, want.MQTT.ClientID = c.Orders.TrustedKeys, c.MQTT.Broker, c.MQTT.ClientID
	want.Models.Dir, want.Outbox.Dir = want.StateDir+"/models", want.StateDir+"/outbox"
	want.Seal = Seal{c.Seal.Recipients, want.StateDir + "/device.key", want.StateDir + "/device.age"}
	// But for redaction: on the road the built-in model does not look alone.
	if n := len(want.Models.Redact); len(c.Models.Redact) <= n || !slices.Equal(c.Models.Redact[:n], want.Models.Redact) {
		t.Errorf("it redacts with %v, want %v and more", c.Models.Redact, want.Models.Redact)
	}
	want.Models.Redact = c.Models.Redact
	// And the second look is for every class.
	for _, class := range classes {
		if !slices.ContainsFunc(c.Models.SecondLook, func(r Redact) bool { return r.Class == class }) {
			t.Errorf("it looks a second time with %v, for no %s", c.Models.SecondLook, class)
		}
	}
	want.Models.SecondLook = c.Models.SecondLook
	if d := cmp.Diff(&want, c, ignoreOrigins, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("(-defaults +file):\n%s", d)
	}
	// And it shows every key.
	for _, s := range settings() {
		if _, set := c.from[s.key]; !set && s.key != "camera.drive" {
			t.Errorf("%s is not in %s", s.key, path)
		}
	}
	drive := strings.Replace(strings.Replace(string(data), "  device: /dev/v4l", "  #", 1), "  #drive:", "  drive:", 1)
	if c := loaded(t, drive, Options{Run: true}); c.Camera.Drive == "" || c.Camera.Device != "" {
		t.Errorf("with the drive's line: %+v", c.Camera)
	}
}

func TestSettingsAreWellFormed(t *testing.T) {
	seen := map[string]string{}
	for _, name := range reserved {
		seen[name] = "reserved"
	}
	for _, s := range settings() {
		if s.help == "" || s.key != strings.ToLower(s.key) {
			t.Errorf("%s has no help or no lower-case key", s.key)
		}
		if other, twice := seen[s.env()]; twice {
			t.Errorf("%s is the variable of %s and of %s", s.env(), s.key, other)
		}
		seen[s.env()] = s.key
	}
	for typ := range map[reflect.Type]bool{reflect.TypeFor[Redact](): true, reflect.TypeFor[Mask](): true} {
		for i := range typ.NumField() {
			if typ.Field(i).Tag.Get("mapstructure") == "" {
				t.Errorf("%s has no key", typ.Field(i).Name)
			}
		}
	}
}

func TestAddFlagNeedsAKey(t *testing.T) {
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	AddFlag(fs, "models", "models.dir")
	AddFlags(fs)
	if err := fs.Parse([]string{"--models=/x"}); err != nil {
		t.Fatal(err)
	}
	if c := loaded(t, "", Options{Flags: fs}); c.Models.Dir != "/x" {
		t.Errorf("models.dir %s, want that of --models", c.Models.Dir)
	}
	defer func() {
		if r := recover(); r != "config: internal error: no key models.redact for the flag --r" {
			t.Errorf("panic %v", r)
		}
	}()
	AddFlag(fs, "r", "models.redact")
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(minimal))
	if shipped, err := os.ReadFile("../../../configs/gadeblik.yaml"); err == nil {
		f.Add(shipped)
	}
	for _, text := range []string{
		"a: &a [*a]", "mqtt: null", "gps: {baud: 0x10}", "models: {redact: [{class: person}]}", "? [a]\n: b", "mqtt: !!binary aGk=",
		"time: {floor: 2026-01-01}", "outbox: {max_bytes: 1e9TiB}", "log: {<<: {level: x}}", "a: b\n---\nc: d", "mqtt.broker: x",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := load("f.yaml", data, Options{Run: true, Env: []string{"GADEBLIK_VEHICLE_ID=v", "GADEBLIK_VEHICLE_FLEET=f"}})
		if (c == nil) == (err == nil) {
			t.Fatalf("configuration %v and error %v", c, err)
		}
		if err != nil {
			if err.Error() == "" || strings.Count(err.Error(), "\n") > most {
				t.Fatalf("error %q", err)
			}
			return
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("loaded what is not valid: %v", err)
		}
		var out strings.Builder
		if err := c.Print(&out); err != nil {
			t.Fatal(err)
		}
		again, err := load("p.yaml", []byte(out.String()), Options{Run: true})
		if err != nil {
			t.Fatalf("what Print wrote does not load: %v\n%s", err, out.String())
		}
		again.MQTT.Username, c.MQTT.Username = "", ""
		if d := cmp.Diff(c, again, ignoreOrigins, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("what Print wrote is another configuration (-loaded +printed):\n%s", d)
		}
	})
}
