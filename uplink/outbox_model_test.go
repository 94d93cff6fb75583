package uplink

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// model is what an outbox must be, written as simply as possible.
type model struct {
	waiting, aside []int // numbers of payloads, in order
	used           map[string]int
}

// TestOutboxModel compares an outbox with the model after arbitrary operations,
// restarts and losses of the index among them.
func TestOutboxModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "outbox")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		m := model{used: map[string]int{}}
		cfg := OutboxConfig{MaxItems: 8, MinFree: noReserve, MaxRefusals: 2, CommitEvery: 3, CommitAfter: time.Hour}
		open := func() *Outbox {
			b, _, err := OpenOutbox(dir, cfg)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		b := open()
		defer func() { b.Close() }()
		number := rapid.IntRange(0, 12)
		refusals := map[int]int{}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				n := number.Draw(t, "n")
				err := putPayload(b, n)
				if slices.Contains(m.waiting, n) || slices.Contains(m.aside, n) {
					if err != nil {
						t.Fatal(err)
					}
					return
				}
				if full := len(m.waiting)+len(m.aside) >= cfg.MaxItems; full != errors.Is(err, ErrFull) || !full && err != nil {
					t.Fatalf("full is %v, got %v", full, err)
				}
				if err == nil {
					m.waiting = append(m.waiting, n)
					m.used[fmt.Sprint("task-", n%2)]++
				}
			},
			"remove": func(t *rapid.T) {
				n, k := number.Draw(t, "n"), number.Draw(t, "k")
				if err := b.Remove(testID(n).String(), testID(k).String()); err != nil {
					t.Fatal(err)
				}
				gone := func(x int) bool { return x == n || x == k }
				m.waiting, m.aside = slices.DeleteFunc(m.waiting, gone), slices.DeleteFunc(m.aside, gone)
				delete(refusals, n)
				delete(refusals, k)
			},
			"refuse": func(t *rapid.T) {
				n := number.Draw(t, "n")
				if _, err := b.Refuse(testID(n).String(), "no"); err != nil {
					t.Fatal(err)
				}
				if !slices.Contains(m.waiting, n) {
					return
				}
				if refusals[n]++; refusals[n] == cfg.MaxRefusals {
					m.setAside(n)
				}
			},
			"quarantine": func(t *rapid.T) {
				n := number.Draw(t, "n")
				if err := b.Quarantine(testID(n).String(), "odd"); err != nil {
					t.Fatal(err)
				}
				m.setAside(n)
			},
			"requeue": func(t *rapid.T) {
				n, err := b.Requeue()
				if n != len(m.aside) || err != nil {
					t.Fatalf("got %d, %v, want %d", n, err, len(m.aside))
				}
				for _, n := range m.aside {
					delete(refusals, n)
				}
				m.merge()
			},
			"reopen": func(t *rapid.T) {
				b.Close()
				b = open()
			},
			"": func(t *rapid.T) { m.check(t, b) },
		})
		// The files alone suffice: everything waits again, in the old order.
		b.Close()
		if err := os.Remove(dir + "/" + indexName); err != nil {
			t.Fatal(err)
		}
		b = open()
		m.merge()
		for task := range m.used { // counters of what is gone are gone too
			m.used[task] = 0
		}
		for _, n := range m.waiting {
			m.used[fmt.Sprint("task-", n%2)] = -1
		}
		m.check(t, b)
	})
}

// setAside moves a number; merge moves all back to their places.
func (m *model) setAside(n int) {
	if i := slices.Index(m.waiting, n); i >= 0 {
		m.waiting = slices.Delete(m.waiting, i, i+1)
		m.aside = append(m.aside, n)
	}
}

func (m *model) merge() {
	m.waiting, m.aside = append(m.waiting, m.aside...), nil
}

func (m *model) check(t *rapid.T, b *Outbox) {
	items, err := b.Next(Item{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, it := range items {
		if i > 0 && it.Seq <= items[i-1].Seq {
			t.Fatalf("item %d follows %d", it.Seq, items[i-1].Seq)
		}
		got = append(got, it.ID)
		if _, _, err := b.Load(it); err != nil {
			t.Fatal(err)
		}
	}
	var want []string
	for _, n := range m.waiting {
		want = append(want, testID(n).String())
	}
	// Items that were aside are back at their old places; the model has them at the end.
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(got, want); diff != "" {
		t.Fatalf("items differ (-got +want):\n%s", diff)
	}
	if s := b.Stats(); s.Items != len(m.waiting) || s.Aside != len(m.aside) {
		t.Fatalf("got %+v, want %d and %d", s, len(m.waiting), len(m.aside))
	}
	if !func() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.sum.balanced() }() {
		t.Fatalf("the ledger does not add up: %+v", b.Stats())
	}
	for task, n := range m.used {
		if got := usedOn(b, "2026-05-04")[task]; n >= 0 && got < n || n < 0 && got < 1 {
			t.Fatalf("used by %s: got %d, want %d", task, got, n)
		}
	}
	files, err := os.ReadDir(b.dir)
	if err != nil || len(files) != len(m.waiting)+len(m.aside) {
		t.Fatalf("%d files for %d items, %v", len(files), len(m.waiting)+len(m.aside), err)
	}
}
