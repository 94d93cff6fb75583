// Command campaign does to a fleet what streets do to it, and counts what arrives.
//
//	go run ./testdata/campaign faults [--rounds 300] [--seed 1]
//	go run ./testdata/campaign week   [--items 5000]
//	go run ./testdata/campaign fleet  [--vehicles 200] [--each 50]
//
// All run real parts on this machine: mosquitto, `gadeblik inbox serve` (built into
// bin/gadeblik), and vehicles that are processes of their own with an outbox on a
// disk and a link through a network that is made slow, lossy and short of breath.
//
// faults kills each of them at random with SIGKILL, cuts the network, fills a disk
// and damages files, and then holds what the inbox has stored against what each
// vehicle had accepted: at least once, stored once, the same bytes, none unaccounted.
//
// week lets a vehicle collect for a week without a network and then drains it through
// 1 Mbit/s. fleet is many vehicles, one broker and two inboxes that share the work.
//
// The exit code is 0 if everything held.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := &cobra.Command{Use: "campaign", Short: "Do to a fleet what streets do to it", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(newFaults(), newWeek(), newFleet(), newVehicle())
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "campaign:", err)
		var broken violation
		if errors.As(err, &broken) {
			os.Exit(1)
		}
		os.Exit(2)
	}
}

// violation is a promise that did not hold, in contrast to a campaign that could not
// be run.
type violation struct{ error }

func violated(format string, args ...any) error { return violation{fmt.Errorf(format, args...)} }
