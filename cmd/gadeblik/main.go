// Command gadeblik is the agent of a vehicle that looks at the city only where
// and when it has orders to, and lets nothing leave but redacted evidence.
//
// The commands are in one file each; wire.go makes an agent of a configuration.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	_ "time/tzdata" // a vehicle computer may have no time zones of its own
)

// version is set by the linker.
var version = "dev"

func main() {
	// Here and not in the commands that open frames or evidence: a list of these
	// could lack one. A desk without Linux may still replay; run demands it again.
	if err := forbidCoreDumps(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		fmt.Fprintf(os.Stderr, "gadeblik: %v\n", err)
		os.Exit(exitFailure)
	}
	// The first signal asks every command to finish what it began; the second
	// finds the default again and ends the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(execute(ctx, os.Args[1:], stdio{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}
