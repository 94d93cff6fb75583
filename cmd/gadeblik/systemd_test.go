package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gadeblik/uplink"
)

// pulse is an agent whose loop turns or hangs.
type pulse struct{ hangs atomic.Bool }

func (p *pulse) Status() uplink.Status {
	return uplink.Status{State: uplink.Armed, Reason: "outside", OrdersVersion: 5, Counters: map[string]uint64{"outbox_waiting": 2}}
}

func (p *pulse) Alive(time.Duration, time.Time) bool { return !p.hangs.Load() }

// notified listens as systemd does.
func notified(t *testing.T, watchdog string) <-chan string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", watchdog)
	t.Setenv("WATCHDOG_PID", "")
	heard := make(chan string, 100)
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			heard <- string(buf[:n])
		}
	}()
	return heard
}

func next(t *testing.T, heard <-chan string) string {
	t.Helper()
	select {
	case m := <-heard:
		return m
	case <-time.After(10 * time.Second):
		t.Fatal("systemd heard nothing for 10 s")
		return ""
	}
}

func TestSystemdHearsLifeOnlyWhileTheLoopTurns(t *testing.T) {
	heard := notified(t, "30000") // 30 ms
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	p := &pulse{}
	go func() { done <- tellSystemd(ctx, p) }()
	if m, want := next(t, heard), "READY=1\nSTATUS=armed: outside; orders 5; 2 waiting"; m != want {
		t.Errorf("first word %q, want %q", m, want)
	}
	if m, want := next(t, heard), "STATUS=armed: outside; orders 5; 2 waiting\nWATCHDOG=1"; m != want {
		t.Errorf("heard %q, want %q", m, want)
	}
	p.hangs.Store(true)
	next(t, heard) // may have been said before the loop hung
	for range 3 {
		if m := next(t, heard); strings.Contains(m, "WATCHDOG") {
			t.Errorf("heard %q of an agent that hangs", m)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for m := next(t, heard); m != "STOPPING=1"; m = next(t, heard) {
		if !strings.HasPrefix(m, "STATUS=") {
			t.Errorf("heard %q at the end", m)
		}
	}
}

func TestWithoutSystemdNothingIsSaid(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := tellSystemd(t.Context(), &pulse{}); err != nil {
		t.Error(err)
	}
}

// The services hold frames, opened evidence and keys in memory: the system must let
// none of it out either.
func TestServicesKeepMemoryToThemselves(t *testing.T) {
	for name, want := range map[string][]string{
		"gadeblik.service":       {"LimitCORE=0", "MemorySwapMax=0", "LimitMEMLOCK=infinity", "MemoryMax=1G", "PrivateTmp=yes", "UMask=0077", "SystemCallFilter=@system-service"},
		"gadeblik-inbox.service": {"LimitCORE=0", "MemorySwapMax=0", "MemoryMax=1G", "PrivateTmp=yes", "SystemCallFilter=@system-service"},
	} {
		raw, err := os.ReadFile(filepath.Join(repository(t), "systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		_, service, ok := strings.Cut(string(raw), "\n[Service]\n")
		service, _, ok2 := strings.Cut(service, "\n[Install]\n")
		if !ok || !ok2 {
			t.Fatalf("%s has no [Service] before [Install]", name)
		}
		lines := strings.Split(service, "\n")
		for _, line := range want {
			if !slices.Contains(lines, line) {
				t.Errorf("%s lacks %s", name, line)
			}
			// A later line of the same name would win, but for filters, which add up.
			key, _, _ := strings.Cut(line, "=")
			if n := len(slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !strings.HasPrefix(l, key+"=") })); n != 1 && key != "SystemCallFilter" {
				t.Errorf("%s says %s %d times, want once", name, key, n)
			}
		}
	}
}
