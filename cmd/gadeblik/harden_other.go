//go:build !linux

package main

import (
	"errors"
	"fmt"
)

// forbidCoreDumps is possible where vehicles run. Elsewhere the error is
// [errors.ErrUnsupported], which run does not accept.
func forbidCoreDumps() error {
	return fmt.Errorf("forbid core dumps: `gadeblik run` is for Linux; replay and demo run everywhere: %w", errors.ErrUnsupported)
}

// lockMemory is possible where vehicles run.
func lockMemory() error { return mayLockMemory() }

func mayLockMemory() error {
	return fmt.Errorf("lock memory: memory.lock is for Linux: %w", errors.ErrUnsupported)
}
