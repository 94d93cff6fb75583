package main

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gadeblik/agent"
	"gadeblik/gps"
	"gadeblik/testdata/program"
	"gadeblik/uplink"
)

// TestTheReceiverIsUnderstood drives through the zone and back and reads what the
// receiver says with the agent's own decoder.
func TestTheReceiverIsUnderstood(t *testing.T) {
	ours, theirs := net.Pipe()
	r := newRoute()
	r.receiver = ours
	heard := make(chan []byte)
	go func() {
		var all bytes.Buffer
		_, _ = all.ReadFrom(theirs) // ends with the pipe
		heard <- all.Bytes()
	}()
	begin := time.Date(2026, 5, 4, 23, 59, 50, 250e6, time.UTC)
	const (
		inwards  = 20 * time.Second
		outwards = 160 * time.Second
		fixes    = int(240 * time.Second / fixEvery)
	)
	for n := range fixes {
		switch time.Duration(n) * fixEvery {
		case inwards:
			r.change(true)
		case outwards:
			r.change(false)
		}
		r.fix(begin.Add(time.Duration(n) * fixEvery))
	}
	entered, left := r.crossed()
	if !entered.After(begin.Add(inwards)) || !left.After(begin.Add(outwards)) {
		t.Errorf("entered %s, left %s", entered, left)
	}
	if err := ours.Close(); err != nil {
		t.Fatal(err)
	}
	d := gps.NewDecoder(gps.DecoderConfig{Floor: begin.AddDate(0, -1, 0)})
	var list []gps.Fix
	keep := func(f gps.Fix) { list = append(list, f) }
	d.Write(<-heard, begin, keep)
	d.Flush(begin, keep)
	if len(list) != fixes || d.Counters().BadChecksum > 0 {
		t.Fatalf("%d fixes of %d sent, counters %+v", len(list), fixes, d.Counters())
	}
	for n, f := range list {
		want := begin.Add(time.Duration(n) * fixEvery)
		if !f.Valid || f.Time.Sub(want).Abs() > 10*time.Millisecond || f.HDOP != hdop {
			t.Fatalf("fix %d: %+v, want time %s", n, f, want)
		}
	}
	inside, outside := list[outwards/fixEvery-1], list[fixes-1]
	north := func(f gps.Fix) float64 { return (f.Lat - originLat) * 111_195 }
	if math.Abs(north(inside)-insideLane) > 0.5 || math.Abs(north(outside)-outsideLane) > 0.5 {
		t.Errorf("lanes at %.1f m and %.1f m, want %g and %g", north(inside), north(outside), insideLane, outsideLane)
	}
	if got := inside.Speed; math.Abs(got-drivingSpeed) > 0.05 {
		t.Errorf("speed %.2f m/s, want %g", got, drivingSpeed)
	}
}

// TestASentenceThatNobodyReads: the vehicle drives on.
func TestASentenceThatNobodyReads(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	defer ours.Close()
	r := newRoute()
	r.receiver = ours
	begin := time.Now()
	r.fix(begin)
	if took := time.Since(begin); took > fixEvery {
		t.Errorf("a fix took %s", took)
	}
}

func TestOrdersAreInOrder(t *testing.T) {
	o := orders()
	o["gadeblik"] = map[string]any{
		"version": 1, "fleet": fleetName, "vehicles": []string{vehicleName},
		"not_before": "2026-01-01T00:00:00Z", "not_after": "2046-01-01T00:00:00Z",
	}
	raw, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := uplink.ParseOrders(raw)
	if err != nil {
		t.Fatal(err)
	}
	if plan, err := agent.NewPlan(parsed, nil); err != nil || plan.Zones() != 1 {
		t.Errorf("plan %+v, %v; want one zone", plan, err)
	}
}

