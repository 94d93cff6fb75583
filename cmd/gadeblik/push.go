package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gadeblik/cmd/gadeblik/config"
	"gadeblik/uplink"
)

// brokerFlags say how a person's command reaches the broker, where no
// configuration does.
type brokerFlags struct {
	broker, username, passwordFile string
	tls                            config.TLS
	wait                           time.Duration
}

func (o *brokerFlags) add(f *pflag.FlagSet) {
	f.StringVar(&o.broker, "broker", os.Getenv("GADEBLIK_MQTT_BROKER"), "address of the broker")
	f.StringVar(&o.username, "username", "", "user at the broker")
	f.StringVar(&o.passwordFile, "password-file", "", "file with the password")
	f.StringVar(&o.tls.CAFile, "ca-file", "", "certificates the broker's is checked against")
	f.StringVar(&o.tls.CertFile, "cert-file", "", "certificate of the admin")
	f.StringVar(&o.tls.KeyFile, "key-file", "", "private key of that certificate")
	f.StringSliceVar(&o.tls.ALPN, "alpn", nil, "protocol to ask for in the TLS handshake, where the broker needs one")
	f.DurationVar(&o.wait, "wait", 30*time.Second, "how long to wait for each vehicle's answer")
}

// pushOptions are the flags of `orders push`.
type pushOptions struct {
	brokerFlags
	vehicles []string
}

func newOrdersPush(std stdio) *cobra.Command {
	var o pushOptions
	c := &cobra.Command{
		Use:   "push FILE.signed",
		Short: "Send signed orders to vehicles, and wait for their answers",
		Long: `Send signed orders to each vehicle they name, or to those given with --vehicle.
The broker keeps them for a vehicle that is off. A vehicle that refuses says why,
and the exit code is then 1.`,
		Example: "  gadeblik orders push orders.geojson.signed --broker tls://broker.example:8883 --vehicle sweeper-03",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := readFile(args[0], "signed orders")
			if err != nil {
				return err
			}
			return o.push(cmd.Context(), std, args[0], raw)
		},
	}
	o.add(c.Flags())
	c.Flags().StringArrayVar(&o.vehicles, "vehicle", nil, "vehicle to send to; may be given again (default: those the orders name)")
	return c
}

func (o *pushOptions) push(ctx context.Context, std stdio, path string, raw []byte) error {
	payload, ok := uplink.UnverifiedPayload(raw)
	if !ok {
		return hinted(fmt.Errorf("%s: these are no signed orders", path), "sign them with `gadeblik orders sign`")
	}
	orders, err := uplink.ParseOrders(payload)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	vehicles := o.vehicles
	if len(vehicles) == 0 {
		vehicles = orders.Vehicles
	}
	if len(vehicles) == 1 && vehicles[0] == "*" {
		return usageError{errors.New("the orders are for every vehicle; name those to send them to with --vehicle")}
	}
	link, err := o.link()
	if err != nil {
		return err
	}
	link.Fleet = orders.Fleet
	var errs []error
	for _, vehicle := range vehicles {
		link.Vehicle = vehicle
		errs = append(errs, o.pushTo(ctx, std, link, raw))
	}
	return errors.Join(errs...)
}

func (o *brokerFlags) link() (uplink.LinkConfig, error) {
	if o.broker == "" {
		return uplink.LinkConfig{}, usageError{errors.New("no broker: name one with --broker, such as tls://broker.example:8883")}
	}
	l, err := linkConfig(config.MQTT{Broker: o.broker, Username: o.username, PasswordFile: o.passwordFile, TLS: o.tls})
	if err != nil {
		return uplink.LinkConfig{}, err
	}
	return *l, nil
}

func (o *pushOptions) pushTo(ctx context.Context, std stdio, link uplink.LinkConfig, raw []byte) error {
	ctx, cancel := context.WithTimeout(ctx, o.wait)
	defer cancel()
	r, err := uplink.PushOrders(ctx, link, raw)
	switch {
	case errors.Is(err, uplink.ErrNoAnswer):
		_, err = fmt.Fprintf(std.out, "%s: %v\n", link.Vehicle, err)
		return err
	case err != nil:
		return fmt.Errorf("%s: %w", link.Vehicle, err)
	case !r.Accepted:
		return fmt.Errorf("%s refuses (version %d stays in force): %s", link.Vehicle, r.Version, strings.Join(r.Errors, "; "))
	}
	_, err = fmt.Fprintf(std.out, "%s: version %d is in force\n", link.Vehicle, r.Version)
	return err
}
