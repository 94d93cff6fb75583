package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"gadeblik/testdata/hil/guest"
	"gadeblik/testdata/hil/uvcsim"
	"gadeblik/testdata/program"
	"gadeblik/uplink"
)

const (
	controlSocket = "/run/gadeblik/control.sock"
	// gpsLink is what the daemon is told; what it points to is the line in use.
	gpsLink = "/run/gps"
	usbGPS  = "/dev/ttyUSB0"
	// hostAddress is this machine's, as the guest sees it.
	hostAddress = "10.0.2.2"
	// keypadLink is made by boot.sh.
	keypadLink = "/dev/input/by-id/keypad"
)

// rig is a vehicle with all that is around it.
type rig struct {
	o    options
	dir  string
	mkfs string
	gpio bool // the board has a chip for button and lamp
	*machine
	office *office
	route  *route
	film   uvcsim.Film
	camera *uvcsim.Camera // nil while unplugged
	report *report
}

func newRig(o options, report *report) (*rig, error) {
	dir, err := os.MkdirTemp("", "gadeblik-hil-") // short: sockets are in it
	if err != nil {
		return nil, err
	}
	r := &rig{o: o, dir: dir, route: newRoute(), report: report}
	return r, r.prepare()
}

func (r *rig) prepare() error {
	var err error
	if r.mkfs, err = program.Find("mkfs.ext4"); err != nil {
		return err
	}
	// Else setup.sh could not build the chip in software, and has said so.
	_, missing := os.Stat(filepath.Join(r.o.cache, "amd64", "gs", "gpio-sim-hil.ko"))
	r.gpio = r.o.arch != "amd64" || missing == nil
	if r.film, err = filmOf(r.o.drive); err != nil {
		return err
	}
	if r.office, err = newOffice(r.dir, r.o.program); err != nil {
		return err
	}
	if r.machine, err = newMachine(r.dir, r.o.arch); err != nil {
		return err
	}
	return errors.Join(r.programDisk(), r.stateDisk())
}

// filmOf is the demo drive's way past its lorries, each picture shown for three frames.
func filmOf(drive string) (uvcsim.Film, error) {
	paths, err := filepath.Glob(filepath.Join(drive, "frames", "0000[67]?[0-9]00.jpg"))
	film := uvcsim.Film{Hold: 3}
	for _, path := range paths {
		picture, err := os.ReadFile(path)
		if err != nil {
			return film, err
		}
		film.Pictures = append(film.Pictures, picture)
	}
	if len(paths) == 0 {
		err = fmt.Errorf("%s: no frames of the minute after 60 s", drive)
	}
	return film, err
}

// close ends everything and keeps the folder if there is something to read in it.
func (r *rig) close(keep bool) {
	if r.camera != nil {
		_ = r.camera.Unplug() // its machine may be gone
	}
	if r.machine != nil {
		r.qemu.Kill()
	}
	if r.office != nil {
		r.office.close()
	}
	if !keep {
		os.RemoveAll(r.dir)
		return
	}
	fmt.Fprintf(r.report.out, "\nconsole:\n%s\ndaemon:\n%s\nall of it: %s\n",
		tail(filepath.Join(r.dir, "console.log")), tail(filepath.Join(r.dir, "daemon.log")), r.dir)
}

// tail is the end of a file.
func tail(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	const most = 6 << 10
	return string(raw[max(0, len(raw)-most):])
}

// configurations are the daemon's, by the name of the file below /hil. An emulated
// processor needs more patience with models and fixes than a vehicle's, and is spared
// the second look.
func (r *rig) configurations() map[string]string {
	text := func(camera, panel string) string {
		return fmt.Sprintf(`vehicle: {id: %s, fleet: %s}
state_dir: /data/state
gps: {device: %s}
camera: {%s, fps: 5}
models: {onnxruntime: /hil/lib/libonnxruntime.so.1, timeout: 1m, second_look: []}
gate: {max_fix_age: 8s}
orders: {trusted_keys: [/hil/fleet.key.pub]}
switch: {socket: %s, %s}
seal: {recipients: [/hil/office.age.pub]}
mqtt: {broker: 'tls://%s:%d', tls: {ca_file: /hil/broker.pem}, keep_alive: 5s, drain_timeout: 20s}
`, vehicleName, fleetName, gpsLink, camera, controlSocket, panel, hostAddress, r.office.broker.TLSPort)
	}
	keypad := fmt.Sprintf("button: {input: %s, key: KEY_F1}", keypadLink)
	lines := fmt.Sprintf("button: {line: '%s:%d', active_low: true, bias: as-is}, lamp: {line: '%[1]s:%[3]d'}", r.chip, buttonLine, lampLine)
	if !r.gpio {
		lines = keypad
	}
	return map[string]string{
		vividConfig: text("device: /dev/video0, format: YUYV, width: 640, height: 480", keypad),
		usbConfig:   text(fmt.Sprintf("device: 'name:%s', format: MJPG, width: 960, height: 544", uvcsim.Name), lines),
	}
}

// The daemon's lives: one with the kernel's own camera and a keypad, one with a USB camera,
// a button and a lamp.
const (
	vividConfig = "vivid.yaml"
	usbConfig   = "usb.yaml"
)

