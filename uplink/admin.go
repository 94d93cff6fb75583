package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Ping connects to the broker as the link would and disconnects again, without a
// last will and under another client id, so that a running agent is not disturbed.
func Ping(ctx context.Context, cfg LinkConfig) error {
	a, err := connectAdmin(ctx, cfg)
	if err != nil {
		return err
	}
	a.close()
	return nil
}

// PushOrders puts signed orders on a vehicle's orders/desired, retained, so that
// it gets them whenever it comes on line, and waits until ctx ends for its answer.
// The broker has them when the error is nil or [ErrNoAnswer].
func PushOrders(ctx context.Context, cfg LinkConfig, envelope []byte) (OrdersReport, error) {
	topics, err := NewTopics(cfg.Fleet, cfg.Vehicle)
	if err != nil {
		return OrdersReport{}, fmt.Errorf("push orders: %w", err)
	}
	a, err := connectAdmin(ctx, cfg)
	if err != nil {
		return OrdersReport{}, err
	}
	defer a.close()
	answers := make(chan OrdersReport, 8)
	subscribed := a.client.Subscribe(topics.OrdersReported(), 1, func(_ mqtt.Client, m mqtt.Message) {
		var r OrdersReport
		// What is retained answers earlier orders.
		if m.Retained() || json.Unmarshal(m.Payload(), &r) != nil {
			return
		}
		select {
		case answers <- r:
		default: // the first answers are enough
		}
	})
	if err := granted(ctx, subscribed, adminTimeout); err != nil {
		return OrdersReport{}, fmt.Errorf("push orders: subscribe to %s: %w", topics.OrdersReported(), err)
	}
	published := a.client.Publish(topics.OrdersDesired(), 1, true, envelope)
	if err := await(ctx, published, adminTimeout); err != nil {
		return OrdersReport{}, fmt.Errorf("push orders: publish to %s: %w", topics.OrdersDesired(), err)
	}
	select {
	case r := <-answers:
		return r, nil
	case <-ctx.Done():
		return OrdersReport{}, ErrNoAnswer
	}
}

// ErrNoAnswer says that the broker keeps the orders for a vehicle that has not
// answered yet.
var ErrNoAnswer = errors.New("the vehicle has not answered yet; the broker keeps the orders for it")

const adminTimeout = 15 * time.Second

// admin is a short connection of a person's, not of a vehicle's.
type admin struct {
	client mqtt.Client
	wire   *wire
}

func connectAdmin(ctx context.Context, cfg LinkConfig) (*admin, error) {
	b, err := parseBroker(cfg.Broker, cfg.TLS)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	a := &admin{}
	opening, cancel := context.WithCancel(ctx)
	defer cancel()
	options := clientOptions("", cfg.Username, cfg.Password).
		SetCleanSession(true).
		SetConnectTimeout(adminTimeout).
		SetWriteTimeout(adminTimeout).
		SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) {
			w, err := b.dial(opening, adminTimeout, maxEnvelope+1<<10)
			if err != nil {
				return nil, err
			}
			a.wire = w
			return w, nil
		})
	a.client = mqtt.NewClient(options)
	connected := a.client.Connect()
	if err := await(ctx, connected, adminTimeout+time.Second); err != nil {
		cancel()
		<-connected.Done() // soon, the connection being closed
		a.close()
		return nil, fmt.Errorf("connect to broker %s: %w", b, err)
	}
	a.wire.keep()
	return a, nil
}

func (a *admin) close() {
	a.client.Disconnect(quiesce)
	if a.wire != nil {
		a.wire.end(net.ErrClosed)
	}
}
