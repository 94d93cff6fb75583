package uplink

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
)

// The buckets of the index. The sequence of the items' bucket is the highest
// number ever given to an item.
const (
	bucketItems  = "items" // place -> record, waiting
	bucketAside  = "aside" // place -> record, set aside
	bucketIDs    = "ids"   // id -> place, of both
	bucketUsed   = "used"  // day and task -> how many were accepted
	bucketTotals = "totals"
	totalsKey    = "totals"
)

var buckets = []string{bucketItems, bucketAside, bucketIDs, bucketUsed, bucketTotals}

const (
	pageSize = 4096
	// mapSize is address space, not memory. While the index fits, a reader never
	// blocks a writer that makes it grow.
	mapSize = 64 << 20
	// maxIndex keeps the index mappable on computers with 32 bits; 100,000 items
	// need 30 MB.
	maxIndex = 128 << 20
	// growth is how much the file of the index grows at a time: bbolt's own 16 MB
	// are too much for a card that fills up.
	growth = 1 << 20
	// lockTimeout is how long another process may take to let go.
	lockTimeout = 2 * time.Second
)

// errIndex marks an index that is not what was written.
var errIndex = errors.New("index is damaged")

// index is the bbolt file. Its methods return an error where bbolt would panic
// on a damaged page.
type index struct{ db *bbolt.DB }

// guard turns a panic, and a fault of a mapped page, into an error.
func guard(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errIndex, r)
		}
	}()
	return do()
}

func openBolt(path string) (x index, err error) {
	err = guard(func() error {
		x.db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout:         lockTimeout,
			PageSize:        pageSize,
			InitialMmapSize: mapSize,
			MaxSize:         maxIndex,
			FreelistType:    bbolt.FreelistMapType,
			NoStatistics:    true,
		})
		return err
	})
	if err != nil {
		return index{}, err
	}
	x.db.AllocSize = growth
	return x, nil
}

