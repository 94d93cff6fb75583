package uplink

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// noReserve lets a test fill a small disk, or ignore how full this one is.
const noReserve = -1

func openTestOutbox(t testing.TB, dir string, cfg OutboxConfig) (*Outbox, OpenReport) {
	t.Helper()
	if cfg.MinFree == 0 {
		cfg.MinFree = noReserve
	}
	if cfg.Seal == nil {
		cfg.Seal = openSealer(t)
	}
	b, report, err := OpenOutbox(dir, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() }) // a second Close is harmless
	return b, report
}

// payload returns what item n holds: the same every time.
func payload(n int) (r record, observation, evidence []byte) {
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	observation = fmt.Appendf(nil, `{"n":%d,"x":"%x"}`, n, rng.Uint64())
	if n%3 != 0 {
		evidence = make([]byte, 1+rng.IntN(20_000))
		for i := range evidence {
			evidence[i] = byte(rng.Uint32())
		}
	}
	return record{
		id: testID(n), digest: sha256.Sum256(observation), priority: Normal,
		day: "2026-05-04", task: fmt.Sprint("task-", n%2),
	}, observation, evidence
}

// commitNow brings the index up to date.
func (b *Outbox) commitNow() error {
	b.write.Lock()
	defer b.write.Unlock()
	return b.settle()
}

// usedOn returns the counters of a day, by task as the outbox names it.
func usedOn(b *Outbox, day string) map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.used[day])
}

func testID(n int) uuid.UUID { return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, n)) }

func putPayload(b *Outbox, n int) error {
	r, observation, evidence := payload(n)
	return b.put(r, observation, evidence)
}

