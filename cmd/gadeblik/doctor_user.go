package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// serviceUser is whom the agent runs as where systemd starts it.
const serviceUser = "gadeblik"

// account is somebody as whom a file would be opened.
type account struct {
	name  string
	uid   uint32
	gids  []uint32
	asker bool // this process itself, which the kernel can be asked about
}

// A way to open a file, in the bits of a mode.
const (
	mayRead   = 4
	mayWrite  = 2
	maySearch = 1
)

// groupOf returns a group of /etc/group and who is in it.
func (k kernelFiles) groupOf(name string) (gid uint32, members []string, ok bool) {
	f := k.entry("etc/group", name, 4)
	if f == nil {
		return 0, nil, false
	}
	n, err := strconv.ParseUint(f[2], 10, 32)
	return uint32(n), strings.FieldsFunc(f[3], func(r rune) bool { return r == ',' }), err == nil
}

// entry returns the fields of a line of /etc/passwd or /etc/group.
func (k kernelFiles) entry(file, name string, fields int) []string {
	text, err := k.read(file)
	if err != nil {
		return nil // then nobody has an entry there
	}
	for line := range strings.Lines(text) {
		if f := strings.Split(strings.TrimSpace(line), ":"); len(f) >= fields && f[0] == name {
			return f
		}
	}
	return nil
}

// groupName names a group, with its number where /etc/group does not.
func (k kernelFiles) groupName(gid uint32) string {
	text, err := k.read("etc/group")
	if err != nil {
		text = ""
	}
	for line := range strings.Lines(text) {
		if f := strings.Split(line, ":"); len(f) > 2 && f[2] == fmt.Sprint(gid) {
			return f[0]
		}
	}
	return fmt.Sprint(gid)
}

// service is the account that systemd starts the agent as: its own groups, and those
// the unit adds.
func (k kernelFiles) service() (account, bool) {
	f := k.entry("etc/passwd", serviceUser, 7)
	if f == nil {
		return account{}, false
	}
	uid, err1 := strconv.ParseUint(f[2], 10, 32)
	gid, err2 := strconv.ParseUint(f[3], 10, 32)
	if err1 != nil || err2 != nil {
		return account{}, false
	}
	a := account{name: serviceUser, uid: uint32(uid), gids: []uint32{uint32(gid)}}
	for _, name := range serviceGroups() {
		if g, _, ok := k.groupOf(name); ok && k.belongs(name) {
			a.gids = append(a.gids, g)
		}
	}
	return a, true
}

// serviceGroups are the groups whose devices the agent opens: serial ports, cameras
// and lines for a button.
func serviceGroups() []string { return []string{"dialout", "video", "gpio"} }

// belongs tells whether the service is in a group, by /etc/group or by its unit.
func (k kernelFiles) belongs(group string) bool {
	_, members, ok := k.groupOf(group)
	return ok && (slices.Contains(members, serviceUser) || slices.Contains(strings.Fields(k.unitSays("SupplementaryGroups")), group))
}

// asker is who has started this.
func (k kernelFiles) asker() account {
	a := account{name: fmt.Sprint("user ", os.Getuid()), uid: uint32(os.Getuid()), asker: true}
	if text, err := k.read("etc/passwd"); err == nil {
		for line := range strings.Lines(text) {
			if f := strings.Split(line, ":"); len(f) > 2 && f[2] == fmt.Sprint(a.uid) {
				a.name = f[0]
			}
		}
	}
	if groups, err := os.Getgroups(); err == nil {
		for _, g := range groups {
			a.gids = append(a.gids, uint32(g))
		}
	}
	return a
}

// judged is as whom permissions are judged: root may do everything, which says
// nothing about the service.
func (k kernelFiles) judged(self account) account {
	if a, ok := k.service(); ok && self.uid == 0 {
		return a
	}
	return self
}

// denied is a permission that somebody lacks.
type denied struct {
	who   account
	path  string
	owner string // user and group
	group string // that would help; "" where none would
	mode  os.FileMode
}

func (d denied) Error() string {
	return fmt.Sprintf("%s may not open %s (mode %04o, of %s)", d.who.name, d.path, d.mode.Perm(), d.owner)
}

// mend says how the permission is come by.
func (d denied) mend() string {
	if d.group != "" {
		return fmt.Sprintf("`usermod -aG %s %s`, then log in anew or restart the service", d.group, d.who.name)
	}
	return fmt.Sprintf("give it to %s with chown, or open it with chmod", d.who.name)
}

