package uplink

import "time"

// window is what is under way: items being published, and items published that no
// receipt has come for.
type window struct {
	flights      map[string]*flight // by id
	queue        []Item             // read from the outbox, not begun
	more         bool               // the outbox may hold items that the queue doesn't
	busy         int                // messages on their way
	alone        string             // id of the item that has the connection to itself
	lastReceipt  time.Time
	lastProgress time.Time
	delivered    []string        // ids to be removed from the outbox
	last         <-chan struct{} // closed when the item begun last has been handed over
}

// flight is one item under way.
type flight struct {
	item    Item
	sending bool      // handed to a worker; the other fields below are of the last time
	over    bool      // receipted or set aside before the broker's acknowledgement came
	sent    time.Time // begun
	due     time.Time // publish it again
	tries   int
}

func newWindow() window {
	now := time.Now()
	return window{flights: map[string]*flight{}, more: true, lastReceipt: now, lastProgress: now}
}

const (
	pageLength  = 32
	maxPatience = 30 * time.Minute // between two publications of an item
)

// refill reads the items that are not under way. The outbox is read from its
// start: items that were set aside can come back at any place.
func (s *session) refill() error {
	w := &s.window
	if !w.more || len(w.queue) > 0 {
		return nil
	}
	limit := len(w.flights) + pageLength
	items, err := s.cfg.Outbox.Next(Item{}, limit)
	if err != nil {
		return err
	}
	for _, it := range items {
		if _, underway := w.flights[it.ID]; !underway {
			w.queue = append(w.queue, it)
		}
	}
	w.more = len(items) == limit
	return nil
}

// next returns the item to publish now, or nil: one that waits for its receipt
// for too long, or a new one.
func (s *session) next(now time.Time) (*flight, error) {
	w := &s.window
	if f := w.overdue(now); f != nil {
		return f, nil
	}
	if len(w.flights) >= max(s.cfg.Unreceipted, s.cfg.InFlight) {
		return nil, nil
	}
	if err := s.refill(); err != nil || len(w.queue) == 0 {
		return nil, err
	}
	return &flight{item: w.queue[0]}, nil
}

// overdue returns an item to be published again. As long as no receipt comes at
// all nobody is there to receive, and only the oldest item asks, at longer and
// longer intervals, whether that has changed: pictures that nobody takes cost
// money on a mobile network.
func (w *window) overdue(now time.Time) *flight {
	var oldest, due *flight
	for _, f := range w.flights {
		if oldest == nil || f.item.Seq < oldest.item.Seq {
			oldest = f
		}
		if !f.sending && !f.due.After(now) && (due == nil || f.item.Seq < due.item.Seq) {
			due = f
		}
	}
	if due == oldest || due != nil && w.lastReceipt.After(oldest.sent) {
		return due
	}
	return nil
}

// patience is how long to wait for a receipt after so many publications.
func patience(timeout time.Duration, tries int) time.Duration {
	for range tries - 1 {
		if timeout >= maxPatience {
			break
		}
		timeout = min(2*timeout, maxPatience)
	}
	return timeout
}

// fill begins as many items as may be under way.
func (s *session) fill() error {
	w := &s.window
	for w.alone == "" && w.busy < s.cfg.InFlight && s.maySend() {
		now := time.Now()
		f, err := s.next(now)
		if err != nil || f == nil {
			return err
		}
		weight := min(s.link.weight(f.item), s.cfg.InFlight)
		suspect := s.link.suspects[f.item.ID] >= suspicion
		if w.busy > 0 && (suspect || w.busy+weight > s.cfg.InFlight) {
			return nil // it waits for its turn
		}
		if suspect {
			w.alone = f.item.ID
		}
		s.begin(f, weight, now)
	}
	return nil
}

// begin hands an item to a worker.
func (s *session) begin(f *flight, weight int, now time.Time) {
	w := &s.window
	if w.busy == 0 {
		w.lastProgress = now
	}
	if _, again := w.flights[f.item.ID]; again {
		s.link.stats.resent.Add(1)
	} else {
		w.queue = w.queue[1:]
		w.flights[f.item.ID] = f
	}
	f.sending, f.sent = true, now
	f.tries++
	w.busy += weight
	j := job{kind: jobItem, item: f.item, weight: weight, turn: w.last, passed: make(chan struct{})}
	w.last = j.passed
	s.start(j)
}

// land takes an item that a worker has published out of the air.
func (s *session) land(r result) *flight {
	w := &s.window
	w.busy -= r.weight
	w.lastProgress = time.Now()
	if w.alone == r.id {
		w.alone = ""
	}
	f := w.flights[r.id]
	f.sending = false
	return f
}
