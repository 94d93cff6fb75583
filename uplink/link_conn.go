package uplink

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// ErrUnreachable is the error of a [Link] whose attempt to connect reached nobody: the
// broker's name is not known, nothing answers, or nothing listens there.
var ErrUnreachable = errors.New("the broker cannot be reached")

var errLost = errors.New("the connection is lost")

// broker is an address as a URL names it.
type broker struct {
	address string
	tls     *tls.Config // nil = plain TCP
}

func (b broker) String() string { return b.address }

func parseBroker(text string, config *tls.Config) (broker, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return broker{}, fmt.Errorf("broker: must be tcp://host:port or tls://host:port (got %q)", text)
	}
	if u.User != nil {
		return broker{}, errors.New("broker: must not carry a password; there are settings for user and password")
	}
	port, secure := "1883", false
	switch u.Scheme {
	case "tcp", "mqtt":
	case "tls", "ssl", "mqtts":
		port, secure = "8883", true
	default:
		return broker{}, fmt.Errorf("broker: must be tcp://host:port or tls://host:port (got scheme %q)", u.Scheme)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	b := broker{address: net.JoinHostPort(u.Hostname(), port)}
	if !secure {
		return b, nil
	}
	b.tls = &tls.Config{}
	if config != nil {
		b.tls = config.Clone()
	}
	if b.tls.ServerName == "" {
		b.tls.ServerName = u.Hostname()
	}
	return b, nil
}

// dial opens a connection that ends with ctx until keep is called on it.
func (b broker) dial(ctx context.Context, timeout time.Duration, maxPacket int) (*wire, error) {
	opening, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	dialer := net.Dialer{Control: tuneSocket}
	raw, err := dialer.DialContext(opening, "tcp", b.address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if b.tls == nil {
		return newWire(ctx, raw, maxPacket), nil
	}
	secure := tls.Client(raw, b.tls)
	if err := secure.HandshakeContext(opening); err != nil {
		return nil, errors.Join(sayWhen(err, b.tls), raw.Close())
	}
	return newWire(ctx, secure, maxPacket), nil
}

// wire is a connection that swallows a packet longer than agreed, see [frames], and
// that lets nobody publish into a client that has died.
//
// The second is for the sake of the MQTT client: a publish that it takes in while
// it is coming down is looked at by nobody and blocks for the write timeout. So
// the client learns of the end of the connection only when no publish is under
// way, and none begins afterwards.
type wire struct {
	net.Conn
	release   func() bool // ends the rule that ctx closes the connection
	frames    frames
	oversized atomic.Uint64 // packets swallowed, where nobody else counts them
	lastIn    atomic.Int64  // Unix nanoseconds
	lastOut   atomic.Int64
	pinged    atomic.Int64 // the newest ping went out; 0 = none did

	// Set before use; 0 = no limit. See Write and Read.
	writeTimeout, pingTimeout, keepAlive time.Duration

	writing sync.Mutex // held for a whole packet: pings and acknowledgements come from beside the messages

	mu    sync.Mutex
	cause error // why the connection ended

	publishing sync.RWMutex // held for reading while a publish is handed over
	dead       bool         // guarded by publishing
}

func newWire(ctx context.Context, conn net.Conn, maxPacket int) *wire {
	w := &wire{Conn: conn}
	w.frames = frames{in: bufio.NewReader(heard{w}), max: maxPacket, oversized: &w.oversized, answer: func(ack []byte) error {
		_, err := w.Write(ack)
		return err
	}}
	w.release = context.AfterFunc(ctx, func() { conn.Close() })
	w.touch(&w.lastIn)
	w.touch(&w.lastOut)
	return w
}

func (w *wire) touch(t *atomic.Int64) { t.Store(time.Now().UnixNano()) }

// keep lets the connection outlive the context that it was dialled with.
func (w *wire) keep() { w.release() }

// heard is the connection as it comes in; it takes note of the time.
type heard struct{ *wire }

func (h heard) Read(p []byte) (int, error) {
	n, err := h.read(p)
	if n > 0 {
		h.touch(&h.lastIn)
	}
	return n, err
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.frames.Read(p)
	if err != nil {
		return 0, w.retire(err)
	}
	return n, nil
}

func (w *wire) Write(p []byte) (int, error) {
	w.writing.Lock()
	defer w.writing.Unlock()
	for done := 0; done < len(p); {
		n, err := w.writePiece(p[done:min(len(p), done+pieceLength)])
		done += n
		if err != nil {
			// The reader reports the end; the client passes over this error.
			w.end(err)
			return done, net.ErrClosed
		}
		if len(p) > pingLength {
			w.touch(&w.lastOut)
		}
	}
	if len(p) == pingLength {
		w.touch(&w.pinged)
	}
	return len(p), nil
}

// retire ends the connection and returns why, when no publish is under way.
func (w *wire) retire(err error) error {
	cause := w.end(err)
	w.seal()
	// The client keeps quiet about an error that speaks of a closed connection.
	return fmt.Errorf("%w (%w)", errLost, cause)
}

// end closes the connection and returns the first reason given for it.
func (w *wire) end(err error) error {
	w.mu.Lock()
	if w.cause == nil {
		w.cause = plainCause(err)
	}
	cause := w.cause
	w.mu.Unlock()
	w.Conn.Close()
	return cause
}

// plainCause replaces the error of a connection that we closed ourselves.
func plainCause(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return errors.New("closed here")
	}
	return err
}

// seal lets no further publish begin and waits for those under way.
func (w *wire) seal() {
	w.publishing.Lock()
	w.dead = true
	w.publishing.Unlock()
}

// publish hands a message to the client unless the connection has ended.
func (w *wire) publish(c mqtt.Client, m message) (mqtt.Token, error) {
	w.publishing.RLock()
	defer w.publishing.RUnlock()
	if w.dead {
		return nil, errLost
	}
	return c.Publish(m.topic, 1, m.retained, m.payload), nil
}

// lastSent returns when anything but a ping last went out.
func (w *wire) lastSent() time.Time { return time.Unix(0, w.lastOut.Load()) }

// reason returns why the connection has ended, or otherwise what is given.
func (w *wire) reason(otherwise error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cause != nil {
		return w.cause
	}
	return otherwise
}

// heardSince tells whether anything has come in since.
func (w *wire) heardSince(t time.Time) bool { return w.lastIn.Load() > t.UnixNano() }
