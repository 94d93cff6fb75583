package uplink

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
)

func ids(t testing.TB, in *Inbox, f Filter) (ids []string) {
	t.Helper()
	entries, err := in.List(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

// shelved stores so many observations, each an hour after the one before and with
// an hour less to live.
func shelved(t testing.TB, in *Inbox, n int) (all []sent) {
	t.Helper()
	for i := range n {
		o, e := withEvidence(t, someFinding(i))
		o.Time.UTC = o.Time.UTC.Add(time.Duration(i) * time.Hour)
		o.ExpiresAt = o.ExpiresAt.Add(-time.Duration(i) * time.Hour)
		s := sealedBy(t, officeSealer(t), o, e)
		giveAll(t, in, s.message(topicEvidence), s.message(topicObservations))
		all = append(all, s)
	}
	return all
}

func TestInboxList(t *testing.T) {
	in := newTestInbox(t, InboxConfig{})
	all := shelved(t, in, 4)
	want := []string{all[0].o.ID, all[1].o.ID, all[2].o.ID, all[3].o.ID}
	for name, c := range map[string]struct {
		f    Filter
		want []string
	}{
		"all":     {Filter{}, want},
		"since":   {Filter{Since: all[2].o.Time.UTC}, want[2:]},
		"vehicle": {Filter{Vehicle: "sweeper-7"}, want},
		"another": {Filter{Vehicle: "sweeper-70"}, nil},
		"task":    {Filter{Task: "litter"}, want},
		"no task": {Filter{Task: "lit"}, nil},
		"id":      {Filter{ID: want[1]}, want[1:2]},
	} {
		if diff := cmp.Diff(ids(t, in, c.f), c.want); diff != "" {
			t.Errorf("%s: ids differ (-got +want):\n%s", name, diff)
		}
	}
	entries, err := in.List(Filter{ID: want[1]})
	if err != nil {
		t.Fatal(err)
	}
	if o, err := in.Read(entries[0]); err != nil || !cmp.Equal(o, all[1].o.canonical()) {
		t.Errorf("got %+v, %v", o, err)
	}
	if _, err := os.Stat(filepath.Join(in.cfg.Dir, entries[0].JPEG)); err != nil {
		t.Error(err)
	}
}

func TestInboxPurge(t *testing.T) {
	in := newTestInbox(t, InboxConfig{})
	all := shelved(t, in, 4)
	never := someFinding(9)
	never.ExpiresAt = time.Time{}
	kept := sealedBy(t, officeSealer(t), never, nil)
	give(t, in, kept.message(topicObservations))
	if n, err := in.Purge(all[3].o.ExpiresAt.Add(-time.Second)); n != 0 || err != nil {
		t.Errorf("purged %d, %v", n, err)
	}
	// One whose files somebody has deleted is forgotten all the same.
	if err := os.Remove(filepath.Join(in.cfg.Dir, shelfPath(all[3].o)+".json")); err != nil {
		t.Fatal(err)
	}
	if n, err := in.Purge(all[2].o.ExpiresAt); n != 2 || err != nil {
		t.Errorf("purged %d, %v", n, err)
	}
	checkFiles(t, in, all[0].files(), all[1].files(), kept.files())
	if n, err := in.Purge(all[0].o.ExpiresAt.AddDate(10, 0, 0)); n != 2 || err != nil || in.Stats().Purged != 4 {
		t.Errorf("purged %d, %v", n, err)
	}
	checkFiles(t, in, kept.files())
	if diff := cmp.Diff(ids(t, in, Filter{}), []string{never.ID}); diff != "" {
		t.Errorf("ids differ (-got +want):\n%s", diff)
	}
}

// TestRunPurges: Run deletes what has expired also where there is no broker.
func TestRunPurges(t *testing.T) {
	in := newTestInbox(t, InboxConfig{Broker: "tcp://127.0.0.1:1", PurgeEvery: time.Hour})
	shelved(t, in, 2)
	for range 2 {
		if err := in.Run(t.Context()); err == nil {
			t.Error("it connects to nothing")
		}
	}
	if in.Stats().Purged != 2 {
		t.Errorf("got %+v", in.Stats())
	}
	checkFiles(t, in)
}

// TestInboxIndexDamage: a damaged index is set aside and made anew from the files,
// whether it is found when the inbox is opened or while it works.
func TestInboxIndexDamage(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"gone":     os.Remove,
		"empty":    func(path string) error { return os.Truncate(path, 0) },
		"cut":      func(path string) error { return os.Truncate(path, 5000) },
		"nonsense": func(path string) error { return os.WriteFile(path, []byte(strings.Repeat("nonsense", 4096)), 0o600) },
		"a flipped bit in an entry": func(path string) error {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, []byte(strings.ReplaceAll(string(data), `"task":"litter"`, `"task":"mitter"`)), 0o600)
		},
		"no buckets": func(path string) error {
			db, err := bbolt.Open(path, 0o600, nil)
			if err != nil {
				return err
			}
			return errors.Join(db.Update(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte(bucketExpiry)) }), db.Close())
		},
	} {
		for _, open := range []bool{true, false} {
			in := newTestInbox(t, InboxConfig{})
			all := shelved(t, in, 3)
			if err := damage(filepath.Join(in.cfg.Dir, indexName)); err != nil {
				t.Fatal(err)
			}
			if open {
				in = newTestInbox(t, InboxConfig{Dir: in.cfg.Dir})
			}
			if n := len(ids(t, in, Filter{})); n != 3 {
				t.Errorf("%s, opened again %v: %d entries", name, open, n)
			}
			s := someSent(t, 20, false)
			if v := give(t, in, s.message(topicObservations)); v.delivery == nil {
				t.Errorf("%s: got %+v", name, v)
			}
			if n, err := in.Purge(all[0].o.ExpiresAt); n != 4 || err != nil {
				t.Errorf("%s, opened again %v: purged %d, %v", name, open, n, err)
			}
			checkFiles(t, in)
			if rebuilt := in.Stats().Rebuilt; (rebuilt == 1) != (name != "gone") {
				t.Errorf("%s: set aside %d times", name, rebuilt)
			}
		}
	}
}

func TestInboxReindex(t *testing.T) {
	in := newTestInbox(t, InboxConfig{})
	all := shelved(t, in, 3)
	dir := filepath.Dir(filepath.Join(in.cfg.Dir, shelfPath(all[0].o)))
	orphan := filepath.Join(dir, testID(1).String())
	if err := errors.Join(
		os.WriteFile(orphan+".jpg", []byte("x"), 0o644),
		os.WriteFile(orphan+".dsse", []byte("x"), 0o644),
		os.WriteFile(filepath.Join(dir, testID(2).String()+".json"), []byte("{"), 0o644),
		os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("x"), 0o644),
		os.WriteFile(filepath.Join(in.cfg.Dir, "README"), []byte("x"), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	found, err := in.Reindex()
	if diff := cmp.Diff(found, Reindexed{Observations: 3, Swept: 2, Unreadable: 1}); diff != "" || err != nil {
		t.Errorf("found differs (-got +want):\n%s%v", diff, err)
	}
	if n := len(ids(t, in, Filter{})); n != 3 {
		t.Errorf("%d entries", n)
	}
	if left := tree(t, in.cfg.Dir); left["README"] != "x" || len(left) != 12 {
		t.Errorf("%d files are left", len(left))
	}
}
