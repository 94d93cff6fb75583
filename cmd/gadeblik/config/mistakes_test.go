package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoadMistakes(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		env, flags []string
		want       string
	}{
		{name: "no unit", file: "mqtt:\n  keep_alive: 30", want: "gadeblik.yaml:2: mqtt.keep_alive: 30 has no unit; write 30s"},
		{name: "zero without unit", file: "switch: {auto_off: 0}", want: "gadeblik.yaml:1: switch.auto_off: 0 has no unit; write 0s"},
		{name: "quoted without unit", file: `mqtt: {keep_alive: "30"}`, want: "gadeblik.yaml:1: mqtt.keep_alive: 30 has no unit; write 30s"},
		{name: "odd duration", file: "gps: {stale: 5 seconds}", want: `gadeblik.yaml:1: gps.stale: must be a duration such as 500ms, 30s or 10h (got "5 seconds")`},
		{name: "duration is a switch", file: "gps: {stale: true}", want: "gadeblik.yaml:1: gps.stale: must be a value with its unit (got true)"},
		{name: "size without unit", file: "outbox: {max_bytes: 2000000}", want: "gadeblik.yaml:1: outbox.max_bytes: 2000000 has no unit; write 2000000B, or use kB, MB, GB, KiB, MiB or GiB"},
		{name: "odd size", file: "outbox: {max_bytes: 2 gigs}", want: `gadeblik.yaml:1: outbox.max_bytes: must be a size such as 512MiB or 2GB (got "2 gigs")`},
		{name: "negative size", file: "outbox: {max_bytes: -2GB}", want: "gadeblik.yaml:1: outbox.max_bytes: must be a size such as 512MiB or 2GB (got -2GB)"},
		{name: "odd time", file: "time: {floor: yesterday}", want: "gadeblik.yaml:1: time.floor: must be a time such as 2026-01-01 or 2026-01-01T06:00:00Z (got yesterday)"},

		{name: "unknown key", file: "\n\n\n\n\ncamera:\n  widht: 640", want: "gadeblik.yaml:7: unknown key camera.widht; did you mean camera.width?"},
		{name: "unknown section", file: "camra:\n  width: 640", want: "gadeblik.yaml:1: unknown key camra; did you mean camera?"},
		{name: "in no section", file: "broker: x", want: "gadeblik.yaml:1: unknown key broker; did you mean mqtt.broker?"},
		{name: "in the wrong section", file: "gps: {hfov_deg: 70}", want: "gadeblik.yaml:1: unknown key gps.hfov_deg; did you mean camera.mount.hfov_deg?"},
		{name: "password", file: "mqtt: {password: hunter2}", want: "gadeblik.yaml:1: unknown key mqtt.password; did you mean mqtt.password_file?"},
		{name: "hyphen", file: "mqtt: {keep-alive: 30s}", want: "gadeblik.yaml:1: unknown key mqtt.keep-alive; did you mean mqtt.keep_alive?"},
		{name: "capital", file: "MQTT: {broker: x}", want: "gadeblik.yaml:1: unknown key MQTT; did you mean mqtt?"},
		{name: "nothing near", file: "camera: {shutter: x}", want: "gadeblik.yaml:1: unknown key camera.shutter; camera has device, drive, format, width, height, fps, watchdog, masks, mount"},
		{name: "nothing near at all", file: "colour: red", want: "gadeblik.yaml:1: unknown key colour"},
		{name: "odd key", file: "\"a b\\n\": 1", want: `gadeblik.yaml:1: unknown key "a b\n"`},
		{name: "dots", file: "mqtt.broker: x", want: `gadeblik.yaml:1: unknown key "mqtt.broker"; write broker on its own line, indented under its section`},
		{name: "twice", file: "log: {level: info}\ngps: {}\nlog: {level: warn}", want: "gadeblik.yaml:3: log: appears twice, first in line 1"},
		{name: "key twice", file: "log:\n  level: info\n  level: warn", want: "gadeblik.yaml:3: log.level: appears twice, first in line 2"},

		{name: "yes for true", file: "memory: {lock: yes}", want: "gadeblik.yaml:1: memory.lock: must be true or false (got yes)"},
		{name: "capital true", file: "memory: {lock: True}", want: "gadeblik.yaml:1: memory.lock: must be true or false (got True)"},
		{name: "quoted true", file: `memory: {lock: "true"}`, want: `gadeblik.yaml:1: memory.lock: must be true or false (got "true")`},
		{name: "number for true", file: "memory: {lock: 1}", want: "gadeblik.yaml:1: memory.lock: must be true or false (got 1)"},
		{name: "variable for true", env: []string{"GADEBLIK_MEMORY_LOCK=on"}, want: "GADEBLIK_MEMORY_LOCK: memory.lock: must be true or false (got on)"},
		{name: "flag for true", flags: []string{"--memory-lock="}, want: `--memory-lock: memory.lock: must be true or false (got "")`},

		{name: "number for text", file: "vehicle: {id: 007}", want: `gadeblik.yaml:1: vehicle.id: must be text; put it in quotation marks: "007"`},
		{name: "switch for text", file: "vehicle: {id: true}", want: `gadeblik.yaml:1: vehicle.id: must be text; put it in quotation marks: "true"`},
		{name: "text for number", file: `camera: {width: "640"}`, want: `gadeblik.yaml:1: camera.width: must be a number (got "640")`},
		{name: "fraction", file: "camera: {width: 18.9}", want: "gadeblik.yaml:1: camera.width: must be a whole number (got 18.9)"},
		{name: "hexadecimal", file: "camera: {width: 0x280}", want: "gadeblik.yaml:1: camera.width: must be a whole number (got 0x280)"},
		{name: "not a number", file: "gate: {max_hdop: .nan}", want: "gadeblik.yaml:1: gate.max_hdop: must be a number (got .nan)"},
		{name: "no value", file: "gps:\n  device:", want: "gadeblik.yaml:2: gps.device: has no value; write one, or remove the line"},
		{name: "section for value", file: "state_dir: {a: b}", want: "gadeblik.yaml:1: state_dir: must be a single value"},
		{name: "value for section", file: "mqtt: tls://x:1", want: "gadeblik.yaml:1: mqtt: must be a section: keys with values, indented"},
		{name: "list for section", file: "- mqtt", want: "gadeblik.yaml:1: must be a section: keys with values, indented"},
		{name: "text for list", file: "orders: {trusted_keys: a.pub}", want: "gadeblik.yaml:1: orders.trusted_keys: must be a list; write [a.pub], or each on a line of its own after a hyphen"},
		{name: "list of numbers", file: "orders:\n  trusted_keys:\n  - a\n  - 7", want: "gadeblik.yaml:3: orders.trusted_keys: must be a list of texts (line 4 is not one)"},
		{name: "alias", file: "gps: &a {baud: 9600}\nlog: *a", want: "gadeblik.yaml:2: log: aliases and composed keys are not supported; write the value out"},
		{name: "merge", file: "a: &a {level: info}\nlog: {<<: *a}", want: "gadeblik.yaml:1: unknown key a\ngadeblik.yaml:2: \"log.<<\": aliases and composed keys are not supported; write the value out"},
		{name: "second document", file: "log: {}\n---\nlog: {}", want: "gadeblik.yaml:2: a second document begins here; remove the line ---"},
		{name: "syntax", file: "log:\n  level: info\n format: text", want: "gadeblik.yaml:2: did not find expected key"},
		{name: "tab", file: "log:\n\tlevel: info", want: "gadeblik.yaml:2: found character that cannot start any token; indent with spaces, not tabs"},
		{name: "binary", file: "\x00\x01", want: "gadeblik.yaml: control characters are not allowed"},

		{name: "redact unknown", file: "models:\n  redact:\n  - {class: face, modle: x, min_score: 0.1}",
			want: "gadeblik.yaml:3: unknown key models.redact[0].modle; did you mean models.redact[0].model?\ngadeblik.yaml:3: models.redact[0].model: is missing"},
		{name: "redact types", file: "models:\n  redact:\n  - class: 1\n    model: m\n    min_score: high\n  - m",
			want: "gadeblik.yaml:3: models.redact[0].class: must be text; put it in quotation marks: \"1\"\ngadeblik.yaml:5: models.redact[0].min_score: must be a number (got high)\ngadeblik.yaml:6: models.redact[1]: must be a section: keys with values, indented"},
		{name: "redact values", file: "models:\n  redact:\n  - {class: dog, model: '', min_score: 2}",
			want: "gadeblik.yaml:3: models.redact: entry 1: class must be person, face or plate (got dog)\ngadeblik.yaml:3: models.redact: entry 1: model must name a model\n" +
				"gadeblik.yaml:3: models.redact: entry 1: min_score must be above 0 and at most 1 (got 2)\ngadeblik.yaml:3: models.redact: nothing finds person, so no picture could be released; add an entry for it\n" +
				"gadeblik.yaml:3: models.redact: nothing finds face, so no picture could be released; add an entry for it\ngadeblik.yaml:3: models.redact: nothing finds plate, so no picture could be released; add an entry for it"},
		{name: "redact nothing sure", file: "models:\n  redact:\n  - {class: face, model: m, min_score: 0}\n  - {class: plate, model: m, min_score: -0.1}",
			want: "gadeblik.yaml:3: models.redact[0].min_score: must be above 0 and at most 1; leave it out for the model's own"},
		{name: "redact below nothing", file: "models:\n  redact:\n  - {class: face, model: m, min_score: -0.1}\n  - {class: person, model: m}\n  - {class: plate, model: m}",
			want: "gadeblik.yaml:3: models.redact: entry 1: min_score must be above 0 and at most 1 (got -0.1)"},
		{name: "second look values", file: "models:\n  second_look:\n  - {class: dog, model: '', min_score: 2}\n  - {class: face, model: gadeblik_privacy}",
			want: "gadeblik.yaml:3: models.second_look: entry 1: class must be person, face or plate (got dog)\ngadeblik.yaml:3: models.second_look: entry 1: model must name a model\n" +
				"gadeblik.yaml:3: models.second_look: entry 1: min_score must be above 0 and at most 1 (got 2)\n" +
				"gadeblik.yaml:3: models.second_look: entry 2: gadeblik_privacy finds face already in models.redact; name another model, or leave the entry out"},
		{name: "second look unknown", file: "models:\n  second_look:\n  - {class: face, modle: x}",
			want: "gadeblik.yaml:3: unknown key models.second_look[0].modle; did you mean models.second_look[0].model?\ngadeblik.yaml:3: models.second_look[0].model: is missing"},
		{name: "second look nothing sure", file: "models:\n  second_look:\n  - {class: person, model: m, min_score: 0}",
			want: "gadeblik.yaml:3: models.second_look[0].min_score: must be above 0 and at most 1; leave it out for the model's own"},
		{name: "redact map", file: "models: {redact: {class: face}}", want: "gadeblik.yaml:1: models.redact: must be a list; begin each entry with a hyphen"},

		{name: "variable without unit", env: []string{"GADEBLIK_MQTT_KEEP_ALIVE=30"}, want: "GADEBLIK_MQTT_KEEP_ALIVE: mqtt.keep_alive: 30 has no unit; write 30s"},
		{name: "unknown variable", env: []string{"GADEBLIK_MQTT_BROKR=x"}, want: "GADEBLIK_MQTT_BROKR: unknown variable; did you mean GADEBLIK_MQTT_BROKER?"},
		{name: "secret in a variable", env: []string{"GADEBLIK_MQTT_PASSWORD=hunter2"}, want: "GADEBLIK_MQTT_PASSWORD: unknown variable; did you mean GADEBLIK_MQTT_PASSWORD_FILE?"},
		{name: "variable in small letters", env: []string{"gadeblik_log_level=x"}, want: "gadeblik_log_level: unknown variable; did you mean GADEBLIK_LOG_LEVEL?"},
		{name: "table by variable", env: []string{"GADEBLIK_MODELS_REDACT=face"}, want: "GADEBLIK_MODELS_REDACT: models.redact: can be set in the configuration file only"},
		{name: "empty variable", env: []string{"GADEBLIK_CAMERA_FPS="}, want: `GADEBLIK_CAMERA_FPS: camera.fps: must be a number (got "")`},
		{name: "empty list", env: []string{"GADEBLIK_ORDERS_TRUSTED_KEYS=a,,b"}, want: `GADEBLIK_ORDERS_TRUSTED_KEYS: orders.trusted_keys: must be a list such as a.pub,b.pub (got "a,,b")`},
		{name: "reserved variables", env: []string{"GADEBLIK_ONNXRUNTIME=/x", "GADEBLIK_SHARED=/y", "GADEBLIK_CONFIG=", "GADEBLIK_LOG_LEVEL=loud"},
			want: "GADEBLIK_LOG_LEVEL: log.level: must be debug, info, warn or error (got loud)"},
		{name: "flag", flags: []string{"--camera-width=wide"}, want: "--camera-width: camera.width: must be a whole number (got wide)"},

		{name: "vehicle", file: "vehicle: {id: a/b, fleet: '+'}", want: "gadeblik.yaml:1: vehicle.id: must be 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit (got a/b)\ngadeblik.yaml:1: vehicle.fleet: must be 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit (got +)"},
		{name: "bounds", file: "mqtt: {keep_alive: 1s}\ngate: {max_hdop: 99, enter_fixes: 6}\ngps: {baud: 9601}\noutbox: {high_water: 2}",
			want: "gadeblik.yaml:1: mqtt.keep_alive: must be 5s to 1h (got 1s)\ngadeblik.yaml:2: gate.max_hdop: must be 0.5 to 20 (got 99)\ngadeblik.yaml:2: gate.enter_fixes: must be 1 to 5 (got 6)\n" +
				"gadeblik.yaml:3: gps.baud: must be one of 4800 9600 19200 38400 57600 115200 230400 460800 921600 (got 9601)\ngadeblik.yaml:4: outbox.high_water: must be 0.1 to 1 (got 2)"},
		{name: "size bound", file: "outbox: {max_bytes: 1kB}", want: "gadeblik.yaml:1: outbox.max_bytes: must be 1MiB to 1TiB (got 1kB)"},
		{name: "floor", file: "time: {floor: 1970-01-01}", want: "gadeblik.yaml:1: time.floor: must be 2020 to 2099 (got 1970-01-01T00:00:00Z)"},
		{name: "camera and drive", file: "camera: {device: a, drive: b, format: mjpeg}", want: "gadeblik.yaml:1: camera.drive: cannot be set together with camera.device; remove one\ngadeblik.yaml:1: camera.format: must be MJPG or YUYV (got mjpeg)"},
		{name: "no camera", file: "camera: {device: 'name: '}", want: "gadeblik.yaml:1: camera.device: names no camera; write name:NAME, as `gadeblik doctor` lists them (got name: )"},
		{name: "masks", file: "camera:\n  masks:\n  - {x0: 0.5, y0: -0.1, x1: 0.2, y1: 1}\n  - {x0: 0, y0: 0.3, x1: 1.5, y1: 0.3}",
			want: "gadeblik.yaml:3: camera.masks: entry 1: y0 must be a fraction of the frame, 0 to 1 (got -0.1)\n" +
				"gadeblik.yaml:3: camera.masks: entry 1: x0, the left edge, must be below x1 (got 0.5 and 0.2)\n" +
				"gadeblik.yaml:3: camera.masks: entry 2: x1 must be a fraction of the frame, 0 to 1 (got 1.5)\n" +
				"gadeblik.yaml:3: camera.masks: entry 2: y0, the upper edge, must be below y1 (got 0.3 and 0.3)"},
		{name: "mask keys", file: "camera:\n  masks:\n  - {x0: 0, y0: 0, x1: 1, y2: 1}",
			want: "gadeblik.yaml:3: unknown key camera.masks[0].y2; did you mean camera.masks[0].y0?\ngadeblik.yaml:3: camera.masks[0].y1: is missing"},
		{name: "mask types", file: "camera:\n  masks:\n  - {x0: 0, y0: 10%, x1: 1, y1: 1}", want: "gadeblik.yaml:3: camera.masks[0].y0: must be a number (got 10%)"},
		{name: "keys", file: "orders: {trusted_keys: [a, a], threshold: 3}", want: "gadeblik.yaml:1: orders.trusted_keys: a is named twice\ngadeblik.yaml:1: orders.threshold: must be 1 to 2 (got 3)"},
		{name: "emptied", file: "state_dir: ''\nmodels: {detector: ''}\nswitch: {socket: ''}",
			want: "gadeblik.yaml:1: state_dir: must name a folder\ngadeblik.yaml:2: models.detector: must name a model\ngadeblik.yaml:3: switch.socket: must name a socket"},
		{name: "button by two ways", file: "switch:\n  button:\n    line: GPIO17\n    input: keypad",
			want: "gadeblik.yaml:4: switch.button.input: cannot be set together with switch.button.line; remove one\n" +
				"gadeblik.yaml:4: switch.button.input: must be a path such as /dev/input/by-id/usb-Keypad-event-kbd (got keypad)"},
		{name: "button", file: "switch:\n  button:\n    line: 9030000.pl061:five\n    bias: up\n    debounce: 1s\n    long_press: 200ms",
			want: "gadeblik.yaml:3: switch.button.line: must end with a number after its colon, such as gpiochip0:17 (got \"9030000.pl061:five\")\n" +
				"gadeblik.yaml:4: switch.button.bias: must be pull-up, pull-down, none or as-is (got up)\n" +
				"gadeblik.yaml:5: switch.button.debounce: must be 0s to 100ms (got 1s)\n" +
				"gadeblik.yaml:6: switch.button.long_press: must be 500ms to 10s (got 200ms)"},
		{name: "button without unit", file: "switch: {button: {debounce: 20}}", want: "gadeblik.yaml:1: switch.button.debounce: 20 has no unit; write 20s"},
		{name: "button by its number", file: "switch: {button: {line: '17'}}", want: "gadeblik.yaml:1: switch.button.line: 17 may be a line of any chip; write its name, such as GPIO17, or CHIP:OFFSET, such as gpiochip0:17"},
		{name: "button by its number alone", file: "switch: {button: {line: 17}}", want: "gadeblik.yaml:1: switch.button.line: must be text; put it in quotation marks: \"17\""},
		{name: "button by a file", file: "switch: {button: {line: /dev/gpiochip0}}", want: "gadeblik.yaml:1: switch.button.line: must be the name of a line such as GPIO17, or CHIP:OFFSET such as gpiochip0:17 (got /dev/gpiochip0)"},
		{name: "button of no chip", file: "switch: {button: {line: ':17'}}", want: "gadeblik.yaml:1: switch.button.line: must end with a number after its colon, such as gpiochip0:17 (got \":17\")"},
		{name: "button with a long name", file: "switch: {button: {line: " + strings.Repeat("x", 65) + "}}", want: "gadeblik.yaml:1: switch.button.line: must have at most 64 characters (got 65)"},
		{name: "key", file: "switch: {button: {input: /dev/input/event0, key: KEY_ENTR}}", want: "gadeblik.yaml:1: switch.button.key: must be a key of the kernel's such as KEY_F1 or BTN_0 (got KEY_ENTR); did you mean KEY_ENTER?"},
		{name: "key like none", file: "switch: {button: {input: /dev/input/event0, key: the big red one}}", want: "gadeblik.yaml:1: switch.button.key: must be a key of the kernel's such as KEY_F1 or BTN_0 (got \"the big red one\")"},
		{name: "key of nothing", file: "switch: {button: {line: GPIO17, key: KEY_F1}}", want: "gadeblik.yaml:1: switch.button.key: needs switch.button.input"},
		{name: "lamp", file: "switch:\n  button: {line: GPIO17}\n  lamp: {line: GPIO17, active_low: yes}",
			want: "gadeblik.yaml:3: switch.lamp.active_low: must be true or false (got yes)\ngadeblik.yaml:3: switch.lamp.line: is the button's line GPIO17; name another"},
		{name: "unknown key of the button", file: "switch: {button: {pin: GPIO17}}", want: "gadeblik.yaml:1: unknown key switch.button.pin; did you mean switch.button.line?"},
		{name: "half a certificate", file: "mqtt: {password_file: p, tls: {cert_file: c}}", want: "gadeblik.yaml:1: mqtt.password_file: needs mqtt.username\ngadeblik.yaml:1: mqtt.tls.cert_file: needs mqtt.tls.key_file"},
		{name: "other half", file: "mqtt: {tls: {key_file: c}}", want: "gadeblik.yaml:1: mqtt.tls.key_file: needs mqtt.tls.cert_file"},

		{name: "odd when", file: "mqtt: {when: night}", want: "gadeblik.yaml:1: mqtt.when: must be always, unmetered or depot (got night)"},
		{name: "unmetered without interfaces", file: "mqtt: {when: unmetered}", want: "gadeblik.yaml:1: mqtt.when: unmetered needs mqtt.unmetered_interfaces, such as [wlan0, eth0]"},
		{name: "depot without file", file: "mqtt: {when: depot}", want: "gadeblik.yaml:1: mqtt.when: depot needs mqtt.depot_file, a GeoJSON file with its area"},
		{name: "odd interface", file: "mqtt: {unmetered_interfaces: [wlan 0]}", want: `gadeblik.yaml:1: mqtt.unmetered_interfaces: must be names of interfaces such as wlan0 (got "wlan 0")`},
		{name: "interface twice", file: "mqtt: {unmetered_interfaces: [eth0, eth0]}", want: "gadeblik.yaml:1: mqtt.unmetered_interfaces: eth0 is named twice"},
		{name: "payload too small", file: "mqtt: {max_payload: 4KiB}", want: "gadeblik.yaml:1: mqtt.max_payload: must be 48KiB to 256MiB (got 4KiB)"},
		{name: "rate too low", file: "mqtt: {max_rate: 100B}", want: "gadeblik.yaml:1: mqtt.max_rate: must be 1KiB to 1GiB (got 100B)"},
		{name: "odd ALPN", file: "mqtt: {tls: {alpn: [" + strings.Repeat("x", 256) + "]}}", want: "gadeblik.yaml:1: mqtt.tls.alpn: must be names of 1 to 255 characters (got 256)"},
		{name: "ALPN without TLS", file: "mqtt: {broker: 'tcp://b:1', tls: {alpn: [mqtt]}}", want: "gadeblik.yaml:1: mqtt.broker: tcp:// is not encrypted, but mqtt.tls is set; write tls://, or remove mqtt.tls"},
		{name: "every way at once", file: "mqtt:\n  keep_alive: 30\ncamera:\n  widht: 1", env: []string{"GADEBLIK_GPS_BAUD=x"}, flags: []string{"--log-level=loud"},
			want: "gadeblik.yaml:2: mqtt.keep_alive: 30 has no unit; write 30s\ngadeblik.yaml:4: unknown key camera.widht; did you mean camera.width?\n" +
				"GADEBLIK_GPS_BAUD: gps.baud: must be a whole number (got x)\n--log-level: log.level: must be debug, info, warn or error (got loud)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := load("gadeblik.yaml", []byte(tt.file), Options{Env: tt.env, Flags: flagsOf(t, tt.flags...)})
			if err == nil {
				t.Fatalf("took it, want %s", tt.want)
			}
			if d := cmp.Diff(tt.want, err.Error()); d != "" || c != nil {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestBroker(t *testing.T) {
	const example = "must be an address such as tls://broker.example:8883 or tcp://127.0.0.1:1883 (got "
	for _, tt := range []struct{ broker, want string }{
		{"tcp://127.0.0.1:1883", ""},
		{"tls://[::1]:8883", ""},
		{"mqtts://broker:443/", ""},
		{"wss://broker:443/mqtt", example + `"wss://broker:443/mqtt")`},
		{"broker", example + "broker)"},
		{"broker:1883", example + `"broker:1883")`},
		{"http://broker:80", example + `"http://broker:80")`},
		{"tls://", example + `"tls://")`},
		{"tls://broker", "needs a port; write tls://broker:8883"},
		{"tcp://broker", "needs a port; write tcp://broker:1883"},
		{"tls://[::1]", "needs a port; write tls://[::1]:8883"},
		{"tls://broker:0", "needs a port; write tls://broker:8883"},
		{"tls://broker:8883/x", `must end with the port (got "tls://broker:8883/x")`},
		{"tls://broker:8883?a=b", `must end with the port (got "tls://broker:8883?a=b")`},
		{"tls://u:secret@broker:8883", "must not hold a user or password; use mqtt.username and mqtt.password_file"},
		{"u:secret@", "must not hold a user or password; use mqtt.username and mqtt.password_file"},
		{"tls://%zz:1", example + `"tls://%zz:1")`},
	} {
		var got string
		if _, err := load("f", nil, Options{Env: []string{"GADEBLIK_MQTT_BROKER=" + tt.broker}}); err != nil {
			got = strings.TrimPrefix(err.Error(), "GADEBLIK_MQTT_BROKER: mqtt.broker: ")
		}
		if got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.broker, got, tt.want)
		}
	}
	_, err := load("f", []byte("mqtt: {broker: 'tcp://b:1', tls: {ca_file: ca}}"), Options{})
	if want := "f:1: mqtt.broker: tcp:// is not encrypted, but mqtt.tls is set; write tls://, or remove mqtt.tls"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestRunNeedsMore(t *testing.T) {
	const all = "vehicle.id: is missing; write it, such as sweeper-03\n" +
		"vehicle.fleet: is missing; write it, such as copenhagen-sweepers\n" +
		"gps.device: is missing; write it, such as /dev/serial/by-id/usb-u-blox_GNSS-if00\n" +
		"camera.device: is missing; write it, such as /dev/v4l/by-id/usb-Camera-video-index0\n" +
		"orders.trusted_keys: is missing; write it, such as [/etc/gadeblik/fleet.pub]\n" +
		"mqtt.broker: is missing; write it, such as tls://broker.example:8883"
	if _, err := load("", nil, Options{Run: true}); err == nil || err.Error() != all {
		t.Errorf("without a file (-want +got):\n%s", cmp.Diff(all, err.Error()))
	}
	want := "f: " + strings.ReplaceAll(all, "\n", "\nf: ")
	if _, err := load("f", nil, Options{Run: true}); err == nil || err.Error() != want {
		t.Errorf("with a file (-want +got):\n%s", cmp.Diff(want, err.Error()))
	}
	if _, err := load("f", []byte(strings.Replace(minimal, "device: /dev/video0", "drive: d", 1)), Options{Run: true}); err != nil {
		t.Errorf("a drive for a camera: %v", err)
	}
	_, err := load("f", []byte(minimal+"log: {level: x}\n"), Options{Run: true, Env: []string{"GADEBLIK_VEHICLE_ID=a b", "GADEBLIK_GPS_DEVICE="}})
	want = "f:6: log.level: must be debug, info, warn or error (got x)\n" +
		`GADEBLIK_VEHICLE_ID: vehicle.id: must be 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit (got "a b")` + "\n" +
		"GADEBLIK_GPS_DEVICE: gps.device: is missing; write it, such as /dev/serial/by-id/usb-u-blox_GNSS-if00"
	if err == nil || err.Error() != want {
		t.Errorf("missing and wrong (-want +got):\n%s", cmp.Diff(want, err.Error()))
	}
}

func TestManyMistakesAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 80 {
		b.WriteString("x" + strings.Repeat("y", i) + ": 1\n")
	}
	_, err := load("f", []byte(b.String()), Options{})
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 51 || lines[50] != "and 30 more mistakes" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func TestSecretsStayOutOfErrors(t *testing.T) {
	for _, o := range []Options{
		{Env: []string{"GADEBLIK_PASSWORD=hunter2"}},
		{Env: []string{"GADEBLIK_MQTT_BROKER=tls://u:hunter2@b:1"}},
	} {
		if _, err := load("f", []byte("mqtt: {password: hunter2}"), o); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the secret is in the error, or there is none: %v", err)
		}
	}
}
