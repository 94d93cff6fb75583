//go:build linux

package uplink

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// smallDisk mounts a file system of so many bytes, which needs root.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("mounting a small disk: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, 0) })
	return dir
}

// TestOutboxFullDisk fills the disk with items, then by somebody else to the last
// byte: what was accepted stays, removing works and makes room.
func TestOutboxFullDisk(t *testing.T) {
	dir := smallDisk(t, 12<<20)
	b, _ := openTestOutbox(t, dir, OutboxConfig{})
	var kept []int
	for n := 0; ; n++ {
		err := putPayload(b, n)
		if errors.Is(err, ErrFull) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, n)
	}
	if err := b.Healthy(); err != nil && !errors.Is(err, ErrFull) {
		t.Errorf("a full disk is taken for a broken one: %v", err)
	}
	if len(kept) < 100 {
		t.Fatalf("only %d items fit", len(kept))
	}
	checkPayloads(t, b, kept...)
	eat(t, filepath.Join(dir, "somebody-else"))
	for len(kept) > 40 {
		if err := b.Remove(testID(kept[0]).String()); err != nil {
			t.Fatalf("with %d items left: %v", len(kept), err)
		}
		// Every byte that comes free is eaten, as by a log that runs wild.
		if len(kept)%16 == 0 {
			eat(t, filepath.Join(dir, fmt.Sprint("more-", len(kept))))
		}
		kept = kept[1:]
	}
	checkPayloads(t, b, kept...)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b, report := openTestOutbox(t, dir, OutboxConfig{})
	if report != (OpenReport{Items: len(kept)}) {
		t.Errorf("got %+v, want %d items", report, len(kept))
	}
	checkPayloads(t, b, kept...)
	if err := os.Remove(filepath.Join(dir, "somebody-else")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.Healthy(), putPayload(b, 100_000)); err != nil {
		t.Errorf("with room again: %v", err)
	}
	checkPayloads(t, b, append(kept, 100_000)...)
}

// TestOutboxRemovesManyOnAFullDisk: receipts for hundreds of items change so many
// pages of the index that it must grow, and there is no room for that.
func TestOutboxRemovesManyOnAFullDisk(t *testing.T) {
	dir := smallDisk(t, 24<<20)
	b, _ := openTestOutbox(t, dir, OutboxConfig{})
	var ids []string
	for n := range 2000 {
		if err := b.put(record{id: testID(n), day: "d", task: "t"}, []byte("{}"), nil); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, testID(n).String())
	}
	for i := range 20 {
		eat(t, filepath.Join(dir, fmt.Sprint("somebody-else-", i)))
	}
	if err := b.Remove(ids[:1500]...); err != nil {
		t.Fatal(err)
	}
	if b.Len() != 500 {
		t.Errorf("%d are left", b.Len())
	}
	if _, err := os.Stat(b.ballast.path); err != nil {
		t.Errorf("with room again there is no new ballast: %v", err)
	}
}

// eat writes until the disk is full.
func eat(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		return // not even room for a name
	}
	defer f.Close()
	for {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
}

// TestOutboxPowerCut copies the disk under a running outbox, as it would be after
// a power cut at that moment: what only the page cache holds is not in the copy.
// Of what was accepted before the copy began, nothing may be missing.
func TestOutboxPowerCut(t *testing.T) {
	mkfs, err := exec.LookPath("mkfs.ext4")
	if err != nil {
		t.Skip("mkfs.ext4 is not installed")
	}
	t.Parallel()
	work := t.TempDir()
	image, mountpoint := filepath.Join(work, "disk"), filepath.Join(work, "mnt")
	if err := errors.Join(os.Mkdir(mountpoint, 0o700), os.WriteFile(image, nil, 0o600), os.Truncate(image, 24<<20)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(mkfs, "-q", image).CombinedOutput(); err != nil {
		t.Skipf("making a file system: %v\n%s", err, out)
	}
	mountDisk(t, image, mountpoint)
	dir := filepath.Join(mountpoint, "outbox")
	l := ledger{put: map[int]bool{}, removing: map[int]bool{}}
	rounds := 6
	if os.Getenv("CAMPAIGN") == "long" {
		rounds = 60
	}
	for round := range rounds {
		said := cutPower(t, dir, image, filepath.Join(work, "copy"), 10_000*round)
		l.read(t, said)
		copyMount := filepath.Join(work, fmt.Sprint("copy-mnt-", round))
		if err := os.Mkdir(copyMount, 0o700); err != nil {
			t.Fatal(err)
		}
		mountDisk(t, filepath.Join(work, "copy"), copyMount)
		r := l.check(t, filepath.Join(copyMount, "outbox"))
		t.Logf("cut %d: %d accepted so far, %+v", round, len(l.put), r)
		if out, err := exec.Command("umount", copyMount).CombinedOutput(); err != nil {
			t.Fatalf("umount: %v\n%s", err, out)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
}

func mountDisk(t *testing.T, image, dir string) {
	t.Helper()
	// commit=600: the file system must not save what we have not asked it to.
	if out, err := exec.Command("mount", "-o", "loop,commit=600", image, dir).CombinedOutput(); err != nil {
		t.Skipf("mounting a disk in a file: %v\n%s", err, out)
	}
	t.Cleanup(func() { exec.Command("umount", dir).Run() })
}

// cutPower runs a victim for a while, stops it, copies the disk, and kills it. It
// returns what the victim had said before the copy.
func cutPower(t *testing.T, dir, image, into string, start int) []byte {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestOutboxVictim$")
	cmd.Env = append(os.Environ(), victimDir+"="+dir, fmt.Sprintf("%s=%d", victimStart, start))
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd.Stdout = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if info, err := said.Stat(); err == nil && info.Size() > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the victim does not work")
		}
	}
	time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond)
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// The copy must show one moment, so no thread may still be writing.
	for deadline := time.Now().Add(20 * time.Second); !stopped(t, cmd.Process.Pid); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the victim does not stop")
		}
	}
	data, err := os.ReadFile(said.Name())
	if err != nil {
		t.Fatal(err)
	}
	copyFile(t, image, into)
	return data
}

// stopped tells whether every thread of a process has come to a stop.
func stopped(t *testing.T, pid int) bool {
	t.Helper()
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(stats) == 0 {
		t.Fatalf("no threads of process %d, %v", pid, err)
	}
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, state, _ := strings.Cut(string(data), ") "); !strings.HasPrefix(state, "T") {
			return false
		}
	}
	return true
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
