//go:build figures && linux

package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gadeblik/uplink"
)

// disk is a file system of its own on a loop device, whose writes can be told
// from those of the rest of the machine.
type disk struct {
	dir    string
	device string // such as loop0
}

// newDisk makes a disk that lasts as long as the test, or says why it cannot.
func newDisk(t *testing.T) (d *disk, whyNot string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil, "a loop device needs root"
	}
	image := filepath.Join(t.TempDir(), "disk.img")
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, 256<<20)); err != nil {
		t.Fatal(err)
	}
	// Not lazily: what is initialised later would be counted.
	if said, err := exec.Command("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image).CombinedOutput(); err != nil {
		return nil, fmt.Sprintf("mkfs.ext4: %v %s", err, said)
	}
	device, err := exec.Command("losetup", "-f", "--show", image).Output()
	if err != nil {
		return nil, fmt.Sprintf("losetup: %v", err)
	}
	path := strings.TrimSpace(string(device))
	t.Cleanup(func() {
		if err := exec.Command("losetup", "-d", path).Run(); err != nil {
			t.Errorf("losetup -d %s: %v", path, err)
		}
	})
	dir := t.TempDir()
	if err := unix.Mount(path, dir, "ext4", 0, ""); err != nil {
		return nil, fmt.Sprintf("mount %s: %v", path, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return &disk{dir, filepath.Base(path)}, ""
}

// written returns how many bytes have been written to the device, after all that
// waits has been.
func (d *disk) written(t *testing.T) float64 {
	t.Helper()
	unix.Sync()
	raw, err := os.ReadFile(filepath.Join("/sys/block", d.device, "stat"))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(raw))
	sectors, err := strconv.ParseUint(fields[6], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return float64(sectors) * 512
}

func diskFigures(t *testing.T) []row {
	const items = 200
	each := row{what: "bytes written to the device per payload byte, each durable", bar: "≤ 1.7", result: notMeasured}
	grouped := row{
		what: "  grouped", bar: "≤ 1.4", result: notBuilt,
		note: "brought by group commit in the outbox",
	}
	d, whyNot := newDisk(t)
	if d == nil {
		each.note = whyNot
		return []row{each, grouped}
	}
	img := evidencePicture(t)
	outbox := filled(t, filepath.Join(d.dir, "outbox"), 0, nil)
	defer func() {
		if err := outbox.Close(); err != nil {
			t.Error(err)
		}
	}()
	payload, before := 0, d.written(t)
	var ids []string
	for n := range items {
		o, e := findingWith(t, img, n)
		line, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		payload += len(line) + len(e.JPEG())
		ids = append(ids, o.ID)
		if err := outbox.Put(o, e, "2026-06-02"); err != nil {
			t.Fatal(err)
		}
	}
	put := d.written(t)
	removeAll(t, outbox, ids)
	removed := d.written(t)
	ratio := (put - before) / float64(payload)
	each.measured, each.result = fmt.Sprintf("%.2f", ratio), judged(ratio, 1.7)
	each.note = fmt.Sprintf("%d findings with a picture of %d KB, ext4 on a loop device; removing them again, one by one, adds %.2f%s",
		items, len(img.JPEG())/1000, (removed-put)/float64(payload),
		each.result.unless("each item commits on its own; group commit in the outbox brings fewer commits"))
	return []row{each, grouped}
}

func removeAll(t *testing.T, outbox *uplink.Outbox, ids []string) {
	t.Helper()
	for _, id := range ids {
		if err := outbox.Remove(id); err != nil {
			t.Fatal(err)
		}
	}
}
