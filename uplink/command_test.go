package uplink

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// noon is the trusted time of the tests with commands.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// commander signs commands for a vehicle and has its store.
type commander struct {
	t     *testing.T
	dir   string
	key   SigningKey
	store *CommandStore
}

func newCommander(t *testing.T) *commander {
	t.Helper()
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	c := &commander{t: t, dir: filepath.Join(t.TempDir(), "commands"), key: key}
	c.reopen()
	return c
}

func (c *commander) verifier() Verifier {
	return Verifier{Keys: []PublicKey{c.key.Public()}, Fleet: "cph", Vehicle: "sweeper-7"}
}

func (c *commander) reopen() {
	c.t.Helper()
	var err error
	if c.store, err = OpenCommandStore(c.dir, c.verifier()); err != nil {
		c.t.Fatal(err)
	}
}

// order is a good command of noon.
func order(a Action) Command {
	return NewCommand(a, "cph", []string{"sweeper-7"}, noon, 10*time.Minute)
}

// signed signs anything, also what SignCommand would not.
func (c *commander) signed(payload any, keys ...SigningKey) []byte {
	c.t.Helper()
	raw, err := json.Marshal(payload)
	if err != nil {
		c.t.Fatal(err)
	}
	if len(keys) == 0 {
		keys = []SigningKey{c.key}
	}
	envelope, err := signEnvelope(CommandPayloadType, raw, keys...)
	if err != nil {
		c.t.Fatal(err)
	}
	return envelope
}

func (c *commander) obeys(envelope []byte, now time.Time, paused bool) {
	c.t.Helper()
	if r := c.store.Take(envelope, now); !r.Accepted || r.Answers != hexDigest(envelope) || r.Nonce == "" || c.store.Paused() != paused {
		c.t.Errorf("got %+v, paused %t; want it obeyed, paused %t", r, c.store.Paused(), paused)
	}
}

// refuses wants a refusal that says why and changes nothing.
func (c *commander) refuses(envelope []byte, now time.Time, why string) {
	c.t.Helper()
	before := c.store.Paused()
	r := c.store.Take(envelope, now)
	if r.Accepted || !strings.Contains(r.Reason, why) || r.Answers != hexDigest(envelope) {
		c.t.Errorf("got %+v, want it refused: %s", r, why)
	}
	if c.store.Paused() != before {
		c.t.Errorf("refused (%s), but the vehicle is paused = %t now", why, !before)
	}
}

func TestCommandsAreObeyedOnce(t *testing.T) {
	c := newCommander(t)
	pause, resume := c.signed(order(Pause)), c.signed(order(Resume))
	c.obeys(pause, noon.Add(time.Second), true)
	c.refuses(pause, noon.Add(2*time.Second), "it was received before (nonce ")
	c.reopen()
	if !c.store.Paused() {
		t.Error("a restart ended the pause")
	}
	c.refuses(pause, noon.Add(3*time.Second), "it was received before")
	c.obeys(resume, noon.Add(4*time.Second), false)
	c.refuses(pause, noon.Add(5*time.Second), "it was received before")
	c.reopen()
	c.refuses(resume, noon.Add(6*time.Second), "it was received before")
	c.obeys(c.signed(order(SendStatus)), noon, false)
}

