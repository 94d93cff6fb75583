package program

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestProgram(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	patient := New("patient", log, "/bin/sh", "-c", "echo begun; trap 'exit 0' TERM; while :; do sleep 0.01; done")
	deaf := New("deaf", log, "/bin/sh", "-c", "trap '' TERM; echo begun; while :; do sleep 0.01; done")
	failing := New("failing", log, "/bin/sh", "-c", "trap 'exit 3' TERM; echo begun; while :; do sleep 0.01; done")
	for _, tt := range []struct {
		p    *Program
		want string
	}{
		{patient, ""},
		{patient, ""}, // and once more
		{deaf, "deaf did not end within 200ms; its log is " + log},
		{failing, "failing ended with exit code 3; its log is " + log},
	} {
		if err := os.WriteFile(log, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := tt.p.Start(); err != nil {
			t.Fatal(err)
		}
		for said := ""; said != "begun\n"; time.Sleep(10 * time.Millisecond) {
			raw, err := os.ReadFile(log)
			if said = string(raw); err != nil || tt.p.Ended() != nil {
				t.Fatal(err, tt.p.Ended())
			}
		}
		within := 10 * time.Second
		if tt.p == deaf {
			within = 200 * time.Millisecond
		}
		got := ""
		if err := tt.p.Stop(within); err != nil {
			got = err.Error()
		}
		tt.p.Kill()
		if got != tt.want || tt.p.Ended() == nil {
			t.Errorf("%s: got %q, want %q; ended: %v", tt.p.Name, got, tt.want, tt.p.Ended())
		}
	}
	(*Program)(nil).Kill()
	New("none", log, "/none").Kill()
	if err := New("none", log, "/none").Start(); err == nil || !strings.HasPrefix(err.Error(), "start none: ") {
		t.Errorf("got %v", err)
	}
}

func TestOutput(t *testing.T) {
	if said, err := Output("/bin/sh", "-c", "echo a; echo b >&2"); said != "a\nb\n" || err != nil {
		t.Errorf("got %q, %v", said, err)
	}
	if said, err := Output("/bin/sh", "-c", "echo why; exit 4"); said != "why\n" || err == nil || !strings.HasSuffix(err.Error(), "exit status 4\nwhy\n") {
		t.Errorf("got %q, %v", said, err)
	}
}

// TestBroker: it is there when Start returns, and again after it was killed.
func TestBroker(t *testing.T) {
	if _, err := Find("mosquitto"); err != nil {
		t.Skip(err)
	}
	b, err := NewBroker(t.TempDir(), 100, "broker.example")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.Start(); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"127.0.0.1", "broker.example"} {
			if err := shakesHands(b, name); err != nil {
				t.Errorf("as %s: %v", name, err)
			}
		}
		if err := shakesHands(b, "other.example"); err == nil {
			t.Error("the certificate is good for a stranger")
		}
		b.Kill()
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(b.Log), "broker.conf"), []byte("nonsense\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := b.Start(); err == nil || !strings.Contains(err.Error(), "the broker has ended by itself (exit status") {
		t.Errorf("got %v", err)
	}
}

// shakesHands connects with TLS and checks the certificate.
func shakesHands(b *Broker, name string) error {
	raw, err := os.ReadFile(b.CAFile)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(raw)
	c, err := tls.Dial("tcp", fmt.Sprint("127.0.0.1:", b.TLSPort), &tls.Config{RootCAs: roots, ServerName: name})
	if err != nil {
		return err
	}
	return c.Close()
}
