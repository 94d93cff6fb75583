package uplink

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// storeBench is a folder and the key that its stores trust.
type storeBench struct {
	*testing.T
	dir string
	key SigningKey
}

func newStoreBench(t *testing.T) *storeBench {
	return &storeBench{T: t, dir: filepath.Join(t.TempDir(), "orders"), key: seededKey('a')}
}

// open opens the store as a fresh process would.
func (b *storeBench) open() *OrdersStore {
	b.Helper()
	s, err := OpenOrdersStore(b.dir, verifierOf(b.key))
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// version gives signed orders; a word makes others of the same version.
func (b *storeBench) version(n int, word string) []byte {
	b.Helper()
	payload := strings.Replace(string(goodOrders()), `"version":5`, fmt.Sprintf(`"version":%d`, n), 1)
	return signed(b.T, []byte(strings.Replace(payload, `"p"`, `"`+word+`"`, 1)), b.key)
}

func (b *storeBench) accept(s *OrdersStore, envelope []byte) *Orders {
	b.Helper()
	o, err := s.Accept(envelope)
	if err != nil {
		b.Fatal(err)
	}
	return o
}

func (b *storeBench) loaded(version uint64) *OrdersStore {
	b.Helper()
	s := b.open()
	o, err := s.Load()
	if err != nil || o == nil || o.Version != version || s.Current() != o {
		b.Fatalf("load gives %+v (%v), want version %d", o, err, version)
	}
	return s
}

func (b *storeBench) refuses(s *OrdersStore, envelope []byte, want string) {
	b.Helper()
	before := s.Current()
	o, err := s.Accept(envelope)
	if err == nil || err.Error() != want || o != nil {
		b.Errorf("got  %v\nwant %s", err, want)
	}
	if s.Current() != before {
		b.Error("a refusal changed the orders in force")
	}
}

func (b *storeBench) file(name string) string { return filepath.Join(b.dir, name) }

func (b *storeBench) damage(name string) {
	b.Helper()
	data, err := os.ReadFile(b.file(name))
	if err != nil {
		b.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(b.file(name), data, 0o600); err != nil {
		b.Fatal(err)
	}
}

func TestOrdersStoreEmpty(t *testing.T) {
	s := newStoreBench(t).open()
	if o, err := s.Load(); o != nil || err != nil || s.Current() != nil {
		t.Errorf("orders %v, current %v, error %v: want none of them", o, s.Current(), err)
	}
}

func TestOrdersStoreSurvivesRestart(t *testing.T) {
	b := newStoreBench(t)
	s := b.open()
	if o := b.accept(s, b.version(5, "p")); o.Version != 5 || s.Current() != o {
		t.Errorf("accepted %+v, in force %+v", o.Header, s.Current())
	}
	b.accept(b.loaded(5), b.version(6, "p"))
	b.loaded(6)
	for _, name := range []string{"orders.dsse.json", "floor-cph"} {
		if info, err := os.Stat(b.file(name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v, want mode 0600", name, info, err)
		}
	}
	if info, err := os.Stat(b.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v %v, want mode 0700", info, err)
	}
}

func TestOrdersStoreRollback(t *testing.T) {
	b := newStoreBench(t)
	s := b.open()
	b.accept(s, b.version(5, "p"))
	check := func(s *OrdersStore) {
		t.Helper()
		b.refuses(s, b.version(3, "p"), "orders version 3 is not newer than 5 in force")
		b.refuses(s, b.version(5, "other"), "orders version 5 is not newer than 5 in force, and its contents differ; raise gadeblik.version")
	}
	check(s)
	check(b.loaded(5))
	check(b.open()) // before Load too
}

func TestOrdersStoreRollbackWhenTheFileIsLost(t *testing.T) {
	for name, lose := range map[string]func(b *storeBench){
		"removed": func(b *storeBench) {
			if err := os.Remove(b.file("orders.dsse.json")); err != nil {
				b.Fatal(err)
			}
		},
		"damaged":   func(b *storeBench) { b.damage("orders.dsse.json") },
		"cut short": func(b *storeBench) { _ = os.Truncate(b.file("orders.dsse.json"), 40) },
		"emptied":   func(b *storeBench) { _ = os.Truncate(b.file("orders.dsse.json"), 0) },
		"older one put back": func(b *storeBench) {
			if err := os.WriteFile(b.file("orders.dsse.json"), b.version(4, "p"), 0o600); err != nil {
				b.Fatal(err)
			}
		},
		"same version, other contents": func(b *storeBench) {
			if err := os.WriteFile(b.file("orders.dsse.json"), b.version(5, "other"), 0o600); err != nil {
				b.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newStoreBench(t)
			b.accept(b.open(), b.version(5, "p"))
			lose(b)
			s := b.open()
			o, err := s.Load()
			if err == nil || !strings.HasPrefix(err.Error(), "load orders: "+b.file("orders.dsse.json")+": ") ||
				!strings.HasSuffix(err.Error(), "; send version 5 again, or a newer one") || o != nil || s.Current() != nil {
				t.Errorf("load: %v %v", o, err)
			}
			b.refuses(s, b.version(4, "p"), "orders version 4 is not newer than 5 in force")
			b.accept(s, b.version(5, "p"))
			b.loaded(5)
		})
	}
}

func TestOrdersStoreFloor(t *testing.T) {
	b := newStoreBench(t)
	b.accept(b.open(), b.version(5, "p"))
	old, err := os.ReadFile(b.file("floor-cph"))
	if err != nil {
		t.Fatal(err)
	}
	b.accept(b.loaded(5), b.version(6, "p"))

	// A power cut between the orders and their floor.
	if err := os.WriteFile(b.file("floor-cph"), old, 0o600); err != nil {
		t.Fatal(err)
	}
	b.refuses(b.loaded(6), b.version(5, "p"), "orders version 5 is not newer than 6 in force")

	// A lost floor comes back from the signed file.
	b.damage("floor-cph")
	b.refuses(b.loaded(6), b.version(5, "p"), "orders version 5 is not newer than 6 in force")
	b.refuses(b.open(), b.version(5, "p"), "orders version 5 is not newer than 6 in force")
	if err := os.WriteFile(b.file("floor-cph"), []byte("99999 x y"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.loaded(6)
	if err := os.WriteFile(b.file("floor-cph"), bytes.Repeat([]byte("9"), 2000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenOrdersStore(b.dir, verifierOf(b.key)); err == nil {
		b.Error("opened with an absurd floor file")
	}
}

func TestOrdersStoreCountsVersionsByFleet(t *testing.T) {
	b := newStoreBench(t)
	b.accept(b.open(), b.version(5, "p"))
	v := verifierOf(b.key)
	v.Fleet = "aarhus"
	s, err := OpenOrdersStore(b.dir, v)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(); err == nil || !strings.Contains(err.Error(), `is for fleet "cph", this vehicle belongs to "aarhus"; send the orders again`) {
		t.Errorf("load: %v", err)
	}
	moved := strings.NewReplacer(`"version":5`, `"version":2`, `"cph"`, `"aarhus"`).Replace(string(goodOrders()))
	b.accept(s, signed(t, []byte(moved), b.key))
	b.refuses(b.open(), b.version(4, "p"), "orders version 4 is not newer than 5 in force")
}

func TestOrdersStoreSameOrdersAgain(t *testing.T) {
	b := newStoreBench(t)
	s := b.open()
	first := b.accept(s, b.version(5, "p"))
	before, err := os.Stat(b.file("orders.dsse.json"))
	if err != nil {
		t.Fatal(err)
	}
	if again := b.accept(s, b.version(5, "p")); again != first {
		t.Error("the same orders came into force a second time")
	}
	// A second signature is another envelope around the same orders.
	if again := b.accept(s, signed(t, first.Payload, b.key, seededKey('b'))); again != first {
		t.Error("the same orders in another envelope came into force a second time")
	}
	if after, err := os.Stat(b.file("orders.dsse.json")); err != nil || !os.SameFile(before, after) {
		t.Errorf("the file was written again (%v)", err)
	}
}

func TestOrdersStoreKeepsTheLastGood(t *testing.T) {
	b := newStoreBench(t)
	s := b.open()
	b.accept(s, b.version(5, "p"))
	stranger := signed(t, bytes.Replace(goodOrders(), []byte(`"version":5`), []byte(`"version":9`), 1), seededKey('x'))
	b.refuses(s, stranger, "verify orders: signed by 0 of the trusted keys, 1 needed (trusted: "+b.key.Public().ID()+")")
	b.refuses(s, []byte("garbage"), "verify orders: the envelope is not proper JSON: line 1, column 1: invalid character 'g' looking for beginning of value")
	b.refuses(s, b.version(6, "p")[:300], "verify orders: the envelope is not proper JSON: line 1, column 300: unexpected end of JSON input")
	b.loaded(5)

	if err := os.Chmod(b.dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.Chmod(b.dir, 0o700) }()
	if os.Geteuid() != 0 {
		if _, err := s.Accept(b.version(6, "p")); err == nil || s.Current().Version != 5 {
			t.Errorf("unwritable folder: %v, in force %d", err, s.Current().Version)
		}
	}
}

func TestOrdersStoreFullDisk(t *testing.T) {
	b := newStoreBench(t)
	s := b.open()
	b.accept(s, b.version(5, "p"))
	// A folder in the way of the file stands for every failure to write it.
	if err := errors.Join(os.Remove(b.file("orders.dsse.json")), os.MkdirAll(b.file("orders.dsse.json/x"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Accept(b.version(6, "p")); err == nil || !strings.HasPrefix(err.Error(), "store orders version 6: ") || s.Current().Version != 5 {
		t.Errorf("got %v, in force %d", err, s.Current().Version)
	}
	if left, _ := filepath.Glob(b.file("*.tmp")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.RemoveAll(b.file("orders.dsse.json")); err != nil {
		t.Fatal(err)
	}
	b.accept(s, b.version(6, "p"))
	b.loaded(6)
}

func TestOrdersStoreVerifiesOnLoad(t *testing.T) {
	b := newStoreBench(t)
	b.accept(b.open(), b.version(5, "p"))
	b.key = seededKey('b') // the old key is trusted no more
	s := b.open()
	if o, err := s.Load(); o != nil || err == nil || !strings.Contains(err.Error(), "signed by 0 of the trusted keys") || s.Current() != nil {
		t.Errorf("load: %v %v", o, err)
	}
}

func TestOrdersStoreAfterPowerCutWhileWriting(t *testing.T) {
	b := newStoreBench(t)
	b.accept(b.open(), b.version(5, "p"))
	for _, name := range []string{"orders.dsse.json.tmp", "floor-cph.tmp"} {
		if err := os.WriteFile(b.file(name), b.version(6, "p")[:300], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.accept(b.loaded(5), b.version(6, "p"))
	b.loaded(6)
	if left, _ := filepath.Glob(b.file("*.tmp")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOpenOrdersStoreMistakes(t *testing.T) {
	good := verifierOf(seededKey('a'))
	bad := good
	bad.Fleet = "../x"
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, dir string
		verifier  Verifier
	}{
		{"no verifier", t.TempDir(), Verifier{}},
		{"fleet name", t.TempDir(), bad},
		{"not a folder", filepath.Join(file, "x"), good},
		{"no folder", "", good},
	} {
		if s, err := OpenOrdersStore(tt.dir, tt.verifier); err == nil || s != nil {
			t.Errorf("%s: opened", tt.name)
		}
	}
}

func TestOrdersStoreManyAtOnce(t *testing.T) {
	b := newStoreBench(t)
	s := b.open()
	var envelopes [][]byte
	for n := 1; n <= 20; n++ {
		envelopes = append(envelopes, b.version(n, "p"))
	}
	var wg sync.WaitGroup
	for _, e := range envelopes {
		wg.Go(func() {
			_, _ = s.Accept(e) // older than another one's is refused
			s.Current()
		})
	}
	wg.Wait()
	if v := s.Current().Version; v != 20 {
		t.Errorf("version %d in force, want the newest", v)
	}
	b.loaded(20)
}
