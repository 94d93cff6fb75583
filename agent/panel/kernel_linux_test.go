package panel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holoplot/go-evdev"
	"github.com/warthog618/go-gpiocdev"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// simulated is a chip of the kernel's own, with a button that is pressed and a lamp
// that is watched through files. Its lines are called gadeblik-button and gadeblik-lamp.
type simulated struct{ dir string }

// simulate makes a chip with the kernel's gpio-sim.
func simulate(t *testing.T) *simulated {
	t.Helper()
	const configfs = "/sys/kernel/config/gpio-sim"
	if _, err := os.Stat(configfs); err != nil {
		t.Skipf("no simulated GPIO: %v; as root: modprobe gpio-sim, mount -t configfs none /sys/kernel/config", err)
	}
	s := &simulated{dir: filepath.Join(configfs, "gadeblik")}
	for _, dir := range []string{"", "bank0", "bank0/line5", "bank0/line6"} {
		if err := os.Mkdir(filepath.Join(s.dir, dir), 0o755); err != nil {
			t.Skipf("gpio-sim makes no chip: %v", err)
		}
		t.Cleanup(func() { _ = os.Remove(filepath.Join(s.dir, dir)) }) // a folder of the kernel's own
	}
	s.write(t, "bank0/num_lines", "8")
	s.write(t, "bank0/label", "gadeblik-sim")
	s.write(t, "bank0/line5/name", "gadeblik-button")
	s.write(t, "bank0/line6/name", "gadeblik-lamp")
	s.plug(t, true)
	t.Cleanup(func() { s.plug(t, false) })
	return s
}

func (s *simulated) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (s *simulated) read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// plug makes the chip, with the button up, or takes it away.
func (s *simulated) plug(t *testing.T, in bool) {
	t.Helper()
	if !in {
		s.write(t, "live", "0")
		return
	}
	s.write(t, "live", "1")
	s.press(t, false)
}

// line is the folder of a line.
func (s *simulated) line(t *testing.T, offset int) string {
	t.Helper()
	return fmt.Sprintf("/sys/devices/platform/%s/%s/sim_gpio%d",
		s.read(t, filepath.Join(s.dir, "dev_name")), s.read(t, filepath.Join(s.dir, "bank0/chip_name")), offset)
}

