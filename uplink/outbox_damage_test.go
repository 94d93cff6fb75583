package uplink

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// filledOutbox makes an outbox with n items and some history, and closes it.
func filledOutbox(t testing.TB, dir string, n int) {
	t.Helper()
	b, _, err := OpenOutbox(dir, OutboxConfig{MinFree: noReserve})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n + 3 {
		if err := putPayload(b, i); err != nil {
			t.Fatal(err)
		}
	}
	// The first three are delivered, so that a fresh start would be noticed.
	if err := b.Remove(testID(0).String(), testID(1).String(), testID(2).String()); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

func numbers(from, to int) []int {
	var out []int
	for n := from; n < to; n++ {
		out = append(out, n)
	}
	return out
}

// TestOutboxSurvivesDamage flips bits of the index and cuts it short, all over the
// place: nothing that was accepted may be missing afterwards.
func TestOutboxSurvivesDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const n = 60
	filledOutbox(t, dir, n)
	path := filepath.Join(dir, indexName)
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	newest, err := newestMeta(bytes.NewReader(sound))
	if err != nil {
		t.Fatal(err)
	}
	used := int(newest.pages) * pageSize // the rest of the file is empty yet
	rng := rand.New(rand.NewPCG(7, 7))
	rounds := 160
	if testing.Short() {
		rounds = 60
	}
	rebuilt := 0
	for round := range rounds {
		index := bytes.Clone(sound)
		switch round % 4 {
		case 0: // cut
			index = index[:rng.IntN(used)]
		case 1: // one bit in the head of a page, which is where it hurts
			page := rng.IntN(used / pageSize)
			index[page*pageSize+rng.IntN(96)] ^= 1 << rng.IntN(8)
		case 2: // a page of noise
			page := rng.IntN(used / pageSize)
			for i := range pageSize {
				index[page*pageSize+i] = byte(rng.Uint32())
			}
		case 3: // one bit anywhere
			index[rng.IntN(used)] ^= 1 << rng.IntN(8)
		}
		if err := os.WriteFile(path, index, 0o600); err != nil {
			t.Fatal(err)
		}
		b, report, err := OpenOutbox(dir, OutboxConfig{MinFree: noReserve})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if report.Rebuilt != "" {
			rebuilt++
			if !strings.HasPrefix(report.Rebuilt, "index is damaged: ") {
				t.Errorf("round %d: %s", round, report.Rebuilt)
			}
		}
		checkPayloads(t, b, numbers(3, n+3)...)
		if u := usedOn(b, "2026-05-04"); u["task-0"]+u["task-1"] < n+3 && !report.UsedUncertain {
			t.Errorf("round %d: counters are %v and said to be right", round, u)
		}
		// And it works: a new item gets a place behind all others.
		if err := errors.Join(putPayload(b, 1000), b.Remove(testID(1000).String()), b.Close()); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	t.Logf("%d rounds, index made anew in %d", rounds, rebuilt)
	kept, err := filepath.Glob(path + badSuffix + "*")
	if err != nil || len(kept) != keepDamaged {
		t.Errorf("%d damaged indexes are kept, want %d (%v)", len(kept), keepDamaged, err)
	}
}

// TestOutboxNoticesVanishedEntries takes the last entry off each page, and off
// each small bucket within a page: a flipped bit in a count can do that, and
// nothing else in the file would look wrong.
func TestOutboxNoticesVanishedEntries(t *testing.T) {
	dir := t.TempDir()
	const n = 60
	filledOutbox(t, dir, n)
	path := filepath.Join(dir, indexName)
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var counts []int // offsets of counts
	for at := 2 * pageSize; at < len(sound); at += pageSize {
		page := sound[at : at+pageSize]
		if binary.NativeEndian.Uint16(page[8:]) != pageLeaf {
			continue
		}
		counts = append(counts, at+10)
		entries, err := elements(page, bounds{}, true)
		if err != nil {
			continue // a page that is no longer used
		}
		for _, e := range entries {
			if e.flags == bucketFlag && binary.NativeEndian.Uint64(e.value) == 0 {
				counts = append(counts, at+bytes.Index(page, e.value)+bucketHead+10)
			}
		}
	}
	rebuilt := 0
	for _, at := range counts {
		index := bytes.Clone(sound)
		if index[at]--; sound[at] == 0 {
			continue
		}
		if err := os.WriteFile(path, index, 0o600); err != nil {
			t.Fatal(err)
		}
		b, report := openTestOutbox(t, dir, OutboxConfig{})
		checkPayloads(t, b, numbers(3, n+3)...)
		if used := usedOn(b, "2026-05-04"); used["task-0"]+used["task-1"] != n+3 && !report.UsedUncertain {
			t.Errorf("offset %d: counters are %v and said to be right", at, used)
		}
		if report.Rebuilt != "" {
			rebuilt++
		}
		b.Close()
	}
	if rebuilt < 4 {
		t.Errorf("%d of %d were noticed", rebuilt, len(counts))
	}
	t.Logf("%d counts lowered, %d noticed, the others on pages out of use", len(counts), rebuilt)
}

// TestOutboxLosesItsYoungestMeta: a damaged meta page takes bbolt back by one
// change without a word. If that was an acceptance, the file has it.
func TestOutboxLosesItsYoungestMeta(t *testing.T) {
	dir := t.TempDir()
	b, _ := openTestOutbox(t, dir, OutboxConfig{CommitEvery: 1})
	for n := range 10 {
		if err := putPayload(b, n); err != nil {
			t.Fatal(err)
		}
	}
	b.Close()
	path := filepath.Join(dir, indexName)
	index, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m0, ok0 := parseMeta(index[pageHead:])
	m1, ok1 := parseMeta(index[pageSize+pageHead:])
	if !ok0 || !ok1 {
		t.Fatal("a meta page is not valid")
	}
	page := 0
	if m1.tx > m0.tx {
		page = pageSize
	}
	index[page+pageHead+20] ^= 1
	if err := os.WriteFile(path, index, 0o600); err != nil {
		t.Fatal(err)
	}
	b, report := openTestOutbox(t, dir, OutboxConfig{})
	if report != (OpenReport{Items: 10, Adopted: 1}) {
		t.Errorf("got %+v", report)
	}
	checkPayloads(t, b, numbers(0, 10)...)
	if used := usedOn(b, "2026-05-04"); used["task-0"] != 5 || used["task-1"] != 5 {
		t.Errorf("used: got %v", used)
	}
}

func TestOutboxWithoutIndex(t *testing.T) {
	dir := t.TempDir()
	filledOutbox(t, dir, 5)
	if err := os.Remove(filepath.Join(dir, indexName)); err != nil {
		t.Fatal(err)
	}
	b, report := openTestOutbox(t, dir, OutboxConfig{})
	want := OpenReport{Items: 5, Adopted: 5, Rebuilt: "the index was missing", UsedUncertain: true}
	if report != want {
		t.Errorf("got %+v, want %+v", report, want)
	}
	checkPayloads(t, b, numbers(3, 8)...)
	// Each file knows the how manieth of its task it was.
	if used := usedOn(b, "2026-05-04"); used["task-0"] != 4 || used["task-1"] != 4 {
		t.Errorf("used: got %v", used)
	}
}

func TestOutboxSweeps(t *testing.T) {
	dir := t.TempDir()
	b, _ := openTestOutbox(t, dir, OutboxConfig{})
	for n := range 4 {
		if err := putPayload(b, n); err != nil {
			t.Fatal(err)
		}
	}
	left := filepath.Join(b.dir, fileName(1, testID(0))) // as after a crash while removing
	content, err := os.ReadFile(left)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Remove(testID(0).String()); err != nil {
		t.Fatal(err)
	}
	b.Close()
	for path, data := range map[string][]byte{
		left: content,
		filepath.Join(b.dir, fileName(9, testID(9))+tmpSuffix): content,       // as after a crash while writing
		filepath.Join(b.dir, fileName(9, testID(9))):           content,       // a stranger in our clothes
		filepath.Join(b.dir, fileName(10, testID(10))):         content[:100], // cut
	} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(b.dir, fileName(3, testID(2)))); err != nil {
		t.Fatal(err)
	}
	b, report := openTestOutbox(t, dir, OutboxConfig{})
	if want := (OpenReport{Items: 2, Swept: 2, Missing: 1, Damaged: 2}); report != want {
		t.Errorf("got %+v, want %+v", report, want)
	}
	if b.seq != 10 {
		t.Errorf("the next number is %d: it may be given twice", b.seq+1)
	}
	checkPayloads(t, b, 1, 3)
}

