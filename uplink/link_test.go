package uplink

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	mqttd "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

const testPrefix = "gadeblik/v1/cph/sweeper-7/"

// newTestLink makes a link with short times to a broker.
func newTestLink(t testing.TB, cfg LinkConfig) *Link {
	t.Helper()
	cfg.Fleet, cfg.Vehicle = "cph", "sweeper-7"
	if cfg.DrainTimeout == 0 {
		cfg.DrainTimeout = 20 * time.Millisecond
	}
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = 2 * time.Second
	}
	l, err := NewLink(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func fill(t testing.TB, b *Outbox, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := putPayload(b, n); err != nil {
			t.Fatal(err)
		}
	}
}

// checkDelivered compares what the broker has taken with the payloads.
func checkDelivered(t testing.TB, broker *testBroker, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		_, observation, evidence := payload(n)
		id := testID(n).String()
		for topic, want := range map[string][]byte{"observations/": observation, "evidence/": evidence} {
			got := broker.payloads(testPrefix + topic + id)
			if len(want) == 0 && len(got) == 0 {
				continue
			}
			if len(got) == 0 {
				t.Errorf("item %d: nothing came on %s", n, topic)
			}
			for _, g := range got {
				if !bytes.Equal(g, want) {
					t.Errorf("item %d: %s differs", n, topic)
				}
			}
		}
	}
}

func TestLinkDelivers(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	fill(t, b, 0, 40)
	l := newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b, Ack: AckPuback, DrainTimeout: 10 * time.Second})
	stop := running(t, l.Run)
	waitFor(t, "the backlog", func() bool { return b.Len() == 0 })
	fill(t, b, 40, 60) // while the link is idle
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if b.Len() != 0 {
		t.Errorf("%d items were left when the link ended", b.Len())
	}
	checkDelivered(t, broker, 0, 60)
	if got, want := l.Stats(), (LinkStats{Connects: 1, Published: 60, Delivered: 60}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := broker.retained(testPrefix + "status"); got != `{"state":"stopped"}` {
		t.Errorf("the status is %s", got)
	}
	if l.Connected() {
		t.Error("still connected")
	}
}

// TestLinkKeepsWhatWasNotAcknowledged: the broker takes everything, acknowledges
// nothing and hangs up. A client that reconnects by itself reports success here.
func TestLinkKeepsWhatWasNotAcknowledged(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{MaxRefusals: 100})
	fill(t, b, 0, 5)
	taken := make(chan *mqttd.Client, 1000)
	broker.misbehave(func(cl *mqttd.Client, pk packets.Packet) error {
		if !strings.Contains(pk.TopicName, "observations/") {
			return nil
		}
		taken <- cl
		if len(taken) >= 5 { // first when all are on their way, then at once
			return dropClient(cl)
		}
		return errNoAck
	})
	for _, mode := range []AckMode{AckReceipt, AckPuback} {
		l := newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b, Ack: mode})
		for range 3 {
			if err := l.Run(context.Background()); err == nil || !strings.HasPrefix(err.Error(), "uplink to 127.0.0.1:") {
				t.Errorf("got %v", err)
			}
		}
		if l.Stats().Delivered != 0 {
			t.Errorf("%s: %+v", mode, l.Stats())
		}
		checkPayloads(t, b, 0, 1, 2, 3, 4)
	}
	broker.misbehave(nil)
	l := newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b, Ack: AckPuback})
	running(t, l.Run)
	waitFor(t, "the delivery after all", func() bool { return b.Len() == 0 })
	checkDelivered(t, broker, 0, 5)
}

func TestLinkGivesUpOnASilentBroker(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	fill(t, b, 0, 3)
	broker.misbehave(func(_ *mqttd.Client, pk packets.Packet) error {
		if strings.Contains(pk.TopicName, "observations/") {
			return errNoAck
		}
		return nil
	})
	l := newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b, Ack: AckPuback, AckTimeout: 300 * time.Millisecond})
	err := l.Run(context.Background())
	if err == nil || !strings.HasSuffix(err.Error(), "the broker acknowledges nothing any more") {
		t.Errorf("got %v", err)
	}
	checkPayloads(t, b, 0, 1, 2)
}

