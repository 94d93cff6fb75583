package uplink

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	bolterrors "go.etcd.io/bbolt/errors"
)

// Len returns how many items wait.
func (b *Outbox) Len() int { return b.Stats().Items }

// Bytes returns how many bytes the files of all items have.
func (b *Outbox) Bytes() int64 { return b.Stats().Bytes }

// Stats returns what the outbox holds. It doesn't wait for the disk.
func (b *Outbox) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Stats{
		Items:    int(b.sum.items),
		Aside:    int(b.sum.aside),
		Bytes:    int64(b.sum.bytes),
		MaxItems: b.cfg.MaxItems,
		MaxBytes: b.cfg.MaxBytes,
		Ledger:   b.sum.Ledger,
	}
}

// Used returns how many observations a task has had accepted on a day. The
// counters survive a restart, and the delivery of what they counted.
func (b *Outbox) Used(day, task string) int {
	if b.cfg.Seal == nil {
		return 0
	}
	name := b.cfg.Seal.taskName(task)
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used[day][name]
}

// maxUsedDays is how many days of counters are kept.
const maxUsedDays = 35

// oldDays returns the keys of the counters to forget, and takes them off the sum.
func (b *Outbox) oldDays(sum *totals) [][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.used) <= maxUsedDays {
		return nil
	}
	var keys [][]byte
	days := slices.Sorted(maps.Keys(b.used))
	for _, day := range days[:len(days)-maxUsedDays] {
		for task, n := range b.used[day] {
			keys = append(keys, counterKey(day, task))
			sum.counted -= uint64(n)
		}
	}
	return keys
}

// forgetDays forgets the days of these keys; mu is held.
func (b *Outbox) forgetDays(keys [][]byte) {
	for _, k := range keys {
		day, _, _ := bytes.Cut(k, []byte{0})
		delete(b.used, string(day))
	}
}

// Healthy returns nil when the outbox can be expected to accept. It returns
// [ErrFull] from 15/16 of the limits on, so that whoever asks before looking
// stops in time and what was begun still has room; any other error means that
// the disk has failed, and that only Close and [OpenOutbox] can mend it.
func (b *Outbox) Healthy() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken != nil {
		return b.broken
	}
	if err := b.overLocked(highWater(int64(b.cfg.MaxItems)), highWater(b.cfg.MaxBytes), 1); err != nil {
		return err
	}
	if !b.diskFull {
		return nil
	}
	if err := b.diskLocked(ballastSize); err != nil {
		return err
	}
	b.diskFull = false
	return nil
}

// maxPending is how many times CommitEvery items may be without an index.
const maxPending = 4

func highWater(limit int64) int64 { return limit - limit/16 }

// room returns nil when one more item of this size has its place.
func (b *Outbox) room(size int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.overLocked(int64(b.cfg.MaxItems), b.cfg.MaxBytes, size); err != nil {
		return err
	}
	if n := len(b.pending); n >= maxPending*b.cfg.CommitEvery {
		return fmt.Errorf("outbox is full: the disk has had no room for the index of the last %d items: %w", n, ErrFull)
	}
	return b.diskLocked(size)
}

// overLocked compares what is held, and what comes, with limits.
func (b *Outbox) overLocked(items, bytes, more int64) error {
	held := int64(b.sum.items + b.sum.aside)
	if held >= items {
		return fmt.Errorf("outbox is full: it holds %d items, the mark is %d: %w", held, items, ErrFull)
	}
	if int64(b.sum.bytes)+more > bytes {
		return fmt.Errorf("outbox is full: it holds %d bytes, %d more would pass the mark of %d: %w", b.sum.bytes, more, bytes, ErrFull)
	}
	return nil
}

// diskLocked compares the free space of the disk with what comes.
func (b *Outbox) diskLocked(size int64) error {
	if b.cfg.MinFree < 0 {
		return nil
	}
	free, err := freeSpace(b.dir)
	if err != nil {
		return fmt.Errorf("ask for free space: %w", err)
	}
	if free-size < b.cfg.MinFree {
		b.diskFull = true
		return fmt.Errorf("outbox is full: the disk has %d bytes free, %d more would leave less than %d: %w",
			free, size, b.cfg.MinFree, ErrFull)
	}
	return nil
}

// diskError sorts errors of the disk: a full one is a reason to wait, any other
// leaves a state that nobody knows.
func (b *Outbox) diskError(err error) error {
	if !noSpace(err) {
		return b.breakDown(err)
	}
	b.mu.Lock()
	b.diskFull = true
	b.mu.Unlock()
	return fmt.Errorf("outbox is full: %w: %w", err, ErrFull)
}

func noSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, bolterrors.ErrMaxSizeReached)
}

// breakDown remembers the first error after which nothing can be promised.
func (b *Outbox) breakDown(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken == nil {
		b.broken = fmt.Errorf("outbox is broken until it is opened anew: %w", err)
	}
	return b.broken
}

func (b *Outbox) unbroken() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.broken
}

// ballast is a file that can be thrown overboard when a full disk leaves no room
// even for removing.
type ballast struct{ path string }

const ballastSize = 2 * growth // the index grows by one step at most

// drop makes room and tells whether it did.
func (s ballast) drop() bool { return os.Remove(s.path) == nil }

// restore takes ballast aboard unless it is there or space is short. That it
// can't is no error: it is tried again after the next removal.
func (s ballast) restore(minFree int64) {
	if _, err := os.Lstat(s.path); err == nil {
		return
	}
	free, err := freeSpace(filepath.Dir(s.path))
	if err != nil || free < max(minFree, 0)+2*ballastSize {
		return
	}
	if writeDurably(s.path, [][]byte{make([]byte, ballastSize)}) != nil {
		s.drop()
	}
}
