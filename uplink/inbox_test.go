package uplink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newTestInbox(t testing.TB, cfg InboxConfig) *Inbox {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = filepath.Join(t.TempDir(), "inbox")
	}
	if cfg.Opener.Keys == nil {
		cfg.Opener = openerFor(officeSealer(t), testIdentity(t, "office"))
	}
	if cfg.PurgeEvery == 0 {
		cfg.PurgeEvery = -1 // the tests' observations have expired long ago
	}
	in, err := NewInbox(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	return in
}

// tree returns the files below a folder and their contents, without what an inbox
// keeps for itself.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), indexName) {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// sent is what a vehicle sends for one observation.
type sent struct {
	o                    Observation
	json, signed         []byte // within
	picture              []byte
	observation, sealedP []byte // as they are sent
	at                   address
}

func someSent(t testing.TB, object int, picture bool) sent {
	t.Helper()
	o := someFinding(object)
	var e *Evidence
	if picture {
		o, e = withEvidence(t, o)
	}
	return sealedBy(t, officeSealer(t), o, e)
}

func sealedBy(t testing.TB, s *Sealer, o Observation, e *Evidence) sent {
	t.Helper()
	x := sent{o: o, json: mustJSON(t, o)}
	if e != nil {
		x.picture = e.JPEG()
	}
	p, err := s.seal(o, x.picture)
	if err != nil {
		t.Fatal(err)
	}
	x.observation, x.sealedP = p.observation, p.evidence
	x.at = address{fleet: "cph", vehicle: o.Vehicle, id: p.id.String(), k: 1, n: 1}
	if x.signed, err = openerFor(s, testIdentity(t, "office")).open(p.observation, maxSignedObservation); err != nil {
		t.Fatal(err)
	}
	return x
}

// message is one of the two messages, whole.
func (s sent) message(kind string) arrival {
	a := arrival{s.at, s.observation}
	a.kind = kind
	if kind == topicEvidence {
		a.payload = s.sealedP
	}
	return a
}

// parts are one of the two in n parts.
func (s sent) parts(kind string, n int) (out []arrival) {
	m := s.message(kind)
	for k := range n {
		a := arrival{m.address, m.payload[k*len(m.payload)/n : (k+1)*len(m.payload)/n]}
		a.k, a.n = k+1, n
		out = append(out, a)
	}
	return out
}

// files are what it becomes.
func (s sent) files() map[string]string {
	at := shelfPath(s.o)
	f := map[string]string{at + ".json": string(s.json), at + ".dsse": string(s.signed)}
	if s.picture != nil {
		f[at+".jpg"] = string(s.picture)
	}
	return f
}

func (s sent) stored() Receipt {
	return Receipt{Stored: []Stored{{s.at.id, hexDigest(s.signed)}}}
}

// give lets an inbox take one message.
func give(t testing.TB, in *Inbox, a arrival) verdict {
	t.Helper()
	return giveAll(t, in, a)[0]
}

func giveAll(t testing.TB, in *Inbox, all ...arrival) []verdict {
	t.Helper()
	v, err := in.shelf.take(all)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// checkFiles compares what lies in an inbox.
func checkFiles(t testing.TB, in *Inbox, want ...map[string]string) {
	t.Helper()
	all := map[string]string{}
	for _, files := range want {
		for name, data := range files {
			all[name] = data
		}
	}
	if diff := cmp.Diff(tree(t, in.cfg.Dir), all); diff != "" {
		t.Errorf("files differ (-got +want):\n%s", diff)
	}
}

func TestInboxStores(t *testing.T) {
	for _, order := range [][]string{{topicEvidence, topicObservations}, {topicObservations, topicEvidence}} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprint(order[0], " first, restart ", restart), func(t *testing.T) {
				in := newTestInbox(t, InboxConfig{})
				s := someSent(t, 1, true)
				if v := give(t, in, s.message(order[0])); !v.receipt.empty() || v.delivery != nil {
					t.Errorf("half of it gets %+v", v)
				}
				if restart {
					in = newTestInbox(t, InboxConfig{Dir: in.cfg.Dir})
				}
				v := give(t, in, s.message(order[1]))
				at := shelfPath(s.o)
				want := &Delivery{Fleet: "cph", Vehicle: "sweeper-7", Parcel: s.at.id, Observation: s.o.canonical(),
					JSON: at + ".json", DSSE: at + ".dsse", JPEG: at + ".jpg"}
				if diff := cmp.Diff(v.delivery, want); diff != "" {
					t.Errorf("delivery differs (-got +want):\n%s", diff)
				}
				if diff := cmp.Diff(v.receipt, s.stored()); diff != "" {
					t.Errorf("receipt differs (-got +want):\n%s", diff)
				}
				checkFiles(t, in, s.files())
				// Repetitions get the receipt again and change nothing, in any order.
				for _, kinds := range [][]string{{topicObservations}, {topicEvidence, topicObservations}, {topicObservations, topicObservations}} {
					for _, kind := range kinds {
						v := give(t, in, s.message(kind))
						if v.delivery != nil || (kind == topicObservations) != (len(v.receipt.Stored) == 1) {
							t.Errorf("a repeated %s gets %+v", kind, v)
						}
					}
				}
				in = newTestInbox(t, InboxConfig{Dir: in.cfg.Dir})
				for _, v := range giveAll(t, in, s.message(topicEvidence), s.message(topicObservations), s.message(topicObservations)) {
					if v.delivery != nil {
						t.Errorf("after a restart a repetition gets %+v", v)
					}
				}
				checkFiles(t, in, s.files())
			})
		}
	}
}

