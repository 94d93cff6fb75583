package gps

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A fakePort answers as its functions say; those left out wait for the read
// timeout of 200 ms, or succeed.
type fakePort struct {
	read   func(n int, p []byte) (int, error) // n counts from 0
	flush  func(n int) error
	close  func() error
	reads  int
	probes int
	closed bool
}

func (p *fakePort) Read(b []byte) (int, error) {
	p.reads++
	if p.reads > 10_000 {
		return 0, errors.New("the receiver spins")
	}
	if p.read == nil {
		return timeout()
	}
	return p.read(p.reads-1, b)
}

func (p *fakePort) Flush() error {
	p.probes++
	if p.flush == nil {
		return nil
	}
	return p.flush(p.probes - 1)
}

func (p *fakePort) Close() error {
	p.closed = true
	if p.close == nil {
		return nil
	}
	return p.close()
}

// timeout is what a read does that gets nothing.
func timeout() (int, error) {
	time.Sleep(200 * time.Millisecond)
	return 0, io.EOF
}

// receiver returns one that reads from p.
func receiver(t *testing.T, p *fakePort) *Receiver {
	t.Helper()
	r, err := NewReceiver(ReceiverConfig{Device: "/dev/fake"})
	if err != nil {
		t.Fatal(err)
	}
	r.open = func(string, int, time.Duration) (port, error) { return p, nil }
	return r
}

func drop(Fix) {}

// check compares an error with its text, "" being none.
func check(t *testing.T, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("got error %q, want %q", got, want)
	}
}

func TestNewReceiver(t *testing.T) {
	tests := []struct {
		name string
		cfg  ReceiverConfig
		want string
	}{
		{"device only", ReceiverConfig{Device: "/dev/ttyS0"}, ""},
		{"nothing", ReceiverConfig{}, "check gps receiver: device: empty; name it as listed in /dev/serial/by-id"},
		{"everything wrong", ReceiverConfig{Baud: 9601, ReadTimeout: time.Minute, Stale: time.Second, OpenTimeout: -1},
			"check gps receiver: device: empty; name it as listed in /dev/serial/by-id\n" +
				"baud: 9601; must be one of 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600\n" +
				"read timeout: 1m0s; must be between 100ms and 2s\n" +
				"stale: 1s; must be longer than the read timeout of 1m0s\n" +
				"open timeout -1ns, close timeout 2s; must not be negative"},
		{"too quick", ReceiverConfig{Device: "x", ReadTimeout: time.Millisecond},
			"check gps receiver: read timeout: 1ms; must be between 100ms and 2s"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewReceiver(test.cfg)
			check(t, err, test.want)
		})
	}
}

// TestRunLost has the ways to lose a device, and how long it takes to notice.
func TestRunLost(t *testing.T) {
	tests := []struct {
		name  string
		port  fakePort
		want  string
		after time.Duration
	}{
		{"reads end at once", fakePort{read: func(int, []byte) (int, error) { return 0, io.EOF }},
			"read gps /dev/fake: unplugged: reads end at once without a byte", 2 * quickPause},
		{"reads end at once without even EOF", fakePort{read: func(int, []byte) (int, error) { return 0, nil }},
			"read gps /dev/fake: unplugged: reads end at once without a byte", 2 * quickPause},
		{"one read ends at once and the probe fails", fakePort{
			read: func(int, []byte) (int, error) { return 0, io.EOF },
			flush: func(n int) error {
				if n > 0 {
					return syscall.EIO
				}
				return nil
			}},
			"read gps /dev/fake: unplugged: input/output error; the receiver was unplugged or lost power", 0},
		{"the first probe fails", fakePort{flush: func(int) error { return syscall.EIO }},
			"read gps /dev/fake: unplugged: input/output error; the receiver was unplugged or lost power", 0},
		{"a read fails", fakePort{read: func(n int, _ []byte) (int, error) {
			if n == 0 {
				return timeout()
			}
			return 0, &fs.PathError{Op: "read", Path: "/dev/fake", Err: syscall.EIO}
		}}, "read gps /dev/fake: input/output error; the receiver was unplugged or lost power", 200 * time.Millisecond},
		{"silence", fakePort{},
			"read gps /dev/fake: silent for 5s; check the cable and whether it is a GNSS receiver", 5 * time.Second},
		{"noise", fakePort{read: func(_ int, p []byte) (int, error) {
			time.Sleep(100 * time.Millisecond)
			return copy(p, "\xfe\x01$\x80"), nil
		}}, "read gps /dev/fake: 200 bytes in 5s and no sentence among them; check the baud rate, now 9600", 5 * time.Second},
		{"silence after sentences", fakePort{read: func(n int, p []byte) (int, error) {
			if n < 10 {
				time.Sleep(time.Second)
				return copy(p, "\n"+seal("PUBX,00")), nil
			}
			return timeout()
		}}, "read gps /dev/fake: silent for 5s; check the cable and whether it is a GNSS receiver", 15 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				err := receiver(t, &test.port).Run(ctx, drop)
				check(t, err, test.want)
				if took := time.Since(begin); took != test.after {
					t.Errorf("noticed after %v, want %v", took, test.after)
				}
				if !test.port.closed {
					t.Error("the port was left open")
				}
			})
		})
	}
}

