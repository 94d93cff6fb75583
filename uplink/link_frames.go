package uplink

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"sync/atomic"
)

// publishPacket is the type that carries a message.
const publishPacket = 3

// frames reads a stream of MQTT. A packet longer than agreed is read away, and
// nobody makes room for it; every other passes unchanged.
//
// A message that is swallowed is acknowledged: a broker sends again what is not,
// for ever, and what follows would never come. Nothing is lost by it, because only
// a receipt makes a vehicle forget.
type frames struct {
	in        *bufio.Reader
	max       int                // bytes that follow the head of a packet
	answer    func([]byte) error // sends an acknowledgement to the broker
	oversized *atomic.Uint64     // packets swallowed

	left int    // of the packet that is passed on
	skip int    // of the packet that is swallowed
	ack  []byte // for that packet when it is gone; nil = none is asked for
}

func (f *frames) Read(p []byte) (int, error) {
	for f.left == 0 {
		if err := f.advance(); err != nil {
			return 0, err
		}
	}
	n, err := f.in.Read(p[:min(len(p), f.left)])
	f.left -= n
	return n, err
}

// advance goes on to what can be passed on next.
func (f *frames) advance() error {
	if f.skip > 0 {
		return f.swallow()
	}
	head, length, err := f.head()
	if err != nil {
		return err
	}
	if length <= f.max {
		f.left = head + length
		return nil
	}
	f.oversized.Add(1)
	return f.refuse(head, length)
}

// head returns how long the next packet's head is, and what follows it.
func (f *frames) head() (size, length int, err error) {
	for size = 2; size <= 5; size++ {
		b, err := f.in.Peek(size)
		if err != nil {
			return 0, 0, err
		}
		digit := b[size-1]
		length |= int(digit&0x7F) << (7 * (size - 2))
		if digit < 0x80 {
			return size, length, nil
		}
	}
	return 0, 0, errors.New("a packet's length is no length")
}

// refuse begins to swallow a packet; of a message that asks for an acknowledgement
// the number is kept.
func (f *frames) refuse(head, length int) error {
	first, err := f.in.Peek(1)
	if err != nil {
		return err
	}
	asks := first[0]>>4 == publishPacket && first[0]>>1&3 == 1
	f.skip = length
	if _, err := f.in.Discard(head); err != nil || !asks || length < 4 {
		return err
	}
	number := make([]byte, 2)
	if _, err := io.ReadFull(f.in, number); err != nil {
		return err
	}
	f.skip -= 2
	topic := int(binary.BigEndian.Uint16(number))
	if topic+2 > f.skip { // no room for a number: nobody can wait for it
		return nil
	}
	if _, err := f.in.Discard(topic); err != nil {
		return err
	}
	if _, err := io.ReadFull(f.in, number); err != nil {
		return err
	}
	f.skip -= topic + 2
	f.ack = []byte{0x40, 2, number[0], number[1]} // PUBACK
	return f.swallowed()
}

// swallow reads the packet away.
func (f *frames) swallow() error {
	n, err := f.in.Discard(f.skip)
	f.skip -= n
	if err != nil {
		return err
	}
	return f.swallowed()
}

// swallowed acknowledges the packet when it is gone.
func (f *frames) swallowed() error {
	if f.skip > 0 || f.ack == nil {
		return nil
	}
	ack := f.ack
	f.ack = nil
	return f.answer(ack)
}
