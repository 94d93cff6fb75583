package uplink

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxNewKeys is how many keys a vehicle may have beside its first.
const maxNewKeys = 9

// KeyFolder returns a function for [Opener.Keys] that finds a vehicle's keys in a
// folder: in <fleet>/<vehicle>.pub or, where that fleet has none for it, in
// <vehicle>.pub; and beside it <vehicle>.1.pub to <vehicle>.9.pub while a key is
// being changed. The files are read each time, so that a vehicle can be introduced
// and dismissed at any moment.
func KeyFolder(dir string) func(fleet, vehicle string) ([]PublicKey, error) {
	return func(fleet, vehicle string) ([]PublicKey, error) {
		if err := errors.Join(checkName(fleet), checkName(vehicle)); err != nil {
			return nil, err
		}
		if i := strings.LastIndexByte(vehicle, '.'); i >= 0 && len(vehicle) == i+2 && vehicle[i+1] >= '1' && vehicle[i+1] <= '9' {
			return nil, fmt.Errorf("keys of vehicle %s: its file could be another key of vehicle %s; give the vehicle a name without .%s at the end",
				vehicle, vehicle[:i], vehicle[i+1:])
		}
		if _, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("keys of vehicles: %w", err)
		}
		keys, err := keysAt(filepath.Join(dir, fleet, vehicle))
		if err != nil || len(keys) > 0 {
			return keys, err
		}
		return keysAt(filepath.Join(dir, vehicle))
	}
}

// keysAt reads the keys whose files begin like this.
func keysAt(base string) ([]PublicKey, error) {
	var keys []PublicKey
	for n := range maxNewKeys + 1 {
		name := base + ".pub"
		if n > 0 {
			name = fmt.Sprintf("%s.%d.pub", base, n)
		}
		k, err := ReadPublic(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}
