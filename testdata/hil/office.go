package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gadeblik/uplink"
)

const (
	fleetName   = "hil"
	vehicleName = "sweeper-01"
)

// office is the receiving side on this machine: a broker as Debian ships it, an inbox,
// and the keys of a case office and of who gives orders.
type office struct {
	dir, program string
	port         int
	broker       *process
	inbox        *process
	version      int // of the orders pushed last
}

func newOffice(dir, program string) (*office, error) {
	o := &office{dir: dir, program: program}
	var err error
	if o.port, err = freePort(); err != nil {
		return nil, err
	}
	for _, sub := range []string{"vehicles", "inbox", "broker"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			return nil, err
		}
	}
	_, err1 := output(program, "keys", "new", o.path("fleet.key"))
	_, err2 := output(program, "keys", "new", "--age", o.path("office.age"))
	return o, errors.Join(err1, err2, o.prepareBroker())
}

func (o *office) path(name string) string { return filepath.Join(o.dir, name) }

// address is the broker's, as this machine sees it.
func (o *office) address() string { return fmt.Sprintf("tcp://127.0.0.1:%d", o.port) }

func (o *office) prepareBroker() error {
	path, err := findProgram("mosquitto")
	if err != nil {
		return err
	}
	text := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location %s/\nautosave_interval 2\nlog_dest stderr\nlog_type error\n", o.port, o.path("broker"))
	if os.Getuid() == 0 { // it would become a user that may not read its own folder
		text += "user root\n"
	}
	o.broker = &process{name: "the broker", log: o.path("broker.log"), args: []string{path, "-c", o.path("broker.conf")}}
	return os.WriteFile(o.path("broker.conf"), []byte(text), 0o644)
}

// openBroker starts the broker and waits until it listens.
func (o *office) openBroker() error {
	if err := o.broker.start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(pollTime) {
		c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", o.port))
		switch {
		case err == nil:
			return c.Close()
		case time.Now().After(deadline):
			return fmt.Errorf("the broker does not listen: %w; its log is %s", err, o.broker.log)
		}
	}
}

// openInbox starts the inbox. key is the vehicle's public key.
func (o *office) openInbox(key string) error {
	if err := os.WriteFile(filepath.Join(o.dir, "vehicles", vehicleName+".pub"), []byte(key+"\n"), 0o644); err != nil {
		return err
	}
	o.inbox = &process{name: "the inbox", log: o.path("inbox.log"), args: []string{
		o.program, "inbox", "serve", "--broker", o.address(), "--dir", o.path("inbox"),
		"--identity", o.path("office.age"), "--vehicles", o.path("vehicles"), "--fleet", fleetName, "--client-id", "office",
	}}
	return o.inbox.start()
}

// close ends what was started.
func (o *office) close() {
	o.inbox.kill()
	o.broker.kill()
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
	if _, err := output(o.program, "orders", "sign", plain, "--key", o.path("fleet.key"), "--out", signed); err != nil {
		return err
	}
	said, err := output(o.program, "orders", "push", signed, "--broker", o.address(), "--wait", patience.String())
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
	raw, err := os.ReadFile(o.inbox.log)
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
