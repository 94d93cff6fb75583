package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"filippo.io/age"
	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"gadeblik/agent"
	"gadeblik/inference/onnx"
	"gadeblik/testdata"
	"gadeblik/uplink"
)

// The demo's fleet and vehicle.
const (
	demoFleet   = "demo"
	demoVehicle = "sweeper-01"
)

// deliverWithin bounds how long the demo waits for its own inbox.
const deliverWithin = 2 * time.Minute

func newDemo(std stdio) *cobra.Command {
	o := replayOptions{vehicle: demoVehicle}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Everything at once on this machine: a drive, a broker, an inbox",
		Long: `Play a drawn drive through the pipeline, put what it finds into an outbox, send
it over MQTT to a broker on this machine, and store it as the case office would.
Nothing leaves the machine, and nothing is fetched: the models are those built in,
and with --models those of a folder too (` + "`gadeblik models fetch`" + `).`,
		Example: "  gadeblik demo --out demo-out",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return demo(cmd.Context(), std, o) },
	}
	c.Flags().StringVarP(&o.out, "out", "o", "demo-out", "folder to write into")
	c.Flags().StringVar(&o.models, "models", "", "folder of models that look too (default: those built in alone)")
	c.Flags().StringVar(&o.lib, "onnxruntime", "", "ONNX Runtime library (default: found by itself)")
	c.Flags().StringVar(&o.drive, "drive", "", "another drive to play (default: the one within)")
	c.Flags().StringVar(&o.orders, "orders", "", "other orders to obey (default: the drive's own)")
	c.Flags().IntVar(&o.threads, "threads", 2, "threads of one detection")
	return c
}

func demo(ctx context.Context, std stdio, o replayOptions) error {
	dir := o.out
	if _, err := onnx.Find(o.lib); err != nil { // before the earlier demo goes
		return err
	}
	if err := checkFolder(o.models); err != nil {
		return err
	}
	if err := beginDemo(dir); err != nil {
		return err
	}
	if o.drive == "" {
		drive, err := unpackDrive()
		if err != nil {
			return err
		}
		defer os.RemoveAll(filepath.Dir(drive)) // a copy of what the program holds
		o.drive = drive
	}
	address, stop, err := startBroker()
	if err != nil {
		return err
	}
	defer stop()
	office, err := openOffice(address, filepath.Join(dir, outboxFolder), filepath.Join(dir, inboxFolder))
	if err != nil {
		return err
	}
	o.out = filepath.Join(dir, replayFolder)
	return office.work(ctx, std, o)
}

// The folders that the demo makes.
const outboxFolder, inboxFolder, replayFolder = "outbox", "inbox", "replay"

// beginDemo removes what an earlier demo left in dir: its evidence may have the ids of today's and
// other contents, which an inbox rightly refuses. A folder that holds anything else is left alone.
// The replay's folder is made first and removed last: it tells a demo, also one that was stopped,
// from a vehicle's state.
func beginDemo(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the demo's folder: %w", err)
	}
	ours := []string{outboxFolder, inboxFolder, replayFolder}
	replayed := false
	for _, e := range entries {
		if !e.IsDir() || !slices.Contains(ours, e.Name()) {
			return hinted(fmt.Errorf("%s was not made by the demo: it holds %s", dir, e.Name()), "name another folder with --out")
		}
		replayed = replayed || e.Name() == replayFolder
	}
	if len(entries) > 0 && !replayed {
		return hinted(fmt.Errorf("%s was not made by the demo: it holds no %s", dir, replayFolder), "name another folder with --out")
	}
	for _, name := range ours {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("remove the last demo: %w", err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, replayFolder), 0o755); err != nil {
		return fmt.Errorf("make the demo's folder: %w", err)
	}
	return nil
}

// unpackDrive writes the drive that the program holds to a folder.
func unpackDrive() (string, error) {
	dir, err := os.MkdirTemp("", "gadeblik-demo-")
	if err != nil {
		return "", fmt.Errorf("unpack the demo's drive: %w", err)
	}
	drive := filepath.Join(dir, "demo")
	if err := os.CopyFS(drive, fs.FS(testdata.Demo())); err != nil {
		return "", errors.Join(fmt.Errorf("unpack the demo's drive: %w", err), os.RemoveAll(dir))
	}
	return drive, nil
}

