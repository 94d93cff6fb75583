package uplink

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Whatever comes, and from however many, no more than the rate passes in the long
// run, and no less.
func TestRateHoldsOnAverage(t *testing.T) {
	for _, size := range []int{100, 1000, 50_000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const perSecond = 10_000
				r := newRate(perSecond)
				var passed atomic.Int64
				quit := make(chan struct{})
				for range 8 {
					go func() {
						for r.wait(size, quit) == nil {
							passed.Add(int64(size))
						}
					}()
				}
				time.Sleep(1000 * time.Second)
				close(quit)
				synctest.Wait()
				want := int64(1000 * perSecond)
				if got := passed.Load(); got < want-int64(size) || got > want+perSecond+int64(size) {
					t.Errorf("%d bytes passed in 1000 s, want %d", got, want)
				}
			})
		})
	}
}

// Who gives up owes nothing: a link that reconnects often is not slower for it.
func TestRateForgetsWhoGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRate(1000)
		for range 100 {
			quit := make(chan struct{})
			for range 16 {
				go r.wait(100_000, quit)
			}
			time.Sleep(time.Second)
			close(quit)
			synctest.Wait()
		}
		began := time.Now()
		if err := r.wait(1, nil); err != nil || time.Since(began) > 101*time.Second {
			t.Errorf("waited %s (%v), want what the one message that passed takes", time.Since(began), err)
		}
	})
}

func TestNoRateIsNoLimit(t *testing.T) {
	if r := newRate(0); r != nil || r.wait(1<<40, nil) != nil || r.holds() {
		t.Error("no rate holds something back")
	}
}

// A link with a limit keeps it, tells its state meanwhile, and does not take its
// own patience for a broken connection.
func TestLinkKeepsItsRate(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	for i := range 12 {
		if err := b.put(record{id: testID(i)}, []byte("{}"), make([]byte, 10_000)); err != nil {
			t.Fatal(err)
		}
	}
	changed := make(chan struct{})
	l := newTestLink(t, LinkConfig{
		Broker: broker.url, Outbox: b, Ack: AckPuback, MaxRate: 50_000, AckTimeout: 100 * time.Millisecond,
		StatusChanged: changed,
	})
	began := time.Now()
	running(t, l.Run)
	waitFor(t, "the first items", func() bool { return l.Stats().Published > 0 })
	before := len(broker.payloads(testPrefix + "status"))
	changed <- struct{}{}
	asked := time.Now()
	waitFor(t, "the status", func() bool { return len(broker.payloads(testPrefix+"status")) > before })
	if waited := time.Since(asked); waited > 500*time.Millisecond {
		t.Errorf("the status waited %s behind items", waited)
	}
	waitFor(t, "all", func() bool { return b.Len() == 0 })
	// 120,000 bytes, less the second's worth that may go at once and the last message.
	if took := time.Since(began); took < 1100*time.Millisecond {
		t.Errorf("all went in %s, faster than the limit", took)
	}
	if got := l.Stats(); got.Connects != 1 || got.Refused != 0 {
		t.Errorf("got %+v, want one connection and no refusal", got)
	}
}

func TestNoItemIsSentWhereItMayNot(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	fill(t, b, 0, 10)
	var may atomic.Bool
	var asked atomic.Int64
	l := newTestLink(t, LinkConfig{
		Broker: broker.url, Outbox: b, Ack: AckPuback,
		MaySend:  func() bool { asked.Add(1); return may.Load() },
		OnOrders: func([]byte) OrdersReport { return OrdersReport{Version: 7} },
	})
	if l.LocalAddr().IsValid() {
		t.Errorf("without a connection its address is %s", l.LocalAddr())
	}
	running(t, l.Run)
	waitFor(t, "the status", func() bool { return broker.retained(testPrefix+"status") != "" })
	if got := l.LocalAddr(); got != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("the connection's address is %s", got)
	}
	if err := inject(broker, testPrefix+"orders/desired", []byte("x"), true); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the answer to orders", func() bool { return broker.retained(testPrefix+"orders/reported") != "" })
	n := asked.Load()
	waitFor(t, "another look", func() bool { return asked.Load() > n+2 })
	if b.Len() != 10 || l.Stats().Published != 0 {
		t.Errorf("%d items are left and %d published, want all left", b.Len(), l.Stats().Published)
	}
	may.Store(true)
	waitFor(t, "the items", func() bool { return b.Len() == 0 })
}
