package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gadeblik/cmd/gadeblik/config"
)

// checkup is one line of the doctor's: what was looked at, how it is, and the
// mend where something is wrong.
type checkup struct {
	Part  string `json:"part"`
	State string `json:"state"` // ok, warn, fail
	Says  string `json:"says"`
	Mend  string `json:"mend,omitempty"`
}

const (
	healthy = "ok"
	doubt   = "warn"
	ill     = "fail"
)

// doctor is what the command was asked for.
type doctor struct {
	std    stdio
	flags  *pflag.FlagSet
	path   string
	asJSON bool
	watch  bool
	every  time.Duration

	hanging map[string]chan []checkup // looks of an earlier round that have not come back, by part
}

func newDoctor(std stdio) *cobra.Command {
	d := &doctor{std: std, hanging: map[string]chan []checkup{}}
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look at devices, models, broker, clock and disk: what is wrong, and the mend",
		Long: `Look at everything this vehicle needs, one line each: ok, warn or fail, and the
mend. It opens the GPS for a few seconds, the camera for a moment, and connects to
the broker. Where the agent runs, it holds GPS and camera: then it is asked how
they are, and goes on undisturbed.

Without --config it takes $GADEBLIK_CONFIG, else ` + usualConfig + `. Started by
root it judges permissions as they are for the service's user.

The exit code is 1 where something fails; what is only in doubt is no failure.`,
		Example: `  sudo gadeblik doctor
  gadeblik doctor --config /etc/gadeblik/gadeblik.yaml --json
  sudo gadeblik doctor --watch     # while cables are plugged`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if d.every < time.Second {
				return usageError{fmt.Errorf("--every must be at least 1s (got %s)", d.every)}
			}
			d.flags = cmd.Flags()
			if d.watch {
				return d.keepWatch(cmd.Context())
			}
			r := d.round(cmd.Context())
			return errors.Join(d.print(r), r.err())
		},
	}
	c.Flags().StringVarP(&d.path, "config", "c", "", "configuration file (default: $GADEBLIK_CONFIG, else "+usualConfig+")")
	c.Flags().BoolVar(&d.asJSON, "json", false, "print JSON lines, a summary last")
	c.Flags().BoolVar(&d.watch, "watch", false, "look again and again, until SIGINT")
	c.Flags().DurationVar(&d.every, "every", 5*time.Second, "with --watch: from one look to the next")
	config.AddFlags(c.Flags())
	return c
}

// unwell is exit code 1 without a further word: what is wrong has been printed.
type unwell struct{}

func (unwell) Error() string { return "" }

// verdict makes a line of an error, or of what is said where there is none.
func verdict(part string, err error, says, mend string) checkup {
	if err == nil {
		return checkup{part, healthy, says, ""}
	}
	var h hintedError
	if errors.As(err, &h) {
		mend = h.hint
	}
	return checkup{part, ill, err.Error(), mend}
}

// clearScreen is what a terminal understands as that.
const clearScreen = "\x1b[H\x1b[2J"

// keepWatch looks again and again until ctx ends. A terminal is drawn anew each
// time; elsewhere only what has changed is printed. The last whole round decides
// the exit code.
func (d *doctor) keepWatch(ctx context.Context) error {
	var last *round
	seen := map[string]string{}
	for {
		r := d.round(ctx)
		if ctx.Err() != nil { // what it said is of the end and not of the vehicle
			break
		}
		last = r
		if err := d.tell(r, seen); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(d.every):
		}
		if ctx.Err() != nil {
			break
		}
	}
	if last == nil {
		return ctx.Err()
	}
	return last.err()
}

// tell shows a round of a watch. seen is what was printed last, by part.
func (d *doctor) tell(r *round, seen map[string]string) error {
	if terminal(d.std.out) && !d.asJSON {
		if _, err := fmt.Fprint(d.std.out, clearScreen); err != nil {
			return err
		}
		return d.print(r)
	}
	news := r.since(seen)
	if len(news) == 0 {
		return nil
	}
	if d.asJSON {
		for _, c := range news {
			if err := json.NewEncoder(d.std.out).Encode(c); err != nil {
				return err
			}
		}
		return d.printSummary(r)
	}
	if _, err := fmt.Fprintln(d.std.out, time.Now().Format(time.DateTime)); err != nil {
		return err
	}
	for _, c := range news {
		if err := d.printLine(c, false); err != nil {
			return err
		}
	}
	return d.printSummary(r)
}
