package uplink

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// purgeBatch is how many observations are deleted before another process has its
// turn.
const purgeBatch = 256

// Purge deletes what has expired by now: the files, then the entry of the index. It
// returns how many observations that were. It may run beside other processes that
// store.
func (in *Inbox) Purge(now time.Time) (int, error) {
	sum := 0
	for {
		n, err := in.shelf.purge(now)
		sum += n
		in.stats.purged.Add(uint64(n))
		if err != nil {
			return sum, fmt.Errorf("purge inbox %s: %w", in.cfg.Dir, err)
		}
		if n < purgeBatch {
			return sum, nil
		}
	}
}

// purge deletes the first so many that have expired.
func (s *shelf) purge(now time.Time) (int, error) {
	n := 0
	err := s.index.with(func(x index) error {
		entries, err := lapsed(x, now)
		if err != nil {
			return err
		}
		dirs := map[string]bool{}
		for _, e := range entries {
			// The JSON first: where it is, everything is.
			for _, name := range []string{e.JSON, e.DSSE, strings.TrimSuffix(e.JSON, jsonSuffix) + jpegSuffix} {
				if err := gone(s.root.Remove(name)); err != nil {
					return err
				}
			}
			dirs[path.Dir(e.JSON)] = true
		}
		for dir := range dirs {
			// With the entry gone nobody would delete them again.
			if err := gone(s.flush(dir)); err != nil {
				return err
			}
			s.prune(dir)
		}
		n = len(entries)
		return forget(x, entries)
	})
	return n, err
}

// prune removes a folder and those above it while they are empty.
func (s *shelf) prune(dir string) {
	for ; dir != "."; dir = path.Dir(dir) {
		if s.root.Remove(dir) != nil {
			return
		}
	}
}

// lapsed returns the entries that have expired first.
func lapsed(x index, now time.Time) (entries []Entry, err error) {
	err = x.view(func(tx *bbolt.Tx) error {
		stored, expiry, err := storedBuckets(tx)
		if err != nil {
			return err
		}
		c := expiry.Cursor()
		for k, _ := c.First(); k != nil && len(entries) < purgeBatch; k, _ = c.Next() {
			if len(k) < 8 {
				return fmt.Errorf("%w: a time is cut short", errIndex)
			}
			if int64(binary.BigEndian.Uint64(k)) > now.Unix() {
				break
			}
			e, err := decodeEntry(k[8:], stored.Get(k[8:]))
			if err == nil && !bytes.Equal(e.expiryKey(), k) {
				err = fmt.Errorf("%w: %s expires at two times", errIndex, k[8:])
			}
			if err != nil {
				return err
			}
			entries = append(entries, e)
		}
		return nil
	})
	return entries, err
}

// forget removes entries.
func forget(x index, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	return x.update(func(tx *bbolt.Tx) error {
		stored, expiry, err := storedBuckets(tx)
		if err != nil {
			return err
		}
		for _, e := range entries {
			err = errors.Join(err, stored.Delete(storedKey(e.Vehicle, e.ID)), expiry.Delete(e.expiryKey()))
		}
		return err
	})
}
