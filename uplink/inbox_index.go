package uplink

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

// The buckets of an inbox's index.
const (
	bucketStored = "stored" // vehicle and id -> checksum and entry
	bucketExpiry = "expiry" // time and the key above -> nothing
)

// Entry is what the index knows of a stored observation. Its paths are below the
// inbox's folder.
type Entry struct {
	Vehicle string    `json:"vehicle"`
	ID      string    `json:"id"`
	Task    string    `json:"task"`
	Kind    Kind      `json:"kind"`
	Time    time.Time `json:"time"`
	Expires time.Time `json:"expires,omitzero"` // zero = never
	JSON    string    `json:"json"`
	DSSE    string    `json:"dsse"`
	JPEG    string    `json:"jpeg,omitempty"` // empty = it has no picture
}

func entryOf(o Observation) Entry {
	o = o.canonical()
	at := shelfPath(o)
	e := Entry{
		Vehicle: o.Vehicle, ID: o.ID, Task: o.Task, Kind: o.Kind, Time: o.Time.UTC, Expires: o.ExpiresAt,
		JSON: at + jsonSuffix, DSSE: at + dsseSuffix,
	}
	if o.Image != nil {
		e.JPEG = at + jpegSuffix
	}
	return e
}

// storedKey can't be mistaken: '/' occurs in neither.
func storedKey(vehicle, id string) []byte { return []byte(vehicle + "/" + id) }

// expiryKey sorts by time.
func (e Entry) expiryKey() []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(e.Expires.Unix())), storedKey(e.Vehicle, e.ID)...)
}

// encode puts a checksum in front: bbolt has none for its data.
func (e Entry) encode() ([]byte, error) {
	data, err := json.Marshal(e)
	sum := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	return append(binary.BigEndian.AppendUint32(nil, sum), data...), err
}

func decodeEntry(key, data []byte) (Entry, error) {
	var e Entry
	if len(data) < 4 || crc32.Checksum(data[4:], crc32.MakeTable(crc32.Castagnoli)) != binary.BigEndian.Uint32(data) {
		return e, fmt.Errorf("%w: the checksum of %s is wrong", errIndex, key)
	}
	if err := json.Unmarshal(data[4:], &e); err != nil || !bytes.Equal(storedKey(e.Vehicle, e.ID), key) {
		return e, fmt.Errorf("%w: %s holds something else", errIndex, key)
	}
	return e, nil
}

// shelfIndex is the index of an inbox: a bbolt file that the processes take turns
// with. It holds nothing that the files don't say; damaged, it is made anew.
type shelfIndex struct {
	dir     string
	rebuild func(index) error // fills an empty index
	rebuilt func()            // is told of a damaged one
}

func (x shelfIndex) path() string { return filepath.Join(x.dir, indexName) }

// with opens the index, does something, and closes it; meanwhile no other process
// changes the index or gives a file its name. What is done may be done twice, the
// second time with an index made anew.
func (x shelfIndex) with(do func(index) error) error {
	lock, err := lockShared(filepath.Join(x.dir, indexName+".lock"))
	if err != nil {
		return err
	}
	err = x.use(do)
	if errors.Is(err, errIndex) {
		if err = x.replace(); err == nil {
			err = x.use(do)
		}
	}
	return errors.Join(err, lock.Close())
}

// use does something with an index that is there, or made now.
func (x shelfIndex) use(do func(index) error) error {
	if _, err := os.Stat(x.path()); errors.Is(err, fs.ErrNotExist) {
		if err := x.create(); err != nil {
			return err
		}
	}
	db, err := openSharedBolt(x.path())
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.close())
}

