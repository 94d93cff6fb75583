package uplink

import (
	"fmt"
	"path/filepath"
)

// Remove removes items that are delivered; their bytes are deleted. Ids that are
// not there are passed over.
func (b *Outbox) Remove(ids ...string) error {
	_, err := b.remove(ids, delivered)
	return err
}

// Evict removes items although nobody has stored them, and returns how many there
// were. It is for a person who answers for it.
func (b *Outbox) Evict(ids ...string) (int, error) { return b.remove(ids, evicted) }

// The ways out of the outbox are columns of its ledger.
func delivered(l *Ledger) *uint64 { return &l.Delivered }
func expired(l *Ledger) *uint64   { return &l.Expired }
func evicted(l *Ledger) *uint64   { return &l.Evicted }

// remove tells also how many items it removed.
func (b *Outbox) remove(ids []string, as func(*Ledger) *uint64) (int, error) {
	b.write.Lock()
	defer b.write.Unlock()
	var records []found
	for _, id := range ids {
		f, ok, err := b.find(id)
		if err != nil {
			return 0, fmt.Errorf("remove from outbox: %w", err)
		}
		if ok {
			records = append(records, f)
		}
	}
	n, err := b.drop(records, as)
	if err != nil {
		return n, fmt.Errorf("remove from outbox: %w", err)
	}
	return n, nil
}

// drop removes records, and then their files: a file without a record is swept
// away when opening. It returns how many it removed.
func (b *Outbox) drop(records []found, as func(*Ledger) *uint64) (int, error) {
	if err := b.unbroken(); err != nil || len(records) == 0 {
		return 0, err
	}
	c := change{sum: b.sum}
	for _, f := range records {
		if c.removes(f.seq) {
			continue
		}
		c.remove = append(c.remove, f.record)
		c.sum.take(f)
		*as(&c.sum.Ledger)++
	}
	if err := b.commit(c); err != nil {
		return 0, err
	}
	for _, r := range c.remove {
		if err := removeFile(filepath.Join(b.dir, fileName(r.seq, r.id))); err != nil {
			return len(c.remove), b.breakDown(err)
		}
	}
	if err := b.slim(); err != nil {
		return len(c.remove), err
	}
	b.ballast.restore(b.cfg.MinFree)
	return len(c.remove), nil
}

// take takes a record off the sums.
func (t *totals) take(f found) {
	t.bytes -= uint64(f.size())
	if f.aside {
		t.aside--
	} else {
		t.items--
	}
}

func (c change) removes(seq uint64) bool {
	for _, r := range c.remove {
		if r.seq == seq {
			return true
		}
	}
	return false
}
