package main

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// forbidCoreDumps keeps what is in memory out of files: frames are in memory. From
// here on the kernel makes no core of this process, neither as a file nor for a
// handler to which core_pattern pipes, and lets no process of the same user read
// its memory.
func forbidCoreDumps() error {
	none := unix.Rlimit{}
	err := errors.Join(
		// The limit alone would not do: a handler gets its pipe all the same.
		unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0),
		unix.Setrlimit(unix.RLIMIT_CORE, &none),
	)
	if err != nil {
		return fmt.Errorf("forbid core dumps: %w", err)
	}
	return nil
}

// lockMemory keeps all memory of this process, present and future, out of swap.
func lockMemory() error {
	if err := mayLockMemory(); err != nil {
		return err
	}
	// On fault: Go's runtime, threads and ONNX Runtime reserve gigabytes of which they
	// use little; locking what is reserved would fill it first.
	if err := unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT); err != nil {
		return hinted(fmt.Errorf("lock memory: %w", err), unlocked)
	}
	return nil
}

// unlocked is what to do where memory cannot be locked.
const unlocked = "the service has LimitMEMLOCK=infinity; elsewhere begin with `ulimit -l unlimited`, or switch swap off and set memory.lock: false"

// mayLockMemory raises the limit on locked memory as far as this process may, and
// tells why that does not suffice. Nothing but unlimited does: with less, locking may
// succeed now and a later allocation fail, which ends the process in mid-look.
func mayLockMemory() error {
	if holdsIPCLock() {
		return nil // the limit is not for this process
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		return fmt.Errorf("lock memory: %w", err)
	}
	if limit.Max != unix.RLIM_INFINITY {
		return hinted(fmt.Errorf("lock memory: memory.lock is true, but this process may lock %d KiB (RLIMIT_MEMLOCK), not all of its memory", limit.Max>>10), unlocked)
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		return fmt.Errorf("lock memory: %w", err)
	}
	return nil
}

// holdsIPCLock tells whether this process is privileged to lock what it likes.
func holdsIPCLock() bool {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	err := unix.Capget(&hdr, &data[0])
	return err == nil && data[0].Effective&(1<<unix.CAP_IPC_LOCK) != 0
}
