package uplink

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	indexName   = "index.db"
	itemsName   = "items"
	lockName    = "lock"
	ballastName = "ballast"

	keepDamaged = 2 // damaged indexes that are kept for whoever wants to look
	keepBad     = 16
)

// OpenReport says what opening an outbox found. All zero but Items is the normal
// case after an orderly end; after a crash up to one item may be Adopted, and a
// few Swept.
type OpenReport struct {
	Items   int // waiting now
	Adopted int // files taken in that the index did not know
	Swept   int // leftovers of removed items, and half-written files, deleted
	Missing int // records dropped because their file is gone; the ledger has them as lost
	Damaged int // files set aside because they are no items

	Rebuilt string // why the index was made anew from the files; empty = it was not
	// UsedUncertain says that the ledger and the counters of accepted observations may
	// be too low: the index was made anew and the old ones could not be read.
	UsedUncertain bool
}

// OpenOutbox opens the outbox in a directory and makes it where there is none. A
// damaged index is set aside and made anew from the files of the items; that is
// reported and no error. One process at a time can have it open.
func OpenOutbox(dir string, cfg OutboxConfig) (*Outbox, OpenReport, error) {
	b, report, err := openOutbox(dir, cfg)
	if err != nil {
		return nil, report, fmt.Errorf("open outbox %s: %w", dir, err)
	}
	return b, report, nil
}

func openOutbox(dir string, cfg OutboxConfig) (*Outbox, OpenReport, error) {
	var report OpenReport
	if err := cfg.complete(); err != nil {
		return nil, report, err
	}
	items := filepath.Join(dir, itemsName)
	if err := os.MkdirAll(items, 0o700); err != nil {
		return nil, report, err
	}
	lock, err := lockFile(filepath.Join(dir, lockName))
	if err != nil {
		return nil, report, err
	}
	b := &Outbox{
		dir:     items,
		cfg:     cfg,
		lock:    lock,
		ballast: ballast{filepath.Join(dir, ballastName)},
		changed: make(chan struct{}, 1),
	}
	b.late = time.AfterFunc(0, func() {}) // so that there is one to stop
	if err := b.start(dir, &report); err != nil {
		if b.index.db != nil {
			err = errors.Join(err, b.index.close())
		}
		return nil, report, errors.Join(err, lock.Close())
	}
	b.ballast.restore(cfg.MinFree)
	report.Items = b.Len()
	if report.Items > 0 {
		b.announce()
	}
	return b, report, nil
}

func (c *OutboxConfig) complete() error {
	if c.MaxItems < 0 || c.MaxBytes < 0 || c.MaxRefusals < 0 || c.MaxAge < 0 || c.CommitEvery < 0 || c.CommitAfter < 0 {
		return fmt.Errorf("limits must not be negative (got %d items, %d bytes, %s, %d refusals; commit every %d, after %s)",
			c.MaxItems, c.MaxBytes, c.MaxAge, c.MaxRefusals, c.CommitEvery, c.CommitAfter)
	}
	if c.MaxItems == 0 {
		c.MaxItems = 50_000
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 2 << 30
	}
	if c.MinFree == 0 {
		c.MinFree = 32 << 20
	}
	if c.MaxRefusals == 0 {
		c.MaxRefusals = 5
	}
	if c.MaxAge == 0 {
		c.MaxAge = 60 * 24 * time.Hour
	}
	if c.CommitEvery == 0 {
		c.CommitEvery = 50
	}
	if c.CommitAfter == 0 {
		c.CommitAfter = 500 * time.Millisecond
	}
	return nil
}

