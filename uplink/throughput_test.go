package uplink

import (
	"strings"
	"testing"
	"time"
)

// throughput returns how many items a second pass through a round trip of 50 ms.
func throughput(t testing.TB, inFlight, items int) float64 {
	t.Helper()
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	for n := range items {
		if err := b.put(record{id: testID(n)}, []byte("{}"), make([]byte, 20_000)); err != nil {
			t.Fatal(err)
		}
	}
	proxy := delayProxy(t, strings.TrimPrefix(broker.url, "tcp://"), 25*time.Millisecond)
	l := newTestLink(t, LinkConfig{Broker: proxy, Outbox: b, Ack: AckPuback, InFlight: inFlight})
	stop := running(t, l.Run)
	waitFor(t, "the connection", func() bool { return l.Stats().Published > 0 })
	begin := time.Now()
	first := l.Stats().Published
	waitFor(t, "everything", func() bool { return b.Len() == 0 })
	rate := float64(l.Stats().Published-first) / time.Since(begin).Seconds()
	if err := stop(); err != nil {
		t.Error(err)
	}
	return rate
}

// ratio returns how much faster 16 in flight are than 1.
func ratio(t testing.TB) float64 {
	t.Helper()
	one := throughput(t, 1, 20)
	many := throughput(t, 16, 320)
	t.Logf("items of 20 KB in two messages: %.1f/s with 1 in flight, %.1f/s with 16: ratio %.1f", one, many, many/one)
	return many / one
}

// TestThroughput notices when messages wait for each other. How much faster they
// are exactly depends on what else this machine does: see the benchmark.
func TestThroughput(t *testing.T) {
	leakCheck(t)
	if r := ratio(t); r < 4 {
		t.Errorf("16 in flight are %.1f times as fast as 1", r)
	}
}

// BenchmarkInFlight holds 16 in flight against 1 over a round trip of 50 ms.
func BenchmarkInFlight(b *testing.B) {
	for b.Loop() {
		r := ratio(b)
		b.ReportMetric(r, "ratio")
		if r < 10 {
			b.Errorf("the ratio is %.1f, the bar is 10", r)
		}
	}
}
