package uplink

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestReceiptComesLast: while a folder can't be flushed nobody is told anything,
// and when it is flushed everything has its name.
func TestReceiptComesLast(t *testing.T) {
	in := newTestInbox(t, InboxConfig{})
	s := someSent(t, 1, true)
	failing := errors.New("the disk is gone")
	flush := in.shelf.flush
	var flushed []string
	in.shelf.flush = func(dir string) error {
		if _, err := os.Stat(filepath.Join(in.cfg.Dir, shelfPath(s.o)+".json")); err != nil {
			t.Errorf("%s is flushed before everything is in it", dir)
		}
		flushed = append(flushed, dir)
		return failing
	}
	give(t, in, s.message(topicEvidence))
	for range 2 { // the first stores it, the second finds it stored
		if v, err := in.shelf.take([]arrival{s.message(topicObservations)}); !errors.Is(err, failing) {
			t.Errorf("got %+v, %v", v, err)
		}
	}
	in.shelf.flush = func(dir string) error {
		flushed = append(flushed, dir)
		return flush(dir)
	}
	flushed = nil
	if v := give(t, in, s.message(topicObservations)); !cmp.Equal(v.receipt, s.stored()) {
		t.Errorf("got %+v", v)
	}
	want := []string{"2026-05-04/sweeper-7/litter", "2026-05-04/sweeper-7", "2026-05-04", "."}
	if diff := cmp.Diff(flushed, want); diff != "" {
		t.Errorf("flushed folders differ (-got +want):\n%s", diff)
	}
	checkFiles(t, in, s.files())
}

// TestExactlyOneStores: of several processes that put one observation in its place,
// without the lock that usually keeps them apart, one has stored it.
func TestExactlyOneStores(t *testing.T) {
	dir := filepath.Join(memoryDir(t), "inbox")
	var shelves []*shelf
	for range 4 {
		shelves = append(shelves, newTestInbox(t, InboxConfig{Dir: dir}).shelf)
	}
	for n := range 50 {
		s := someSent(t, n, false)
		outcomes := make([]state, len(shelves))
		var ready, all sync.WaitGroup
		ready.Add(len(shelves))
		for i, sh := range shelves {
			all.Go(func() {
				p := &staged{opened: &opened{s.o, s.json, s.signed}, parcel: s.at}
				err := sh.stage([]*staged{p})
				ready.Done()
				ready.Wait()
				if err = errors.Join(err, sh.place(p)); err != nil {
					t.Error(err)
				}
				outcomes[i] = p.outcome
			})
		}
		all.Wait()
		stored := 0
		for _, o := range outcomes {
			if o == none {
				stored++
			}
		}
		if stored != 1 {
			t.Fatalf("stored %d times: %v", stored, outcomes)
		}
	}
}

// TestInboxAfterAKill: files that a process has staged before it died are in
// nobody's way, and are swept when they belong to nobody any more.
func TestInboxAfterAKill(t *testing.T) {
	in := newTestInbox(t, InboxConfig{})
	s := someSent(t, 1, true)
	p := &staged{opened: &opened{s.o, s.json, s.signed}, parcel: s.at, picture: s.picture}
	give(t, in, s.message(topicEvidence))
	if err := in.shelf.stage([]*staged{p}); err != nil {
		t.Fatal(err)
	}
	// The next one died between picture and observation.
	torn := filepath.Join(in.cfg.Dir, shelfPath(s.o)+".jpg")
	if err := errors.Join(os.MkdirAll(filepath.Dir(torn), 0o755), os.WriteFile(torn, []byte("half"), 0o644)); err != nil {
		t.Fatal(err)
	}
	in = newTestInbox(t, InboxConfig{Dir: in.cfg.Dir})
	if v := give(t, in, s.message(topicObservations)); v.delivery == nil {
		t.Errorf("got %+v", v)
	}
	if err := in.upkeep(time.Now()); err != nil {
		t.Fatal(err)
	}
	if n := len(tree(t, filepath.Join(in.cfg.Dir, stagingDir))); n != 3 {
		t.Errorf("%d files are staged, want those of the other process", n)
	}
	if err := in.upkeep(time.Now().Add(2 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	checkFiles(t, in, s.files())
}

// TestInboxHealsWhatIsLost: what has been lost beside an observation comes again
// with the next copy.
func TestInboxHealsWhatIsLost(t *testing.T) {
	in := newTestInbox(t, InboxConfig{})
	s := someSent(t, 1, true)
	giveAll(t, in, s.message(topicEvidence), s.message(topicObservations))
	at := filepath.Join(in.cfg.Dir, shelfPath(s.o))
	for what, damage := range map[string]func() error{
		"no picture":    func() error { return os.Remove(at + ".jpg") },
		"a cut picture": func() error { return os.Truncate(at+".jpg", 9) },
		"no envelope":   func() error { return os.Remove(at + ".dsse") },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		v := giveAll(t, in, s.message(topicObservations), s.message(topicEvidence))
		if !v[0].receipt.empty() || !cmp.Equal(v[1].receipt, s.stored()) || v[1].delivery != nil {
			t.Errorf("%s: got %+v", what, v)
		}
		checkFiles(t, in, s.files())
	}
}

func TestKeyFolder(t *testing.T) {
	dir := t.TempDir()
	keys := KeyFolder(dir)
	count := func(fleet, vehicle string, want int) {
		t.Helper()
		if k, err := keys(fleet, vehicle); err != nil || len(k) != want {
			t.Errorf("%s of %s: got %d keys, %v, want %d", vehicle, fleet, len(k), err, want)
		}
	}
	count("cph", "sweeper-7", 0)
	writePublic(t, filepath.Join(dir, "sweeper-7.pub"))
	count("cph", "sweeper-7", 1)
	writePublic(t, filepath.Join(dir, "sweeper-7.2.pub"))
	count("cph", "sweeper-7", 2)
	writePublic(t, filepath.Join(dir, "cph", "sweeper-7.pub"))
	count("cph", "sweeper-7", 1) // that of its fleet goes before
	count("aar", "sweeper-7", 2)
	if k, err := keys("aar", "sweeper-7.2"); err == nil || len(k) != 0 {
		t.Errorf("a vehicle has another's key: %v, %v", k, err)
	}
	for _, bad := range []string{"..", "a/b", ""} {
		if _, err := keys("cph", bad); err == nil {
			t.Errorf("%q is looked for", bad)
		}
	}
	if _, err := KeyFolder(filepath.Join(dir, "none"))("cph", "sweeper-7"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
