package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// ErrNoAnswer says that the broker keeps the orders for a vehicle that has not
// answered yet.
var ErrNoAnswer = errors.New("the vehicle has not answered yet; the broker keeps the orders for it")

const adminTimeout = 15 * time.Second

// Ping connects to the broker as the link would and disconnects again, without a
// last will and under another client id, so that a running agent is not disturbed.
func Ping(ctx context.Context, cfg LinkConfig) error {
	t, err := openAdmin(ctx, cfg, nil, nil)
	if err != nil {
		return err
	}
	t.disconnect()
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
	answers, asked := make(chan OrdersReport, 1), hexDigest(envelope)
	t, err := openAdmin(ctx, cfg, []string{topics.OrdersReported()}, func(_ mqtt.Client, m mqtt.Message) {
		var r OrdersReport
		// What is retained answers an earlier push, even of the same orders; and a vehicle that has just
		// come on line may answer others now.
		if m.Retained() || json.Unmarshal(m.Payload(), &r) != nil || r.Answers != asked {
			return
		}
		select {
		case answers <- r:
		default: // one answer is enough
		}
	})
	if err != nil {
		return OrdersReport{}, err
	}
	defer t.disconnect()
	published, err := t.publish(message{topics.OrdersDesired(), envelope, true})
	if err == nil {
		err = await(ctx, published, adminTimeout)
	}
	if err != nil {
		return OrdersReport{}, fmt.Errorf("push orders: publish to %s: %w", topics.OrdersDesired(), err)
	}
	select {
	case r := <-answers:
		return r, nil
	case err := <-t.lost:
		return OrdersReport{}, fmt.Errorf("push orders: %w; the broker has them", err)
	case <-ctx.Done():
		return OrdersReport{}, ErrNoAnswer
	}
}

// openAdmin opens a short connection of a person's, not of a vehicle's.
func openAdmin(ctx context.Context, cfg LinkConfig, topics []string, receive mqtt.MessageHandler) (*transport, error) {
	b, err := parseBroker(cfg.Broker, cfg.TLS)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	b.readClock(cfg.Clock)
	t, err := openTransport(ctx, transportConfig{
		broker: b, username: cfg.Username, password: cfg.Password,
		topics: topics, receive: receive, maxPacket: maxEnvelope + 1<<10,
		connectTimeout: adminTimeout, writeTimeout: adminTimeout,
		keepAlive: time.Minute, pingTimeout: adminTimeout,
	})
	if err != nil {
		return nil, fmt.Errorf("connect to broker %s: %w", b, err)
	}
	return t, nil
}
