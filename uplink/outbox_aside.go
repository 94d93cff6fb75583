package uplink

import (
	"fmt"
	"math"
)

// Refuse counts a refusal of an item by the receiver, and sets the item aside
// when it has been refused too often. It tells whether it did.
func (b *Outbox) Refuse(id, reason string) (aside bool, err error) {
	b.write.Lock()
	defer b.write.Unlock()
	f, ok, err := b.find(id)
	if err != nil || !ok || f.aside {
		return f.aside, err
	}
	r := f.record
	if r.refusals < math.MaxUint16 {
		r.refusals++
	}
	if int(r.refusals) >= b.cfg.MaxRefusals {
		return true, b.setAside(r, fmt.Sprintf("refused %d times, at last: %s", r.refusals, reason))
	}
	if err := b.commit(change{renew: []record{r}, sum: b.sum}); err != nil {
		return false, fmt.Errorf("count refusal of item %s: %w", id, err)
	}
	return false, nil
}

// Quarantine sets an item aside with a reason: it stays, and counts against the
// limits, but is not sent. An id that is not there is passed over.
func (b *Outbox) Quarantine(id, reason string) error {
	b.write.Lock()
	defer b.write.Unlock()
	f, ok, err := b.find(id)
	if err != nil || !ok || f.aside {
		return err
	}
	return b.setAside(f.record, reason)
}

func (b *Outbox) setAside(r record, reason string) error {
	r.reason = reason[:min(len(reason), maxShortText)]
	c := change{aside: []record{r}, sum: b.sum}
	c.sum.items--
	c.sum.aside++
	if err := b.commit(c); err != nil {
		return fmt.Errorf("set item %s aside: %w", r.id, err)
	}
	return nil
}

// requeueBatch is how many items change their place in one transaction.
const requeueBatch = 500

// Requeue lets all items that were set aside wait again, as if they had never
// been refused, and returns how many they are.
func (b *Outbox) Requeue() (int, error) {
	b.write.Lock()
	defer b.write.Unlock()
	n := 0
	for {
		records, err := b.index.list(bucketAside, place{}, requeueBatch)
		if err != nil {
			return n, fmt.Errorf("requeue items: %w", b.breakDown(err))
		}
		if len(records) == 0 {
			return n, nil
		}
		for i := range records {
			records[i].refusals, records[i].reason = 0, ""
		}
		c := change{back: records, sum: b.sum}
		c.sum.items += uint64(len(records))
		c.sum.aside -= uint64(len(records))
		if err := b.commit(c); err != nil {
			return n, fmt.Errorf("requeue items: %w", err)
		}
		n += len(records)
		b.announce()
	}
}
