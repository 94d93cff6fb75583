package uplink

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/google/uuid"
)

// ErrFull is returned when the outbox has no room. It goes by itself as items are
// delivered or the disk gets room.
var ErrFull = errors.New("deliver or raise the limits")

// OutboxConfig says how much an [Outbox] may hold. Zero fields get the defaults.
type OutboxConfig struct {
	MaxItems    int   // default 50,000
	MaxBytes    int64 // of the files of all items; default 2 GiB
	MinFree     int64 // bytes left free on the disk for others; default 32 MiB; negative = none
	MaxRefusals int   // after which an item is set aside; default 5
}

// Item names one item of an [Outbox].
type Item struct {
	Seq      uint64 // order of acceptance
	ID       string
	Task     string
	Bytes    int64 // of its file
	Evidence bool  // it has a picture
	Refusals int

	record record
}

// Stats says what an [Outbox] holds.
type Stats struct {
	Items    int   // waiting
	Aside    int   // set aside
	Bytes    int64 // files of both
	MaxItems int   // limit of both
	MaxBytes int64
}

// Outbox is the durable queue of observations and their evidence. It is safe for
// concurrent use. Methods that change it wait for the disk; none waits for a
// network.
//
// What Put accepted is there after the death of the process at any moment, and of
// the power supply as far as the disk keeps its word. Each item is one file; a
// small index holds the order. A damaged index is made anew from the files.
type Outbox struct {
	dir     string // of the items
	cfg     OutboxConfig
	index   index
	lock    *os.File
	ballast ballast
	changed chan struct{}

	// write is held through a change, disk included; mu guards the fields below
	// for a moment only, so that asking never waits for the disk.
	write sync.Mutex
	seq   uint64 // highest ever given; guarded by write

	mu       sync.Mutex
	sum      totals
	used     counters
	diskFull bool
	broken   error
}

// Put accepts an observation, with its picture or nil, and counts it for the day,
// which the caller chooses as its quotas do. When it returns nil the item is
// durable. The same id again is accepted and not kept a second time. It returns
// [ErrFull] when there is no room; then nothing has changed.
func (b *Outbox) Put(o Observation, e *Evidence, day string) error {
	if err := o.Validate(); err != nil {
		return fmt.Errorf("put into outbox: %w", err)
	}
	var picture []byte
	switch {
	case e == nil && o.Image != nil:
		return fmt.Errorf("put into outbox: observation %s has an image and comes without evidence", o.ID)
	case e != nil && (o.Image == nil || *o.Image != e.ref || e.id != o.ID):
		return fmt.Errorf("put into outbox: the evidence is not that of observation %s", o.ID)
	case e != nil:
		picture = e.jpeg
	}
	if len(day) > maxShortText || bytes.IndexByte([]byte(day), 0) >= 0 {
		return fmt.Errorf("put into outbox: day %q is no day", short(day))
	}
	data, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("put into outbox: %w", err)
	}
	r := record{id: uuid.MustParse(o.ID), day: day, task: o.Task}
	if !o.ExpiresAt.IsZero() {
		r.expires = o.ExpiresAt.Unix()
	}
	return b.put(r, data, picture)
}

// put accepts what an item holds, whatever it means.
func (b *Outbox) put(r record, observation, evidence []byte) error {
	if len(observation) > maxObservation || len(evidence) > maxEvidence {
		return fmt.Errorf("put into outbox: %d and %d bytes, at most %d and %d",
			len(observation), len(evidence), maxObservation, maxEvidence)
	}
	b.write.Lock()
	defer b.write.Unlock()
	if err := b.unbroken(); err != nil {
		return fmt.Errorf("put into outbox: %w", err)
	}
	_, _, known, err := b.index.find(r.id)
	if err != nil {
		return fmt.Errorf("put into outbox: %w", b.breakDown(err))
	}
	if known {
		return nil
	}
	r.digest = sha256.Sum256(observation)
	r.observation, r.evidence = uint32(len(observation)), uint32(len(evidence))
	b.seq++ // also when this fails: a number is never given twice
	r.seq, r.ordinal = b.seq, b.next(r.day, r.task)
	if err := b.room(r.size()); err != nil {
		return fmt.Errorf("put into outbox: %w", err)
	}
	return b.accept(r, observation, evidence)
}

// accept writes the file, then the record: a crash between the two leaves a file
// above the highest number of the index, which is taken in when opening.
func (b *Outbox) accept(r record, observation, evidence []byte) error {
	if err := writeItem(b.dir, r, observation, evidence); err != nil {
		return fmt.Errorf("put into outbox: %w", b.diskError(err))
	}
	c := change{add: []record{r}, sum: b.sum}
	c.sum.items++
	c.sum.bytes += uint64(r.size())
	c.sum.counted++ // its number is one more than the counter
	c.forget = b.oldDays(r.day, &c.sum)
	if err := b.index.apply(c); err != nil {
		if noSpace(err) { // the change was taken back, so the item is not accepted
			err = errors.Join(err, removeFile(filepath.Join(b.dir, fileName(r.seq, r.id))))
		}
		return fmt.Errorf("put into outbox: %w", b.diskError(err))
	}
	b.mu.Lock()
	b.sum = c.sum
	b.used.raise(r.day, r.task, int(r.ordinal))
	b.forgetDays(c.forget)
	b.mu.Unlock()
	b.announce()
	return nil
}