// A read that ends at once now and then is no reason to give up.
func TestRunForgivesQuickReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePort{read: func(n int, b []byte) (int, error) {
			if n%3 < 2 {
				return 0, io.EOF
			}
			return copy(b, "\n"+seal("PUBX,00")), nil
		}}
		r := receiver(t, p)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		check(t, r.Run(ctx, drop), "")
		if c := r.Counters(); c.QuickEOFs < 1000 || c.Unsupported < 500 {
			t.Errorf("got %d quick reads and %d sentences, want a minute of both", c.QuickEOFs, c.Unsupported)
		}
	})
}

// A minute of a port that stays unplugged, with a caller that tries again: each
// try ends within two seconds and asks the device no more than a few times. The
// shortest pause is that of a caller that knows no better.
func TestRunAgainAndAgain(t *testing.T) {
	const minute, pause = time.Minute, 250 * time.Millisecond
	eio := func(int) error { return syscall.EIO }
	noNode := &fs.PathError{Op: "open", Path: "/dev/fake", Err: syscall.ENOENT}
	tests := []struct {
		name string
		port func() (*fakePort, error)
	}{
		{"reads end at once", func() (*fakePort, error) {
			return &fakePort{read: func(int, []byte) (int, error) { return 0, io.EOF }}, nil
		}},
		{"reads and probes fail", func() (*fakePort, error) {
			return &fakePort{read: func(int, []byte) (int, error) { return 0, syscall.EIO }, flush: eio}, nil
		}},
		{"a sentence, then nothing", func() (*fakePort, error) {
			return &fakePort{read: func(n int, b []byte) (int, error) {
				if n == 0 {
					return copy(b, "\n"+seals(goodRMC, goodGGA)), nil
				}
				return 0, io.EOF
			}}, nil
		}},
		{"the node is gone", func() (*fakePort, error) { return nil, noNode }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := receiver(t, nil)
				var ports []*fakePort
				r.open = func(string, int, time.Duration) (port, error) {
					p, err := test.port()
					if err != nil {
						return nil, err
					}
					ports = append(ports, p)
					return p, nil
				}
				runs := 0
				for begin := time.Now(); time.Since(begin) < minute; time.Sleep(pause) {
					runs++
					tried := time.Now()
					if r.Run(t.Context(), drop) == nil {
						t.Fatal("no error from a port that is not there")
					}
					if took := time.Since(tried); took > 2*time.Second {
						t.Fatalf("noticed after %s", took)
					}
				}
				calls := 0
				for _, p := range ports {
					calls += p.reads + p.probes
					if !p.closed {
						t.Error("a port was left open")
					}
				}
				t.Logf("%d runs, %d calls", runs, calls)
				if most := int(minute / pause); runs > most || calls > 8*runs {
					t.Errorf("%d runs and %d calls in a minute, want at most %d and 8 each", runs, calls, most)
				}
			})
		})
	}
}

func TestRunFixes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		// The first line is dropped even if it looks whole, the last has no end.
		chunks := []string{seal(rmcAt(5)) + seal(goodRMC), seal(goodGGA), rmcAt(7)}
		p := &fakePort{read: func(n int, b []byte) (int, error) {
			if n >= len(chunks) {
				return timeout()
			}
			time.Sleep(50 * time.Millisecond)
			return copy(b, chunks[n]), nil
		}}
		r := receiver(t, p)
		if _, ok := r.Last(); ok {
			t.Error("there is a last fix before the first")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var got []Fix
		check(t, r.Run(ctx, func(f Fix) { got = append(got, f) }), "")
		last, ok := r.Last()
		if len(got) != 1 || !got[0].Valid || !got[0].Time.Equal(noon()) || !ok || last != got[0] {
			t.Fatalf("got %+v, last %+v, want one valid fix at noon", got, last)
		}
		if at := got[0].At.Sub(begin); at != 100*time.Millisecond {
			t.Errorf("the fix arrived after %v, want 100ms", at)
		}
		if c := r.Counters(); c.Opens != 1 || c.Accepted != 2 || c.Fixes != 1 || c.Timeouts == 0 {
			t.Errorf("counters are off: %+v", c)
		}
	})
}

// A receiver that sends RMC alone need not wait a second for the next one.
func TestRunEmitsAtSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		p := &fakePort{read: func(n int, b []byte) (int, error) {
			if n > 0 {
				return timeout()
			}
			return copy(b, "\n"+seal(goodRMC)), nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		var took time.Duration
		check(t, receiver(t, p).Run(ctx, func(Fix) { took = time.Since(begin) }), "")
		if took != 200*time.Millisecond {
			t.Errorf("emitted after %v, want 200ms", took)
		}
	})
}

func TestRunEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1050*time.Millisecond)
		defer cancel()
		begin := time.Now()
		p := &fakePort{}
		check(t, receiver(t, p).Run(ctx, drop), "")
		if took := time.Since(begin); took > 1250*time.Millisecond || !p.closed {
			t.Errorf("ended after %v, closed %t, want within a read timeout", took, p.closed)
		}
		check(t, receiver(t, p).Run(ctx, drop), "") // a context that has ended already
	})
}

func TestRunTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := receiver(t, &fakePort{})
		ended := make(chan error)
		go func() { ended <- r.Run(ctx, drop) }()
		synctest.Wait()
		check(t, r.Run(ctx, drop), "run gps /dev/fake: it is running already")
		cancel()
		check(t, <-ended, "")
	})
}

func TestCountersOutliveRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := receiver(t, nil)
		for range 2 {
			p := &fakePort{read: func(n int, b []byte) (int, error) {
				if n == 0 {
					return copy(b, "\n"+seals(goodRMC, goodGGA)), nil
				}
				return 0, syscall.EIO
			}}
			r.open = func(string, int, time.Duration) (port, error) { return p, nil }
			if r.Run(t.Context(), drop) == nil {
				t.Error("got no error, want one")
			}
		}
		if c := r.Counters(); c.Opens != 2 || c.Fixes != 2 {
			t.Errorf("got %d opens and %d fixes, want 2 and 2", c.Opens, c.Fixes)
		}
	})
}

func TestOpenFails(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{&fs.PathError{Op: "open", Path: "/dev/fake", Err: syscall.ENOENT},
			"open gps /dev/fake: no such file or directory; plug the receiver in, or name it as listed in /dev/serial/by-id"},
		{&fs.PathError{Op: "open", Path: "/dev/fake", Err: syscall.EACCES},
			"open gps /dev/fake: permission denied; give the user the group of the device (dialout)"},
		{syscall.EBUSY, "open gps /dev/fake: device or resource busy; stop the program that uses it (gpsd, ModemManager)"},
		{syscall.ENOTTY, "open gps /dev/fake: inappropriate ioctl for device; it is not a serial port"},
		{errors.New("odd"), "open gps /dev/fake: odd"},
	}
	for _, test := range tests {
		r := receiver(t, nil)
		r.open = func(string, int, time.Duration) (port, error) { return nil, test.err }
		err := r.Run(t.Context(), drop)
		check(t, err, test.want)
		var path *fs.PathError
		if !errors.As(test.err, &path) && !errors.Is(err, test.err) {
			t.Errorf("%v does not wrap %v", err, test.err)
		}
	}
}

// A driver that hangs in open holds up neither Run nor the end of the program,
// is not called a second time meanwhile, and leaks no port.
func TestOpenHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePort{}
		calls := 0
		r := receiver(t, p)
		r.open = func(string, int, time.Duration) (port, error) {
			calls++
			time.Sleep(25 * time.Second)
			return p, nil
		}
		begin := time.Now()
		check(t, r.Run(t.Context(), drop),
			"open gps /dev/fake: the driver has not answered for 10s; unplug the receiver and plug it in again")
		check(t, r.Run(t.Context(), drop),
			"open gps /dev/fake: the driver has still not answered; unplug the receiver and plug it in again")
		synctest.Wait()
		if took := time.Since(begin); took != 20*time.Second || calls != 1 {
			t.Errorf("took %v and %d calls, want 20s and 1", took, calls)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		check(t, r.Run(ctx, drop), "")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if !p.closed {
			t.Error("a port that opened too late was left open")
		}
		p.closed = false
		ctx, cancel = context.WithTimeout(t.Context(), 27*time.Second)
		defer cancel()
		r.cfg.OpenTimeout = time.Minute
		check(t, r.Run(ctx, drop), "")
		if calls != 2 || !p.closed || p.reads == 0 {
			t.Errorf("%d calls, closed %t, %d reads, want another, a close and reads", calls, p.closed, p.reads)
		}
	})
}

// Nor does one that hangs in close.
func TestCloseHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePort{
			read:  func(int, []byte) (int, error) { return 0, syscall.EIO },
			close: func() error { time.Sleep(5 * time.Second); return nil },
		}
		r := receiver(t, p)
		begin := time.Now()
		check(t, r.Run(t.Context(), drop), strings.Join([]string{
			"read gps /dev/fake: input/output error; the receiver was unplugged or lost power",
			"close gps /dev/fake: the driver has not answered for 2s"}, "\n"))
		if took := time.Since(begin); took != 2*time.Second {
			t.Errorf("took %v, want 2s", took)
		}
		r.open = func(string, int, time.Duration) (port, error) { return &fakePort{read: p.read}, nil }
		if err := r.Run(t.Context(), drop); err == nil || time.Since(begin) != 5*time.Second {
			t.Errorf("got %v after %v, want another error once the first close is over", err, time.Since(begin))
		}
	})
}