// TestLoadNoticesDamage: no flipped bit of a file goes unnoticed.
func TestLoadNoticesDamage(t *testing.T) {
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	if err := b.put(record{id: testID(1), day: "d", task: "t"}, []byte(`{"a":1}`), []byte("picture")); err != nil {
		t.Fatal(err)
	}
	items, err := b.Next(Item{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(b.dir, fileName(1, testID(1)))
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if o, e, err := b.Load(items[0]); !errors.Is(err, errDamaged) {
			t.Fatalf("%s: got %q, %q, %v", what, o, e, err)
		}
	}
	for bit := range 8 * len(sound) {
		data := bytes.Clone(sound)
		data[bit/8] ^= 1 << (bit % 8)
		try("flipped", data)
	}
	for n := range sound {
		try("cut", sound[:n])
	}
	try("longer", append(bytes.Clone(sound), 0))
}

// FuzzCheckIndex holds the check to its promise: what it passes, bbolt can open
// and read to the end.
func FuzzCheckIndex(f *testing.F) {
	dir := f.TempDir()
	filledOutbox(f, dir, 40)
	sound, err := os.ReadFile(filepath.Join(dir, indexName))
	if err != nil {
		f.Fatal(err)
	}
	if err := checkIndex(bytes.NewReader(sound), int64(len(sound))); err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(0), []byte{0})
	f.Add(uint32(3*pageSize), []byte{3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 9, 0})
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		index := bytes.Clone(sound)
		copy(index[int(at)%len(index):], patch)
		if checkIndex(bytes.NewReader(index), int64(len(index))) != nil {
			return
		}
		path := filepath.Join(memoryDir(t), "x")
		if err := os.WriteFile(path, index, 0o600); err != nil {
			t.Fatal(err)
		}
		x, err := openBolt(path)
		if err != nil {
			t.Fatalf("passed, and can't be opened: %v", err)
		}
		x.load() // an error is what its checksums are for; a crash is not
		x.db.Close()
	})
}
