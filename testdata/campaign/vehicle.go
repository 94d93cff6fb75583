package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"gadeblik/uplink"
)

// vehicle is a process that accepts observations and sends them, and writes down each
// one that it has accepted. What it has written down it has to deliver.
type vehicle struct {
	name, dir, office, broker string
	first, count              int           // numbers of its observations; count 0 = no end
	every                     time.Duration // from one to the next, on average
	receipt                   time.Duration // patience with receipts
	size                      int           // bytes of a picture; 0 = several sizes

	pictures album
	box      *uplink.Outbox
	link     *uplink.Link
	seal     *uplink.Sealer
	says     *json.Encoder
}

// said is a line that a vehicle writes.
type said struct {
	Opened   *uplink.OpenReport `json:"opened,omitempty"`
	Accepted *accepted          `json:"accepted,omitempty"`
	Idle     bool               `json:"idle,omitempty"`      // ready, nothing done yet
	Life     int                `json:"life,omitempty"`      // number of its first observation
	Done     bool               `json:"collected,omitempty"` // all were accepted
	Requeued int                `json:"requeued,omitempty"`
	Drained  *uplink.Stats      `json:"drained,omitempty"`
	Link     *uplink.LinkStats  `json:"link,omitempty"`
	Error    string             `json:"error,omitempty"`
}

// accepted is an observation for which Put has returned nil.
type accepted struct {
	Number      int    `json:"number"`
	ID          string `json:"id"`
	Parcel      string `json:"parcel"`
	Observation string `json:"observation"` // SHA-256
	Picture     string `json:"picture,omitempty"`
}

func newVehicle() *cobra.Command {
	var v vehicle
	c := &cobra.Command{
		Use: "vehicle", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return v.run(cmd.Context(), os.Stdout) },
	}
	f := c.Flags()
	f.StringVar(&v.name, "name", "", "pseudonym")
	f.StringVar(&v.dir, "dir", "", "folder of its state")
	f.StringVar(&v.office, "office", "", "public key of the office")
	f.StringVar(&v.broker, "broker", "", "address of the broker")
	f.IntVar(&v.first, "first", 0, "number of the first observation")
	f.IntVar(&v.count, "count", 0, "how many; 0 is until it is told to stop")
	f.IntVar(&v.size, "size", 0, "bytes of a picture, about; 0 is several sizes")
	f.DurationVar(&v.every, "every", 50*time.Millisecond, "from one observation to the next")
	f.DurationVar(&v.receipt, "receipt", 2*time.Second, "patience with receipts")
	return c
}

func (v *vehicle) run(ctx context.Context, out io.Writer) error {
	v.says = json.NewEncoder(out)
	if err := v.open(); err != nil {
		return errors.Join(err, v.says.Encode(said{Error: err.Error()}))
	}
	if err := v.says.Encode(said{Idle: true, Life: v.first}); err != nil {
		return err
	}
	linkCtx, stopLink := context.WithCancel(context.WithoutCancel(ctx))
	var g errgroup.Group
	g.Go(func() error { v.keepLink(linkCtx); return nil })
	err := v.collect(ctx)
	if err == nil {
		err = v.drain(linkCtx)
	}
	stopLink()
	stats, sent := v.box.Stats(), v.link.Stats()
	err = errors.Join(err, g.Wait(), v.box.Close())
	return errors.Join(err, v.says.Encode(said{Drained: &stats, Link: &sent}))
}

func (v *vehicle) open() error {
	var err error
	if v.seal, err = v.sealer(); err != nil {
		return err
	}
	if v.pictures, err = newAlbum(v.size); err != nil {
		return err
	}
	box, report, err := uplink.OpenOutbox(filepath.Join(v.dir, "outbox"), uplink.OutboxConfig{Seal: v.seal, MinFree: 1 << 20, MaxRefusals: 4})
	if err != nil {
		return err
	}
	v.box = box
	v.link, err = uplink.NewLink(uplink.LinkConfig{
		Broker: v.broker, Fleet: fleetName, Vehicle: v.name, Outbox: box,
		ReceiptTimeout: v.receipt, AckTimeout: 10 * v.receipt, ConnectTimeout: 5 * time.Second, DrainTimeout: time.Second,
		KeepAlive: 10 * time.Second, PingTimeout: 10 * time.Second,
	})
	return errors.Join(err, v.says.Encode(said{Opened: &report}))
}

func (v *vehicle) sealer() (*uplink.Sealer, error) {
	key, err := uplink.ReadPrivate(filepath.Join(v.dir, "device.key"))
	if err != nil {
		return nil, err
	}
	to, err := uplink.ParseRecipients(v.office)
	if err != nil {
		return nil, err
	}
	return uplink.NewSealer(uplink.SealConfig{Signer: key, Recipients: to})
}

// keepLink connects again and again, as an agent does, in the campaign's haste.
func (v *vehicle) keepLink(ctx context.Context) {
	for ctx.Err() == nil {
		_ = v.link.Run(ctx) // a lost connection is what this is about
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(50+rand.IntN(250)) * time.Millisecond):
		}
	}
}

// collect accepts observations until all are made or ctx ends.
func (v *vehicle) collect(ctx context.Context) error {
	for n := v.first; v.count == 0 || n < v.first+v.count; n++ {
		if err := v.accept(ctx, n); err != nil {
			return err
		}
		if v.every > 0 {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(time.Duration(rand.Int64N(int64(2 * v.every)))):
			}
		}
		if ctx.Err() != nil {
			return nil
		}
	}
	return v.says.Encode(said{Done: true})
}

// accept makes one observation and waits until there is room for it.
func (v *vehicle) accept(ctx context.Context, n int) error {
	o, e, err := finding(v.name, n, v.pictures)
	if err != nil {
		return err
	}
	terms := uplink.Terms{Day: o.Time.UTC.Format(time.DateOnly), Priority: uplink.Priority(n % 3)}
	for err = v.box.Put(o, e, terms); errors.Is(err, uplink.ErrFull); err = v.box.Put(o, e, terms) {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(20 * time.Millisecond):
		}
	}
	if err != nil {
		return errors.Join(err, v.says.Encode(said{Error: err.Error()}))
	}
	a := accepted{Number: n, ID: o.ID, Parcel: v.seal.ParcelID(o.ID)}
	if a.Observation, a.Picture, err = digests(o, e); err != nil {
		return err
	}
	return v.says.Encode(said{Accepted: &a})
}

// drain waits until everything but what was set aside has left; what is set aside
// gets one more chance each time that nothing else is left.
func (v *vehicle) drain(ctx context.Context) error {
	for again := 0; again < 3; again++ {
		for v.box.Len() > 0 {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(20 * time.Millisecond):
			}
		}
		n, err := v.box.Requeue()
		if err != nil || n == 0 {
			return err
		}
		if err := v.says.Encode(said{Requeued: n}); err != nil {
			return err
		}
	}
	return nil
}

// readSaid returns the lines of a vehicle's log; the last may be cut off by its end.
func readSaid(path string) ([]said, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	var lines []said
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var line said
		if json.Unmarshal(s.Bytes(), &line) == nil {
			lines = append(lines, line)
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return lines, nil
}
