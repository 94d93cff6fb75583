package uplink

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// settle takes note of how a job ended.
func (s *session) settle(r result) error {
	switch r.kind {
	case jobStatus:
		s.status.sending = false
		s.status.acked = s.status.acked || r.err == nil
		return r.err
	case jobReport:
		s.reporting = false
		return r.err
	}
	if r.err != nil {
		return r.err // the item stays under way: lose looks at it
	}
	f := s.land(r)
	if r.broken != nil {
		return s.setAside(f, r.broken)
	}
	delete(s.link.suspects, r.id)
	s.link.stats.published.Add(1)
	switch {
	case f.over:
		delete(s.window.flights, r.id)
	case s.cfg.Ack == AckPuback:
		delete(s.window.flights, r.id)
		s.window.delivered = append(s.window.delivered, r.id)
	default:
		f.due = time.Now().Add(patience(s.cfg.ReceiptTimeout, f.tries))
	}
	return nil
}

// setAside puts away an item that can't be read. One that was receipted, expired or
// evicted in the meantime is gone, and rightly.
func (s *session) setAside(f *flight, reason error) error {
	delete(s.window.flights, f.item.ID)
	_, there, err := s.cfg.Outbox.find(f.item.ID)
	if f.over || err != nil || !there {
		return err
	}
	s.link.stats.aside.Add(1)
	return s.cfg.Outbox.Quarantine(f.item.ID, reason.Error())
}

// receipt deals with the inbox's word.
func (s *session) receipt(payload []byte) error {
	r, err := ParseReceipt(payload)
	if err != nil {
		s.link.stats.receiptsInvalid.Add(1)
		return nil
	}
	for _, stored := range r.Stored {
		if err := s.stored(stored); err != nil {
			return err
		}
	}
	for _, refused := range r.Refused {
		if err := s.refused(refused); err != nil {
			return err
		}
	}
	return nil
}

// stored lets go of an item if the receipt is for exactly what it holds. It may
// have been published on an earlier connection.
func (s *session) stored(r Stored) error {
	f, ok, err := s.cfg.Outbox.find(r.ID)
	if err != nil || !ok {
		return err
	}
	if hex.EncodeToString(f.digest[:]) != r.SHA256 {
		s.link.stats.receiptsInvalid.Add(1)
		return nil
	}
	w := &s.window
	w.lastReceipt = time.Now()
	w.delivered = append(w.delivered, r.ID)
	if f := w.flights[r.ID]; f != nil && f.sending {
		f.over = true
	} else {
		delete(w.flights, r.ID)
	}
	w.queue = without(w.queue, r.ID)
	return nil
}

func without(items []Item, id string) []Item {
	var out []Item
	for _, it := range items {
		if it.ID != id {
			out = append(out, it)
		}
	}
	return out
}

// refused counts a refusal of an item that is under way.
func (s *session) refused(r Refused) error {
	w := &s.window
	f := w.flights[r.ID]
	if f == nil || f.over {
		return nil
	}
	w.lastReceipt = time.Now()
	f.due = w.lastReceipt.Add(patience(s.cfg.ReceiptTimeout, f.tries))
	if r.Later { // it will be asked again, and is not held against the item
		s.link.stats.deferred.Add(1)
		return nil
	}
	aside, err := s.link.refuse(r.ID, "inbox: "+short(r.Reason))
	switch {
	case aside && f.sending:
		f.over = true
	case aside:
		delete(w.flights, r.ID)
	}
	return err
}

func (l *Link) refuse(id, reason string) (aside bool, err error) {
	l.stats.refused.Add(1)
	aside, err = l.cfg.Outbox.Refuse(id, reason)
	if aside && err == nil {
		l.stats.aside.Add(1)
	}
	return aside, err
}

// look is the work of the clock.
func (s *session) look(now time.Time) error {
	if now.After(s.status.due) {
		s.status.changed = true
	}
	w := &s.window
	if w.busy > 0 && now.Sub(s.lastProgress(now)) > s.cfg.AckTimeout {
		return errStalled
	}
	for id, f := range w.flights {
		if f.sending && s.unanswered(id, now) > stuck*s.cfg.AckTimeout {
			_, err := s.link.refuse(id, "the broker acknowledges others and not this")
			return errors.Join(errStalled, err)
		}
	}
	return nil
}

// lose returns why the connection ended, and looks for the culprit among the
// items on their way. A broker that takes offence at one hangs up on all. An item
// that was there when it hung up is suspect; one that was there alone is refused.
func (s *session) lose(err error) error {
	cause := s.reason(err)
	if errors.Is(err, errStalled) {
		cause = err
	}
	if !hungUp(cause) && !errors.Is(cause, errStalled) || !s.status.acked {
		return cause
	}
	var sending []*flight
	for _, f := range s.window.flights {
		if f.sending {
			sending = append(sending, f)
		}
	}
	if len(sending) == 1 && errors.Is(cause, errStalled) && !s.wire.heardSince(sending[0].sent) {
		return cause // nothing comes in at all: that is the network, not the item
	}
	if len(sending) == 1 {
		_, refuseErr := s.link.refuse(sending[0].item.ID, fmt.Sprintf("broker: %v while it was sent alone", cause))
		return errors.Join(cause, refuseErr)
	}
	if len(s.link.suspects) > maxSuspects {
		clear(s.link.suspects)
	}
	for _, f := range sending {
		s.link.suspects[f.item.ID]++
	}
	return cause
}
