package uplink

import (
	"context"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// slowProxy forwards connections, towards the broker at so many bytes a second.
func slowProxy(t testing.TB, target string, perSecond int) string {
	t.Helper()
	// Segments as on the road: those of the loopback are longer than a modem's
	// whole queue.
	road := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, 1400) })
	}}
	l, err := road.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", strings.TrimPrefix(target, "tcp://"))
			if err != nil {
				in.Close()
				continue
			}
			all.Go(func() { trickle(in, out, perSecond) })
			all.Go(func() { delayed(out, in, 0) })
		}
	})
	return "tcp://" + l.Addr().String()
}

// trickle copies slowly, and closes both at the end.
func trickle(from, to net.Conn, perSecond int) {
	defer from.Close()
	defer to.Close()
	buf := make([]byte, max(1, perSecond/50))
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		time.Sleep(time.Duration(n) * time.Second / time.Duration(perSecond))
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// A link that is slow is not broken: as long as data moves the connection stays,
// though each message takes longer than a write may, a ping's answer waits behind
// them, and an item takes longer than one that counts as stuck.
func TestASlowLinkKeepsItsConnection(t *testing.T) {
	leakCheck(t)
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	const size = 400 << 10
	for i := range 4 {
		if err := b.put(record{id: testID(i)}, []byte("{}"), make([]byte, size)); err != nil {
			t.Fatal(err)
		}
	}
	l := newTestLink(t, LinkConfig{
		Broker: slowProxy(t, broker.url, 128<<10), Outbox: b, Ack: AckPuback, KeepAlive: 4 * time.Second,
		// About the defaults at 8 KiB a second, sixteen times as fast.
		WriteTimeout: 30 * time.Second / 16, PingTimeout: 20 * time.Second / 16, AckTimeout: 30 * time.Second / 16,
	})
	stop := running(t, l.Run)
	waitFor(t, "everything, or a lost connection", func() bool { return b.Len() == 0 || !l.Connected() && l.Stats().Connects > 0 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	if got, want := l.Stats(), (LinkStats{Connects: 1, Published: 4, Delivered: 4}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// When nothing moves any more the connection is given up, ping or no ping.
func TestADeadLinkIsGivenUp(t *testing.T) {
	leakCheck(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	l := newTestLink(t, LinkConfig{
		Broker: stalledListener(t, true), Outbox: b, KeepAlive: time.Second, PingTimeout: time.Second,
	})
	began := time.Now()
	err := l.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the broker has not answered a ping, and nothing has moved for ") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("after %s only", took)
	}
}

// A ping's answer may wait behind whatever the broker is sending: as long as that
// comes in the connection stays.
func TestALatePingAnswerIsForgivenWhileDataComes(t *testing.T) {
	leakCheck(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		c.Read(make([]byte, 4096))     // CONNECT
		c.Write([]byte{0x20, 2, 0, 0}) // CONNACK
		buf := make([]byte, 256)
		c.Read(buf) // SUBSCRIBE
		c.Write([]byte{0x90, 3, buf[2], buf[3], 1})
		for { // an empty message on topic "x", over and over, and never a PINGRESP
			if _, err := c.Write([]byte{0x30, 3, 0, 1, 'x'}); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	link := newTestLink(t, LinkConfig{Broker: "tcp://" + l.Addr().String(), Outbox: b, KeepAlive: time.Second, PingTimeout: 500 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	if err := link.Run(ctx); err != nil || ctx.Err() == nil {
		t.Errorf("given up: %v", err)
	}
	l.Close()
	<-done
}