// next returns the number of a task's next observation of a day.
func (b *Outbox) next(day, task string) uint32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return uint32(b.used[day][task]) + 1
}

// announce says that there is something to send.
func (b *Outbox) announce() {
	select {
	case b.changed <- struct{}{}:
	default: // announced already
	}
}

// Changed delivers a value after items have become ready to be sent. It is for
// one receiver.
func (b *Outbox) Changed() <-chan struct{} { return b.changed }

// Next returns up to limit items that wait and follow a sequence number, in the
// order in which they were accepted. Items set aside are passed over.
func (b *Outbox) Next(after uint64, limit int) ([]Item, error) {
	records, err := b.index.list(bucketItems, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", b.breakDown(err))
	}
	items := make([]Item, len(records))
	for i, r := range records {
		items[i] = r.item()
	}
	return items, nil
}

func (r record) item() Item {
	return Item{
		Seq:      r.seq,
		ID:       r.id.String(),
		Task:     r.task,
		Bytes:    r.size(),
		Evidence: r.evidence > 0,
		Refusals: int(r.refusals),
		record:   r,
	}
}

// Load returns the bytes of an item exactly as they were accepted, or an error.
// Evidence is empty where there is no picture.
func (b *Outbox) Load(it Item) (observation, evidence []byte, err error) {
	observation, evidence, err = readItem(b.dir, it.record)
	if err != nil {
		return nil, nil, fmt.Errorf("load item %s: %w", it.ID, err)
	}
	return observation, evidence, nil
}

// Remove removes items that are delivered; their bytes are deleted. Ids that are
// not there are passed over.
func (b *Outbox) Remove(ids ...string) error {
	_, err := b.remove(ids)
	return err
}

// remove tells also how many items it removed.
func (b *Outbox) remove(ids []string) (int, error) {
	b.write.Lock()
	defer b.write.Unlock()
	if err := b.unbroken(); err != nil {
		return 0, fmt.Errorf("remove from outbox: %w", err)
	}
	c := change{sum: b.sum}
	for _, id := range ids {
		r, aside, ok, err := b.find(id)
		if err != nil {
			return 0, fmt.Errorf("remove from outbox: %w", err)
		}
		if !ok || c.removes(r.seq) {
			continue
		}
		c.remove = append(c.remove, r)
		c.sum.bytes -= uint64(r.size())
		if aside {
			c.sum.aside--
		} else {
			c.sum.items--
		}
	}
	if len(c.remove) == 0 {
		return 0, nil
	}
	// Record first: a file without a record is swept away when opening.
	if err := b.commit(c); err != nil {
		return 0, fmt.Errorf("remove from outbox: %w", err)
	}
	for _, r := range c.remove {
		if err := removeFile(filepath.Join(b.dir, fileName(r.seq, r.id))); err != nil {
			return len(c.remove), fmt.Errorf("remove from outbox: %w", b.breakDown(err))
		}
	}
	b.ballast.restore(b.cfg.MinFree)
	return len(c.remove), nil
}

func (c change) removes(seq uint64) bool {
	for _, r := range c.remove {
		if r.seq == seq {
			return true
		}
	}
	return false
}

// find looks up an id as a caller gives it.
func (b *Outbox) find(id string) (r record, aside, ok bool, err error) {
	u, err := uuid.Parse(id)
	if err != nil {
		return record{}, false, false, nil // nothing has such an id
	}
	r, aside, ok, err = b.index.find(u)
	if err != nil {
		return record{}, false, false, b.breakDown(err)
	}
	return r, aside, ok, nil
}

// commit applies a change that needs no room of its own. bbolt copies pages before
// it frees them, so that even a removal needs some: that is what the ballast is for.
func (b *Outbox) commit(c change) error {
	err := b.index.apply(c)
	if noSpace(err) && b.ballast.drop() {
		err = b.index.apply(c)
	}
	if err != nil {
		return b.diskError(err)
	}
	b.mu.Lock()
	b.sum = c.sum
	b.diskFull = false
	b.mu.Unlock()
	return nil
}

// Close releases the outbox; it waits for a change in progress.
func (b *Outbox) Close() error {
	b.write.Lock()
	defer b.write.Unlock()
	err := guard(b.index.db.Close)
	if err = errors.Join(err, b.lock.Close()); err != nil {
		return fmt.Errorf("close outbox: %w", err)
	}
	return nil
}
