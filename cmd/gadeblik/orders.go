package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"gadeblik/agent"
	"gadeblik/uplink"
)

func newOrders(std stdio) *cobra.Command {
	c := &cobra.Command{
		Use:   "orders",
		Short: "Check, sign, verify and push orders",
		Long: `Orders are a GeoJSON file: its features are zones, its tasks say why, when and
what to look for there. They count on a vehicle only when a trusted key signed
them. docs/orders.schema.json lets an editor complete and check them.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newOrdersCheck(std), newOrdersSign(std), newOrdersVerify(std), newOrdersPush(std))
	return c
}

// readOrders reads and compiles orders that nobody has signed yet. Whether the
// vehicle's models know the labels is for the vehicle to say.
func readOrders(path string) (*uplink.Orders, *agent.Plan, error) {
	raw, err := readFile(path, "orders")
	if err != nil {
		return nil, nil, err
	}
	o, err := uplink.ParseOrders(raw)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	p, err := agent.NewPlan(o, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return o, p, nil
}

func readFile(path, what string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read %s: there is no file %s", what, path)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return raw, nil
}

// ordersInfo is what check and verify say of orders.
type ordersInfo struct {
	File      string    `json:"file"`
	Version   uint64    `json:"version"`
	Digest    string    `json:"digest"`
	Fleet     string    `json:"fleet"`
	Vehicles  []string  `json:"vehicles"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	Zones     int       `json:"zones"`
	Tasks     []string  `json:"tasks"`
}

func infoOf(path string, o *uplink.Orders, p *agent.Plan) ordersInfo {
	info := ordersInfo{
		File: path, Version: o.Version, Digest: o.Digest, Fleet: o.Fleet, Vehicles: o.Vehicles,
		NotBefore: o.NotBefore, NotAfter: o.NotAfter, Zones: p.Zones(),
	}
	for _, t := range p.Tasks {
		info.Tasks = append(info.Tasks, t.ID)
	}
	return info
}

func (i ordersInfo) print(std stdio, asJSON bool, verdict string) error {
	if asJSON {
		return json.NewEncoder(std.out).Encode(i)
	}
	_, err := fmt.Fprintf(std.out, "%s: %s\n  version %d for fleet %s, vehicles %v, %s to %s\n  %d zones, tasks %v\n  digest %s\n",
		i.File, verdict, i.Version, i.Fleet, i.Vehicles,
		i.NotBefore.Format(time.DateOnly), i.NotAfter.Format(time.DateOnly), i.Zones, i.Tasks, i.Digest)
	return err
}

func newOrdersCheck(std stdio) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "check FILE.geojson",
		Short:   "Find every mistake in orders, before signing them",
		Example: "  gadeblik orders check configs/orders.geojson",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			o, p, err := readOrders(args[0])
			if err != nil {
				return err
			}
			return infoOf(args[0], o, p).print(std, asJSON, "in order")
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func newOrdersSign(std stdio) *cobra.Command {
	var keys []string
	var out string
	c := &cobra.Command{
		Use:     "sign FILE.geojson",
		Short:   "Sign orders, so that vehicles obey them",
		Example: "  gadeblik orders sign configs/orders.geojson --key fleet-admin.key",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			o, _, err := readOrders(args[0])
			if err != nil {
				return err
			}
			signers, err := readSigners(keys)
			if err != nil {
				return err
			}
			envelope, err := uplink.SignOrders(o.Payload, signers...)
			if err != nil {
				return err
			}
			if out == "" {
				out = args[0] + ".signed"
			}
			if err := os.WriteFile(out, envelope, 0o644); err != nil {
				return fmt.Errorf("write signed orders: %w", err)
			}
			_, err = fmt.Fprintf(std.out, "signed version %d by %d key(s): %s\n", o.Version, len(signers), out)
			return err
		},
	}
	c.Flags().StringArrayVar(&keys, "key", nil, "private key file; give it again where several must sign")
	c.Flags().StringVarP(&out, "out", "o", "", "file to write (default FILE.geojson.signed)")
	return c
}

func readSigners(paths []string) ([]uplink.SigningKey, error) {
	if len(paths) == 0 {
		return nil, usageError{errors.New("sign orders: no key given; name one with --key, or make one with `gadeblik keys new`")}
	}
	var keys []uplink.SigningKey
	for _, p := range paths {
		k, err := uplink.ReadPrivate(p)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// verifierFlags say whose signatures count, where no configuration does.
type verifierFlags struct {
	keys           []string
	threshold      int
	fleet, vehicle string
}

func (f *verifierFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.keys, "trusted", nil, "public key file that must have signed; may be given again")
	c.Flags().IntVar(&f.threshold, "threshold", 1, "how many of the trusted keys must have signed")
	c.Flags().StringVar(&f.fleet, "fleet", "", "fleet the orders must be for")
	c.Flags().StringVar(&f.vehicle, "vehicle", "", "vehicle the orders must be for")
}

func (f *verifierFlags) verifier() (uplink.Verifier, error) {
	v := uplink.Verifier{Threshold: f.threshold, Fleet: f.fleet, Vehicle: f.vehicle}
	if len(f.keys) == 0 {
		return v, errors.New("verify orders: no key is trusted; name one with --trusted")
	}
	var err error
	if v.Keys, err = readTrusted(f.keys); err != nil {
		return v, err
	}
	return v, v.Check()
}

func readTrusted(paths []string) ([]uplink.PublicKey, error) {
	var keys []uplink.PublicKey
	var errs []error
	for _, p := range paths {
		k, err := uplink.ReadPublic(p)
		errs = append(errs, err)
		keys = append(keys, k)
	}
	return keys, errors.Join(errs...)
}

func newOrdersVerify(std stdio) *cobra.Command {
	var flags verifierFlags
	var asJSON bool
	c := &cobra.Command{
		Use:     "verify FILE.signed",
		Short:   "Check signed orders as a vehicle would",
		Example: "  gadeblik orders verify orders.geojson.signed --trusted fleet-admin.key.pub --fleet copenhagen-sweepers --vehicle sweeper-03",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			v, err := flags.verifier()
			if err != nil {
				return usageError{err}
			}
			raw, err := readFile(args[0], "signed orders")
			if err != nil {
				return err
			}
			o, err := v.Verify(raw)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			p, err := agent.NewPlan(o, nil)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return infoOf(args[0], o, p).print(std, asJSON, "signed and in order")
		},
	}
	flags.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
