package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"gadeblik/inference/onnx"
)

// shared returns the folder of annotated pictures, or skips.
func shared(t *testing.T) string {
	t.Helper()
	dir := cmp.Or(os.Getenv("GADEBLIK_SHARED"), filepath.Join("..", "..", "..", "shared"))
	if _, err := os.Stat(filepath.Join(dir, "annotations")); err != nil {
		t.Skip("no annotated pictures: ", err)
	}
	return dir
}

// handful measures the pictures whose path has only in it.
func handful(t *testing.T, only string, workers int) []finding {
	t.Helper()
	if testing.Short() {
		t.Skip("takes a minute; run without -short")
	}
	dir := shared(t)
	r := run{
		shared: dir, models: []string{filepath.Join(dir, "models"), "../../build/models"}, labels: "../../inference/training/labels",
		config: "../../configs/gadeblik.yaml", only: only, every: 2, workers: workers, step: func() {},
	}
	if _, err := onnx.Find(""); err != nil {
		t.Skip(err)
	}
	if _, err := os.Stat(filepath.Join(r.models[0], "lwpd_person_dyn.onnx")); err != nil {
		t.Skip("not all public models: ", err)
	}
	r.witness = slices.DeleteFunc(witnesses(), func(w witness) bool { // one came later than the test data
		_, err := loadFrom(r.models, w.model)
		return err != nil
	})
	jobs, err := r.jobs()
	if err != nil {
		t.Fatal(err)
	}
	found, err := r.measure(t.Context(), jobs)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAHandful(t *testing.T) {
	found := handful(t, "images/faces/", 2)
	if len(found) != 4 {
		t.Fatalf("%d pictures, want 4", len(found))
	}
	rep, err := newReport(&run{config: "../../configs/gadeblik.yaml", every: 2}, found)
	if err != nil {
		t.Fatal(err)
	}
	faces := rep.Recall[0]
	if faces.Class != "face" || faces.Objects != 18 || faces.Pictures != 4 {
		t.Errorf("first row is of %d of class %s in %d pictures, want 18 faces in 4", faces.Objects, faces.Class, faces.Pictures)
	}
	// Portraits that every model finds: whoever misses one of two of them is broken.
	for name, s := range faces.By {
		if s.Gone.Value < 0.5 || s.Half < s.Gone.Value {
			t.Errorf("%s: %.2f of the faces are gone and %.2f half gone", name, s.Gone.Value, s.Half)
		}
	}
	for _, r := range rep.Residue {
		looked := slices.ContainsFunc(found, func(f finding) bool { return f.Original[r.Model] != nil })
		if r.Class == "face" && looked && (r.Original.Value == 0 || r.By["example"].Found.Value >= r.Original.Value) {
			t.Errorf("%s finds %v faces in 100 originals and %v in what is redacted", r.Model, r.Original.Value, r.By["example"].Found.Value)
		}
	}
	again := handful(t, found[0].File, 1)
	if d := gocmp.Diff(found[:1], again); d != "" {
		t.Errorf("the same picture, alone and by one worker: %s", d)
	}
}

// The split that the models were trained with has so many pictures in its test side:
// another number means that this command measures on what was trained on.
func TestTheSplitIsThatOfTheTraining(t *testing.T) {
	dir := shared(t)
	split, err := newSplit(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{
		"amsterdam": 39, "amsterdam_unlabelled": 45, "amsterdam_bags": 9, "lege": 116,
		"romania_day001": 78, "romania_day003": 28, "romania_night001": 12, "faces": 4, "street": 1,
	}
	for _, s := range measured() {
		files, err := split.test(dir, s)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != want[s.name] {
			t.Errorf("%s: %d pictures, want %d", s.name, len(files), want[s.name])
		}
	}
}

func TestNoPicturesIsSaid(t *testing.T) {
	r := run{shared: t.TempDir(), labels: "../../inference/training/labels", every: 1}
	_, err := r.jobs()
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want one that says what does not exist", err)
	}
}

// What `make recall` writes to must be there.
func TestTheDocumentHasItsMarks(t *testing.T) {
	doc, err := os.ReadFile("../../docs/redaction.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := between(doc, ""); err != nil {
		t.Error("docs/redaction.md: ", err)
	}
}