func TestCommandsThatAreRefused(t *testing.T) {
	c := newCommander(t)
	stranger, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	edit := func(change func(*Command)) []byte {
		o := order(Pause)
		change(&o)
		return c.signed(o)
	}
	with := func(member, value string) []byte {
		raw, err := json.Marshal(order(Pause))
		if err != nil {
			t.Fatal(err)
		}
		return c.signed(json.RawMessage(strings.Replace(string(raw), `{`, `{"`+member+`":`+value+`,`, 1)))
	}
	orders, err := signEnvelope(OrdersPayloadType, []byte(`{}`), c.key)
	if err != nil {
		t.Fatal(err)
	}
	good := c.signed(order(Pause))
	for _, tt := range []struct {
		name     string
		envelope []byte
		now      time.Time
		want     string
	}{
		{"not JSON", []byte("pause"), noon, "the envelope is not proper JSON"},
		{"not signed", []byte(`{"action":"pause"}`), noon, `the envelope's payloadType is "", want "application/vnd.gadeblik.command+json"`},
		{"signed as orders", orders, noon, `the envelope's payloadType is "application/vnd.gadeblik.orders+geo+json"`},
		{"forged", c.signed(order(Pause), stranger), noon, "signed by 0 of the trusted keys, 1 needed"},
		{"payload changed", []byte(strings.Replace(string(good), `"payload":"`, `"payload":"e30K`, 1)), noon, "signed by 0 of the trusted keys"},
		{"wrong fleet", edit(func(o *Command) { o.Fleet = "odense" }), noon, `it is for fleet "odense", this vehicle belongs to "cph"`},
		{"wrong vehicle", edit(func(o *Command) { o.Vehicles = []string{"sweeper-8"} }), noon, `it does not name vehicle "sweeper-7" (it names sweeper-8)`},
		{"no trusted time", good, time.Time{}, "there is no trusted time yet"},
		{"the moment it expires", good, noon.Add(10 * time.Minute), "it expired at 2026-05-04T12:10:00Z, trusted time is 2026-05-04T12:10:00Z"},
		{"long expired", good, noon.AddDate(1, 0, 0), "it expired at"},
		{"from the future", good, noon.Add(-5*time.Minute - time.Second), "it was issued at 2026-05-04T12:00:00Z, more than 5m0s after the trusted time"},
		{"good for too long", edit(func(o *Command) { o.ExpiresAt = o.IssuedAt.Add(24*time.Hour + time.Second) }), noon, "expires_at: must be at most 24h0m0s after issued_at (got 24h0m1s)"},
		{"expired before it was issued", edit(func(o *Command) { o.ExpiresAt = o.IssuedAt }), noon, "expires_at: must be after issued_at"},
		{"issued at no time", edit(func(o *Command) { o.IssuedAt = time.Time{} }), noon, "expires_at: must be after issued_at"},
		{"unknown action", edit(func(o *Command) { o.Action = "reboot" }), noon, `action: must be pause, resume or send_status (got "reboot")`},
		{"short nonce", edit(func(o *Command) { o.Nonce = "00" }), noon, "nonce: must be 16 bytes"},
		{"nonce in capitals", edit(func(o *Command) { o.Nonce = strings.Repeat("AB", 16) }), noon, "nonce: must be 16 bytes in lower-case"},
		{"no vehicle", edit(func(o *Command) { o.Vehicles = []string{} }), noon, "vehicles: must name 1 to 256 vehicles"},
		{"all and one", edit(func(o *Command) { o.Vehicles = []string{"*", "sweeper-7"} }), noon, "vehicles[0]: "},
		{"unknown member", with("reason", `"x"`), noon, "command.reason: is not known here"},
		{"member twice", with("action", `"resume"`), noon, "action"},
		{"missing member", c.signed(map[string]string{"action": "pause"}), noon, "command.nonce: is missing"},
		{"too large", []byte(`{"x":"` + strings.Repeat("x", maxCommand) + `"}`), noon, "bytes, at most 65536 are allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := *c
			c.t = t
			c.refuses(tt.envelope, tt.now, tt.want)
		})
	}
	c.obeys(good, noon.Add(-5*time.Minute), true) // none of these has used it up
}

func TestCommandForAllAndByTwoKeys(t *testing.T) {
	c := newCommander(t)
	second, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	c.store.verifier.Keys = append(c.store.verifier.Keys, second.Public())
	c.store.verifier.Threshold = 2
	all := order(Pause)
	all.Vehicles = []string{"*"}
	c.refuses(c.signed(all), noon, "signed by 1 of the trusted keys, 2 needed")
	envelope, err := SignCommand(all, c.key, second)
	if err != nil {
		t.Fatal(err)
	}
	c.obeys(envelope, noon, true)
	if _, err := SignCommand(Command{}, c.key); err == nil || strings.Count(err.Error(), "\n") != 4 {
		t.Errorf("SignCommand of nothing: %v, want five mistakes", err)
	}
}

// A broker that keeps a resume back must not undo the pause that came after it.
func TestALatePauseHoldsAgainstAnEarlierResume(t *testing.T) {
	c := newCommander(t)
	early := c.signed(order(Resume))
	late := order(Pause)
	late.IssuedAt = noon.Add(time.Minute)
	c.obeys(c.signed(late), noon.Add(time.Minute), true)
	c.refuses(early, noon.Add(2*time.Minute), "it was issued at 2026-05-04T12:00:00Z, before the pause of 2026-05-04T12:01:00Z")
	c.obeys(c.signed(order(Pause)), noon.Add(2*time.Minute), true) // an earlier pause does no harm
	c.reopen()
	c.refuses(early, noon.Add(3*time.Minute), "before the pause of")
}

