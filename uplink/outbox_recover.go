package uplink

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/google/uuid"
)

// rebuild makes an index from the files. Every whole file is taken in, a leftover
// of a removed item too: it is sent again rather than lost.
func (b *Outbox) rebuild(path string, files []string, saved damageError, report *OpenReport) error {
	c := contents{items: map[uint64]record{}, used: saved.used}
	known := map[uuid.UUID]bool{}
	if c.used == nil {
		c.used = counters{}
	}
	for _, name := range files {
		if seq, _, ok := parseFileName(name); ok {
			c.last = max(c.last, seq)
		}
		r, ok, err := b.inspect(name, known, report)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		known[r.id] = true
		c.items[r.seq] = r
		c.used.raise(r.day, r.task, int(r.ordinal))
		c.sum.items++
		c.sum.bytes += uint64(r.size())
	}
	if report.Rebuilt != "" {
		report.Adopted = len(c.items)
	}
	c.sum.counted = c.used.total()
	c.sum.Ledger = saved.ledger.balance(c.sum.items)
	err := createIndex(path, c)
	if noSpace(err) && b.ballast.drop() {
		err = createIndex(path, c)
	}
	return err
}

// balance makes an old ledger agree with what is still there.
func (l Ledger) balance(held uint64) Ledger {
	gone := l.Delivered + l.Expired + l.Evicted + l.Lost
	if l.Accepted > held+gone { // what is missing was there once
		l.Lost += l.Accepted - held - gone
	} else {
		l.Accepted = held + gone
	}
	return l
}

// inspect returns the record of a file, unless the file is damaged, which sets it
// aside, or its id is known, which deletes it.
func (b *Outbox) inspect(name string, known map[uuid.UUID]bool, report *OpenReport) (record, bool, error) {
	path := filepath.Join(b.dir, name)
	r, err := readHead(b.dir, name)
	switch {
	case errors.Is(err, errDamaged), errors.Is(err, io.ErrUnexpectedEOF):
		report.Damaged++
		return record{}, false, os.Rename(path, path+badSuffix)
	case err != nil:
		return record{}, false, err
	case known[r.id]:
		report.Swept++
		return record{}, false, removeFile(path)
	}
	return r, true, nil
}

// reconcile brings a sound index and the files together.
func (b *Outbox) reconcile(has contents, files []string, report *OpenReport) error {
	b.adopt(has)
	c := change{sum: has.sum}
	present := map[uint64]bool{}
	known := has.ids()
	for _, name := range files {
		seq, id, ok := parseFileName(name)
		if r, waiting := has.record(seq); ok && waiting && r.id == id {
			present[seq] = true
			continue
		}
		if err := b.stray(name, has.last, known, &c, report); err != nil {
			return err
		}
	}
	for _, r := range has.without(present) {
		report.Missing++
		c.remove = append(c.remove, r.record)
		c.sum.take(r)
		c.sum.Lost++
	}
	if len(c.add)+len(c.remove) == 0 {
		return nil
	}
	return b.commit(c)
}

// stray deals with a file that the index doesn't know. Above the highest number
// it is an item whose record did not make it into the index, or went with the
// last change that a damaged meta page has undone: it is taken in. At or below,
// it is the leftover of a removal.
func (b *Outbox) stray(name string, last uint64, known map[uuid.UUID]bool, c *change, report *OpenReport) error {
	seq, _, ok := parseFileName(name)
	if ok && seq <= last {
		report.Swept++
		return removeFile(filepath.Join(b.dir, name))
	}
	b.seq = max(b.seq, seq)
	r, ok, err := b.inspect(name, known, report)
	if err != nil || !ok {
		return err
	}
	report.Adopted++
	known[r.id] = true
	before := b.used[r.day][r.task]
	b.used.raise(r.day, r.task, int(r.ordinal))
	c.sum.counted += uint64(b.used[r.day][r.task] - before)
	// The record's own ordinal may be lower than the counter: keep the counter.
	r.ordinal = uint32(b.used[r.day][r.task])
	c.add = append(c.add, r)
	c.sum.items++
	c.sum.Accepted++
	c.sum.bytes += uint64(r.size())
	if r.expires > 0 {
		b.soonest = min(b.soonest, r.expires)
	}
	return nil
}

// record returns what the index knows under a number.
func (c contents) record(seq uint64) (record, bool) {
	if r, ok := c.items[seq]; ok {
		return r, true
	}
	r, ok := c.aside[seq]
	return r, ok
}

// without returns the records whose files are not present.
func (c contents) without(present map[uint64]bool) []found {
	var lost []found
	for _, r := range c.items {
		if !present[r.seq] {
			lost = append(lost, found{record: r})
		}
	}
	for _, r := range c.aside {
		if !present[r.seq] {
			lost = append(lost, found{r, true})
		}
	}
	return lost
}