// start opens the index, or makes it, and brings index and files together.
func (b *Outbox) start(dir string, report *OpenReport) error {
	files, err := b.tidy(report)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, indexName)
	if err := removeFile(path + slimSuffix); err != nil {
		return err
	}
	found, err := b.openIndex(path)
	var damage damageError
	switch {
	case errors.As(err, &damage):
		report.Rebuilt = damage.Error()
		if err := setAsideIndex(path); err != nil {
			return err
		}
	case errors.Is(err, os.ErrNotExist):
		if len(files) > 0 {
			report.Rebuilt = "the index was missing"
		}
	case err != nil:
		return err
	default:
		return b.reconcile(found, files, report)
	}
	report.UsedUncertain = report.Rebuilt != "" && !damage.counted
	if err := b.rebuild(path, files, damage, report); err != nil {
		return err
	}
	found, err = b.openIndex(path)
	if err != nil {
		return err
	}
	b.adopt(found)
	return nil
}

// adopt takes over what the index says.
func (b *Outbox) adopt(c contents) {
	b.seq, b.sum, b.used = c.last, c.sum, c.used
	b.soonest = math.MaxInt64
	for _, records := range []map[uint64]record{c.items, c.aside} {
		for _, r := range records {
			if r.expires > 0 {
				b.soonest = min(b.soonest, r.expires)
			}
		}
	}
}

// damageError says that an index is damaged, and carries what could be saved.
type damageError struct {
	cause   error
	used    counters
	ledger  Ledger
	counted bool // both are complete
}

func (e damageError) Error() string { return e.cause.Error() }

// openIndex opens an existing index and reads all of it.
func (b *Outbox) openIndex(path string) (contents, error) {
	x, found, err := readIndex(path)
	if err == nil {
		b.index = x
	}
	return found, err
}

// readIndex opens an index and reads all of it, or leaves it closed.
func readIndex(path string) (index, contents, error) {
	f, err := os.Open(path)
	if err != nil {
		return index{}, contents{}, err
	}
	info, err := f.Stat()
	if err == nil {
		err = checkIndex(f, info.Size())
		if err != nil {
			err = damageError{cause: fmt.Errorf("%w: %w", errIndex, err)}
		}
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return index{}, contents{}, err
	}
	x, err := openBolt(path)
	if errors.Is(err, errIndex) {
		return index{}, contents{}, damageError{cause: err}
	}
	if err != nil {
		return index{}, contents{}, err
	}
	found, err := x.load()
	if err != nil {
		used, ledger, counted := x.salvage()
		return index{}, contents{}, errors.Join(damageError{err, used, ledger, counted}, x.close())
	}
	return x, found, nil
}

// setAsideIndex renames a damaged index and keeps the newest few.
func setAsideIndex(path string) error {
	old, err := filepath.Glob(path + badSuffix + "-*")
	if err != nil {
		return err
	}
	slices.Sort(old)
	n := 1
	if len(old) > 0 {
		last := old[len(old)-1]
		if _, err := fmt.Sscanf(last[strings.LastIndex(last, "-")+1:], "%d", &n); err == nil {
			n++
		}
	}
	if err := os.Rename(path, fmt.Sprintf("%s%s-%06d", path, badSuffix, n)); err != nil {
		return err
	}
	for len(old) >= keepDamaged {
		if err := removeFile(old[0]); err != nil {
			return err
		}
		old = old[1:]
	}
	return flushDir(filepath.Dir(path))
}

// tidy returns the names of the items' files in order, after deleting what was
// left half written.
func (b *Outbox) tidy(report *OpenReport) ([]string, error) {
	d, err := os.Open(b.dir)
	if err != nil {
		return nil, err
	}
	names, err := d.Readdirnames(-1)
	if err = errors.Join(err, d.Close()); err != nil {
		return nil, err
	}
	var files, bad []string
	for _, name := range names {
		switch {
		case strings.HasSuffix(name, tmpSuffix):
			if err := removeFile(filepath.Join(b.dir, name)); err != nil {
				return nil, err
			}
			report.Swept++
		case strings.HasSuffix(name, badSuffix):
			bad = append(bad, name)
		default:
			files = append(files, name)
		}
	}
	slices.Sort(bad)
	for len(bad) > keepBad {
		if err := removeFile(filepath.Join(b.dir, bad[0])); err != nil {
			return nil, err
		}
		bad = bad[1:]
	}
	slices.Sort(files) // sequence numbers have a fixed width
	return files, nil
}
