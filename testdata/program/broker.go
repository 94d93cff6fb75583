package program

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Broker is mosquitto as Debian ships it, with its queue on disk. It can be killed and
// started again at the same address.
type Broker struct {
	*Program
	Port    int    // of this machine's own address
	TLSPort int    // another one, encrypted
	CAFile  string // what its certificate is checked against; it is good for a day
}

// NewBroker prepares a broker with its files in dir. maxQueued is how many messages it
// keeps for somebody who is away; 0 is its own default. Its certificate is good for this
// machine and for names.
func NewBroker(dir string, maxQueued int, names ...string) (*Broker, error) {
	path, err := Find("mosquitto")
	if err != nil {
		return nil, fmt.Errorf("%w: apt-get install mosquitto", err)
	}
	port, err1 := FreePort()
	tlsPort, err2 := FreePort()
	ca, key := filepath.Join(dir, "broker.pem"), filepath.Join(dir, "broker-key.pem")
	if err := errors.Join(err1, err2, certify(ca, key, append(names, "127.0.0.1"))); err != nil {
		return nil, err
	}
	store := filepath.Join(dir, "broker")
	if err := os.MkdirAll(store, 0o755); err != nil {
		return nil, err
	}
	text := fmt.Sprintf("listener %d 127.0.0.1\nlistener %d 127.0.0.1\ncertfile %s\nkeyfile %s\n"+
		"allow_anonymous true\npersistence true\npersistence_location %s/\nautosave_interval 2\nlog_dest stderr\nlog_type error\n",
		port, tlsPort, ca, key, store)
	if maxQueued > 0 {
		text += fmt.Sprintf("max_queued_messages %d\n", maxQueued)
	}
	if os.Getuid() == 0 { // it would become a user who may not read its own folder
		text += "user root\n"
	}
	conf := filepath.Join(dir, "broker.conf")
	b := &Broker{Program: New("the broker", filepath.Join(dir, "broker.log"), path, "-c", conf), Port: port, TLSPort: tlsPort, CAFile: ca}
	return b, os.WriteFile(conf, []byte(text), 0o644)
}

// Address is where it listens.
func (b *Broker) Address() string { return fmt.Sprint("127.0.0.1:", b.Port) }

// listenTime is how long a broker may take to listen, on a machine that is busy.
const listenTime = time.Minute

// Start starts it and waits until it listens.
func (b *Broker) Start() error {
	if err := b.Program.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(listenTime); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", b.Address())
		switch {
		case err == nil:
			return c.Close()
		case b.Ended() != nil:
			return b.Ended()
		case time.Now().After(deadline):
			return fmt.Errorf("the broker does not listen: %w; its log is %s", err, b.Log)
		}
	}
}
