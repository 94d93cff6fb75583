package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gadeblik/cmd/gadeblik/config"
	"gadeblik/gps"
)

// listenFor is how long the doctor listens to the GPS.
const listenFor = 4 * time.Second

// receiver looks at the serial port, and listens to what comes out of it unless an
// agent does.
func (v *visit) receiver(ctx context.Context) []checkup {
	if v.cfg.GPS.Device == "" {
		return []checkup{{"gps", ill, "no GPS is configured", "set gps.device to a name in /dev/serial/by-id" + v.found("; there is", "dev/serial/by-id/*")}}
	}
	port := v.serial(v.cfg.GPS.Device)
	switch {
	case v.agent != nil:
		return []checkup{port, v.agentsGPS()}
	case port.State == ill:
		return []checkup{port} // nothing would be heard
	}
	return []checkup{port, listen(ctx, v.cfg)}
}

// found lists what matches a pattern below the root, after a word; "" where nothing does.
func (k kernelFiles) found(word, pattern string) string {
	// The patterns are constants; only root could be a bad one, and then nothing is there.
	all, _ := filepath.Glob(filepath.Join(k.root, pattern))
	if len(all) == 0 {
		return ""
	}
	for i := range all {
		all[i] = "/" + strings.TrimPrefix(strings.TrimPrefix(all[i], k.root), "/")
	}
	return word + " " + strings.Join(all, ", ")
}

// agentsGPS is what the agent that holds the port says.
func (v *visit) agentsGPS() checkup {
	s := v.agent.Status
	says := fmt.Sprintf("the agent listens: %d fixes so far", s.Counters["fixes"])
	switch {
	case s.State == "no_fix":
		return checkup{"gps", doubt, fmt.Sprintf("%s; it is without a fix: %s", says, s.Reason), "look at cable and antenna; under the open sky a fix takes a minute"}
	case s.Counters["fixes"] == 0:
		return checkup{"gps", doubt, says, "check gps.device and gps.baud; `journalctl -u gadeblik` says what the port says"}
	}
	return checkup{"gps", healthy, says, ""}
}

// serial looks at the port without opening it: a program that opens one may change
// its speed or reset what hangs on it.
func (v *visit) serial(device string) checkup {
	const part = "serial"
	info, err := os.Stat(filepath.Join(v.root, device))
	if errors.Is(err, fs.ErrNotExist) {
		return checkup{part, ill, "gps.device " + device + " is not there", "plug the receiver in, or name it as listed in /dev/serial/by-id" + v.found(":", "dev/serial/by-id/*") + v.found("; there is", "dev/tty[UA][SCM][BMA]*")}
	}
	if err != nil {
		return checkup{part, ill, err.Error(), ""}
	}
	node := v.node(device)
	if info.Mode()&fs.ModeCharDevice == 0 || !v.isTerminal(node, numberOf(info)) {
		return checkup{part, ill, device + " is no serial port", "set gps.device to a name in /dev/serial/by-id" + v.found("; there is", "dev/serial/by-id/*")}
	}
	if c, ok := v.refused(part, device, mayRead|mayWrite); ok {
		return c
	}
	if others := v.others(node); len(others) > 0 {
		return checkup{part, ill, fmt.Sprintf("%s is also held by %s, who takes sentences away", device, strings.Join(others, ", ")), release(others[0])}
	}
	if c, ok := v.modem(part, node, numberOf(info)); ok {
		return c
	}
	if same := v.stable("dev/serial/by-id/*", node); same != "" && strings.HasPrefix(filepath.Base(device), "tty") {
		return checkup{part, doubt, device + " may be another device after the next start", "set gps.device to " + same}
	}
	return checkup{part, healthy, device + v.holder(node), ""}
}

// holder says that the agent has the node, where it does.
func (v *visit) holder(node string) string {
	if v.agent == nil {
		return " is there and free"
	}
	for _, p := range v.holders(node) {
		if p.pid == v.agentPID {
			return fmt.Sprintf(" is held by the agent (process %d)", p.pid)
		}
	}
	return " is there"
}

// refused is the line on a permission that is missing; not ok where none is.
func (v *visit) refused(part, path string, way uint32) (checkup, bool) {
	err := v.reach(path, v.who, way)
	var d denied
	switch {
	case errors.As(err, &d):
		return checkup{part, ill, err.Error(), d.mend()}, true
	case err != nil:
		return checkup{part, ill, err.Error(), ""}, true
	}
	return checkup{}, false
}

// node is what a name of a device leads to, such as /dev/ttyUSB0.
func (k kernelFiles) node(device string) string {
	full, err := filepath.EvalSymlinks(filepath.Join(k.root, device))
	if err != nil {
		return device
	}
	return filepath.Join("/", strings.TrimPrefix(full, filepath.Clean(k.root)))
}

