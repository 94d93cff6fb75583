package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/uuid"
)

const (
	// maxBatch is how many messages are stored at once. Flushing the disk costs the
	// same for one and for many.
	maxBatch = 64
	// messageCost is what a message costs beside its payload, goroutine included.
	messageCost = 16 << 10
	// maxTopicPacket is what a packet has beside its payload.
	maxTopicPacket = 1 << 10
	// upkeepEvery is how often an inbox looks after what waits.
	upkeepEvery = time.Minute
)

var errOverflowed = errors.New("more came than could be stored in time; a new connection brings it again")

// intake hands messages from the client's goroutines to the one that stores.
type intake struct {
	messages   chan mqtt.Message
	quit       chan struct{}
	overflowed atomic.Bool // a message was dropped, and not acknowledged
}

// Run keeps one connection and stores what comes over it. It returns an error
// when there is no connection to be had, when it is lost, or when storing fails,
// and nil when ctx ends. It does not try again; its caller does. Also without a
// connection it looks after what is stored, once for each time it is called.
func (in *Inbox) Run(ctx context.Context) error {
	if in.cfg.Broker == "" {
		return errors.New("run inbox: broker: must be set")
	}
	if err := in.upkeep(time.Now()); err != nil {
		return fmt.Errorf("inbox: %w", err)
	}
	q := &intake{messages: make(chan mqtt.Message), quit: make(chan struct{})}
	defer close(q.quit)
	t, err := in.connect(ctx, q)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("connect inbox to %s: %w", in.broker, err)
	}
	defer t.close()
	if err := in.serve(ctx, t, q); err != nil {
		return fmt.Errorf("inbox at %s: %w", in.broker, err)
	}
	t.disconnect()
	return nil
}

// receive waits until the message is taken, unless too many wait already.
func (in *Inbox) receive(q *intake, m mqtt.Message) {
	cost := int64(messageCost + len(m.Payload()))
	defer in.queued.Add(-cost)
	if in.queued.Add(cost) > in.cfg.MaxQueued {
		in.stats.overflowed.Add(1)
		q.overflowed.Store(true)
		return
	}
	select {
	case q.messages <- m:
	case <-q.quit:
	}
}

func (in *Inbox) connect(ctx context.Context, q *intake) (*transport, error) {
	id := in.cfg.ClientID
	if id == "" {
		id = "gadeblik-inbox-" + uuid.NewString()
	}
	return openTransport(ctx, transportConfig{
		broker:         in.broker,
		clientID:       id,
		username:       in.cfg.Username,
		password:       in.cfg.Password,
		persistent:     in.cfg.ClientID != "",
		manualAck:      true, // when it is stored
		topics:         in.topics(),
		receive:        func(_ mqtt.Client, m mqtt.Message) { in.receive(q, m) },
		maxPacket:      max(sealedLimit(in.cfg.MaxEvidence), maxSealedObservation) + maxTopicPacket,
		oversized:      &in.stats.oversized,
		connectTimeout: in.cfg.ReplyTimeout,
		writeTimeout:   in.cfg.ReplyTimeout,
		keepAlive:      time.Minute,
		pingTimeout:    30 * time.Second,
	})
}

// topics are the filters to subscribe to; they cover whole messages and parts.
func (in *Inbox) topics() []string {
	share := ""
	if in.cfg.Share != "" {
		share = "$share/" + in.cfg.Share + "/"
	}
	var all []string
	for _, kind := range []string{topicObservations, topicEvidence} {
		all = append(all, share+topicRoot+in.cfg.Fleet+"/+/"+kind+"/#")
	}
	return all
}

// serve stores one batch after the other.
func (in *Inbox) serve(ctx context.Context, t *transport, q *intake) error {
	tick := time.NewTicker(upkeepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-t.lost:
			return t.reason(err)
		case now := <-tick.C:
			if q.overflowed.Load() {
				return errOverflowed
			}
			if err := in.upkeep(now); err != nil {
				return err
			}
		case m := <-q.messages:
			batch := in.gather(q, m)
			if err := in.take(t, batch); err != nil {
				return err
			}
			// The broker sends what was not acknowledged again on a new connection
			// only, and until then holds other messages back.
			if q.overflowed.Load() && len(batch) < in.batch {
				return errOverflowed
			}
		}
	}
}

