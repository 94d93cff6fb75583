package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"

	"gadeblik/agent"
	"gadeblik/capture/v4l2"
	"gadeblik/cmd/gadeblik/config"
	"gadeblik/uplink"
)

// defaults is a configuration of nothing in particular.
func defaults(t *testing.T) *config.Config {
	t.Helper()
	cfg, err := config.Load(config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// links adds symbolic links to a tree: to what, by name.
func links(t *testing.T, k kernelFiles, all map[string]string) kernelFiles {
	t.Helper()
	for name, to := range all {
		path := filepath.Join(k.root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink(to, path)); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// is compares a line's state, and looks for words in what it says and in its mend.
func (c checkup) is(t *testing.T, name, state, says, mend string) {
	t.Helper()
	if c.State != state || !strings.Contains(c.Says, says) || !strings.Contains(c.Mend, mend) || (c.State != healthy) != (c.Mend != "") {
		t.Errorf("%s: %+v, want %s: …%s… → …%s…", name, c, state, says, mend)
	}
}

const (
	people = "root:x:0:0:root:/root:/bin/bash\ngadeblik:x:990:980:Gadeblik agent:/var/lib/gadeblik:/usr/sbin/nologin\n"
	unit   = "[Service]\nExecStart=/usr/bin/gadeblik run --config /etc/gadeblik/gadeblik.yaml\nSupplementaryGroups=dialout video\n"
)

func TestDoctorOnTheService(t *testing.T) {
	for _, tt := range []struct {
		name              string
		files             map[string]string
		state, says, mend string
	}{
		{"nobody", map[string]string{"etc/passwd": "root:x:0:0::/root:/bin/sh\n"}, doubt, "there is no user gadeblik", "systemd-sysusers"},
		{"nobody, and a unit that needs one", map[string]string{"etc/passwd": "root:x:0:0::/root:/bin/sh\n", "etc/systemd/system/gadeblik.service": unit}, ill, "there is no user gadeblik", "systemd-sysusers"},
		{"no group", map[string]string{"etc/passwd": people, "etc/group": "dialout:x:20:gadeblik\n"}, doubt, "there is no group video", "groupadd --system video"},
		{"not in the group", map[string]string{"etc/passwd": people, "etc/group": "dialout:x:20:anna\nvideo:x:44:anna,gadeblik\n"}, doubt, "gadeblik is not in group dialout", "usermod -aG dialout gadeblik"},
		{"in the group by its unit", map[string]string{"etc/passwd": people, "etc/group": "dialout:x:20:\nvideo:x:44:\n", "usr/lib/systemd/system/gadeblik.service": unit}, healthy, "has its groups", ""},
		{"a chip without a group", map[string]string{"etc/passwd": people, "etc/group": "dialout:x:20:gadeblik\nvideo:x:44:gadeblik\n", "dev/gpiochip0": ""}, doubt, "there is no group gpio", "groupadd --system gpio"},
		{"a chip, and a drop-in", map[string]string{
			"etc/passwd": people, "etc/group": "dialout:x:20:\nvideo:x:44:\ngpio:x:997:\n", "dev/gpiochip0": "",
			"usr/lib/systemd/system/gadeblik.service": unit, "etc/systemd/system/gadeblik.service.d/button.conf": "[Service]\nSupplementaryGroups=gpio\n",
		}, healthy, "has its groups", ""},
	} {
		kernel(t, tt.files).serving().is(t, tt.name, tt.state, tt.says, tt.mend)
	}
}

func TestDoctorSaysWhoIsJudged(t *testing.T) {
	k := kernel(t, map[string]string{"etc/passwd": people, "etc/group": "dialout:x:20:gadeblik\n"})
	anna, root := account{name: "anna", uid: 1000, gids: []uint32{20}}, account{name: "root"}
	k.asking(anna).is(t, "anna beside the service", doubt, "as they are for anna", "sudo")
	k.asking(root).is(t, "root beside the service", healthy, "as they are for gadeblik", "")
	if got := k.judged(root); got.name != serviceUser || !cmp.Equal(got.gids, []uint32{980, 20}) {
		t.Errorf("root judges for %+v, want the service with group 20", got)
	}
	if got := k.judged(anna); got.name != "anna" {
		t.Errorf("anna judges for %s", got.name)
	}
	alone := kernel(t, map[string]string{"etc/group": "dialout:x:20:\n"})
	alone.asking(anna).is(t, "anna alone", healthy, "(groups: dialout)", "")
}

// Permissions are judged as the kernel would: the owner's bits for the owner, also
// where the group may do more.
func TestDoctorOnPermissions(t *testing.T) {
	k := kernel(t, map[string]string{"etc/group": "dialout:x:20:\n", "dev/ttyUSB0": "", "etc/keys/a.pub": ""})
	port, uid, gid := filepath.Join(k.root, "dev/ttyUSB0"), uint32(os.Getuid()), uint32(os.Getgid())
	// Numbers that are nobody's, as far as this test knows.
	stranger, member, owner := account{name: "gadeblik", uid: uid + 1000, gids: []uint32{gid + 1000}}, account{name: "gadeblik", uid: uid + 1000, gids: []uint32{gid}}, account{name: "gadeblik", uid: uid}
	chmod := func(path string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name string
		who  account
		mode os.FileMode
		ok   bool
	}{
		{"stranger, group only", stranger, 0o660, false},
		{"member, group only", member, 0o660, true},
		{"member, reading only", member, 0o640, false},
		{"stranger, open to all", stranger, 0o666, true},
		{"member, shut out though others are not", member, 0o606, false},
	} {
		chmod(port, tt.mode)
		if err := k.reach("dev/ttyUSB0", tt.who, mayRead|mayWrite); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if uid != 0 { // root is not kept out
		chmod(port, 0o066)
		if err := k.reach("dev/ttyUSB0", owner, mayRead); err == nil {
			t.Error("an owner without the owner's bit gets in")
		}
	}
	// A file open to all in a folder that is not.
	chmod(filepath.Join(k.root, "etc/keys"), 0o700)
	var d denied
	if err := k.reach("etc/keys/a.pub", stranger, mayRead); !errors.As(err, &d) || !strings.HasSuffix(d.path, "etc/keys") {
		t.Errorf("a closed folder on the way: %v", err)
	}
	if got, want := (denied{who: stranger, group: "dialout"}).mend(), "`usermod -aG dialout gadeblik`, then log in anew or restart the service"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDoctorOnTheUnit(t *testing.T) {
	state := func(pairs ...string) unitState {
		s := unitState{"LoadState": "loaded", "UnitFileState": "enabled", "ActiveState": "active", "SubState": "running", "NRestarts": "0", "MainPID": "77"}
		for i := 0; i < len(pairs); i += 2 {
			s[pairs[i]] = pairs[i+1]
		}
		return s
	}
	k := kernel(t, nil)
	const condition = "[Unit]\nConditionDirectoryNotEmpty=/etc/keys\n"
	waits := kernel(t, map[string]string{"lib/systemd/system/gadeblik.service": condition})
	keys := kernel(t, map[string]string{"lib/systemd/system/gadeblik.service": condition, "etc/keys/orders.pub": "x"})
	content := kernel(t, map[string]string{
		"lib/systemd/system/gadeblik.service":                 condition,
		"etc/systemd/system/gadeblik.service.d/override.conf": "[Unit]\nConditionDirectoryNotEmpty=\n",
	})
	for _, tt := range []struct {
		name string
		k    kernelFiles
		want string
	}{{"without keys", waits, "/etc/keys"}, {"with keys", keys, ""}, {"with the condition taken back", content, ""}, {"without a unit", k, ""}} {
		if got := tt.k.emptyFolder(); got != tt.want {
			t.Errorf("%s: empty is %q, want %q", tt.name, got, tt.want)
		}
	}
	old := links(t, kernel(t, nil), map[string]string{"proc/77/exe": "/usr/bin/gadeblik (deleted)"})
	for _, tt := range []struct {
		name              string
		k                 kernelFiles
		s                 unitState
		state, says, mend string
	}{
		{"well", k, state(), healthy, "enabled and active (running)", ""},
		{"masked", k, state("LoadState", "masked"), ill, "masked", "unmask"},
		{"a mistake in it", k, state("LoadState", "bad-setting"), ill, "bad-setting", "systemd-analyze verify"},
		{"failed", k, state("ActiveState", "failed", "Result", "exit-code"), ill, "exit-code", "journalctl -u gadeblik"},
		{"restarts", k, state("NRestarts", "41"), ill, "41 times", "journalctl"},
		{"waits for a restart", k, state("ActiveState", "activating", "SubState", "auto-restart", "NRestarts", "3"), ill, "3 times", "journalctl"},
		{"disabled", k, state("UnitFileState", "disabled"), doubt, "does not start with the computer", "systemctl enable"},
		{"stopped", k, state("ActiveState", "inactive", "SubState", "dead"), doubt, "inactive (dead)", "systemctl start"},
		{"waits for keys", waits, state("ActiveState", "inactive", "SubState", "dead"), doubt, "nothing starts it while /etc/keys is empty", "public keys"},
		{"changed since", k, state("NeedDaemonReload", "yes"), doubt, "changed since", "daemon-reload"},
		{"replaced since", old, state(), doubt, "replaced since", "systemctl restart gadeblik"},
	} {
		tt.k.judgeUnit(tt.s).is(t, tt.name, tt.state, tt.says, tt.mend)
	}
}

func TestDoctorOnTheBinaryOfTheUnit(t *testing.T) {
	with := func(unit, program string) *visit {
		k := kernel(t, map[string]string{"etc/systemd/system/gadeblik.service": unit})
		if program != "" {
			path := filepath.Join(k.root, "usr/bin/gadeblik")
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("#!/bin/sh\n"+program), 0o755)); err != nil {
				t.Fatal(err)
			}
		}
		return &visit{kernelFiles: k}
	}
	for _, tt := range []struct {
		name, unit, program, state, says, mend string
	}{
		{"starts nothing", "[Service]\n", "", ill, "has no ExecStart", "package"},
		{"not there", unit, "", ill, "/usr/bin/gadeblik, which is not there", "ExecStart"},
		{"another version", unit, `echo '{"version":"0.1"}'`, doubt, "version 0.1; this is version " + version, "/usr/bin/gadeblik doctor"},
		{"the same version", unit, `echo '{"version":"` + version + `"}'`, healthy, "the same version", ""},
		{"says nothing", unit, "exit 3", doubt, "exit status 3", "package"},
	} {
		c, ok := with(tt.unit, tt.program).binary(t.Context())
		if !ok {
			t.Errorf("%s: nothing is said", tt.name)
		}
		c.is(t, tt.name, tt.state, tt.says, tt.mend)
	}
}

func TestDoctorOnDrivers(t *testing.T) {
	const release, dep = "6.12.1", "lib/modules/6.12.1/modules.dep"
	all := "kernel/a/uvcvideo.ko.xz: x\nkernel/b/cdc-acm.ko:\nkernel/b/cdc_acm.ko:\nkernel/b/cp210x.ko.zst:\n"
	for _, tt := range []struct {
		name              string
		files             map[string]string
		state, says, mend string
	}{
		{"none", map[string]string{"proc/sys/kernel/osrelease": release}, doubt, "no uvcvideo (USB cameras), and no cdc_acm, ftdi_sio", "linux-modules-extra"},
		{"no camera's", map[string]string{"sys/module/cdc_acm/refcnt": "0"}, doubt, "this kernel has no uvcvideo", "linux-modules-extra"},
		{"loaded", map[string]string{"sys/module/cdc_acm/refcnt": "0", "sys/module/uvcvideo/refcnt": "1"}, healthy, "uvcvideo, cdc_acm", ""},
		{"built in", map[string]string{"proc/sys/kernel/osrelease": release, "lib/modules/6.12.1/modules.builtin": "kernel/a/uvcvideo.ko\nkernel/b/cdc_acm.ko\n"}, healthy, "uvcvideo, cdc_acm", ""},
		{"loaded too late", map[string]string{"proc/sys/kernel/osrelease": release, dep: all}, doubt, "too late for a service that runs: uvcvideo, cdc_acm, cp210x", "modules-load.d"},
		{"loaded at the start", map[string]string{"proc/sys/kernel/osrelease": release, dep: all, "etc/modules-load.d/gadeblik.conf": "# why\nuvcvideo\ncdc_acm\ncp210x\n"}, healthy, "uvcvideo", ""},
	} {
		kernel(t, tt.files).drivers().is(t, tt.name, tt.state, tt.says, tt.mend)
	}
}

// The port of these tests is a device that is there on every computer; what the
// kernel calls it, the tree says.
func TestDoctorOnTheSerialPort(t *testing.T) {
	info, err := os.Stat("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	number := numberOf(info).String()
	port := func(files, more map[string]string) *visit {
		k := links(t, kernel(t, files), more)
		return &visit{kernelFiles: k, who: account{name: "root"}, cfg: defaults(t)}
	}
	tty := map[string]string{"sys/dev/char/" + number + "/subsystem": "../../../../class/tty", "dev/ttyUSB0": "/dev/null"}
	with := func(more map[string]string) map[string]string {
		m := map[string]string{}
		for _, all := range []map[string]string{tty, more} {
			for k, v := range all {
				m[k] = v
			}
		}
		return m
	}
	gone := port(map[string]string{"dev/serial/by-id/usb-u-blox": ""}, nil)
	gone.serial("/dev/ttyUSB7").is(t, "not there", ill, "/dev/ttyUSB7 is not there", "/dev/serial/by-id/usb-u-blox")
	port(map[string]string{"dev/ttyUSB0": ""}, nil).serial("/dev/ttyUSB0").is(t, "a file", ill, "no serial port", "gps.device")
	port(nil, map[string]string{"dev/video0": "/dev/null", "sys/dev/char/" + number + "/subsystem": "../../class/video4linux"}).
		serial("/dev/video0").is(t, "a camera", ill, "no serial port", "gps.device")
	port(nil, tty).serial("/dev/ttyUSB0").is(t, "well", healthy, "is there and free", "")

	// /dev/ttyUSB0 of the tree leads out of it, to /dev/null: that is the node.
	held := map[string]string{"proc/41/comm": "gpsd\n", "proc/77/comm": "gadeblik\n"}
	port(held, with(map[string]string{"proc/41/fd/5": "/dev/null"})).serial("/dev/ttyUSB0").
		is(t, "held by gpsd", ill, "also held by gpsd (process 41)", "systemctl disable --now gpsd.socket")
	port(held, with(map[string]string{"proc/77/fd/5": "/dev/null"})).serial("/dev/ttyUSB0").
		is(t, "held by an agent that does not answer", ill, "also held by gadeblik (process 77)", "stop gadeblik")
	v := port(held, with(map[string]string{"proc/77/fd/5": "/dev/null"}))
	v.agent, v.agentPID = &condition{}, 77
	v.serial("/dev/ttyUSB0").is(t, "held by the agent", healthy, "held by the agent (process 77)", "")
}

func TestDoctorOnModemManager(t *testing.T) {
	n := deviceNumber{188, 0}
	runs := map[string]string{"proc/9/comm": "ModemManager\n"}
	if c, ok := kernel(t, runs).modem("serial", "/dev/ttyUSB0", n); !ok || c.State != doubt || !strings.Contains(c.Mend, "60-gadeblik.rules") {
		t.Errorf("where it runs: %+v", c)
	}
	for name, k := range map[string]kernelFiles{
		"where it has been told to keep off": kernel(t, map[string]string{"proc/9/comm": "ModemManager\n", "run/udev/data/c188:0": "S:serial/by-id/x\nE:ID_MM_DEVICE_IGNORE=1\n"}),
		"where it does not run":              kernel(t, map[string]string{"proc/9/comm": "bash\n"}),
	} {
		if c, ok := k.modem("serial", "/dev/ttyUSB0", n); ok {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if c, ok := kernel(t, runs).modem("serial", "/dev/ttyAMA0", n); ok {
		t.Errorf("a port of the board itself: %+v", c)
	}
}

func TestDoctorAsksTheAgentThatHoldsTheDevices(t *testing.T) {
	cond := condition{Switch: agent.SwitchState{On: true}}
	cond.Status = uplink.Status{State: uplink.Armed, Reason: "outside zones", Counters: map[string]uint64{"fixes": 12, "frames": 3}}
	v := &visit{agent: &cond, cfg: defaults(t), kernelFiles: kernel(t, nil)}
	v.cfg.GPS.Device = "/dev/gone"
	lines := v.receiver(t.Context())
	if len(lines) != 2 {
		t.Fatalf("got %+v, want the port and what the agent says", lines)
	}
	lines[1].is(t, "gps", healthy, "the agent listens: 12 fixes so far", "")
	v.camera(t.Context())[0].is(t, "camera", healthy, "keeps it closed (armed: outside zones); 3 frames", "")
	v.control(t.Context())[0].is(t, "switch", healthy, "the switch is on; it is armed", "")
	cond.Status.State, cond.Status.Reason = uplink.NoFix, "open gps: no such file"
	v.agentsGPS().is(t, "no fix", doubt, "without a fix: open gps", "antenna")
	cond.Status.State, cond.Status.Reason = uplink.Degraded, "camera stalled"
	v.agentsCamera().is(t, "degraded", doubt, "camera stalled", "journalctl")
	none := &visit{cfg: v.cfg, kernelFiles: kernel(t, map[string]string{"lib/systemd/system/gadeblik.service": "[Service]\nRuntimeDirectory=gadeblik\n"})}
	none.control(t.Context())[0].is(t, "switch of a service that is not started", healthy, "the service makes /run/gadeblik", "")
	v.control(t.Context())[0].is(t, "switch of a degraded agent", doubt, "degraded: camera stalled", "switch status")
	cond.Status.State, cond.Status.Counters = uplink.Off, nil
	v.agentsGPS().is(t, "never a fix", doubt, "0 fixes", "gps.baud")
}

func TestDoctorOnCameras(t *testing.T) {
	mjpg := []v4l2.Format{{Name: "MJPG", Sizes: []string{"640x480", "1280x720"}}}
	cam := v4l2.Info{Path: "/dev/video0", Name: "C930e", Links: []string{"/dev/v4l/by-id/usb-C930e-video-index0"}, Formats: mjpg}
	meta := v4l2.Info{Path: "/dev/video1", Name: "C930e", Problem: "not a single-planar capture node (metadata, output or multi-planar)"}
	v := &visit{kernelFiles: kernel(t, nil), cfg: defaults(t)}
	for _, tt := range []struct {
		name, device      string
		cams              []v4l2.Info
		state, says, mend string
	}{
		{"none", "", nil, ill, "no camera is plugged in", "v4l2loopback"},
		{"only one that is none", "", []v4l2.Info{meta}, ill, "/dev/video1: not a single-planar", "USB"},
		{"not there", "/dev/video7", []v4l2.Info{cam}, ill, "/dev/video7 is not there", "/dev/video0 C930e /dev/v4l/by-id"},
		{"its other node", "/dev/video1", []v4l2.Info{cam, meta}, ill, "metadata", "name another: /dev/v4l/by-id/usb-C930e-video-index0"},
		{"not configured", "", []v4l2.Info{cam, meta}, ill, "no camera is configured", "set camera.device to /dev/v4l/by-id/usb-C930e-video-index0"},
		{"not configured, and two", "", []v4l2.Info{cam, cam}, ill, "there are several", "C930e"},
	} {
		v.cfg.Camera.Device = tt.device
		got, c := v.chosenCamera(tt.cams)
		if got != nil {
			t.Errorf("%s: %s is taken", tt.name, got.Path)
		}
		c.is(t, tt.name, tt.state, tt.says, tt.mend)
	}
	for _, device := range []string{"/dev/video0", "C930e", cam.Links[0]} {
		v.cfg.Camera.Device = device
		if got, c := v.chosenCamera([]v4l2.Info{{Path: "/dev/video1", Name: "infrared", Problem: "cannot stream"}, cam}); got == nil || got.Path != "/dev/video0" {
			t.Errorf("%s: got %+v, %+v", device, got, c)
		}
	}
	wish := config.Camera{Device: cam.Links[0], Width: 1280, Height: 720, FPS: 10}
	mode := v4l2.Mode{Path: cam.Path, Format: "MJPG", Width: 1280, Height: 720, FPS: 30}
	judgeMode(wish, cam, mode).is(t, "as wished", healthy, "MJPG 1280x720 at 30", "")
	wish.Width = 1920
	judgeMode(wish, cam, mode).is(t, "another size", doubt, "configured is 1920x720", "640x480, 1280x720")
	wish.Width, mode.FPS = 1280, 5
	judgeMode(wish, cam, mode).is(t, "too slow", doubt, "configured are 10", "camera.fps")
	mode.FPS, wish.Device = 30, "/dev/video0"
	judgeMode(wish, cam, mode).is(t, "a name that may change", doubt, "another camera's", cam.Links[0])
}

func TestDoctorOnALook(t *testing.T) {
	m := config.Models{Detector: "gadeblik_street", Timeout: 30 * time.Second}
	judgeLook(m, 180*time.Millisecond, nil).is(t, "quick", healthy, "one look of gadeblik_street takes 180 ms here", "")
	judgeLook(m, 2500*time.Millisecond, nil).is(t, "slow", doubt, "2500 ms", "models bench")
	m.Timeout = 2 * time.Second
	judgeLook(m, 2500*time.Millisecond, nil).is(t, "slower than the agent allows", ill, "every picture is dropped", "models bench")
	judgeLook(m, 0, context.DeadlineExceeded).is(t, "without an end", ill, "did not finish", "models bench")
}

func TestDoctorOnOrders(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	h := uplink.Header{Version: 7, NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 1, 0)}
	judgeOrders("2 trusted keys", h, 3, now).is(t, "valid", healthy, "version 7 in force: 3 tasks, valid until 2026-07-01 00:00:00", "")
	judgeOrders("", h, 3, now.AddDate(0, 0, 25)).is(t, "soon over", doubt, "version 7", "newer orders")
	judgeOrders("", h, 3, now.AddDate(0, 1, 0)).is(t, "over", ill, "over by this computer's clock", "newer orders")
	cfg := defaults(t)
	cfg.StateDir = t.TempDir()
	(&visit{cfg: cfg}).inForce(now).is(t, "none yet", doubt, "no orders yet", "orders push")
	judgeOrders("", h, 3, now.AddDate(0, -2, 0)).is(t, "not yet", doubt, "only from 2026-05-01", "wait")
}

func TestDoctorOnCertificates(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	cert := &x509.Certificate{NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 2, 0)}
	expired := x509.CertificateInvalidError{Cert: cert, Reason: x509.Expired}
	judgeHandshake(expired, time.Unix(0, 0)).is(t, "no clock", ill, "this computer's clock is wrong: it says 1970-01-01", "timedatectl")
	judgeHandshake(expired, now.AddDate(1, 0, 0)).is(t, "expired", ill, "has expired on 2026-08-01", "renew")
	judgeHandshake(x509.UnknownAuthorityError{}, now).is(t, "unknown", ill, "unknown authority", "mqtt.tls.ca_file")
	judgeHandshake(errors.New("first record does not look like a TLS handshake"), now).is(t, "no TLS", ill, "TLS: first record", "speaks TLS")
	m := config.MQTT{Broker: "tls://b:8883"}
	judgeCertificates(m, nil, nil, now).is(t, "no TLS", healthy, "tls://b:8883 takes the vehicle in", "")
	judgeCertificates(m, cert, &tls.Config{}, now).is(t, "good", healthy, "certificate good until 2026-08-01", "")
	judgeCertificates(m, cert, &tls.Config{}, now.AddDate(0, 2, -3)).is(t, "soon over", doubt, "until 2026-08-01", "renew the broker's")
}

// Each step to the broker is named where it fails.
func TestDoctorOnTheWayToTheBroker(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are what this is about
	server.StartTLS()
	defer server.Close()
	known := x509.NewCertPool()
	known.AddCert(server.Certificate())
	address := server.Listener.Addr().String()
	for _, tt := range []struct {
		name, broker string
		tls          *tls.Config
		says, mend   string
	}{
		// Longer than a name may be, so that no network is asked.
		{"no such name", "tls://" + strings.Repeat("a.", 200) + "b:8883", &tls.Config{}, "name: ", "resolv.conf"},
		{"nobody there", "tcp://127.0.0.1:1", &tls.Config{}, "connection: 127.0.0.1:1", "firewall"},
		{"a stranger", "tls://" + address, &tls.Config{}, "certificate: ", "mqtt.tls.ca_file"},
		{"another name", "tls://" + address, &tls.Config{RootCAs: known, ServerName: "broker.example"}, "certificate: ", "mqtt.tls.server_name"},
		{"a century later", "tls://" + address, &tls.Config{RootCAs: known, Time: func() time.Time { return time.Now().AddDate(100, 0, 0) }}, "certificate: the broker's has expired on ", "renew it"},
		{"well", "tls://" + address, &tls.Config{RootCAs: known}, "", ""},
		{"well, and open", "tcp://" + address, &tls.Config{}, "", ""},
	} {
		leaf, c, ok := reachBroker(t.Context(), config.MQTT{Broker: tt.broker}, tt.tls)
		if ok != (tt.says == "") || ok && (leaf != nil) != strings.HasPrefix(tt.broker, "tls") {
			t.Errorf("%s: got %t, %+v, certificate %v", tt.name, ok, c, leaf != nil)
		}
		if !ok {
			c.is(t, tt.name, ill, tt.says, tt.mend)
		}
	}
}

func TestDoctorOnTheClock(t *testing.T) {
	now, floor := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	k, bare := kernel(t, map[string]string{"sys/class/rtc/rtc0/name": "rtc"}), kernel(t, nil)
	k.judgeClock(now, floor, true, nil).is(t, "well", healthy, "synchronised; a clock chip keeps it", "")
	bare.judgeClock(now, floor, false, nil).is(t, "nobody synchronises", doubt, "not synchronised; no clock chip", "apt install systemd-timesyncd")
	kept := kernel(t, map[string]string{"usr/lib/systemd/systemd-timesyncd": ""})
	kept.judgeClock(now, floor, false, nil).is(t, "not synchronised", doubt, "not synchronised", "timedatectl set-ntp true")
	k.judgeClock(time.Unix(0, 0), floor, false, nil).is(t, "1970", doubt, "1970-01-01 00:00:00, before time.floor", "no harm")
	k.judgeClock(now, floor, false, errors.ErrUnsupported).is(t, "not to be asked", healthy, "nobody knows", "")
}

func TestDoctorOnHeat(t *testing.T) {
	judgeHeat(heat{}).is(t, "no sensor", healthy, "no sensor", "")
	judgeHeat(heat{known: true, milli: 61_000, tells: true}).is(t, "warm", healthy, "61.0 °C, not throttled", "")
	judgeHeat(heat{known: true, milli: 85_000}).is(t, "hot", doubt, "85.0 °C", "fan")
	judgeHeat(heat{tells: true, bits: 0x50005}).is(t, "weak supply", doubt, "now: too low a voltage", "power supply")
	judgeHeat(heat{tells: true, bits: 0x40000}).is(t, "throttled once", doubt, "since the start: the processor was throttled", "restart")
}

func TestDoctorOnTheDisk(t *testing.T) {
	cfg := defaults(t)
	// An ext4 superblock, as far as it matters: with the feature and without.
	block := func(features byte) string {
		sb := make([]byte, 2048)
		sb[1024+0x38], sb[1024+0x39], sb[1024+0x5d] = 0x53, 0xef, features
		return string(sb)
	}
	k := kernel(t, map[string]string{"dev/fast": block(4), "dev/plain": block(3), "dev/other": "short"})
	free := int64(cfg.Outbox.MaxBytes)
	for _, tt := range []struct {
		name              string
		m                 mount
		free              int64
		took              time.Duration
		state, says, mend string
	}{
		{"fast_commit", mount{kind: "ext4", source: "/dev/fast"}, free, time.Millisecond, healthy, "256 KiB are safe after 1 ms at worst, with fast_commit", ""},
		{"without", mount{kind: "ext4", source: "/dev/plain"}, free, 0, healthy, "`tune2fs -O fast_commit /dev/plain`", ""},
		{"not to be read", mount{kind: "ext4", source: "/dev/gone"}, free, 0, healthy, "ext4", ""},
		{"no ext4 after all", mount{kind: "ext4", source: "/dev/other"}, free, 0, healthy, "ext4", ""},
		{"full", mount{kind: "ext4"}, free - 1, 0, doubt, "2047 MiB free", "outbox.max_bytes"},
		{"slow", mount{kind: "ext4"}, free, time.Second, doubt, "that is slow", "SSD"},
		{"memory", mount{kind: "tmpfs"}, free, 0, ill, "does not survive a restart", "on a disk"},
		{"a stick", mount{kind: "vfat"}, free, 0, doubt, "power cut", "ext4"},
	} {
		k.judgeDisk(cfg, tt.m, tt.free, tt.took).is(t, tt.name, tt.state, tt.says, tt.mend)
	}
}

func TestMountOf(t *testing.T) {
	k := kernel(t, map[string]string{"proc/self/mountinfo": `21 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw
30 21 0:25 / /var rw shared:2 - btrfs /dev/sda1 rw
31 21 0:26 / /var/lib/gade\040blik ro shared:3 - tmpfs none rw
32 30 8:1 / /var rw - xfs /dev/sdb1 rw
broken
`})
	for path, want := range map[string]string{"/": "ext4", "/variable": "ext4", "/var": "xfs", "/var/lib/gadeblik": "xfs", "/var/lib/gade blik/outbox": "tmpfs"} {
		if m, ok := k.mountOf(path); !ok || m.kind != want {
			t.Errorf("%s: got %+v, want %s", path, m, want)
		}
	}
	if m, ok := kernel(t, nil).mountOf("/"); ok {
		t.Errorf("without mountinfo: %+v", m)
	}
}

func TestProbeDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".doctor")
	if took, err := probeDisk(path); err != nil || took <= 0 {
		t.Errorf("got %s, %v", took, err)
	}
	if exists(path) {
		t.Error("the file is still there")
	}
	if _, err := probeDisk(filepath.Join(t.TempDir(), "gone", ".doctor")); err == nil {
		t.Error("a folder that is not there can be written to")
	}
}

// A driver that hangs costs its line, not the round, and is not asked a second time
// while it hangs.
func TestDoctorOutlivesWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		release := make(chan struct{})
		l := look{part: "camera", do: func(*visit, context.Context) []checkup {
			asked.Add(1)
			<-release
			return []checkup{{"camera", healthy, "late", ""}}
		}}
		d, mu := &doctor{hanging: map[string]chan []checkup{}}, &sync.Mutex{}
		began := time.Now()
		got := d.within(t.Context(), nil, l, mu)
		if took := time.Since(began); took != lookWithin+graceful {
			t.Errorf("it took %s", took)
		}
		got[0].is(t, "first", ill, "no answer in 11s", "dmesg")
		d.within(t.Context(), nil, l, mu)[0].is(t, "second", ill, "still no answer", "dmesg")
		if n := asked.Load(); n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
		close(release)
		synctest.Wait()
		d.within(t.Context(), nil, l, mu)[0].is(t, "third", healthy, "late", "")
		if len(d.hanging) != 0 {
			t.Errorf("%d still hang", len(d.hanging))
		}
	})
}

