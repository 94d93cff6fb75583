package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"gadeblik/agent"
	"gadeblik/uplink"
)

// The control socket speaks HTTP on a Unix socket: GET /status and
// PUT /switch {"on": true}. Whoever may write to the socket may press the
// button; its mode and its folder's decide who that is.

// condition is what the control socket answers.
type condition struct {
	Status uplink.Status     `json:"status"`
	Switch agent.SwitchState `json:"switch"`
}

// maxControlBody is far more than {"on": true} needs.
const maxControlBody = 1 << 10

// serveControl answers on the socket at path until ctx ends.
func serveControl(ctx context.Context, path string, a *agent.Agent) error {
	l, err := listenUnix(path)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: controlHandler(a), ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() }) // ends Serve; nothing of it is worth waiting for
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", path, err)
	}
	return nil
}

// listenUnix takes over the socket of an agent that died, not of one that lives.
func listenUnix(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make folder of the control socket: %w", err)
	}
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		return nil, errors.Join(
			fmt.Errorf("listen on %s: another gadeblik answers there; stop it, or set switch.socket", path), c.Close())
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove old control socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on control socket: %w", err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		return nil, errors.Join(fmt.Errorf("open control socket to the group: %w", err), l.Close())
	}
	return l, nil
}

func controlHandler(a *agent.Agent) http.Handler {
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		// The client may have gone; there is nobody to tell.
		_ = json.NewEncoder(w).Encode(condition{a.Status(), a.Switch().State(time.Now())})
	}
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { answer(w) })
	mux.HandleFunc("PUT /switch", func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			On *bool `json:"on"`
		}
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody))
		d.DisallowUnknownFields()
		if err := d.Decode(&body); err != nil || body.On == nil {
			http.Error(w, `send {"on": true} or {"on": false}`, http.StatusBadRequest)
			return
		}
		if err := a.Switch().Set(*body.On, "socket", time.Now()); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		awaitSwitch(r.Context(), a, *body.On)
		answer(w)
	})
	return mux
}

// awaitSwitch waits until the agent acts on the switch, so that the answer says
// what is and not what was; a second at most, for an agent in a long look.
func awaitSwitch(ctx context.Context, a *agent.Agent, on bool) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for (a.Status().State != uplink.Off) != on {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// askControl sends one request to a running agent and returns its answer.
func askControl(ctx context.Context, socket, method, path string, body io.Reader) (condition, error) {
	client := &http.Client{
		Timeout: 5 * time.Second,
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		}},
	}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, method, "http://gadeblik"+path, body)
	if err != nil {
		return condition{}, err
	}
	resp, err := client.Do(req)
	if errors.Is(err, os.ErrPermission) {
		return condition{}, hinted(fmt.Errorf("no agent answers at %s: %w", socket, errors.Unwrap(err)),
			"ask with sudo, or join the agent's group (`sudo usermod --append --groups gadeblik USER`) and log in again")
	}
	if err != nil {
		return condition{}, hinted(fmt.Errorf("no agent answers at %s: %w", socket, errors.Unwrap(err)),
			"start it with `gadeblik run`, or name its socket with --socket")
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(resp.Body, maxControlBody))
		return condition{}, errors.Join(fmt.Errorf("the agent answered %s: %s", resp.Status, text), err)
	}
	var c condition
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&c); err != nil {
		return condition{}, fmt.Errorf("read the agent's answer: %w", err)
	}
	return c, nil
}
