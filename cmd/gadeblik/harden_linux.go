package main

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// forbidCoreDumps keeps what is in memory out of files: frames are in memory.
func forbidCoreDumps() error {
	none := unix.Rlimit{}
	err := errors.Join(
		unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0),
		unix.Setrlimit(unix.RLIMIT_CORE, &none),
	)
	if err != nil {
		return fmt.Errorf("forbid core dumps: %w", err)
	}
	return nil
}
