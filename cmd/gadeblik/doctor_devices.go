package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"gadeblik/capture/v4l2"
	"gadeblik/cmd/gadeblik/config"
)

// deviceNumber tells devices apart in /sys/dev and in udev's notes.
type deviceNumber struct{ major, minor uint32 }

func (n deviceNumber) String() string { return fmt.Sprintf("%d:%d", n.major, n.minor) }

func numberOf(info os.FileInfo) deviceNumber {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return deviceNumber{}
	}
	return deviceNumber{unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev))}
}

// A driver is in the kernel, loaded, could be loaded, or is nowhere.
const (
	nowhere = iota
	loadable
	loaded
)

// serialDrivers are those of the adapters that GPS receivers have; cdc_acm is that of
// receivers with a USB plug of their own.
func serialDrivers() []string { return []string{"cdc_acm", "ftdi_sio", "cp210x", "ch341", "pl2303"} }

// drivers looks for those of cameras and serial ports. The service may open only what
// had a driver when it started, so a driver that comes with the plug comes too late.
func (v *visit) drivers(context.Context) []checkup {
	return []checkup{v.kernelFiles.drivers()}
}

func (k kernelFiles) drivers() checkup {
	const part = "drivers"
	var have, late, none []string
	usb := nowhere
	for _, name := range append([]string{"uvcvideo"}, serialDrivers()...) {
		is := k.driver(name)
		switch is {
		case loaded:
			have = append(have, name)
		case loadable:
			late = append(late, name)
		}
		if name != "uvcvideo" {
			usb = max(usb, is)
		} else if is == nowhere {
			none = append(none, "uvcvideo (USB cameras)")
		}
	}
	if usb == nowhere {
		none = append(none, strings.Join(serialDrivers(), ", ")+" (USB serial ports)")
	}
	switch {
	case len(none) > 0:
		return checkup{part, doubt, "this kernel has no " + strings.Join(none, ", and no "), "install the kernel's package of modules (linux-modules-extra on Ubuntu), or use devices that need none of these"}
	case len(late) > 0 && !k.loadedAtStart(late):
		return checkup{part, doubt, "loaded only when something is plugged in, too late for a service that runs: " + strings.Join(late, ", "),
			"put systemd/gadeblik.modules-load.conf into /etc/modules-load.d; the package does it"}
	}
	return checkup{part, healthy, "drivers of USB cameras and serial ports: " + strings.Join(append(have, late...), ", "), ""}
}

func (k kernelFiles) driver(name string) int {
	if exists(filepath.Join(k.root, "sys/module", name)) {
		return loaded
	}
	release, err := k.read("proc/sys/kernel/osrelease")
	if err != nil {
		return nowhere
	}
	for _, list := range []struct {
		file string
		is   int
	}{{"modules.builtin", loaded}, {"modules.dep", loadable}} {
		text, err := k.read(filepath.Join("lib/modules", release, list.file))
		if err == nil && strings.Contains(text, "/"+name+".ko") {
			return list.is
		}
	}
	return nowhere
}

// loadedAtStart tells whether systemd loads all of the named drivers at the start.
func (k kernelFiles) loadedAtStart(names []string) bool {
	var listed []string
	for _, dir := range []string{"etc/modules-load.d", "usr/lib/modules-load.d", "lib/modules-load.d"} {
		files, _ := filepath.Glob(filepath.Join(k.root, dir, "*.conf")) // as in found
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err == nil {
				listed = append(listed, strings.Fields(string(raw))...)
			}
		}
	}
	return !slices.ContainsFunc(names, func(n string) bool { return n != "pl2303" && !slices.Contains(listed, n) })
}

// chips lists the GPIO chips, each with its label.
func (k kernelFiles) chips() []string {
	all, _ := filepath.Glob(filepath.Join(k.root, "dev/gpiochip*")) // as in found
	for i := range all {
		all[i] = filepath.Join("/dev", filepath.Base(all[i]))
	}
	return all
}

// gpio looks at the chips that a button or a lamp would be connected to.
func (v *visit) gpio(context.Context) []checkup {
	const part = "gpio"
	chips := v.chips()
	if len(chips) == 0 {
		return []checkup{{part, healthy, "no GPIO chip: no button or lamp can be connected, and none is needed", ""}}
	}
	for _, c := range chips {
		if line, no := v.refused(part, c, mayRead|mayWrite); no {
			line.State = doubt // only a button needs it
			return []checkup{line}
		}
	}
	return []checkup{{part, healthy, strings.Join(chips, ", ") + " for a button or a lamp", ""}}
}

// camera looks at the camera, unless an agent holds it.
func (v *visit) camera(context.Context) []checkup {
	const part = "camera"
	cfg := v.cfg.Camera
	if cfg.Drive != "" {
		return []checkup{verdict(part, checkDrive(cfg.Drive), "the drive "+cfg.Drive+" stands in", "correct camera.drive, or name a camera.device")}
	}
	if v.agent != nil {
		return []checkup{v.agentsCamera()}
	}
	cams, err := v4l2.List()
	if err != nil {
		return []checkup{{part, ill, err.Error(), ""}}
	}
	cam, c := v.chosenCamera(cams)
	if cam == nil {
		return []checkup{c}
	}
	if line, no := v.refused(part, cam.Path, mayRead|mayWrite); no {
		return []checkup{line}
	}
	return []checkup{v.tryCamera(*cam)}
}

