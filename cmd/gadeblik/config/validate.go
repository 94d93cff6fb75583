package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// problem is a value that breaks the rule of its key.
type problem struct{ key, rule string }

// problems gathers what a check finds.
type problems []problem

func (p *problems) add(key, rule string, args ...any) {
	*p = append(*p, problem{key, fmt.Sprintf(rule, args...)})
}

// within checks a bound that includes both ends.
func within[T cmp.Ordered](p *problems, key string, v, low, high T) {
	if !(v >= low && v <= high) { // NaN is not within
		p.add(key, "must be %s to %s (got %s)", pretty(low), pretty(high), pretty(v))
	}
}

// pretty gives a value the way it is written in the file.
func pretty(v any) string {
	switch v := v.(type) {
	case time.Duration:
		s := v.String()
		if strings.HasSuffix(s, "m0s") {
			s = strings.TrimSuffix(s, "0s")
		}
		if strings.HasSuffix(s, "h0m") {
			s = strings.TrimSuffix(s, "0m")
		}
		return s
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		return v.Format(time.RFC3339)
	}
	return fmt.Sprint(v)
}

func oneOf(p *problems, key, v string, allowed ...string) {
	if !slices.Contains(allowed, v) {
		p.add(key, "must be %s or %s (got %s)", strings.Join(allowed[:len(allowed)-1], ", "), allowed[len(allowed)-1], quote(v))
	}
}

// Validate returns every value that breaks the rule of its key, or nil. What [Load]
// returned is valid; a Config made by hand may not be.
func (c *Config) Validate() error {
	var errs []error
	for _, p := range c.problems() {
		errs = append(errs, errors.New(p.key+": "+p.rule))
	}
	return errors.Join(errs...)
}

func (c *Config) problems() problems {
	var p problems
	c.checkVehicle(&p)
	c.checkCamera(&p)
	c.checkModels(&p)
	c.checkGate(&p)
	c.checkOrders(&p)
	c.checkMQTT(&p)
	return p
}

// missing lists the keys without which a vehicle cannot run.
func (c *Config) missing() problems {
	var p problems
	for _, need := range []struct {
		key, value, example string
	}{
		{"vehicle.id", c.Vehicle.ID, "sweeper-03"},
		{"vehicle.fleet", c.Vehicle.Fleet, "copenhagen-sweepers"},
		{"gps.device", c.GPS.Device, "/dev/serial/by-id/usb-u-blox_GNSS-if00"},
		{"camera.device", c.Camera.Device + c.Camera.Drive, "/dev/v4l/by-id/usb-Camera-video-index0"},
		{"orders.trusted_keys", strings.Join(c.Orders.TrustedKeys, ","), "[/etc/gadeblik/fleet.pub]"},
		{"mqtt.broker", c.MQTT.Broker, "tls://broker.example:8883"},
	} {
		if need.value == "" {
			p.add(need.key, "is missing; write it, such as %s", need.example)
		}
	}
	return p
}

func (c *Config) checkVehicle(p *problems) {
	for _, n := range []struct{ key, value string }{{"vehicle.id", c.Vehicle.ID}, {"vehicle.fleet", c.Vehicle.Fleet}} {
		if n.value != "" && !safeName(n.value) {
			p.add(n.key, "must be 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit (got %s)", quote(n.value))
		}
	}
	if c.StateDir == "" {
		p.add("state_dir", "must name a folder")
	}
	if y := c.Time.Floor.Year(); y < 2020 || y > 2099 {
		p.add("time.floor", "must be 2020 to 2099 (got %s)", pretty(c.Time.Floor))
	}
	if bauds := []int{4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}; !slices.Contains(bauds, c.GPS.Baud) {
		p.add("gps.baud", "must be one of %s (got %d)", strings.Trim(fmt.Sprint(bauds), "[]"), c.GPS.Baud)
	}
	within(p, "gps.read_timeout", c.GPS.ReadTimeout, 100*time.Millisecond, 2*time.Second)
	within(p, "gps.stale", c.GPS.Stale, time.Second, time.Minute)
	if c.Switch.Socket == "" {
		p.add("switch.socket", "must name a socket")
	}
	if len(c.Switch.Socket) > 107 { // the kernel's limit
		p.add("switch.socket", "must have at most 107 characters (got %d)", len(c.Switch.Socket))
	}
	within(p, "switch.auto_off", c.Switch.AutoOff, 0, 7*24*time.Hour)
	c.Switch.Button.check(p)
	c.Switch.Lamp.check(p, c.Switch.Button)
	within(p, "outbox.max_bytes", c.Outbox.MaxBytes, 1<<20, 1<<40)
	within(p, "outbox.max_items", c.Outbox.MaxItems, 1, 1_000_000)
	within(p, "outbox.high_water", c.Outbox.HighWater, 0.1, 1)
	within(p, "outbox.max_age", c.Outbox.MaxAge, time.Hour, 366*24*time.Hour)
	if len(c.Seal.Recipients) > 16 {
		p.add("seal.recipients", "must be at most 16 (got %d)", len(c.Seal.Recipients))
	}
	oneOf(p, "log.level", c.Log.Level, "debug", "info", "warn", "error")
	oneOf(p, "log.format", c.Log.Format, "text", "json")
}

