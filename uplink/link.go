package uplink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

// AckMode says what counts as the delivery of an item.
type AckMode string

// The ack modes.
const (
	AckReceipt AckMode = "receipt" // an inbox says that it is stored; the default
	AckPuback  AckMode = "puback"  // the broker has taken it
)

// LinkConfig says how a [Link] reaches its broker. Broker, Fleet, Vehicle and
// Outbox must be set; zero durations and counts get the defaults.
type LinkConfig struct {
	Broker             string // tcp://host:port or tls://host:port (mqtt, mqtts, ssl are understood too)
	Fleet, Vehicle     string
	ClientID           string // default gadeblik-<fleet>-<vehicle>
	Username, Password string
	TLS                *tls.Config // for tls; nil = the system's roots

	Outbox *Outbox
	Ack    AckMode

	// Status tells the state to publish; StatusChanged says that it is news.
	// Neither may block. Without Status only `armed`, `stopped` and `offline` appear.
	Status        func() Status
	StatusChanged <-chan struct{}
	// OnOrders verifies a payload of orders/desired and answers. It is called by
	// one goroutine, and must come to an end by itself. Nil = orders are not
	// asked for.
	OnOrders func(payload []byte) OrdersReport
	// OnCommand verifies a command, obeys it and tells whether it did. It is called
	// by one goroutine, and must come to an end by itself; its answer is in the
	// status. Nil = commands are not asked for.
	OnCommand func(payload []byte) bool

	// MaySend tells whether items may be sent now; status, orders and commands go
	// on where they may not. It is asked before an item is begun, several times a
	// second, and must not block. Nil = always.
	MaySend func() bool
	// MaxRate is how many bytes of items may be sent per second; 0 = no limit.
	MaxRate int
	// Clock tells the time by which the broker's certificate must be valid. Nil =
	// the system's clock, with which a board without a battery starts in 1970.
	Clock func() time.Time

	InFlight       int           // messages on their way at once; default 16
	Unreceipted    int           // items published and not receipted at once; default 64
	ReceiptTimeout time.Duration // until an item is published again, doubling; default 60 s
	AckTimeout     time.Duration // without any progress, until the connection is given up; default 90 s
	ConnectTimeout time.Duration // default 15 s
	WriteTimeout   time.Duration // of one message; default 30 s
	KeepAlive      time.Duration // default 60 s
	PingTimeout    time.Duration // default 30 s
	StatusEvery    time.Duration // the status is renewed; default 5 min
	DrainTimeout   time.Duration // for emptying the outbox when ctx ends; default 5 s
	MaxPacket      int           // bytes of a message received; default what the largest orders need
	// MaxPayload is the longest message that the broker takes, in bytes; what is longer
	// goes in parts, which an inbox puts together again. Default 128 KiB, which suits
	// the strictest public brokers.
	MaxPayload int
}

// complete checks the configuration and fills in the defaults.
func (c *LinkConfig) complete() (Topics, error) {
	topics, err := NewTopics(c.Fleet, c.Vehicle)
	if err != nil {
		return Topics{}, err
	}
	if c.Outbox == nil {
		return Topics{}, errors.New("outbox: must be set")
	}
	if c.Ack == "" {
		c.Ack = AckReceipt
	}
	if c.Ack != AckReceipt && c.Ack != AckPuback {
		return Topics{}, fmt.Errorf("ack: must be receipt or puback (got %q)", c.Ack)
	}
	if c.ClientID == "" {
		c.ClientID = "gadeblik-" + c.Fleet + "-" + c.Vehicle
	}
	if c.Status == nil {
		c.Status = func() Status { return Status{State: Armed} }
	}
	for _, d := range []struct {
		value     *time.Duration
		otherwise time.Duration
	}{
		{&c.ReceiptTimeout, time.Minute},
		{&c.AckTimeout, 90 * time.Second},
		{&c.ConnectTimeout, 15 * time.Second},
		{&c.WriteTimeout, 30 * time.Second},
		{&c.KeepAlive, time.Minute},
		{&c.PingTimeout, 30 * time.Second},
		{&c.StatusEvery, 5 * time.Minute},
		{&c.DrainTimeout, 5 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.otherwise
		}
	}
	for _, n := range []struct {
		value     *int
		otherwise int
	}{{&c.InFlight, 16}, {&c.Unreceipted, 64}, {&c.MaxPacket, maxEnvelope + 1<<10}, {&c.MaxPayload, 128 << 10}} {
		if *n.value <= 0 {
			*n.value = n.otherwise
		}
	}
	if c.MaxPayload < minPayload {
		return Topics{}, fmt.Errorf("max payload: must be at least %d bytes (got %d)", minPayload, c.MaxPayload)
	}
	return topics, nil
}

