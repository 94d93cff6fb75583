package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gadeblik/cmd/gadeblik/config"
)

// kernelFiles is where the kernel says what it does with memory.
type kernelFiles struct{ root string }

func (k kernelFiles) read(name string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(k.root, name))
	return strings.TrimSpace(string(raw)), err
}

// checkSwap asks whether frames could be swapped to disk.
func checkSwap(_ context.Context, cfg *config.Config) checkup {
	return kernelFiles{"/"}.swap(cfg.Memory.Lock, mayLockMemory)
}

func (k kernelFiles) swap(lock bool, mayLock func() error) checkup {
	if lock {
		if err := mayLock(); err != nil {
			c := verdict("swap", err, "", "")
			c.State = doubt // the service may have another limit than this shell
			return c
		}
		return checkup{"swap", healthy, "the agent's memory is locked: nothing of it is swapped", ""}
	}
	list, err := k.read("proc/swaps")
	if err != nil {
		return checkup{"swap", doubt, "nobody knows whether memory is swapped: " + err.Error(), "set memory.lock: true"}
	}
	areas := k.onDisk(list)
	if len(areas) == 0 {
		return checkup{"swap", healthy, "nothing is swapped to a disk", ""}
	}
	says := "memory may be swapped to " + strings.Join(areas, ", ") + ", frames with it"
	if k.limitsSwap() {
		says += ", but not by the service, which has MemorySwapMax=0"
	} else {
		says += "; this kernel has no memory cgroup, so MemorySwapMax=0 of the service does nothing"
	}
	return checkup{"swap", doubt, says, "set memory.lock: true, or switch swap off for good"}
}

// onDisk returns the areas of /proc/swaps that are more than compressed memory.
func (k kernelFiles) onDisk(list string) []string {
	var areas []string
	for i, line := range strings.Split(list, "\n") {
		f := strings.Fields(line)
		if i == 0 || len(f) == 0 {
			continue // the heading
		}
		// zram is memory, unless it writes what it cannot compress to a disk.
		device := filepath.Base(f[0])
		backing, err := k.read("sys/block/" + device + "/backing_dev")
		if strings.HasPrefix(device, "zram") && (errors.Is(err, os.ErrNotExist) || err == nil && backing == "none") {
			continue
		}
		areas = append(areas, f[0])
	}
	return areas
}

// limitsSwap tells whether MemorySwapMax= has an effect: Raspberry Pi OS starts its
// kernel with the memory cgroup disabled.
func (k kernelFiles) limitsSwap() bool {
	controllers, err := k.read("sys/fs/cgroup/cgroup.controllers")
	return err == nil && slices.Contains(strings.Fields(controllers), "memory")
}

// checkCores asks what becomes of a crash.
func checkCores(context.Context, *config.Config) checkup { return kernelFiles{"/"}.cores() }

func (k kernelFiles) cores() checkup {
	const own = "the agent forbids them for itself when it starts, for files and handlers alike"
	pattern, err := k.read("proc/sys/kernel/core_pattern")
	if err != nil {
		return checkup{"cores", doubt, "nobody knows what becomes of core dumps: " + err.Error(), "none is needed for the agent: " + own}
	}
	handler, piped := strings.CutPrefix(pattern, "|")
	if !piped {
		return checkup{"cores", healthy, fmt.Sprintf("core dumps of other programs go to files (%s); %s", pattern, own), ""}
	}
	return checkup{
		"cores", doubt, fmt.Sprintf("core dumps are handed to %s, which may keep or send them; %s", handler, own),
		"the agent is safe; to keep the rest of this computer out of it too: `sysctl kernel.core_pattern=core`, or remove that program",
	}
}
