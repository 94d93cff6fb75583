package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"filippo.io/age"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gadeblik/cmd/gadeblik/config"
	"gadeblik/uplink"
)

func newInbox(std stdio) *cobra.Command {
	c := &cobra.Command{
		Use:   "inbox",
		Short: "Receive observations as the case office, and look after them",
		Long: `Receive observations and pictures as the case office: open and verify what the
vehicles seal and sign, store it in a folder, and send receipts. What is stored is
deleted when it expires. docs/inbox.md says how to set it up.

Each flag is also a variable: --dir is GADEBLIK_INBOX_DIR.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newInboxServe(std), newInboxLs(std), newInboxShow(std), newInboxPurge(std), newInboxReindex(std), newInboxImport(std))
	for _, sub := range c.Commands() {
		run := sub.RunE
		sub.RunE = func(cmd *cobra.Command, args []string) error {
			if err := inboxVariables(cmd.Flags()); err != nil {
				return err
			}
			return run(cmd, args)
		}
	}
	return c
}

// inboxVariables sets the flags that are not given from the environment. A list is
// separated by commas.
func inboxVariables(flags *pflag.FlagSet) error {
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "GADEBLIK_INBOX_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, set := os.LookupEnv(name)
		if f.Changed || !set {
			return
		}
		values := []string{value}
		if f.Value.Type() == "stringArray" {
			values = strings.Split(value, ",")
		}
		for _, v := range values {
			if err := flags.Set(f.Name, v); err != nil {
				errs = append(errs, usageError{fmt.Errorf("%s: %w", name, err)})
			}
		}
	})
	return errors.Join(errs...)
}

// inboxOptions are the flags of the inbox's commands.
type inboxOptions struct {
	dir, broker, fleet, share, clientID string
	username, passwordFile              string
	tls                                 config.TLS
	identities                          []string
	vehicles                            string
	sealedOnly                          bool
	logLevel, logFormat                 string
}

func (o *inboxOptions) folderFlag(f *pflag.FlagSet) {
	f.StringVarP(&o.dir, "dir", "d", "", "folder that observations are stored in")
}

func (o *inboxOptions) keyFlags(f *pflag.FlagSet) {
	f.StringArrayVarP(&o.identities, "identity", "i", nil, "age key that opens what is sealed to the office; may be given again")
	f.StringVar(&o.vehicles, "vehicles", "", "folder of the vehicles' public keys: VEHICLE.pub or FLEET/VEHICLE.pub")
	f.BoolVar(&o.sealedOnly, "sealed-only", true, "refuse what is not sealed (default: true where an identity is given)")
}

// existing opens a folder that must be there: a name that is mistyped must not
// become a new inbox.
func (o *inboxOptions) existing() (*uplink.Inbox, error) {
	if o.dir == "" {
		return nil, usageError{errors.New("no folder: name the inbox's with --dir")}
	}
	if !isDir(o.dir) {
		return nil, hinted(fmt.Errorf("%s is no folder", o.dir), "name the folder that `gadeblik inbox serve` stores in with --dir")
	}
	return uplink.NewInbox(uplink.InboxConfig{Dir: o.dir})
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// opener reads the keys.
func (o *inboxOptions) opener() (uplink.Opener, error) {
	if o.vehicles == "" {
		return uplink.Opener{}, usageError{errors.New("no vehicles: name the folder of their public keys with --vehicles")}
	}
	if !isDir(o.vehicles) {
		return uplink.Opener{}, hinted(fmt.Errorf("vehicles: %s is no folder", o.vehicles),
			"make it, and put each vehicle's public key into it as VEHICLE.pub")
	}
	var ids []age.Identity
	for _, path := range o.identities {
		more, err := uplink.ReadIdentities(path)
		if err != nil {
			return uplink.Opener{}, hinted(fmt.Errorf("identity: %w", err), "an identity is an age key; `gadeblik keys new --age office.age` makes one")
		}
		ids = append(ids, more...)
	}
	return uplink.Opener{Identities: ids, SealedOnly: o.sealedOnly && len(ids) > 0, Keys: uplink.KeyFolder(o.vehicles)}, nil
}
