package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"gadeblik/testdata/program"
)

// fleet is many vehicles that send at the same time.
type fleet struct {
	dir, program   string
	vehicles, each int
	every          time.Duration
}

func newFleet() *cobra.Command {
	var f fleet
	c := &cobra.Command{
		Use: "fleet", Short: "Many vehicles, one broker, two inboxes that share the work", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context()) },
	}
	flags := c.Flags()
	flags.StringVar(&f.dir, "dir", "", "folder to work in (default: a temporary one)")
	flags.StringVar(&f.program, "program", "bin/gadeblik", "the program under test")
	flags.IntVar(&f.vehicles, "vehicles", 200, "how many vehicles")
	flags.IntVar(&f.each, "each", 50, "observations of each")
	flags.DurationVar(&f.every, "every", 2*time.Second, "from one observation of a vehicle to the next")
	return c
}

func (f *fleet) run(ctx context.Context) (err error) {
	r, err := openRig(f.dir, f.program, inboxCount)
	if err != nil {
		return err
	}
	defer func() { r.end(err) }()
	began := time.Now()
	logs, err := f.drive(ctx, r.dir, r.broker.Address(), r.office)
	if err != nil {
		return err
	}
	took := time.Since(began)
	costs := f.costs(r.broker.Program, r.office)
	return f.judge(r.office, logs, took, costs)
}

// drive runs the vehicles of the fleet in this process: their processors' time and
// memory is what they cost together.
func (f *fleet) drive(ctx context.Context, dir, broker string, o *office) ([]string, error) {
	var logs []string
	var g errgroup.Group
	for n := range f.vehicles {
		v := vehicle{
			name: fmt.Sprintf("sweeper-%03d", n+1), dir: filepath.Join(dir, "fleet", fmt.Sprint(n+1)), office: o.identity + ".pub",
			broker: "tcp://" + broker, count: f.each, every: f.every, receipt: 20 * time.Second, size: 60_000,
		}
		if err := o.introduce(v.name, v.dir); err != nil {
			return nil, err
		}
		log := filepath.Join(v.dir, "log")
		logs = append(logs, log)
		g.Go(func() error {
			out, err := os.Create(log)
			if err != nil {
				return err
			}
			return errors.Join(v.run(ctx, out), out.Close())
		})
	}
	return logs, g.Wait()
}

func (f *fleet) judge(o *office, logs []string, took time.Duration, costs string) error {
	b := newBook()
	resent, published := uint64(0), uint64(0)
	for _, log := range logs {
		if err := b.read(log); err != nil {
			return err
		}
		lines, err := readSaid(log)
		if err != nil {
			return err
		}
		for _, s := range lines {
			if s.Link != nil {
				resent, published = resent+s.Link.Resent, published+s.Link.Published
			}
		}
	}
	found, twice, err := o.shelf()
	if err != nil {
		return err
	}
	problems := b.check(found, nil)
	fmt.Printf("%d vehicles, %d observations accepted, %d stored, %d twice, %d missing or changed, %d sent again, in %s: %.0f a second\n",
		f.vehicles, len(b.ids), len(found), twice, len(problems), resent, took.Round(time.Second), float64(len(found))/took.Seconds())
	fmt.Print(costs)
	if want := f.vehicles * f.each; len(found) != want || len(b.ids) != want || twice > 0 {
		problems = append(problems, fmt.Errorf("want %d accepted and stored once", want))
	}
	if len(problems) > 0 {
		return violation{errors.Join(problems...)}
	}
	return nil
}

// costs is what each part has taken, by process.
func (f *fleet) costs(broker *program.Program, o *office) string {
	text := ""
	for _, p := range append([]*program.Program{broker}, o.inboxes...) {
		cpu, rss := taken(p.PID())
		text += fmt.Sprintf("  %-10s %6.1f s of a processor, %s; each vehicle's share: %.1f ms for an observation, %s\n",
			p.Name, cpu.Seconds(), size(rss), 1000*cpu.Seconds()/float64(f.vehicles*f.each), size(rss/int64(f.vehicles)))
	}
	cpu, rss := taken(os.Getpid())
	return text + fmt.Sprintf("  %-10s %6.1f s of a processor, %s; each: %.1f ms for an observation (made, signed, sealed, stored, sent), %s\n",
		"vehicles", cpu.Seconds(), size(rss), 1000*cpu.Seconds()/float64(f.vehicles*f.each), size(rss/int64(f.vehicles)))
}
