// Command soak lets one agent work for a long time and looks whether it stays as it
// was: in memory, descriptors, threads, goroutines and on the disk.
//
//	go run ./testdata/soak [--for 10m] [--program bin/gadeblik] [--only idle|work|faults]
//
// The parts are real: the program that `make build` leaves, a serial GPS (a
// pseudo-terminal that is fed ten times a second), a recorded drive for a camera, a
// broker (mosquitto) and an inbox. One process of the agent goes through three phases:
//
//   - idle: the vehicle drives far from any zone. The camera must stay closed and the
//     agent must take less than a hundredth of a processor core.
//   - work: it drives in and out of zones, and evidence flows to the inbox.
//   - faults: it does so while the broker goes away and comes back, and the GPS is
//     unplugged and plugged in again.
//
// The exit code is 0 if everything held, 1 if not, and 2 if the soak could not be run.
// series.go says what counts as growth. Descriptors can be counted by root only: the
// agent lets nobody else look into it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := soak{}
	flag.DurationVar(&s.length, "for", 10*time.Minute, "how long, all phases together")
	flag.StringVar(&s.program, "program", "bin/gadeblik", "the program under test")
	flag.StringVar(&s.dir, "dir", "", "folder to work in, kept afterwards (default: a temporary one, kept where something did not hold)")
	flag.StringVar(&s.only, "only", "", "one phase alone: idle, work or faults")
	flag.StringVar(&s.lib, "onnxruntime", "build/onnxruntime", "folder of ONNX Runtime")
	flag.Parse()
	err := s.run(ctx)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "soak:", err)
	var broken violation
	if errors.As(err, &broken) {
		os.Exit(1)
	}
	os.Exit(2)
}

// violation is a promise that did not hold, in contrast to a soak that could not be
// run.
type violation struct{ error }

func violated(format string, args ...any) error { return violation{fmt.Errorf(format, args...)} }
