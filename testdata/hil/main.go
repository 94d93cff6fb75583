// Command hil tells a vehicle's story on real drivers: it boots a stock Debian kernel in
// QEMU, runs the daemon there, and is its street, its driver, its camera, its GPS, its
// broker and its case office. Then it breaks each of them, one after the other.
//
//	hil run --arch arm64 --cache build/hil [--program FILE] [--keep]
//	hil guest ADDRESS      (in the machine; see package guest)
//
// Each line of its output is one event: seconds since the start, PASS or FAIL, what, how
// long it took, and what was seen. The exit code is 0 if all passed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"gadeblik/testdata/hil/guest"
)

func main() {
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "hil:", err)
		os.Exit(1)
	}
}

func command(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "guest":
		return guest.Serve(args[1])
	case len(args) > 0 && args[0] == "run":
		return runStory(args[1:])
	}
	return errors.New("usage: hil run [flags], or hil guest ADDRESS")
}

// options are the flags of a run.
type options struct {
	arch    string
	cache   string // of setup.sh, and what the Makefile builds for the guest
	program string // for this machine: keys, orders, inbox
	drive   string // whose pictures the camera shows
	only    string
	keep    bool
}

// tells whether a chapter is wanted.
func (o options) tells(chapter string) bool {
	return slices.ContainsFunc(strings.Split(o.only, ","), func(word string) bool { return strings.Contains(chapter, word) })
}

// longest is when a run that hangs is ended.
const longest = 40 * time.Minute

func runStory(args []string) error {
	var o options
	f := flag.NewFlagSet("hil run", flag.ContinueOnError)
	f.StringVar(&o.arch, "arch", "arm64", "machine to emulate: arm64 or amd64")
	f.StringVar(&o.cache, "cache", "build/hil", "folder of kernels and of what was built for the guest")
	f.StringVar(&o.program, "program", "bin/gadeblik", "gadeblik for this machine")
	f.StringVar(&o.drive, "drive", "testdata/drives/demo", "drive whose pictures the camera shows")
	f.StringVar(&o.only, "only", "", "words, with commas: tell only chapters with one of them in the name, and those that the rest needs")
	f.BoolVar(&o.keep, "keep", false, "keep the folder of the run")
	if err := f.Parse(args); err != nil {
		return err
	}
	if _, ok := boards[o.arch]; !ok {
		return fmt.Errorf("--arch %s: it is arm64 or amd64", o.arch)
	}
	var err error
	for _, path := range []*string{&o.cache, &o.program, &o.drive} {
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, longest, fmt.Errorf("the story is not at its end after %s", longest))
	defer cancel()
	return tell(ctx, o)
}
