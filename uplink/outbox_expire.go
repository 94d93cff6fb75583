package uplink

import (
	"fmt"
	"math"
	"time"

	"go.etcd.io/bbolt"
)

// expireBatch is how many items expire in one transaction.
const expireBatch = 500

// Expire removes what is past its time, sent or not, and returns how many items
// that were. The time must be trusted: a clock that runs ahead deletes evidence.
func (b *Outbox) Expire(now time.Time) (int, error) {
	all := 0
	for {
		n, more, err := b.expire(now.Unix())
		all += n
		if err != nil {
			return all, fmt.Errorf("expire items: %w", err)
		}
		if !more {
			return all, nil
		}
	}
}

// expire removes one batch, and tells whether there may be more: whoever puts
// something in waits for no longer than that.
func (b *Outbox) expire(now int64) (n int, more bool, err error) {
	b.write.Lock()
	defer b.write.Unlock()
	if now < b.soonest {
		return 0, false, nil
	}
	due, next, err := b.due(now)
	if err != nil {
		return 0, false, err
	}
	n, err = b.drop(due, expired)
	if err != nil || len(due) == expireBatch {
		return n, err == nil, err
	}
	b.soonest = next
	return n, false, nil
}

// due returns a batch of items whose time is over, and when that of the next is.
func (b *Outbox) due(now int64) ([]found, int64, error) {
	if err := b.settle(); err != nil {
		return nil, 0, err
	}
	var out []found
	next := int64(math.MaxInt64)
	err := b.index.view(func(tx *bbolt.Tx) error {
		for _, bucket := range []string{bucketItems, bucketAside} {
			c := tx.Bucket([]byte(bucket)).Cursor()
			for k, v := c.First(); k != nil && len(out) < expireBatch; k, v = c.Next() {
				r, err := decodeKeyed(k, v)
				switch {
				case err != nil:
					return err
				case r.expires == 0:
				case r.expires <= now:
					out = append(out, found{r, bucket == bucketAside})
				default:
					next = min(next, r.expires)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, b.breakDown(err)
	}
	return out, next, nil
}
