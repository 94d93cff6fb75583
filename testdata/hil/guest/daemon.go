package guest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// keeper keeps at most one daemon.
type keeper struct {
	mu   sync.Mutex // guards both
	cmd  *exec.Cmd
	done chan struct{} // closed when the daemon has ended
}

// run runs a shell line and returns all that it says.
func run(r Request) (Answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), r.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", r.Line)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		err = nil // the code says it
	}
	return Answer{Out: string(out), Code: cmd.ProcessState.ExitCode()}, errors.Join(err, ctx.Err())
}

func (g *keeper) start(r Request) (Answer, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.aliveLocked() {
		return Answer{PID: g.cmd.Process.Pid}, errors.New("start: the daemon runs already")
	}
	log, err := os.OpenFile(r.Log, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return Answer{}, err
	}
	defer log.Close() // the daemon has its own
	cmd, done := exec.Command(r.Args[0], r.Args[1:]...), make(chan struct{})
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), r.Env...), log, log
	if err := cmd.Start(); err != nil {
		return Answer{}, err
	}
	g.cmd, g.done = cmd, done
	go func() {
		_ = cmd.Wait() // the state is in ProcessState
		close(done)
	}()
	return Answer{PID: cmd.Process.Pid}, nil
}

func (g *keeper) aliveLocked() bool {
	if g.cmd == nil {
		return false
	}
	select {
	case <-g.done:
		return false
	default:
		return true
	}
}

// signal sends the daemon a signal and waits for its end, as long as was asked for.
func (g *keeper) signal(r Request) (Answer, error) {
	g.mu.Lock()
	cmd, done, alive := g.cmd, g.done, g.aliveLocked()
	g.mu.Unlock()
	if !alive {
		return Answer{}, errors.New("signal: no daemon runs")
	}
	if err := cmd.Process.Signal(syscall.Signal(r.Signal)); err != nil {
		return Answer{}, err
	}
	select {
	case <-done:
		return Answer{Code: cmd.ProcessState.ExitCode()}, nil
	case <-time.After(r.Timeout):
		return Answer{Alive: true}, fmt.Errorf("signal %d: the daemon runs on after %s", r.Signal, r.Timeout)
	}
}

func (g *keeper) state() Answer {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.cmd == nil:
		return Answer{Code: -1}
	case g.aliveLocked():
		return Answer{PID: g.cmd.Process.Pid, Alive: true}
	}
	return Answer{PID: g.cmd.Process.Pid, Code: g.cmd.ProcessState.ExitCode()}
}

// control speaks with the daemon's control socket, as `gadeblik switch` does. To start
// that program takes an emulated machine longer than to answer.
func control(r Request) (Answer, error) {
	client := &http.Client{
		Timeout: r.Timeout,
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", r.Socket)
		}},
	}
	defer client.CloseIdleConnections()
	req, err := http.NewRequest(r.Method, "http://gadeblik"+r.Path, strings.NewReader(r.Body))
	if err != nil {
		return Answer{}, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close() // only read
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxMessage))
	return Answer{Out: string(body), Code: resp.StatusCode}, err
}
