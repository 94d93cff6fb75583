package gps

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"go.uber.org/goleak"
)

// These tests run the real serial library against a real line discipline: a
// pseudo-terminal, whose master plays the device.

// terminal opens one; the test must close master.
func terminal(t *testing.T) (master *os.File, device string) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	device = slave.Name()
	// Kept open, as a driver is: a terminal nobody has open is hung up.
	t.Cleanup(func() { slave.Close() })
	return master, device
}

// running starts a receiver on a device and returns its fixes and its end.
func running(t *testing.T, ctx context.Context, cfg ReceiverConfig) (<-chan Fix, <-chan error, *Receiver) {
	t.Helper()
	r, err := NewReceiver(cfg)
	if err != nil {
		t.Fatal(err)
	}
	fixes, ended := make(chan Fix, 1000), make(chan error, 1)
	go func() { ended <- r.Run(ctx, func(f Fix) { fixes <- f }) }()
	return fixes, ended, r
}

// say writes one second of a receiver again and again until a fix comes.
func say(t *testing.T, master *os.File, fixes <-chan Fix) Fix {
	t.Helper()
	for i := range 40 {
		if _, err := master.WriteString(seals(rmcAt(i%60), ggaAt(i%60))); err != nil {
			t.Fatal(err)
		}
		select {
		case f := <-fixes:
			return f
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatal("no fix in 4 seconds")
	return Fix{}
}

// await returns the error with which a receiver ends, and how long it takes.
func await(t *testing.T, ended <-chan error) (time.Duration, error) {
	t.Helper()
	begin := time.Now()
	select {
	case err := <-ended:
		return time.Since(begin), err
	case <-time.After(10 * time.Second):
		t.Fatal("Run has not ended within 10 seconds")
		return 0, nil
	}
}

// next returns the next fix.
func next(t *testing.T, fixes <-chan Fix) Fix {
	t.Helper()
	select {
	case f := <-fixes:
		return f
	case <-time.After(10 * time.Second):
		t.Fatal("no fix in 10 seconds")
		return Fix{}
	}
}

func TestPtyData(t *testing.T) {
	defer goleak.VerifyNone(t)
	master, device := terminal(t)
	defer master.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	begin := time.Now()
	fixes, ended, r := running(t, ctx, ReceiverConfig{Device: device})
	f := say(t, master, fixes)
	if !f.Valid || f.HDOP == 0 || f.At.Before(begin) || time.Since(f.At) > 5*time.Second {
		t.Errorf("got %+v, want a complete fix that has just arrived", f)
	}
	if last, ok := r.Last(); !ok || !last.Valid {
		t.Errorf("last is %+v, %t, want a fix", last, ok)
	}
	// Closed while reading: Run must not wait for a byte.
	cancel()
	took, err := await(t, ended)
	check(t, err, "")
	if took > time.Second {
		t.Errorf("ended after %v, want about a read timeout of 200ms", took)
	}
}

func TestPtyHangup(t *testing.T) {
	defer goleak.VerifyNone(t)
	master, device := terminal(t)
	fixes, ended, _ := running(t, context.Background(), ReceiverConfig{Device: device, Stale: time.Minute})
	say(t, master, fixes)
	master.Close()
	took, err := await(t, ended)
	// Whether the read under way fails or the next ones end at once is a matter
	// of luck; both must end here, and soon.
	if err == nil || !strings.HasPrefix(err.Error(), "read gps "+device+": ") || !strings.Contains(err.Error(), "unplugged") {
		t.Errorf("got %v, want one that says it was unplugged", err)
	}
	if took > 2*time.Second {
		t.Errorf("noticed after %v, want well below 2s", took)
	}
}

func TestPtySilence(t *testing.T) {
	defer goleak.VerifyNone(t)
	master, device := terminal(t)
	defer master.Close()
	_, ended, r := running(t, context.Background(), ReceiverConfig{Device: device, Stale: time.Second})
	took, err := await(t, ended)
	check(t, err, "read gps "+device+": silent for 1s; check the cable and whether it is a GNSS receiver")
	if took < 900*time.Millisecond || took > 3*time.Second {
		t.Errorf("noticed after %v, want about 1s", took)
	}
	// The point of the timing rule: a living but silent line has none.
	if c := r.Counters(); c.QuickEOFs != 0 || c.Timeouts < 2 {
		t.Errorf("got %d quick reads and %d timeouts, want none and several", c.QuickEOFs, c.Timeouts)
	}
}

// After a loss the same receiver can be run again on the same path.
func TestPtyAgain(t *testing.T) {
	defer goleak.VerifyNone(t)
	master, device := terminal(t)
	link := filepath.Join(t.TempDir(), "gps")
	if err := os.Symlink(device, link); err != nil {
		t.Fatal(err)
	}
	fixes, ended, r := running(t, context.Background(), ReceiverConfig{Device: link})
	say(t, master, fixes)
	master.Close()
	if _, err := await(t, ended); err == nil {
		t.Fatal("got no error, want one")
	}
	master, device = terminal(t)
	defer master.Close()
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(device, link); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	again := make(chan Fix, 1000)
	restarted := make(chan error, 1)
	go func() { restarted <- r.Run(ctx, func(f Fix) { again <- f }) }()
	say(t, master, again)
	cancel()
	_, err := await(t, restarted)
	check(t, err, "")
	if c := r.Counters(); c.Opens != 2 {
		t.Errorf("opened %d times, want 2", c.Opens)
	}
}

// TestPtyLeaksNothing replugs fifty times, each time as another node behind the
// same link: by hang-up, and by the end of the context while it reads.
func TestPtyLeaksNothing(t *testing.T) {
	defer goleak.VerifyNone(t)
	link := filepath.Join(t.TempDir(), "gps")
	r, err := NewReceiver(ReceiverConfig{Device: link, ReadTimeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	replug(t, r, link, 0) // what the first use of anything opens is no leak
	before := descriptors(t)
	for i := range 50 {
		replug(t, r, link, i)
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
	if c := r.Counters(); c.Opens != 51 {
		t.Errorf("opened %d times, want 51", c.Opens)
	}
}

// replug runs r on a new terminal behind link until that hangs up or, every
// other time, until its context ends.
func replug(t *testing.T, r *Receiver, link string, i int) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	defer slave.Close()
	_ = os.Remove(link) // there is none the first time
	if err := os.Symlink(slave.Name(), link); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	opens := r.Counters().Opens
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx, drop) }()
	for begin := time.Now(); r.Counters().Opens == opens; runtime.Gosched() {
		if time.Since(begin) > 10*time.Second {
			t.Fatal("not opened within 10 seconds")
		}
	}
	want := "unplugged"
	if i%2 == 0 {
		want = ""
		cancel()
	} else {
		master.Close()
	}
	took, err := await(t, ended)
	if took > 2*time.Second || (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("round %d: ended after %s with %v, want %q within 2s", i, took, err, want)
	}
	master.Close()
}

func descriptors(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(fds)
}

// A real log through a real terminal gives the fixes that decoding it gives.
func TestPtyLog(t *testing.T) {
	want, _ := find(t, "lege_track_6.nmea")
	data, err := os.ReadFile(filepath.Join(sharedFolder(t, "nmea"), "lege_track_6.nmea"))
	if err != nil {
		t.Skip(err)
	}
	defer goleak.VerifyNone(t)
	master, device := terminal(t)
	defer master.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	fixes, ended, r := running(t, ctx, ReceiverConfig{Device: device, Baud: 115200})
	say(t, master, fixes) // the port is open and past its first line
	for len(data) > 0 {
		n := min(len(data), 512)
		if _, err := master.Write(data[:n]); err != nil {
			t.Fatal(err)
		}
		data = data[n:]
	}
	for _, w := range want {
		f := next(t, fixes)
		for f.Time.Year() == 2026 { // what say has said
			f = next(t, fixes)
		}
		f.At = w.At
		if f != w {
			t.Fatalf("got %+v, want %+v", f, w)
		}
	}
	if c := r.Counters(); c.BadChecksum+c.Garbled+c.Overlong > 0 {
		t.Errorf("the line garbled something: %+v", c)
	}
	cancel()
	_, err = await(t, ended)
	check(t, err, "")
}

func TestNotATerminal(t *testing.T) {
	defer goleak.VerifyNone(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for device, want := range map[string]string{
		file:        "open gps " + file + ": inappropriate ioctl for device; it is not a serial port",
		file + "x":  "open gps " + file + "x: no such file or directory; plug the receiver in, or name it as listed in /dev/serial/by-id",
		"/dev/null": "open gps /dev/null: inappropriate ioctl for device; it is not a serial port",
	} {
		r, err := NewReceiver(ReceiverConfig{Device: device})
		if err != nil {
			t.Fatal(err)
		}
		check(t, r.Run(context.Background(), drop), want)
	}
}
