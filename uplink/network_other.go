//go:build !linux

package uplink

import (
	"context"
	"errors"
)

// WatchNetwork returns an error at once: networks are watched on Linux only.
func WatchNetwork(context.Context, func()) error {
	return errors.New("watch networks: not known how on this system")
}