// startBroker starts a broker that only this machine can reach.
func startBroker() (address string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("start the demo's broker: %w", err)
	}
	server := mqtt.New(&mqtt.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := errors.Join(
		server.AddHook(new(auth.AllowHook), nil),
		server.AddListener(listeners.NewNet("demo", l)),
		server.Serve(),
	); err != nil {
		return "", nil, errors.Join(fmt.Errorf("start the demo's broker: %w", err), l.Close())
	}
	return "tcp://" + l.Addr().String(), func() { _ = server.Close() }, nil // the process ends anyway
}

// office is both ends of the demo: the vehicle's outbox and the inbox.
type office struct {
	outbox *uplink.Outbox
	link   *uplink.Link
	inbox  *uplink.Inbox
	dir    string // of the inbox
}

func openOffice(broker, outbox, inbox string) (*office, error) {
	o := &office{dir: inbox}
	sealer, opener, err := demoKeys()
	if err != nil {
		return nil, err
	}
	if o.outbox, _, err = uplink.OpenOutbox(outbox, uplink.OutboxConfig{Seal: sealer}); err != nil {
		return nil, err
	}
	o.inbox, err = uplink.NewInbox(uplink.InboxConfig{Broker: broker, Dir: inbox, Fleet: demoFleet, Opener: opener,
		PurgeEvery: -1, // the drive is older than its observations may become
	})
	if err == nil {
		o.link, err = uplink.NewLink(uplink.LinkConfig{
			Broker: broker, Fleet: demoFleet, Vehicle: demoVehicle, Outbox: o.outbox,
			Status: func() uplink.Status { return uplink.Status{State: uplink.Capturing, Reason: agent.Open.String()} },
		})
	}
	if err != nil {
		return nil, errors.Join(err, o.outbox.Close())
	}
	return o, nil
}

// demoKeys makes the keys of the vehicle and of the case office, which last as long
// as the demo.
func demoKeys() (*uplink.Sealer, uplink.Opener, error) {
	signer, err := uplink.NewKey()
	if err != nil {
		return nil, uplink.Opener{}, err
	}
	office, err := age.GenerateHybridIdentity()
	if err != nil {
		return nil, uplink.Opener{}, err
	}
	sealer, err := uplink.NewSealer(uplink.SealConfig{Signer: signer, Recipients: []age.Recipient{office.Recipient()}})
	return sealer, uplink.Opener{
		Identities: []age.Identity{office}, SealedOnly: true,
		Keys: func(string, string) ([]uplink.PublicKey, error) { return []uplink.PublicKey{signer.Public()}, nil },
	}, err
}

// work replays the drive and waits until the inbox has everything.
func (o *office) work(ctx context.Context, std stdio, r replayOptions) error {
	inboxCtx, stopInbox := context.WithCancel(ctx)
	defer stopInbox()
	linkCtx, stopLink := context.WithCancel(ctx)
	defer stopLink()
	var g errgroup.Group
	g.Go(func() error { return o.inbox.Run(inboxCtx) })
	g.Go(func() error { return o.link.Run(linkCtx) })

	s, err := replayInto(ctx, std, r, func(p agent.Product) error {
		return o.outbox.Put(p.Observation, p.Evidence, p.Terms)
	})
	if err == nil {
		err = o.delivered(ctx, std)
	}
	// The vehicle says goodbye while the office still listens.
	stopLink()
	stopInbox()
	err = errors.Join(err, g.Wait(), o.outbox.Close())
	if err != nil {
		return err
	}
	return o.print(std, s, r.out)
}

// delivered waits until the outbox is empty: until the inbox has receipted all.
func (o *office) delivered(ctx context.Context, std stdio) error {
	ctx, cancel := context.WithTimeout(ctx, deliverWithin)
	defer cancel()
	total := o.outbox.Len()
	bar := newProgress(std, total, "delivering")
	defer bar.done()
	for o.outbox.Len() > 0 {
		bar.set(total - o.outbox.Len())
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d observations were not delivered within %s", o.outbox.Len(), deliverWithin)
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

func (o *office) print(std stdio, s summary, replayed string) error {
	if err := s.print(std, replayed); err != nil {
		return err
	}
	stored, err := filepath.Glob(filepath.Join(o.dir, "*", "*", "*", "*.json"))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "  case office  %s: %d observations arrived over MQTT and were receipted\n", o.dir, len(stored))
	return err
}
