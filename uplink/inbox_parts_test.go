package uplink

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestInboxJoinsParts: parts in any order, given to two inboxes that share a folder.
func TestInboxJoinsParts(t *testing.T) {
	for _, n := range []struct{ observation, evidence int }{{1, 3}, {2, 1}, {3, 5}, {2, 512}} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			a := newTestInbox(t, InboxConfig{})
			b := newTestInbox(t, InboxConfig{Dir: a.cfg.Dir})
			s := someSent(t, 1, true)
			all := append(s.split(topicEvidence, n.evidence), s.split(topicObservations, n.observation)...)
			rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			for i, m := range all {
				v := give(t, []*Inbox{a, b}[rand.IntN(2)], m)
				if last := i == len(all)-1; (v.delivery != nil) != last || v.refusal != nil {
					t.Fatalf("%s %d-%d, the %d. of %d, gets %+v", m.kind, m.k, m.n, i+1, len(all), v)
				}
			}
			checkFiles(t, b, s.files())
			receipts := 0
			for _, m := range append(s.split(topicEvidence, n.evidence), s.split(topicObservations, n.observation)...) {
				v := give(t, a, m)
				receipts += len(v.receipt.Stored)
				if v.delivery != nil || v.refusal != nil {
					t.Errorf("repeated, it gets %+v", v)
				}
			}
			if receipts != 1 {
				t.Errorf("repeated, it gets %d receipts", receipts)
			}
			checkFiles(t, b, s.files())
		})
	}
}

// split is one of the two messages in n parts, or whole.
func (s sent) split(kind string, n int) []arrival {
	if n == 1 {
		return []arrival{s.message(kind)}
	}
	return s.parts(kind, n)
}