// agentsCamera is what the agent that may hold the camera says.
func (v *visit) agentsCamera() checkup {
	s := v.agent.Status
	switch says := fmt.Sprintf("%d frames so far", s.Counters["frames"]); s.State {
	case "capturing":
		return checkup{"camera", healthy, "the agent streams; " + says, ""}
	case "degraded":
		return checkup{"camera", doubt, fmt.Sprintf("the agent does not look: %s; %s", s.Reason, says), "`journalctl -u gadeblik` says more; for a look at the camera itself stop the agent"}
	default:
		return checkup{"camera", healthy, fmt.Sprintf("the agent keeps it closed (%s: %s); %s", s.State, s.Reason, says), ""}
	}
}

// chosenCamera is the one that is configured, or the line that says why there is none.
func (v *visit) chosenCamera(cams []v4l2.Info) (*v4l2.Info, checkup) {
	const part = "camera"
	var good, bad []string
	var usable []v4l2.Info
	device := v.cfg.Camera.Device
	if strings.HasPrefix(device, "name:") || strings.HasPrefix(device, "bus:") {
		cam, err := v4l2.Find(device)
		if err != nil {
			return nil, checkup{part, ill, "camera.device: " + err.Error(), "correct it, or plug the camera in" + rather(cams)}
		}
		return &cam, checkup{}
	}
	for _, c := range cams {
		named := device != "" && (c.Path == device || c.Name == device || slices.Contains(c.Links, device) || v.node(device) == c.Path)
		switch {
		case named && c.Problem == "":
			return &c, checkup{}
		case named:
			return nil, checkup{part, ill, fmt.Sprintf("camera.device %s cannot be used: %s", device, c.Problem), "name another" + rather(cams) + who(v.others(c.Path))}
		case c.Problem == "":
			good, usable = append(good, strings.Join(append([]string{c.Path, c.Name}, c.Links...), " ")), append(usable, c)
		default:
			bad = append(bad, fmt.Sprintf("%s: %s", c.Path, c.Problem))
		}
	}
	switch {
	case len(good) == 0 && len(bad) > 0:
		return nil, checkup{part, ill, "no camera can be used: " + strings.Join(bad, "; "), "plug in a USB (UVC) camera; cameras on a CSI connector need v4l2loopback"}
	case len(good) == 0:
		return nil, checkup{part, ill, "no camera is plugged in", "plug in a USB (UVC) camera; cameras on a CSI connector need v4l2loopback"}
	case device != "":
		return nil, checkup{part, ill, "camera.device " + device + " is not there", "there is: " + strings.Join(good, ", ")}
	case len(good) > 1:
		return nil, checkup{part, ill, "no camera is configured, and there are several", "set camera.device to one of: " + strings.Join(good, ", ")}
	}
	return nil, checkup{part, ill, "no camera is configured", "set camera.device to " + firstLink(usable[0])}
}

// rather names the cameras that can be used, after a colon.
func rather(cams []v4l2.Info) string {
	var all []string
	for _, c := range cams {
		if c.Problem == "" {
			all = append(all, firstLink(c))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return ": " + strings.Join(all, ", ")
}

func who(holders []string) string {
	if len(holders) == 0 {
		return ""
	}
	return "; it is held by " + strings.Join(holders, ", ")
}

// firstLink is the name of a camera that survives replugging, where it has one.
func firstLink(c v4l2.Info) string {
	if len(c.Links) > 0 {
		return c.Links[0]
	}
	return c.Path
}

// tryCamera sets the camera up as the agent would, for a moment; it does not stream.
func (v *visit) tryCamera(info v4l2.Info) checkup {
	const part = "camera"
	cfg := v.cfg.Camera
	cam, err := v4l2.Open(v4l2.Config{Device: info.Path, Format: cfg.Format, Width: cfg.Width, Height: cfg.Height, FPS: cfg.FPS})
	if err != nil {
		return checkup{part, ill, err.Error(), "stop what holds it, or unplug it once" + who(v.others(info.Path))}
	}
	mode := cam.Mode()
	if err := cam.Close(); err != nil {
		return checkup{part, ill, err.Error(), "unplug it once"}
	}
	return judgeMode(cfg, info, mode)
}

// judgeMode compares what is configured with what the camera gives.
func judgeMode(cfg config.Camera, info v4l2.Info, m v4l2.Mode) checkup {
	const part = "camera"
	says := fmt.Sprintf("%s (%s): %s %dx%d", info.Path, info.Name, m.Format, m.Width, m.Height)
	if m.FPS > 0 {
		says += fmt.Sprintf(" at %g pictures a second", m.FPS)
	}
	if m.Width != cfg.Width || m.Height != cfg.Height {
		var sizes []string
		for _, f := range info.Formats {
			if f.Name == m.Format {
				sizes = f.Sizes
			}
		}
		return checkup{part, doubt, fmt.Sprintf("%s; configured is %dx%d", says, cfg.Width, cfg.Height),
			fmt.Sprintf("set camera.width and camera.height to a size it has: %s", strings.Join(sizes, ", "))}
	}
	if cfg.FPS > 0 && m.FPS > 0 && m.FPS < cfg.FPS*0.9 {
		return checkup{part, doubt, fmt.Sprintf("%s; configured are %g", says, cfg.FPS), "lower camera.fps or the size; MJPG is faster than YUYV over USB 2"}
	}
	if len(info.Links) > 0 && cfg.Device == info.Path {
		return checkup{part, doubt, says + "; this name may be another camera's after the next start", "set camera.device to " + info.Links[0]}
	}
	return checkup{part, healthy, says, ""}
}
