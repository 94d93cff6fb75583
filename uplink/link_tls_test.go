package uplink

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/listeners"
)

// A certificate is judged by the link's clock, and a refusal for its time alone
// says so.
func TestCertificatesAreJudgedByTheLinksClock(t *testing.T) {
	leakCheck(t)
	cert, pool := selfSigned(t)
	broker := newBroker(t)
	protocol := make(chan string, 10)
	l := listeners.NewTCP(listeners.Config{ID: "tls", Address: "127.0.0.1:0", TLSConfig: &tls.Config{
		Certificates: []tls.Certificate{cert}, NextProtos: []string{"x-amzn-mqtt-ca", "mqtt"},
		VerifyConnection: func(s tls.ConnectionState) error { protocol <- s.NegotiatedProtocol; return nil },
	}})
	if err := broker.server.AddListener(l); err != nil {
		t.Fatal(err)
	}
	go l.Serve(broker.server.EstablishConnection)
	box, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	at := func(clock time.Time, trusted bool) *Link {
		c := &tls.Config{NextProtos: []string{"mqtt"}}
		if trusted {
			c.RootCAs = pool
		}
		return newTestLink(t, LinkConfig{Broker: "tls://" + l.Address(), Outbox: box, TLS: c, Clock: func() time.Time { return clock }})
	}
	const problem = "this is a clock problem or an expired certificate: it is good from "
	later := time.Now().AddDate(10, 0, 0)
	if err := at(later, true).Run(t.Context()); err == nil || !strings.Contains(err.Error(), problem) || !strings.Contains(err.Error(), "the time here is "+stamp(later)) {
		t.Errorf("in ten years: %v", err)
	}
	if err := at(later, false).Run(t.Context()); err == nil || strings.Contains(err.Error(), problem) {
		t.Errorf("by a stranger, in ten years: %v; the clock is not all that is wrong", err)
	}
	link := at(time.Now(), true)
	running(t, link.Run)
	waitFor(t, "the connection", link.Connected)
	for len(protocol) > 1 {
		<-protocol
	}
	if got := <-protocol; got != "mqtt" {
		t.Errorf("the protocol is %q, want mqtt", got)
	}
}