// press connects the button's line to ground.
func (s *simulated) press(t *testing.T, down bool) {
	t.Helper()
	level := "pull-up"
	if down {
		level = "pull-down"
	}
	if err := os.WriteFile(filepath.Join(s.line(t, 5), "pull"), []byte(level), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (s *simulated) lit(t *testing.T) bool {
	t.Helper()
	return s.read(t, filepath.Join(s.line(t, 6), "value")) == "1"
}

// late is too late on a machine that is emulated, or has much to do. That the panel
// itself keeps 200 ms and 100 ms is tested without one.
const late = 500 * time.Millisecond

// until waits for a condition on real devices and returns how long that took.
func until(t *testing.T, what string, is func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !is() {
		if time.Since(began) > 20*time.Second {
			t.Fatalf("waited 20 s for %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(began)
}

// works runs a panel on real devices until the test ends, and then looks that nothing
// of it is left.
func works(t *testing.T, c Config, light func() Light) *seat {
	t.Helper()
	before, current := descriptors(t), goleak.IgnoreCurrent()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	s := &seat{began: time.Now()}
	ctx, end := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, s, light) }()
	t.Cleanup(func() {
		asked := time.Now()
		end()
		if err := <-done; err != nil || time.Since(asked) > 500*time.Millisecond {
			t.Errorf("Run returned %v after %s", err, time.Since(asked))
		}
		goleak.VerifyNone(t, current)
		if after := descriptors(t); after > before {
			t.Errorf("%d descriptors before, %d after", before, after)
		}
	})
	return s
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (s *seat) trouble() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

func TestKernelButton(t *testing.T) {
	k := simulate(t)
	b := Button{Line: "gadeblik-button", ActiveLow: true, Bias: PullUp, Debounce: 20 * time.Millisecond, LongPress: time.Second}
	if f, err := b.Examine(); err != nil || f.Pressed || f.UsedBy != "" || !strings.HasPrefix(f.Where, "gadeblik-button (gpiochip") {
		t.Errorf("found %+v %v", f, err)
	}
	s := works(t, Config{Button: b}, nil)
	until(t, "the button to be taken", func() bool {
		f, err := b.Examine()
		return err == nil && f.UsedBy == "gadeblik button"
	})
	if _, err := openLine(b); !errors.Is(err, unix.EBUSY) || !strings.Contains(err.Error(), "is used by gadeblik button; free it") {
		t.Errorf("taken twice: %v", err)
	}
	k.press(t, true)
	time.Sleep(300 * time.Millisecond)
	if s.On() {
		t.Error("on before it is let go")
	}
	k.press(t, false)
	until(t, "on", s.On)
	time.Sleep(300 * time.Millisecond)
	k.press(t, true)
	took := until(t, "off", func() bool { return !s.On() })
	if t.Logf("off %s after the press", took); took > late {
		t.Errorf("off %s after the press, want %s at most", took, late)
	}
	until(t, "the long press", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.paused })
	k.press(t, false)
	if s.trouble() != "" {
		t.Errorf("fault %q", s.trouble())
	}
}

func TestKernelButtonGone(t *testing.T) {
	k := simulate(t)
	s := works(t, Config{Button: Button{Line: "gadeblik-button", ActiveLow: true, Debounce: 20 * time.Millisecond}}, nil)
	time.Sleep(300 * time.Millisecond)
	s.socket(true)
	k.plug(t, false)
	took := until(t, "off", func() bool { return !s.On() })
	if why := s.trouble(); !strings.Contains(why, "button gone: gadeblik-button (") || !strings.HasSuffix(why, "no such device") {
		t.Errorf("fault %q", why)
	}
	t.Logf("off %s after the chip went", took)
	until(t, "the button to be missed", func() bool { return strings.HasPrefix(s.trouble(), "button missing") })
	// The library's watcher spins on a chip that is gone, on kernels since 6.12.
	busy := processorTime(t)
	time.Sleep(2 * time.Second)
	if busy = processorTime(t) - busy; busy > time.Second {
		t.Errorf("%s of processor time in 2 s without a button", busy)
	}
	k.plug(t, true)
	until(t, "the button to be back", func() bool { return s.trouble() == "" })
	time.Sleep(2 * settle)
	k.press(t, true)
	time.Sleep(300 * time.Millisecond)
	k.press(t, false)
	until(t, "on", s.On)
}

// A kernel before 5.10 cannot debounce: then the panel does.
func TestKernelWithoutDebounce(t *testing.T) {
	k := simulate(t)
	at, err := find("gadeblik-button")
	if err != nil {
		t.Fatal(err)
	}
	b := Button{ActiveLow: true, Bias: PullUp, Debounce: 20 * time.Millisecond}
	c, err := takeButton(at, b, gpiocdev.WithABIVersion(1))
	if err != nil {
		t.Fatal(err)
	}
	if c.steady() || !strings.HasSuffix(c.String(), "; the kernel does not debounce it") {
		t.Errorf("took %s, debounced by the kernel: %t", c, c.steady())
	}
	k.press(t, true)
	select {
	case <-c.edges():
	case <-time.After(5 * time.Second):
		t.Error("no edge came")
	}
	if down, err := c.pressed(); err != nil || !down {
		t.Errorf("pressed %t %v", down, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if c, err = takeButton(at, b); err != nil || !c.steady() {
		t.Fatalf("a new kernel: %v %v", c, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestKernelLamp(t *testing.T) {
	k := simulate(t)
	shows := make(chan Light, 1)
	light := Dark
	t.Cleanup(func() { // runs after the panel has ended
		if k.lit(t) {
			t.Error("lit after the end")
		}
	})
	works(t, Config{Lamp: Lamp{Line: "gadeblik-sim:6"}}, func() Light {
		select {
		case light = <-shows:
		default:
		}
		return light
	})
	time.Sleep(300 * time.Millisecond)
	if k.lit(t) {
		t.Error("lit, and told to be dark")
	}
	shows <- Capturing
	took := until(t, "the lamp", func() bool { return k.lit(t) })
	if t.Logf("lit after %s", took); took > late {
		t.Errorf("lit after %s, want %s at most", took, late)
	}
}

func TestKernelInput(t *testing.T) {
	if _, err := os.Stat("/dev/uinput"); err != nil {
		t.Skipf("no simulated input: %v; as root: modprobe uinput", err)
	}
	const name = "gadeblik keypad"
	pad, err := evdev.CreateDevice(name, evdev.InputID{BusType: 3, Vendor: 1, Product: 1, Version: 1},
		map[evdev.EvType][]evdev.EvCode{evdev.EV_KEY: {evdev.KEY_F1, evdev.KEY_F2}})
	if err != nil {
		t.Skipf("uinput makes no device: %v", err)
	}
	gone := false
	t.Cleanup(func() {
		if !gone {
			if err := evdev.DestroyDevice(pad); err != nil {
				t.Error(err)
			}
		}
	})
	key := func(code evdev.EvCode, value int32) {
		t.Helper()
		for _, e := range []evdev.InputEvent{{Type: evdev.EV_KEY, Code: code, Value: value}, {Type: evdev.EV_SYN, Code: evdev.SYN_REPORT}} {
			if err := pad.WriteOne(&e); err != nil {
				t.Fatal(err)
			}
		}
	}
	path := inputCalled(t, name)
	b := Button{Input: path, Key: "KEY_F1", Debounce: 20 * time.Millisecond}
	if f, err := b.Examine(); err != nil || f.Pressed || f.Where != path+" ("+name+")" {
		t.Errorf("found %+v %v", f, err)
	}
	if _, err := (Button{Input: path, Key: "KEY_A"}).Examine(); err == nil || err.Error() != path+": has no key KEY_A" {
		t.Errorf("a key it lacks: %v", err)
	}
	s := works(t, Config{Button: b}, nil)
	time.Sleep(300 * time.Millisecond)
	if _, err := openInput(Button{Input: path}); !errors.Is(err, unix.EBUSY) {
		t.Errorf("grabbed twice: %v", err)
	}
	key(evdev.KEY_F2, 1)
	time.Sleep(200 * time.Millisecond)
	key(evdev.KEY_F2, 0)
	time.Sleep(200 * time.Millisecond)
	if s.On() {
		t.Error("another key turned it on")
	}
	key(evdev.KEY_F1, 1)
	time.Sleep(200 * time.Millisecond)
	key(evdev.KEY_F1, 0)
	until(t, "on", s.On)
	time.Sleep(200 * time.Millisecond)
	key(evdev.KEY_F1, 1)
	if took := until(t, "off", func() bool { return !s.On() }); took > late {
		t.Errorf("off %s after the press, want %s at most", took, late)
	}
	key(evdev.KEY_F1, 0)
	time.Sleep(200 * time.Millisecond)
	gone = true
	if err := evdev.DestroyDevice(pad); err != nil {
		t.Fatal(err)
	}
	until(t, "the fault", func() bool { return strings.Contains(s.trouble(), "button gone: "+path) })
	if !strings.HasSuffix(s.trouble(), "no such device") {
		t.Errorf("fault %q", s.trouble())
	}
}

// inputCalled returns the node of the device with a name; it comes a moment later.
func inputCalled(t *testing.T, name string) string {
	t.Helper()
	var path string
	until(t, name, func() bool {
		list, err := evdev.ListDevicePaths()
		if err != nil {
			return false
		}
		for _, d := range list {
			if d.Name == name {
				path = d.Path
			}
		}
		return path != ""
	})
	return path
}
