//go:build figures && linux

package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gadeblik/blur"
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

// diskFigures puts findings into an outbox on a device of its own and takes them out
// again, the index committed at each item, then in groups.
func diskFigures(t *testing.T) []row {
	rows := []row{
		{what: "bytes written to the device per payload byte, each durable", bar: "≤ 1.7", result: notMeasured},
		{what: "  grouped", bar: "≤ 1.4", result: notMeasured},
	}
	d, whyNot := newDisk(t)
	if d == nil {
		rows[0].note, rows[1].note = whyNot, whyNot
		return rows
	}
	img := evidencePicture(t)
	for i, m := range []struct {
		commitEvery, removeBy int
		bar                   float64
	}{{1, 1, 1.7}, {50, 50, 1.4}} {
		put, removed := d.wearOf(t, img, m.commitEvery, m.removeBy)
		rows[i].measured, rows[i].result = fmt.Sprintf("%.2f", put), judged(put, m.bar)
		rows[i].note = fmt.Sprintf("%d findings with a picture of %d KB, sealed, ext4 on a loop device; removing them again, %d at a time, adds %.2f",
			wearItems, len(img.JPEG())/1000, m.removeBy, removed)
	}
	return rows
}

const wearItems = 200

// wearOf returns the bytes written to the device per payload byte by putting items
// in, and by removing them.
func (d *disk) wearOf(t *testing.T, img *blur.Image, commitEvery, removeBy int) (put, removed float64) {
	t.Helper()
	seal := sealer(t)
	outbox, _, err := uplink.OpenOutbox(filepath.Join(d.dir, fmt.Sprint("outbox-", commitEvery)), uplink.OutboxConfig{Seal: seal, CommitEvery: commitEvery})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := outbox.Close(); err != nil {
			t.Error(err)
		}
	}()
	payload, before := 0, d.written(t)
	var ids []string
	for n := range wearItems {
		o, e := findingWith(t, img, n)
		line, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		payload += len(line) + len(e.JPEG())
		ids = append(ids, seal.ParcelID(o.ID))
		if err := outbox.Put(o, e, uplink.Terms{Day: "2026-06-02"}); err != nil {
			t.Fatal(err)
		}
	}
	filled := d.written(t)
	for batch := range slices.Chunk(ids, removeBy) {
		if err := outbox.Remove(batch...); err != nil {
			t.Fatal(err)
		}
	}
	if outbox.Len() != 0 {
		t.Fatalf("%d items are left", outbox.Len())
	}
	return (filled - before) / float64(payload), (d.written(t) - filled) / float64(payload)
}
