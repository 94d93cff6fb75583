package gps

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// A serialPort is set up by the library and read through Go's poller. A read of the
// library's own waits in the kernel, and while one does the runtime looks after its
// thread hundreds of times a second: half a percent of a core for a receiver that
// says something ten times a second.
type serialPort struct {
	library *serial.Port
	line    *os.File // the same device
	timeout time.Duration
}

// openSerial opens a serial port with 8 data bits, no parity and one stop bit.
func openSerial(device string, baud int, timeout time.Duration) (port, error) {
	// Without a timeout of the library's a read waits for the first byte, which is what
	// the poller needs.
	p, err := serial.OpenPort(&serial.Config{Name: device, Baud: baud})
	if err != nil {
		return nil, err // not p: a nil *serial.Port is not a nil port
	}
	line, err := os.OpenFile(device, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return &serialPort{p, line, timeout}, nil
}

// Read returns 0 and io.EOF after the timeout, and at once where the device is gone:
// only the time it takes tells one from the other.
func (p *serialPort) Read(b []byte) (int, error) {
	if err := p.line.SetReadDeadline(time.Now().Add(p.timeout)); err != nil {
		return 0, err
	}
	n, err := p.line.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = io.EOF
	}
	return n, err
}

func (p *serialPort) Flush() error { return p.library.Flush() }

func (p *serialPort) Close() error { return errors.Join(p.line.Close(), p.library.Close()) }
