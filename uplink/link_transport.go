package uplink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// quiesce is how long a disconnect may take, in milliseconds.
const quiesce = 250

// forever is longer than any connection lasts.
const forever = 365 * 24 * time.Hour

// message is one publication.
type message struct {
	topic    string
	payload  []byte
	retained bool
}

// transport is one connection to a broker, with a new client as every time. The
// client is used as no more than that: its own reconnecting is off, because with
// it a token completes without an error though no PUBACK has come.
type transport struct {
	client mqtt.Client
	wire   *wire
	undone error      // why there is no wire; the client passes on its text only
	lost   chan error // delivers one error when the connection is lost
}

// transportConfig says how to connect.
type transportConfig struct {
	broker                       broker
	clientID, username, password string
	persistent                   bool // the broker keeps the session while we are away
	manualAck                    bool // messages are acknowledged by their handlers
	will                         *message
	topics                       []string            // to subscribe to
	receive                      mqtt.MessageHandler // for what comes on them
	maxPacket                    int
	oversized                    *atomic.Uint64 // counts what is longer; nil = the connection counts by itself
	connectTimeout, writeTimeout time.Duration
	keepAlive, pingTimeout       time.Duration
}

// openTransport connects and subscribes, or leaves nothing behind.
func openTransport(ctx context.Context, c transportConfig) (*transport, error) {
	opening, cancel := context.WithCancel(ctx) // closes a connection that does not come to work
	defer cancel()
	t := &transport{lost: make(chan error, 1)}
	t.client = mqtt.NewClient(t.options(opening, c))
	connected := t.client.Connect()
	err := await(ctx, connected, c.connectTimeout+time.Second)
	if err == nil {
		err = t.subscribe(ctx, c)
	}
	if err != nil {
		cancel()
		<-connected.Done() // soon, the connection being closed
		if t.wire != nil {
			t.close()
			return nil, err
		}
		return nil, cmp.Or(t.undone, err)
	}
	t.wire.keep()
	return t, nil
}

func (t *transport) options(ctx context.Context, c transportConfig) *mqtt.ClientOptions {
	o := clientOptions(c.clientID, c.username, c.password).
		SetCleanSession(!c.persistent).
		SetAutoAckDisabled(c.manualAck).
		SetKeepAlive(c.keepAlive).
		SetPingTimeout(forever).  // the wire looks after both: the client would
		SetWriteTimeout(forever). // give up a slow link on which data moves
		SetConnectTimeout(c.connectTimeout).
		SetDefaultPublishHandler(c.receive).                                        // a kept session brings messages before we subscribe
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { t.lost <- err }). // once per client
		SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) {
			w, err := c.broker.dial(ctx, c.connectTimeout, c.maxPacket)
			if err != nil {
				t.undone = err
				return nil, err
			}
			if c.oversized != nil {
				w.frames.oversized = c.oversized
			}
			w.writeTimeout, w.pingTimeout, w.keepAlive = c.writeTimeout, c.pingTimeout, c.keepAlive
			t.wire = w
			return w, nil
		})
	if c.will != nil {
		o.SetBinaryWill(c.will.topic, c.will.payload, 1, c.will.retained)
	}
	return o
}

// clientOptions are what every client here has in common.
func clientOptions(id, user, password string) *mqtt.ClientOptions {
	return mqtt.NewClientOptions().
		AddBroker("tcp://dialled-here"). // the client wants a name; dialling is our own
		SetClientID(id).
		SetUsername(user).
		SetPassword(password).
		SetProtocolVersion(4). // or a refused connect is tried again, and stays, at 3.1
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetOrderMatters(false). // handlers run beside the reader, never in it
		SetStore(mqtt.NewMemoryStore())
}

// subscribe asks for all topics at once: mochi-mqtt 2.7.9 refuses a subscription
// whose packet id is that of a message which it has just sent to us, and the
// first subscription may have brought one.
func (t *transport) subscribe(ctx context.Context, c transportConfig) error {
	if len(c.topics) == 0 {
		return nil
	}
	filters := map[string]byte{}
	for _, topic := range c.topics {
		filters[topic] = 1
	}
	if err := granted(ctx, t.client.SubscribeMultiple(filters, nil), c.connectTimeout); err != nil {
		return fmt.Errorf("subscribe to %s: %w", strings.Join(c.topics, " and "), err)
	}
	return nil
}

// granted waits for a subscription, which a broker may answer with a refusal.
func granted(ctx context.Context, t mqtt.Token, timeout time.Duration) error {
	if err := await(ctx, t, timeout); err != nil {
		return err
	}
	if sub, ok := t.(*mqtt.SubscribeToken); ok {
		for _, code := range sub.Result() {
			if code > 2 {
				return errors.New("the broker refuses it; look at its access rules")
			}
		}
	}
	return nil
}

// await waits for a token, but not longer than ctx and timeout allow.
func await(ctx context.Context, t mqtt.Token, timeout time.Duration) error {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return fmt.Errorf("the broker has not answered for %s", timeout)
	}
}

// publish hands a message to the client; it waits for room in the connection, but
// not for the acknowledgement.
func (t *transport) publish(m message) (mqtt.Token, error) { return t.wire.publish(t.client, m) }

// reason returns why the connection has ended, or otherwise what is given.
func (t *transport) reason(otherwise error) error { return t.wire.reason(otherwise) }

// disconnect says goodbye, so that the broker does not publish the last will.
func (t *transport) disconnect() {
	t.wire.seal()
	t.client.Disconnect(quiesce)
}

// close ends the connection at once.
func (t *transport) close() {
	t.wire.end(net.ErrClosed)
	t.wire.seal()
	t.client.Disconnect(quiesce)
}
