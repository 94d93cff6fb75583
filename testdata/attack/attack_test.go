package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// tried makes a study with the streets of the bundled drive.
func tried(t *testing.T, y study) []finding {
	t.Helper()
	var err error
	if y.photos, err = drawn(); err != nil {
		t.Fatal(err)
	}
	y.workers, y.step = runtime.GOMAXPROCS(0), func() {}
	findings, err := y.run()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		t.Logf("%s: synthesis %d of %d, Wiener %d, learnt %d of %d, lineup %.2f %.2f %.2f, identical %v", f.Method,
			f.Read[0].Synthesis.Right, f.Read[0].Synthesis.Of, f.Read[0].Wiener.Right, f.Learnt.Right, f.Learnt.Of,
			f.Lineup.Picture, f.Lineup.Outside, f.Lineup.Length, f.identical())
	}
	return findings
}

// TestPlatesCannotBeRead is `make attack` in the size of a test: no attack reads from
// ours what chance does not, and each reads what others leave.
func TestPlatesCannotBeRead(t *testing.T) {
	for _, f := range tried(t, brief(1)) {
		for _, p := range f.problems() {
			t.Error(p)
		}
	}
}

// TestLeaksAreNoticed puts in ours' place what leaks a lot and what leaks a whisper.
func TestLeaksAreNoticed(t *testing.T) {
	y := brief(2)
	y.methods = []*method{
		{name: "own DC", kind: safe, spoil: ownDC().spoil, area: applied},
		{name: "a box off the grid", kind: safe, spoil: black(box), area: box},
	}
	findings := tried(t, y)
	for i, want := range [][]string{{"synthesis", "learnt", "differ"}, {"differ"}} {
		found := strings.Join(findings[i].problems(), "\n")
		for _, word := range want {
			if !strings.Contains(found, word) {
				t.Errorf("%s: %q is not among the problems:\n%s", findings[i].Method, word, found)
			}
		}
	}
}

// TestIneffectiveAttacksAreNoticed: if nothing can be read where it has to be, chance
// level elsewhere proves nothing.
func TestIneffectiveAttacksAreNoticed(t *testing.T) {
	y := brief(3)
	y.methods = []*method{{name: "black", kind: broken, spoil: black(applied), area: applied}}
	if found := tried(t, y)[0].problems(); len(found) != 3 {
		t.Errorf("%d problems, want that synthesis, pupil and lineup fail: %q", len(found), found)
	}
}

// The intervals are those of Clopper and Pearson, against values from tables.
func TestInterval(t *testing.T) {
	for _, tt := range []struct {
		r         rate
		low, high float64
	}{
		{rate{0, 10}, 0, 0.3085},
		{rate{1, 10}, 0.0025, 0.4450},
		{rate{5, 10}, 0.1871, 0.8129},
		{rate{10, 10}, 0.6915, 1},
		{rate{17, 600}, 0.0166, 0.0450},
	} {
		low, high := tt.r.interval()
		if math.Abs(low-tt.low) > 2e-4 || math.Abs(high-tt.high) > 2e-4 {
			t.Errorf("%v: %.4f to %.4f, want %.4f to %.4f", tt.r, low, high, tt.low, tt.high)
		}
	}
}

func TestRank(t *testing.T) {
	for _, tt := range []struct {
		d             []float64
		auc           float64
		ahead, equals int
	}{
		{[]float64{1, 2, 3}, 1, 0, 0},
		{[]float64{3, 1, 2}, 0, 2, 0},
		{[]float64{0, 0, 0}, 0.5, 0, 2},
	} {
		auc, ahead, equals := rank(tt.d)
		if auc != tt.auc || ahead != tt.ahead || equals != tt.equals {
			t.Errorf("%v: %v, %d ahead, %d equal, want %v, %d, %d", tt.d, auc, ahead, equals, tt.auc, tt.ahead, tt.equals)
		}
	}
}

// The Wiener filter's transform is its own inverse's inverse, and a blur is a product
// in it, also where the kernel reaches beyond the border.
func TestTransform(t *testing.T) {
	const n = 21
	taps := kernel(4)
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(i * i % 17)
	}
	blurred := append([]float32(nil), v...)
	convolve(blurred, 1, n, taps)
	f := newTransform(n)
	f.forward(v)
	for k := range v {
		v[k] *= float32(response(taps, k, n))
	}
	f.inverse(v)
	for i := range v {
		if math.Abs(float64(v[i]-blurred[i])) > 1e-3 {
			t.Errorf("sample %d: %v, want %v", i, v[i], blurred[i])
		}
	}
}

// No two characters look the same, or reading them all would be impossible.
func TestGlyphsDiffer(t *testing.T) {
	all := newGlyphs(20, 17)
	if len(all) != symbols+1 {
		t.Fatalf("%d glyphs, want %d and their mean", len(all), symbols)
	}
	for i := range symbols {
		for j := range i {
			d := float32(0)
			for k, v := range all[i].ink {
				d += (v - all[j].ink[k]) * (v - all[j].ink[k])
			}
			if d < 3 {
				t.Errorf("%c and %c differ by %v", alphabet[i], alphabet[j], d)
			}
		}
	}
}

// Every street is large enough for every stage, the real ones too where they are.
func TestStreetsAreLargeEnough(t *testing.T) {
	shared := os.Getenv("GADEBLIK_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	all, err := photos(shared)
	if err != nil {
		t.Fatal(err)
	}
	for _, height := range full(1).heights {
		s, err := newStage(height)
		if err == nil {
			err = s.settle(all)
		}
		if err != nil {
			t.Errorf("characters of %d pixels: %v", height, err)
		}
	}
}

func TestReport(t *testing.T) {
	y := brief(1)
	good := finding{Method: "ours", kind: safe, Read: []reading{{Height: 20, Synthesis: rate{3, 120}, Plates: rate{0, 20}, Wiener: rate{4, 120}, Same: rate{216, 216}}},
		Learnt: rate{7, 240}, Lineup: lineup{First: rate{0, 2}, Picture: 0.5, Outside: 0.5, Length: 0.5, Same: rate{38, 38}, Held: 2, Suspects: 20}}
	bad := good
	bad.Method, bad.Lineup.Same = "σ", rate{37, 38}
	r := newReport(&y, []finding{good, bad})
	if want := []string{"σ: 1 of 254 files with another text differ"}; !slices.Equal(r.Problems, want) {
		t.Errorf("problems %q, want %q", r.Problems, want)
	}
	var out bytes.Buffer
	var back report
	if err := errors.Join(r.json(&out), json.Unmarshal(out.Bytes(), &back)); err != nil {
		t.Error(err)
	}
	if len(back.Findings) != 2 || back.Findings[1].Lineup.Same != bad.Lineup.Same {
		t.Errorf("the JSON says %+v", back.Findings)
	}
	document := filepath.Join(t.TempDir(), "document.md")
	for range 2 { // what stood there is replaced
		if err := os.WriteFile(document, []byte("before\n"+beginMark+"old\n"+endMark+"after\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := r.write(document); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if want := "before\n" + beginMark + "\n" + r.text() + "\n" + endMark + "after\n"; string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if row := "| σ                          | 2.5 (0.5–7.1) |\n"; !strings.Contains(string(got), row) {
		t.Errorf("no row %q in\n%s", row, got)
	}
	if err := os.WriteFile(document, []byte("no marks\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.write(document); err == nil {
		t.Error("a document without marks was written to")
	}
}