// reach tells why somebody cannot open a file in a way, or nil: [denied] where it is
// there. Access lists are seen for the asker only, whom the kernel knows.
func (k kernelFiles) reach(path string, who account, way uint32) error {
	full, err := filepath.EvalSymlinks(filepath.Join(k.root, path))
	if err != nil {
		return err
	}
	if _, err := os.Stat(full); err != nil {
		return err
	}
	if who.uid == 0 || who.asker && unix.Access(full, way) == nil {
		return nil
	}
	var folders []string
	for dir := filepath.Dir(full); dir != filepath.Dir(dir) && dir != filepath.Clean(k.root); dir = filepath.Dir(dir) {
		folders = append(folders, dir)
	}
	slices.Reverse(folders)
	for _, dir := range folders {
		if err := k.permits(dir, who, maySearch); err != nil {
			return err
		}
	}
	return k.permits(full, who, way)
}

// permits judges a mode as the kernel does: the first class that fits decides.
func (k kernelFiles) permits(full string, who account, way uint32) error {
	info, err := os.Stat(full)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil // nothing is known of modes here
	}
	perm := uint32(info.Mode().Perm())
	switch {
	case st.Uid == who.uid:
		perm >>= 6
	case slices.Contains(who.gids, st.Gid):
		perm >>= 3
	}
	if perm&way == way {
		return nil
	}
	d := denied{who: who, path: full, mode: info.Mode(), owner: fmt.Sprintf("user %d, group %s", st.Uid, k.groupName(st.Gid))}
	// No advice makes anybody a member of root's group.
	if !slices.Contains(who.gids, st.Gid) && st.Uid != who.uid && st.Gid != 0 && uint32(info.Mode().Perm())>>3&way == way {
		d.group = k.groupName(st.Gid)
	}
	return d
}

// users says who asks, and whether the service's user is fit for its work.
func (v *visit) users(context.Context) []checkup {
	return []checkup{v.kernelFiles.asking(v.self), v.kernelFiles.serving()}
}

func (k kernelFiles) asking(self account) checkup {
	const part = "user"
	_, there := k.service()
	switch {
	case self.uid == 0 && there:
		return checkup{part, healthy, "root asks; permissions are judged as they are for " + serviceUser, ""}
	case self.uid == 0:
		return checkup{part, healthy, "root asks, who may open everything", ""}
	case there && self.name != serviceUser:
		return checkup{part, doubt, "permissions are judged as they are for " + self.name + ", but the service runs as " + serviceUser, "ask again with sudo, which judges them for the service and sees who holds a device"}
	}
	var names []string
	for _, g := range self.gids {
		names = append(names, k.groupName(g))
	}
	if len(names) == 0 {
		names = []string{"none"}
	}
	return checkup{part, healthy, fmt.Sprintf("permissions are judged as they are for %s (groups: %s)", self.name, strings.Join(names, ", ")), ""}
}

// serving looks at the service's user and groups. Without them the unit does not
// start; whoever starts the agent by hand needs none.
func (k kernelFiles) serving() checkup {
	const part = "service"
	bad := doubt
	if k.unitFile() != "" {
		bad = ill
	}
	if _, ok := k.service(); !ok {
		return checkup{part, bad, "there is no user " + serviceUser + " for the service", "`systemd-sysusers`, with systemd/gadeblik.sysusers.conf in /usr/lib/sysusers.d; the package does it"}
	}
	var none, out []string
	for _, g := range serviceGroups() {
		if g == "gpio" && len(k.chips()) == 0 {
			continue // there is nothing to open
		}
		if _, _, ok := k.groupOf(g); !ok {
			none = append(none, g)
		} else if !k.belongs(g) {
			out = append(out, g)
		}
	}
	switch {
	case len(none) > 0:
		return checkup{part, doubt, "there is no group " + strings.Join(none, ", "), "`groupadd --system " + none[0] + "`, and let a udev rule give it its devices"}
	case len(out) > 0:
		return checkup{part, doubt, serviceUser + " is not in group " + strings.Join(out, ", "), fmt.Sprintf("`usermod -aG %s %s`, then restart the service", strings.Join(out, ","), serviceUser)}
	}
	return checkup{part, healthy, "user " + serviceUser + " has its groups", ""}
}
