package uplink

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newTestInbox(t testing.TB, cfg InboxConfig) *Inbox {
	t.Helper()
	if cfg.Broker == "" {
		cfg.Broker = "tcp://127.0.0.1:1"
	}
	if cfg.Dir == "" {
		cfg.Dir = filepath.Join(t.TempDir(), "inbox")
	}
	in, err := NewInbox(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	return in
}

// tree returns the files below a folder and their contents.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
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
	o             Observation
	json, picture []byte
	at            address
}

func someSent(t testing.TB, object int, picture bool) sent {
	t.Helper()
	o := someFinding(object)
	s := sent{at: address{fleet: "cph", vehicle: o.Vehicle, id: o.ID}}
	if picture {
		var e *Evidence
		o, e = withEvidence(t, o)
		s.picture = e.JPEG()
	}
	s.o, s.json = o, mustJSON(t, o)
	return s
}

func (s sent) send(t testing.TB, in *Inbox, kind string) verdict {
	t.Helper()
	a := s.at
	a.kind = kind
	data := s.json
	if kind == topicEvidence {
		data = s.picture
	}
	v, err := in.shelf.take(a, data)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const somePlace = "2026-05-04/sweeper-7/litter/"

func TestInboxStores(t *testing.T) {
	for _, order := range [][]string{{topicEvidence, topicObservations}, {topicObservations, topicEvidence}} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprint(order[0], " first, restart ", restart), func(t *testing.T) {
				in := newTestInbox(t, InboxConfig{})
				s := someSent(t, 1, true)
				if v := s.send(t, in, order[0]); !v.receipt.empty() || v.delivery != nil {
					t.Errorf("half of it gets %+v", v)
				}
				if restart {
					in = newTestInbox(t, InboxConfig{Dir: in.cfg.Dir})
				}
				v := s.send(t, in, order[1])
				want := verdict{
					receipt: Receipt{Stored: []Stored{{s.o.ID, hexDigest(s.json)}}},
					delivery: &Delivery{Fleet: "cph", Vehicle: "sweeper-7", Observation: v.delivery.Observation,
						JSON: somePlace + s.o.ID + ".json", JPEG: somePlace + s.o.ID + ".jpg"},
				}
				if diff := cmp.Diff(v, want, cmp.AllowUnexported(verdict{})); diff != "" {
					t.Errorf("verdict differs (-got +want):\n%s", diff)
				}
				files := map[string]string{want.delivery.JSON: string(s.json), want.delivery.JPEG: string(s.picture)}
				if diff := cmp.Diff(tree(t, in.cfg.Dir), files); diff != "" {
					t.Errorf("files differ (-got +want):\n%s", diff)
				}
				// Repetitions get the receipt again and change nothing, in any order.
				for _, kind := range []string{topicObservations, topicEvidence, topicEvidence, topicObservations} {
					v := s.send(t, in, kind)
					if v.delivery != nil || (kind == topicObservations) != (len(v.receipt.Stored) == 1) {
						t.Errorf("a repeated %s gets %+v", kind, v)
					}
				}
				in = newTestInbox(t, InboxConfig{Dir: in.cfg.Dir})
				s.send(t, in, topicEvidence)
				if v := s.send(t, in, topicObservations); len(v.receipt.Stored) != 1 || v.delivery != nil {
					t.Errorf("after a restart a repetition gets %+v", v)
				}
				if diff := cmp.Diff(tree(t, in.cfg.Dir), files); diff != "" {
					t.Errorf("files differ after repetitions (-got +want):\n%s", diff)
				}
			})
		}
	}
}

func TestInboxStoresNumbers(t *testing.T) {
	in := newTestInbox(t, InboxConfig{})
	s := someSent(t, 1, false)
	v := s.send(t, in, topicObservations)
	if v.delivery == nil || v.delivery.JPEG != "" || len(v.receipt.Stored) != 1 {
		t.Errorf("got %+v", v)
	}
	want := map[string]string{somePlace + s.o.ID + ".json": string(s.json)}
	if diff := cmp.Diff(tree(t, in.cfg.Dir), want); diff != "" {
		t.Errorf("files differ (-got +want):\n%s", diff)
	}
}

