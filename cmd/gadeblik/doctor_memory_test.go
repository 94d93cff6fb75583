package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const swapHeading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"

// kernel makes a tree of the files in which a kernel says what it does.
func kernel(t *testing.T, files map[string]string) kernelFiles {
	t.Helper()
	k := kernelFiles{t.TempDir()}
	for name, text := range files {
		path := filepath.Join(k.root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

func TestDoctorOnSwap(t *testing.T) {
	const mend = "set memory.lock: true, or switch swap off for good"
	withMemory := "cpuset cpu io memory pids\n"
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  checkup
	}{
		{"no swap", map[string]string{"proc/swaps": swapHeading},
			checkup{"swap", healthy, "nothing is swapped to a disk", ""}},
		{"compressed memory", map[string]string{"proc/swaps": swapHeading + "/dev/zram0 partition 2097148 0 100\n", "sys/block/zram0/backing_dev": "none\n"},
			checkup{"swap", healthy, "nothing is swapped to a disk", ""}},
		{"compressed memory of a kernel that cannot write it out", map[string]string{"proc/swaps": swapHeading + "/dev/zram0 partition 2097148 0 100\n"},
			checkup{"swap", healthy, "nothing is swapped to a disk", ""}},
		{"compressed memory that goes to a disk", map[string]string{"proc/swaps": swapHeading + "/dev/zram0 partition 2097148 0 100\n", "sys/block/zram0/backing_dev": "/dev/loop0\n", "sys/fs/cgroup/cgroup.controllers": withMemory},
			checkup{"swap", doubt, "memory may be swapped to /dev/zram0, frames with it, but not by the service, which has MemorySwapMax=0", mend}},
		{"a file, on a Raspberry Pi", map[string]string{"proc/swaps": swapHeading + "/var/swap file 524272 1024 -2\n", "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io pids\n"},
			checkup{"swap", doubt, "memory may be swapped to /var/swap, frames with it; this kernel has no memory cgroup, so MemorySwapMax=0 of the service does nothing", mend}},
		{"two areas", map[string]string{"proc/swaps": swapHeading + "/dev/sda2 partition 1 0 -2\n/var/swap file 1 0 -3\n", "sys/fs/cgroup/cgroup.controllers": withMemory},
			checkup{"swap", doubt, "memory may be swapped to /dev/sda2, /var/swap, frames with it, but not by the service, which has MemorySwapMax=0", mend}},
	} {
		if d := cmp.Diff(tt.want, kernel(t, tt.files).swap(false, nil)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
	if c := kernel(t, nil).swap(false, nil); c.State != doubt || c.Mend != "set memory.lock: true" || !strings.Contains(c.Says, "proc/swaps") {
		t.Errorf("without /proc/swaps: %+v", c)
	}
}

func TestDoctorOnLockedMemory(t *testing.T) {
	k := kernel(t, map[string]string{"proc/swaps": swapHeading + "/var/swap file 524272 1024 -2\n"})
	if c := k.swap(true, func() error { return nil }); c.State != healthy || !strings.Contains(c.Says, "locked") {
		t.Errorf("where memory may be locked: %+v", c)
	}
	want := checkup{"swap", doubt, "lock memory: 64 KiB", "raise it"}
	if d := cmp.Diff(want, k.swap(true, func() error { return hinted(errors.New("lock memory: 64 KiB"), "raise it") })); d != "" {
		t.Errorf("where it may not (-want +got):\n%s", d)
	}
}

func TestDoctorOnCoreDumps(t *testing.T) {
	for _, tt := range []struct{ pattern, state, says string }{
		{"core\n", healthy, "core dumps of other programs go to files (core); the agent forbids them for itself when it starts, for files and handlers alike"},
		{"/var/crash/%e.%p\n", healthy, "core dumps of other programs go to files (/var/crash/%e.%p); the agent forbids them for itself when it starts, for files and handlers alike"},
		{"|/usr/share/apport/apport -p%p -s%s\n", doubt, "core dumps are handed to /usr/share/apport/apport -p%p -s%s, which may keep or send them; the agent forbids them for itself when it starts, for files and handlers alike"},
	} {
		c := kernel(t, map[string]string{"proc/sys/kernel/core_pattern": tt.pattern}).cores()
		if c.State != tt.state || c.Says != tt.says || (c.Mend != "") != (tt.state == doubt) {
			t.Errorf("%q: %+v, want %s: %s", tt.pattern, c, tt.state, tt.says)
		}
	}
	if c := kernel(t, nil).cores(); c.State != doubt {
		t.Errorf("without core_pattern: %+v", c)
	}
}
