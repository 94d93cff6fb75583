package gps

import (
	"time"

	"github.com/tarm/serial"
)

// openSerial opens a serial port with 8 data bits, no parity and one stop bit.
func openSerial(device string, baud int, timeout time.Duration) (port, error) {
	p, err := serial.OpenPort(&serial.Config{Name: device, Baud: baud, ReadTimeout: timeout})
	if err != nil {
		return nil, err // not p: a nil *serial.Port is not a nil port
	}
	return p, nil
}
