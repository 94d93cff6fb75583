package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"gadeblik/agent"
	"gadeblik/capture"
	"gadeblik/cmd/gadeblik/config"
	"gadeblik/inference"
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
	_, _, whenErr := whenToSend(cfg.MQTT)
	models, modelsErr := checkModels(cfg)
	return errors.Join(fence(cfg.Gate).Validate(), checkDrive(cfg.Camera.Drive), modelsErr, checkOrders(cfg, models), tlsErr, whenErr)
}

// checkDrive looks at the drive that stands in for a camera, if one does.
func checkDrive(path string) error {
	if path == "" {
		return nil
	}
	_, err := capture.OpenDrive(path)
	return err
}

// onPaper is a model of which only the manifest was read.
type onPaper struct{ manifest inference.Manifest }

func (p onPaper) Manifest() inference.Manifest { return p.manifest }
func (p onPaper) Clear()                       {}

// Detect fails: nothing was loaded.
func (p onPaper) Detect(_ context.Context, _ inference.View, dst []inference.Detection) ([]inference.Detection, error) {
	return dst, fmt.Errorf("look with model %s: it is not loaded", p.manifest.Name)
}

// checkModels reads the manifests and compares the hashes of the models that the
// configuration names, and returns what orders can be checked with; nil where a
// model is missing or wrong.
func checkModels(cfg *config.Config) (*agent.Models, error) {
	c := chosen(cfg.Models)
	models := &agent.Models{Detectors: map[string]agent.Detector{}, Primary: c.detector, Redact: c.redact, SecondLook: c.second}
	var errs []error
	done := map[string]bool{}
	for _, name := range c.names() {
		if done[name] {
			continue
		}
		done[name] = true
		m, err := catalogue.Load(cfg.Models.Dir, name)
		if err == nil {
			_, err = m.Read()
		}
		errs = append(errs, err)
		models.Detectors[name] = onPaper{m}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, hinted(err, "%s", fetchInto(cfg.Models.Dir))
	}
	return models, models.Check()
}

// checkOrders looks at the keys, and at the orders to start with, where there are
// any: whether the models find what these ask for too, unless models is nil.
func checkOrders(cfg *config.Config, models *agent.Models) error {
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
	if _, err = agent.NewPlan(o, nil); err != nil || models == nil {
		return err
	}
	_, err = agent.NewPlan(o, models)
	return hinted(err, "ask for what these models find, or name others in models.detector; `gadeblik models list --json` says what each finds")
}
