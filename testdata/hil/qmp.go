package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// answerTime is how long QEMU may take to do what it is told.
const answerTime = 20 * time.Second

// qmp tells QEMU one thing, over a connection of its own, and decodes what comes of it
// into answer, unless that is nil.
func (m *machine) qmp(command string, arguments, answer any) error {
	c, err := net.Dial("unix", m.socket("qmp"))
	if err != nil {
		return err
	}
	defer c.Close() // the answer has come
	if err := c.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return err
	}
	in := json.NewDecoder(c)
	out := json.NewEncoder(c)
	var greeting any
	if err := in.Decode(&greeting); err != nil {
		return fmt.Errorf("greet QEMU: %w", err)
	}
	type say struct {
		Execute   string `json:"execute"`
		Arguments any    `json:"arguments,omitempty"`
	}
	if err := errors.Join(out.Encode(say{Execute: "qmp_capabilities"}), qmpAnswer(in, nil)); err != nil {
		return err
	}
	if err := errors.Join(out.Encode(say{command, arguments}), qmpAnswer(in, answer)); err != nil {
		return fmt.Errorf("tell QEMU %s: %w", command, err)
	}
	return nil
}

// qmpAnswer reads until something comes that is no event.
func qmpAnswer(in *json.Decoder, answer any) error {
	for {
		var m struct {
			Event  string          `json:"event"`
			Return json.RawMessage `json:"return"`
			Error  *struct {
				Desc string `json:"desc"`
			} `json:"error"`
		}
		if err := in.Decode(&m); err != nil {
			return err
		}
		switch {
		case m.Event != "":
		case m.Error != nil:
			return errors.New(m.Error.Desc)
		case answer != nil:
			return json.Unmarshal(m.Return, answer)
		default:
			return nil
		}
	}
}

// qtest moves the machine's wires from outside.
type qtest struct {
	conn net.Conn
	in   *bufio.Reader
}

func (m *machine) openQtest() (*qtest, error) {
	c, err := net.Dial("unix", m.socket("qtest"))
	if err != nil {
		return nil, err
	}
	return &qtest{c, bufio.NewReader(c)}, nil
}

// say gives one order.
func (q *qtest) say(order string) error {
	if err := q.conn.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(q.conn, order); err != nil {
		return err
	}
	for {
		line, err := q.in.ReadString('\n')
		switch {
		case err != nil:
			return fmt.Errorf("qtest %s: %w", order, err)
		case strings.HasPrefix(line, "IRQ "): // what the machine does of itself
		case strings.HasPrefix(line, "OK"):
			return nil
		default:
			return fmt.Errorf("qtest %s: %s", order, strings.TrimSpace(line))
		}
	}
}
