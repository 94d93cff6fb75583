package v4l2

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What a Config.Device can begin with.
const (
	byName = "name:"
	byBus  = "bus:"
)

// isPath says whether a Config.Device is the path of a node or of a link to one.
func isPath(device string) bool {
	return strings.Contains(device, "/") && !strings.HasPrefix(device, byName) && !strings.HasPrefix(device, byBus)
}

// resolve finds the camera that a Config.Device means among those there are,
// in order of their nodes. Links in a path must have been followed.
func resolve(device string, cams []Info) (Info, error) {
	if isPath(device) {
		return resolveNode(device, cams)
	}
	what, fits, err := wanted(device)
	if err != nil {
		return Info{}, err
	}
	var found []Info
	for _, c := range cams {
		// A camera can have a second node with pictures, such as infrared.
		known := slices.ContainsFunc(found, func(f Info) bool { return f.Bus != "" && f.Bus == c.Bus })
		if c.Problem == "" && fits(c) && !known {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 0:
		return Info{}, fmt.Errorf("no %s; there is %s", what, describe(cams))
	case 1:
		return found[0], nil
	}
	return Info{}, fmt.Errorf("%d times %s; name one by its link or its bus: %s", len(found), what, describe(found))
}

// wanted says in words what a Config.Device that is no path asks for, and
// which nodes fit it.
func wanted(device string) (what string, fits func(Info) bool, err error) {
	name, named := strings.CutPrefix(device, byName)
	bus, bussed := strings.CutPrefix(device, byBus)
	name, bus = strings.TrimSpace(name), strings.TrimSpace(bus)
	switch {
	case device == "":
		return "camera", func(Info) bool { return true }, nil
	case named && name == "" || bussed && bus == "":
		return "", nil, fmt.Errorf("%q names no camera; write name:NAME or bus:BUS", device)
	case bussed:
		return fmt.Sprintf("camera on bus %q", bus), func(c Info) bool { return c.Bus == bus }, nil
	}
	return fmt.Sprintf("camera named %q", name), func(c Info) bool { return hasName(c.Name, name) || hasName(c.NodeName, name) }, nil
}

// hasName allows for USB cameras, whose driver appends the name of the function
// to that of the product: "HD Cam: HD Cam".
func hasName(whole, name string) bool {
	rest, ok := strings.CutPrefix(whole, name)
	return ok && (rest == "" || strings.HasPrefix(rest, ": "))
}

// resolveNode finds a node by its path. One that sysfs does not list is taken
// as it is: opening it will tell.
func resolveNode(path string, cams []Info) (Info, error) {
	i := slices.IndexFunc(cams, func(c Info) bool { return c.Path == path })
	if i < 0 {
		return Info{Path: path}, nil
	}
	if c := cams[i]; c.Problem != "" {
		return Info{}, instead(errors.New(path+": "+c.Problem), path, cams)
	}
	return cams[i], nil
}

// instead adds to an error of a node which node of the same camera to use.
func instead(err error, path string, cams []Info) error {
	i := slices.IndexFunc(cams, func(c Info) bool { return c.Path == path })
	if i < 0 || cams[i].Bus == "" {
		return err
	}
	for _, c := range cams {
		if c.Problem == "" && c.Bus == cams[i].Bus {
			return fmt.Errorf("%w; the pictures of this camera come from %s", err, describe([]Info{c}))
		}
	}
	return err
}

// describe lists cameras for an error message, each by what can be configured.
func describe(cams []Info) string {
	if len(cams) == 0 {
		return "no video device at all: is the camera plugged in and its driver loaded?"
	}
	parts := make([]string, len(cams))
	for i, c := range cams {
		path := c.Path
		if len(c.Links) > 0 {
			path = c.Links[0]
		}
		parts[i] = fmt.Sprintf("%s (%s)", path, c.Name)
		if c.Bus != "" {
			parts[i] = fmt.Sprintf("%s (%s, %s%s)", path, c.Name, byBus, c.Bus)
		}
		if c.Problem != "" {
			parts[i] += ": " + c.Problem
		}
	}
	return strings.Join(parts, ", ")
}