// What can't be written down is not obeyed: it could be obeyed again.
func TestACommandIsObeyedOnlyWhenItIsOnDisk(t *testing.T) {
	c := newCommander(t)
	if err := os.RemoveAll(c.dir); err != nil {
		t.Fatal(err)
	}
	pause := c.signed(order(Pause))
	c.refuses(pause, noon, "obey command: open ")
	if err := os.Mkdir(c.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c.obeys(pause, noon, true)
}

func TestNoncesAreForgottenOnlyWhenExpired(t *testing.T) {
	c := newCommander(t)
	c.store.state.Nonces = map[string]time.Time{}
	for i := range maxNonces {
		c.store.state.Nonces[fmt.Sprint(i)] = noon.Add(time.Hour)
	}
	c.refuses(c.signed(order(Pause)), noon, "10000 commands that have not expired are remembered")
	later := order(Pause)
	later.ExpiresAt = noon.Add(2 * time.Hour)
	envelope := c.signed(later)
	c.obeys(envelope, noon.Add(time.Hour), true)
	if n := len(c.store.state.Nonces); n != 1 {
		t.Errorf("%d nonces are remembered, want 1", n)
	}
	// Trusted time that goes back brings no forgotten nonce back to life.
	c.refuses(c.signed(order(Resume)), noon, "it expired at 2026-05-04T12:10:00Z, and trusted time has been 2026-05-04T13:00:00Z")
	c.refuses(envelope, noon, "it was received before")
}

func TestADamagedRecordOfCommandsPauses(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"a bit": func(path string) error {
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			raw[len(raw)-3] ^= 1
			return os.WriteFile(path, raw, 0o600)
		},
		"empty":    func(path string) error { return os.Truncate(path, 0) },
		"cut":      func(path string) error { return os.Truncate(path, 80) },
		"too long": func(path string) error { return os.Truncate(path, maxCommandsFile+1) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCommander(t)
			kept := c.signed(order(Resume))
			c.obeys(kept, noon, false)
			if err := damage(c.store.path()); err != nil {
				t.Fatal(err)
			}
			c.reopen()
			if !c.store.Paused() || !strings.Contains(c.store.Damage(), "is damaged") {
				t.Errorf("paused = %t, damage %q", c.store.Paused(), c.store.Damage())
			}
			if _, err := os.Stat(c.store.path() + ".damaged"); err != nil {
				t.Error(err)
			}
			c.reopen() // the next start finds a whole file, and is paused still
			if !c.store.Paused() || c.store.Damage() != "" {
				t.Errorf("after a restart: paused = %t, damage %q", c.store.Paused(), c.store.Damage())
			}
			const why = "the record of earlier commands was damaged, and only those issued after 2026-05-04T12:06:00Z are obeyed"
			c.refuses(kept, noon.Add(time.Minute), why)
			c.reopen()
			c.refuses(c.signed(order(Resume)), noon.Add(2*time.Minute), why)
			fresh := order(Resume)
			fresh.IssuedAt = noon.Add(7 * time.Minute)
			c.obeys(c.signed(fresh), noon.Add(7*time.Minute), false)
		})
	}
}

func FuzzCommand(f *testing.F) {
	key, err := NewKey()
	if err != nil {
		f.Fatal(err)
	}
	v := Verifier{Keys: []PublicKey{key.Public()}, Fleet: "cph", Vehicle: "sweeper-7"}
	good, err := json.Marshal(order(Pause))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, good)
	f.Add([]byte(`{"action":"resume","vehicles":["*"]}`), []byte(`{"payloadType":"`+CommandPayloadType+`","payload":"e30=","signatures":[{"sig":"AA=="}]}`))
	f.Add([]byte(`{"nonce":null,"issued_at":"2026-05-04T12:00:00.5+02:00"}`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, payload, envelope []byte) {
		if c, err := v.VerifyCommand(envelope, noon); err == nil {
			t.Fatalf("nobody signed %+v", c)
		}
		signed, err := signEnvelope(CommandPayloadType, payload, key)
		if err != nil {
			return
		}
		c, err := v.VerifyCommand(signed, noon)
		if err != nil {
			return
		}
		if err := c.check(); err != nil || c.Fleet != v.Fleet || !c.ExpiresAt.After(noon) {
			t.Fatalf("obeys %+v (%v)", c, err)
		}
	})
}