// checkPayloads compares all that waits with the payloads of these numbers, in
// this order.
func checkPayloads(t testing.TB, b *Outbox, want ...int) {
	t.Helper()
	items, err := b.Next(Item{}, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var got, ids []string
	for _, it := range items {
		got = append(got, it.ID)
	}
	bytesWanted := int64(0)
	for _, n := range want {
		ids = append(ids, testID(n).String())
	}
	if diff := cmp.Diff(got, ids); diff != "" {
		t.Fatalf("items differ (-got +want):\n%s", diff)
	}
	for i, n := range want {
		_, observation, evidence := payload(n)
		o, e, err := b.Load(items[i])
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(o, observation) || !bytes.Equal(e, evidence) {
			t.Errorf("item %d has changed", n)
		}
		info, err := os.Stat(filepath.Join(b.dir, fileName(items[i].Seq, testID(n))))
		if err != nil {
			t.Fatal(err)
		}
		bytesWanted += info.Size()
	}
	if b.Len() != len(want) || b.Stats().Aside == 0 && b.Bytes() != bytesWanted {
		t.Errorf("got %d items with %d bytes, want %d with %d", b.Len(), b.Bytes(), len(want), bytesWanted)
	}
}

func TestOutboxPutAndReopen(t *testing.T) {
	dir := t.TempDir()
	b, report := openTestOutbox(t, dir, OutboxConfig{})
	if report != (OpenReport{}) {
		t.Errorf("a new outbox reports %+v", report)
	}
	o, e := withEvidence(t, someFinding(1))
	bare := someFinding(2)
	for range 2 { // the second time nothing is added
		if err := b.Put(o, e, Terms{Day: "2026-05-04"}); err != nil {
			t.Fatal(err)
		}
		if err := b.Put(bare, nil, Terms{Day: "2026-05-04"}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(b *Outbox) {
		t.Helper()
		items, err := b.Next(Item{}, 10)
		if err != nil || len(items) != 2 {
			t.Fatalf("got %d items, %v", len(items), err)
		}
		for i, want := range []Observation{o, bare} {
			data, picture, err := b.Load(items[i])
			if err != nil {
				t.Fatal(err)
			}
			got, signed, err := openerFor(b.cfg.Seal).observation("cph", want.Vehicle, data)
			if err != nil || !cmp.Equal(got, want.canonical()) {
				t.Errorf("item %d has changed (%v): %s", i, err, cmp.Diff(got, want.canonical()))
			}
			if hexDigest(signed) != hex.EncodeToString(items[i].record.digest[:]) {
				t.Errorf("item %d has another digest", i)
			}
			if i == 0 && !bytes.Equal(picture, e.JPEG()) || i == 1 && len(picture) != 0 {
				t.Errorf("item %d: the picture has changed", i)
			}
		}
		if got := b.Used("2026-05-04", "litter"); got != 2 {
			t.Errorf("used: got %d, want 2", got)
		}
	}
	check(b)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b, report = openTestOutbox(t, dir, OutboxConfig{})
	if report != (OpenReport{Items: 2}) {
		t.Errorf("after an orderly end it reports %+v", report)
	}
	check(b)
	select {
	case <-b.Changed():
	default:
		t.Error("what waits at the start is not announced")
	}
	// Deliver all; the counters stay.
	first, second := b.cfg.Seal.ParcelID(o.ID), b.cfg.Seal.ParcelID(bare.ID)
	if err := b.Remove(first, second, "no id", first); err != nil {
		t.Fatal(err)
	}
	checkPayloads(t, b)
	left, err := os.ReadDir(b.dir)
	if err != nil || len(left) != 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
	b.Close()
	b, report = openTestOutbox(t, dir, OutboxConfig{})
	if report != (OpenReport{}) || b.Used("2026-05-04", "litter") != 2 || b.Used("2026-05-05", "litter") != 0 {
		t.Errorf("got %+v, %v", report, usedOn(b, "2026-05-04"))
	}
	if got, want := b.Stats().Ledger, (Ledger{Accepted: 2, Delivered: 2}); got != want {
		t.Errorf("ledger: got %+v, want %+v", got, want)
	}
}

func mustJSON(t testing.TB, o Observation) []byte {
	t.Helper()
	data, err := o.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestOutboxPutRefuses(t *testing.T) {
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	o, e := withEvidence(t, someFinding(1))
	other, _ := withEvidence(t, someFinding(2))
	noImage := o
	noImage.Image = nil
	wrong := o
	wrong.Kind = "peek"
	for _, c := range []struct {
		name string
		o    Observation
		e    *Evidence
		day  string
		want string
	}{
		{"picture missing", o, nil, "d", "put into outbox: observation " + o.ID + " has an image and comes without evidence"},
		{"picture not announced", noImage, e, "d", "put into outbox: the evidence is not that of observation " + o.ID},
		{"picture of another", other, e, "d", "put into outbox: the evidence is not that of observation " + other.ID},
		{"invalid", wrong, e, "d", "put into outbox: observation " + o.ID + `: kind: must be finding, count or clear (got "peek")`},
		{"day", o, e, "a\x00b", `put into outbox: day "a\x00b" is no day`},
	} {
		if err := b.Put(c.o, c.e, Terms{Day: c.day}); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	checkPayloads(t, b)
}

func TestOutboxLimits(t *testing.T) {
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{MaxItems: 3})
	for n := range 3 {
		if err := putPayload(b, n); err != nil {
			t.Fatal(err)
		}
	}
	want := "outbox is full: it holds 3 items, the mark is 3: deliver or raise the limits"
	if err := putPayload(b, 3); !errors.Is(err, ErrFull) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := b.Healthy(); !errors.Is(err, ErrFull) {
		t.Errorf("full and healthy: %v", err)
	}
	if err := putPayload(b, 2); err != nil {
		t.Errorf("what is there already is refused: %v", err)
	}
	checkPayloads(t, b, 0, 1, 2)
	if err := b.Remove(testID(1).String()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.Healthy(), putPayload(b, 3)); err != nil {
		t.Errorf("room was made: %v", err)
	}
	checkPayloads(t, b, 0, 2, 3)

	b, _ = openTestOutbox(t, t.TempDir(), OutboxConfig{MaxBytes: 1000})
	if err := b.put(record{id: testID(1)}, make([]byte, 700), nil); err != nil {
		t.Fatal(err)
	}
	want = "outbox is full: it holds 804 bytes, 804 more would pass the mark of 1000: deliver or raise the limits"
	if err := b.put(record{id: testID(2)}, make([]byte, 700), nil); !errors.Is(err, ErrFull) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := b.Healthy(); err != nil {
		t.Errorf("below 15/16 of the limit: %v", err)
	}
	if err := b.put(record{id: testID(3)}, make([]byte, 40), nil); err != nil {
		t.Fatal(err)
	}
	if err := b.Healthy(); !errors.Is(err, ErrFull) {
		t.Errorf("above 15/16 of the limit and healthy: %v", err)
	}
}

func TestOutboxKeepsTheDiskFree(t *testing.T) {
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{MinFree: 1 << 60})
	err := putPayload(b, 1)
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "would leave less than 1152921504606846976") {
		t.Errorf("got %v", err)
	}
	if err := b.Healthy(); !errors.Is(err, ErrFull) {
		t.Errorf("got %v", err)
	}
	b.cfg.MinFree = 1 // somebody else has made room
	if err := errors.Join(b.Healthy(), putPayload(b, 1)); err != nil {
		t.Error(err)
	}
}

func TestOutboxSetsAside(t *testing.T) {
	dir := t.TempDir()
	b, _ := openTestOutbox(t, dir, OutboxConfig{MaxRefusals: 3})
	for n := range 4 {
		if err := putPayload(b, n); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		aside, err := b.Refuse(testID(1).String(), "no thanks")
		if err != nil || aside != (i == 2) {
			t.Errorf("refusal %d: got %v, %v", i+1, aside, err)
		}
		if i == 1 { // refusals survive
			b.Close()
			b, _ = openTestOutbox(t, dir, OutboxConfig{MaxRefusals: 3})
		}
	}
	if err := b.Quarantine(testID(2).String(), strings.Repeat("long ", 100)); err != nil {
		t.Fatal(err)
	}
	if err := b.Quarantine(uuid.New().String(), "nobody"); err != nil {
		t.Fatal(err)
	}
	b.Close()
	b, report := openTestOutbox(t, dir, OutboxConfig{MaxItems: 4})
	if report != (OpenReport{Items: 2}) || b.Stats().Aside != 2 {
		t.Errorf("got %+v, %+v", report, b.Stats())
	}
	checkPayloads(t, b, 0, 3)
	f, ok, err := b.find(testID(1).String())
	if !f.aside || !ok || err != nil || f.reason != "refused 3 times, at last: no thanks" {
		t.Errorf("got %q, %v, %v, %v", f.reason, f.aside, ok, err)
	}
	if err := putPayload(b, 9); !errors.Is(err, ErrFull) {
		t.Errorf("what is set aside is not counted: %v", err)
	}
	if err := b.Remove(testID(2).String()); err != nil {
		t.Fatal(err)
	}
	if n, err := b.Requeue(); n != 1 || err != nil {
		t.Errorf("requeued %d, %v", n, err)
	}
	checkPayloads(t, b, 0, 1, 3)
	if b.Stats().Aside != 0 || b.Stats().Items != 3 {
		t.Errorf("got %+v", b.Stats())
	}
}

func TestOutboxForgetsOldDays(t *testing.T) {
	dir := t.TempDir()
	b, _ := openTestOutbox(t, dir, OutboxConfig{})
	for n := range maxUsedDays + 5 {
		r := record{id: testID(n), day: fmt.Sprintf("day-%03d", n), task: "t"}
		if err := b.put(r, []byte("{}"), nil); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := b.commitNow(); err != nil {
			t.Fatal(err)
		}
		if len(b.used) != maxUsedDays || usedOn(b, "day-005")["t"] != 1 || len(usedOn(b, "day-004")) != 0 {
			t.Errorf("got %d days, %v, %v", len(b.used), usedOn(b, "day-005"), usedOn(b, "day-004"))
		}
		b.Close()
		b, _ = openTestOutbox(t, dir, OutboxConfig{})
	}
}

func TestOutboxIsOpenOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	openTestOutbox(t, dir, OutboxConfig{})
	_, _, err := OpenOutbox(dir, OutboxConfig{})
	if err == nil || !errors.Is(err, syscall.EWOULDBLOCK) || !strings.Contains(err.Error(), "another process has the outbox open") {
		t.Errorf("got %v", err)
	}
	if _, _, err := OpenOutbox(t.TempDir(), OutboxConfig{MaxItems: -1}); err == nil {
		t.Error("a negative limit is accepted")
	}
}

// TestOutboxBreaksDown: after an error of the disk other than a full one nobody
// knows what is on it, so nothing is accepted any more.
func TestOutboxBreaksDown(t *testing.T) {
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	if err := putPayload(b, 1); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(b.dir, b.dir+"-gone"); err != nil {
		t.Fatal(err)
	}
	if err := putPayload(b, 2); err == nil || errors.Is(err, ErrFull) {
		t.Errorf("got %v", err)
	}
	if err := os.Rename(b.dir+"-gone", b.dir); err != nil {
		t.Fatal(err)
	}
	if err := b.Healthy(); err == nil || !strings.HasPrefix(err.Error(), "outbox is broken until it is opened anew: ") {
		t.Errorf("got %v", err)
	}
	if putPayload(b, 3) == nil || b.Remove(testID(1).String()) == nil {
		t.Error("a broken outbox goes on")
	}
}

// TestRecordsNoticeDamage: no flipped bit of what the index holds goes unnoticed.
func TestRecordsNoticeDamage(t *testing.T) {
	r, _, _ := payload(1)
	r.seq, r.ordinal, r.reason = 7, 3, "because"
	k := counterKey("2026-05-04", "litter")
	for what, c := range map[string]struct {
		data   []byte
		decode func([]byte) error
	}{
		"record":  {r.encode(), func(d []byte) error { _, err := decodeRecord(d); return err }},
		"totals":  {totals{1, 2, 3, 4, Ledger{5, 6, 7, 8, 9}}.encode(), func(d []byte) error { _, err := decodeTotals(d); return err }},
		"counter": {encodeCounter(k, 9), func(d []byte) error { _, err := decodeCounter(k, d); return err }},
	} {
		if err := c.decode(c.data); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		for bit := range 8 * len(c.data) {
			data := bytes.Clone(c.data)
			data[bit/8] ^= 1 << (bit % 8)
			if c.decode(data) == nil {
				t.Errorf("%s: bit %d is flipped and nobody notices", what, bit)
			}
		}
		for n := range c.data {
			if c.decode(c.data[:n]) == nil {
				t.Errorf("%s: cut to %d bytes and nobody notices", what, n)
			}
		}
	}
	if back, err := decodeRecord(r.encode()); err != nil || back != r {
		t.Errorf("got %+v, %v", back, err)
	}
	if _, err := decodeCounter(counterKey("2026-05-05", "litter"), encodeCounter(k, 9)); err == nil {
		t.Error("a counter is taken for another day's")
	}
	if _, err := decodeKeyed(place{r.priority, 8}.key(), r.encode()); err == nil {
		t.Error("a record is taken for another number's")
	}
	if _, err := decodeKeyed(place{Low, 7}.key(), r.encode()); err == nil {
		t.Error("a record is taken for one of another priority")
	}
}

func FuzzRecord(f *testing.F) {
	r, _, _ := payload(1)
	r.seq, r.ordinal, r.reason = 7, 3, "because"
	f.Add(r.encode())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := decodeRecord(data); err == nil && !bytes.Equal(r.encode(), data) {
			t.Errorf("%+v is written as %x, and was read from %x", r, r.encode(), data)
		}
		// With a right checksum the fuzzer gets further.
		if len(data) < 4 {
			return
		}
		fixed := bytes.Clone(data)
		sum := checksum(fixed[4:])
		fixed[0], fixed[1], fixed[2], fixed[3] = byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum)
		if r, err := decodeRecord(fixed); err == nil && !bytes.Equal(r.encode(), fixed) {
			t.Errorf("%+v is written as %x, and was read from %x", r, r.encode(), fixed)
		}
		parseItem(data)
		decodeTotals(data)
		decodeCounter([]byte("k"), data)
	})
}