func TestInboxRefuses(t *testing.T) {
	in := newTestInbox(t, InboxConfig{MaxEvidence: 20_000})
	good := someSent(t, 1, true)
	refuse := func(what, kind string, a address, data []byte, want string) {
		t.Helper()
		a.kind = kind
		v, err := in.shelf.take(a, data)
		if err != nil || len(v.receipt.Refused) != 1 || v.receipt.Refused[0].Reason != want || len(v.receipt.Stored) != 0 {
			t.Errorf("%s: got %+v, %v, want %s", what, v.receipt, err, want)
		}
	}
	other := good.at
	other.id = someFinding(2).ID
	refuse("another id", topicObservations, other, good.json, "its topic says "+other.id+", it says "+good.o.ID)
	other = good.at
	other.vehicle = "truck-1"
	refuse("another vehicle", topicObservations, other, good.json, "its topic says vehicle truck-1, it says sweeper-7")
	refuse("no JSON", topicObservations, good.at, []byte("{"), "parse observation: unexpected EOF")
	refuse("long JSON", topicObservations, good.at, make([]byte, maxObservation+1), "parse observation: 65537 bytes, at most 65536")
	refuse("no picture", topicEvidence, good.at, nil, "the picture has 0 bytes, 1 to 20000 are taken")
	refuse("huge picture", topicEvidence, good.at, make([]byte, 20_001), "the picture has 20001 bytes, 1 to 20000 are taken")
	huge := good.o
	huge.Image = &ImageRef{SHA256: good.o.Image.SHA256, Bytes: 20_001, Width: 9, Height: 9}
	refuse("promised huge", topicObservations, good.at, mustJSON(t, huge), "the picture has 20001 bytes, at most 20000 are taken")
	if diff := cmp.Diff(tree(t, in.cfg.Dir), map[string]string{}); diff != "" {
		t.Errorf("refused and stored:\n%s", diff)
	}

	// A wrong picture is refused, before and after; the right one still finds its place.
	wrong := bytes.Clone(good.picture)
	wrong[len(wrong)/2] ^= 1
	if v := (sent{at: good.at, picture: wrong}).send(t, in, topicEvidence); !v.receipt.empty() {
		t.Errorf("got %+v", v)
	}
	reason := "the picture has sha256 " + hexDigest(wrong) + ", its observation says " + good.o.Image.SHA256
	refuse("wrong picture before", topicObservations, good.at, good.json, reason)
	refuse("wrong picture after", topicEvidence, good.at, wrong, reason)
	refuse("cut picture", topicEvidence, good.at, wrong[:100],
		fmt.Sprintf("the picture has 100 bytes, its observation says %d", len(good.picture)))
	if v := good.send(t, in, topicEvidence); len(v.receipt.Stored) != 1 {
		t.Errorf("got %+v", v)
	}
	changed := good.o
	changed.Notify = "somebody else"
	refuse("another under the same id", topicObservations, good.at, mustJSON(t, changed), "another observation is stored under its id")
	want := map[string]string{somePlace + good.o.ID + ".json": string(good.json), somePlace + good.o.ID + ".jpg": string(good.picture)}
	if diff := cmp.Diff(tree(t, in.cfg.Dir), want); diff != "" {
		t.Errorf("files differ (-got +want):\n%s", diff)
	}
}