// gather adds to a message those that wait behind it.
func (in *Inbox) gather(q *intake, first mqtt.Message) []mqtt.Message {
	batch := []mqtt.Message{first}
	for len(batch) < in.batch {
		select {
		case m := <-q.messages:
			batch = append(batch, m)
		default:
			return batch
		}
	}
	return batch
}

// take stores a batch, answers it and only then acknowledges it to the broker.
func (in *Inbox) take(t *transport, batch []mqtt.Message) error {
	in.stats.messages.Add(uint64(len(batch)))
	in.stats.batches.Add(1)
	var arrivals []arrival
	var verdicts []verdict
	for _, m := range batch {
		a, err := parseTopic(m.Topic())
		switch {
		case errors.Is(err, errPart):
			v := refused(a, err)
			v.from = a
			verdicts = append(verdicts, v)
		case err != nil:
			in.stats.foreign.Add(1)
		default:
			arrivals = append(arrivals, arrival{a, m.Payload()})
		}
	}
	taken, err := in.shelf.take(arrivals)
	if err != nil {
		return err
	}
	if err := in.reply(t, append(verdicts, taken...)); err != nil {
		return err
	}
	for _, m := range batch {
		m.Ack()
	}
	if in.shelf.parts.due() {
		return in.sweep(time.Now())
	}
	return nil
}

// reply counts, and sends each vehicle one receipt. It doesn't wait for the
// broker's acknowledgement: should the receipt get lost, the vehicle sends the
// items again and gets another.
func (in *Inbox) reply(t *transport, verdicts []verdict) error {
	receipts := map[Topics]*Receipt{}
	for _, v := range verdicts {
		in.note(v)
		topics, err := NewTopics(v.from.fleet, v.from.vehicle)
		if err != nil {
			return err
		}
		if receipts[topics] == nil {
			receipts[topics] = &Receipt{}
		}
		receipts[topics].add(v.receipt)
	}
	for topics, r := range receipts {
		if r.empty() {
			continue
		}
		payload, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := t.publish(message{topic: topics.Receipts(), payload: payload}); err != nil {
			return t.reason(err)
		}
	}
	return nil
}

func (in *Inbox) note(v verdict) {
	switch {
	case v.delivery != nil:
		in.stats.stored.Add(1)
		if in.cfg.OnStored != nil {
			in.cfg.OnStored(*v.delivery)
		}
	case len(v.receipt.Stored) > 0:
		in.stats.repeated.Add(1)
	case v.refusal != nil:
		in.noteRefusal(v)
	}
}

func (in *Inbox) noteRefusal(v verdict) {
	if errors.Is(v.refusal, errStranger) {
		in.stats.strangers.Add(1)
	}
	if v.receipt.empty() { // another message of the item says it
		return
	}
	if !errors.Is(v.refusal, errStranger) {
		in.stats.refused.Add(1)
	}
	if in.cfg.OnRefused == nil {
		return
	}
	reason := v.refusal
	var unreadable keysError
	if errors.As(reason, &unreadable) {
		reason = unreadable.cause
	}
	in.cfg.OnRefused(Refusal{
		Fleet: v.from.fleet, Vehicle: v.from.vehicle, Parcel: v.from.id, Reason: reason, Later: later(v.refusal),
	})
}

// upkeep drops what waits too long, what processes that died have left, and what
// has expired.
func (in *Inbox) upkeep(now time.Time) error {
	if err := in.sweep(now); err != nil {
		return err
	}
	if err := in.shelf.tidy(now); err != nil {
		return fmt.Errorf("tidy: %w", err)
	}
	if in.cfg.PurgeEvery < 0 || now.Sub(in.purged) < in.cfg.PurgeEvery {
		return nil
	}
	_, err := in.Purge(now)
	if err == nil {
		in.purged = now
	}
	return err
}

func (in *Inbox) sweep(now time.Time) error {
	n, err := in.shelf.parts.sweep(now)
	in.stats.evicted.Add(uint64(n))
	if err != nil {
		return fmt.Errorf("look after what waits: %w", err)
	}
	return nil
}
