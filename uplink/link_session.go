package uplink

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const (
	maxOrdersWaiting   = 4   // newer ones push older ones out
	maxReceiptsWaiting = 256 // more are dropped; the items are sent again
	// goodbye is how long the last message may take.
	goodbye = 2 * time.Second
)

// session is one connection. Its run loop owns every field without a lock; the
// client's callbacks only hand over.
type session struct {
	link *Link
	cfg  *LinkConfig
	*transport

	orders   chan []byte
	commands chan []byte
	reports  chan OrdersReport
	receipts chan []byte
	done     chan result
	quit     chan struct{} // closed when the session ends
	workers  sync.WaitGroup

	window    window
	handed    handed
	status    statusState
	reporting bool // an answer to orders is on its way; the next one waits, or could overtake it
}

// statusState follows the one status message that may be on its way.
type statusState struct {
	changed bool // to be published when the way is free
	sending bool
	acked   bool // the broker has acknowledged one: the connection works
	due     time.Time
}

// connect opens a connection and subscribes to receipts and orders.
func (l *Link) connect(ctx context.Context) (*session, error) {
	s := &session{
		link:     l,
		cfg:      &l.cfg,
		orders:   make(chan []byte, maxOrdersWaiting),
		commands: make(chan []byte, maxCommandsWaiting),
		reports:  make(chan OrdersReport),
		receipts: make(chan []byte, maxReceiptsWaiting),
		done:     make(chan result, l.cfg.InFlight),
		quit:     make(chan struct{}),
		window:   newWindow(),
	}
	will, err := Status{State: Offline, Reason: "the connection broke"}.payload()
	if err != nil {
		return nil, err
	}
	c := transportConfig{
		broker:         l.broker,
		clientID:       l.cfg.ClientID,
		username:       l.cfg.Username,
		password:       l.cfg.Password,
		will:           &message{l.topics.Status(), will, true},
		topics:         []string{l.topics.Receipts()},
		receive:        s.receive,
		oversized:      &l.stats.oversized,
		maxPacket:      l.cfg.MaxPacket,
		connectTimeout: l.cfg.ConnectTimeout,
		writeTimeout:   l.cfg.WriteTimeout,
		keepAlive:      l.cfg.KeepAlive,
		pingTimeout:    l.cfg.PingTimeout,
	}
	if l.cfg.OnOrders != nil {
		c.topics = append(c.topics, l.topics.OrdersDesired())
	}
	if l.cfg.OnCommand != nil {
		c.topics = append(c.topics, l.topics.Commands())
	}
	s.transport, err = openTransport(ctx, c)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// receive hands over what has come.
func (s *session) receive(_ mqtt.Client, m mqtt.Message) {
	switch m.Topic() {
	case s.link.topics.Receipts():
		s.onReceipt(m)
	case s.link.topics.OrdersDesired():
		s.onOrders(m)
	case s.link.topics.Commands():
		s.onCommand(m)
	}
}

// onOrders hands a set of orders over. The newest is what matters: when the queue
// is full the oldest goes.
func (s *session) onOrders(m mqtt.Message) {
	if len(m.Payload()) == 0 { // somebody has cleared the retained message
		return
	}
	s.link.stats.ordersReceived.Add(1)
	for {
		select {
		case s.orders <- m.Payload():
			return
		default:
		}
		select {
		case <-s.orders:
			s.link.stats.ordersDropped.Add(1)
		default:
		}
	}
}

// onReceipt hands a receipt over. A retained one is no answer to anything.
func (s *session) onReceipt(m mqtt.Message) {
	if m.Retained() {
		s.link.stats.retainedIgnored.Add(1)
		return
	}
	select {
	case s.receipts <- m.Payload():
	default: // the items are sent again, and receipted again
	}
}

// answerOrders lets the orders be looked at, one set after the other.
func (s *session) answerOrders() {
	for {
		select {
		case payload := <-s.orders:
			report := s.cfg.OnOrders(payload)
			report.Answers = hexDigest(payload)
			select {
			case s.reports <- report:
			case <-s.quit:
				return
			}
		case <-s.quit:
			return
		}
	}
}

// end ends the session and waits for all that it started.
func (s *session) end() {
	close(s.quit)
	s.close()
	s.workers.Wait()
}

// finish says goodbye with the state `stopped`. Where that does not get through
// the connection just ends, and the last will says that it did.
func (s *session) finish() {
	status := s.cfg.Status()
	status.State, status.Reason = Stopped, ""
	payload, err := status.payload()
	if err != nil {
		return
	}
	farewell := make(chan error, 1)
	s.workers.Go(func() { // where a write is stuck, this is too, until the connection is closed
		t, err := s.publish(message{s.link.topics.Status(), payload, true})
		if err == nil {
			err = s.acknowledged([]mqtt.Token{t})
		}
		farewell <- err
	})
	timer := time.NewTimer(goodbye)
	defer timer.Stop()
	select {
	case err := <-farewell:
		if err == nil {
			s.disconnect()
		}
	case <-timer.C:
	}
}

// startReport publishes the answer to orders.
func (s *session) startReport(r OrdersReport) error {
	payload, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write report on orders: %w", err)
	}
	s.reporting = true
	s.start(job{kind: jobReport, messages: []message{{s.link.topics.OrdersReported(), payload, true}}})
	return nil
}

// startStatus publishes the status unless one is on its way.
func (s *session) startStatus() error {
	if s.status.sending || !s.status.changed {
		return nil
	}
	payload, err := s.cfg.Status().payload()
	if err != nil {
		return fmt.Errorf("write status: %w", err)
	}
	s.status.changed, s.status.sending = false, true
	s.status.due = time.Now().Add(s.cfg.StatusEvery)
	s.start(job{kind: jobStatus, messages: []message{{s.link.topics.Status(), payload, true}}})
	return nil
}
