package uplink

import (
	"bytes"
	"context"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// sender publishes to a broker as a vehicle would, and collects receipts.
type sender struct {
	*transport
	mu       sync.Mutex
	receipts []Receipt
}

func newSender(t testing.TB, url, vehicle string) *sender {
	t.Helper()
	b, err := parseBroker(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &sender{}
	s.transport, err = openTransport(t.Context(), transportConfig{
		broker: b, clientID: "sender-" + vehicle, topics: []string{"gadeblik/v1/cph/" + vehicle + "/receipts"}, maxPacket: 1 << 20,
		receive: func(_ mqtt.Client, m mqtt.Message) {
			if r, err := ParseReceipt(m.Payload()); err == nil {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.receipts = append(s.receipts, r)
			}
		},
		connectTimeout: 10 * time.Second, writeTimeout: 30 * time.Second, keepAlive: time.Minute, pingTimeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// send publishes messages and waits until the broker has them.
func (s *sender) send(t testing.TB, all ...arrival) {
	t.Helper()
	var tokens []mqtt.Token
	for _, a := range all {
		token, err := s.publish(message{topic: part(topicRoot+a.fleet+"/"+a.vehicle+"/"+a.kind+"/"+a.id, a.k, a.n), payload: a.payload})
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	for _, token := range tokens {
		if err := await(context.Background(), token, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
}

// answers returns the ids that were receipted, and those refused with reasons.
func (s *sender) answers() (stored map[string]int, refused map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, refused = map[string]int{}, map[string]string{}
	for _, r := range s.receipts {
		for _, x := range r.Stored {
			stored[x.ID]++
		}
		for _, x := range r.Refused {
			refused[x.ID] = x.Reason
		}
	}
	return stored, refused
}

// shared starts two inboxes that share a folder and a subscription.
func shared(t *testing.T, url string, delivered func(Delivery)) (dir string, both [2]*Inbox) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "inbox")
	for i := range both {
		both[i] = newTestInbox(t, InboxConfig{Broker: url, Dir: dir, Share: "office", OnStored: delivered})
		running(t, persistently(both[i].Run))
	}
	time.Sleep(300 * time.Millisecond) // subscribed
	return dir, both
}

// TestTwoInboxesShareAFolder: a real broker spreads the messages of each item over
// two inboxes. Everything is stored, once, and nothing is left over.
func TestTwoInboxesShareAFolder(t *testing.T) {
	for _, name := range []string{"mosquitto", "mochi"} {
		t.Run(name, func(t *testing.T) {
			leakCheck(t)
			var url string
			if name == "mochi" {
				url = newBroker(t).url
			} else {
				url = newMosquitto(t).url()
			}
			var mu sync.Mutex
			delivered := map[string]int{}
			_, both := shared(t, url, func(d Delivery) {
				mu.Lock()
				defer mu.Unlock()
				delivered[d.Parcel]++
			})
			vehicle := newSender(t, url, "sweeper-7")
			want := map[string]string{}
			var all []arrival
			for n := range 40 {
				s := someSent(t, n, n%4 != 0)
				if s.picture != nil {
					all = append(all, s.split(topicEvidence, 1+n%4)...)
				}
				all = append(all, s.split(topicObservations, 1+n%2)...)
				for name, data := range s.files() {
					want[name] = data
				}
				// What another vehicle sends under its id is no part of it.
				foreign := s.parts(topicEvidence, 4)[1]
				foreign.vehicle, foreign.payload = "truck-1", []byte("x")
				all = append(all, foreign)
			}
			done := func() bool { stored, _ := vehicle.answers(); return len(stored) == 40 }
			vehicle.send(t, all...)
			waitFor(t, "all receipts", done)
			mu.Lock()
			for id, n := range delivered {
				if n != 1 {
					t.Errorf("%s was stored %d times", id, n)
				}
			}
			if len(delivered) != 40 {
				t.Errorf("%d were stored", len(delivered))
			}
			mu.Unlock()
			// Everything once more, as after a receipt that was lost.
			vehicle.mu.Lock()
			vehicle.receipts = nil
			vehicle.mu.Unlock()
			vehicle.send(t, all...)
			waitFor(t, "all receipts again", done)
			a, b := both[0].Stats(), both[1].Stats()
			if a.Stored+b.Stored != 40 || a.Refused+b.Refused != 0 || a.Messages == 0 || b.Messages == 0 {
				t.Errorf("got %+v\n%+v", a, b)
			}
			got := tree(t, both[0].cfg.Dir)
			for name, data := range want {
				if got[name] != data {
					t.Errorf("%s has changed", name)
				}
			}
			t.Logf("%+v\n%+v", a, b)
		})
	}
}

// TestInboxOnARealBroker: what makes no sense, in all its forms, harms nobody and
// ends no connection.
func TestInboxOnARealBroker(t *testing.T) {
	leakCheck(t)
	broker := newMosquitto(t)
	var runs atomic.Int64
	in := newTestInbox(t, InboxConfig{Broker: broker.url(), ClientID: "office"})
	stop := running(t, persistently(func(ctx context.Context) error {
		runs.Add(1)
		return in.Run(ctx)
	}))
	time.Sleep(300 * time.Millisecond) // subscribed
	vehicle := newSender(t, broker.url(), "sweeper-7")
	huge := someSent(t, 1, true).message(topicEvidence)
	huge.payload = make([]byte, 100<<20)
	claim := someSent(t, 2, true).parts(topicEvidence, 2)[0]
	claim.k, claim.n = 1, 100_000
	flipped := someSent(t, 3, false).message(topicObservations)
	flipped.payload = bytes.Clone(flipped.payload)
	flipped.payload[len(flipped.payload)/2] ^= 4
	wrong := flipped.address
	wrong.id = testID(4).String()
	sealedWrong, err := encrypt([]byte("x"), openSealer(t).seals())
	if err != nil {
		t.Fatal(err)
	}
	wrongKey := arrival{wrong, sealedWrong}
	replayed := someSent(t, 5, false)
	good := someSent(t, 6, true)
	vehicle.send(t, huge, claim, flipped, wrongKey, replayed.message(topicObservations))
	for range 5 {
		vehicle.send(t, replayed.message(topicObservations))
	}
	vehicle.send(t, huge)
	vehicle.send(t, append(good.parts(topicEvidence, 2), good.message(topicObservations))...)
	waitFor(t, "the good one", func() bool { stored, _ := vehicle.answers(); return stored[good.at.id] > 0 })
	waitFor(t, "all refusals", func() bool { _, refused := vehicle.answers(); return len(refused) == 3 })
	_, refused := vehicle.answers()
	for id, want := range map[string]string{
		claim.id:   `the part must be <k>-<n>: 1-2 up to 512-512 (got "1-100000")`,
		flipped.id: "observation: it can't be opened: ",
		wrong.id:   "observation: it is sealed to somebody else: none of the keys here opens it",
	} {
		if got := refused[id]; len(got) < len(want) || got[:len(want)] != want {
			t.Errorf("refused with %q, want %q", got, want)
		}
	}
	waitFor(t, "the repetitions", func() bool { return in.Stats().Repeated == 5 })
	if s := in.Stats(); s.Oversized != 2 || s.Stored != 2 || runs.Load() != 1 {
		t.Errorf("%d connections, %+v", runs.Load(), s)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	// They were acknowledged: a broker that keeps the session doesn't bring them again.
	again := newTestInbox(t, InboxConfig{Broker: broker.url(), ClientID: "office"})
	stop = running(t, again.Run)
	last := someSent(t, 7, false)
	time.Sleep(300 * time.Millisecond)
	vehicle.send(t, last.message(topicObservations))
	waitFor(t, "the last one", func() bool { return again.Stats().Stored == 1 })
	if s := again.Stats(); s.Oversized != 0 || s.Messages != 1 {
		t.Errorf("a new connection brings %+v", s)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestInboxOverflows: more comes than may wait. What was dropped is not acknowledged,
// and a new connection brings it again.
func TestInboxOverflows(t *testing.T) {
	leakCheck(t)
	broker := newMosquitto(t)
	in := newTestInbox(t, InboxConfig{Broker: broker.url(), ClientID: "office", MaxQueued: 5 * messageCost})
	running(t, persistently(in.Run))
	time.Sleep(300 * time.Millisecond) // subscribed
	var all []arrival
	for n := range 60 {
		all = append(all, someSent(t, n, false).message(topicObservations))
	}
	newSender(t, broker.url(), "sweeper-7").send(t, all...)
	waitFor(t, "everything", func() bool { return in.Stats().Stored == 60 })
	if in.Stats().Overflowed == 0 {
		t.Error("nothing overflows: the test proves little")
	}
}

// inboxRate returns how many messages a second an inbox stores, and in how many batches.
func inboxRate(t testing.TB, batch, messages int) (perSecond float64, batches uint64) {
	t.Helper()
	broker := newBroker(t)
	in := newTestInbox(t, InboxConfig{Broker: broker.url, Dir: filepath.Join(t.TempDir(), "inbox")})
	in.batch = batch
	var all []arrival
	for n := range messages / 2 {
		s := someSent(t, n, true)
		all = append(all, s.message(topicEvidence), s.message(topicObservations))
	}
	stop := running(t, in.Run)
	time.Sleep(200 * time.Millisecond) // subscribed
	vehicle := newSender(t, broker.url, "sweeper-7")
	begin := time.Now()
	vehicle.send(t, all...)
	waitFor(t, "everything", func() bool { return in.Stats().Stored == uint64(messages/2) })
	perSecond = float64(messages) / time.Since(begin).Seconds()
	if err := stop(); err != nil {
		t.Error(err)
	}
	return perSecond, in.Stats().Batches
}

// BenchmarkInboxBatches holds batches against one message at a time, on the disk of
// the temporary folder.
func BenchmarkInboxBatches(b *testing.B) {
	for b.Loop() {
		one, _ := inboxRate(b, 1, 400)
		many, batches := inboxRate(b, maxBatch, 400)
		b.Logf("%.0f messages/s one by one, %.0f/s in %d batches", one, many, batches)
		b.ReportMetric(one, "one/s")
		b.ReportMetric(many, "batched/s")
		b.ReportMetric(many/one, "ratio")
	}
}
