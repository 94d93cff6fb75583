package uvcsim

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image/jpeg"
	"net"
	"sync"
	"time"
)

// Film is what a camera shows: JPEG pictures of one size, one after the other and then
// from the start again.
type Film struct {
	Pictures [][]byte
	Hold     int // frames that each is shown for; 0 means 1
}

// Event is something that the driver did with the camera.
type Event struct {
	At time.Time
	On bool // the stream was started; false: it was ended
}

// Camera is a camera that is plugged in. Its methods are safe for concurrent use.
type Camera struct {
	conn          net.Conn
	film          Film
	width, height int
	parameters    []byte // negotiated last; only serve touches it

	write sync.Mutex // one packet at a time

	mu       sync.Mutex // guards what follows
	changed  *sync.Cond // any of it
	waiting  []transfer // of the driver, oldest first
	interval time.Duration
	on       bool
	frozen   bool
	corrupt  bool
	gone     bool
	events   []Event
	frames   uint64

	done sync.WaitGroup
}

// transfer is a place for a piece of a picture, which the driver has given.
type transfer struct {
	id   uint64
	room int
}

// Plug plugs a camera into the machine that listens at a Unix socket.
func Plug(socket string, film Film) (*Camera, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("plug the camera in: %w", err)
	}
	c, err := newCamera(conn, film)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

func newCamera(conn net.Conn, film Film) (*Camera, error) {
	if len(film.Pictures) == 0 {
		return nil, errors.New("plug the camera in: its film has no picture")
	}
	size, err := jpeg.DecodeConfig(bytes.NewReader(film.Pictures[0]))
	if err != nil {
		return nil, fmt.Errorf("plug the camera in: first picture of its film: %w", err)
	}
	film.Hold = max(film.Hold, 1)
	c := &Camera{conn: conn, film: film, width: size.Width, height: size.Height}
	c.changed = sync.NewCond(&c.mu)
	c.parameters = c.negotiate(nil)
	c.done.Add(2)
	go func() { defer c.done.Done(); c.serve() }()
	go func() { defer c.done.Done(); c.play() }()
	return c, nil
}

// Unplug pulls the camera out. It returns when nothing of it is left.
func (c *Camera) Unplug() error {
	err := c.conn.Close()
	c.done.Wait()
	return err
}

// Freeze lets the camera stop in the middle of whatever it does, or go on: it stays
// plugged in and answers, and gives no picture.
func (c *Camera) Freeze(yes bool) { c.set(func() { c.frozen = yes }) }

// Corrupt lets the camera send the first half of each picture only, or all again.
func (c *Camera) Corrupt(yes bool) { c.set(func() { c.corrupt = yes }) }

// Streaming tells whether the driver wants pictures.
func (c *Camera) Streaming() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.on
}

// Frames is how many pictures the driver has taken.
func (c *Camera) Frames() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frames
}

// Events returns what the driver did since a moment, oldest first.
func (c *Camera) Events(since time.Time) []Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []Event
	for _, e := range c.events {
		if e.At.After(since) {
			list = append(list, e)
		}
	}
	return list
}

// set changes something that others wait for.
func (c *Camera) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	c.changed.Broadcast()
}

// streams writes down that the driver starts or ends the stream. interval is in units
// of 100 ns.
func (c *Camera) streams(on bool, interval uint32) {
	c.set(func() {
		if on {
			c.interval = time.Duration(interval) * 100 * time.Nanosecond
		}
		if c.on != on {
			c.on, c.events = on, append(c.events, Event{At: time.Now(), On: on})
		}
	})
}

// serve answers the machine until it or the camera is gone.
func (c *Camera) serve() {
	defer c.set(func() { c.gone = true })
	c.send(hello())
	in := bufio.NewReaderSize(c.conn, 64<<10)
	for first := true; ; first = false {
		p, err := readPacket(in, first)
		if err != nil { // whoever pulled the plug knows
			return
		}
		for _, answer := range c.answer(p) {
			c.send(answer)
		}
	}
}

// send never fails: a machine that is gone is noticed by serve.
func (c *Camera) send(p packet) {
	c.write.Lock()
	defer c.write.Unlock()
	if _, err := c.conn.Write(p.encode()); err != nil {
		_ = c.conn.Close() // wakes serve; closing twice does no harm
	}
}

// answer does what a packet asks for.
func (c *Camera) answer(p packet) []packet {
	// The device is one configuration, and no interface has an alternate setting.
	reply := func(kind uint32, body ...byte) []packet { return []packet{{kind: kind, id: p.id, body: body}} }
	switch {
	case p.kind == packetHello:
		return introduction()
	case p.kind == packetReset:
		c.streams(false, 0)
	case p.kind == packetSetConfiguration && len(p.body) >= 1:
		return reply(packetConfiguration, outcomeOK, p.body[0])
	case p.kind == packetGetConfiguration:
		return reply(packetConfiguration, outcomeOK, 1)
	case p.kind == packetSetAlternate && len(p.body) >= 2:
		return reply(packetAlternate, outcomeOK, p.body[0], p.body[1])
	case p.kind == packetGetAlternate && len(p.body) >= 1:
		return reply(packetAlternate, outcomeOK, p.body[0], 0)
	case p.kind == packetControl && len(p.body) >= 10:
		return []packet{c.answerControl(p)}
	case p.kind == packetBulk && len(p.body) >= 10:
		return c.want(p)
	case p.kind == packetCancel:
		return c.cancel(p.id)
	}
	return nil
}

// want takes note of a place that the driver gives, unless not even a header fits.
func (c *Camera) want(p packet) []packet {
	le := binary.LittleEndian
	room := int(le.Uint16(p.body[2:])) | int(le.Uint16(p.body[8:]))<<16
	if room <= headerBytes {
		return []packet{bulk(p.id, outcomeStall, nil)}
	}
	c.set(func() { c.waiting = append(c.waiting, transfer{p.id, room}) })
	return nil
}

// answerControl answers a control transfer.
func (c *Camera) answerControl(p packet) packet {
	le := binary.LittleEndian
	r := request{
		code: p.body[1], kind: p.body[2],
		value: le.Uint16(p.body[4:]), index: le.Uint16(p.body[6:]), length: le.Uint16(p.body[8:]),
		data: p.body[10:],
	}
	data, known := c.control(r)
	outcome, length := byte(outcomeOK), uint16(len(data))
	switch {
	case !known:
		outcome = outcomeStall
	case r.kind&kindFromDevice == 0:
		length = r.length // all of it was taken
	}
	head := []byte{p.body[0], r.code, r.kind, outcome}
	return packet{kind: packetControl, id: p.id, body: append(append(append(head, p.body[4:8]...), halves(length)...), data...)}
}

// cancel gives a place back that the driver does not want filled any more.
func (c *Camera) cancel(id uint64) []packet {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, t := range c.waiting {
		if t.id == id {
			c.waiting = append(c.waiting[:i:i], c.waiting[i+1:]...)
			return []packet{bulk(id, outcomeCancelled, nil)}
		}
	}
	return nil // it was filled meanwhile
}

// bulk answers a bulk transfer.
func bulk(id uint64, outcome byte, data []byte) packet {
	n := len(data)
	head := append([]byte{bulkIn, outcome}, halves(uint16(n))...)
	head = append(append(head, words(0)...), halves(uint16(n>>16))...)
	return packet{kind: packetBulk, id: id, body: append(head, data...)}
}
