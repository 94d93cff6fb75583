package uplink

import (
	"context"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestWatchNetwork brings an interface up in a network of its own, which takes
// root.
func TestWatchNetwork(t *testing.T) {
	leakCheck(t)
	ip, err := exec.LookPath("ip")
	if err != nil {
		t.Skip("the program ip is not installed")
	}
	inside := make(chan func(), 1)
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends with its network
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			failed <- err
			return
		}
		failed <- nil
		for do := range inside {
			do()
		}
	}()
	if err := <-failed; err != nil {
		t.Skipf("no network of its own to be had, which takes root: %v", err)
	}
	defer close(inside)
	run := func(args ...string) {
		t.Helper()
		done := make(chan error, 1)
		inside <- func() { done <- exec.Command(ip, args...).Run() }
		if err := <-done; err != nil {
			t.Skipf("ip %v: %v: an interface to play with is not to be had here", args, err)
		}
	}
	run("link", "add", "test0", "type", "ifb")
	run("link", "set", "test0", "addrgenmode", "none") // an address by itself would wake too

	up := make(chan struct{}, 100)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	inside <- func() {
		// The socket belongs to the network of the thread that opens it; the reads
		// may then go on anywhere.
		w, err := openNetworkWatch(func() { up <- struct{}{} })
		if err != nil {
			ended <- err
			return
		}
		go func() { ended <- w.run(ctx) }()
	}
	quiet := func(what string) {
		t.Helper()
		select {
		case <-up:
			t.Errorf("woken by %s", what)
		case <-time.After(200 * time.Millisecond):
		}
	}
	woken := func(what string) {
		t.Helper()
		select {
		case <-up:
		case err := <-ended:
			t.Fatalf("the watch has ended: %v", err)
		case <-time.After(5 * time.Second):
			t.Errorf("not woken by %s", what)
		}
		for len(up) > 0 {
			<-up
		}
	}
	run("link", "set", "lo", "up")
	quiet("the loopback")
	run("link", "set", "test0", "up")
	woken("a link that came up")
	run("address", "add", "192.0.2.7/24", "dev", "test0")
	woken("a new address")
	time.Sleep(50 * time.Millisecond)
	for len(up) > 0 {
		<-up
	}
	run("link", "set", "test0", "mtu", "1400")
	quiet("a change of a link that is up")
	run("link", "set", "test0", "down")
	quiet("a link that went down")
	run("link", "set", "test0", "up")
	woken("a link that came back")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
