package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// broker is what the agent sends to. It can be stopped and started again at the same
// address.
type broker interface {
	start() error
	stop()
	url() string
	String() string
}

// newBroker prepares mosquitto, or the broker of the demo where that is not installed.
func newBroker(dir string) (broker, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	for _, name := range []string{"mosquitto", "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"} {
		if path, err := exec.LookPath(name); err == nil {
			return &mosquitto{dir: dir, program: path, address: address}, nil
		}
	}
	return &embedded{address: address}, nil
}

// mosquitto is the broker that Debian ships, with its queue kept on disk.
type mosquitto struct {
	dir, program, address string
	running               *process
}

func (m *mosquitto) url() string    { return "tcp://" + m.address }
func (m *mosquitto) String() string { return "mosquitto" }

func (m *mosquitto) start() error {
	_, port, err := net.SplitHostPort(m.address)
	if err != nil {
		return err
	}
	conf, store := filepath.Join(m.dir, "mosquitto.conf"), filepath.Join(m.dir, "broker")
	// As itself: started by root it would become a user who may not write here.
	text := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location %s/\nlog_dest stderr\nlog_type error\nuser root\n", port, store)
	if err := errors.Join(os.MkdirAll(store, 0o755), os.WriteFile(conf, []byte(text), 0o644)); err != nil {
		return err
	}
	if m.running, err = start("the broker", filepath.Join(m.dir, "broker.log"), m.program, "-c", conf); err != nil {
		return err
	}
	return reachable(m.address)
}

func (m *mosquitto) stop() { m.running.kill() }

// embedded is a broker in this process.
type embedded struct {
	address string
	server  *mqtt.Server
}

func (e *embedded) url() string    { return "tcp://" + e.address }
func (e *embedded) String() string { return "the embedded broker" }

func (e *embedded) start() error {
	e.server = mqtt.New(&mqtt.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := errors.Join(
		e.server.AddHook(new(auth.AllowHook), nil),
		e.server.AddListener(listeners.NewTCP(listeners.Config{ID: "soak", Address: e.address})),
		e.server.Serve(),
	); err != nil {
		return fmt.Errorf("start the embedded broker: %w", err)
	}
	return reachable(e.address)
}

func (e *embedded) stop() {
	if e.server != nil {
		_ = e.server.Close() // another one is made for the next start
	}
}

// reachable waits until something listens at an address.
func reachable(address string) error {
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var c net.Conn
		if c, err = net.Dial("tcp", address); err == nil {
			return c.Close()
		}
	}
	return fmt.Errorf("nothing listens at %s: %w", address, err)
}
