package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"gadeblik/cmd/gadeblik/config"
	"gadeblik/uplink"
)

const (
	minBackOff = time.Second
	maxBackOff = time.Minute
	// settled is after how long a connection counts as a good one.
	settled = time.Minute
	// maxRefusalLines is how many refusals are logged each minute: a vehicle may send
	// thousands that are refused for one reason.
	maxRefusalLines = 30
)

func newInboxServe(std stdio) *cobra.Command {
	var o inboxOptions
	c := &cobra.Command{
		Use:   "serve",
		Short: "Receive until SIGTERM",
		Long: `Receive over the broker, store, and send receipts, until SIGTERM or SIGINT. A
connection that is lost is opened again. Several may run at once on one computer
with the same --dir: with --share the broker divides the work among them.`,
		Example: `  gadeblik inbox serve --broker tls://broker.example:8883 --dir /srv/inbox \
    --identity /etc/gadeblik/office.age --vehicles /etc/gadeblik/vehicles`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.serve(cmd.Context(), std) },
	}
	f := c.Flags()
	f.StringVar(&o.broker, "broker", "", "address of the broker: tls://host:port or tcp://host:port")
	o.folderFlag(f)
	o.keyFlags(f)
	f.StringVar(&o.fleet, "fleet", "", "receive from this fleet only (default: from all)")
	f.StringVar(&o.share, "share", "", "name of a shared subscription, the same for all inboxes of this folder")
	f.StringVar(&o.clientID, "client-id", "", "name at the broker, which then keeps what comes while this is away")
	f.StringVar(&o.username, "username", "", "user at the broker")
	f.StringVar(&o.passwordFile, "password-file", "", "file with the password")
	f.StringVar(&o.tls.CAFile, "ca-file", "", "certificates the broker's is checked against")
	f.StringVar(&o.tls.CertFile, "cert-file", "", "certificate of the office")
	f.StringVar(&o.tls.KeyFile, "key-file", "", "private key of that certificate")
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
	f.StringVar(&o.logFormat, "log-format", "text", "text or json")
	return c
}

func (o *inboxOptions) serve(ctx context.Context, std stdio) error {
	switch {
	case o.broker == "":
		return usageError{errors.New("no broker: name one with --broker, such as tls://broker.example:8883")}
	case o.dir == "":
		return usageError{errors.New("no folder: name one to store in with --dir")}
	}
	opener, err := o.opener()
	if err != nil {
		return err
	}
	link, err := linkConfig(config.MQTT{Broker: o.broker, Username: o.username, PasswordFile: o.passwordFile, TLS: o.tls})
	if err != nil {
		return err
	}
	s := &inboxService{log: newLog(std.err, config.Log{Level: o.logLevel, Format: o.logFormat})}
	s.inbox, err = uplink.NewInbox(uplink.InboxConfig{
		Broker: o.broker, ClientID: o.clientID, Username: link.Username, Password: link.Password, TLS: link.TLS,
		Share: o.share, Opener: opener, Dir: o.dir, Fleet: o.fleet,
		OnStored: s.stored, OnRefused: s.refused,
	})
	if err != nil {
		return err
	}
	if len(opener.Identities) == 0 {
		s.log.Warn("no identity is given: only what is sent open can be read; name the office's key with --identity")
	}
	s.log.Info("started", "version", version, "dir", o.dir, "broker", o.broker, "share", o.share)
	err = errors.Join(s.run(ctx), s.inbox.Close())
	s.log.Info("stopped", "err", err)
	return err
}

// inboxService keeps an inbox running and says what it does.
type inboxService struct {
	inbox    *uplink.Inbox
	log      *slog.Logger
	refusals atomic.Int64 // logged in this minute
	last     uplink.InboxStats
}

func (s *inboxService) run(ctx context.Context) error {
	if _, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil {
		return fmt.Errorf("tell systemd: %w", err)
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { s.keep(gctx); return nil })
	g.Go(func() error { return s.report(gctx) })
	err := g.Wait()
	_, sdErr := daemon.SdNotify(false, daemon.SdNotifyStopping)
	return errors.Join(err, sdErr)
}

// keep opens a connection again and again, at growing intervals while that fails.
func (s *inboxService) keep(ctx context.Context) {
	pause := minBackOff
	for ctx.Err() == nil {
		begin := time.Now()
		err := s.inbox.Run(ctx)
		if err == nil {
			continue
		}
		if time.Since(begin) > settled {
			pause = minBackOff
		}
		wait := pause/2 + rand.N(pause/2) // the inboxes of a broker that restarts don't all come at once
		s.log.Warn("connection ended; trying again", "err", err, "in", wait.Round(time.Millisecond))
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		pause = min(2*pause, maxBackOff)
	}
}

// report says each minute what has come, and nothing when nothing has.
func (s *inboxService) report(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.summary()
			return nil
		case <-tick.C:
			s.summary()
			stats := s.inbox.Stats()
			state := fmt.Sprintf("STATUS=%d stored, %d repeated, %d refused", stats.Stored, stats.Repeated, stats.Refused)
			if _, err := daemon.SdNotify(false, state); err != nil {
				return fmt.Errorf("tell systemd: %w", err)
			}
		}
	}
}

func (s *inboxService) summary() {
	now, was := s.inbox.Stats(), s.last
	unsaid := s.refusals.Swap(0) - maxRefusalLines
	if now == was {
		return
	}
	s.last = now
	s.log.Info("received", "messages", now.Messages-was.Messages, "stored", now.Stored-was.Stored, "repeated", now.Repeated-was.Repeated,
		"refused", now.Refused-was.Refused, "strangers", now.Strangers-was.Strangers, "foreign", now.Foreign-was.Foreign,
		"overflowed", now.Overflowed-was.Overflowed, "oversized", now.Oversized-was.Oversized, "evicted", now.Evicted-was.Evicted,
		"purged", now.Purged-was.Purged, "index_rebuilt", now.Rebuilt-was.Rebuilt, "refusals_not_logged", max(0, unsaid))
}

// stored logs no position: where something was seen concerns the case, not the log.
func (s *inboxService) stored(d uplink.Delivery) {
	s.log.Info("stored", "id", d.Observation.ID, "fleet", d.Fleet, "vehicle", d.Vehicle, "task", d.Observation.Task, "parcel", d.Parcel)
}

func (s *inboxService) refused(r uplink.Refusal) {
	if s.refusals.Add(1) > maxRefusalLines {
		return
	}
	s.log.Warn("refused", "parcel", r.Parcel, "fleet", r.Fleet, "vehicle", r.Vehicle, "err", r.Reason, "later", r.Later)
}
