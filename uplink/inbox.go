package uplink

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/uuid"
)

// InboxConfig says where an [Inbox] receives and where it stores. Broker and Dir
// must be set; zero fields get the defaults.
type InboxConfig struct {
	Broker string // as in LinkConfig
	// ClientID, when set, makes the broker keep what comes while we are away. (The
	// broker mochi-mqtt 2.7.9 can't: coming back, it refuses to let us subscribe.)
	ClientID           string
	Username, Password string
	TLS                *tls.Config

	Dir   string // made where there is none
	Fleet string // a name, or + for all; default +

	// OnStored is told of each observation after it is stored, with its picture if
	// it has one, and not of repetitions. It must not block for long.
	OnStored func(Delivery)

	MaxEvidence  int   // bytes of one picture; default 8 MiB
	MaxHalves    int   // pictures and observations that wait for each other; default 1000
	HalvesBytes  int64 // of those; default 256 MiB
	MaxQueued    int64 // bytes received and not stored yet; default 64 MiB
	ReplyTimeout time.Duration
}

// Delivery is one observation that an [Inbox] has stored.
type Delivery struct {
	Fleet, Vehicle string
	Observation    Observation
	JSON           string // path of the observation below the inbox's folder
	JPEG           string // path of the picture; empty = it has none
}

// InboxStats counts since [NewInbox].
type InboxStats struct {
	Messages   uint64 // received
	Stored     uint64 // observations stored
	Repeated   uint64 // observations that were stored already
	Refused    uint64
	Foreign    uint64 // messages on topics that make no sense
	Overflowed uint64 // messages dropped because storing is too slow; they come again
	Evicted    uint64 // halves dropped because too many wait; they come again
}

// Inbox receives observations and pictures, stores them, and then, and only then,
// sends receipts. It stores each observation once, however often it comes, as
//
//	<dir>/<date>/<vehicle>/<task>/<id>.json and .jpg
//
// Each file appears whole or not at all, the picture before the observation. What
// a vehicle says about itself can't lead out of the folder.
type Inbox struct {
	cfg    InboxConfig
	broker broker
	shelf  *shelf
	queued atomic.Int64
	stats  struct{ messages, stored, repeated, refused, foreign, overflowed atomic.Uint64 }
}

// NewInbox checks the configuration and opens the folder. It does not connect.
// Close releases the folder.
func NewInbox(cfg InboxConfig) (*Inbox, error) {
	if err := cfg.complete(); err != nil {
		return nil, fmt.Errorf("configure inbox: %w", err)
	}
	b, err := parseBroker(cfg.Broker, cfg.TLS)
	if err != nil {
		return nil, fmt.Errorf("configure inbox: %w", err)
	}
	s, err := openShelf(cfg)
	if err != nil {
		return nil, fmt.Errorf("open inbox %s: %w", cfg.Dir, err)
	}
	return &Inbox{cfg: cfg, broker: b, shelf: s}, nil
}

func (c *InboxConfig) complete() error {
	if c.Dir == "" {
		return errors.New("dir: must be set")
	}
	if c.Fleet == "" {
		c.Fleet = "+"
	}
	if c.Fleet != "+" {
		if err := checkName(c.Fleet); err != nil {
			return fmt.Errorf("fleet: %w", err)
		}
	}
	if c.MaxEvidence <= 0 || c.MaxEvidence > maxEvidence {
		c.MaxEvidence = 8 << 20
	}
	if c.MaxHalves <= 0 {
		c.MaxHalves = 1000
	}
	if c.HalvesBytes <= 0 {
		c.HalvesBytes = 256 << 20
	}
	if c.MaxQueued <= 0 {
		c.MaxQueued = 64 << 20
	}
	if c.ReplyTimeout <= 0 {
		c.ReplyTimeout = 15 * time.Second
	}
	return os.MkdirAll(c.Dir, 0o750)
}

// Close releases the folder. It must not be called while Run runs.
func (in *Inbox) Close() error { return in.shelf.root.Close() }

// Stats returns the counters.
func (in *Inbox) Stats() InboxStats {
	return InboxStats{
		Messages:   in.stats.messages.Load(),
		Stored:     in.stats.stored.Load(),
		Repeated:   in.stats.repeated.Load(),
		Refused:    in.stats.refused.Load(),
		Foreign:    in.stats.foreign.Load(),
		Overflowed: in.stats.overflowed.Load(),
		Evicted:    in.shelf.evicted.Load(),
	}
}