// orders are two of the demo drive's tasks, at all hours, in the zone of the route.
func orders() map[string]any {
	task := func(id, action, label string, score float64) map[string]any {
		return map[string]any{
			"id": id, "title": "Look for " + label, "purpose": "Try the vehicle on real drivers",
			"legal_basis": "GDPR art. 6(1)(e)", "controller": "Example City",
			"zones": []string{"strip"}, "labels": []string{label}, "min_score": score, "uncertain_score": score,
			"schedule": map[string]any{"timezone": "UTC"}, "action": action, "context": "coarse", "every_m": 1.5,
			"redact": []string{"person", "face", "plate"}, "dedup_m": 3, "quota_per_day": 2000, "expires_after": "720h",
		}
	}
	return map[string]any{
		"type": "FeatureCollection", "features": []any{zone()},
		"tasks": []any{
			task("lorries", "evidence", "truck", 0.5),
			task("parked-cars", "count", "car", 0.45),
		},
	}
}

// condition is what the control socket answers.
type condition struct {
	Status uplink.Status `json:"status"`
	Switch struct {
		On    bool   `json:"on"`
		By    string `json:"by"`
		Fault string `json:"fault"`
	} `json:"switch"`
}

func (c condition) String() string {
	return fmt.Sprintf("switch on: %t by %s, state %s (%s)", c.Switch.On, c.Switch.By, c.Status.State, c.Status.Reason)
}

// why says what is wrong, as a person would read it.
func (c condition) why() string {
	if c.Switch.Fault != "" {
		return "switch off, " + c.Switch.Fault
	}
	return fmt.Sprintf("%s (%s)", c.Status.State, c.Status.Reason)
}

func (r *rig) condition() (condition, error) { return r.control("GET", "/status", "") }

func (r *rig) control(method, path, body string) (condition, error) {
	var c condition
	a, err := r.guest.Do(guest.Request{Do: "control", Socket: controlSocket, Method: method, Path: path, Body: body, Timeout: 10 * time.Second})
	if err != nil {
		return c, err
	}
	if a.Code != 200 {
		return c, fmt.Errorf("the agent answered %d: %s", a.Code, a.Out)
	}
	return c, json.Unmarshal([]byte(a.Out), &c)
}

// press is the driver's thumb: it turns the switch on or off, and returns when it came
// down.
func (r *rig) press(on bool) (time.Time, error) {
	c, err := r.condition()
	if err != nil || c.Switch.On == on {
		return time.Time{}, errors.Join(err, fmt.Errorf("before the press: %s", c))
	}
	begin := time.Now()
	if err := r.push(true); err != nil {
		return begin, err
	}
	time.Sleep(thumb)
	err = r.push(false)
	time.Sleep(rest)
	return begin, err
}

const (
	// thumb is how long a short press lasts.
	thumb = 120 * time.Millisecond
	// rest is how long nobody presses again: sooner the agent takes it for a bad contact.
	rest = 500 * time.Millisecond
)

// startDaemon starts the daemon and waits until it answers.
func (r *rig) startDaemon(ctx context.Context, config string) error {
	r.keypad = config == vividConfig || !r.gpio
	if _, err := r.guest.Do(guest.Request{
		Do: "start", Args: []string{"/hil/gadeblik", "run", "--config", "/hil/" + config},
		Env: []string{"LD_LIBRARY_PATH=/hil/lib"}, Log: "/dev/vport0p1", Timeout: lineTime,
	}); err != nil {
		return err
	}
	return until(ctx, "the daemon answers", patience, func() error {
		if err := r.alive(); err != nil {
			return fatal{err}
		}
		_, err := r.condition()
		return err
	})
}

func (r *rig) alive() error {
	a, err := r.guest.Do(guest.Request{Do: "state", Timeout: time.Second})
	if err == nil && !a.Alive {
		err = fmt.Errorf("the daemon has ended with exit code %d", a.Code)
	}
	return err
}

// stopDaemon asks the daemon to end, which it does with exit code 0.
func (r *rig) stopDaemon() error {
	if err := r.route.hear(""); err != nil {
		return err
	}
	a, err := r.guest.Do(guest.Request{Do: "signal", Signal: int(syscall.SIGTERM), Timeout: patience})
	if err == nil && a.Code != 0 {
		err = fmt.Errorf("exit code %d after SIGTERM, want 0", a.Code)
	}
	return err
}

// descriptors is how many the daemon has open.
func (r *rig) descriptors() (int, error) {
	a, err := r.guest.Do(guest.Request{Do: "state", Timeout: time.Second})
	if err != nil {
		return 0, err
	}
	out, err := r.run(fmt.Sprintf("ls /proc/%d/fd | wc -l", a.PID))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(out)
}

// plug plugs the USB camera in; unplug pulls it out.
func (r *rig) plug() error {
	var err error
	r.camera, err = uvcsim.Plug(r.socket("camera"), r.film)
	return err
}

func (r *rig) unplug() error {
	err := r.camera.Unplug()
	r.camera = nil
	return err
}

// gps lets the daemon's next look for its receiver find it at a line of the guest.
func (r *rig) gps(device string) error {
	_, err := r.run(fmt.Sprintf("ln -sfn %s %s", device, gpsLink))
	return err
}