// TestInboxRace: whatever way the parts of an item come to several processes at
// once, it is stored, and by one of them.
func TestInboxRace(t *testing.T) {
	dir := filepath.Join(memoryDir(t), "inbox")
	for n := range 40 {
		s := someSent(t, n, true)
		all := append(s.parts(topicEvidence, 3), s.split(topicObservations, 1+n%2)...)
		var group sync.WaitGroup
		var mu sync.Mutex
		stored, receipts := 0, 0
		for _, m := range all {
			in := newTestInbox(t, InboxConfig{Dir: dir})
			group.Go(func() {
				v := give(t, in, m)
				mu.Lock()
				defer mu.Unlock()
				if v.delivery != nil {
					stored++
				}
				receipts += len(v.receipt.Stored)
			})
		}
		group.Wait()
		if stored != 1 || receipts < 1 {
			t.Fatalf("item %d: stored %d times, %d receipts", n, stored, receipts)
		}
	}
	if left, err := os.ReadDir(filepath.Join(dir, partsDir)); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestInboxHealsMixtures: parts of two copies that were sealed each by itself can't
// be joined. It is refused once, and the next whole copy opens.
func TestInboxHealsMixtures(t *testing.T) {
	for _, n := range []int{2, 3, 7} {
		for _, old := range [][]int{{1}, {2}, {n}, {1, n}} {
			if len(old) == n {
				continue // no mixture
			}
			in := newTestInbox(t, InboxConfig{})
			o, e := withEvidence(t, someFinding(1))
			first, second, third := sealedBy(t, officeSealer(t), o, e), sealedBy(t, officeSealer(t), o, e), sealedBy(t, officeSealer(t), o, e)
			give(t, in, first.message(topicObservations))
			for _, k := range old {
				give(t, in, first.parts(topicEvidence, n)[k-1])
			}
			refusals, stored := 0, 0
			for i, copy := range []sent{second, third} {
				for _, m := range copy.parts(topicEvidence, n) {
					if i == 0 && slices.Contains(old, m.k) {
						continue // lost
					}
					time.Sleep(5 * time.Millisecond) // files have times of that grain
					v := give(t, in, m)
					refusals += len(v.receipt.Refused)
					stored += len(v.receipt.Stored)
				}
			}
			if refusals != 1 || stored != 1 {
				t.Errorf("%d parts, %v of another copy: %d refusals, %d receipts", n, old, refusals, stored)
			}
			checkFiles(t, in, third.files())
		}
	}
}

// TestInboxRefusesBrokenParts: what does not open is refused once for each copy.
func TestInboxRefusesBrokenParts(t *testing.T) {
	in := newTestInbox(t, InboxConfig{})
	s := someSent(t, 1, true)
	for _, kind := range []string{topicEvidence, topicObservations} {
		for range 3 {
			refusals := 0
			for _, m := range s.parts(kind, 4) {
				if m.k == 2 {
					m.payload = append([]byte{^m.payload[0]}, m.payload[1:]...)
				}
				time.Sleep(5 * time.Millisecond)
				refusals += len(give(t, in, m).receipt.Refused)
			}
			if kind == topicEvidence {
				refusals += len(give(t, in, s.message(topicObservations)).receipt.Refused)
			}
			if refusals != 1 {
				t.Errorf("%s: refused %d times", kind, refusals)
			}
		}
	}
	time.Sleep(5 * time.Millisecond)
	stored := 0
	for _, m := range append(s.parts(topicEvidence, 4), s.parts(topicObservations, 4)...) {
		stored += len(give(t, in, m).receipt.Stored)
	}
	if stored == 0 {
		t.Error("a good copy is not stored")
	}
	give(t, in, s.message(topicObservations)) // it tidies up
	checkFiles(t, in, s.files())
}

// TestInboxPartsOfAnotherVehicle: a part that another vehicle sends under the same
// id has nothing to do with it.
func TestInboxPartsOfAnotherVehicle(t *testing.T) {
	in := newTestInbox(t, InboxConfig{})
	s := someSent(t, 1, true)
	all := append(s.parts(topicEvidence, 2), s.message(topicObservations))
	for _, m := range all {
		m.vehicle, m.payload = "truck-1", []byte("x")
		give(t, in, m)
	}
	if v := giveAll(t, in, all...); v[2].delivery == nil {
		t.Errorf("got %+v", v)
	}
	left := tree(t, in.cfg.Dir)
	for name := range left {
		if strings.HasPrefix(name, partsDir) && !strings.Contains(name, "~truck-1~") {
			t.Errorf("%s is left", name)
		}
	}
}

// TestInboxBoundsOneItem: an item takes no more room than it may have, in however
// many ways it is divided.
func TestInboxBoundsOneItem(t *testing.T) {
	in := newTestInbox(t, InboxConfig{MaxEvidence: 20_000})
	s := someSent(t, 1, true)
	limit := sealedLimit(20_000)
	m := s.message(topicEvidence)
	m.payload, m.n = make([]byte, limit/2), 100
	give(t, in, m)
	m.k = 2
	give(t, in, m)
	m.k = 3
	refusedAs(t, "too long", give(t, in, m), s.at.id, fmt.Sprintf("evidence of %d bytes in 3 parts: at most %d are taken", limit/2*3, limit))
	checkFiles(t, in)
	m.payload = []byte("x")
	for n := 2; n <= maxParts; n += 17 {
		for k := 1; k <= n; k += 5 {
			m.k, m.n = k, n
			give(t, in, m)
		}
	}
	if n := len(tree(t, in.cfg.Dir)); n > maxParts {
		t.Errorf("%d parts lie there", n)
	}
}

func TestInboxBoundsWhatWaits(t *testing.T) {
	in := newTestInbox(t, InboxConfig{MaxWaiting: 8, VehicleItems: 3})
	var quiet []sent
	for n := range 2 {
		o, e := withEvidence(t, someFinding(n))
		o.Vehicle = "truck-1"
		quiet = append(quiet, sealedBy(t, officeSealer(t), o, e))
		give(t, in, quiet[n].message(topicEvidence))
	}
	var loud []sent
	for n := range 12 {
		time.Sleep(5 * time.Millisecond)
		s := someSent(t, 100+n, true)
		loud = append(loud, s)
		give(t, in, s.message(topicEvidence))
	}
	if err := in.sweep(time.Now()); err != nil || in.Stats().Evicted != 9 {
		t.Errorf("got %+v, %v", in.Stats(), err)
	}
	for _, s := range append(quiet, loud[11]) {
		if v := give(t, in, s.message(topicObservations)); v.delivery == nil {
			t.Errorf("%s, which is within its share, is gone: %+v", s.at.vehicle, v)
		}
	}
	if v := give(t, in, loud[0].message(topicObservations)); !v.receipt.empty() {
		t.Errorf("got %+v", v)
	}
	if v := give(t, in, loud[0].message(topicEvidence)); v.delivery == nil {
		t.Errorf("sent again, it gets %+v", v)
	}
	if err := in.sweep(time.Now().Add(25 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Join(in.cfg.Dir, partsDir)); err != nil || len(left) > 0 {
		t.Errorf("a day later %v wait (%v)", left, err)
	}
}

func TestEvict(t *testing.T) {
	now := time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)
	l := waitingLimits{items: 6, vehicleItems: 4, bytes: 100, vehicleBytes: 60, age: time.Hour}
	item := func(name string, minutes int, bytes int64) waiting {
		return waiting{name: name, vehicle: name[:1], bytes: bytes, time: now.Add(-time.Duration(minutes) * time.Minute)}
	}
	for name, c := range map[string]struct {
		all  []waiting
		gone string
	}{
		"within":           {[]waiting{item("a1", 1, 60), item("b1", 2, 40)}, ""},
		"too old":          {[]waiting{item("a1", 61, 1), item("b1", 2, 1)}, "a1"},
		"over the share":   {[]waiting{item("b1", 50, 1), item("a1", 3, 30), item("a2", 2, 30), item("a3", 1, 1)}, "a1"},
		"too many of one":  {[]waiting{item("a1", 5, 1), item("a2", 4, 1), item("a3", 3, 1), item("a4", 2, 1), item("a5", 1, 1)}, "a1"},
		"too many in all":  {[]waiting{item("b1", 9, 1), item("c1", 8, 1), item("b2", 7, 1), item("c2", 7, 1), item("a1", 6, 1), item("a2", 5, 1), item("a3", 4, 1)}, "a1"},
		"too much in all":  {[]waiting{item("b1", 9, 40), item("a1", 5, 20), item("a2", 4, 35), item("c1", 3, 10)}, "a1"},
		"old and too many": {[]waiting{item("a1", 70, 60), item("a2", 5, 60), item("a3", 4, 60)}, "a1 a2"},
	} {
		var gone []string
		for _, w := range l.evict(c.all, now) {
			gone = append(gone, w.name)
		}
		if got := strings.Join(gone, " "); got != c.gone {
			t.Errorf("%s: %s goes, want %s", name, got, c.gone)
		}
	}
}
