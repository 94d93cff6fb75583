package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"gadeblik/uplink"
)

// town is a case office with its keys, and a vehicle's outbox with things to send.
type town struct {
	dir, identity, vehicles string
	key                     uplink.SigningKey
	outbox                  *uplink.Outbox
	ids                     []string
}

func newTown(t *testing.T, observations int) *town {
	t.Helper()
	dir := t.TempDir()
	w := &town{dir: filepath.Join(dir, "inbox"), identity: filepath.Join(dir, "office.age"), vehicles: filepath.Join(dir, "vehicles")}
	identity, recipient, err := uplink.NewIdentity(false)
	if err != nil {
		t.Fatal(err)
	}
	if err := uplink.WriteIdentity(w.identity, identity, recipient); err != nil {
		t.Fatal(err)
	}
	if w.key, err = uplink.NewKey(); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(w.vehicles, 0o755); err != nil {
		t.Fatal(err)
	}
	to, err := uplink.ParseRecipients(recipient)
	if err != nil {
		t.Fatal(err)
	}
	w.fill(t, filepath.Join(dir, "outbox"), to, observations)
	return w
}

// fill makes the vehicle's outbox with counts of which the last has expired.
func (w *town) fill(t *testing.T, dir string, to []age.Recipient, n int) {
	t.Helper()
	sealer, err := uplink.NewSealer(uplink.SealConfig{Signer: w.key, Recipients: to})
	if err != nil {
		t.Fatal(err)
	}
	w.outbox, _, err = uplink.OpenOutbox(dir, uplink.OutboxConfig{Seal: sealer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.outbox.Close() })
	begin := time.Now().UTC().Add(-time.Duration(n) * time.Hour)
	for i := range n {
		at := begin.Add(time.Duration(i) * time.Hour)
		o := uplink.Observation{
			ID: uplink.NewID("v1", "bins", at, i), Vehicle: "v1", Task: "bins", OrdersVersion: 1, Purpose: "full bins", Kind: uplink.Count,
			Time: uplink.Time{UTC: at, Source: "gps"}, Position: uplink.Position{Lat: 55.67612, Lon: 12.56834}, Zone: "harbour",
			Counts: map[string]int{"bin": i + 1}, Looks: 10, Agent: "test", ExpiresAt: at.Add(24 * time.Hour),
		}
		if i == n-1 {
			o.ExpiresAt = at.Add(time.Minute)
		}
		if err := w.outbox.Put(o, nil, uplink.Terms{Day: "2026-05-04"}); err != nil {
			t.Fatal(err)
		}
		w.ids = append(w.ids, o.ID)
	}
}

// introduce gives the office the vehicle's key.
func (w *town) introduce(t *testing.T) {
	t.Helper()
	tmp := filepath.Join(t.TempDir(), "v1")
	if err := uplink.WriteKey(tmp, w.key); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp+".pub", filepath.Join(w.vehicles, "v1.pub")); err != nil {
		t.Fatal(err)
	}
}

// does runs a command line and wants an exit code and patterns in what is said.
func does(t *testing.T, code int, stdout, stderr string, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	got := execute(t.Context(), args, stdio{in: strings.NewReader(""), out: &out, err: &errs})
	for want, said := range map[string]string{stdout: out.String(), stderr: errs.String()} {
		if !regexp.MustCompile("(?m)" + want).MatchString(said) {
			t.Errorf("%v says %q, want %s", args, said, want)
		}
	}
	if got != code {
		t.Errorf("%v: exit code %d, want %d\n%s", args, got, code, errs.String())
	}
	return out.String()
}