func TestDoctorSumsUp(t *testing.T) {
	r := &round{sections: []heard{{"Who", []checkup{{"vehicle", healthy, "", ""}, {"disk", doubt, "", "x"}}}, {"Devices", []checkup{{"gps", ill, "", "x"}, {"broker", ill, "", "x"}}}}}
	for _, tt := range []struct {
		drop int // lines from the end
		want string
		err  error
	}{
		{0, "2 things must be mended, 1 looked at: gps, broker; disk", unwell{}},
		{1, "1 thing must be mended, 1 looked at: gps; disk", unwell{}},
		{2, "nothing must be mended, 1 looked at: disk", nil},
	} {
		devices := r.sections[1].lines
		short := &round{sections: []heard{r.sections[0], {"Devices", devices[:len(devices)-tt.drop]}}}
		if got := short.summary().Summary; got != tt.want || short.err() != tt.err {
			t.Errorf("got %q, %v, want %q, %v", got, short.err(), tt.want, tt.err)
		}
	}
	well := &round{sections: []heard{{"Who", []checkup{{"vehicle", healthy, "", ""}}}}, skipped: []string{"gps"}}
	if got, want := well.summary().Summary, "all 1 things are in order (1 wait for the configuration: gps)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A watch that is not on a terminal tells what has changed; figures that tremble are
// no change.
func TestDoctorTellsChangesOnly(t *testing.T) {
	var out bytes.Buffer
	d, seen := &doctor{std: stdio{out: &out}}, map[string]string{}
	at := func(lines ...checkup) string {
		out.Reset()
		if err := d.tell(&round{sections: []heard{{"x", lines}}}, seen); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	heat := func(says string) checkup { return checkup{"heat", healthy, says, ""} }
	gps := checkup{"gps", ill, "not there", "plug it in"}
	if got := at(heat("61.2 °C"), gps); strings.Count(got, "\n") != 5 || !strings.Contains(got, "fail  gps       not there\n") {
		t.Errorf("first: %q", got)
	}
	if got := at(heat("61.9 °C"), gps); got != "" {
		t.Errorf("nothing new: %q", got)
	}
	gps.State, gps.Mend = healthy, ""
	if got := at(heat("60.9 °C"), gps); strings.Contains(got, "heat ") || !strings.Contains(got, "ok    gps ") || !strings.Contains(got, "all 2 things are in order") {
		t.Errorf("mended: %q", got)
	}
	if got := at(heat("60.9 °C")); got != "" {
		t.Errorf("one line less: %q", got)
	}
	if got := at(heat("60.9 °C"), gps); !strings.Contains(got, "ok    gps ") {
		t.Errorf("back again: %q", got)
	}
}

func TestDoctorOnTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "gadeblik.yaml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	stranger := account{name: "gadeblik", uid: uint32(os.Getuid()) + 1000}
	for _, tt := range []struct {
		name              string
		v                 visit
		state, says, mend string
	}{
		{"none", visit{lacking: errors.New("vehicle.id: is missing")}, ill, "no --config, no GADEBLIK_CONFIG, no /etc/gadeblik/gadeblik.yaml", "configs/gadeblik.yaml"},
		{"none, and none needed", visit{}, healthy, "variables and flags", ""},
		{"two mistakes", visit{path: path, mistakes: errors.New("a: wrong\nb: wrong")}, ill, "a: wrong\nb: wrong", "gadeblik check"},
		{"lacks something", visit{path: path, lacking: errors.New("x")}, doubt, "lacks what `gadeblik run` needs", "fail"},
		{"well", visit{path: path}, healthy, "is valid", ""},
		{"the service may not read it", visit{path: path, who: stranger}, ill, "gadeblik may not open", "chown"},
	} {
		tt.v.kernelFiles = kernelFiles{"/"}
		tt.v.configuration(t.Context())[0].is(t, tt.name, tt.state, tt.says, tt.mend)
	}
}

// hangUp ends a context when something is written that it waits for.
type hangUp struct {
	bytes.Buffer
	at  string
	end context.CancelFunc
}

func (h *hangUp) Write(p []byte) (int, error) {
	if strings.Contains(string(p), h.at) {
		h.end()
	}
	return h.Buffer.Write(p)
}

// A watch ends when it is told to, with the exit code of what it saw last.
func TestDoctorWatchesUntilItIsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &hangUp{at: "must be mended", end: cancel}
	config := filepath.Join(t.TempDir(), "gadeblik.yaml")
	if err := os.WriteFile(config, []byte("gps: {baud: 3}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var complaints bytes.Buffer
	if code := execute(ctx, []string{"doctor", "--watch", "--config", config}, stdio{out: out, err: &complaints}); code != exitFailure || complaints.Len() > 0 {
		t.Errorf("exit code %d, %q", code, complaints.String())
	}
	if got := out.String(); strings.Count(got, "fail  config ") != 1 || strings.Count(got, "1 thing must be mended") != 1 {
		t.Errorf("got %s", got)
	}
}

// Colours are for people at a terminal, and for them only while they want them.
func TestDoctorColours(t *testing.T) {
	var out bytes.Buffer
	d := &doctor{std: stdio{out: &out}}
	line := checkup{"gps", ill, "not there\nat all", "plug it in"}
	if err := errors.Join(d.printLine(line, false), d.printLine(line, true)); err != nil {
		t.Fatal(err)
	}
	want := "fail  gps       not there; at all\n                → plug it in\n" + red + "fail " + noColour + " gps       not there; at all\n                → plug it in\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if d.colours() {
		t.Error("a file gets colours")
	}
	master, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	defer master.Close()
	defer tty.Close()
	d.std.out = tty
	for _, tt := range []struct {
		term, noColour string
		want           bool
	}{{"xterm", "", true}, {"xterm", "1", false}, {"dumb", "", false}} {
		t.Setenv("TERM", tt.term)
		t.Setenv("NO_COLOR", tt.noColour)
		if got := d.colours(); got != tt.want {
			t.Errorf("TERM=%s NO_COLOR=%s: got %t, want %t", tt.term, tt.noColour, got, tt.want)
		}
	}
}