// TestLinkSurvivesHangUps: the broker hangs up in the middle all the time; in the
// end everything has arrived, and only what had to be was sent twice.
func TestLinkSurvivesHangUps(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{MaxRefusals: 50})
	fill(t, b, 0, 120)
	n := 0
	broker.misbehave(func(cl *mqttd.Client, pk packets.Packet) error {
		broker.mu.Lock()
		defer broker.mu.Unlock()
		if n++; n%23 == 0 {
			return dropClient(cl)
		}
		return nil
	})
	l := newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b, Ack: AckPuback})
	stop := running(t, persistently(l.Run))
	waitFor(t, "everything", func() bool { return b.Len() == 0 })
	stop()
	checkDelivered(t, broker, 0, 120)
	if s := l.Stats(); s.Connects < 5 || s.Delivered != 120 || s.Aside != 0 {
		t.Errorf("got %+v", s)
	}
}

// TestLinkSetsPoisonAside: a broker that hangs up at the sight of two items, one
// of them the first in line, gets all the others.
func TestLinkSetsPoisonAside(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{MaxRefusals: 3})
	fill(t, b, 0, 20)
	poison := []string{testID(0).String(), testID(7).String()}
	broker.misbehave(func(cl *mqttd.Client, pk packets.Packet) error {
		if strings.HasSuffix(pk.TopicName, poison[0]) || strings.HasSuffix(pk.TopicName, poison[1]) {
			return dropClient(cl)
		}
		return nil
	})
	l := newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b, Ack: AckPuback})
	stop := running(t, persistently(l.Run))
	waitFor(t, "the rest", func() bool { return b.Len() == 0 })
	stop()
	if s := b.Stats(); s.Aside != 2 || l.Stats().Aside != 2 || l.Stats().Delivered != 18 {
		t.Errorf("got %+v, %+v", s, l.Stats())
	}
	for _, id := range poison {
		r, _, err := b.find(id)
		// The broker's end of the connection is seen as EOF or as a reset.
		if err != nil || !strings.HasPrefix(r.reason, "refused 3 times, at last: broker: ") || !strings.HasSuffix(r.reason, " while it was sent alone") {
			t.Errorf("got %q, %v", r.reason, err)
		}
	}
	// They are not lost: they can be tried again.
	broker.misbehave(nil)
	stop = running(t, l.Run)
	if n, err := b.Requeue(); n != 2 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	waitFor(t, "the poison", func() bool { return b.Len() == 0 })
	stop()
	checkDelivered(t, broker, 0, 20)
}

// receiptOf publishes a receipt for payloads, as an inbox would.
func receiptOf(t testing.TB, broker *testBroker, numbers ...int) {
	t.Helper()
	var r Receipt
	for _, n := range numbers {
		_, observation, _ := payload(n)
		r.Stored = append(r.Stored, Stored{testID(n).String(), hexDigest(observation)})
	}
	sendReceipt(t, broker, r, false)
}

func sendReceipt(t testing.TB, broker *testBroker, r Receipt, retained bool) {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := inject(broker, testPrefix+"receipts", data, retained); err != nil {
		t.Fatal(err)
	}
}

// inject publishes with a client's means, which is what the broker counts.
func inject(broker *testBroker, topic string, data []byte, retained bool) error {
	cl := broker.server.NewClient(nil, "t", "injector", true)
	return broker.server.InjectPacket(cl, packets.Packet{
		ProtocolVersion: 4,
		FixedHeader:     packets.FixedHeader{Type: packets.Publish, Qos: 1, Retain: retained},
		TopicName:       topic,
		Payload:         data,
		PacketID:        1,
	})
}

