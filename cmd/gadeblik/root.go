package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// The exit codes that scripts may rely on.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// stdio is where a command reads and writes, so that a test can be a terminal.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// terminal tells whether a person watches w.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// usageError is a mistake in how the command was called.
type usageError struct{ error }

// hintedError is an error with a line that says how to mend it.
type hintedError struct {
	error
	hint string
}

func (e hintedError) Unwrap() error { return e.error }

// hinted adds the mend to an error; nil stays nil.
func hinted(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return hintedError{err, fmt.Sprintf(format, args...)}
}

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, args []string, std stdio) int {
	root := newRoot(std)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" {
			fmt.Fprintf(std.err, "gadeblik: %s\n", line)
		}
	}
	var h hintedError
	if errors.As(err, &h) {
		fmt.Fprintf(std.err, "hint: %s\n", h.hint)
	}
	if misused(err) {
		fmt.Fprintln(std.err, "run `gadeblik --help`, or `gadeblik COMMAND --help`, for how to call it")
		return exitUsage
	}
	return exitFailure
}

// misused tells whether an error is a mistake in how the command was called. Two
// of cobra's own have no type and pass no hook of ours.
func misused(err error) bool {
	var u usageError
	return errors.As(err, &u) ||
		strings.HasPrefix(err.Error(), "unknown command") || strings.HasPrefix(err.Error(), "required flag")
}

func newRoot(std stdio) *cobra.Command {
	root := &cobra.Command{
		Use:   "gadeblik",
		Short: "Look at the city only where and when somebody has a documented reason to",
		Long: `Gadeblik is the agent of a vehicle with a camera. It looks only inside the zones,
times and purposes of signed orders, only while the driver allows it, and lets
nothing leave the vehicle but evidence from which every person, face and number
plate is removed.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddGroup(
		&cobra.Group{ID: "see", Title: "See it work:"},
		&cobra.Group{ID: "vehicle", Title: "On the vehicle:"},
		&cobra.Group{ID: "office", Title: "In the case office:"},
		&cobra.Group{ID: "orders", Title: "Orders and keys:"},
	)
	add := func(group string, cmds ...*cobra.Command) {
		for _, c := range cmds {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("see", newDemo(std), newReplay(std), newRedact(std), newModels(std))
	add("vehicle", newRun(std), newSwitch(std), newCheck(std), newDoctor(std), newOutbox(std))
	add("office", newInbox(std))
	add("orders", newOrders(std), newCommand(std), newKeys(std))
	root.AddCommand(newVersion(std), newManual())
	usageArgs(root)
	return root
}

// usageArgs makes every command's complaint about its arguments a usage error.
func usageArgs(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{fmt.Errorf("%s: %w", cmd.CommandPath(), err)}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		usageArgs(sub)
	}
}
