package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"gadeblik/agent"
	"gadeblik/blur"
	"gadeblik/capture"
	"gadeblik/capture/v4l2"
	"gadeblik/cmd/gadeblik/config"
	"gadeblik/gps"
	"gadeblik/gps/geofence"
	"gadeblik/uplink"
)

// vehicle is an agent made of a configuration, and what must be closed after it.
type vehicle struct {
	*agent.Agent
	outbox *uplink.Outbox
	models *detectors
	fatal  context.CancelCauseFunc // ends the run where only a new process helps
}

// newVehicle makes an agent. It touches the disk and loads the models; devices
// and the broker are opened by Run, which goes on trying.
func newVehicle(cfg *config.Config, log *slog.Logger, fatal context.CancelCauseFunc) (*vehicle, error) {
	v := &vehicle{fatal: fatal}
	a, err := v.config(cfg, log)
	if err == nil {
		v.Agent, err = agent.New(a)
	}
	if err != nil {
		return nil, errors.Join(err, v.close())
	}
	if cfg.Orders.File != "" {
		raw, err := readFile(cfg.Orders.File, "signed orders")
		if err != nil {
			return nil, errors.Join(err, v.close())
		}
		v.Offer(raw)
	}
	return v, nil
}

func (v *vehicle) close() error {
	var errs []error
	if v.outbox != nil {
		errs = append(errs, v.outbox.Close())
	}
	if v.models != nil {
		errs = append(errs, v.models.close())
	}
	return errors.Join(errs...)
}

func (v *vehicle) config(cfg *config.Config, log *slog.Logger) (agent.Config, error) {
	a := agent.Config{
		Fleet: cfg.Vehicle.Fleet, Vehicle: cfg.Vehicle.ID, Version: version,
		Masks:     masks(cfg.Camera.Masks),
		Fence:     fence(cfg.Gate),
		Clock:     gps.ClockConfig{Floor: cfg.Time.Floor},
		Switch:    agent.NewSwitch(cfg.Switch.AutoOff, time.Now()),
		HighWater: cfg.Outbox.HighWater,
		Figures:   newBoard("/").figures,
		Log:       log,
	}
	var err error
	if a.Models, v.models, err = openModels(cfg); err != nil {
		return a, err
	}
	if a.Verifier, a.Store, err = openOrders(cfg); err != nil {
		return a, err
	}
	if a.Commands, err = uplink.OpenCommandStore(filepath.Join(cfg.StateDir, "commands"), a.Verifier); err != nil {
		return a, err
	}
	if v.outbox, err = openOutbox(cfg, log); err != nil {
		return a, err
	}
	a.Outbox = v.outbox
	if a.Link, err = linkConfig(cfg.MQTT); err != nil {
		return a, err
	}
	if a.Unmetered, a.Depot, err = whenToSend(cfg.MQTT); err != nil {
		return a, err
	}
	if a.GPS, err = receiver(cfg); err != nil {
		return a, err
	}
	a.Camera, err = v.camera(cfg.Camera)
	return a, err
}

func masks(list []config.Mask) []agent.Mask {
	var out []agent.Mask
	for _, m := range list {
		out = append(out, agent.Mask(m))
	}
	return out
}

func fence(g config.Gate) geofence.TrackerConfig {
	return geofence.TrackerConfig{
		EnterMargin: g.EnterMarginM, Enter: g.EnterFixes, Of: g.EnterOf, MaxAge: g.MaxFixAge,
		MaxSpeed: g.MaxJumpSpeed, MaxHDOP: g.MaxHDOP, MetresPerHDOP: g.MetresPerHDOP, MinSatellites: g.MinSatellites,
	}
}

func openModels(cfg *config.Config) (*agent.Models, *detectors, error) {
	l := loading{lib: cfg.Models.ONNXRuntime, dir: cfg.Models.Dir, threads: cfg.Models.Threads}
	m, d, err := chosen(cfg.Models).open(l, nil)
	if err != nil {
		return nil, nil, err
	}
	m.Timeout = cfg.Models.Timeout
	return m, d, nil
}

