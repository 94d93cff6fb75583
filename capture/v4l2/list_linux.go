package v4l2

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// List returns the video nodes of this computer, in order of their numbers. A
// node that cannot be used is in it, with the reason. Looking opens each node
// for a moment and changes nothing.
func List() ([]Info, error) {
	return list("/sys/class/video4linux", "/dev", probe)
}

// Find returns the camera that a Config.Device means at this moment, or says
// why none can be meant. For a path it says whether the node can be used.
func Find(device string) (Info, error) {
	cams, err := List()
	if err != nil {
		return Info{}, fmt.Errorf("find camera: %w", err)
	}
	if isPath(device) {
		if _, err := os.Stat(device); err != nil {
			return Info{}, fmt.Errorf("find camera: %w", err)
		}
		device = node(device)
	}
	found, err := resolve(device, cams)
	if err != nil {
		return Info{}, fmt.Errorf("find camera: %w", err)
	}
	return found, nil
}

// redirected adds to the error of opening a node that gives no pictures which
// node of the same camera does.
func redirected(err error, path string) error {
	if !errors.Is(err, errNotCapture) && !errors.Is(err, errNoFormats) {
		return err
	}
	cams, lerr := List()
	if lerr != nil { // it was only to help
		return err
	}
	return instead(err, node(path), cams)
}

// node follows the links of a path, as far as there are any.
func node(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return path
}

// list looks at the nodes that sysfs names. probe fills in what only the device
// itself can say.
func list(sys, dev string, probe func(*Info)) ([]Info, error) {
	entries, err := os.ReadDir(sys)
	if errors.Is(err, fs.ErrNotExist) { // no video driver is loaded
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list cameras: %w", err)
	}
	links := stableLinks(dev)
	var cams []Info
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "video") { // radio, teletext, sub-devices
			continue
		}
		c := Info{Path: filepath.Join(dev, e.Name())}
		c.Links = links[c.Path]
		name, err := os.ReadFile(filepath.Join(sys, e.Name(), "name"))
		if err == nil {
			c.Name = strings.TrimSpace(string(name))
		}
		probe(&c)
		cams = append(cams, c)
	}
	slices.SortFunc(cams, func(a, b Info) int { return cmp.Compare(nodeNumber(a.Path), nodeNumber(b.Path)) })
	return cams, nil
}

func nodeNumber(path string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(path), "video"))
	if err != nil {
		return -1
	}
	return n
}

// stableLinks maps nodes to the links that udev makes for them.
func stableLinks(dev string) map[string][]string {
	links := make(map[string][]string)
	for _, kind := range []string{"by-id", "by-path"} {
		found, err := filepath.Glob(filepath.Join(dev, "v4l", kind, "*"))
		if err != nil {
			continue // a bad pattern: dev has strange characters
		}
		for _, l := range found {
			if target, err := filepath.EvalSymlinks(l); err == nil {
				links[target] = append(links[target], l)
			}
		}
	}
	return links
}

// probe asks the device.
func probe(c *Info) {
	caps, err := capability(c.Path)
	if err != nil {
		c.Problem = explain("open", err).Error()
		return
	}
	c.Driver, c.Bus = cString(caps.driver[:]), cString(caps.bus[:])
	if name := cString(caps.card[:]); name != "" && name != c.Name {
		c.Name, c.NodeName = name, c.Name
	}
	if err := caps.usable(); err != nil {
		c.Problem = err.Error()
		return
	}
	dev, err := openDevice(c.Path)
	if err != nil {
		c.Problem = explain("open", err).Error()
		return
	}
	defer dev.Close() // only asked
	have := dev.formats()
	slices.Sort(have)
	for _, f := range have {
		format := Format{Name: f.String()}
		for _, s := range dev.sizes(f) {
			format.Sizes = append(format.Sizes, s.String())
		}
		c.Formats = append(c.Formats, format)
	}
	if _, err := chooseFormat(have, ""); err != nil {
		c.Problem = err.Error()
	}
}

// usable says why a node is not one that frames can be had from.
func (c *uapiCapability) usable() error {
	can := c.caps
	if can&capDeviceCaps != 0 { // of this node and not of the whole device
		can = c.deviceCaps
	}
	switch {
	case can&capVideoCapture == 0:
		return errNotCapture
	case can&capStreaming == 0:
		return errNoStreaming
	}
	return nil
}

func capability(path string) (uapiCapability, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return uapiCapability{}, err
	}
	defer unix.Close(fd) // only asked
	return queryCap(fd)
}

func cString(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return strings.ToValidUTF8(s, "?")
}
