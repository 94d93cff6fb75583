package uplink

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

// On a slow link a message takes its time, and so does the answer to a ping that
// goes out behind one. A wire therefore gives up only when nothing moves any more:
// when a piece of a message does not leave for writeTimeout, or when after a ping
// nothing has come in and nothing has gone out for pingTimeout.

const (
	// pieceLength is what must leave within a write timeout, whatever the length of
	// the message: 30 s for it is less than the slowest mobile network gives.
	pieceLength = 8 << 10
	// pingLength is the length of a ping, which is no sign of progress. No other
	// packet that goes out is as short, but a goodbye.
	pingLength = 2
)

func (w *wire) writePiece(p []byte) (int, error) {
	if w.writeTimeout > 0 {
		if err := w.Conn.SetWriteDeadline(time.Now().Add(w.writeTimeout)); err != nil {
			return 0, err
		}
	}
	return w.Conn.Write(p)
}

// SetWriteDeadline does nothing: the client's deadline is for a whole message.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// read waits for bytes, and looks now and then whether there is hope of any.
func (w *wire) read(p []byte) (int, error) {
	for {
		if w.pingTimeout > 0 {
			if err := w.Conn.SetReadDeadline(time.Now().Add(w.pingTimeout / 4)); err != nil {
				return 0, err
			}
		}
		n, err := w.Conn.Read(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if silence := w.silence(time.Now()); silence > w.hope() {
			return 0, fmt.Errorf("the broker has not answered a ping, and nothing has moved for %s", silence.Round(time.Millisecond))
		}
	}
}

// silence is for how long neither anything has come in nor gone out.
func (w *wire) silence(now time.Time) time.Duration {
	return time.Duration(now.UnixNano() - max(w.pinged.Load(), w.lastIn.Load(), w.lastOut.Load()))
}

// hope is how long a silence may be: the ping timeout after a ping, and otherwise
// as much more as the client may let pass before it pings.
func (w *wire) hope() time.Duration {
	if w.lastIn.Load() < w.pinged.Load() {
		return w.pingTimeout
	}
	return w.pingTimeout + w.keepAlive*3/2
}

// localAddr is this machine's end of the connection, nil where that is no address.
func (w *wire) localAddr() *netip.Addr {
	tcp, ok := w.Conn.LocalAddr().(*net.TCPAddr)
	if !ok {
		return nil
	}
	a := tcp.AddrPort().Addr().Unmap()
	return &a
}
