package gps

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"time"
)

// A port is an open serial port. Read returns within the read timeout, 0 and [io.EOF]
// if nothing came. Nobody closes it while a Read is under way.
type port interface {
	Read([]byte) (int, error)
	Flush() error // drops what was not read; the only way to ask whether the device is still there
	Close() error
}

// An opener opens a port. It may block for seconds in the driver.
type opener func(device string, baud int, timeout time.Duration) (port, error)

// bauds are the rates of receivers that the serial library knows.
func bauds() []int {
	return []int{4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}
}

// hinted adds to an error of the system what the operator can do about it, and
// removes the path, which our own messages name already.
func hinted(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	switch {
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ENXIO), errors.Is(err, syscall.ENODEV):
		return fmt.Errorf("%w; plug the receiver in, or name it as listed in /dev/serial/by-id", err)
	case errors.Is(err, syscall.EIO):
		return fmt.Errorf("%w; the receiver was unplugged or lost power", err)
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return fmt.Errorf("%w; give the user the group of the device (dialout)", err)
	case errors.Is(err, syscall.ENOTTY), errors.Is(err, syscall.EINVAL):
		return fmt.Errorf("%w; it is not a serial port", err)
	case errors.Is(err, syscall.EBUSY):
		return fmt.Errorf("%w; stop the program that uses it (gpsd, ModemManager)", err)
	}
	return err
}

// check reports every mistake in c, which has its defaults already.
func (c *ReceiverConfig) check() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Device == "" {
		add("device: empty; name it as listed in /dev/serial/by-id")
	}
	if !validBaud(c.Baud) {
		list := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(bauds())), ", "), "[]")
		add("baud: %d; must be one of %s", c.Baud, list)
	}
	if c.ReadTimeout < minReadTimeout || c.ReadTimeout > maxReadTimeout {
		add("read timeout: %v; must be between %v and %v", c.ReadTimeout, minReadTimeout, maxReadTimeout)
	}
	if c.Stale <= c.ReadTimeout {
		add("stale: %v; must be longer than the read timeout of %v", c.Stale, c.ReadTimeout)
	}
	if c.OpenTimeout < 0 || c.CloseTimeout < 0 {
		add("open timeout %v, close timeout %v; must not be negative", c.OpenTimeout, c.CloseTimeout)
	}
	return errors.Join(errs...)
}

func validBaud(baud int) bool {
	for _, b := range bauds() {
		if b == baud {
			return true
		}
	}
	return false
}