// safeName tells whether s may stand in a topic and in a file name.
func safeName(s string) bool {
	letter := func(r rune) bool {
		return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	wrong := func(r rune) bool { return !letter(r) && !strings.ContainsRune("._-", r) }
	return s != "" && len(s) <= 64 && letter(rune(s[0])) && !strings.ContainsFunc(s, wrong)
}

func (c *Config) checkCamera(p *problems) {
	cam := c.Camera
	if cam.Device != "" && cam.Drive != "" {
		p.add("camera.drive", "cannot be set together with camera.device; remove one")
	}
	for prefix, what := range map[string]string{"name:": "NAME", "bus:": "BUS"} {
		if rest, ok := strings.CutPrefix(cam.Device, prefix); ok && strings.TrimSpace(rest) == "" {
			p.add("camera.device", "names no camera; write %s%s, as `gadeblik doctor` lists them (got %s)", prefix, what, cam.Device)
		}
	}
	if cam.Format != "" {
		oneOf(p, "camera.format", cam.Format, "MJPG", "YUYV")
	}
	within(p, "camera.width", cam.Width, 160, 7680)
	within(p, "camera.height", cam.Height, 120, 4320)
	within(p, "camera.fps", cam.FPS, 0, 240)
	within(p, "camera.watchdog", cam.Watchdog, time.Second, time.Minute)
	checkMasks(p, cam.Masks)
	within(p, "camera.mount.height_m", cam.Mount.HeightM, 0, 6)
	within(p, "camera.mount.pitch_deg", cam.Mount.PitchDeg, -90, 90)
	within(p, "camera.mount.hfov_deg", cam.Mount.HFovDeg, 0, 200)
}

func checkMasks(p *problems, masks []Mask) {
	const most = 16
	if len(masks) > most {
		p.add("camera.masks", "must be at most %d (got %d)", most, len(masks))
	}
	for i, m := range masks {
		for _, v := range []struct {
			name  string
			value float64
		}{{"x0", m.X0}, {"y0", m.Y0}, {"x1", m.X1}, {"y1", m.Y1}} {
			if !(v.value >= 0 && v.value <= 1) {
				p.add("camera.masks", "entry %d: %s must be a fraction of the frame, 0 to 1 (got %s)", i+1, v.name, pretty(v.value))
			}
		}
		if m.X0 >= m.X1 {
			p.add("camera.masks", "entry %d: x0, the left edge, must be below x1 (got %s and %s)", i+1, pretty(m.X0), pretty(m.X1))
		}
		if m.Y0 >= m.Y1 {
			p.add("camera.masks", "entry %d: y0, the upper edge, must be below y1 (got %s and %s)", i+1, pretty(m.Y0), pretty(m.Y1))
		}
	}
}

func (c *Config) checkModels(p *problems) {
	m := c.Models
	if m.Detector == "" {
		p.add("models.detector", "must name a model")
	}
	within(p, "models.threads", m.Threads, 1, 64)
	within(p, "models.timeout", m.Timeout, 100*time.Millisecond, time.Minute)
	checkRedact(p, "models.redact", m.Redact)
	checkRedact(p, "models.second_look", m.SecondLook)
	for _, class := range classes {
		if !slices.ContainsFunc(m.Redact, func(r Redact) bool { return r.Class == class }) {
			p.add("models.redact", "nothing finds %s, so no picture could be released; add an entry for it", class)
		}
	}
	for i, s := range m.SecondLook {
		if slices.ContainsFunc(m.Redact, func(r Redact) bool { return r.Class == s.Class && r.Model == s.Model }) {
			p.add("models.second_look", "entry %d: %s finds %s already in models.redact; name another model, or leave the entry out", i+1, s.Model, s.Class)
		}
	}
}

// classes are what is always removed.
var classes = [...]string{"person", "face", "plate"}

func checkRedact(p *problems, key string, list []Redact) {
	for i, r := range list {
		if !slices.Contains(classes[:], r.Class) {
			p.add(key, "entry %d: class must be person, face or plate (got %s)", i+1, quote(r.Class))
		}
		if r.Model == "" {
			p.add(key, "entry %d: model must name a model", i+1)
		}
		if !(r.MinScore >= 0 && r.MinScore <= 1) {
			p.add(key, "entry %d: min_score must be above 0 and at most 1 (got %s)", i+1, pretty(r.MinScore))
		}
	}
}

func (c *Config) checkGate(p *problems) {
	g := c.Gate
	within(p, "gate.max_fix_age", g.MaxFixAge, 200*time.Millisecond, 10*time.Second)
	within(p, "gate.max_hdop", g.MaxHDOP, 0.5, 20)
	within(p, "gate.metres_per_hdop", g.MetresPerHDOP, 1, 50)
	within(p, "gate.min_satellites", g.MinSatellites, 1, 40)
	within(p, "gate.enter_margin_m", g.EnterMarginM, 0.1, 100)
	within(p, "gate.enter_of", g.EnterOf, 1, 64)
	within(p, "gate.enter_fixes", g.EnterFixes, 1, max(1, min(64, g.EnterOf)))
	within(p, "gate.max_jump_speed", g.MaxJumpSpeed, 5, 200)
}

func (c *Config) checkOrders(p *problems) {
	o := c.Orders
	for i, name := range o.TrustedKeys {
		if slices.Contains(o.TrustedKeys[:i], name) {
			p.add("orders.trusted_keys", "%s is named twice", quote(name))
		}
	}
	within(p, "orders.threshold", o.Threshold, 1, max(1, len(o.TrustedKeys)))
}

func (c *Config) checkMQTT(p *problems) {
	m := c.MQTT
	if m.Broker != "" {
		checkBroker(p, m)
	}
	if len(m.ClientID) > 256 {
		p.add("mqtt.client_id", "must have at most 256 characters (got %d)", len(m.ClientID))
	}
	if m.PasswordFile != "" && m.Username == "" {
		p.add("mqtt.password_file", "needs mqtt.username")
	}
	if m.TLS.CertFile != "" && m.TLS.KeyFile == "" {
		p.add("mqtt.tls.cert_file", "needs mqtt.tls.key_file")
	}
	if m.TLS.KeyFile != "" && m.TLS.CertFile == "" {
		p.add("mqtt.tls.key_file", "needs mqtt.tls.cert_file")
	}
	within(p, "mqtt.in_flight", m.InFlight, 1, 256)
	oneOf(p, "mqtt.ack", m.Ack, "receipt", "puback")
	within(p, "mqtt.keep_alive", m.KeepAlive, 5*time.Second, time.Hour)
	within(p, "mqtt.drain_timeout", m.DrainTimeout, time.Second, 5*time.Minute)
	checkSending(p, m)
}

// checkSending looks at when and how fast is sent.
func checkSending(p *problems, m MQTT) {
	oneOf(p, "mqtt.when", m.When, Always, Unmetered, Depot)
	if m.When == Unmetered && len(m.Unmetered) == 0 {
		p.add("mqtt.when", "unmetered needs mqtt.unmetered_interfaces, such as [wlan0, eth0]")
	}
	if m.When == Depot && m.DepotFile == "" {
		p.add("mqtt.when", "depot needs mqtt.depot_file, a GeoJSON file with its area")
	}
	for i, name := range m.Unmetered {
		if name == "" || len(name) > 15 || strings.ContainsAny(name, "/: \t") { // the kernel's rule
			p.add("mqtt.unmetered_interfaces", "must be names of interfaces such as wlan0 (got %s)", quote(name))
		}
		if slices.Contains(m.Unmetered[:i], name) {
			p.add("mqtt.unmetered_interfaces", "%s is named twice", quote(name))
		}
	}
	within(p, "mqtt.max_payload", m.MaxPayload, 48<<10, 256<<20)
	if m.MaxRate != 0 {
		within(p, "mqtt.max_rate", m.MaxRate, 1<<10, 1<<30)
	}
	for _, name := range m.TLS.ALPN {
		if name == "" || len(name) > 255 { // a single byte has the length in the handshake
			p.add("mqtt.tls.alpn", "must be names of 1 to 255 characters (got %d)", len(name))
		}
	}
}

// checkBroker does not show an address with a password in it.
func checkBroker(p *problems, m MQTT) {
	plain, secure := []string{"tcp", "mqtt"}, []string{"tls", "ssl", "mqtts"}
	u, err := url.Parse(m.Broker)
	if strings.Contains(m.Broker, "@") {
		p.add("mqtt.broker", "must not hold a user or password; use mqtt.username and mqtt.password_file")
		return
	}
	if err != nil || u.Hostname() == "" || !slices.Contains(plain, u.Scheme) && !slices.Contains(secure, u.Scheme) {
		p.add("mqtt.broker", "must be an address such as tls://broker.example:8883 or tcp://127.0.0.1:1883 (got %s)", quote(m.Broker))
		return
	}
	if u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		p.add("mqtt.broker", "must end with the port (got %s)", quote(m.Broker))
	}
	if n, err := strconv.Atoi(u.Port()); err != nil || n < 1 || n > 65535 {
		port := "1883"
		if slices.Contains(secure, u.Scheme) {
			port = "8883"
		}
		p.add("mqtt.broker", "needs a port; write %s://%s", u.Scheme, net.JoinHostPort(u.Hostname(), port))
	}
	if !m.TLS.empty() && slices.Contains(plain, u.Scheme) {
		p.add("mqtt.broker", "%s:// is not encrypted, but mqtt.tls is set; write tls://, or remove mqtt.tls", u.Scheme)
	}
}

// empty tells whether nothing of it is set.
func (t TLS) empty() bool {
	return t.CAFile == "" && t.CertFile == "" && t.KeyFile == "" && t.ServerName == "" && len(t.ALPN) == 0
}
