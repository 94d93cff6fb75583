package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gadeblik/testdata/program"
	"gadeblik/uplink"
)

const (
	fleetName   = "hil"
	vehicleName = "sweeper-01"
)

// office is the receiving side on this machine: a broker as Debian ships it, an inbox,
// and the keys of a case office and of who gives orders.
type office struct {
	dir, gadeblik string
	broker        *program.Broker
	inbox         *program.Program
	version       int // of the orders pushed last
}

func newOffice(dir, gadeblik string) (*office, error) {
	o := &office{dir: dir, gadeblik: gadeblik}
	var err error
	if o.broker, err = program.NewBroker(dir, 0, hostAddress); err != nil {
		return nil, err
	}
	for _, sub := range []string{"vehicles", "inbox"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			return nil, err
		}
	}
	_, err1 := program.Output(gadeblik, "keys", "new", o.path("fleet.key"))
	_, err2 := program.Output(gadeblik, "keys", "new", "--age", o.path("office.age"))
	return o, errors.Join(err1, err2)
}

func (o *office) path(name string) string { return filepath.Join(o.dir, name) }

// address is the broker's, as this machine sees it.
func (o *office) address() string { return "tcp://" + o.broker.Address() }

// openInbox starts the inbox. key is the vehicle's public key.
func (o *office) openInbox(key string) error {
	if err := os.WriteFile(filepath.Join(o.dir, "vehicles", vehicleName+".pub"), []byte(key+"\n"), 0o644); err != nil {
		return err
	}
	o.inbox = program.New("the inbox", o.path("inbox.log"), o.gadeblik, "inbox", "serve", "--broker", o.address(), "--dir", o.path("inbox"),
		"--identity", o.path("office.age"), "--vehicles", o.path("vehicles"), "--fleet", fleetName, "--client-id", "office")
	return o.inbox.Start()
}

// close ends what was started.
func (o *office) close() {
	o.inbox.Kill()
	o.broker.Kill()
}

// push signs orders and sends them; it returns when the vehicle obeys them.
func (o *office) push(orders map[string]any) error {
	o.version++
	orders["gadeblik"] = map[string]any{
		"version": o.version, "fleet": fleetName, "vehicles": []string{vehicleName},
		"not_before": "2026-01-01T00:00:00Z", "not_after": "2046-01-01T00:00:00Z",
	}
	raw, err := json.MarshalIndent(orders, "", "  ")
	if err != nil {
		return err
	}
	plain, signed := o.path("orders.geojson"), o.path("orders.signed")
	if err := os.WriteFile(plain, raw, 0o644); err != nil {
		return err
	}
	if _, err := program.Output(o.gadeblik, "orders", "sign", plain, "--key", o.path("fleet.key"), "--out", signed); err != nil {
		return err
	}
	said, err := program.Output(o.gadeblik, "orders", "push", signed, "--broker", o.address(), "--wait", patience.String())
	if want := fmt.Sprintf("version %d is in force", o.version); err == nil && !strings.Contains(said, want) {
		err = fmt.Errorf("push orders: %q, want %q", said, want)
	}
	return err
}

// stored is one observation that the inbox has opened, verified and stored.
type stored struct {
	*uplink.Observation
	path string
}

// shelf returns what the inbox has stored. An id that lies in two places is an error.
func (o *office) shelf() (map[string]stored, error) {
	paths, err := filepath.Glob(filepath.Join(o.path("inbox"), "[0-9]*", "*", "*", "*.json"))
	found := map[string]stored{}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		s := stored{Observation: &uplink.Observation{}, path: path}
		if err := json.Unmarshal(raw, s.Observation); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if twice, ok := found[s.ID]; ok {
			return nil, fmt.Errorf("observation %s is stored twice: %s and %s", s.ID, twice.path, path)
		}
		found[s.ID] = s
	}
	return found, err
}

// parcels returns which parcels the inbox has stored, and how often it has said so.
func (o *office) parcels() (map[string]int, error) {
	raw, err := os.ReadFile(o.inbox.Log)
	if err != nil {
		return nil, err
	}
	found := map[string]int{}
	for line := range strings.Lines(string(raw)) {
		if !strings.Contains(line, "msg=stored ") {
			continue
		}
		for _, field := range strings.Fields(line) {
			if id, ok := strings.CutPrefix(field, "parcel="); ok {
				found[id]++
			}
		}
	}
	return found, nil
}
