package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"gadeblik/agent"
	"gadeblik/capture"
	"gadeblik/cmd/gadeblik/config"
	"gadeblik/inference/catalogue"
	"gadeblik/uplink"
)

// newCheck finds the mistakes in a configuration and in the orders it names.
func newCheck(std stdio) *cobra.Command {
	var path string
	var show bool
	c := &cobra.Command{
		Use:   "check",
		Short: "Find every mistake in the configuration and its orders",
		Long: `Find every mistake in the configuration, and in the orders, keys and models it
names, at once. Nothing is started; ` + "`gadeblik doctor`" + ` looks at the devices too.`,
		Example: "  gadeblik check --config /etc/gadeblik/gadeblik.yaml --show",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(config.Options{Path: path, Env: os.Environ(), Flags: cmd.Flags(), Run: true})
			if err != nil {
				return err
			}
			if show {
				if err := cfg.Print(std.out); err != nil {
					return err
				}
			}
			if err := checkFiles(cfg); err != nil {
				return err
			}
			_, err = fmt.Fprintln(std.out, "in order")
			return err
		},
	}
	c.Flags().StringVarP(&path, "config", "c", "", "configuration file (default: $GADEBLIK_CONFIG)")
	c.Flags().BoolVar(&show, "show", false, "print the configuration in force and where each key comes from")
	config.AddFlags(c.Flags())
	return c
}

// checkFiles finds the mistakes in what a configuration names: models, keys,
// orders and TLS files. It loads no model and opens no device.
func checkFiles(cfg *config.Config) error {
	_, tlsErr := linkConfig(cfg.MQTT)
	return errors.Join(fence(cfg.Gate).Validate(), checkDrive(cfg.Camera.Drive), checkModels(cfg), checkOrders(cfg), tlsErr)
}

// checkDrive looks at the drive that stands in for a camera, if one does.
func checkDrive(path string) error {
	if path == "" {
		return nil
	}
	_, err := capture.OpenDrive(path)
	return err
}

func checkModels(cfg *config.Config) error {
	dir := cfg.Models.Dir
	names := []string{cfg.Models.Detector}
	for _, r := range cfg.Models.Redact {
		names = append(names, r.Model)
	}
	var errs []error
	done := map[string]bool{}
	for _, name := range names {
		if done[name] {
			continue
		}
		done[name] = true
		m, err := catalogue.Load(dir, name)
		if err == nil {
			_, err = m.Read()
		}
		errs = append(errs, err)
	}
	return hinted(errors.Join(errs...), "fetch the models with `gadeblik models fetch --dir %s`", dir)
}

func checkOrders(cfg *config.Config) error {
	v := uplink.Verifier{Threshold: cfg.Orders.Threshold, Fleet: cfg.Vehicle.Fleet, Vehicle: cfg.Vehicle.ID}
	var err error
	if v.Keys, err = readTrusted(cfg.Orders.TrustedKeys); err != nil {
		return err
	}
	if err := v.Check(); err != nil {
		return err
	}
	if cfg.Orders.File == "" {
		return nil
	}
	raw, err := readFile(cfg.Orders.File, "signed orders")
	if err != nil {
		return err
	}
	o, err := v.Verify(raw)
	if err != nil {
		return err
	}
	_, err = agent.NewPlan(o, nil)
	return err
}
