package uplink

import (
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// burst is for how long what was not sent may be sent later on top of the rate.
const burst = time.Second

// rate lets bytes through at so many a second in the long run. A message is let
// through whole, when those before it are paid for, so that one of any length
// passes. The nil rate has no limit.
type rate struct {
	perSecond float64
	turn      chan struct{} // held by the one message that waits: one that gives up owes nothing
	paid      time.Time     // until when what was let through takes; whoever has the turn changes it
}

func newRate(perSecond int) *rate {
	if perSecond <= 0 {
		return nil
	}
	return &rate{perSecond: float64(perSecond), turn: make(chan struct{}, 1)}
}

// wait waits until n bytes may be sent, or fails when quit is closed.
func (r *rate) wait(n int, quit <-chan struct{}) error {
	if r == nil {
		return nil
	}
	select {
	case r.turn <- struct{}{}:
	case <-quit:
		return errLost
	}
	defer func() { <-r.turn }()
	timer := time.NewTimer(time.Until(r.paid))
	defer timer.Stop()
	select {
	case now := <-timer.C:
		if earliest := now.Add(-burst); r.paid.Before(earliest) {
			r.paid = earliest
		}
		r.paid = r.paid.Add(time.Duration(float64(n) / r.perSecond * float64(time.Second)))
		return nil
	case <-quit:
		return errLost
	}
}

// holds tells whether a message waits for its turn.
func (r *rate) holds() bool { return r != nil && len(r.turn) > 0 }

// send publishes a message of a job. Those of items wait for the rate first; how
// the agent is and which orders it obeys does not.
func (s *session) send(j job, m message) (mqtt.Token, error) {
	if j.kind != jobItem {
		return s.publish(m)
	}
	s.handed.forget(j.item.ID)
	if err := s.link.rate.wait(len(m.topic)+len(m.payload), s.quit); err != nil {
		return nil, err
	}
	t, err := s.publish(m)
	if err == nil {
		s.handed.over(j.item.ID, time.Now())
	}
	return t, err
}

// maySend asks whether items may be sent now.
func (s *session) maySend() bool { return s.cfg.MaySend == nil || s.cfg.MaySend() }

// handed is when items' newest messages were handed over to the connection. An
// item that still waits for its turn is not in it: it is not the broker who keeps
// that one waiting.
type handed struct {
	mu sync.Mutex // workers tell, the session's loop asks
	at map[string]time.Time
}

func (h *handed) over(id string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.at == nil {
		h.at = map[string]time.Time{}
	}
	h.at[id] = now
}

func (h *handed) forget(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.at, id)
}

// unanswered is for how long the broker has had an item's newest message without
// acknowledging it.
func (s *session) unanswered(id string, now time.Time) time.Duration {
	s.handed.mu.Lock()
	defer s.handed.mu.Unlock()
	if at, ok := s.handed.at[id]; ok {
		return now.Sub(at)
	}
	return 0
}

// lastProgress is when something last moved. While the rate holds a message back
// it is not the network that stands still.
func (s *session) lastProgress(now time.Time) time.Time {
	if s.link.rate.holds() {
		return now
	}
	if sent := s.wire.lastSent(); sent.After(s.window.lastProgress) {
		return sent
	}
	return s.window.lastProgress
}