// TestInboxStoresNumbers: what needs no picture does not wait, and so needs no
// place to wait.
func TestInboxStoresNumbers(t *testing.T) {
	in := newTestInbox(t, InboxConfig{})
	waiting := filepath.Join(in.cfg.Dir, partsDir)
	if err := os.Remove(waiting); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(waiting, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := someSent(t, 1, false)
	v := give(t, in, s.message(topicObservations))
	if v.delivery == nil || v.delivery.JPEG != "" || !cmp.Equal(v.receipt, s.stored()) {
		t.Errorf("got %+v", v)
	}
	if v := give(t, in, s.message(topicObservations)); v.delivery != nil || !cmp.Equal(v.receipt, s.stored()) {
		t.Errorf("repeated, it gets %+v", v)
	}
	checkFiles(t, in, s.files(), map[string]string{partsDir: ""})
}

// refusedAs wants one refusal and nothing else.
func refusedAs(t testing.TB, what string, v verdict, id, want string) {
	t.Helper()
	if len(v.receipt.Refused) != 1 || len(v.receipt.Stored) != 0 || v.delivery != nil {
		t.Errorf("%s: got %+v, want a refusal", what, v)
		return
	}
	if r := v.receipt.Refused[0]; !strings.HasPrefix(r.Reason, want) || r.ID != id || r.Later {
		t.Errorf("%s: refused %+v, want %s", what, r, want)
	}
}

func TestInboxRefuses(t *testing.T) {
	in := newTestInbox(t, InboxConfig{MaxEvidence: 20_000})
	good := someSent(t, 1, true)
	refuse := func(what string, a arrival, want string) {
		t.Helper()
		refusedAs(t, what, give(t, in, a), a.id, want)
	}
	change := func(kind string, do func(a *arrival)) arrival {
		a := good.message(kind)
		a.payload = bytes.Clone(a.payload)
		do(&a)
		return a
	}
	limit := sealedLimit(20_000)
	refuse("another vehicle", change(topicObservations, func(a *arrival) { a.vehicle = "truck-1" }),
		"verify observation: its topic says vehicle truck-1, it says sweeper-7")
	refuse("nonsense", change(topicObservations, func(a *arrival) { a.payload = []byte("{") }), "verify observation: the envelope is not proper JSON")
	refuse("a flipped bit", change(topicObservations, func(a *arrival) { a.payload[len(a.payload)-3] ^= 1 }), "observation: it can't be opened: ")
	refuse("long", change(topicObservations, func(a *arrival) { a.payload = make([]byte, maxSealedObservation+1) }),
		fmt.Sprintf("observations of %d bytes: 1 to %d are taken", maxSealedObservation+1, maxSealedObservation))
	refuse("no picture", change(topicEvidence, func(a *arrival) { a.payload = nil }), fmt.Sprintf("evidence of 0 bytes: 1 to %d are taken", limit))
	refuse("huge picture", change(topicEvidence, func(a *arrival) { a.payload = make([]byte, limit+1) }),
		fmt.Sprintf("evidence of %d bytes: 1 to %d are taken", limit+1, limit))
	promised := good.o
	promised.Image = &ImageRef{SHA256: good.o.Image.SHA256, Bytes: 20_001, Width: 9, Height: 9}
	refuse("promised huge", sealedBy(t, officeSealer(t), promised, nil).message(topicObservations), "the picture has 20001 bytes, at most 20000 are taken")
	checkFiles(t, in)

	wrong := change(topicEvidence, func(a *arrival) { a.payload[len(a.payload)/2] ^= 1 })
	otherPicture := someSent(t, 2, true)
	otherPicture.at = good.at
	for _, c := range []struct {
		what     string
		evidence arrival
		want     string
	}{
		{"a flipped bit in the picture", wrong, "evidence: it can't be opened: "},
		{"another picture", otherPicture.message(topicEvidence), "the picture has "},
	} {
		for _, first := range []bool{true, false} {
			pair := []arrival{c.evidence, good.message(topicObservations)}
			if first {
				slices.Reverse(pair)
			}
			v := giveAll(t, in, pair...)
			if !v[0].receipt.empty() {
				t.Errorf("%s: half of it gets %+v", c.what, v[0])
			}
			refusedAs(t, c.what, v[1], good.at.id, c.want)
			checkFiles(t, in) // nothing of it stands in the way of another copy
		}
	}
	if v := giveAll(t, in, good.message(topicEvidence), good.message(topicObservations)); v[1].delivery == nil {
		t.Errorf("sent again, it gets %+v", v[1])
	}
	changed := good.o
	changed.Notify = "somebody else"
	refuse("another under the same id", sealedBy(t, officeSealer(t), changed, nil).message(topicObservations), "another observation is stored under its id")
	moved := good.o
	moved.Image = nil
	moved.Time.UTC = moved.Time.UTC.AddDate(0, 0, 1)
	refuse("another elsewhere under the same id", sealedBy(t, officeSealer(t), moved, nil).message(topicObservations), "another observation is stored under its id")
	checkFiles(t, in, good.files())
}

// TestInboxRefusesTheWrongKey: an office that has other keys says so, and a vehicle
// can't sign for another.
func TestInboxRefusesTheWrongKey(t *testing.T) {
	s := someSent(t, 1, false)
	in := newTestInbox(t, InboxConfig{Opener: openerFor(officeSealer(t), testIdentity(t, "archive"))})
	refusedAs(t, "sealed to others", give(t, in, s.message(topicObservations)), s.at.id, "observation: it is sealed to somebody else: none of the keys here opens it")
	stranger, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	opener := openerFor(officeSealer(t), testIdentity(t, "office"))
	opener.Keys = func(string, string) ([]PublicKey, error) { return []PublicKey{stranger.Public()}, nil }
	in = newTestInbox(t, InboxConfig{Opener: opener})
	refusedAs(t, "signed by another", give(t, in, s.message(topicObservations)), s.at.id, "verify observation: signed by 0 of the trusted keys")
	opener.SealedOnly = true
	in = newTestInbox(t, InboxConfig{Opener: opener})
	open := arrival{s.at, s.signed}
	open.kind = topicObservations
	refusedAs(t, "open", give(t, in, open), s.at.id, "observation: it is not sealed")
}

// TestInboxMeetsStrangers: nothing of a vehicle that nobody has introduced is kept,
// and it is told to try again; then somebody introduces it.
func TestInboxMeetsStrangers(t *testing.T) {
	dir := t.TempDir()
	var told []Refusal
	in := newTestInbox(t, InboxConfig{
		Opener:    Opener{Identities: openerFor(nil, testIdentity(t, "office")).Identities, SealedOnly: true, Keys: KeyFolder(dir)},
		OnRefused: func(r Refusal) { told = append(told, r) },
	})
	s := someSent(t, 1, true)
	later := func(want string, parts ...arrival) {
		t.Helper()
		var r Receipt
		for _, v := range giveAll(t, in, parts...) {
			in.note(v)
			r.add(v.receipt)
		}
		if diff := cmp.Diff(r, Receipt{Refused: []Refused{{ID: s.at.id, Reason: want, Later: true}}}); diff != "" {
			t.Errorf("receipt differs (-got +want):\n%s", diff)
		}
		checkFiles(t, in)
	}
	unknown := "vehicle is not known here: there is no key for vehicle sweeper-7 of fleet cph"
	later(unknown, s.message(topicEvidence), s.message(topicObservations))
	later(unknown, append(s.parts(topicEvidence, 3), s.parts(topicObservations, 2)...)...)
	if st := in.Stats(); st.Strangers != 7 || st.Refused != 0 || len(told) != 2 || !told[0].Later {
		t.Errorf("got %+v, %+v", st, told)
	}
	// The office's own trouble is not told to the vehicle.
	key := filepath.Join(dir, "sweeper-7.pub")
	if err := os.WriteFile(key, []byte("nonsense"), 0o644); err != nil {
		t.Fatal(err)
	}
	later("the keys of vehicle sweeper-7 can't be read here", s.message(topicObservations))
	if r := told[len(told)-1].Reason.Error(); !strings.Contains(r, key) {
		t.Errorf("the operator is told %s", r)
	}
	writePublic(t, key)
	v := giveAll(t, in, append(s.parts(topicEvidence, 3), s.message(topicObservations))...)
	if v[3].delivery == nil {
		t.Errorf("introduced, it gets %+v", v)
	}
	checkFiles(t, in, s.files())
	// Dismissed, it is a stranger again.
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if v := give(t, in, s.message(topicObservations)); len(v.receipt.Stored) != 0 {
		t.Errorf("dismissed, it gets %+v", v)
	}
}

// writePublic writes the public half of the tests' key.
func writePublic(t testing.TB, path string) {
	t.Helper()
	own := filepath.Join(t.TempDir(), "k")
	if err := WriteKey(own, testKey()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(own + ".pub")
	if err == nil {
		err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestInboxStaysInItsFolder(t *testing.T) {
	outside := t.TempDir()
	in := newTestInbox(t, InboxConfig{Dir: filepath.Join(outside, "inbox")})
	for i, task := range []string{"../../../etc", "..", ".", "/etc/passwd", "a/b", `a\b`, "con", "-rf", "~root", "a b", "påfyld", "%2e%2e", ".hidden", strings.Repeat("ø", 32)} {
		o := someFinding(i)
		o.Task = task
		s := sealedBy(t, officeSealer(t), o, nil)
		if v := give(t, in, s.message(topicObservations)); len(v.receipt.Stored) != 1 {
			t.Errorf("task %q: got %+v", task, v.receipt)
		}
	}
	files := tree(t, outside)
	if len(files) != 28 {
		t.Errorf("%d files", len(files))
	}
	folders := map[string]bool{}
	for name := range files {
		parts := strings.Split(name, "/")
		if len(parts) != 5 || strings.Join(parts[:3], "/") != "inbox/2026-05-04/sweeper-7" {
			t.Errorf("stored as %s", name)
		}
		folders[parts[3]] = true
	}
	if len(folders) != 14 {
		t.Errorf("different tasks share a folder: %v", folders)
	}
	// A link that leads out is not followed.
	if err := os.Symlink(outside, filepath.Join(in.cfg.Dir, "2026-05-05")); err != nil {
		t.Fatal(err)
	}
	o := someFinding(50)
	o.Time.UTC = o.Time.UTC.AddDate(0, 0, 1)
	if v, err := in.shelf.take([]arrival{sealedBy(t, officeSealer(t), o, nil).message(topicObservations)}); err == nil {
		t.Errorf("a link is followed: %+v", v)
	}
}

// TestLinkToInbox carries real observations from an outbox to an inbox.
func TestLinkToInbox(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{Seal: officeSealer(t)})
	want := map[string]string{}
	for n := range 30 {
		o := someFinding(n)
		var e *Evidence
		if n%3 != 0 {
			o, e = withEvidence(t, o)
		}
		for name, data := range sealedBy(t, officeSealer(t), o, e).files() {
			want[name] = data
		}
		if err := b.Put(o, e, Terms{Day: "2026-05-04"}); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	stored := map[string]int{}
	in := newTestInbox(t, InboxConfig{Broker: broker.url, Fleet: "cph", OnStored: func(d Delivery) {
		mu.Lock()
		defer mu.Unlock()
		stored[d.Observation.ID]++
	}})
	stopInbox := running(t, in.Run)
	l := newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b, ReceiptTimeout: 500 * time.Millisecond, DrainTimeout: 20 * time.Second})
	stop := running(t, l.Run)
	waitFor(t, "all receipts", func() bool { return b.Len() == 0 })
	if err := inject(broker, "gadeblik/v1/cph/sweeper-7/evidence/no-id", []byte("x"), false); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the foreign message", func() bool { return in.Stats().Foreign == 1 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	if err := stopInbox(); err != nil {
		t.Error(err)
	}
	checkFiles(t, in, want)
	if len(stored) != 30 || in.Stats().Stored != 30 || l.Stats().Delivered != 30 {
		t.Errorf("got %d, %+v, %+v", len(stored), in.Stats(), l.Stats())
	}
}

func TestInboxConnectionEnds(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	in := newTestInbox(t, InboxConfig{Broker: broker.url, ClientID: "office"})
	ended := make(chan error, 1)
	running(t, func(ctx context.Context) error {
		err := in.Run(ctx)
		ended <- err
		return err
	})
	subscribed := func() bool {
		cl, ok := broker.server.Clients.Get("office")
		return ok && len(cl.State.Subscriptions.GetAll()) == 2
	}
	waitFor(t, "the subscription", subscribed)
	cl, _ := broker.server.Clients.Get("office")
	cl.Stop(context.Canceled)
	if err := <-ended; err == nil || !strings.HasPrefix(err.Error(), "inbox at 127.0.0.1:") {
		t.Errorf("got %v", err)
	}
	if _, err := NewInbox(InboxConfig{Broker: broker.url}); err == nil || err.Error() != "configure inbox: dir: must be set" {
		t.Errorf("got %v", err)
	}
}

// memoryDir returns a folder that costs no wear and little time, where there is one.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "gadeblik")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// FuzzInbox feeds two inboxes that share a folder with arbitrary messages. Whatever
// comes, it stays in the folder, keeps its bounds, and stores only what is in order.
func FuzzInbox(f *testing.F) {
	s := someSent(f, 1, true)
	id := s.at.id
	f.Add("evidence/"+id, s.sealedP, "observations/"+id, s.observation, uint8(0))
	f.Add("evidence/"+id+"/1-2", s.sealedP[:900], "evidence/"+id+"/2-2", s.sealedP[900:], uint8(1))
	f.Add("evidence/"+id+"/1-3", s.sealedP, "evidence/"+id+"/3-3", s.sealedP, uint8(2))
	f.Add("observations/"+id+"/1-2", s.observation[:9], "observations/"+id+"/2-2", s.observation[9:], uint8(3))
	f.Add("evidence/"+id, []byte("x"), "observations/"+id, s.observation, uint8(4))
	f.Add("../../x/evidence/"+id, []byte("x"), "observations/..", []byte("{}"), uint8(5))
	f.Add("evidence/"+id+"/1-100000", []byte("x"), "evidence/"+id+"/0-2", []byte("{}"), uint8(6))
	f.Fuzz(func(t *testing.T, topic1 string, payload1 []byte, topic2 string, payload2 []byte, order uint8) {
		outside := memoryDir(t)
		dir := filepath.Join(outside, "inbox")
		inboxes := []*Inbox{newTestInbox(t, InboxConfig{Dir: dir, MaxWaiting: 2}), newTestInbox(t, InboxConfig{Dir: dir, MaxWaiting: 2})}
		var all []arrival
		for topic, data := range map[string][]byte{topic1: payload1, topic2: payload2} {
			if a, err := parseTopic(testPrefix + topic); err == nil {
				all = append(all, arrival{a, data})
			}
		}
		all = append(all, s.message(topicObservations), s.message(topicEvidence), s.message(topicObservations))
		done := false
		for i := range 2 * len(all) {
			at := i
			if order>>(i%8)&1 == 1 {
				at = len(all) - 1 - i%len(all)
			}
			v := give(t, inboxes[i%2], all[at%len(all)])
			done = done || len(v.receipt.Stored) > 0
			if v.delivery != nil && v.delivery.Observation.ID != s.o.ID {
				t.Fatalf("nobody has signed %+v", v.delivery)
			}
		}
		if v := giveAll(t, inboxes[0], s.message(topicEvidence), s.message(topicObservations)); len(v[1].receipt.Stored) != 1 {
			t.Fatalf("a whole copy at the end gets %+v", v)
		}
		if _, err := inboxes[1].shelf.parts.sweep(time.Now()); err != nil {
			t.Fatal(err)
		}
		waiting := map[string]bool{}
		left := tree(t, outside)
		for name, want := range s.files() {
			if left["inbox/"+name] != want {
				t.Errorf("%s holds %q", name, left["inbox/"+name])
			}
			delete(left, "inbox/"+name)
		}
		for name := range left {
			rest, ok := strings.CutPrefix(name, "inbox/"+partsDir+"/")
			if !ok {
				t.Fatalf("%s is no part", name)
			}
			waiting[strings.Split(rest, "/")[0]] = true
		}
		if len(waiting) > 2 {
			t.Fatalf("%v wait", waiting)
		}
	})
}
