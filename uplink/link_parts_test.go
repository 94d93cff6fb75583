package uplink

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestSplit: the parts are the whole, none is longer than allowed, and their topics
// say which they are.
func TestSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(minPayload, 200<<10).Draw(t, "limit")
		payload := make([]byte, rapid.IntRange(0, 3<<20).Draw(t, "length"))
		for i := range payload {
			payload[i] = byte(i * i >> 7)
		}
		l := Link{cfg: LinkConfig{MaxPayload: limit}}
		messages := l.split("a/b", payload)
		var whole []byte
		for i, m := range messages {
			want := "a/b"
			if len(messages) > 1 {
				want = fmt.Sprintf("a/b/%d-%d", i+1, len(messages))
			}
			if m.topic != want || len(m.payload) == 0 || len(m.payload)+headroom > limit {
				t.Fatalf("part %d of %d: %s, %d bytes", i+1, len(messages), m.topic, len(m.payload))
			}
			whole = append(whole, m.payload...)
		}
		if !bytes.Equal(whole, payload) {
			t.Fatal("the parts are not the whole")
		}
	})
	if l := (Link{cfg: LinkConfig{MaxPayload: minPayload}}); l.parts(maxSealedEvidence) > maxParts {
		t.Errorf("the largest picture takes %d parts, at most %d are taken", l.parts(maxSealedEvidence), maxParts)
	}
}

func TestLinkSendsInParts(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	picture := bytes.Repeat([]byte("0123456789abcdef"), 20_000) // more parts than may be in flight
	if err := b.put(record{id: testID(1)}, []byte("{}"), picture); err != nil {
		t.Fatal(err)
	}
	l := newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b, Ack: AckPuback, MaxPayload: minPayload, InFlight: 3, DrainTimeout: 5 * time.Second})
	stop := running(t, l.Run)
	waitFor(t, "the delivery", func() bool { return b.Len() == 0 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	id := testID(1).String()
	var whole []byte
	for k := range 7 {
		got := broker.payloads(fmt.Sprintf("%sevidence/%s/%d-7", testPrefix, id, k+1))
		if len(got) != 1 {
			t.Fatalf("part %d came %d times", k+1, len(got))
		}
		whole = append(whole, got[0]...)
	}
	if !bytes.Equal(whole, picture) || len(broker.payloads(testPrefix+"observations/"+id)) != 1 {
		t.Error("what came differs")
	}
	if _, err := NewLink(LinkConfig{Broker: broker.url, Fleet: "f", Vehicle: "v", Outbox: b, MaxPayload: 1000}); err == nil || !strings.HasSuffix(err.Error(), "max payload: must be at least 49152 bytes (got 1000)") {
		t.Errorf("got %v", err)
	}
}

// TestLinkKeepsTheOrder: items leave in the order of the outbox, although they are
// read side by side and large ones take longer than small ones.
func TestLinkKeepsTheOrder(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	var want []string
	for n := range 120 {
		evidence := make([]byte, (n%5)*60_000)
		if err := b.put(record{id: testID(n), priority: Priority(n % 3)}, []byte("{}"), evidence); err != nil {
			t.Fatal(err)
		}
	}
	for p := range 3 {
		for n := p; n < 120; n += 3 {
			want = append(want, testPrefix+"observations/"+testID(n).String())
		}
	}
	l := newTestLink(t, LinkConfig{Broker: broker.url, Outbox: b, Ack: AckPuback, DrainTimeout: 5 * time.Second})
	stop := running(t, l.Run)
	waitFor(t, "the delivery", func() bool { return b.Len() == 0 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	broker.mu.Lock()
	defer broker.mu.Unlock()
	got := slices.DeleteFunc(slices.Clone(broker.order), func(topic string) bool { return !strings.Contains(topic, "observations/") })
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("the order differs (-got +want):\n%s", diff)
	}
}
