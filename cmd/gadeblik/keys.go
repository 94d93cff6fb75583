package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"gadeblik/uplink"
)

func newKeys(std stdio) *cobra.Command {
	c := &cobra.Command{
		Use:   "keys",
		Short: "Make and show keys: those that sign, and those that evidence is sealed to",
		Long: `Two kinds of keys are in use.

Signing keys (Ed25519) say who speaks: fleet admins sign orders and commands with
theirs, and each vehicle signs what it observes with its own, which it makes at its
first start (device.key in its state folder).

Sealing keys (age) say who can read: evidence is encrypted to those of the case
office, and nobody else opens it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newKeysNew(std), newKeysShow(std))
	return c
}

// keyInfo is what may be said of a key.
type keyInfo struct {
	Kind      string `json:"kind"` // signing or sealing
	ID        string `json:"id"`
	Private   string `json:"private,omitempty"`   // path
	Public    string `json:"public"`              // path
	Recipient string `json:"recipient,omitempty"` // of a sealing key
}

const signing, sealing = "signing", "sealing"

func newKeysNew(std stdio) *cobra.Command {
	var asJSON, seal, classic bool
	c := &cobra.Command{
		Use:   "new FILE",
		Short: "Make a key pair: FILE, which stays with you, and FILE.pub for the vehicles",
		Example: `  gadeblik keys new fleet-admin.key
  # on each vehicle, in gadeblik.yaml:
  #   orders: {trusted_keys: [/etc/gadeblik/keys/fleet-admin.key.pub]}

  gadeblik keys new --age office.age
  # on each vehicle, in gadeblik.yaml:
  #   seal: {recipients: [/etc/gadeblik/keys/office.age.pub]}`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			create, keep, put := newSigning, "whoever has it can sign in your name", "orders.trusted_keys"
			if seal {
				create, keep, put = newSealing(classic), "without it nobody can read the evidence, and whoever has it can", "seal.recipients"
			}
			info, err := create(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(std.out).Encode(info)
			}
			_, err = fmt.Fprintf(std.out, "%s key %s\n  %s  keep this: %s\n  %s  put this on the vehicles (%s)\n",
				info.Kind, info.ID, info.Private, keep, info.Public, put)
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&seal, "age", false, "a sealing key, which evidence is encrypted to")
	c.Flags().BoolVar(&classic, "x25519", false, "with --age: a short key without post-quantum part, for age tools before 1.3")
	return c
}

func newSigning(path string) (keyInfo, error) {
	k, err := uplink.NewKey()
	if err == nil {
		err = uplink.WriteKey(path, k)
	}
	if err != nil {
		return keyInfo{}, err
	}
	return keyInfo{Kind: signing, ID: k.Public().ID(), Private: path, Public: path + ".pub"}, nil
}

func newSealing(classic bool) func(string) (keyInfo, error) {
	return func(path string) (keyInfo, error) {
		identity, recipient, err := uplink.NewIdentity(classic)
		if err == nil {
			err = uplink.WriteIdentity(path, identity, recipient)
		}
		if err != nil {
			return keyInfo{}, err
		}
		return keyInfo{Kind: sealing, ID: uplink.RecipientID(recipient), Private: path, Public: path + ".pub", Recipient: recipient}, nil
	}
}

func newKeysShow(std stdio) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show FILE.pub...",
		Short: "Say which keys these are",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, path := range args {
				infos, err := describeKeys(path)
				if err != nil {
					return err
				}
				for _, k := range infos {
					if asJSON {
						err = json.NewEncoder(std.out).Encode(k)
					} else {
						_, err = fmt.Fprintf(std.out, "%s  %s  %s\n", k.ID, k.Kind, k.Public)
					}
					if err != nil {
						return err
					}
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON lines")
	return c
}

// describeKeys reads the public keys of a file, of either kind.
func describeKeys(path string) ([]keyInfo, error) {
	data, err := readFile(path, "public key")
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(data, []byte("age1")) {
		k, err := uplink.ReadPublic(path)
		return []keyInfo{{Kind: signing, ID: k.ID(), Public: path}}, err
	}
	if _, err := uplink.ParseRecipients(path); err != nil {
		return nil, err
	}
	var out []keyInfo
	for _, line := range bytes.Fields(data) {
		if !bytes.HasPrefix(line, []byte("age1")) {
			continue // a comment
		}
		out = append(out, keyInfo{Kind: sealing, ID: uplink.RecipientID(string(line)), Public: path, Recipient: string(line)})
	}
	return out, nil
}
