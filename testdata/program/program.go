// Package program runs what a test on real parts needs beside it: the agent, an inbox, a
// broker, an emulator. What runs dies with the test, however that ends.
package program

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Program can be started, ended, and started again. One goroutine uses it.
type Program struct {
	Name string   // as errors call it
	Log  string   // the file that what it says is appended to
	Args []string // begin with its path
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// New prepares a program.
func New(name, log string, args ...string) *Program {
	return &Program{Name: name, Log: log, Args: args}
}

// Start runs it. It must not run already.
func (p *Program) Start() error {
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() // the child has its own
	cmd, done := exec.Command(p.Args[0], p.Args[1:]...), make(chan struct{})
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	p.cmd, p.done = cmd, done
	go func() {
		_ = cmd.Wait() // the state is in ProcessState
		close(done)
	}()
	return nil
}

// PID is the process id of the newest start.
func (p *Program) PID() int { return p.cmd.Process.Pid }

// Kill ends it as a power cut would, and waits until it is gone. A program that was not
// started, or is nil, is gone.
func (p *Program) Kill() {
	if p == nil || p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// Stop asks it to finish; the error says that it did not do so in time, or how it failed.
func (p *Program) Stop(within time.Duration) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop %s: %w", p.Name, err)
	}
	select {
	case <-p.done:
	case <-time.After(within):
		return fmt.Errorf("%s did not end within %s; its log is %s", p.Name, within, p.Log)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("%s ended with exit code %d; its log is %s", p.Name, code, p.Log)
	}
	return nil
}

// Done is closed when it has ended.
func (p *Program) Done() <-chan struct{} { return p.done }

// Ended says that it has ended by itself, or nil.
func (p *Program) Ended() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s has ended by itself (%s); its log is %s", p.Name, p.cmd.ProcessState, p.Log)
	default:
		return nil
	}
}

// Output runs a program to its end and returns what it said, which is part of the error
// too.
func Output(path string, args ...string) (string, error) {
	cmd := exec.Command(path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s %v: %w\n%s", path, args, err, out)
	}
	return string(out), nil
}

// Find looks for a program also where administrators' programs are.
func Find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin/", "/sbin/"} {
		if _, err := os.Stat(dir + name); err == nil {
			return dir + name, nil
		}
	}
	return "", fmt.Errorf("%s is not installed", name)
}

// FreePort returns a port of this machine that nobody listens on at the moment.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