// openSharedBolt opens an index of any size for a moment.
func openSharedBolt(path string) (x index, err error) {
	err = guard(func() error {
		x.db, err = bbolt.Open(path, 0o640, &bbolt.Options{
			Timeout: lockTimeout, PageSize: pageSize, FreelistType: bbolt.FreelistMapType, NoStatistics: true,
		})
		return err
	})
	if err == nil || errors.Is(err, errIndex) {
		return x, err
	}
	// A disk that is full or a process that holds the file is no damage.
	return x, errors.Join(err, checkFile(path))
}

// checkFile returns [errIndex] if the structure of an index is damaged.
func checkFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		if err = checkIndex(f, info.Size()); err != nil {
			err = fmt.Errorf("%w: %w", errIndex, err)
		}
	}
	return errors.Join(err, f.Close())
}

// check looks at all of the index, which is made anew if it is damaged.
func (x shelfIndex) check() error {
	return x.with(func(db index) error {
		if err := checkFile(x.path()); err != nil {
			return err
		}
		return each(db, func(Entry) error { return nil })
	})
}

// replace sets a damaged index aside and makes a new one.
func (x shelfIndex) replace() error {
	if err := setAsideIndex(x.path()); err != nil {
		return err
	}
	x.rebuilt()
	return x.create()
}

// create makes an index of the files that are there. It appears under its name only
// when it is whole: a power cut while bbolt lays out a new file would leave one
// that does not open.
func (x shelfIndex) create() error {
	tmp := x.path() + tmpSuffix
	if err := removeFile(tmp); err != nil {
		return err
	}
	db, err := openSharedBolt(tmp)
	if err != nil {
		return err
	}
	err = db.update(func(tx *bbolt.Tx) error {
		for _, name := range []string{bucketStored, bucketExpiry} {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = x.rebuild(db)
	}
	if err = errors.Join(err, db.close()); err != nil {
		return errors.Join(err, removeFile(tmp))
	}
	if err := os.Rename(tmp, x.path()); err != nil {
		return err
	}
	return flushDir(x.dir)
}

// put enters observations, in one transaction.
func put(x index, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	return x.update(func(tx *bbolt.Tx) error {
		stored, expiry, err := storedBuckets(tx)
		if err != nil {
			return err
		}
		for _, e := range entries {
			data, err := e.encode()
			if err != nil {
				return err
			}
			key := storedKey(e.Vehicle, e.ID)
			// What is replaced must not be deleted at the time of what it replaces.
			if was, err := decodeEntry(key, stored.Get(key)); err == nil && !was.Expires.Equal(e.Expires) {
				if err := expiry.Delete(was.expiryKey()); err != nil {
					return err
				}
			}
			if err := stored.Put(key, data); err != nil {
				return err
			}
			if e.Expires.IsZero() {
				continue
			}
			if err := expiry.Put(e.expiryKey(), nil); err != nil {
				return err
			}
		}
		return nil
	})
}

func storedBuckets(tx *bbolt.Tx) (stored, expiry *bbolt.Bucket, err error) {
	stored, expiry = tx.Bucket([]byte(bucketStored)), tx.Bucket([]byte(bucketExpiry))
	if stored == nil || expiry == nil {
		return nil, nil, fmt.Errorf("%w: a bucket is missing", errIndex)
	}
	return stored, expiry, nil
}

func find(x index, vehicle, id string) (e Entry, found bool, err error) {
	err = x.view(func(tx *bbolt.Tx) error {
		stored, _, err := storedBuckets(tx)
		if err != nil {
			return err
		}
		key := storedKey(vehicle, id)
		data := stored.Get(key)
		if data == nil {
			return nil
		}
		found = true
		e, err = decodeEntry(key, data)
		return err
	})
	return e, found, err
}

// each calls do with every entry.
func each(x index, do func(Entry) error) error {
	return x.view(func(tx *bbolt.Tx) error {
		stored, _, err := storedBuckets(tx)
		if err != nil {
			return err
		}
		return stored.ForEach(func(k, v []byte) error {
			e, err := decodeEntry(k, v)
			if err != nil {
				return err
			}
			return do(e)
		})
	})
}
