package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"gadeblik/cmd/gadeblik/config"
)

// The small file that tells how fast the disk is: what an observation with its
// picture takes, and as often as not to hurt a flash card.
const (
	probeBytes  = 256 << 10
	probeWrites = 4
	probeWithin = 4 * time.Second
	slowWrite   = 500 * time.Millisecond
)

// disk writes a small file where the outbox will, and throws it away.
func (v *visit) disk(context.Context) []checkup {
	const part = "disk"
	dir := v.cfg.StateDir
	if _, err := os.Stat(dir); err != nil {
		return []checkup{{part, ill, err.Error(), "make " + dir + " and give it to the agent's user; the service makes it by itself (StateDirectory=gadeblik)"}}
	}
	if line, no := v.refused(part, absolute(dir), mayRead|mayWrite|maySearch); no {
		return []checkup{line}
	}
	took, err := probeDisk(filepath.Join(dir, ".doctor"))
	if err != nil {
		return []checkup{{part, ill, err.Error(), "make room on the disk, or mount it for writing; `dmesg | tail` names errors of the disk itself"}}
	}
	free, err := freeSpace(dir)
	if err != nil {
		return []checkup{{part, ill, err.Error(), ""}}
	}
	m, ok := v.mountOf(v.node(absolute(dir)))
	if !ok {
		m.kind = "unknown file system"
	}
	return []checkup{v.judgeDisk(v.cfg, m, free, took)}
}

// probeDisk writes and syncs a small file a few times and returns how long the
// slowest took.
func probeDisk(path string) (slowest time.Duration, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(path)) }()
	block := make([]byte, probeBytes)
	for i, began := 0, time.Now(); i < probeWrites && time.Since(began) < probeWithin; i++ {
		for j := range block {
			block[j] = byte(i + j*j) // a disk that compresses would flatter itself on zeros
		}
		write := time.Now()
		if _, err := f.WriteAt(block, 0); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		slowest = max(slowest, time.Since(write))
	}
	return slowest, nil
}

// freeSpace is how many bytes a user may still write where a folder lies.
func freeSpace(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

// forgetful are file systems that are gone with the power.
func forgetful() []string { return []string{"tmpfs", "ramfs"} }

// weak are file systems without a journal or without owners.
func weak() []string { return []string{"vfat", "exfat", "msdos", "ntfs", "ntfs3", "fuseblk", "ext2"} }

func (k kernelFiles) judgeDisk(cfg *config.Config, m mount, free int64, took time.Duration) checkup {
	const part = "disk"
	says := fmt.Sprintf("%s is writable, %d MiB free, %s, %d KiB are safe after %d ms at worst",
		cfg.StateDir, free>>20, m.kind, probeBytes>>10, took.Milliseconds())
	switch {
	case slices.Contains(forgetful(), m.kind):
		return checkup{part, ill, says + "; what is in it does not survive a restart", "put state_dir on a disk"}
	case slices.Contains(weak(), m.kind):
		return checkup{part, doubt, says + "; a power cut may damage it", "put state_dir on ext4, or on another file system with a journal"}
	case free < int64(cfg.Outbox.MaxBytes):
		return checkup{part, doubt, says, fmt.Sprintf("outbox.max_bytes is %s: lower it, or make room", cfg.Outbox.MaxBytes)}
	case took > slowWrite:
		return checkup{part, doubt, says + ": that is slow", "a better card or an SSD; this one may be near its end"}
	}
	if m.kind != "ext4" {
		return checkup{part, healthy, says, ""}
	}
	fast, err := k.fastCommit(m.source)
	switch {
	case err != nil:
		return checkup{part, healthy, says, ""} // it is a hint, for whoever may read the device
	case fast:
		return checkup{part, healthy, says + ", with fast_commit", ""}
	}
	return checkup{part, healthy, says + "; `tune2fs -O fast_commit " + m.source + "` makes such writes faster, with Linux 5.10 or newer", ""}
}

// fastCommit reads from an ext4 file system's superblock whether it has the feature
// of that name. Only root may read a disk.
func (k kernelFiles) fastCommit(device string) (bool, error) {
	// Offsets and numbers are those of ext4's on-disk format.
	const superblock, magicAt, compatibleAt, magic, fast = 1024, 0x38, 0x5c, 0xef53, 0x400
	path := filepath.Join(k.root, device)
	if info, err := os.Stat(path); err != nil || info.Mode()&fs.ModeCharDevice != 0 {
		return false, errors.Join(err, fs.ErrInvalid)
	}
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close() // only read
	sb := make([]byte, compatibleAt+4)
	if _, err := io.ReadFull(io.NewSectionReader(f, superblock, int64(len(sb))), sb); err != nil {
		return false, err
	}
	if binary.LittleEndian.Uint16(sb[magicAt:]) != magic {
		return false, fs.ErrInvalid
	}
	return binary.LittleEndian.Uint32(sb[compatibleAt:])&fast != 0, nil
}
