package main

import (
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// heatEvery is how old what is known of the board's heat may be: sensors are slow,
// and some ask a firmware over a mailbox.
const heatEvery = 10 * time.Second

// board reads how warm the computer is. Make it with [newBoard]. It may be asked by
// several goroutines, at any rate: it reads at most every [heatEvery].
type board struct {
	zones, cooling                []string // files
	throttled, frequency, maximum string

	mu   sync.Mutex // one reading at a time, kept for the next
	at   time.Time
	last heat
	buf  [64]byte
}

// newBoard finds the sensors below root, which is / but in tests. Sensors are part of
// the board: none comes later.
func newBoard(root string) *board {
	b := &board{
		throttled: filepath.Join(root, "sys/devices/platform/soc/soc:firmware/get_throttled"),
		frequency: filepath.Join(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq"),
		maximum:   filepath.Join(root, "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq"),
	}
	// The patterns are constants; only root could be a bad one, and then there is no zone.
	b.zones, _ = filepath.Glob(filepath.Join(root, "sys/class/thermal/thermal_zone*/temp"))
	devices, _ := filepath.Glob(filepath.Join(root, "sys/class/thermal/cooling_device*"))
	for _, d := range devices {
		// Fans cool too, and slow nothing down.
		if kind, err := b.read(filepath.Join(d, "type")); err == nil && strings.Contains(kind, "cpufreq") {
			b.cooling = append(b.cooling, filepath.Join(d, "cur_state"))
		}
	}
	return b
}

// figures adds temperature_dC and throttled to the counters of a status, where the
// board knows them.
func (b *board) figures(m map[string]uint64) { b.now(time.Now()).add(m) }

// now is how the board is, at most [heatEvery] ago.
func (b *board) now(at time.Time) heat {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at.IsZero() || at.Sub(b.at) >= heatEvery || at.Before(b.at) {
		b.last, b.at = b.measure(), at
	}
	return b.last
}

// measure reads every sensor. One that does not answer, as some do while their part
// of the chip sleeps, is left out.
func (b *board) measure() heat {
	h := heat{tells: len(b.cooling) > 0}
	for _, zone := range b.zones {
		if t, err := b.number(zone, 10); err == nil && plausible(t) && (!h.known || t > h.milli) {
			h.known, h.milli = true, t
		}
	}
	if bits, err := b.number(b.throttled, 16); err == nil {
		h.tells, h.bits = true, uint64(bits)
	}
	for _, device := range b.cooling {
		if state, err := b.number(device, 10); err == nil && state > 0 {
			h.cooling = true
		}
	}
	h.kHz, _ = b.number(b.frequency, 10) // 0 is unknown, here and below
	h.maxKHz, _ = b.number(b.maximum, 10)
	return h
}

// plausible tells a temperature in thousandths of a degree from what sensors without
// power say, such as -274000 or 2147483647.
func plausible(milli int64) bool { return milli > -60_000 && milli < 150_000 }

// number reads a file that holds one number.
func (b *board) number(path string, base int) (int64, error) {
	text, err := b.read(path)
	if err != nil {
		return 0, err
	}
	if base == 16 {
		text = strings.TrimPrefix(text, "0x")
	}
	return strconv.ParseInt(text, base, 64)
}

// read reads a small file of the kernel's into the board's own memory.
func (b *board) read(path string) (string, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	n, err := unix.Read(fd, b.buf[:])
	if err := errors.Join(err, unix.Close(fd)); err != nil {
		return "", err
	}
	return strings.TrimSpace(string(b.buf[:n])), nil
}