func TestUntil(t *testing.T) {
	n := 0
	if err := until(t.Context(), "three", time.Minute, func() error {
		if n++; n < 3 {
			return errors.New("not yet")
		}
		return nil
	}); err != nil || n != 3 {
		t.Errorf("%d, %v; want 3 and no error", n, err)
	}
	gone := errors.New("gone")
	for name, c := range map[string]struct {
		within time.Duration
		err    error
		want   string
	}{
		"too long": {0, errors.New("1 of 2"), "waited 0s in vain for: it: 1 of 2"},
		"fatal":    {time.Hour, fatal{gone}, "waiting for: it: gone"},
	} {
		err := until(t.Context(), "it", c.within, func() error { return c.err })
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if err := until(ctx, "it", time.Hour, func() error { return errors.New("no") }); !errors.Is(err, gone) {
		t.Errorf("error %v, want the cause", err)
	}
}

func TestReport(t *testing.T) {
	var out bytes.Buffer
	r := &report{out: &out, begin: time.Now()}
	good := r.step("good", func() (string, error) { return "seen", nil })
	bad := r.step("bad", func() (string, error) { return "seen", errors.New("why") })
	if !good || bad || r.passed != 1 || r.failed != 1 {
		t.Errorf("%t, %t, %d passed, %d failed", good, bad, r.passed, r.failed)
	}
	lines := strings.Split(out.String(), "\n")
	for n, words := range [][]string{{"PASS", "good", "seen"}, {"FAIL", "bad", "why"}} {
		for _, w := range words {
			if !strings.Contains(lines[n], w) {
				t.Errorf("line %q lacks %q", lines[n], w)
			}
		}
	}
}

// TestLibraries finds what a program of this machine loads.
func TestLibraries(t *testing.T) {
	f, err := elf.Open("/bin/sh")
	if err != nil {
		t.Skip("no ELF shell here")
	}
	defer f.Close()
	names, err := loads("/bin/sh")
	if err != nil || len(names) < 2 {
		t.Skipf("/bin/sh loads %v (%v)", names, err)
	}
	folders := append(boards["amd64"].libraries, boards["arm64"].libraries...)
	to := t.TempDir()
	if err := copyLibraries(to, folders, "/bin/sh"); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(to, name)); err != nil {
			t.Error(err)
		}
	}
	if err := copyLibraries(to, []string{t.TempDir()}, "/bin/sh"); err == nil || !strings.Contains(err.Error(), names[0]) {
		t.Errorf("error %v, want one that names %s", err, names[0])
	}
}

// TestTheShelfNotices: what is missing, stored twice or in two places does not pass.
func TestTheShelfNotices(t *testing.T) {
	dir := t.TempDir()
	o := &office{dir: dir, inbox: program.New("the inbox", filepath.Join(dir, "inbox.log"))}
	tl := &teller{rig: &rig{office: o}}
	log := ""
	store := func(day, id, parcel string) {
		t.Helper()
		folder := filepath.Join(dir, "inbox", day, vehicleName, "lorries")
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		log += "time=2026-11-23T05:09:14Z level=INFO msg=stored id=" + id + " task=lorries parcel=" + parcel + "\n"
		err := errors.Join(
			os.WriteFile(filepath.Join(folder, id+".json"), []byte(`{"id":"`+id+`"}`), 0o644),
			os.WriteFile(o.inbox.Log, []byte(log), 0o644),
		)
		if err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want string, items ...string) {
		t.Helper()
		err := tl.allStored(items)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	store("2026-05-04", "o1", "p1")
	store("2026-05-04", "o2", "p2")
	expect("", "p1", "p2")
	expect("1 of 2 have not arrived: [p3]", "p1", "p3")
	if err := os.Remove(filepath.Join(dir, "inbox", "2026-05-04", vehicleName, "lorries", "o2.json")); err != nil {
		t.Fatal(err)
	}
	expect("1 observations in the folder, 2 parcels", "p1", "p2")
	store("2026-05-05", "o1", "p4")
	expect("observation o1 is stored twice", "p1")
	if err := os.RemoveAll(filepath.Join(dir, "inbox", "2026-05-05")); err != nil {
		t.Fatal(err)
	}
	store("2026-05-04", "o2", "p2")
	expect("parcel p2 is stored 2 times", "p1")
}

func TestTells(t *testing.T) {
	for _, c := range []struct {
		only, chapter string
		want          bool
	}{
		{"", "vivid", true},
		{"cut,network", "power cut", true},
		{"cut,network", "broker", false},
	} {
		if got := (options{only: c.only}).tells(c.chapter); got != c.want {
			t.Errorf("--only %q tells %q: %t, want %t", c.only, c.chapter, got, c.want)
		}
	}
}