// chosen is what the configuration says.
func chosen(m config.Models) choice {
	return choice{detector: m.Detector, redact: redactModels(m.Redact), second: redactModels(m.SecondLook)}
}

func redactModels(list []config.Redact) []agent.RedactModel {
	var out []agent.RedactModel
	for _, r := range list {
		out = append(out, agent.RedactModel{Class: blur.Class(r.Class), Model: r.Model, MinScore: r.MinScore})
	}
	return out
}

func openOrders(cfg *config.Config) (uplink.Verifier, *uplink.OrdersStore, error) {
	v := uplink.Verifier{Threshold: cfg.Orders.Threshold, Fleet: cfg.Vehicle.Fleet, Vehicle: cfg.Vehicle.ID}
	var err error
	if v.Keys, err = readTrusted(cfg.Orders.TrustedKeys); err != nil {
		return v, nil, err
	}
	store, err := uplink.OpenOrdersStore(filepath.Join(cfg.StateDir, "orders"), v)
	return v, store, err
}

func openOutbox(cfg *config.Config, log *slog.Logger) (*uplink.Outbox, error) {
	sealer, err := openSealer(cfg.Seal, log)
	if err != nil {
		return nil, err
	}
	box, found, err := uplink.OpenOutbox(cfg.Outbox.Dir, uplink.OutboxConfig{
		Seal: sealer, MaxItems: cfg.Outbox.MaxItems, MaxBytes: int64(cfg.Outbox.MaxBytes), MaxAge: cfg.Outbox.MaxAge,
	})
	if err != nil {
		return nil, err
	}
	log.Info("outbox opened", "waiting", box.Len(), "found", found)
	return box, nil
}

func linkConfig(m config.MQTT) (*uplink.LinkConfig, error) {
	l := &uplink.LinkConfig{
		Broker: m.Broker, ClientID: m.ClientID, Username: m.Username,
		InFlight: m.InFlight, Ack: uplink.AckMode(m.Ack),
		KeepAlive: m.KeepAlive, DrainTimeout: m.DrainTimeout, MaxRate: int(m.MaxRate), MaxPayload: int(m.MaxPayload),
	}
	var err error
	if m.PasswordFile != "" {
		if l.Password, err = config.ReadSecret(m.PasswordFile); err != nil {
			return nil, fmt.Errorf("mqtt.password_file: %w", err)
		}
	}
	l.TLS, err = tlsConfig(m.TLS)
	return l, err
}

func tlsConfig(t config.TLS) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName, NextProtos: t.ALPN}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("mqtt.tls.ca_file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("mqtt.tls.ca_file: %s holds no PEM certificate", t.CAFile)
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("mqtt.tls.cert_file: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

func receiver(cfg *config.Config) (func(context.Context, func(gps.Fix)) error, error) {
	r, err := gps.NewReceiver(gps.ReceiverConfig{
		Device: cfg.GPS.Device, Baud: cfg.GPS.Baud, ReadTimeout: cfg.GPS.ReadTimeout,
		Stale: cfg.GPS.Stale, Floor: cfg.Time.Floor,
	})
	if err != nil {
		return nil, err
	}
	return r.Run, nil
}

// camera returns what opens the camera: the device, or a drive in its place.
func (v *vehicle) camera(c config.Camera) (func() (capture.Camera, error), error) {
	if c.Drive != "" {
		d, err := capture.OpenDrive(c.Drive)
		if err != nil {
			return nil, err
		}
		began := time.Now()
		return func() (capture.Camera, error) {
			return capture.PlayDrive(d, capture.PlayOptions{Loop: true, Zero: began}), nil
		}, nil
	}
	cfg := v4l2.Config{
		Device: c.Device, Format: c.Format, Width: c.Width, Height: c.Height, FPS: c.FPS, Stall: c.Watchdog,
	}
	return func() (capture.Camera, error) {
		cam, err := v4l2.Open(cfg)
		if errors.Is(err, v4l2.ErrRestart) {
			v.fatal(err)
		}
		if err != nil {
			return nil, err
		}
		return cam, nil
	}, nil
}