func TestLinkWaitsForReceipts(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	dir := t.TempDir()
	b, _ := openTestOutbox(t, dir, OutboxConfig{MaxRefusals: 2})
	fill(t, b, 0, 6)
	// A retained receipt is nobody's answer.
	_, first, _ := payload(0)
	sendReceipt(t, broker, Receipt{Stored: []Stored{{testID(0).String(), hexDigest(first)}}}, true)
	l := newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b})
	stop := running(t, l.Run)
	waitFor(t, "the publications", func() bool { return l.Stats().Published == 6 })
	checkPayloads(t, b, 0, 1, 2, 3, 4, 5) // nobody has receipted anything

	receiptOf(t, broker, 3, 1, 3)
	waitFor(t, "two to leave", func() bool { return b.Len() == 4 })
	checkPayloads(t, b, 0, 2, 4, 5)

	// None of these lets go of anything.
	sendReceipt(t, broker, Receipt{Stored: []Stored{{testID(0).String(), hexDigest([]byte("else"))}}}, false)
	receiptOf(t, broker, 1, 99)
	if err := inject(broker, testPrefix+"receipts", []byte("{"), false); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the bad receipts", func() bool { return l.Stats().ReceiptsBad == 2 })
	checkPayloads(t, b, 0, 2, 4, 5)
	if l.Stats().RetainedIgnored != 1 {
		t.Errorf("got %+v", l.Stats())
	}

	// Refused twice, it is set aside.
	refusal := Receipt{Refused: []Refused{{ID: testID(4).String(), Reason: "no such task"}}}
	sendReceipt(t, broker, refusal, false)
	waitFor(t, "the first refusal", func() bool { return l.Stats().Refused == 1 })
	sendReceipt(t, broker, refusal, false)
	waitFor(t, "the second refusal", func() bool { return b.Stats().Aside == 1 })
	checkPayloads(t, b, 0, 2, 5)

	if err := stop(); err != nil {
		t.Error(err)
	}
	// After a reconnect what has no receipt is published again, and a receipt
	// that comes late counts.
	stop = running(t, l.Run)
	waitFor(t, "the publications again", func() bool { return l.Stats().Published == 9 })
	receiptOf(t, broker, 0, 2, 5, 4)
	waitFor(t, "all to leave", func() bool { return b.Len() == 0 && b.Stats().Aside == 0 })
	stop()
	if got := len(broker.payloads(testPrefix + "observations/" + testID(1).String())); got != 1 {
		t.Errorf("a receipted item was published %d times", got)
	}
}

// TestLinkAsksInVain: with nobody to send receipts, only the oldest item is sent
// again, and ever more rarely; with the first receipt the others follow.
func TestLinkAsksInVain(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	fill(t, b, 0, 30)
	l := newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b, Unreceipted: 20, ReceiptTimeout: 100 * time.Millisecond})
	stop := running(t, l.Run)
	oldest := testPrefix + "observations/" + testID(0).String()
	waitFor(t, "the oldest to be sent four times", func() bool { return len(broker.payloads(oldest)) >= 4 })
	for n := 1; n < 30; n++ {
		want := 1
		if n >= 20 {
			want = 0 // no more than that are under way without receipts
		}
		if got := len(broker.payloads(testPrefix + "observations/" + testID(n).String())); got != want {
			t.Errorf("item %d was sent %d times, want %d", n, got, want)
		}
	}
	receiptOf(t, broker, 0)
	waitFor(t, "the others", func() bool {
		return len(broker.payloads(testPrefix+"observations/"+testID(1).String())) > 1 && l.Stats().Published > 24
	})
	receiptOf(t, broker, numbers(1, 30)...)
	waitFor(t, "the window to move", func() bool { return b.Len() == 0 })
	stop()
}

