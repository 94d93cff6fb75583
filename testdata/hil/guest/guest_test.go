package guest

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// listening returns a client of a guest that runs in this process.
func listening(t *testing.T) Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() { failed <- Serve(address) }() // ends with the test
	c := Client{Address: address}
	for {
		if _, err := c.Do(Request{Do: "state", Timeout: time.Second}); err == nil {
			return c
		}
		select {
		case err := <-failed:
			t.Fatal(err)
		default:
		}
	}
}

func TestRun(t *testing.T) {
	c := listening(t)
	for line, want := range map[string]struct {
		answer Answer
		err    string
	}{
		"echo said; echo wrong >&2": {answer: Answer{Out: "said\nwrong\n"}},
		"exit 3":                    {answer: Answer{Code: 3}},
		"sleep 60":                  {answer: Answer{Code: -1}, err: "deadline exceeded"},
	} {
		got, err := c.Do(Request{Do: "run", Line: line, Timeout: 500 * time.Millisecond})
		got.Error = ""
		if got != want.answer || (err == nil) != (want.err == "") || err != nil && !strings.Contains(err.Error(), want.err) {
			t.Errorf("%s: %+v, %v; want %+v and %q", line, got, err, want.answer, want.err)
		}
	}
}

// TestWatch watches a light of a tenth of a second go on twice.
func TestWatch(t *testing.T) {
	c := listening(t)
	path := filepath.Join(t.TempDir(), "gpio")
	say := func(text string) {
		if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
			t.Error(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Error(err)
		}
	}
	say("lamp out lo\n")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 2 {
			time.Sleep(300 * time.Millisecond)
			say("button in  hi\nlamp out hi\n")
			time.Sleep(100 * time.Millisecond)
			say("button in  hi\nlamp out lo\n")
		}
	}()
	a, err := c.Do(Request{Do: "watch", Path: path, Line: "lamp.* hi", Timeout: 1500 * time.Millisecond})
	<-done
	if err != nil || a.Came != 2 || a.Seen < 2 || a.Seen > a.Looks/2 {
		t.Errorf("%+v, %v; want to see it come twice", a, err)
	}
	for _, r := range []Request{{Do: "watch", Path: path, Line: "("}, {Do: "watch", Path: path + ".none", Timeout: time.Second}} {
		if a, err := c.Do(r); err == nil {
			t.Errorf("%+v: %+v, want an error", r, a)
		}
	}
}

func TestDaemon(t *testing.T) {
	c := listening(t)
	if a, err := c.Do(Request{Do: "state"}); err != nil || a.Alive || a.Code != -1 {
		t.Errorf("before a daemon was started: %+v, %v", a, err)
	}
	log := filepath.Join(t.TempDir(), "log")
	ready := `trap 'echo asked; exit 7' TERM; echo "$WORD"; while :; do sleep 0.05; done`
	a, err := c.Do(Request{Do: "start", Args: []string{"/bin/sh", "-c", ready}, Env: []string{"WORD=ready"}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(Request{Do: "start", Args: []string{"/bin/true"}, Log: log}); err == nil {
		t.Error("a second daemon was started")
	}
	said := func() string {
		raw, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	for deadline := time.Now().Add(20 * time.Second); said() != "ready\n"; {
		if time.Now().After(deadline) {
			t.Fatalf("log %q", said())
		}
	}
	if s, err := c.Do(Request{Do: "state"}); err != nil || !s.Alive || s.PID != a.PID {
		t.Errorf("state %+v, %v; want process %d alive", s, err, a.PID)
	}
	if _, err := c.Do(Request{Do: "signal", Signal: int(syscall.SIGURG), Timeout: 100 * time.Millisecond}); err == nil {
		t.Error("a daemon that does not end is no error")
	}
	if e, err := c.Do(Request{Do: "signal", Signal: int(syscall.SIGTERM), Timeout: 20 * time.Second}); err != nil || e.Code != 7 {
		t.Errorf("end %+v, %v; want exit code 7", e, err)
	}
	if got := said(); got != "ready\nasked\n" {
		t.Errorf("log %q", got)
	}
	if s, err := c.Do(Request{Do: "state"}); err != nil || s.Alive || s.Code != 7 {
		t.Errorf("state %+v, %v; want exit code 7", s, err)
	}
}

func TestControl(t *testing.T) {
	c := listening(t)
	dir, err := os.MkdirTemp("", "guest-") // short: a socket is in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "control.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, r.Method, r.URL.Path, r.ContentLength)
	})}
	go srv.Serve(l) // ends with the listener
	t.Cleanup(func() { srv.Close() })
	a, err := c.Do(Request{Do: "control", Socket: socket, Method: "PUT", Path: "/switch", Body: "{}", Timeout: 10 * time.Second})
	if err != nil || a.Code != http.StatusAccepted || a.Out != "PUT/switch2" {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := c.Do(Request{Do: "control", Socket: socket + "x", Method: "GET", Path: "/", Timeout: time.Second}); err == nil {
		t.Error("a socket that is not there answers")
	}
	if _, err := c.Do(Request{Do: "dance"}); err == nil || !strings.Contains(err.Error(), `do "dance"`) {
		t.Errorf("error %v, want one that names the word", err)
	}
}
