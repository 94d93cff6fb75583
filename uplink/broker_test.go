package uplink

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	mqttd "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"go.uber.org/goleak"
)

// testBroker is a real broker in this process that can be told to misbehave.
type testBroker struct {
	mqttd.HookBase
	server *mqttd.Server
	url    string

	mu       sync.Mutex
	seen     map[string][][]byte                             // payloads by topic, as the broker took them
	order    []string                                        // topics
	publish  func(cl *mqttd.Client, pk packets.Packet) error // before a publish is taken; nil = take it
	mayRead  func(topic string) bool
	password string
}

// errNoAck makes the broker pass over a publish in silence.
var errNoAck = packets.ErrRejectPacket

func newBroker(t testing.TB) *testBroker {
	t.Helper()
	b := &testBroker{seen: map[string][][]byte{}}
	b.server = mqttd.New(&mqttd.Options{
		Capabilities: mqttd.NewDefaultServerCapabilities(),
		Logger:       slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err := b.server.AddHook(b, nil); err != nil {
		t.Fatal(err)
	}
	l := listeners.NewTCP(listeners.Config{ID: "t", Address: "127.0.0.1:0"})
	if err := b.server.AddListener(l); err != nil {
		t.Fatal(err)
	}
	if err := b.server.Serve(); err != nil {
		t.Fatal(err)
	}
	b.url = "tcp://" + l.Address()
	t.Cleanup(func() { b.server.Close() })
	return b
}

func (b *testBroker) ID() string { return "test" }

func (b *testBroker) Provides(hook byte) bool {
	return bytes.Contains([]byte{mqttd.OnConnectAuthenticate, mqttd.OnACLCheck, mqttd.OnPublish}, []byte{hook})
}

func (b *testBroker) OnConnectAuthenticate(_ *mqttd.Client, pk packets.Packet) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.password == "" || string(pk.Connect.Password) == b.password
}

func (b *testBroker) OnACLCheck(_ *mqttd.Client, topic string, write bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return write || b.mayRead == nil || b.mayRead(topic)
}

func (b *testBroker) OnPublish(cl *mqttd.Client, pk packets.Packet) (packets.Packet, error) {
	b.mu.Lock()
	publish := b.publish
	b.mu.Unlock()
	if publish != nil {
		if err := publish(cl, pk); err != nil {
			return pk, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen[pk.TopicName] = append(b.seen[pk.TopicName], bytes.Clone(pk.Payload))
	b.order = append(b.order, pk.TopicName)
	return pk, nil
}

// misbehave sets what happens before a publish is taken.
func (b *testBroker) misbehave(publish func(cl *mqttd.Client, pk packets.Packet) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.publish = publish
}

// dropClient closes a client's connection without an acknowledgement.
func dropClient(cl *mqttd.Client) error {
	cl.Stop(errors.New("test"))
	return errNoAck
}

func (b *testBroker) payloads(topic string) [][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen[topic]
}

// retained returns the payload that a topic holds.
func (b *testBroker) retained(topic string) string {
	if pk, ok := b.server.Topics.Retained.Get(topic); ok {
		return string(pk.Payload)
	}
	return ""
}

// leakCheck fails the test if goroutines are left when it ends, the broker's
// included.
func leakCheck(t *testing.T) {
	t.Helper()
	ignore := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, ignore) })
}

// waitFor waits until ok, and fails when that takes too long.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waiting in vain for %s", what)
		}
	}
}

// running runs something until stop is called, which returns its error.
func running(t testing.TB, run func(context.Context) error) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	var once sync.Once
	var err error
	stop = func() error {
		once.Do(func() {
			cancel()
			select {
			case err = <-done:
			case <-time.After(40 * time.Second):
				t.Error("it does not end")
			}
		})
		return err
	}
	t.Cleanup(func() { stop() })
	return stop
}

// persistently is the caller that tries again.
func persistently(run func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		for ctx.Err() == nil {
			if run(ctx) != nil {
				time.Sleep(5 * time.Millisecond)
			}
		}
		return nil
	}
}

// delayProxy forwards connections and delivers everything after a delay, without
// limiting how much is on its way.
func delayProxy(t testing.TB, target string, delay time.Duration) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
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
			out, err := net.Dial("tcp", target)
			if err != nil {
				in.Close()
				continue
			}
			all.Go(func() { delayed(in, out, delay) })
			all.Go(func() { delayed(out, in, delay) })
		}
	})
	return "tcp://" + l.Addr().String()
}

// delayed copies from one connection to another, each piece after the delay, and
// closes both at the end.
func delayed(from, to net.Conn, delay time.Duration) {
	type piece struct {
		data []byte
		due  time.Time
	}
	pieces := make(chan piece, 4096)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for p := range pieces {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.data); err != nil {
				from.Close()
			}
		}
	}()
	for {
		buf := make([]byte, 64<<10)
		n, err := from.Read(buf)
		if err != nil {
			break
		}
		pieces <- piece{buf[:n], time.Now().Add(delay)}
	}
	close(pieces)
	<-done
	from.Close()
	to.Close()
}
