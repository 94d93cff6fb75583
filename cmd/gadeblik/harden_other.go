//go:build !linux

package main

import "errors"

// forbidCoreDumps is possible where vehicles run.
func forbidCoreDumps() error {
	return errors.New("forbid core dumps: `gadeblik run` is for Linux; replay and demo run everywhere")
}
