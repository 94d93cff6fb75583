package uplink

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// putAs puts item n with a priority and an expiry in Unix seconds.
func putAs(t testing.TB, b *Outbox, n int, p Priority, expires int64) {
	t.Helper()
	r, observation, evidence := payload(n)
	r.priority, r.expires = p, expires
	if err := b.put(r, observation, evidence); err != nil {
		t.Fatal(err)
	}
}

// TestOutboxSendsByPriority: high before normal before low, and within each what was
// accepted first; the same whether or not the index has it yet.
func TestOutboxSendsByPriority(t *testing.T) {
	for _, every := range []int{1, 4, 100} {
		dir := t.TempDir()
		b, _ := openTestOutbox(t, dir, OutboxConfig{CommitEvery: every, CommitAfter: time.Hour})
		for n := range 12 {
			putAs(t, b, n, Priority((n+1)%3), 0)
		}
		want := []int{2, 5, 8, 11, 0, 3, 6, 9, 1, 4, 7, 10}
		checkPayloads(t, b, want...)
		// Read page by page it is the same.
		var after Item
		for i := 0; i < len(want); i += 2 {
			items, err := b.Next(after, 2)
			if err != nil || len(items) != 2 || items[0].ID != testID(want[i]).String() || items[1].ID != testID(want[i+1]).String() {
				t.Fatalf("commit every %d: after %d: got %+v, %v", every, after.Seq, items, err)
			}
			after = items[1]
		}
		b.Close()
		b, _ = openTestOutbox(t, dir, OutboxConfig{})
		checkPayloads(t, b, want...)
		b.Close()
		if err := os.Remove(filepath.Join(dir, indexName)); err != nil {
			t.Fatal(err)
		}
		b, _ = openTestOutbox(t, dir, OutboxConfig{})
		checkPayloads(t, b, want...)
	}
}

// TestOutboxAcceptsBeforeTheIndex: what Put has accepted is there after a crash,
// though the index has never heard of it, with its counters.
func TestOutboxAcceptsBeforeTheIndex(t *testing.T) {
	dir, crashed := t.TempDir(), t.TempDir()
	b, _ := openTestOutbox(t, dir, OutboxConfig{CommitEvery: 10, CommitAfter: time.Hour})
	fill(t, b, 0, 27) // 20 in the index, 7 not
	if got := len(b.pending); got != 7 {
		t.Fatalf("%d wait for the index", got)
	}
	if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	c, report := openTestOutbox(t, crashed, OutboxConfig{})
	if want := (OpenReport{Items: 27, Adopted: 7}); report != want {
		t.Errorf("got %+v, want %+v", report, want)
	}
	checkPayloads(t, c, numbers(0, 27)...)
	if diff := cmp.Diff(usedOn(c, "2026-05-04"), usedOn(b, "2026-05-04")); diff != "" || c.Stats().Ledger != (Ledger{Accepted: 27}) {
		t.Errorf("counters differ: %s, %+v", diff, c.Stats())
	}
	// What has not reached the index can be found, refused and removed.
	if _, ok, err := b.find(testID(26).String()); !ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
	if err := errors.Join(b.Quarantine(testID(25).String(), "odd"), b.Remove(testID(26).String())); err != nil {
		t.Fatal(err)
	}
	if got := b.Stats(); len(b.pending) != 0 || got.Items != 25 || got.Aside != 1 || got.Ledger != (Ledger{Accepted: 27, Delivered: 1}) {
		t.Errorf("got %+v, %d pending", got, len(b.pending))
	}
	// And before long the index has it.
	b.cfg.CommitAfter = time.Millisecond
	fill(t, b, 30, 31)
	waitFor(t, "the index to follow", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.pending) == 0
	})
}

