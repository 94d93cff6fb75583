package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"gadeblik/uplink"
)

// actions are the words of the command line.
var actions = [...]struct {
	word   string
	action uplink.Action
}{{"pause", uplink.Pause}, {"resume", uplink.Resume}, {"status", uplink.SendStatus}}

// commandOptions are the flags of `command`.
type commandOptions struct {
	brokerFlags
	keys     []string
	fleet    string
	vehicles []string
	expires  time.Duration
	asJSON   bool
}

func newCommand(std stdio) *cobra.Command {
	var o commandOptions
	c := &cobra.Command{
		Use:   "command pause|resume|status",
		Short: "Tell vehicles to pause, to go on, or to say how they are",
		Long: `Sign a command, send it to vehicles that are on line, and wait for their status.
A vehicle that is paused captures nothing until it is told to resume, whatever its
switch says, and also after a restart. A command counts once and for a short time.
The exit code is 1 where a vehicle refuses or does not answer.`,
		Example:   "  gadeblik command pause --key fleet-admin.key --fleet copenhagen-sweepers --vehicle sweeper-03 --broker tls://broker.example:8883",
		ValidArgs: []string{actions[0].word, actions[1].word, actions[2].word},
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, a := range actions {
				if a.word == args[0] {
					return o.command(cmd.Context(), std, a.action)
				}
			}
			return nil
		},
	}
	o.add(c.Flags())
	f := c.Flags()
	f.StringArrayVar(&o.keys, "key", nil, "private key file; give it again where several must sign")
	f.StringVar(&o.fleet, "fleet", "", "fleet of the vehicles")
	f.StringArrayVar(&o.vehicles, "vehicle", nil, "vehicle to send to; may be given again")
	f.DurationVar(&o.expires, "expires", 10*time.Minute, "how long the command is good for, at most 24h")
	f.BoolVar(&o.asJSON, "json", false, "print JSON, a line for each vehicle")
	return c
}

func (o *commandOptions) command(ctx context.Context, std stdio, action uplink.Action) error {
	if len(o.keys) == 0 || o.fleet == "" || len(o.vehicles) == 0 {
		return usageError{errors.New("send command: name the key with --key, the fleet with --fleet and each vehicle with --vehicle")}
	}
	keys, err := readSigners(o.keys)
	if err != nil {
		return err
	}
	envelope, err := uplink.SignCommand(uplink.NewCommand(action, o.fleet, o.vehicles, time.Now(), o.expires), keys...)
	if err != nil {
		return err
	}
	link, err := o.link()
	if err != nil {
		return err
	}
	link.Fleet = o.fleet
	var errs []error
	for _, a := range o.ask(ctx, link, envelope) {
		errs = append(errs, a.print(std, o.asJSON), a.err)
	}
	return errors.Join(errs...)
}

// ask sends the command to all vehicles at once: one that is off line must not
// keep the others from hearing of it.
func (o *commandOptions) ask(ctx context.Context, link uplink.LinkConfig, envelope []byte) []commandAnswer {
	ctx, cancel := context.WithTimeout(ctx, o.wait)
	defer cancel()
	answers := make([]commandAnswer, len(o.vehicles))
	var all sync.WaitGroup
	for i, vehicle := range o.vehicles {
		link := link
		link.Vehicle = vehicle
		all.Go(func() { answers[i] = askOne(ctx, link, envelope) })
	}
	all.Wait()
	return answers
}

func askOne(ctx context.Context, link uplink.LinkConfig, envelope []byte) commandAnswer {
	a := commandAnswer{Vehicle: link.Vehicle}
	status, err := uplink.SendCommand(ctx, link, envelope)
	if err == nil {
		a.Status, a.Accepted = &status, status.Command.Accepted
		if !a.Accepted {
			err = fmt.Errorf("refuses: %s", status.Command.Reason)
		}
	}
	if err != nil {
		a.Error = err.Error()
		a.err = fmt.Errorf("%s: %w", link.Vehicle, err)
	}
	return a
}

// commandAnswer is what became of a command at one vehicle.
type commandAnswer struct {
	Vehicle  string         `json:"vehicle"`
	Accepted bool           `json:"accepted"`
	Error    string         `json:"error,omitempty"`
	Status   *uplink.Status `json:"status,omitempty"`

	err error
}

func (a commandAnswer) print(std stdio, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(std.out).Encode(a)
	}
	if a.err != nil {
		return nil // it is on its way to where errors are printed
	}
	paused := ""
	if a.Status.Paused {
		paused = ", paused"
	}
	_, err := fmt.Fprintf(std.out, "%s: %s (%s)%s, orders version %d, outbox %d waiting\n",
		a.Vehicle, a.Status.State, a.Status.Reason, paused, a.Status.OrdersVersion, a.Status.Counters["outbox_waiting"])
	return err
}