func TestInboxCarriedByHand(t *testing.T) {
	w := newTown(t, 3)
	items := filepath.Join(filepath.Dir(w.dir), "outbox")
	imports := []string{"inbox", "import", "--dir", w.dir, "--identity", w.identity, "--vehicles", w.vehicles, "--fleet", "town", "--vehicle", "v1", items}
	does(t, exitFailure, `^0 of 3 are stored \(0 were already\)$`, `refused: vehicle is not known here: there is no key for vehicle v1 of fleet town$`, imports...)
	w.introduce(t)
	does(t, exitOK, `^3 of 3 are stored \(0 were already\)$`, `\A\z`, imports...)
	does(t, exitOK, `^3 of 3 are stored \(3 were already\)$`, `\A\z`, imports...)

	out := does(t, exitOK, `  v1  bins  count  -  `+w.ids[0]+`$`, `\A\z`, "inbox", "ls", "--dir", w.dir)
	if n := strings.Count(out, "\n"); n != 3 {
		t.Errorf("%d lines:\n%s", n, out)
	}
	out = does(t, exitOK, w.ids[2], `\A\z`, "inbox", "ls", "--dir", w.dir, "--since", "90m", "--vehicle", "v1", "--task", "bins", "--json")
	var e uplink.Entry
	if err := json.Unmarshal([]byte(out), &e); err != nil || e.ID != w.ids[2] {
		t.Errorf("got %+v, %v", e, err)
	}
	does(t, exitOK, `(?s)^observation  `+w.dir+`/\S+\.json\nsigned       `+w.dir+`/\S+\.dsse\n\{\n  "id": "`+w.ids[1], `\A\z`, "inbox", "show", "--dir", w.dir, w.ids[1])
	does(t, exitOK, `^3 observations; 0 files`, `\A\z`, "inbox", "reindex", "--dir", w.dir)
	does(t, exitOK, `^1 observations had expired and are deleted$`, `\A\z`, "inbox", "purge", "--dir", w.dir)
	does(t, exitFailure, `\A\z`, `is not in `, "inbox", "show", "--dir", w.dir, w.ids[2])
}

// journal is what a service says, for a test that reads along.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// wait waits until something was said so many times.
func (j *journal) wait(t *testing.T, what string, times int) {
	t.Helper()
	for begin := time.Now(); strings.Count(j.String(), what) < times; time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > 30*time.Second {
			t.Fatalf("waiting in vain for %d times %q\n%s", times, what, j)
		}
	}
}

// TestInboxServes: an unknown vehicle is told to try later; introduced while the
// inbox runs, everything of it is stored. No position gets into the log.
func TestInboxServes(t *testing.T) {
	broker, stop, err := startBroker()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	w := newTown(t, 5)
	heard := notified(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	var log journal
	done := make(chan int, 1)
	go func() {
		done <- execute(ctx, []string{"inbox", "serve", "--broker", broker, "--dir", w.dir, "--identity", w.identity, "--vehicles", w.vehicles, "--share", "office"},
			stdio{in: strings.NewReader(""), out: &log, err: &log})
	}()
	if m := next(t, heard); m != "READY=1" {
		t.Errorf("systemd hears %q", m)
	}
	time.Sleep(300 * time.Millisecond) // subscribed
	link, err := uplink.NewLink(uplink.LinkConfig{Broker: broker, Fleet: "town", Vehicle: "v1", Outbox: w.outbox, ReceiptTimeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	linkCtx, stopLink := context.WithCancel(t.Context())
	linked := make(chan error, 1)
	go func() { linked <- link.Run(linkCtx) }()
	log.wait(t, "there is no key for vehicle v1 of fleet town", 1)
	w.introduce(t)
	for _, id := range w.ids {
		log.wait(t, "msg=stored id="+id+" fleet=town vehicle=v1 task=bins", 1)
	}
	stopLink()
	if err := <-linked; err != nil {
		t.Error(err)
	}
	cancel()
	if code := <-done; code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if m := next(t, heard); m != "STOPPING=1" {
		t.Errorf("systemd hears %q", m)
	}
	log.wait(t, "msg=received", 1)
	if said := log.String(); strings.Contains(said, "55.67") || strings.Contains(said, "harbour") {
		t.Errorf("the log has a position:\n%s", said)
	}
}
