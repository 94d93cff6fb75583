package uplink

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// ErrFull is returned when the outbox has no room. It goes by itself as items are
// delivered or the disk gets room.
var ErrFull = errors.New("deliver or raise the limits")

// Priority says what is sent first.
type Priority uint8

// The priorities of tasks. Within one, what was accepted first is sent first.
const (
	High Priority = iota
	Normal
	Low
)

// OutboxConfig says how much an [Outbox] may hold. Zero fields get the defaults.
type OutboxConfig struct {
	// Seal makes of an observation what may lie on the disk. Without it nothing can
	// be put in; what is there can be sent.
	Seal *Sealer

	MaxItems    int           // default 50,000
	MaxBytes    int64         // of the files of all items; default 2 GiB
	MaxAge      time.Duration // from an observation's time to its expiry, at most; default 60 days
	MinFree     int64         // bytes left free on the disk for others; default 32 MiB; negative = none
	MaxRefusals int           // after which an item is set aside; default 5

	// The index is brought up to date after so many items or so long, whichever comes
	// first. An item is durable before: what the index lacks is read from the files.
	CommitEvery int           // default 50; 1 = at once
	CommitAfter time.Duration // default 500 ms
}

// Item names one item of an [Outbox].
type Item struct {
	Seq      uint64 // order of acceptance
	ID       string // by which broker and disk know the observation, see [Sealer]
	Priority Priority
	Bytes    int64 // of its file
	Evidence bool  // it has a picture
	Refusals int
	Expires  time.Time // zero = never

	record record
}

// Stats says what an [Outbox] holds, and what became of the rest.
type Stats struct {
	Items    int   // waiting
	Aside    int   // set aside
	Bytes    int64 // files of both
	MaxItems int   // limit of both
	MaxBytes int64
	Ledger   Ledger
}

// Outbox is the durable queue of sealed observations and their evidence. It is
// safe for concurrent use. Methods that change it wait for the disk; none waits
// for a network.
//
// What Put accepted is there after the death of the process at any moment, and of
// the power supply as far as the disk keeps its word. Each item is one file; a
// small index holds the order. A damaged index is made anew from the files.
type Outbox struct {
	dir     string // of the items
	cfg     OutboxConfig
	lock    *os.File
	ballast ballast
	changed chan struct{}

	// write is held through a change, disk included; mu guards the fields below
	// for a moment only, so that asking never waits for the disk.
	write   sync.Mutex
	seq     uint64      // highest ever given; guarded by write
	soonest int64       // no item expires earlier, Unix seconds; guarded by write
	late    *time.Timer // brings the index up to date; guarded by write
	closed  bool        // guarded by write

	swap  sync.RWMutex // held for writing while the index is replaced
	index index

	mu       sync.Mutex
	sum      totals
	used     counters
	pending  []record // durable in their files, not yet in the index
	diskFull bool
	broken   error
}

// Terms are what a task says of how its observations are treated.
type Terms struct {
	Day      string // that the observation counts for, as the caller's quotas do
	Priority Priority
}

// Put seals an observation, with its picture or nil, accepts it, and counts it for
// the day. When it returns nil the item is durable. The same id again is accepted
// and not kept a second time. It returns [ErrFull] when there is no room; then
// nothing has changed.
func (b *Outbox) Put(o Observation, e *Evidence, t Terms) error {
	if err := b.accept(o, e, t); err != nil {
		return fmt.Errorf("put into outbox: %w", err)
	}
	return nil
}

func (b *Outbox) accept(o Observation, e *Evidence, t Terms) error {
	if err := o.Validate(); err != nil {
		return err
	}
	var picture []byte
	switch {
	case b.cfg.Seal == nil:
		return errors.New("it has no keys to seal with")
	case e == nil && o.Image != nil:
		return fmt.Errorf("observation %s has an image and comes without evidence", o.ID)
	case e != nil && (o.Image == nil || *o.Image != e.ref || e.id != o.ID):
		return fmt.Errorf("the evidence is not that of observation %s", o.ID)
	case e != nil:
		picture = e.jpeg
	}
	if len(t.Day) > maxWord || strings.IndexByte(t.Day, 0) >= 0 {
		return fmt.Errorf("day %q is no day", short(t.Day))
	}
	if t.Priority > Low {
		return fmt.Errorf("priority %d is none", t.Priority)
	}
	if _, known, err := b.lookup(b.cfg.Seal.parcelID(o.ID)); err != nil || known {
		return err
	}
	p, err := b.cfg.Seal.seal(o, picture)
	if err != nil {
		return err
	}
	expires := o.Time.UTC.Add(b.cfg.MaxAge)
	if !o.ExpiresAt.IsZero() && o.ExpiresAt.Before(expires) {
		expires = o.ExpiresAt
	}
	return b.put(record{
		id: p.id, digest: p.digest, own: p.own, priority: t.Priority,
		day: t.Day, task: b.cfg.Seal.taskName(o.Task), expires: expires.Unix(),
	}, p.observation, p.evidence)
}