// isTerminal tells a serial port from other devices by what the kernel calls it.
func (k kernelFiles) isTerminal(node string, number deviceNumber) bool {
	link, err := os.Readlink(filepath.Join(k.root, "sys/dev/char", number.String(), "subsystem"))
	if err != nil {
		return strings.HasPrefix(node, "/dev/pts/") || strings.HasPrefix(filepath.Base(node), "tty") // pseudo-terminals have no entry
	}
	return filepath.Base(link) == "tty"
}

// stable returns the name below a pattern that leads to a node, "" without one.
func (k kernelFiles) stable(pattern, node string) string {
	names, _ := filepath.Glob(filepath.Join(k.root, pattern)) // as in found
	for _, n := range names {
		if n = filepath.Join("/", strings.TrimPrefix(n, filepath.Clean(k.root))); k.node(n) == node {
			return n
		}
	}
	return ""
}

// modem warns of ModemManager, which sends AT commands to every USB port that it has
// not been told to leave alone.
func (k kernelFiles) modem(part, node string, number deviceNumber) (checkup, bool) {
	base := filepath.Base(node)
	if !strings.HasPrefix(base, "ttyUSB") && !strings.HasPrefix(base, "ttyACM") {
		return checkup{}, false
	}
	if text, err := k.read("run/udev/data/c" + number.String()); err == nil && strings.Contains(text, "E:ID_MM_DEVICE_IGNORE=1") {
		return checkup{}, false
	}
	for _, p := range k.processes() {
		if p.name == "ModemManager" {
			return checkup{part, doubt, fmt.Sprintf("ModemManager runs (process %d) and may talk to %s, as if it were a modem", p.pid, node),
				"put systemd/60-gadeblik.rules into /etc/udev/rules.d and `udevadm control --reload && udevadm trigger`, or `systemctl disable --now ModemManager`"}, true
		}
	}
	return checkup{}, false
}

// running is a process.
type running struct {
	pid  int
	name string
}

func (p running) String() string { return fmt.Sprintf("%s (process %d)", p.name, p.pid) }

// processes lists who runs, in order of their numbers.
func (k kernelFiles) processes() []running {
	names, _ := filepath.Glob(filepath.Join(k.root, "proc/[0-9]*/comm")) // as in found
	var all []running
	for _, n := range names {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(n)))
		if err != nil {
			continue // no process
		}
		if name, err := k.read("proc/" + strconv.Itoa(pid) + "/comm"); err == nil { // else it has ended
			all = append(all, running{pid, name})
		}
	}
	slices.SortFunc(all, func(a, b running) int { return a.pid - b.pid })
	return all
}

// holders are the processes that have a node open, as far as the asker may see.
func (k kernelFiles) holders(node string) []running {
	var all []running
	for _, p := range k.processes() {
		dir := filepath.Join(k.root, "proc", strconv.Itoa(p.pid), "fd")
		entries, err := os.ReadDir(dir)
		if err != nil || p.pid == os.Getpid() {
			continue // gone, or another user's
		}
		if slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
			to, err := os.Readlink(filepath.Join(dir, e.Name()))
			return err == nil && to == node
		}) {
			all = append(all, p)
		}
	}
	return all
}

// others are the holders of a node that are not the agent.
func (v *visit) others(node string) []string {
	var all []string
	for _, p := range v.holders(node) {
		if p.pid != v.agentPID {
			all = append(all, p.String())
		}
	}
	return all
}

// release says how a device is got back from whom.
func release(who string) string {
	name, _, _ := strings.Cut(who, " ")
	if name == "gpsd" {
		return "`systemctl disable --now gpsd.socket gpsd`"
	}
	return "stop " + name + ", and keep it from starting again"
}

// listen hears what the receiver says.
func listen(ctx context.Context, cfg *config.Config) checkup {
	r, err := gps.NewReceiver(gps.ReceiverConfig{Device: cfg.GPS.Device, Baud: cfg.GPS.Baud, ReadTimeout: cfg.GPS.ReadTimeout, Stale: cfg.GPS.Stale})
	if err != nil {
		return checkup{"gps", ill, err.Error(), ""}
	}
	ctx, cancel := context.WithTimeout(ctx, listenFor)
	defer cancel()
	if err := r.Run(ctx, func(gps.Fix) {}); err != nil {
		return checkup{"gps", ill, err.Error(), "check the cable, gps.device and that the user is in group dialout"}
	}
	f, ok := r.Last()
	switch {
	case !ok:
		return checkup{"gps", ill, fmt.Sprintf("%s: no sentence in %s", cfg.GPS.Device, listenFor), "check gps.baud, and that it is a GPS"}
	case !f.Valid:
		return checkup{"gps", doubt, "sentences, but no fix yet", "wait under the open sky"}
	}
	return checkup{"gps", healthy, fmt.Sprintf("fix at %.5f, %.5f, HDOP %.1f, %d satellites", f.Lat, f.Lon, f.HDOP, f.Satellites), ""}
}
