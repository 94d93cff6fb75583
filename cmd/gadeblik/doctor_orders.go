package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gadeblik/cmd/gadeblik/config"
	"gadeblik/uplink"
)

func checkVehicle(_ context.Context, cfg *config.Config) checkup {
	if cfg.Vehicle.ID == "" || cfg.Vehicle.Fleet == "" {
		return checkup{"vehicle", ill, "nobody knows who this is", "set vehicle.id and vehicle.fleet in the configuration"}
	}
	return checkup{"vehicle", healthy, cfg.Vehicle.ID + " of fleet " + cfg.Vehicle.Fleet, ""}
}

// orders looks at the keys that are trusted, and at what is in force.
func (v *visit) orders(context.Context) []checkup {
	const part = "orders"
	cfg := v.cfg
	if len(cfg.Orders.TrustedKeys) == 0 {
		return []checkup{{part, ill, "no key is trusted, so no orders can be obeyed", "make one with `gadeblik keys new` and name its .pub in orders.trusted_keys"}}
	}
	for _, key := range cfg.Orders.TrustedKeys {
		if !exists(key) {
			continue // readTrusted names it
		}
		if line, no := v.refused(part, absolute(key), mayRead); no {
			return []checkup{line}
		}
	}
	if _, err := readTrusted(cfg.Orders.TrustedKeys); err != nil {
		return []checkup{{part, ill, err.Error(), "the fleet admin makes a pair with `gadeblik keys new`; put its .pub there, or name another in orders.trusted_keys"}}
	}
	models, err := checkModels(cfg)
	if err != nil {
		models = nil // said already
	}
	if err := checkOrders(cfg, models); err != nil {
		return []checkup{verdict(part, err, "", "")}
	}
	return []checkup{v.inForce(time.Now())}
}

// absolute is the path of a file whose name may be relative; as it is where nobody
// knows the working folder.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// soonOver is how long before their end orders are worth a word.
const soonOver = 7 * 24 * time.Hour

// inForce reads the orders that the agent has accepted. It does not open the store,
// which would write into it.
func (v *visit) inForce(now time.Time) checkup {
	const part = "orders"
	says := fmt.Sprintf("%d trusted keys", len(v.cfg.Orders.TrustedKeys))
	path := filepath.Join(v.cfg.StateDir, "orders", "orders.dsse.json")
	raw, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && v.cfg.Orders.File != "":
		return checkup{part, healthy, says + "; none in force yet, orders.file will be at the first start", ""}
	case errors.Is(err, fs.ErrNotExist):
		return checkup{part, doubt, says + "; no orders yet, so nothing is looked at", "push some: `gadeblik orders push`; the vehicle gets them when it is on line"}
	case errors.Is(err, fs.ErrPermission) && v.agent != nil && v.agent.Status.OrdersVersion > 0:
		return checkup{part, healthy, fmt.Sprintf("%s; the agent obeys version %d", says, v.agent.Status.OrdersVersion), ""}
	case errors.Is(err, fs.ErrPermission):
		return checkup{part, doubt, says + "; what is in force only the service may read", "ask again with sudo"}
	case err != nil:
		return checkup{part, ill, err.Error(), "send the orders again"}
	}
	verifier := uplink.Verifier{Threshold: v.cfg.Orders.Threshold, Fleet: v.cfg.Vehicle.Fleet, Vehicle: v.cfg.Vehicle.ID}
	if verifier.Keys, err = readTrusted(v.cfg.Orders.TrustedKeys); err != nil {
		return verdict(part, err, "", "")
	}
	o, err := verifier.Verify(raw)
	if err != nil {
		return checkup{part, ill, fmt.Sprintf("%s: %v", path, err), "send the orders again, signed with a key that is trusted"}
	}
	return judgeOrders(says, o.Header, len(o.Tasks), now)
}

func judgeOrders(says string, h uplink.Header, tasks int, now time.Time) checkup {
	const part = "orders"
	says = fmt.Sprintf("%s; version %d in force: %d tasks, valid until %s", says, h.Version, tasks, h.NotAfter.Format(time.DateTime))
	switch {
	case !now.Before(h.NotAfter):
		return checkup{part, ill, says + ", which is over by this computer's clock", "push newer orders; if that is not the time, see clock"}
	case now.Before(h.NotBefore):
		return checkup{part, doubt, says + ", but only from " + h.NotBefore.Format(time.DateTime), "wait; if that is not the time, see clock"}
	case h.NotAfter.Sub(now) < soonOver:
		return checkup{part, doubt, says, "push newer orders before that"}
	}
	return checkup{part, healthy, says, ""}
}

// sealing says who will be able to read the evidence. It makes no key: a vehicle
// makes its own at its first start.
func (v *visit) sealing(context.Context) []checkup {
	const part = "sealing"
	cfg := v.cfg.Seal
	for i, r := range cfg.Recipients {
		if _, err := uplink.ParseRecipients(r); err != nil {
			return []checkup{{part, ill, fmt.Sprintf("seal.recipients[%d]: %v", i, err), "the case office makes one with `gadeblik keys new --age`; put its .pub here"}}
		}
		if strings.HasPrefix(r, "age1") {
			continue
		}
		if line, no := v.refused(part, absolute(r), mayRead); no {
			return []checkup{line}
		}
	}
	for _, key := range []struct{ setting, path string }{{"seal.key_file", cfg.KeyFile}, {"seal.own_file", cfg.OwnFile}} {
		if line, no := v.keyFile(key.setting, key.path); no {
			return []checkup{line}
		}
	}
	if len(cfg.Recipients) == 0 {
		return []checkup{{part, doubt, "evidence is encrypted to nobody: it is sent open, and TLS alone protects it", "name the case office's key in seal.recipients"}}
	}
	return []checkup{{part, healthy, "evidence is encrypted to " + strings.Join(shortened(cfg.Recipients), ", "), ""}}
}

// keyFile looks at a private key of the vehicle's; not ok where nothing is wrong, as
// with one that is not made yet.
func (v *visit) keyFile(setting, path string) (checkup, bool) {
	const part = "sealing"
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return checkup{}, false
	case errors.Is(err, fs.ErrPermission):
		return checkup{part, doubt, setting + ": " + err.Error(), "ask again with sudo"}, true
	case err != nil:
		return checkup{part, ill, setting + ": " + err.Error(), ""}, true
	case info.Mode().Perm()&0o077 != 0:
		return checkup{part, ill, fmt.Sprintf("%s: others may read %s (mode %04o)", setting, path, info.Mode().Perm()), "`chmod 600 " + path + "`"}, true
	}
	if line, no := v.refused(part, absolute(path), mayRead); no {
		return line, true
	}
	if setting == "seal.key_file" {
		_, err = uplink.ReadPrivate(path)
	} else {
		_, _, err = uplink.OwnIdentity(path)
	}
	if err != nil {
		return checkup{part, ill, setting + ": " + err.Error(), "put the right file back; a new key must be made known to the case office"}, true
	}
	return checkup{}, false
}

// shortened makes keys fit into a line; files keep their names.
func shortened(keys []string) []string {
	var out []string
	for _, k := range keys {
		if strings.HasPrefix(k, "age1") && len(k) > 20 {
			k = k[:20] + "…"
		}
		out = append(out, k)
	}
	return out
}
