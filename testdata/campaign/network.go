package main

import (
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// conditions are how a network is at a moment.
type conditions struct {
	rtt  time.Duration
	loss float64 // share of pieces that arrive only when they are sent again
	rate float64 // bytes a second in each direction; 0 = no limit
}

// network is a way from many vehicles to one broker that can be made bad. It works on
// the byte stream: a piece that is lost arrives after a retransmission, and what
// follows waits for it, as TCP has it.
type network struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	now   conditions
	stall time.Time // nothing passes before
	conns map[net.Conn]bool
	all   sync.WaitGroup
}

// newNetwork opens a way to target.
func newNetwork(target string) (*network, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &network{listener: l, target: target, conns: map[net.Conn]bool{}}
	n.all.Go(n.accept)
	return n, nil
}

func (n *network) url() string { return "tcp://" + n.listener.Addr().String() }

func (n *network) close() {
	n.listener.Close()
	n.cut()
	n.all.Wait()
}

// retarget lets connections from now on lead elsewhere.
func (n *network) retarget(target string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.target = target
}

// set changes the conditions from now on.
func (n *network) set(c conditions) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = c
}

// hold lets nothing pass for a while; connections stay.
func (n *network) hold(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stall = time.Now().Add(d)
}

// cut ends every connection without a word.
func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.conns {
		if t, ok := c.(*net.TCPConn); ok {
			t.SetLinger(0) // a reset, not an end
		}
		c.Close()
	}
}

func (n *network) accept() {
	for {
		in, err := n.listener.Accept()
		if err != nil {
			return
		}
		n.mu.Lock()
		target := n.target
		n.mu.Unlock()
		out, err := net.DialTimeout("tcp", target, time.Second)
		if err != nil {
			in.Close()
			continue
		}
		n.mu.Lock()
		n.conns[in], n.conns[out] = true, true
		n.mu.Unlock()
		n.all.Go(func() { n.carry(in, out) })
		n.all.Go(func() { n.carry(out, in) })
	}
}

// pieceSize is how much travels together; a few of them wait on the way.
const pieceSize, waiting = 16 << 10, 64

type piece struct {
	data []byte
	due  time.Time
}

// carry takes bytes from one end to the other until either is gone.
func (n *network) carry(from, to net.Conn) {
	pieces, done := make(chan piece, waiting), make(chan struct{})
	go func() {
		defer close(done)
		for p := range pieces {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.data); err != nil {
				from.Close() // and the rest is read away below
			}
		}
	}()
	var last, free time.Time
	for {
		buf := make([]byte, pieceSize)
		k, err := from.Read(buf)
		if err != nil {
			break
		}
		last, free = n.due(k, last, free)
		pieces <- piece{buf[:k], last}
	}
	close(pieces)
	<-done
	from.Close()
	to.Close()
	n.mu.Lock()
	delete(n.conns, from)
	delete(n.conns, to)
	n.mu.Unlock()
}

// due is when a piece arrives, and when the line is free for the next one.
func (n *network) due(bytes int, last, free time.Time) (due, next time.Time) {
	n.mu.Lock()
	c, stall := n.now, n.stall
	n.mu.Unlock()
	next = later(time.Now(), free)
	if c.rate > 0 {
		next = next.Add(time.Duration(float64(bytes) / c.rate * float64(time.Second)))
	}
	due = next.Add(c.rtt / 2)
	for rand.Float64() < c.loss {
		due = due.Add(max(200*time.Millisecond, c.rtt))
	}
	return later(later(due, last), stall), next
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
