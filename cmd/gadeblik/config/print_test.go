package config

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPrint(t *testing.T) {
	text := "vehicle:\n  id: '007'\nmqtt: {username: hunter, password_file: /p}\norders:\n  trusted_keys: [a, 'b c']\n" +
		"outbox: {max_bytes: 1536MiB}\nswitch: {auto_off: 90m}\n"
	c := loaded(t, text, Options{Env: []string{"GADEBLIK_LOG_LEVEL=warn"}, Flags: flagsOf(t, "--log-format=json")})
	var b strings.Builder
	if err := c.Print(&b); err != nil {
		t.Fatal(err)
	}
	want := `vehicle:
  id: "007" # gadeblik.yaml:2
  fleet: "" # default
state_dir: /var/lib/gadeblik # default
gps:
  device: "" # default
  baud: 9600 # default
  read_timeout: 200ms # default
  stale: 5s # default
time:
  floor: 2026-01-01T00:00:00Z # default
camera:
  device: "" # default
  drive: "" # default
  format: "" # default
  width: 1280 # default
  height: 720 # default
  fps: 10 # default
  watchdog: 5s # default
  masks: [] # default
  mount:
    height_m: 0 # default
    pitch_deg: 0 # default
    hfov_deg: 0 # default
models:
  dir: /var/lib/gadeblik/models # default
  onnxruntime: "" # default
  detector: gadeblik_street # default
  threads: 2 # default
  timeout: 2s # default
  redact:
    - {class: person, model: gadeblik_privacy} # default
    - {class: face, model: gadeblik_privacy}
    - {class: plate, model: gadeblik_privacy}
  second_look:
    - {class: person, model: gadeblik_street, min_score: 0.1} # default
gate:
  max_fix_age: 2s # default
  max_hdop: 4 # default
  metres_per_hdop: 5 # default
  min_satellites: 4 # default
  enter_margin_m: 5 # default
  enter_fixes: 3 # default
  enter_of: 5 # default
  max_jump_speed: 70 # default
orders:
  file: "" # default
  trusted_keys: [a, b c] # gadeblik.yaml:5
  threshold: 1 # default
switch:
  socket: /run/gadeblik/control.sock # default
  auto_off: 1h30m # gadeblik.yaml:7
  button:
    line: "" # default
    active_low: true # default
    bias: pull-up # default
    input: "" # default
    key: "" # default
    debounce: 20ms # default
    long_press: 2s # default
  lamp:
    line: "" # default
    active_low: false # default
seal:
  recipients: [] # default
  key_file: /var/lib/gadeblik/device.key # default
  own_file: /var/lib/gadeblik/device.age # default
outbox:
  dir: /var/lib/gadeblik/outbox # default
  max_bytes: 1536MiB # gadeblik.yaml:6
  max_items: 50000 # default
  high_water: 0.9 # default
  max_age: 1440h # default
mqtt:
  broker: "" # default
  client_id: "" # default
  username: (set) # gadeblik.yaml:3
  password_file: /p # gadeblik.yaml:3
  tls:
    ca_file: "" # default
    cert_file: "" # default
    key_file: "" # default
    server_name: "" # default
    alpn: [] # default
  in_flight: 16 # default
  ack: receipt # default
  keep_alive: 1m # default
  drain_timeout: 10s # default
  when: always # default
  unmetered_interfaces: [] # default
  depot_file: "" # default
  max_payload: 128KiB # default
  max_rate: 0B # default
memory:
  lock: false # default
log:
  level: warn # GADEBLIK_LOG_LEVEL
  format: json # --log-format
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("pipe closed") }

func TestPrintReportsWriteErrors(t *testing.T) {
	if err := loaded(t, "", Options{}).Print(brokenWriter{}); err == nil || !strings.Contains(err.Error(), "pipe closed") {
		t.Errorf("got %v", err)
	}
}

func TestValidateByHand(t *testing.T) {
	c := Defaults()
	c.Gate.MaxHDOP, c.MQTT.InFlight = -1, 0
	want := "gate.max_hdop: must be 0.5 to 20 (got -1)\nmqtt.in_flight: must be 1 to 256 (got 0)"
	if err := c.Validate(); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]Size{
		"0B": 0, "1B": 1, "10 MiB": 10 << 20, "1.5GiB": 3 << 29, "2GB": 2e9, "3kB": 3000, "4KiB": 4096, "1TiB": 1 << 40, "1TB": 1e12,
	} {
		got, err := parseSize(text)
		if err != nil || got != want {
			t.Errorf("%s is %d (%v), want %d", text, got, err, want)
		}
		if again, err := parseSize(got.String()); err != nil || again != got {
			t.Errorf("%s prints %s, which is %d (%v)", text, got, again, err)
		}
	}
	for _, text := range []string{"", "B", "1.5B", "1e30GiB", "NaNGB", "InfGB", "1 2MB", "1mb", "1Gb", "-1B"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q is %d, want a refusal", text, got)
		}
	}
}

func TestPrettyDurationsReadBack(t *testing.T) {
	for _, d := range []time.Duration{0, time.Millisecond, 90 * time.Second, time.Minute, time.Hour, 90 * time.Minute, time.Hour + time.Second, 10 * time.Hour, 40 * time.Minute} {
		if got, err := parseDuration(pretty(d)); err != nil || got != d {
			t.Errorf("%v prints %s, which is %v (%v)", d, pretty(d), got, err)
		}
	}
}
