// Package guest runs in the machine under test and does there what a story outside asks
// for: it runs shell lines, starts and ends the daemon, and speaks with its control socket. [Serve] is
// the side in the machine, [Client] the one outside.
//
// Each TCP connection carries one [Request] and its [Answer], as JSON. It is for a
// network that ends on the machine that runs QEMU: whoever reaches the port is root in
// the guest.
package guest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// Request asks for one thing.
type Request struct {
	Do      string        `json:"do"`               // run, watch, start, signal, state, control
	Line    string        `json:"line,omitempty"`   // run: for the shell; watch: a regular expression
	Args    []string      `json:"args,omitempty"`   // start: the daemon
	Env     []string      `json:"env,omitempty"`    // start: beside the guest's own
	Log     string        `json:"log,omitempty"`    // start: where to what it says
	Signal  int           `json:"signal,omitempty"` // signal: to the daemon
	Socket  string        `json:"socket,omitempty"` // control: of the daemon
	Method  string        `json:"method,omitempty"` // control: GET or PUT
	Path    string        `json:"path,omitempty"`   // control: such as /status; watch: a file
	Body    string        `json:"body,omitempty"`   // control: of a PUT
	Timeout time.Duration `json:"timeout"`          // longest time that run, signal and control take; watch: how long
}

// Answer says what came of it.
type Answer struct {
	Out   string `json:"out,omitempty"` // what a line said, or the control socket
	Code  int    `json:"code"`          // exit code of the line or of the ended daemon, -1 where there is none; HTTP status of control
	PID   int    `json:"pid,omitempty"` // of the daemon
	Alive bool   `json:"alive,omitempty"`
	Looks int    `json:"looks,omitempty"` // watch: how often the file was read,
	Seen  int    `json:"seen,omitempty"`  // in how many of these it had what was asked for,
	Came  int    `json:"came,omitempty"`  // and how often it came: was there, and was not the time before
	Error string `json:"error,omitempty"`
}

// Serve answers at a TCP address until it can't any more.
func Serve(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	g := &keeper{}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			if err := g.talk(c); err != nil && !errors.Is(err, io.EOF) {
				fmt.Fprintln(os.Stderr, "guest:", err)
			}
		}()
	}
}

// maxMessage is far more than a shell line or what it says.
const maxMessage = 4 << 20

// talk serves one connection.
func (g *keeper) talk(c net.Conn) error {
	defer c.Close() // the answer is out by then
	var r Request
	if err := json.NewDecoder(io.LimitReader(c, maxMessage)).Decode(&r); err != nil {
		return err
	}
	a, err := g.do(r)
	if err != nil {
		a.Error = err.Error()
	}
	return json.NewEncoder(c).Encode(a)
}

func (g *keeper) do(r Request) (Answer, error) {
	switch r.Do {
	case "run":
		return run(r)
	case "watch":
		return watch(r)
	case "start":
		return g.start(r)
	case "signal":
		return g.signal(r)
	case "state":
		return g.state(), nil
	case "control":
		return control(r)
	}
	return Answer{}, fmt.Errorf("do %q: it is run, watch, start, signal, state or control", r.Do)
}

// Client asks a guest. It keeps no connection and may be used by several goroutines.
type Client struct {
	Address string
}

// slack is how much longer than asked for a guest may take to answer.
const slack = 10 * time.Second

// Do asks for one thing. What the guest could not do is an error.
func (c Client) Do(r Request) (Answer, error) {
	conn, err := net.DialTimeout("tcp", c.Address, slack)
	if err != nil {
		return Answer{}, fmt.Errorf("ask the guest: %w", err)
	}
	defer conn.Close() // nothing is under way any more
	if err := conn.SetDeadline(time.Now().Add(r.Timeout + slack)); err != nil {
		return Answer{}, err
	}
	if err := json.NewEncoder(conn).Encode(r); err != nil {
		return Answer{}, fmt.Errorf("ask the guest to %s: %w", r.Do, err)
	}
	var a Answer
	if err := json.NewDecoder(io.LimitReader(conn, maxMessage)).Decode(&a); err != nil {
		return a, fmt.Errorf("hear what came of %s in the guest: %w", r.Do, err)
	}
	if a.Error != "" {
		return a, fmt.Errorf("in the guest: %s", a.Error)
	}
	return a, nil
}