func TestOutboxExpires(t *testing.T) {
	dir := t.TempDir()
	b, _ := openTestOutbox(t, dir, OutboxConfig{})
	at := func(sec int64) time.Time { return time.Unix(sec, 0) }
	for n := range 6 {
		putAs(t, b, n, Normal, int64(1000+n))
	}
	putAs(t, b, 6, Normal, 0)
	if err := b.Quarantine(testID(1).String(), "odd"); err != nil {
		t.Fatal(err)
	}
	if n, err := b.Expire(at(999)); n != 0 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	checkPayloads(t, b, 0, 2, 3, 4, 5, 6)
	if n, err := b.Expire(at(1002)); n != 3 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	checkPayloads(t, b, 3, 4, 5, 6)
	for _, reopen := range []bool{false, true} {
		if reopen { // the next expiry is known after a restart too
			b.Close()
			b, _ = openTestOutbox(t, dir, OutboxConfig{})
		}
		if b.soonest != 1003 {
			t.Errorf("the next expiry is %d", b.soonest)
		}
	}
	if n, err := b.Evict(testID(6).String(), testID(77).String()); n != 1 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if n, err := b.Expire(at(1e9)); n != 3 || err != nil || b.Len() != 0 {
		t.Errorf("got %d, %v", n, err)
	}
	b.Close()
	b, _ = openTestOutbox(t, dir, OutboxConfig{})
	if got, want := b.Stats().Ledger, (Ledger{Accepted: 7, Expired: 6, Evicted: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	// Put bounds the time by the task's and by the outbox's own limit.
	o := someFinding(1)
	o.ExpiresAt = o.Time.UTC.Add(48 * time.Hour)
	for limit, want := range map[time.Duration]time.Time{time.Hour: o.Time.UTC.Add(time.Hour), 0: o.ExpiresAt} {
		b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{MaxAge: limit})
		if err := b.Put(o, nil, Terms{Day: "d"}); err != nil {
			t.Fatal(err)
		}
		items, err := b.Next(Item{}, 1)
		if err != nil || !items[0].Expires.Equal(want.Truncate(time.Second)) {
			t.Errorf("limit %s: expires %v, want %v (%v)", limit, items[0].Expires, want, err)
		}
	}
}

// TestOutboxGivesSpaceBack: after a long time without network the index is large;
// when all is delivered it is small again, without a restart and without a reader
// noticing.
func TestOutboxGivesSpaceBack(t *testing.T) {
	dir := memoryDir(t)
	b, _ := openTestOutbox(t, dir, OutboxConfig{CommitEvery: 500})
	var ids []string
	for n := range 10_000 {
		if err := b.put(record{id: testID(n), day: "2026-05-04", task: "0123456789abcdef", priority: Normal}, []byte("{}"), nil); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, testID(n).String())
	}
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, indexName))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	full := size()
	stop := make(chan struct{})
	read := make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				read <- nil
				return
			default:
			}
			if _, err := b.Next(Item{}, 10); err != nil {
				read <- err
				return
			}
		}
	}()
	for i := 0; i+100 <= len(ids)-100; i += 100 {
		if err := b.Remove(ids[i : i+100]...); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	if err := <-read; err != nil {
		t.Error(err)
	}
	if now := size(); full < 2*slimFrom || now > slimFrom {
		t.Errorf("the index had %d bytes and has %d", full, now)
	}
	if err := putPayload(b, 20_000); err != nil || b.Len() != 101 {
		t.Errorf("%d items, %v", b.Len(), err)
	}
	b.Close()
	b, report := openTestOutbox(t, dir, OutboxConfig{})
	if want := (OpenReport{Items: 101}); report != want || b.Stats().Ledger != (Ledger{Accepted: 10_001, Delivered: 9_900}) || usedOn(b, "2026-05-04")["0123456789abcdef"] != 10_000 {
		t.Errorf("got %+v, %+v", report, b.Stats())
	}
}

