package uplink

import (
	"context"
	"errors"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

type jobKind uint8

const (
	jobItem jobKind = iota
	jobStatus
	jobReport
)

// job is what a worker publishes. An item's messages are read by the worker.
type job struct {
	kind     jobKind
	item     Item
	weight   int // messages that it may have on their way at once
	messages []message

	// Items are read side by side and handed over one after the other, in the order in
	// which they were begun.
	turn   <-chan struct{} // closed when the item before has been handed over
	passed chan struct{}   // closed when this one has; nil where order is nothing
}

// pass lets the next item be handed over; it may be called again.
func (j *job) pass() {
	if j.passed != nil {
		close(j.passed)
		j.passed = nil
	}
}

// result is how a job ended.
type result struct {
	kind   jobKind
	id     string
	weight int
	broken error // the item can't be read
	err    error // it could not be published
}

const (
	// suspicion is in how many broken connections an item must have been on its
	// way before it is sent by itself, to see whether it is the one that the
	// broker takes offence at.
	suspicion = 2
	// stuck is after how many ack timeouts an item counts as refused while the
	// broker acknowledges others.
	stuck = 3
	// tick is how often times are looked at.
	tick = 250 * time.Millisecond

	maxSuspects = 1024
)

var errStalled = errors.New("the broker acknowledges nothing any more")

// run forwards until the connection is lost or, ctx having ended, the outbox is
// empty or the time for that is over.
func (s *session) run(ctx context.Context) error {
	s.workers.Go(s.answerOrders)
	s.workers.Go(s.answerCommands)
	s.status.changed = true
	ended, overtime := ctx.Done(), (<-chan time.Time)(nil)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		if err := s.advance(); err != nil {
			return s.lose(err)
		}
		if overtime != nil && s.window.busy == 0 && (s.cfg.Outbox.Len() == 0 || !s.maySend()) {
			s.finish()
			return nil
		}
		select {
		case <-ended:
			ended, overtime = nil, time.After(s.cfg.DrainTimeout)
		case <-overtime:
			s.finish()
			return nil
		case err := <-s.lost:
			return s.lose(err)
		case r := <-s.done:
			if err := s.settle(r); err != nil {
				return s.lose(err)
			}
		case payload := <-s.receipts:
			if err := s.receipt(payload); err != nil {
				return s.lose(err)
			}
		case r := <-s.nextReport():
			if err := s.startReport(r); err != nil {
				return err
			}
		case <-s.cfg.Outbox.Changed():
			s.window.more = true
		case <-s.cfg.StatusChanged:
			s.status.changed = true
		case now := <-ticker.C:
			if err := s.look(now); err != nil {
				return s.lose(err)
			}
		}
	}
}

// nextReport is nil, from which nothing comes, while a report is on its way.
func (s *session) nextReport() <-chan OrdersReport {
	if s.reporting {
		return nil
	}
	return s.reports
}

// advance does what can be done now. What has come in is dealt with first, so
// that many deliveries cost one change of the outbox.
func (s *session) advance() error {
	for range maxReceiptsWaiting {
		var err error
		select {
		case r := <-s.done:
			err = s.settle(r)
		case payload := <-s.receipts:
			err = s.receipt(payload)
		default:
			return s.proceed()
		}
		if err != nil {
			return err
		}
	}
	return s.removeDelivered()
}

// proceed removes what was delivered and begins what there is room for.
func (s *session) proceed() error {
	if err := s.removeDelivered(); err != nil {
		return err
	}
	if err := s.startStatus(); err != nil {
		return err
	}
	return s.fill()
}

func (s *session) removeDelivered() error {
	w := &s.window
	if len(w.delivered) == 0 {
		return nil
	}
	n, err := s.cfg.Outbox.remove(w.delivered, delivered)
	s.link.stats.delivered.Add(uint64(n))
	w.delivered = w.delivered[:0]
	return err
}

// start lets a worker publish a job.
func (s *session) start(j job) {
	s.workers.Go(func() {
		select {
		case s.done <- s.work(j):
		case <-s.quit:
		}
	})
}

// work publishes a job and waits for the broker's acknowledgement.
func (s *session) work(j job) result {
	r := result{kind: j.kind, id: j.item.ID, weight: j.weight}
	defer j.pass()
	if j.kind == jobItem {
		defer s.handed.forget(j.item.ID)
		observation, evidence, err := s.cfg.Outbox.Load(j.item)
		if err != nil {
			r.broken = err
			return r
		}
		j.messages = s.link.messages(j.item.ID, observation, evidence)
	}
	if j.turn != nil {
		select {
		case <-j.turn:
		case <-s.quit:
			r.err = errLost
			return r
		}
	}
	tokens, err := s.handOver(j)
	j.pass()
	if err == nil {
		err = s.acknowledged(tokens)
	}
	r.err = err
	return r
}

// handOver publishes the messages of a job and returns the tokens of those that are
// not acknowledged yet: no more are on their way than its weight.
func (s *session) handOver(j job) ([]mqtt.Token, error) {
	var tokens []mqtt.Token
	for _, m := range j.messages {
		if j.kind == jobItem && len(tokens) >= j.weight {
			if err := s.acknowledged(tokens); err != nil {
				return nil, err
			}
			tokens = nil
		}
		t, err := s.send(j, m)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
	}
	return tokens, nil
}

// acknowledged waits for tokens. Only a PUBACK makes it return nil: the client
// does not reconnect, and what would complete a token then is an error.
func (s *session) acknowledged(tokens []mqtt.Token) error {
	for _, t := range tokens {
		select {
		case <-t.Done():
			if err := t.Error(); err != nil {
				return err
			}
		case <-s.quit:
			return errLost
		}
	}
	return nil
}
