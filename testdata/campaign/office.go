package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gadeblik/testdata/program"
	"gadeblik/uplink"
)

// office is the receiving side: keys, and inboxes that share one folder.
type office struct {
	dir      string // of the whole campaign
	inbox    string // of what is stored
	identity string
	vehicles string // public keys
	inboxes  []*program.Program
}

// newOffice makes the office's key and prepares its inboxes.
func newOffice(dir, gadeblik, broker string, inboxes int) (*office, error) {
	o := &office{
		dir: dir, inbox: filepath.Join(dir, "inbox"), identity: filepath.Join(dir, "office.age"), vehicles: filepath.Join(dir, "vehicles"),
	}
	if err := os.MkdirAll(o.vehicles, 0o755); err != nil {
		return nil, err
	}
	identity, recipient, err := uplink.NewIdentity(true)
	if err == nil {
		err = uplink.WriteIdentity(o.identity, identity, recipient)
	}
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(gadeblik); err != nil {
		return nil, fmt.Errorf("%s is missing; `make build` makes it", gadeblik)
	}
	for n := range inboxes {
		name := fmt.Sprint("inbox-", n+1)
		o.inboxes = append(o.inboxes, program.New(name, filepath.Join(dir, name+".log"), gadeblik, "inbox", "serve",
			"--broker", "tcp://"+broker, "--dir", o.inbox, "--identity", o.identity, "--vehicles", o.vehicles,
			"--fleet", fleetName, "--share", "office"))
	}
	return o, nil
}

// introduce makes the key of a vehicle in its folder and tells the office.
func (o *office) introduce(vehicle, dir string) error {
	k, err := uplink.NewKey()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	path := filepath.Join(dir, "device.key")
	if err := uplink.WriteKey(path, k); err != nil {
		return err
	}
	public, err := os.ReadFile(path + ".pub")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(o.vehicles, vehicle+".pub"), public, 0o644)
}

func (o *office) start() error {
	var errs []error
	for _, p := range o.inboxes {
		errs = append(errs, p.Start())
	}
	return errors.Join(errs...)
}

// stored is an observation in the inbox.
type stored struct{ json, jpeg string } // paths

// shelf returns what is stored, by the observations' ids, and how many ids have more
// than one place.
func (o *office) shelf() (map[string]stored, int, error) {
	found, twice := map[string]stored{}, 0
	paths, err := filepath.Glob(filepath.Join(o.inbox, "[0-9]*", "*", "*", "*.json"))
	for _, path := range paths {
		id := strings.TrimSuffix(filepath.Base(path), ".json")
		if _, ok := found[id]; ok {
			twice++
		}
		found[id] = stored{json: path, jpeg: strings.TrimSuffix(path, ".json") + ".jpg"}
	}
	return found, twice, err
}

// lines counts the lines of the inboxes' logs that hold a word.
func (o *office) lines(word string) int {
	n := 0
	for _, p := range o.inboxes {
		f, err := os.Open(p.Log)
		if err != nil {
			continue // it has said nothing
		}
		s := bufio.NewScanner(f)
		for s.Scan() {
			if strings.Contains(s.Text(), word) {
				n++
			}
		}
		f.Close()
	}
	return n
}