// messageCost is what a message costs beside its payload, goroutine included.
const messageCost = 16 << 10

// Run keeps one connection and stores what comes over it. It returns an error
// when there is no connection to be had, when it is lost, or when storing fails,
// and nil when ctx ends. It does not try again; its caller does.
func (in *Inbox) Run(ctx context.Context) error {
	messages, quit := make(chan mqtt.Message), make(chan struct{})
	defer close(quit)
	receive := func(_ mqtt.Client, m mqtt.Message) {
		cost := int64(messageCost + len(m.Payload()))
		defer in.queued.Add(-cost)
		if in.queued.Add(cost) > in.cfg.MaxQueued {
			in.stats.overflowed.Add(1)
			return
		}
		select {
		case messages <- m:
		case <-quit:
		}
	}
	t, err := in.connect(ctx, receive)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("connect inbox to %s: %w", in.broker, err)
	}
	defer t.close()
	if err := in.serve(ctx, t, messages); err != nil {
		return fmt.Errorf("inbox at %s: %w", in.broker, err)
	}
	t.disconnect()
	return nil
}

func (in *Inbox) connect(ctx context.Context, receive mqtt.MessageHandler) (*transport, error) {
	id := in.cfg.ClientID
	if id == "" {
		id = "gadeblik-inbox-" + uuid.NewString()
	}
	return openTransport(ctx, transportConfig{
		broker:     in.broker,
		clientID:   id,
		username:   in.cfg.Username,
		password:   in.cfg.Password,
		persistent: in.cfg.ClientID != "",
		manualAck:  true, // when it is stored
		topics: []string{
			topicRoot + in.cfg.Fleet + "/+/" + topicObservations + "/+",
			topicRoot + in.cfg.Fleet + "/+/" + topicEvidence + "/+",
		},
		receive:        receive,
		maxPacket:      max(in.cfg.MaxEvidence, maxObservation) + maxTopicPacket,
		connectTimeout: in.cfg.ReplyTimeout,
		writeTimeout:   in.cfg.ReplyTimeout,
		keepAlive:      time.Minute,
		pingTimeout:    30 * time.Second,
	})
}

// maxTopicPacket is what a packet has beside its payload.
const maxTopicPacket = 1 << 10

// serve stores one message after the other.
func (in *Inbox) serve(ctx context.Context, t *transport, messages <-chan mqtt.Message) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-t.lost:
			return t.reason(err)
		case m := <-messages:
			if err := in.take(t, m); err != nil {
				return err
			}
		}
	}
}

// take stores a message, answers it and only then acknowledges it to the broker.
func (in *Inbox) take(t *transport, m mqtt.Message) error {
	in.stats.messages.Add(1)
	a, err := parseTopic(m.Topic())
	if err != nil {
		in.stats.foreign.Add(1)
		m.Ack()
		return nil
	}
	v, err := in.shelf.take(a, m.Payload())
	if err != nil {
		return fmt.Errorf("store %s %s of %s: %w", a.kind, a.id, a.vehicle, err)
	}
	in.note(v)
	if !v.receipt.empty() {
		if err := in.reply(t, a, v.receipt); err != nil {
			return err
		}
	}
	m.Ack()
	return nil
}

func (in *Inbox) note(v verdict) {
	in.stats.refused.Add(uint64(len(v.receipt.Refused)))
	switch {
	case v.delivery != nil:
		in.stats.stored.Add(1)
		if in.cfg.OnStored != nil {
			in.cfg.OnStored(*v.delivery)
		}
	case len(v.receipt.Stored) > 0:
		in.stats.repeated.Add(1)
	}
}

// reply sends a receipt. It doesn't wait for the broker's acknowledgement: should
// the receipt get lost, the vehicle sends the item again and gets another.
func (in *Inbox) reply(t *transport, a address, r Receipt) error {
	topics, err := NewTopics(a.fleet, a.vehicle)
	if err != nil {
		return err
	}
	payload, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = t.publish(message{topic: topics.Receipts(), payload: payload})
	if err != nil {
		return t.reason(err)
	}
	return nil
}
