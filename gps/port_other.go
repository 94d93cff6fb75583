//go:build !linux

package gps

import (
	"errors"
	"time"
)

// openSerial is refused where the serial library needs C or behaves otherwise.
func openSerial(string, int, time.Duration) (port, error) {
	return nil, errors.New("serial ports are supported on Linux only")
}
