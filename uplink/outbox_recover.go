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
func (b *Outbox) rebuild(path string, files []string, used counters, report *OpenReport) error {
	var records []record
	known := map[uuid.UUID]bool{}
	last := uint64(0)
	if used == nil {
		used = counters{}
	}
	for _, name := range files {
		if seq, _, ok := parseFileName(name); ok {
			last = max(last, seq)
		}
		r, ok, err := b.inspect(name, known, report)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		known[r.id] = true
		records = append(records, r)
		used.raise(r.day, r.task, int(r.ordinal))
	}
	if report.Rebuilt != "" {
		report.Adopted = len(records)
	}
	err := createIndex(path, records, used, last)
	if noSpace(err) && b.ballast.drop() {
		err = createIndex(path, records, used, last)
	}
	return err
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
func (b *Outbox) reconcile(found contents, files []string, report *OpenReport) error {
	b.seq, b.sum, b.used = found.last, found.sum, found.used
	c := change{sum: found.sum}
	present := map[uint64]bool{}
	known := found.ids()
	for _, name := range files {
		seq, id, ok := parseFileName(name)
		if r, waiting := found.record(seq); ok && waiting && r.id == id {
			present[seq] = true
			continue
		}
		if err := b.stray(name, found.last, known, &c, report); err != nil {
			return err
		}
	}
	for _, r := range found.without(present) {
		report.Missing++
		c.remove = append(c.remove, r)
		c.sum.bytes -= uint64(r.size())
		if _, waiting := found.items[r.seq]; waiting {
			c.sum.items--
		} else {
			c.sum.aside--
		}
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
	c.sum.bytes += uint64(r.size())
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
func (c contents) without(present map[uint64]bool) []record {
	var lost []record
	for _, records := range []map[uint64]record{c.items, c.aside} {
		for seq, r := range records {
			if !present[seq] {
				lost = append(lost, r)
			}
		}
	}
	return lost
}