func TestLinkStatus(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	changed := make(chan struct{}, 1)
	state := make(chan Status, 1)
	state <- Status{State: Capturing, Reason: "open", OrdersVersion: 4, Counters: map[string]uint64{"frames": 7}}
	l := newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b, StatusChanged: changed, Status: func() Status {
		s := <-state
		state <- s
		return s
	}})
	stop := running(t, l.Run)
	topic := testPrefix + "status"
	waitFor(t, "the status", func() bool {
		return broker.retained(topic) == `{"state":"capturing","reason":"open","orders_version":4,"counters":{"frames":7}}`
	})
	<-state
	state <- Status{State: NoFix}
	changed <- struct{}{}
	waitFor(t, "the change", func() bool { return broker.retained(topic) == `{"state":"no_fix"}` })
	// The connection breaks: the last will speaks, until the next connection.
	for _, cl := range broker.server.Clients.GetAll() {
		if cl.ID == "gadeblik-cph-sweeper-7" {
			cl.Stop(fmt.Errorf("test"))
		}
	}
	waitFor(t, "the will", func() bool { return broker.retained(topic) == `{"state":"offline","reason":"the connection broke"}` })
	waitFor(t, "the end", func() bool { return !l.Connected() })
	if err := stop(); err == nil || !strings.HasPrefix(err.Error(), "uplink to 127.0.0.1:") {
		t.Errorf("got %v", err)
	}
	stop = running(t, l.Run)
	waitFor(t, "the status again", func() bool { return broker.retained(topic) == `{"state":"no_fix"}` })
	if err := stop(); err != nil {
		t.Error(err)
	}
	if got := broker.retained(topic); got != `{"state":"stopped"}` {
		t.Errorf("got %s", got)
	}
}

