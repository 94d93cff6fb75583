package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"gadeblik/cmd/gadeblik/config"
)

func newRun(std stdio) *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "run",
		Short: "Be the agent of this vehicle",
		Long: `Be the agent of this vehicle: read the GPS, obey signed orders and the driver's
switch, look where both allow it, and send redacted evidence. It goes on until
SIGTERM or SIGINT; then it finishes what it began and empties its outbox as far
as the network lets it.

Every key of the configuration file is also a variable, GADEBLIK_MQTT_BROKER,
and a flag, --mqtt-broker.`,
		Example: "  gadeblik run --config /etc/gadeblik/gadeblik.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(config.Options{Path: path, Env: os.Environ(), Flags: cmd.Flags(), Run: true})
			if err != nil {
				return hinted(err, "`gadeblik check` says more; configs/gadeblik.yaml shows every key")
			}
			return run(cmd.Context(), std, cfg)
		},
	}
	c.Flags().StringVarP(&path, "config", "c", "", "configuration file (default: $GADEBLIK_CONFIG)")
	config.AddFlags(c.Flags())
	return c
}

// run is the daemon: it returns when ctx ends, or when only a new process helps.
func run(ctx context.Context, std stdio, cfg *config.Config) error {
	log := newLog(std.err, cfg.Log)
	if err := keepInMemory(cfg.Memory); err != nil {
		return err
	}
	ctx, fatal := context.WithCancelCause(ctx)
	defer fatal(nil)
	v, err := newVehicle(cfg, log, fatal)
	if err != nil {
		return err
	}
	log.Info("started", "version", version, "vehicle", cfg.Vehicle.ID, "fleet", cfg.Vehicle.Fleet, "onnxruntime", v.models.runtime, "memory_locked", cfg.Memory.Lock)

	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		// The end of the agent is the end of the rest, also without an error.
		defer fatal(nil)
		return v.Run(gctx)
	})
	g.Go(func() error { return serveControl(gctx, cfg.Switch.Socket, v.Agent) })
	g.Go(func() error { return runPanel(gctx, cfg.Switch, log, v.Agent) })
	g.Go(func() error { return tellSystemd(gctx, v.Agent) })
	err = g.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		err = errors.Join(err, cause)
	}
	err = errors.Join(err, v.close())
	log.Info("stopped", "err", err)
	return err
}

// keepInMemory sees to it that what comes into memory from here on goes to no file
// behind the agent's back: neither to a core nor, where that is asked for, to swap.
func keepInMemory(m config.Memory) error {
	if err := forbidCoreDumps(); err != nil || !m.Lock {
		return err
	}
	return lockMemory()
}

func newLog(w io.Writer, cfg config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Level)); err != nil {
		level = slog.LevelInfo // config.Load has checked the word
	}
	o := &slog.HandlerOptions{Level: level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
