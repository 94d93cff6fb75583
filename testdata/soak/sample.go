package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// sample is the agent at a moment.
type sample struct {
	values [measures]float64
	cpu    time.Duration // since its start
	at     time.Time
}

// look takes a sample of a process and its state folder. Descriptors are -1 where
// only root may count them.
func look(pid int, state string) (sample, error) {
	s := sample{at: time.Now()}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return s, err
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		n, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
		if err != nil {
			continue // no number
		}
		switch key {
		case "VmRSS":
			s.values[rss] = n * 1024
		case "RssAnon":
			s.values[anon] = n * 1024
		case "Threads":
			s.values[threads] = n
		}
	}
	s.values[descriptors] = -1
	if entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)); err == nil {
		s.values[descriptors] = float64(len(entries))
	}
	used, err := blocks(state)
	if err != nil {
		return s, err
	}
	s.values[disk] = float64(used)
	s.cpu, err = processor(pid)
	return s, err
}

// blocks is what a folder takes of the disk.
func blocks(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				if st, ok := info.Sys().(*syscall.Stat_t); ok {
					sum += st.Blocks * 512
				}
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // sent and removed meanwhile
		}
		return err
	})
	return sum, err
}

// ticks is the kernel's unit of processor time in /proc: hundredths of a second on
// every Linux that Go runs on.
const ticks = 100

// processor is the processor time of a process.
func processor(pid int) (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(raw), ") ") // a name may have blanks
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: %d fields after the name, want 13", pid, len(f))
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticks, errors.Join(err1, err2)
}

// condition is what the agent's control socket answers, as far as it matters here.
type condition struct {
	Status struct {
		State    string
		Reason   string
		Counters map[string]uint64
	}
}

// ask sends one request to the agent's control socket.
func ask(ctx context.Context, socket, method, path, body string) (condition, error) {
	var c condition
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, // a connection of ours is a descriptor of the agent's
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	req, err := http.NewRequestWithContext(ctx, method, "http://agent"+path, strings.NewReader(body))
	if err != nil {
		return c, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return c, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return c, fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return c, json.NewDecoder(resp.Body).Decode(&c)
}