func TestInboxStaysInItsFolder(t *testing.T) {
	outside := t.TempDir()
	in := newTestInbox(t, InboxConfig{Dir: filepath.Join(outside, "inbox")})
	for i, task := range []string{"../../../etc", "..", ".", "/etc/passwd", "a/b", `a\b`, "con", "-rf", "~root", "a b", "påfyld", "%2e%2e", ".hidden", strings.Repeat("ø", 32)} {
		o := someFinding(i)
		o.Task = task
		s := sent{json: mustJSON(t, o), at: address{fleet: "cph", vehicle: o.Vehicle, id: o.ID}}
		if v := s.send(t, in, topicObservations); len(v.receipt.Stored) != 1 {
			t.Errorf("task %q: got %+v", task, v.receipt)
		}
	}
	files := tree(t, outside)
	if len(files) != 14 {
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
	a := address{fleet: "cph", vehicle: o.Vehicle, kind: topicObservations, id: o.ID}
	if v, err := in.shelf.take(a, mustJSON(t, o)); err == nil {
		t.Errorf("a link is followed: %+v", v)
	}
}

func TestInboxBoundsWhatWaits(t *testing.T) {
	in := newTestInbox(t, InboxConfig{MaxHalves: 3})
	var all []sent
	for n := range 5 {
		s := someSent(t, n, true)
		all = append(all, s)
		s.send(t, in, topicEvidence)
	}
	if in.Stats().Evicted != 2 || len(in.shelf.halves.sizes) != 3 {
		t.Errorf("got %+v, %d wait", in.Stats(), len(in.shelf.halves.sizes))
	}
	if v := all[4].send(t, in, topicObservations); v.delivery == nil {
		t.Errorf("the youngest is gone: %+v", v)
	}
	if v := all[0].send(t, in, topicObservations); v.delivery != nil || !v.receipt.empty() {
		t.Errorf("got %+v", v)
	}
	if v := all[0].send(t, in, topicEvidence); v.delivery == nil {
		t.Errorf("sent again, it is not stored: %+v", v)
	}
	in = newTestInbox(t, InboxConfig{HalvesBytes: 5000})
	for n := range 5 {
		a := address{fleet: "cph", vehicle: "v", kind: topicEvidence, id: testID(n).String()}
		if _, err := in.shelf.take(a, make([]byte, 2000)); err != nil {
			t.Fatal(err)
		}
	}
	if len(in.shelf.halves.sizes) != 2 || in.shelf.halves.bytes != 4000 {
		t.Errorf("%d wait with %d bytes", len(in.shelf.halves.sizes), in.shelf.halves.bytes)
	}
	in = newTestInbox(t, InboxConfig{Dir: in.cfg.Dir, MaxHalves: 1})
	if len(in.shelf.halves.sizes) != 1 {
		t.Errorf("after a restart with less room %d wait", len(in.shelf.halves.sizes))
	}
}

// TestLinkToInbox carries real observations from an outbox to an inbox.
func TestLinkToInbox(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	want := map[string]string{}
	for n := range 30 {
		s := someSent(t, n, n%3 != 0)
		want[somePlace+s.o.ID+".json"] = string(s.json)
		var e *Evidence
		if s.picture != nil {
			want[somePlace+s.o.ID+".jpg"] = string(s.picture)
			e = &Evidence{id: s.o.ID, jpeg: s.picture, ref: *s.o.Image}
		}
		if err := b.Put(s.o, e, "2026-05-04"); err != nil {
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
	if diff := cmp.Diff(tree(t, in.cfg.Dir), want); diff != "" {
		t.Errorf("files differ (-got +want):\n%s", diff)
	}
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

// FuzzInbox feeds an inbox with arbitrary messages. Whatever comes, it stays in
// its folder, keeps its bounds, and stores only what is in order.
func FuzzInbox(f *testing.F) {
	s := someSent(f, 1, true)
	f.Add(testPrefix+"observations/"+s.o.ID, s.json, testPrefix+"evidence/"+s.o.ID, s.picture)
	f.Add(testPrefix+"evidence/"+s.o.ID, []byte("x"), testPrefix+"observations/"+s.o.ID, s.json)
	f.Add("gadeblik/v1/../../x/evidence/"+s.o.ID, []byte("x"), "gadeblik/v1/a/b/observations/..", []byte("{}"))
	f.Fuzz(func(t *testing.T, topic1 string, payload1 []byte, topic2 string, payload2 []byte) {
		outside := memoryDir(t)
		in := newTestInbox(t, InboxConfig{Dir: filepath.Join(outside, "inbox"), MaxHalves: 2})
		for range 2 {
			for topic, data := range map[string][]byte{topic1: payload1, topic2: payload2} {
				a, err := parseTopic(topic)
				if err != nil {
					continue
				}
				if _, err := in.shelf.take(a, data); err != nil {
					t.Fatalf("%s: %v", topic, err)
				}
			}
		}
		pairs := map[string]bool{}
		for name, data := range tree(t, outside) {
			rest, ok := strings.CutPrefix(name, "inbox/")
			if !ok {
				t.Fatalf("%s lies outside", name)
			}
			if strings.HasPrefix(rest, ".incoming/") {
				continue
			}
			pairs[strings.TrimSuffix(strings.TrimSuffix(rest, ".json"), ".jpg")] = true
			if strings.HasSuffix(rest, ".json") {
				if o, err := ParseObservation([]byte(data)); err != nil || place(o)+".json" != rest {
					t.Fatalf("%s holds %s (%v)", rest, data, err)
				}
			}
		}
		if len(pairs) > 2 || len(in.shelf.halves.sizes) > 2 {
			t.Fatalf("%d are stored, %d wait", len(pairs), len(in.shelf.halves.sizes))
		}
	})
}
