package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gadeblik/testdata/program"
	"gadeblik/uplink"
)

// car is a vehicle of the fault campaign, with what was done to it.
type car struct {
	*program.Program
	f         *faults
	name      string
	state     string
	disk      smallDisk
	lives     int
	destroyed map[string]bool // parcels whose files were damaged
}

func newCar(f *faults, n int) (*car, error) {
	name := fmt.Sprint("sweeper-", n+1)
	c := &car{f: f, name: name, state: filepath.Join(f.dir, name), destroyed: map[string]bool{}}
	if err := os.MkdirAll(c.state, 0o755); err != nil {
		return nil, err
	}
	if n == 0 { // its disk can be filled without harm to others
		c.disk = mountSmall(c.state)
	}
	if err := f.office.introduce(name, c.state); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c.Program = program.New(name, filepath.Join(f.dir, name+".log"), self, "vehicle", "--name", name, "--dir", c.state,
		"--office", f.office.identity+".pub", "--broker", f.way.url(), "--first", "0")
	return c, nil
}

// lifeSpan is more observations than a life can make.
const lifeSpan = 100_000

// start gives the car its next life; each observes what none has observed before.
func (c *car) start() error {
	c.lives++
	c.Args[len(c.Args)-1] = fmt.Sprint(c.lives * lifeSpan)
	return c.Program.Start()
}

// crash kills the car, does something to what it leaves, and starts it again.
func (c *car) crash(damage func(*car) error) error {
	if err := c.Ended(); err != nil {
		return violation{err}
	}
	c.Kill()
	if damage != nil {
		if err := damage(c); err != nil {
			return err
		}
	}
	time.Sleep(c.f.pause(300 * time.Millisecond))
	return c.start()
}

// finish stops observing and waits until everything has left.
func (c *car) finish() error {
	if err := c.ready(); err != nil {
		return err
	}
	if err := c.Stop(patience); err != nil {
		return violation{err}
	}
	return nil
}

// ready waits until the car's newest life has begun: before, it has no ear for a signal.
func (c *car) ready() error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		lines, err := readSaid(c.Log)
		if err != nil {
			return err
		}
		for _, s := range lines {
			if s.Idle && s.Life == c.lives*lifeSpan {
				return nil
			}
			if s.Error != "" {
				return violated("%s says: %s", c.name, s.Error)
			}
		}
	}
	return violated("%s did not come to life; its log is %s", c.name, c.Log)
}

func (c *car) outbox() string { return filepath.Join(c.state, "outbox") }

func (c *car) truncateIndex() error {
	path := filepath.Join(c.outbox(), "index.db")
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // killed before it made one
	}
	if err != nil {
		return err
	}
	return os.Truncate(path, c.f.rng.Int64N(info.Size()))
}

func (c *car) flipIndex() error {
	err := c.flip(filepath.Join(c.outbox(), "index.db"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// flip turns a random bit of a file over.
func (c *car) flip(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	at, b := c.f.rng.Int64N(info.Size()), []byte{0}
	if _, err := f.ReadAt(b, at); err != nil {
		return err
	}
	b[0] ^= 1 << c.f.rng.IntN(8)
	_, err = f.WriteAt(b, at)
	return err
}

// item picks a random item and notes that it is about to be destroyed.
func (c *car) item() (string, error) {
	paths, err := filepath.Glob(filepath.Join(c.outbox(), "items", "*.item"))
	if err != nil || len(paths) == 0 {
		return "", err
	}
	path := paths[c.f.rng.IntN(len(paths))]
	c.destroyed[parcelOf(path)] = true
	return path, nil
}

func (c *car) flipItem() error {
	path, err := c.item()
	if err != nil || path == "" {
		return err
	}
	return c.flip(path)
}

func (c *car) truncateItem() error {
	path, err := c.item()
	if err != nil || path == "" {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.Truncate(path, c.f.rng.Int64N(info.Size()))
}

// parcelOf reads the id out of the name of an item's file.
func parcelOf(path string) string {
	name := filepath.Base(path)
	_, id, _ := strings.Cut(name, "-")
	id, _, _ = strings.Cut(id, ".")
	return id
}

// reported returns the parcels that the car's outbox says are set aside or damaged.
func (c *car) reported() (map[string]bool, error) {
	found, err := uplink.Inspect(c.outbox())
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, it := range found.Items {
		if it.Aside || it.Damaged != nil {
			out[parcelOf(it.Path)] = true
		}
	}
	return out, nil
}

// unexpected says that the car reports damage that nobody has done, or nil.
func (c *car) unexpected(b *book, parcel string) error {
	if _, ok := b.parcels[parcel]; ok && !c.destroyed[parcel] {
		return fmt.Errorf("%s has set parcel %s aside, which nobody has touched", c.name, parcel)
	}
	return nil
}

// fillDisk takes every byte of the car's disk for a while.
func (c *car) fillDisk(d time.Duration) error {
	if !c.disk.mounted() {
		return nil // it would be everybody's disk
	}
	path := filepath.Join(c.state, "somebody-else")
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("fill the disk: %w", err)
	}
	block := make([]byte, 64<<10)
	for err == nil {
		_, err = f.Write(block)
		if err != nil && len(block) > 1 {
			block, err = block[:len(block)/2], nil
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return errors.Join(err, f.Close())
	}
	time.Sleep(d)
	return errors.Join(f.Close(), os.Remove(path))
}

// smallDisk is a file system of its own, "" where none could be mounted.
type smallDisk string

const smallSize = 48 << 20

// mountSmall needs root; without it the disk is never filled.
func mountSmall(dir string) smallDisk {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprint("size=", smallSize)); err != nil {
		fmt.Printf("  no disk to fill: %v\n", err)
		return ""
	}
	return smallDisk(dir)
}

func (d smallDisk) mounted() bool { return d != "" }

func (d smallDisk) close() {
	if d.mounted() {
		_ = syscall.Unmount(string(d), syscall.MNT_DETACH) // it goes with the machine
	}
}
