package uplink

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// mosquitto is the broker that most people have, as a process that can be killed.
type mosquitto struct {
	t       *testing.T
	path    string
	config  string
	address string
	cmd     *exec.Cmd
}

func newMosquitto(t *testing.T, extra ...string) *mosquitto {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		path = "/usr/sbin/mosquitto"
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("mosquitto is not installed")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mosquitto{t: t, path: path, address: l.Addr().String(), config: filepath.Join(t.TempDir(), "m.conf")}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	lines := append([]string{fmt.Sprintf("listener %d 127.0.0.1", port), "allow_anonymous true", "log_type none"}, extra...)
	if err := os.WriteFile(m.config, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	m.start()
	t.Cleanup(m.kill)
	return m
}

func (m *mosquitto) url() string { return "tcp://" + m.address }

func (m *mosquitto) start() {
	m.t.Helper()
	m.cmd = exec.Command(m.path, "-c", m.config)
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	waitFor(m.t, "mosquitto", func() bool {
		c, err := net.Dial("tcp", m.address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (m *mosquitto) kill() {
	m.cmd.Process.Kill()
	m.cmd.Wait()
}

// TestMosquittoKilled: vehicle, broker and office, and the broker is killed again
// and again. In the end everything is stored, once and as it was.
func TestMosquittoKilled(t *testing.T) {
	leakCheck(t)
	broker := newMosquitto(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{Seal: officeSealer(t), MaxRefusals: 50})
	var twice atomic.Int64
	seen := map[string]bool{}
	in := newTestInbox(t, InboxConfig{Broker: broker.url(), OnStored: func(d Delivery) {
		if seen[d.Observation.ID] {
			twice.Add(1)
		}
		seen[d.Observation.ID] = true
	}})
	stopInbox := running(t, persistently(in.Run))
	l := newTestLink(t, LinkConfig{Broker: broker.url(), Outbox: b, ReceiptTimeout: 300 * time.Millisecond, DrainTimeout: 5 * time.Second})
	stop := running(t, persistently(l.Run))
	want := map[string]string{}
	for n := range 80 {
		o, e := withEvidence(t, someFinding(n))
		if err := b.Put(o, e, Terms{Day: "2026-05-04"}); err != nil {
			t.Fatal(err)
		}
		for name, data := range sealedBy(t, officeSealer(t), o, e).files() {
			want[name] = data
		}
		if n%16 == 15 {
			time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
			broker.kill()
			time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
			broker.start()
		}
	}
	waitFor(t, "all receipts", func() bool { return b.Len() == 0 })
	stop()
	stopInbox()
	checkFiles(t, in, want)
	if b.Stats().Aside != 0 || twice.Load() != 0 {
		t.Errorf("%d set aside, %d stored twice", b.Stats().Aside, twice.Load())
	}
	t.Logf("link %+v", l.Stats())
	t.Logf("inbox %+v", in.Stats())
}

// TestMosquittoKeepsForTheInbox: what the broker acknowledged while the inbox was
// away is there when it comes back, and the last will speaks for a killed vehicle.
func TestMosquittoKeepsForTheInbox(t *testing.T) {
	leakCheck(t)
	broker := newMosquitto(t)
	in := newTestInbox(t, InboxConfig{Broker: broker.url(), ClientID: "office"})
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	stop := running(t, in.Run)
	time.Sleep(300 * time.Millisecond) // subscribed
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for n := range 8 {
		if err := b.Put(someFinding(n), nil, Terms{Day: "2026-05-04"}); err != nil {
			t.Fatal(err)
		}
	}
	l := newTestLink(t, LinkConfig{Broker: broker.url(), Outbox: b, Ack: AckPuback})
	stopLink := running(t, l.Run)
	waitFor(t, "the broker to take all", func() bool { return b.Len() == 0 })
	if err := stopLink(); err != nil {
		t.Fatal(err)
	}
	stop = running(t, in.Run)
	waitFor(t, "the inbox to get all", func() bool { return in.Stats().Stored == 8 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	if n := len(tree(t, in.cfg.Dir)); n != 16 {
		t.Errorf("%d files are stored", n)
	}
}

// TestMosquittoRefusesTheLargest: a broker with a limit on messages hangs up on
// one that is too large; all others get through.
func TestMosquittoRefusesTheLargest(t *testing.T) {
	leakCheck(t)
	broker := newMosquitto(t, "max_packet_size 40000")
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{MaxRefusals: 3})
	fill(t, b, 0, 10)
	if err := b.put(record{id: testID(100)}, []byte("{}"), make([]byte, 60_000)); err != nil {
		t.Fatal(err)
	}
	fill(t, b, 10, 20)
	l := newTestLink(t, LinkConfig{Broker: broker.url(), Outbox: b, Ack: AckPuback})
	stop := running(t, persistently(l.Run))
	waitFor(t, "the others", func() bool { return b.Len() == 0 })
	stop()
	if s := b.Stats(); s.Aside != 1 || l.Stats().Delivered != 20 {
		t.Errorf("got %+v, %+v", s, l.Stats())
	}
	if f, ok, err := b.find(testID(100).String()); !f.aside || !ok || err != nil {
		t.Errorf("got %v, %v, %v", f.aside, ok, err)
	}
}

// TestMosquittoDropsInSilence: with message_size_limit, mosquitto acknowledges what
// it throws away. Only receipts notice.
func TestMosquittoDropsInSilence(t *testing.T) {
	leakCheck(t)
	small, err := signEnvelope(ObservationPayloadType, mustJSON(t, someFinding(1)), testKey())
	if err != nil {
		t.Fatal(err)
	}
	broker := newMosquitto(t, fmt.Sprint("message_size_limit ", len(small)+200))
	in := newTestInbox(t, InboxConfig{Broker: broker.url()})
	running(t, in.Run)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	large := someFinding(0)
	large.Notify = strings.Repeat("n", 400)
	for _, o := range []Observation{large, someFinding(1), someFinding(2)} {
		if err := b.Put(o, nil, Terms{Day: "2026-05-04"}); err != nil {
			t.Fatal(err)
		}
	}
	l := newTestLink(t, LinkConfig{Broker: broker.url(), Outbox: b, ReceiptTimeout: 100 * time.Millisecond})
	stop := running(t, l.Run)
	waitFor(t, "repetitions of the large one", func() bool { return b.Len() == 1 && l.Stats().Resent >= 2 })
	stop()
	if items, err := b.Next(Item{}, 9); err != nil || len(items) != 1 || items[0].ID != b.cfg.Seal.ParcelID(large.ID) {
		t.Errorf("got %+v, %v", items, err)
	}
}
