package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// somebody is a user that is not root and owns nothing.
const somebody = 65534

// asSomebody makes a command that runs as a user without privileges: as the test's own,
// or as somebody where that is root. Its shell raises or lowers limits first.
func asSomebody(t *testing.T, limits, program string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", limits + `; exec "$@"`, "sh", program}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Dir = t.TempDir()
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: somebody, Gid: somebody, NoSetGroups: true}
		reachable(t, cmd.Dir)
	}
	return cmd
}

// reachable opens a folder, and those that the test made around it, to every user.
func reachable(t *testing.T, dir string) {
	t.Helper()
	for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
}

// forEverybody builds the program where somebody may run it.
func forEverybody(t *testing.T) string {
	t.Helper()
	program := builtProgram(t)
	if err := asSomebody(t, ":", "test", "-x", program).Run(); err != nil {
		t.Skipf("another user may run nothing in %s here: %v", os.TempDir(), err)
	}
	return program
}

// started starts a command and ends it with the test.
func started(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Skipf("no other user to be here: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
	return cmd
}

// closedTo tells whether a process is closed to others of its user: then the kernel
// gives its memory to root.
func closedTo(t *testing.T, pid int) bool {
	t.Helper()
	st, err := os.Stat(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	return st.Sys().(*syscall.Stat_t).Uid == 0
}

// within waits for something that takes no more than seconds.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waiting in vain for %s", what)
		}
	}
}

// TestOthersCannotReadTheMemory starts a command as a user who may dump core, and
// looks at it as another process of that user. What holds for this command holds for
// all: it is the first thing that main does.
func TestOthersCannotReadTheMemory(t *testing.T) {
	program := forEverybody(t)
	const limits = `ulimit -c unlimited || ulimit -c "$(ulimit -H -c)"`
	control := started(t, asSomebody(t, limits, "sleep", "60"))
	within(t, "the shell to become sleep", func() bool { return programOf(control.Process.Pid) == "sleep" })
	if closedTo(t, control.Process.Pid) {
		t.Skip("every process is closed here, or the user is root without another to be")
	}
	vehicles := t.TempDir()
	reachable(t, vehicles)
	cmd := asSomebody(t, limits, program, "inbox", "serve", "--broker", "tcp://127.0.0.1:1", "--vehicles", vehicles, "--dir", "inbox")
	cmd.Env = append(os.Environ(), "GOTRACEBACK=crash")
	started(t, cmd)
	pid := cmd.Process.Pid
	within(t, "the process to close itself", func() bool { return programOf(pid) == "gadeblik" && closedTo(t, pid) })
	within(t, "a limit of 0", func() bool {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
		return err == nil && regexp.MustCompile(`Max core file size\s+0\s+0\s`).Match(raw)
	})
	for _, name := range []string{"mem", "environ", "auxv", "map_files"} {
		if said, err := asSomebody(t, ":", "ls", "-L", fmt.Sprintf("/proc/%d/%s/", pid, name)).CombinedOutput(); err == nil {
			t.Errorf("another process of the user lists %s: %s", name, said)
		}
		if said, err := asSomebody(t, ":", "head", "-c", "1", fmt.Sprintf("/proc/%d/%s", pid, name)).CombinedOutput(); err == nil || !strings.Contains(string(said), "ermission denied") {
			t.Errorf("another process of the user opens %s: %v, %q; want permission denied", name, err, said)
		}
	}
	if said, err := asSomebody(t, ":", "head", "-c", "1", fmt.Sprintf("/proc/%d/environ", control.Process.Pid)).CombinedOutput(); err != nil {
		t.Errorf("and cannot even read its own sleep: %v, %s; the test proves nothing", err, said)
	}
	if err := cmd.Process.Signal(syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it is ended by the signal
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.CoreDump() {
		t.Errorf("SIGABRT: %v, want ended by the signal and no core dump", cmd.ProcessState)
	}
}

// programOf is the name of the program that a process runs.
func programOf(pid int) string {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)) // "" while there is none
	return strings.TrimSpace(string(raw))
}

// TestMemoryLockNeedsPermission starts an agent that is to lock its memory and may not:
// better none than one that dies in mid-look for want of memory.
func TestMemoryLockNeedsPermission(t *testing.T) {
	cmd := asSomebody(t, "ulimit -l 64", forEverybody(t), "run", "--config", "gadeblik.yaml")
	write(t, filepath.Join(cmd.Dir, "gadeblik.yaml"), `vehicle: {id: v1, fleet: town}
state_dir: state
gps: {device: none-tty}
camera: {device: none-video}
orders: {trusted_keys: [none.pub]}
mqtt: {broker: 'tcp://127.0.0.1:1'}
memory: {lock: true}
`)
	said, _ := cmd.CombinedOutput()
	want := `gadeblik: lock memory: memory.lock is true, but this process may lock 64 KiB (RLIMIT_MEMLOCK), not all of its memory
hint: the service has LimitMEMLOCK=infinity; elsewhere begin with ` + "`ulimit -l unlimited`" + `, or switch swap off and set memory.lock: false
`
	if string(said) != want || cmd.ProcessState.ExitCode() != exitFailure {
		t.Errorf("exit code %d\ngot  %q\nwant %q", cmd.ProcessState.ExitCode(), said, want)
	}
}

// usage is how much memory a process has, in KiB.
type usage struct{ reserved, resident, locked int }

func (u usage) String() string {
	return fmt.Sprintf("%d MiB reserved, %d resident, %d locked", u.reserved>>10, u.resident>>10, u.locked>>10)
}

func memoryOf(t *testing.T, pid int) usage {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	kib := func(name string) int {
		m := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(raw)
		if m == nil {
			t.Fatalf("no %s in\n%s", name, raw)
		}
		n, err := strconv.Atoi(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return usage{kib("VmSize"), kib("VmRSS"), kib("VmLck")}
}

// TestLockedMemoryIsNotFilled compares an agent whose memory is locked with one whose
// memory is not: locked is all, and nothing is filled that would be empty.
func TestLockedMemoryIsNotFilled(t *testing.T) {
	if err := mayLockMemory(); err != nil {
		t.Skipf("this user may not lock memory: %v", err)
	}
	r := newRig(t, pace{every: time.Hour, patience: 30 * time.Second})
	r.program = []string{builtProgram(t)}
	r.startAgent()
	free := memoryOf(t, r.agent.cmd.Process.Pid)
	r.agent.stop(time.Minute)
	r.configured("memory: {lock: true}\n")
	r.startAgent()
	locked := memoryOf(t, r.agent.cmd.Process.Pid)
	r.agent.stop(time.Minute)
	t.Logf("not locked: %v; locked: %v", free, locked)
	if free.locked != 0 || locked.locked < locked.resident/2 {
		t.Errorf("%d KiB are locked without asking, %d KiB of %d resident when asked", free.locked, locked.locked, locked.resident)
	}
	const more = 64 << 10
	if locked.resident > free.resident+more {
		t.Errorf("locked memory holds %d KiB, %d when it is not locked: what is reserved is filled", locked.resident, free.resident)
	}
}
