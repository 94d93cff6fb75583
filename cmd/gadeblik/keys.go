package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"gadeblik/uplink"
)

func newKeys(std stdio) *cobra.Command {
	c := &cobra.Command{
		Use:   "keys",
		Short: "Make and show the keys that orders are signed with",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newKeysNew(std), newKeysShow(std))
	return c
}

// keyInfo is what may be said of a key.
type keyInfo struct {
	ID      string `json:"id"`
	Private string `json:"private,omitempty"` // path
	Public  string `json:"public"`            // path
}

func newKeysNew(std stdio) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "new FILE",
		Short: "Make a key pair: FILE, which stays with you, and FILE.pub for the vehicles",
		Example: `  gadeblik keys new fleet-admin.key
  # on each vehicle, in gadeblik.yaml:
  #   orders: {trusted_keys: [/etc/gadeblik/fleet-admin.key.pub]}`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			k, err := uplink.NewKey()
			if err != nil {
				return err
			}
			if err := uplink.WriteKey(args[0], k); err != nil {
				return err
			}
			info := keyInfo{ID: k.Public().ID(), Private: args[0], Public: args[0] + ".pub"}
			if asJSON {
				return json.NewEncoder(std.out).Encode(info)
			}
			_, err = fmt.Fprintf(std.out, "key %s\n  %s  keep this: whoever has it gives the fleet its orders\n  %s  put this on the vehicles (orders.trusted_keys)\n",
				info.ID, info.Private, info.Public)
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func newKeysShow(std stdio) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show FILE.pub...",
		Short: "Say which keys these are",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, path := range args {
				k, err := uplink.ReadPublic(path)
				if err != nil {
					return err
				}
				if asJSON {
					err = json.NewEncoder(std.out).Encode(keyInfo{ID: k.ID(), Public: path})
				} else {
					_, err = fmt.Fprintf(std.out, "%s  %s\n", k.ID(), path)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON lines")
	return c
}
