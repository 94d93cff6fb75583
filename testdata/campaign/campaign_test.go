package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gadeblik/testdata/program"
)

// TestMain makes this test binary the campaign's vehicle when it is called as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "vehicle" {
		main()
		return
	}
	os.Exit(m.Run())
}

// underTest returns the program under test, as `make build` has left it.
func underTest(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("takes a minute; run without -short")
	}
	path, err := filepath.Abs("../../bin/gadeblik")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("bin/gadeblik is not built: run make build")
	}
	if _, err := program.Find("mosquitto"); err != nil {
		t.Skip(err)
	}
	return path
}

// The campaigns in the size of a test; `make campaign` has them in theirs.

func TestFaults(t *testing.T) {
	f := faults{folder: t.TempDir(), program: underTest(t), rounds: 25}
	if err := f.run(t.Context()); err != nil {
		t.Errorf("seed %d: %v", f.seed, err)
	}
}

func TestFleet(t *testing.T) {
	f := fleet{dir: t.TempDir(), program: underTest(t), vehicles: 12, each: 5, every: 100 * time.Millisecond}
	if err := f.run(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWeek(t *testing.T) {
	w := week{dir: t.TempDir(), program: underTest(t), items: 100, size: 100_000, rate: 4e6, memory: 64 << 20, disk: 5 << 20}
	if err := w.run(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestTheBookNotices: what is missing, changed or without its picture does not pass.
func TestTheBookNotices(t *testing.T) {
	pictures, err := newAlbum(0)
	if err != nil {
		t.Fatal(err)
	}
	dir, b, found := t.TempDir(), newBook(), map[string]stored{}
	for n := range 4 {
		o, e, err := finding("sweeper-1", n, pictures)
		if err != nil {
			t.Fatal(err)
		}
		a := accepted{Number: n, ID: o.ID, Parcel: o.ID}
		if a.Observation, a.Picture, err = digests(o, e); err != nil {
			t.Fatal(err)
		}
		b.ids[o.ID], b.parcels[o.ID] = a, a
		s := stored{json: filepath.Join(dir, o.ID+".json"), jpeg: filepath.Join(dir, o.ID+".jpg")}
		data, err := o.MarshalJSON()
		if err == nil {
			err = os.WriteFile(s.json, data, 0o600)
		}
		if err == nil && e != nil {
			err = os.WriteFile(s.jpeg, e.JPEG(), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		found[o.ID] = s
	}
	if problems := b.check(found, nil); len(problems) > 0 {
		t.Fatal(errors.Join(problems...))
	}
	ids := make([]string, 0, 4)
	for id := range b.ids {
		if b.ids[id].Picture != "" {
			ids = append(ids, id)
		}
	}
	missing := ids[0]
	delete(found, missing)
	if err := errors.Join(os.WriteFile(found[ids[1]].json, []byte("{}"), 0o600), os.Remove(found[ids[2]].jpeg)); err != nil {
		t.Fatal(err)
	}
	if problems := b.check(found, nil); len(problems) != 3 {
		t.Errorf("%d problems are seen, want 3: %v", len(problems), problems)
	}
	if problems := b.check(found, map[string]bool{missing: true}); len(problems) != 2 {
		t.Errorf("%d problems are seen, want 2: %v", len(problems), problems)
	}
}
