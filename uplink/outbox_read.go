package uplink

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Next returns up to limit items that wait and follow another in the order of
// sending; the zero Item comes before all. Items set aside are passed over.
func (b *Outbox) Next(after Item, limit int) ([]Item, error) {
	b.mu.Lock()
	records := slices.Clone(b.pending) // first: what is moved meanwhile is seen twice, not never
	b.mu.Unlock()
	b.swap.RLock()
	listed, err := b.index.list(bucketItems, after.record.place(), limit)
	b.swap.RUnlock()
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", b.breakDown(err))
	}
	from := after.record.place()
	records = slices.DeleteFunc(append(records, listed...), func(r record) bool { return r.place().compare(from) <= 0 })
	slices.SortFunc(records, func(p, q record) int { return p.place().compare(q.place()) })
	records = slices.CompactFunc(records, func(p, q record) bool { return p.seq == q.seq })
	items := make([]Item, min(len(records), limit))
	for i := range items {
		items[i] = records[i].item()
	}
	return items, nil
}

func (r record) item() Item {
	it := Item{
		Seq:      r.seq,
		ID:       r.id.String(),
		Priority: r.priority,
		Bytes:    r.size(),
		Evidence: r.evidence > 0,
		Refusals: int(r.refusals),
		record:   r,
	}
	if r.expires > 0 {
		it.Expires = time.Unix(r.expires, 0).UTC()
	}
	return it
}

// Load returns the bytes of an item as they are sent: sealed to the case office as
// they were accepted, or signed and open where nobody is to be sealed to. Evidence
// is empty where there is no picture.
func (b *Outbox) Load(it Item) (observation, evidence []byte, err error) {
	observation, evidence, err = readItem(b.dir, it.record)
	if err == nil && it.record.own {
		observation, evidence, err = b.opened(observation, evidence)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("load item %s: %w", it.ID, err)
	}
	return observation, evidence, nil
}

// opened is what is sent of what is sealed to the vehicle's own key.
func (b *Outbox) opened(observation, evidence []byte) ([]byte, []byte, error) {
	if b.cfg.Seal == nil {
		return nil, nil, errors.New("it is sealed to the vehicle's own key, which is missing")
	}
	observation, err := b.cfg.Seal.outgoing(observation, maxSignedObservation)
	if err != nil {
		return nil, nil, err
	}
	evidence, err = b.cfg.Seal.outgoing(evidence, maxEvidence)
	return observation, evidence, err
}