// createIndex makes an index with this content. It appears under its name only
// when it is whole: a power cut while bbolt lays out a new file would leave one
// that does not open.
func createIndex(path string, c contents) error {
	tmp := path + tmpSuffix
	if err := removeFile(tmp); err != nil {
		return err
	}
	x, err := openBolt(tmp)
	if err != nil {
		return err
	}
	err = x.fill(c)
	if err = errors.Join(err, x.db.Close()); err != nil {
		return errors.Join(err, removeFile(tmp))
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return flushDir(filepath.Dir(path))
}

// fillBatch is how many records are written in one transaction: within one, bbolt
// keeps a page's entries in one sorted list, however many there are.
const fillBatch = 1000

func (x index) fill(c contents) error {
	err := x.update(func(tx *bbolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		var errs []error
		for day, tasks := range c.used {
			for task, n := range tasks {
				k := counterKey(day, task)
				errs = append(errs, tx.Bucket([]byte(bucketUsed)).Put(k, encodeCounter(k, uint32(n))))
			}
		}
		errs = append(errs, tx.Bucket([]byte(bucketItems)).SetSequence(c.last),
			tx.Bucket([]byte(bucketTotals)).Put([]byte(totalsKey), c.sum.encode()))
		return errors.Join(errs...)
	})
	return errors.Join(err, x.fillRecords(bucketItems, c.items), x.fillRecords(bucketAside, c.aside))
}

func (x index) fillRecords(bucket string, records map[uint64]record) error {
	sorted := slices.SortedFunc(maps.Values(records), func(p, q record) int { return p.place().compare(q.place()) })
	for batch := range slices.Chunk(sorted, fillBatch) {
		err := x.update(func(tx *bbolt.Tx) error {
			var errs []error
			for _, r := range batch {
				errs = append(errs, tx.Bucket([]byte(bucket)).Put(r.place().key(), r.encode()),
					tx.Bucket([]byte(bucketIDs)).Put(r.id[:], r.place().key()))
			}
			return errors.Join(errs...)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// close closes the index. After a fault within a change bbolt's own lock stays
// locked, and closing would wait for ever: then the file is left to the kernel.
func (x index) close() error {
	closed := make(chan error, 1)
	go func() { closed <- guard(x.db.Close) }()
	select {
	case err := <-closed:
		return err
	case <-time.After(lockTimeout):
		return errors.New("the index does not close after a fault; restart the process before opening it again")
	}
}

func (x index) update(do func(*bbolt.Tx) error) error {
	return guard(func() error { return x.db.Update(do) })
}

// view runs do on a snapshot. Nothing read may be kept without a copy.
func (x index) view(do func(*bbolt.Tx) error) error {
	return guard(func() error { return x.db.View(do) })
}

// change is one transaction on the index: what it adds, moves and removes.
type change struct {
	add    []record // to the items that wait
	aside  []record // from there to those set aside, or to be written anew there
	back   []record // from those set aside to those that wait
	remove []record
	renew  []record // waiting items whose record has changed
	forget [][]byte // keys of counters
	sum    totals   // after the change
}

// apply makes a change durable, all of it or nothing.
func (x index) apply(c change) error {
	return x.update(func(tx *bbolt.Tx) error {
		items, aside := tx.Bucket([]byte(bucketItems)), tx.Bucket([]byte(bucketAside))
		ids, used := tx.Bucket([]byte(bucketIDs)), tx.Bucket([]byte(bucketUsed))
		var errs []error
		last := items.Sequence()
		for _, r := range c.add {
			k := counterKey(r.day, r.task)
			errs = append(errs, items.Put(r.place().key(), r.encode()), ids.Put(r.id[:], r.place().key()),
				used.Put(k, encodeCounter(k, r.ordinal)))
			last = max(last, r.seq)
		}
		errs = append(errs, items.SetSequence(last))
		for _, r := range c.renew {
			errs = append(errs, items.Put(r.place().key(), r.encode()))
		}
		for _, r := range c.aside {
			errs = append(errs, items.Delete(r.place().key()), aside.Put(r.place().key(), r.encode()))
		}
		for _, r := range c.back {
			errs = append(errs, aside.Delete(r.place().key()), items.Put(r.place().key(), r.encode()))
		}
		for _, r := range c.remove {
			errs = append(errs, items.Delete(r.place().key()), aside.Delete(r.place().key()), ids.Delete(r.id[:]))
		}
		for _, k := range c.forget {
			errs = append(errs, used.Delete(k))
		}
		errs = append(errs, tx.Bucket([]byte(bucketTotals)).Put([]byte(totalsKey), c.sum.encode()))
		return errors.Join(errs...)
	})
}

// find returns the record of an id, and whether it is set aside.
func (x index) find(id uuid.UUID) (r record, aside, ok bool, err error) {
	err = x.view(func(tx *bbolt.Tx) error {
		k := tx.Bucket([]byte(bucketIDs)).Get(id[:])
		if k == nil {
			return nil
		}
		data := tx.Bucket([]byte(bucketItems)).Get(k)
		if data == nil {
			data, aside = tx.Bucket([]byte(bucketAside)).Get(k), true
		}
		ok = true
		r, err = decodeKeyed(k, data)
		return err
	})
	return r, aside, ok, err
}

// list returns up to limit records of a bucket that follow a place.
func (x index) list(bucket string, after place, limit int) (records []record, err error) {
	err = x.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket([]byte(bucket)).Cursor()
		for k, v := c.Seek(place{after.priority, after.seq + 1}.key()); k != nil && len(records) < limit; k, v = c.Next() {
			r, err := decodeKeyed(k, v)
			if err != nil {
				return err
			}
			records = append(records, r)
		}
		return nil
	})
	return records, err
}

// decodeKeyed decodes a record and holds it to its key.
func decodeKeyed(k, data []byte) (record, error) {
	r, err := decodeRecord(data)
	if err != nil {
		return record{}, fmt.Errorf("%w: key %x: %w", errIndex, k, err)
	}
	if !bytes.Equal(k, r.place().key()) {
		return record{}, fmt.Errorf("%w: key %x holds item %d", errIndex, k, r.seq)
	}
	return r, nil
}