func TestLinkOrders(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	desired, reported := testPrefix+"orders/desired", testPrefix+"orders/reported"
	if err := inject(broker, desired, []byte("first"), true); err != nil {
		t.Fatal(err)
	}
	// A retained command is on a topic that nobody here listens to.
	if err := inject(broker, testPrefix+"commands", []byte("pause"), true); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 100)
	release := make(chan struct{}, 100)
	l := newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b, OnOrders: func(payload []byte) OrdersReport {
		got <- string(payload)
		<-release
		if string(payload) == "bad" {
			return OrdersReport{Version: 3, Digest: "d", Errors: []string{"signature: none"}}
		}
		return OrdersReport{Version: 3, Digest: "d", Accepted: true}
	}})
	stop := running(t, l.Run)
	if first := <-got; first != "first" {
		t.Errorf("got %s", first)
	}
	// While one set is being looked at, many more come, and a cleared topic.
	for i := range 20 {
		if err := inject(broker, desired, fmt.Append(nil, "set ", i), false); err != nil {
			t.Fatal(err)
		}
	}
	if err := inject(broker, desired, nil, true); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the flood", func() bool { return l.Stats().OrdersReceived == 21 })
	release <- struct{}{}
	waitFor(t, "the answer", func() bool {
		return broker.retained(reported) == `{"answers":"`+hexDigest([]byte("first"))+`","version":3,"digest":"d","accepted":true}`
	})
	for range maxOrdersWaiting {
		release <- struct{}{}
		<-got
	}
	if dropped := l.Stats().OrdersDropped; dropped != 20-maxOrdersWaiting {
		t.Errorf("%d were dropped", dropped)
	}
	if err := inject(broker, desired, []byte("bad"), false); err != nil {
		t.Fatal(err)
	}
	release <- struct{}{}
	waitFor(t, "the refusal", func() bool {
		return broker.retained(reported) == `{"answers":"`+hexDigest([]byte("bad"))+`","version":3,"digest":"d","accepted":false,"errors":["signature: none"]}`
	})
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestLinkIsRefused(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	broker.mayRead = func(topic string) bool { return !strings.HasSuffix(topic, "receipts") }
	l := newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b})
	want := "subscribe to gadeblik/v1/cph/sweeper-7/receipts: the broker refuses it; look at its access rules"
	if err := l.Run(context.Background()); err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v", err)
	}
	broker.mu.Lock()
	broker.mayRead, broker.password = nil, "right"
	broker.mu.Unlock()
	l = newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b, Username: "u", Password: "wrong"})
	if err := l.Run(context.Background()); err == nil || !strings.HasSuffix(err.Error(), ": not Authorized") {
		t.Errorf("got %v", err)
	}
	l = newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b, Username: "u", Password: "right"})
	stop := running(t, l.Run)
	waitFor(t, "the connection", l.Connected)
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestNewLinkRefuses(t *testing.T) {
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	for _, c := range []struct {
		cfg  LinkConfig
		want string
	}{
		{LinkConfig{}, "configure uplink: fleet: must not be empty"},
		{LinkConfig{Fleet: "f", Vehicle: "a/b"},
			`configure uplink: vehicle: must be letters, digits, '.', '-' or '_', the first a letter or digit (got "a/b")`},
		{LinkConfig{Fleet: "f", Vehicle: "v"}, "configure uplink: outbox: must be set"},
		{LinkConfig{Fleet: "f", Vehicle: "v", Outbox: b, Ack: "maybe"}, `configure uplink: ack: must be receipt or puback (got "maybe")`},
		{LinkConfig{Fleet: "f", Vehicle: "v", Outbox: b, Broker: "localhost:1883"},
			`configure uplink: broker: must be tcp://host:port or tls://host:port (got "localhost:1883")`},
		{LinkConfig{Fleet: "f", Vehicle: "v", Outbox: b, Broker: "ws://localhost:1883"},
			`configure uplink: broker: must be tcp://host:port or tls://host:port (got scheme "ws")`},
		{LinkConfig{Fleet: "f", Vehicle: "v", Outbox: b, Broker: "tcp://u:p@localhost"},
			"configure uplink: broker: must not carry a password; there are settings for user and password"},
	} {
		if _, err := NewLink(c.cfg); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// stalledListener accepts connections, answers the connect and the subscriptions,
// and then reads nothing any more.
func stalledListener(t *testing.T, answer bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var conns []net.Conn
		defer func() {
			for _, c := range conns {
				c.Close()
			}
		}()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, c)
			if !answer {
				continue
			}
			c.(*net.TCPConn).SetReadBuffer(4096)
			c.Read(make([]byte, 4096))                  // CONNECT
			c.Write([]byte{0x20, 2, 0, 0})              // CONNACK
			buf := make([]byte, 256)                    // SUBSCRIBE
			c.Read(buf)                                 //
			c.Write([]byte{0x90, 3, buf[2], buf[3], 1}) // SUBACK
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return "tcp://" + l.Addr().String()
}

// TestPutDoesNotWaitForTheNetwork: with a broker that reads nothing, and with the
// link stuck in its writes, items are accepted as ever; and the link ends in time.
func TestPutDoesNotWaitForTheNetwork(t *testing.T) {
	leakCheck(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	for n := range 30 { // more than the socket takes
		if err := b.put(record{id: testID(1000 + n)}, []byte("{}"), make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	l := newTestLink(t, LinkConfig{Broker: stalledListener(t, true), Outbox: b, WriteTimeout: time.Minute})
	stop := running(t, l.Run)
	waitFor(t, "the connection", l.Connected)
	time.Sleep(100 * time.Millisecond) // writes are stuck by now
	slowest := time.Duration(0)
	for n := range 30 {
		begin := time.Now()
		if err := putPayload(b, n); err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, time.Since(begin))
	}
	if slowest > 2*time.Second {
		t.Errorf("a put took %s", slowest)
	}
	begin := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	// Draining, the farewell, the disconnect: each has its bound.
	if d := time.Since(begin); d > 8*time.Second {
		t.Errorf("ending took %s", d)
	}
	if b.Len() != 60 {
		t.Errorf("%d items are left, want 60", b.Len())
	}
}

func TestLinkWriteTimeout(t *testing.T) {
	leakCheck(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	for n := range 30 {
		if err := b.put(record{id: testID(1000 + n)}, []byte("{}"), make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	l := newTestLink(t, LinkConfig{Broker: stalledListener(t, true), Outbox: b, WriteTimeout: 300 * time.Millisecond})
	begin := time.Now()
	err := l.Run(context.Background())
	if err == nil || time.Since(begin) > 10*time.Second {
		t.Errorf("got %v after %s", err, time.Since(begin))
	}
	if b.Len() != 30 {
		t.Errorf("%d items are left, want 30", b.Len())
	}
}

func TestLinkEndsWhileConnecting(t *testing.T) {
	leakCheck(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	l := newTestLink(t, LinkConfig{Broker: stalledListener(t, false), Outbox: b})
	stop := running(t, l.Run)
	time.Sleep(50 * time.Millisecond)
	begin := time.Now()
	if err := stop(); err != nil || time.Since(begin) > 2*time.Second {
		t.Errorf("got %v after %s", err, time.Since(begin))
	}
	l = newTestLink(t, LinkConfig{Broker: stalledListener(t, false), Outbox: b, ConnectTimeout: 200 * time.Millisecond})
	if err := l.Run(context.Background()); err == nil || errors.Is(err, ErrUnreachable) || time.Since(begin) > 5*time.Second {
		t.Errorf("got %v after %s", err, time.Since(begin))
	}
	for broker, why := range map[string]string{"tcp://127.0.0.1:1": "connection refused", "tls://nobody.invalid": "lookup nobody.invalid"} {
		l = newTestLink(t, LinkConfig{Broker: broker, Outbox: b})
		if err := l.Run(context.Background()); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: got %v, want %q", broker, err, why)
		}
	}
}

// TestLinkSwallowsHugePackets: nobody makes room for what a broker merely claims,
// and it does not end the connection.
func TestLinkSwallowsHugePackets(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	fill(t, b, 0, 1)
	l := newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b, MaxPacket: 1000})
	stop := running(t, l.Run)
	waitFor(t, "the item", func() bool { return l.Stats().Published == 1 })
	if err := inject(broker, testPrefix+"receipts", make([]byte, 5000), false); err != nil {
		t.Fatal(err)
	}
	receiptOf(t, broker, 0)
	waitFor(t, "the delivery", func() bool { return b.Len() == 0 })
	if err := stop(); err != nil || l.Stats().Connects != 1 {
		t.Errorf("got %v, %+v", err, l.Stats())
	}
}

func TestLinkTLS(t *testing.T) {
	leakCheck(t)
	cert, pool := selfSigned(t)
	broker := newBroker(t)
	l := listeners.NewTCP(listeners.Config{ID: "tls", Address: "127.0.0.1:0",
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}})
	if err := broker.server.AddListener(l); err != nil {
		t.Fatal(err)
	}
	go l.Serve(broker.server.EstablishConnection)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	fill(t, b, 0, 3)
	url := "tls://" + l.Address()
	link := newTestLink(t, LinkConfig{Broker: url, Outbox: b, Ack: AckPuback})
	if err := link.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "certificate signed by unknown authority") {
		t.Errorf("got %v", err)
	}
	link = newTestLink(t, LinkConfig{Broker: url, Outbox: b, Ack: AckPuback, TLS: &tls.Config{RootCAs: pool}})
	stop := running(t, link.Run)
	waitFor(t, "the delivery", func() bool { return b.Len() == 0 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	checkDelivered(t, broker, 0, 3)
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestPatience(t *testing.T) {
	var got []string
	for tries := 1; tries < 9; tries++ {
		got = append(got, patience(time.Minute, tries).String())
	}
	want := []string{"1m0s", "2m0s", "4m0s", "8m0s", "16m0s", "30m0s", "30m0s", "30m0s"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

// TestLinkDefers: an inbox that does not know the vehicle yet takes its items another
// time; none is ever set aside for that.
func TestLinkDefers(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{MaxRefusals: 1})
	fill(t, b, 0, 2)
	l := newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b, ReceiptTimeout: 100 * time.Millisecond})
	running(t, l.Run)
	waitFor(t, "the publications", func() bool { return l.Stats().Published >= 2 })
	later := Receipt{Refused: []Refused{{ID: testID(0).String(), Reason: "vehicle is not known here", Later: true}}}
	for range 3 {
		sendReceipt(t, broker, later, false)
	}
	waitFor(t, "the deferrals", func() bool { return l.Stats().Deferred == 3 })
	if s := b.Stats(); s.Aside != 0 || s.Items != 2 || l.Stats().Refused != 0 {
		t.Errorf("got %+v, %+v", s, l.Stats())
	}
	waitFor(t, "another try", func() bool { return len(broker.payloads(testPrefix+"observations/"+testID(0).String())) > 1 })
	receiptOf(t, broker, 0, 1)
	waitFor(t, "all to leave", func() bool { return b.Len() == 0 })
}
