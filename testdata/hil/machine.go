package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gadeblik/testdata/hil/guest"
	"gadeblik/testdata/program"
)

// board is what differs between the machines.
type board struct {
	qemu      string
	args      []string
	kernel    string   // its command line
	uart      string   // of the GPS
	chip      string   // label of the GPIO chip that the button is at
	libraries []string // folders with the daemon's libraries
}

// The driver's panel: the button pulls its line to ground, the lamp is lit when its is high.
const (
	buttonLine = 5
	lampLine   = 6
)

// Never with KVM: where it is itself emulated it says that it works, and hangs.
var boards = map[string]board{
	"arm64": {
		qemu:      "qemu-system-aarch64",
		args:      []string{"-machine", "virt,gic-version=2", "-cpu", "cortex-a72"},
		kernel:    "console=ttyAMA0 quiet panic=-1 mitigations=off nokaslr audit=0 kpti=off",
		uart:      "/dev/ttyS0", // the board's one PL011 is the console
		chip:      "9030000.pl061",
		libraries: []string{"/usr/aarch64-linux-gnu/lib", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu"},
	},
	"amd64": {
		qemu:      "qemu-system-x86_64",
		args:      []string{"-machine", "q35,hpet=off,i8042=off", "-bios", "/usr/share/qemu/qboot.rom", "-cpu", "max"},
		kernel:    "console=ttyS0 quiet panic=-1 mitigations=off nokaslr audit=0 tsc=reliable no_timer_check random.trust_cpu=on",
		uart:      "/dev/ttyS1",
		chip:      "hil",
		libraries: []string{"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64"},
	},
}

// machine is the vehicle's computer.
type machine struct {
	board
	dir   string // of the run
	arch  string
	guest guest.Client

	qemu  *program.Program
	wires *qtest
	pl061 string // QEMU's path of the GPIO chip; "" where the board has none

	keypad bool // the driver's button is a key
}

func newMachine(dir, arch string) (*machine, error) {
	port, err := program.FreePort()
	if err != nil {
		return nil, err
	}
	m := &machine{board: boards[arch], dir: dir, arch: arch, guest: guest.Client{Address: fmt.Sprint("127.0.0.1:", port)}}
	return m, nil
}

func (m *machine) socket(name string) string { return filepath.Join(m.dir, name+".sock") }

// processors are more than the models use: a machine whose every processor is busy with
// a look for seconds keeps its GPS waiting, which no vehicle's does.
const processors = "4"

// memory of the machine in MiB: ONNX Runtime and the models need some hundred.
const memory = "1024"

// arguments are QEMU's. clock is what -rtc takes.
func (m *machine) arguments(cache, clock string) []string {
	chardev := func(name string) string {
		return fmt.Sprintf("socket,id=%s,path=%s,server=on,wait=off", name, m.socket(name))
	}
	file := func(name string) string { return filepath.Join(m.dir, name) }
	args := slices.Concat([]string{m.board.qemu, "-accel", "tcg,thread=multi"}, m.args, []string{
		"-smp", processors, "-m", memory, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-rtc", "base=" + clock,
		"-kernel", filepath.Join(cache, m.arch, "kernel"), "-initrd", filepath.Join(cache, m.arch, "base.cpio"), "-append", m.kernel,
		"-chardev", "file,id=console,append=on,path=" + file("console.log"), "-serial", "chardev:console",
		"-chardev", "file,id=log,append=on,path=" + file("daemon.log"),
		"-device", "virtio-serial-pci", "-device", "virtserialport,chardev=log,name=log",
		"-device", "virtio-rng-pci",
		"-drive", "if=none,id=programs,format=raw,readonly=on,file=" + file("programs.img"), "-device", "virtio-blk-pci,drive=programs",
		"-drive", "if=none,id=state,format=raw,file=" + file("state.img"), "-device", "virtio-blk-pci,drive=state",
		"-netdev", "user,id=vehicle", "-device", "virtio-net-pci,id=radio,netdev=vehicle,romfile=",
		"-netdev", "user,id=story,net=10.0.3.0/24,hostfwd=tcp:" + m.guest.Address + "-10.0.3.15:7000", "-device", "virtio-net-pci,netdev=story,romfile=",
		"-device", "qemu-xhci,id=xhci", "-chardev", chardev("camera"), "-device", "usb-redir,chardev=camera,bus=xhci.0",
		"-device", "pci-ohci,id=ohci", "-chardev", chardev("usb-gps"), "-device", "usb-serial,chardev=usb-gps,bus=ohci.0", "-device", "usb-kbd,bus=ohci.0",
		"-chardev", chardev("uart-gps"),
		"-qmp", "unix:" + m.socket("qmp") + ",server=on,wait=off",
	})
	if m.arch == "arm64" {
		return append(args, "-device", "pci-serial,chardev=uart-gps", "-qtest", "unix:"+m.socket("qtest")+",server=on,wait=off", "-qtest-log", "none")
	}
	return append(args, "-serial", "chardev:uart-gps")
}

// boot starts the machine with a clock that says so, and waits until it listens.
func (m *machine) boot(ctx context.Context, cache, clock string) error {
	// A killed QEMU leaves its sockets.
	for _, name := range []string{"qmp", "qtest", "camera", "usb-gps", "uart-gps"} {
		if err := os.Remove(m.socket(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	m.qemu = program.New("QEMU", filepath.Join(m.dir, "qemu.log"), m.arguments(cache, clock)...)
	if err := m.qemu.Start(); err != nil {
		return err
	}
	if err := until(ctx, "the guest listens", bootTime, func() error {
		if err := m.qemu.Ended(); err != nil {
			return fatal{err}
		}
		_, err := m.guest.Do(guest.Request{Do: "state", Timeout: time.Second})
		return err
	}); err != nil {
		return err
	}
	return m.wire()
}

// wire finds the board's own GPIO chip and lets the button go: its line is low, and so
// the button pressed, until somebody says otherwise.
func (m *machine) wire() error {
	if m.arch != "arm64" {
		return nil
	}
	var parts []struct{ Name, Type string }
	if err := m.qmp("qom-list", map[string]string{"path": "/machine/unattached"}, &parts); err != nil {
		return err
	}
	for _, p := range parts {
		if p.Type == "child<pl061>" {
			m.pl061 = "/machine/unattached/" + p.Name
		}
	}
	if m.pl061 == "" {
		return errors.New("QEMU's board has no PL061")
	}
	var err error
	if m.wires, err = m.openQtest(); err != nil {
		return err
	}
	return m.push(false)
}

// push presses the driver's button, or lets it go.
func (m *machine) push(down bool) error {
	if m.keypad {
		key := map[string]any{"type": "qcode", "data": "f1"}
		event := map[string]any{"type": "key", "data": map[string]any{"down": down, "key": key}}
		return m.qmp("input-send-event", map[string]any{"events": []any{event}}, nil)
	}
	if m.arch == "arm64" {
		level := 1
		if down {
			level = 0
		}
		return m.wires.say(fmt.Sprintf("set_irq_in %s unnamed-gpio-in %d %d", m.pl061, buttonLine, level))
	}
	pull := "pull-up"
	if down {
		pull = "pull-down"
	}
	_, err := m.run("echo " + pull + " >/run/button/pull")
	return err
}

// connected plugs the vehicle's network in or out.
func (m *machine) connected(yes bool) error {
	return m.qmp("set_link", map[string]any{"name": "radio", "up": yes}, nil)
}

// cutPower ends the machine as a power cut would.
func (m *machine) cutPower() {
	m.qemu.Kill()
	if m.wires != nil {
		_ = m.wires.conn.Close() // its other end is gone
		m.wires = nil
	}
}

// lineTime is how long a shell line in the guest may take.
const lineTime = 2 * time.Minute

// run runs a shell line in the guest and returns what it said; an exit code other than
// 0 is an error.
func (m *machine) run(line string) (string, error) {
	a, err := m.guest.Do(guest.Request{Do: "run", Line: line, Timeout: lineTime})
	if err == nil && a.Code != 0 {
		err = fmt.Errorf("in the guest: %s: exit code %d: %s", line, a.Code, a.Out)
	}
	return strings.TrimSpace(a.Out), err
}
