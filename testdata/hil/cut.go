package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gadeblik/uplink"
)

// powerCut takes the power away while evidence waits, and starts the vehicle again with
// a clock that has forgotten everything.
func powerCut(t *teller) bool {
	var items []string // parcels that were accepted, and whose arrival nobody has confirmed
	var arrived map[string]int
	return t.step("power cut while evidence waits", func() (string, error) {
		if err := t.steady(); err != nil {
			return "", err
		}
		t.office.broker.Kill()
		if _, err := t.collect(2); err != nil {
			return "", err
		}
		var err error
		if items, err = t.items(); err != nil {
			return "", err
		}
		t.cutPower()
		err = errors.Join(t.route.hear(""), t.unplug())
		var err2 error
		arrived, err2 = t.office.parcels()
		return fmt.Sprintf("%d accepted and not delivered", len(items)), errors.Join(err, err2)
	}) && t.step("booted again, in 1970", func() (string, error) {
		if err := t.boot(t.ctx, t.o.cache, "1970-01-01T00:00:00"); err != nil {
			return "", err
		}
		if err := errors.Join(t.plug(), t.office.broker.Start()); err != nil {
			return "", err
		}
		year, err := t.run("date +%Y")
		if err == nil && year != "1970" {
			err = errors.New("the clock is right")
		}
		return "the guest's year is " + year, err
	}) && t.firstSteps(usbConfig, func() error { return t.untouched(time.Time{}) }) &&
		t.step("nothing lost, nothing twice", func() (string, error) {
			err := t.until("every parcel stored", patience, func() error { return t.allStored(items) })
			return fmt.Sprintf("%d before the cut, the %d that waited after it", len(arrived), len(items)), err
		}) && t.step("in 1970: observations carry GPS time", t.timedByGPS)
}

// allStored says which parcels are not stored yet, or are stored more than once, or nil.
func (t *teller) allStored(items []string) error {
	now, err := t.office.parcels()
	if err != nil {
		return err
	}
	shelf, err := t.office.shelf()
	if err != nil { // an id in two places
		return fatal{err}
	}
	for id, times := range now {
		if times > 1 {
			return fatal{fmt.Errorf("parcel %s is stored %d times", id, times)}
		}
	}
	var missing []string
	for _, id := range items {
		if now[id] == 0 {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%d of %d have not arrived: %v", len(missing), len(items), missing)
	}
	if len(shelf) != len(now) {
		return fmt.Errorf("%d observations in the folder, %d parcels were stored", len(shelf), len(now))
	}
	return nil
}

// items lists the parcels in the outbox.
func (t *teller) items() ([]string, error) {
	out, err := t.run("ls /data/state/outbox/items")
	var ids []string
	for _, name := range strings.Fields(out) {
		// SEQUENCE-PARCEL.STATE.item
		if _, id, ok := strings.Cut(name, "-"); ok && strings.HasSuffix(name, ".item") {
			id, _, _ = strings.Cut(id, ".")
			ids = append(ids, id)
		}
	}
	if err == nil && len(ids) == 0 {
		err = fmt.Errorf("no item in the outbox: %q", out)
	}
	return ids, err
}

// timedByGPS captures on with a wrong clock, and looks at what arrives.
func (t *teller) timedByGPS() (string, error) {
	begin := time.Now()
	before, err := t.office.shelf()
	if err != nil {
		return "", err
	}
	if err := t.steady(); err != nil {
		return "", err
	}
	if err := t.pass(); err != nil {
		return "", err
	}
	var seen *uplink.Observation
	err = t.until("a new observation", patience, func() error {
		shelf, err := t.office.shelf()
		for id, s := range shelf {
			if _, old := before[id]; !old && s.Time.UTC.After(begin) {
				seen = s.Observation
				return err
			}
		}
		return errors.Join(err, fmt.Errorf("%d stored, none of them of after %s", len(shelf), begin.UTC().Format(time.TimeOnly)))
	})
	if err != nil {
		return "", err
	}
	if away := time.Until(seen.Time.UTC).Abs(); away > patience || seen.Time.Source != "gps" {
		return "", fmt.Errorf("time %s from %q, %s from now", seen.Time.UTC, seen.Time.Source, away)
	}
	return fmt.Sprintf("%s from %s", seen.Time.UTC.Format(time.RFC3339), seen.Time.Source), nil
}

// tidy sees that the daemon has left nothing in the system, which loses its files with
// the power: a core dump would lie there too.
func tidy(t *teller) bool {
	return t.step("no core, no file outside of the state folder", func() (string, error) {
		out, err := t.run(`find / -xdev -type f ! -path /run/files | grep -vxFf /run/files
			find /data -type f ! -path '/data/state/*'`)
		if err == nil && out != "" {
			err = fmt.Errorf("there are files: %s", strings.Join(strings.Fields(out), " "))
		}
		return "", err
	})
}

// end looks for what must not be left, after a last orderly stop.
func end(t *teller) bool {
	ok := t.step("SIGTERM: camera off, exit code 0", func() (string, error) {
		err := t.stopDaemon()
		if err == nil && t.camera.Streaming() {
			err = errors.New("the camera streams")
		}
		return "", err
	})
	ok = tidy(t) && ok
	return t.step("the daemon's log has no panic and no error", func() (string, error) {
		raw, err := os.ReadFile(filepath.Join(t.dir, "daemon.log"))
		if err != nil {
			return "", err
		}
		out := string(raw)
		for _, word := range []string{"panic", "DATA RACE", "level=ERROR", "fatal error"} {
			if n := strings.Count(out, word); n > 0 {
				return "", fmt.Errorf("%d times %s", n, word)
			}
		}
		return fmt.Sprintf("%d lines", strings.Count(out, "\n")), nil
	}) && ok
}