// lookup returns what is known of an id, whether or not the index has it yet.
func (b *Outbox) lookup(id uuid.UUID) (found, bool, error) {
	b.mu.Lock()
	for _, r := range b.pending {
		if r.id == id {
			b.mu.Unlock()
			return found{record: r}, true, nil
		}
	}
	err := b.broken
	b.mu.Unlock()
	if err != nil {
		return found{}, false, err
	}
	b.swap.RLock()
	defer b.swap.RUnlock()
	r, aside, ok, err := b.index.find(id)
	if err != nil {
		return found{}, false, b.breakDown(err)
	}
	return found{r, aside}, ok, nil
}

// found is a record and where it is.
type found struct {
	record
	aside bool
}

// put accepts what an item holds, whatever it means.
func (b *Outbox) put(r record, observation, evidence []byte) error {
	if len(observation) > maxSealedObservation || len(evidence) > maxSealedEvidence {
		return fmt.Errorf("%d and %d bytes, at most %d and %d",
			len(observation), len(evidence), maxSealedObservation, maxSealedEvidence)
	}
	b.write.Lock()
	defer b.write.Unlock()
	if _, known, err := b.lookup(r.id); err != nil || known {
		return err
	}
	r.observation, r.evidence = uint32(len(observation)), uint32(len(evidence))
	b.seq++ // also when this fails: a number is never given twice
	r.seq, r.ordinal = b.seq, b.next(r.day, r.task)
	if err := b.room(r.size()); err != nil {
		return err
	}
	if err := writeItem(b.dir, r, observation, evidence); err != nil {
		return b.diskError(err)
	}
	b.enter(r)
	b.announce()
	return b.commitSoon()
}

// enter takes note of an item whose file is durable: from here on it is accepted.
func (b *Outbox) enter(r record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sum.items++
	b.sum.Accepted++
	b.sum.bytes += uint64(r.size())
	b.sum.counted++ // its number is one more than the counter
	b.used.raise(r.day, r.task, int(r.ordinal))
	b.pending = append(b.pending, r)
	if r.expires > 0 {
		b.soonest = min(b.soonest, r.expires)
	}
}

// commitSoon brings the index up to date when enough has come together, and
// otherwise sees to it that it is before long.
func (b *Outbox) commitSoon() error {
	b.mu.Lock()
	waiting := len(b.pending)
	b.mu.Unlock()
	if waiting >= b.cfg.CommitEvery {
		return b.settle()
	}
	if waiting == 1 {
		b.late.Stop()
		b.late = time.AfterFunc(b.cfg.CommitAfter, func() {
			b.write.Lock()
			defer b.write.Unlock()
			if !b.closed {
				_ = b.settle() // what went wrong is remembered, and Healthy tells
			}
		})
	}
	return nil
}

// settle brings the index up to date. A full disk is no error: the items are in
// their files, and the index follows when there is room.
func (b *Outbox) settle() error {
	if err := b.unbroken(); err != nil {
		return err
	}
	if err := b.commit(change{sum: b.sum}); err != nil && !errors.Is(err, ErrFull) {
		return err
	}
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

// find looks up an id as a caller gives it.
func (b *Outbox) find(id string) (found, bool, error) {
	u, err := uuid.Parse(id)
	if err != nil {
		return found{}, false, nil // nothing has such an id
	}
	return b.lookup(u)
}

// commit applies a change, together with the items that the index lacks. It needs
// no room of its own, but bbolt copies pages before it frees them, so that even a
// removal needs some: that is what the ballast is for.
func (b *Outbox) commit(c change) error {
	c.add = append(c.add, b.pending...) // only the holder of write changes it
	c.forget = b.oldDays(&c.sum)
	if len(c.add)+len(c.aside)+len(c.back)+len(c.remove)+len(c.renew)+len(c.forget) == 0 {
		return nil
	}
	err := b.index.apply(c)
	if noSpace(err) && b.ballast.drop() {
		err = b.index.apply(c)
	}
	if err != nil {
		return b.diskError(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sum = c.sum
	b.pending = nil
	b.forgetDays(c.forget)
	b.diskFull = false
	return nil
}

// Close brings the index up to date and releases the outbox; it waits for a change
// in progress.
func (b *Outbox) Close() error {
	b.write.Lock()
	defer b.write.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	b.late.Stop()
	var err error
	if b.unbroken() == nil {
		err = b.settle()
	}
	err = errors.Join(err, b.index.close(), b.lock.Close())
	if err != nil {
		return fmt.Errorf("close outbox: %w", err)
	}
	return nil
}
