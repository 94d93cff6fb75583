package uplink

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestPushOrders(t *testing.T) {
	b := newBroker(t)
	cfg := LinkConfig{Broker: b.url, Fleet: "town", Vehicle: "v1"}

	if err := Ping(t.Context(), cfg); err != nil {
		t.Errorf("Ping: %v", err)
	}
	// Nobody at home: the broker keeps them.
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := PushOrders(short, cfg, []byte("first")); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("without a vehicle: %v, want %v", err, ErrNoAnswer)
	}
	// A vehicle comes on line, gets what was kept, and answers what comes next.
	box, _, err := OpenOutbox(t.TempDir(), OutboxConfig{})
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 8)
	reported := "gadeblik/v1/town/v1/orders/reported"
	vehicle := cfg
	vehicle.Outbox = box
	vehicle.OnOrders = func(payload []byte) OrdersReport {
		got <- string(payload)
		// What answers other orders may come first; it is not taken for the answer to these.
		if err := inject(b, reported, []byte(`{"answers":"others","version":6,"accepted":true,"errors":["other"]}`), false); err != nil {
			t.Error(err)
		}
		return OrdersReport{Accepted: string(payload) != "bad", Version: 7, Errors: []string{string(payload)}}
	}
	link, err := NewLink(vehicle)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- link.Run(ctx) }()
	if first := <-got; first != "first" {
		t.Errorf("the vehicle got %q first", first)
	}
	for payload, accepted := range map[string]bool{"good": true, "bad": false} {
		r, err := PushOrders(t.Context(), cfg, []byte(payload))
		if err != nil || r.Accepted != accepted || r.Version != 7 || r.Errors[0] != payload {
			t.Errorf("%s: %+v, %v", payload, r, err)
		}
	}
	// The largest orders that may be signed arrive whole.
	large := strings.Repeat("x", maxEnvelope-1<<10)
	if r, err := PushOrders(t.Context(), cfg, []byte(large)); err != nil || len(r.Errors[0]) != len(large) {
		t.Errorf("large orders: %v", err)
	}
	stop()
	if err := errors.Join(<-ended, box.Close()); err != nil {
		t.Error(err)
	}
}

func TestPingSaysWhatIsWrong(t *testing.T) {
	for _, tt := range []struct{ broker, want string }{
		{"tcp://127.0.0.1:1", "connect to broker 127.0.0.1:1: "},
		{"nonsense", `connect: broker: must be tcp://host:port or tls://host:port (got "nonsense")`},
	} {
		if err := Ping(t.Context(), LinkConfig{Broker: tt.broker}); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.broker, err, tt.want)
		}
	}
}
