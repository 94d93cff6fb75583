package uplink

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
)

// counters are how many observations were accepted, by day, then task.
type counters map[string]map[string]int

// raise sets a counter unless it is higher already.
func (c counters) raise(day, task string, n int) {
	tasks := c[day]
	if tasks == nil {
		tasks = map[string]int{}
		c[day] = tasks
	}
	tasks[task] = max(tasks[task], n)
}

// total returns the sum of all counters.
func (c counters) total() uint64 {
	sum := 0
	for _, tasks := range c {
		for _, n := range tasks {
			sum += n
		}
	}
	return uint64(sum)
}

// contents is all that an index says.
type contents struct {
	items, aside map[uint64]record
	used         counters
	sum          totals
	last         uint64 // highest sequence number ever given
}

// load reads the whole index and holds it against itself: every record, every
// counter, the ids, the sums. An error means that it is damaged.
func (x index) load() (c contents, err error) {
	c = contents{items: map[uint64]record{}, aside: map[uint64]record{}, used: counters{}}
	err = x.view(func(tx *bbolt.Tx) error {
		for _, name := range buckets {
			if tx.Bucket([]byte(name)) == nil {
				return fmt.Errorf("%w: bucket %s is missing", errIndex, name)
			}
		}
		c.last = tx.Bucket([]byte(bucketItems)).Sequence()
		if err := errors.Join(loadRecords(tx, bucketItems, &c, c.items), loadRecords(tx, bucketAside, &c, c.aside)); err != nil {
			return err
		}
		if err := loadIDs(tx, c); err != nil {
			return err
		}
		if err := loadUsed(tx, c.used); err != nil {
			return err
		}
		c.sum.counted = c.used.total()
		stored, err := decodeTotals(tx.Bucket([]byte(bucketTotals)).Get([]byte(totalsKey)))
		if err != nil {
			return fmt.Errorf("%w: %w", errIndex, err)
		}
		c.sum.Ledger = stored.Ledger
		if stored != c.sum {
			return fmt.Errorf("index is damaged: it holds %d+%d items, %d bytes, and should hold %d+%d, %d",
				c.sum.items, c.sum.aside, c.sum.bytes, stored.items, stored.aside, stored.bytes)
		}
		if !stored.balanced() {
			return fmt.Errorf("%w: its ledger does not add up: %+v", errIndex, stored)
		}
		return nil
	})
	return c, err
}

func loadRecords(tx *bbolt.Tx, bucket string, c *contents, into map[uint64]record) error {
	return tx.Bucket([]byte(bucket)).ForEach(func(k, v []byte) error {
		r, err := decodeKeyed(k, v)
		if err != nil {
			return err
		}
		if r.seq > c.last {
			return fmt.Errorf("%w: item %d lies above the highest number %d", errIndex, r.seq, c.last)
		}
		into[r.seq] = r
		c.sum.bytes += uint64(r.size())
		if bucket == bucketItems {
			c.sum.items++
		} else {
			c.sum.aside++
		}
		return nil
	})
}

// loadIDs checks that ids and records are the same set.
func loadIDs(tx *bbolt.Tx, c contents) error {
	ids := tx.Bucket([]byte(bucketIDs))
	n := 0
	err := ids.ForEach(func(_, _ []byte) error { n++; return nil })
	if err != nil {
		return err
	}
	if want := len(c.items) + len(c.aside); n != want {
		return fmt.Errorf("%w: %d ids for %d items", errIndex, n, want)
	}
	for _, records := range []map[uint64]record{c.items, c.aside} {
		for seq, r := range records {
			if !bytes.Equal(ids.Get(r.id[:]), r.place().key()) {
				return fmt.Errorf("%w: the id of item %d is not listed", errIndex, seq)
			}
		}
	}
	return nil
}

func loadUsed(tx *bbolt.Tx, used counters) error {
	return tx.Bucket([]byte(bucketUsed)).ForEach(func(k, v []byte) error {
		n, err := decodeCounter(k, v)
		if err != nil {
			return fmt.Errorf("%w: %w", errIndex, err)
		}
		day, task, _ := bytes.Cut(k, []byte{0})
		used.raise(string(day), string(task), int(n))
		return nil
	})
}

// salvage returns the counters and the ledger of a damaged index as far as they
// can be read, and whether all could be.
func (x index) salvage() (counters, Ledger, bool) {
	used, ledger := counters{}, Ledger{}
	err := x.view(func(tx *bbolt.Tx) error {
		if tx.Bucket([]byte(bucketTotals)) == nil || tx.Bucket([]byte(bucketUsed)) == nil {
			return errors.New("no counters")
		}
		sum, err := decodeTotals(tx.Bucket([]byte(bucketTotals)).Get([]byte(totalsKey)))
		ledger = sum.Ledger
		return errors.Join(err, loadUsed(tx, used))
	})
	return used, ledger, err == nil
}

// ids returns the ids of all records.
func (c contents) ids() map[uuid.UUID]bool {
	ids := make(map[uuid.UUID]bool, len(c.items)+len(c.aside))
	for _, records := range []map[uint64]record{c.items, c.aside} {
		for _, r := range records {
			ids[r.id] = true
		}
	}
	return ids
}
