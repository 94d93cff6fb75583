package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

const defaultSocket = "/run/gadeblik/control.sock"

func newSwitch(std stdio) *cobra.Command {
	var socket string
	var asJSON bool
	c := &cobra.Command{
		Use:   "switch on|off|status",
		Short: "Allow or forbid capture, as the driver's button does",
		Long: `Allow or forbid capture on the vehicle, as the driver's button does, over the
agent's local socket. The switch is off after every start.`,
		Example:   "  gadeblik switch on\n  gadeblik switch status --json",
		ValidArgs: []string{"on", "off", "status"},
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			method, path, body := http.MethodPut, "/switch", fmt.Sprintf(`{"on": %t}`, args[0] == "on")
			if args[0] == "status" {
				method, path, body = http.MethodGet, "/status", ""
			}
			cond, err := askControl(cmd.Context(), socket, method, path, strings.NewReader(body))
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(std.out).Encode(cond)
			}
			return printCondition(std, cond)
		},
	}
	c.Flags().StringVar(&socket, "socket", defaultSocket, "control socket of the agent")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func printCondition(std stdio, c condition) error {
	word := "off"
	if c.Switch.On {
		word = "on"
	}
	_, err := fmt.Fprintf(std.out, "switch %s since %s (by %s)\nagent  %s: %s\norders version %d\noutbox %d waiting\n%s%s",
		word, c.Switch.Since.Local().Format(time.DateTime), c.Switch.By,
		c.Status.State, c.Status.Reason, c.Status.OrdersVersion, c.Status.Counters["outbox_waiting"], uplinkLine(c.Status.Counters), boardLine(c.Status.Counters))
	return err
}

// uplinkLine tells whether the broker is at the other end, "" where there is to be none.
func uplinkLine(figures map[string]uint64) string {
	switch connected, ok := figures["uplink_connected"]; {
	case !ok:
		return ""
	case connected == 0:
		return "uplink not connected; what is found waits in the outbox\n"
	}
	return "uplink connected\n"
}