// LinkStats counts since [NewLink].
type LinkStats struct {
	Connects        uint64 // connections that came up
	Published       uint64 // items that the broker has acknowledged
	Delivered       uint64 // items removed from the outbox
	Resent          uint64 // items published again because no receipt came
	Refused         uint64 // refusals of items, by inbox or broker
	Deferred        uint64 // items that the inbox will take another time: it does not know this vehicle yet
	Oversized       uint64 // packets that were too long to be taken
	Aside           uint64 // items set aside
	OrdersReceived  uint64
	OrdersDropped   uint64 // orders overtaken by newer ones before they were looked at
	RetainedIgnored uint64 // retained messages where only live ones count
	ReceiptsBad     uint64 // receipts, or entries of them, that make no sense

	CommandsReceived uint64 // those that were retained not counted
	CommandsObeyed   uint64
	CommandsRefused  uint64
}

// Link carries the outbox to a broker and brings orders back. Its methods are safe
// for concurrent use, but Run runs once at a time.
type Link struct {
	cfg       LinkConfig
	topics    Topics
	broker    broker
	stats     linkCounters
	connected atomic.Bool
	local     atomic.Pointer[netip.Addr]
	rate      *rate
	suspects  map[string]int // items that were on their way when a broker hung up; Run's
}

// linkCounters is [LinkStats] while it is counted.
type linkCounters struct {
	connects, published, delivered, resent, refused, deferred, aside, oversized atomic.Uint64
	ordersReceived, ordersDropped, retainedIgnored, receiptsInvalid             atomic.Uint64
	commandsReceived, commandsObeyed, commandsRefused                           atomic.Uint64
}

// NewLink checks the configuration. It does not connect.
func NewLink(cfg LinkConfig) (*Link, error) {
	topics, err := cfg.complete()
	if err != nil {
		return nil, fmt.Errorf("configure uplink: %w", err)
	}
	b, err := parseBroker(cfg.Broker, cfg.TLS)
	if err != nil {
		return nil, fmt.Errorf("configure uplink: %w", err)
	}
	b.readClock(cfg.Clock)
	return &Link{cfg: cfg, topics: topics, broker: b, rate: newRate(cfg.MaxRate), suspects: map[string]int{}}, nil
}

// Connected tells whether a connection is up.
func (l *Link) Connected() bool { return l.connected.Load() }

// LocalAddr returns the address of this machine that the connection uses, which
// tells the interface it goes through. Without a connection it is not valid.
func (l *Link) LocalAddr() netip.Addr {
	if a := l.local.Load(); a != nil {
		return *a
	}
	return netip.Addr{}
}

// Stats returns the counters.
func (l *Link) Stats() LinkStats {
	return LinkStats{
		Connects:        l.stats.connects.Load(),
		Published:       l.stats.published.Load(),
		Delivered:       l.stats.delivered.Load(),
		Resent:          l.stats.resent.Load(),
		Refused:         l.stats.refused.Load(),
		Deferred:        l.stats.deferred.Load(),
		Oversized:       l.stats.oversized.Load(),
		Aside:           l.stats.aside.Load(),
		OrdersReceived:  l.stats.ordersReceived.Load(),
		OrdersDropped:   l.stats.ordersDropped.Load(),
		RetainedIgnored: l.stats.retainedIgnored.Load(),
		ReceiptsBad:     l.stats.receiptsInvalid.Load(),

		CommandsReceived: l.stats.commandsReceived.Load(),
		CommandsObeyed:   l.stats.commandsObeyed.Load(),
		CommandsRefused:  l.stats.commandsRefused.Load(),
	}
}

// Run keeps one connection for as long as it lasts and forwards the outbox over
// it. It returns an error when there is no connection to be had or it is lost,
// and nil when ctx ends: then it goes on until the outbox is empty or DrainTimeout
// has passed, publishes the state `stopped` and disconnects. It does not try
// again; its caller does.
//
// An item leaves the outbox only on a receipt for exactly its content, or, with
// [AckPuback], on a true PUBACK. Nothing here ever blocks who puts into the outbox
// for longer than a change on the disk takes.
func (l *Link) Run(ctx context.Context) error {
	s, err := l.connect(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("connect to %s: %w", l.broker, err)
	}
	l.stats.connects.Add(1)
	l.local.Store(s.wire.localAddr())
	l.connected.Store(true)
	err = s.run(ctx)
	asked := ctx.Err() != nil // before anybody can see that the connection has ended
	l.connected.Store(false)
	l.local.Store(nil)
	s.end()
	if err != nil && !asked {
		return fmt.Errorf("uplink to %s: %w", l.broker, err)
	}
	return nil
}

// hungUp tells whether a connection ended because the broker closed it, rather
// than because the network went away.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