// TestInspect looks into an outbox that is in use.
func TestInspect(t *testing.T) {
	dir := t.TempDir()
	b, _ := openTestOutbox(t, dir, OutboxConfig{CommitAfter: time.Hour})
	o, e := withEvidence(t, someFinding(1))
	if err := b.Put(o, e, Terms{Day: "d", Priority: Low}); err != nil {
		t.Fatal(err)
	}
	fill(t, b, 0, 4)
	if err := errors.Join(b.Quarantine(testID(0).String(), "odd"), b.Remove(testID(3).String())); err != nil {
		t.Fatal(err)
	}
	fill(t, b, 4, 5) // not yet in the index
	found, err := Inspect(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, it := range found.Items {
		got = append(got, it.ID)
		if _, observation, _, err := ReadItem(it.Path); err != nil || len(observation) == 0 {
			t.Errorf("item %s: %v", it.ID, err)
		}
	}
	want := []string{testID(1).String(), testID(2).String(), testID(4).String(), b.cfg.Seal.ParcelID(o.ID), testID(0).String()}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("items differ (-got +want):\n%s", diff)
	}
	last, low := found.Items[4], found.Items[3]
	if !last.Aside || last.Reason != "odd" || low.Aside || !low.Own || !low.Evidence || found.Index != "" || found.Ledger != (Ledger{Accepted: 5, Delivered: 1}) {
		t.Errorf("got %+v", found)
	}
	// A damaged file and a damaged index are shown, not mended.
	if err := errors.Join(os.WriteFile(low.Path, []byte("x"), 0o600), os.WriteFile(filepath.Join(dir, indexName), []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if found, err = Inspect(dir); err != nil || found.Items[4].Damaged == nil || found.Index == "" {
		t.Errorf("got %+v, %v", found, err)
	}
	if _, err := Inspect(t.TempDir()); err == nil {
		t.Error("an empty folder is taken for an outbox")
	}
}

// TestExport: what is exported is what would be sent, and an office can open it.
func TestExport(t *testing.T) {
	own := testIdentity(t, "vehicle")
	office := testIdentity(t, "office")
	o, e := withEvidence(t, someFinding(1))
	itself := openSealer(t)
	for name, s := range map[string]*Sealer{
		"sealed to the vehicle": itself,
		"sealed to the office":  officeSealer(t),
	} {
		b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{Seal: s})
		if err := b.Put(o, e, Terms{Day: "d"}); err != nil {
			t.Fatal(err)
		}
		found, err := Inspect(filepath.Dir(b.dir))
		if err != nil {
			t.Fatal(err)
		}
		later := newTestSealer(t, SealConfig{Recipients: officeSealer(t).recipients, Own: own, OwnRecipient: own.Recipient()})
		dir := t.TempDir()
		for range 2 { // the second time it is there already
			path, err := later.Export(found.Items[0].Path, dir)
			if err != nil {
				t.Fatal(err)
			}
			_, observation, evidence, err := ReadItem(path)
			if err != nil {
				t.Fatal(err)
			}
			got, picture, err := openerFor(s, office).Open("cph", o.Vehicle, observation, evidence)
			if err != nil || !cmp.Equal(got, o.canonical()) || !bytes.Equal(picture, e.JPEG()) {
				t.Errorf("%s: got %+v, %v", name, got, err)
			}
		}
	}
}

// BenchmarkOpenLarge opens an outbox of 100,000 items, whose index is whole, and one
// whose index is gone.
func BenchmarkOpenLarge(b *testing.B) {
	dir := memoryDir(b)
	box, _ := openTestOutbox(b, dir, OutboxConfig{MaxItems: 200_000, CommitEvery: 500})
	for n := range 100_000 {
		r := record{id: testID(n), day: "2026-05-04", task: "0123456789abcdef", priority: Normal}
		if err := box.put(r, []byte("{}"), nil); err != nil {
			b.Fatal(err)
		}
	}
	if err := box.Close(); err != nil {
		b.Fatal(err)
	}
	open := func(want OpenReport) float64 {
		began := time.Now()
		box, report := openTestOutbox(b, dir, OutboxConfig{MaxItems: 200_000})
		took := time.Since(began).Seconds()
		if report != want {
			b.Errorf("got %+v, want %+v", report, want)
		}
		if err := box.Close(); err != nil {
			b.Fatal(err)
		}
		return took
	}
	for b.Loop() {
		b.ReportMetric(open(OpenReport{Items: 100_000}), "s/open")
		if err := os.Remove(filepath.Join(dir, indexName)); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(open(OpenReport{Items: 100_000, Adopted: 100_000, Rebuilt: "the index was missing", UsedUncertain: true}), "s/rebuild")
	}
}
