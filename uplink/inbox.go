package uplink

import (
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// InboxConfig says where an [Inbox] receives and where it stores. Dir must be set,
// for Run and Take also the Opener, for Run also the Broker; zero fields get the
// defaults.
type InboxConfig struct {
	Broker string // as in LinkConfig
	// ClientID, when set, makes the broker keep what comes while we are away. (The
	// broker mochi-mqtt 2.7.9 can't: coming back, it refuses to let us subscribe.)
	ClientID           string
	Username, Password string
	TLS                *tls.Config
	// Share, when set, is the name of a shared subscription: the broker gives each
	// message to one of the inboxes that subscribe by this name. They must share one
	// folder, since the messages of one item go to different ones.
	Share string

	Opener Opener // unseals and verifies; its Keys must be set

	Dir   string // made where there is none
	Fleet string // a name, or + for all; default +

	// OnStored is told of each observation after it is stored, with its picture if
	// it has one, and not of repetitions. It must not block for long.
	OnStored func(Delivery)
	// OnRefused is told of each refusal. It must not block for long.
	OnRefused func(Refusal)

	MaxEvidence  int           // bytes of one picture; default 8 MiB
	MaxWaiting   int           // items of which not everything has come; default 1000
	WaitingBytes int64         // of those; default 256 MiB
	VehicleItems int           // of MaxWaiting, for one vehicle; default a quarter
	VehicleBytes int64         // of WaitingBytes, for one vehicle; default a quarter
	MaxQueued    int64         // bytes received and not stored yet; default 64 MiB
	ReplyTimeout time.Duration // of the broker; default 15 s
	// PurgeEvery is how often Run deletes what has expired, beginning at once;
	// default 1 h, negative = never.
	PurgeEvery time.Duration
}

// Delivery is one observation that an [Inbox] has stored. Its paths are below the
// inbox's folder.
type Delivery struct {
	Fleet, Vehicle string
	Parcel         string // the id by which it was sent
	Observation    Observation
	JSON           string // the observation
	DSSE           string // the same as the vehicle signed it: proof of where it comes from
	JPEG           string // the picture; empty = it has none
}

// Refusal is something that an [Inbox] has not stored.
type Refusal struct {
	Fleet, Vehicle string
	Parcel         string
	Reason         error // in full; the vehicle may be told less
	Later          bool  // nothing is wrong with it
}

// InboxStats counts since [NewInbox].
type InboxStats struct {
	Messages   uint64 // received
	Batches    uint64 // in which they were stored
	Stored     uint64 // observations stored
	Repeated   uint64 // observations that were stored already
	Refused    uint64 // items refused
	Strangers  uint64 // messages of vehicles that nobody has introduced
	Foreign    uint64 // messages on topics that make no sense
	Overflowed uint64 // messages dropped because storing is too slow; they come again
	Oversized  uint64 // packets too long to be looked at
	Evicted    uint64 // items dropped of which not everything came, or too many waited; they come again
	Purged     uint64 // observations deleted because they had expired
	Rebuilt    uint64 // times that the index was damaged and made anew
}

// Inbox receives observations and pictures, stores them, and then, and only then,
// sends receipts. It stores each observation once, however often it comes, as
//
//	<dir>/<date>/<vehicle>/<task>/<id>.json, .dsse and .jpg
//
// Each file appears whole or not at all, the JSON last. What a vehicle says about
// itself can't lead out of the folder. Several inboxes may share a folder, in one
// process or in several on one computer; the methods of one inbox are not safe for
// concurrent use, except Stats.
type Inbox struct {
	cfg    InboxConfig
	broker broker
	shelf  *shelf
	batch  int // messages stored at once
	queued atomic.Int64
	stats  inboxCounters
	purged time.Time // when Run last looked for what has expired
}

// inboxCounters is [InboxStats] while it is counted.
type inboxCounters struct {
	messages, batches, stored, repeated, refused, strangers, foreign atomic.Uint64
	overflowed, oversized, evicted, purged, rebuilt                  atomic.Uint64
}

// NewInbox checks the configuration and opens the folder; a damaged index is made
// anew. It does not connect. Close releases the folder.
func NewInbox(cfg InboxConfig) (*Inbox, error) {
	in := &Inbox{batch: maxBatch}
	err := cfg.complete()
	if err == nil && cfg.Broker != "" {
		in.broker, err = parseBroker(cfg.Broker, cfg.TLS)
	}
	if err != nil {
		return nil, fmt.Errorf("configure inbox: %w", err)
	}
	in.cfg = cfg
	if in.shelf, err = openShelf(cfg, func() { in.stats.rebuilt.Add(1) }); err != nil {
		return nil, fmt.Errorf("open inbox %s: %w", cfg.Dir, err)
	}
	return in, nil
}

func (c *InboxConfig) complete() error {
	if c.Dir == "" {
		return errors.New("dir: must be set")
	}
	if c.Broker != "" && c.Opener.Keys == nil {
		return errors.New("opener: must know the keys of the vehicles")
	}
	if c.Fleet == "" {
		c.Fleet = "+"
	}
	for name, value := range map[string]string{"fleet": c.Fleet, "share": c.Share} {
		if name == "fleet" && value == "+" || name == "share" && value == "" {
			continue
		}
		if err := checkName(value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return c.bounds()
}

func (c *InboxConfig) bounds() error {
	if c.MaxEvidence <= 0 || c.MaxEvidence > maxEvidence {
		c.MaxEvidence = 8 << 20
	}
	if c.MaxWaiting <= 0 {
		c.MaxWaiting = 1000
	}
	if c.WaitingBytes <= 0 {
		c.WaitingBytes = 256 << 20
	}
	if c.VehicleItems <= 0 {
		c.VehicleItems = max(1, c.MaxWaiting/4)
	}
	one := int64(sealedLimit(c.MaxEvidence) + maxSealedObservation)
	if c.VehicleBytes <= 0 {
		c.VehicleBytes = max(one, c.WaitingBytes/4)
	}
	if c.MaxQueued <= 0 {
		c.MaxQueued = 64 << 20
	}
	if c.ReplyTimeout <= 0 {
		c.ReplyTimeout = 15 * time.Second
	}
	if c.PurgeEvery == 0 {
		c.PurgeEvery = time.Hour
	}
	if c.VehicleBytes < one || c.WaitingBytes < c.VehicleBytes {
		return fmt.Errorf("waiting bytes: must be at least %d for one vehicle, which is one item, and no less in all (got %d and %d)",
			one, c.VehicleBytes, c.WaitingBytes)
	}
	return nil
}

// maxWaited is after how long an item of which nothing more comes is dropped.
const maxWaited = 24 * time.Hour

func (c *InboxConfig) limits() waitingLimits {
	return waitingLimits{
		items: c.MaxWaiting, vehicleItems: c.VehicleItems,
		bytes: c.WaitingBytes, vehicleBytes: c.VehicleBytes, age: maxWaited,
	}
}

// Close releases the folder. It must not be called while Run runs.
func (in *Inbox) Close() error { return in.shelf.root.Close() }

// Stats returns the counters.
func (in *Inbox) Stats() InboxStats {
	c := &in.stats
	return InboxStats{
		Messages:   c.messages.Load(),
		Batches:    c.batches.Load(),
		Stored:     c.stored.Load(),
		Repeated:   c.repeated.Load(),
		Refused:    c.refused.Load(),
		Strangers:  c.strangers.Load(),
		Foreign:    c.foreign.Load(),
		Overflowed: c.overflowed.Load(),
		Oversized:  c.oversized.Load(),
		Evicted:    c.evicted.Load(),
		Purged:     c.purged.Load(),
		Rebuilt:    c.rebuilt.Load(),
	}
}

// Parcel is what a vehicle sends for one observation, sealed as it is.
type Parcel struct {
	Fleet, Vehicle string
	ID             string // by which the vehicle knows it
	Observation    []byte
	Evidence       []byte // empty = none
}

// Take stores a parcel that came by another way than the broker, as Run would, and
// returns what its vehicle may be told. It must not be called while Run runs.
func (in *Inbox) Take(p Parcel) (Receipt, error) {
	if in.cfg.Opener.Keys == nil {
		return Receipt{}, errors.New("take parcel: the inbox knows no keys of vehicles")
	}
	topics, err := NewTopics(p.Fleet, p.Vehicle)
	if err != nil {
		return Receipt{}, fmt.Errorf("take parcel %s: %w", short(p.ID), err)
	}
	a, err := parseTopic(topics.Observation(p.ID))
	if err != nil {
		return Receipt{}, fmt.Errorf("take parcel: %w", err)
	}
	var batch []arrival
	if len(p.Evidence) > 0 {
		e := a
		e.kind = topicEvidence
		batch = append(batch, arrival{e, p.Evidence})
	}
	verdicts, err := in.shelf.take(append(batch, arrival{a, p.Observation}))
	if err != nil {
		return Receipt{}, err
	}
	var r Receipt
	for _, v := range verdicts {
		in.note(v)
		r.add(v.receipt)
	}
	return r, nil
}
