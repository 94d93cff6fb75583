package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// process is a program of the campaign. What it says is appended to its log.
type process struct {
	name, log string
	args      []string
	cmd       *exec.Cmd
	done      chan struct{}
}

func newProcess(name, log string, args ...string) *process {
	return &process{name: name, log: log, args: args}
}

// start runs the program; it dies with this one.
func (p *process) start() error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() // the child has its own
	p.cmd, p.done = exec.Command(p.args[0], p.args[1:]...), make(chan struct{})
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	cmd, done := p.cmd, p.done
	go func() {
		_ = cmd.Wait() // the state is in ProcessState
		close(done)
	}()
	return nil
}

// kill ends it as a power cut would, and waits until it is gone.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// ended tells whether it has ended by itself, which none is meant to.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// stop asks it to finish and says how it did.
func (p *process) stop(within time.Duration) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	select {
	case <-p.done:
	case <-time.After(within):
		return violated("%s did not end within %s; its log is %s", p.name, within, p.log)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		return violated("%s ended with exit code %d; its log is %s", p.name, code, p.log)
	}
	return nil
}

// freePort returns a port that nobody listens on at the moment.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// newBroker prepares mosquitto as Debian ships it, with its queue kept on disk.
func newBroker(dir string) (p *process, address string, err error) {
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		path = "/usr/sbin/mosquitto"
	}
	if _, err := os.Stat(path); err != nil {
		return nil, "", errors.New("mosquitto is not installed: apt install mosquitto")
	}
	port, err := freePort()
	if err != nil {
		return nil, "", err
	}
	store := filepath.Join(dir, "broker")
	if err := os.MkdirAll(store, 0o755); err != nil {
		return nil, "", err
	}
	conf := filepath.Join(dir, "mosquitto.conf")
	text := fmt.Sprintf(`listener %d 127.0.0.1
allow_anonymous true
persistence true
persistence_location %s/
autosave_interval 2
max_queued_messages 10000
log_dest stderr
log_type error
user root
`, port, store)
	address = fmt.Sprintf("127.0.0.1:%d", port)
	return newProcess("the broker", filepath.Join(dir, "broker.log"), path, "-c", conf), address, os.WriteFile(conf, []byte(text), 0o644)
}

// reachable waits until something listens at an address.
func reachable(address string) error {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			return c.Close()
		}
	}
	return fmt.Errorf("nothing listens at %s", address)
}
