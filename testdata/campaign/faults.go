package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

// faults is the campaign of kills, cuts, full disks and damage.
type faults struct {
	folder, program string
	rounds          int
	seed            uint64
	verbose         bool

	*rig
	rng  *rand.Rand
	way  *network
	cars []*car
	done map[string]int // rounds by fault
}

const carCount, inboxCount = 3, 2

func newFaults() *cobra.Command {
	var f faults
	c := &cobra.Command{
		Use: "faults", Short: "Kills, cuts, full disks and damage", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context()) },
	}
	flags := c.Flags()
	flags.StringVar(&f.folder, "dir", "", "folder to work in, kept afterwards (default: a temporary one)")
	flags.StringVar(&f.program, "program", "bin/gadeblik", "the program under test")
	flags.IntVar(&f.rounds, "rounds", 300, "how many faults")
	flags.Uint64Var(&f.seed, "seed", 0, "of the faults' choice (default: another each time)")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "say each fault")
	return c
}

func (f *faults) run(ctx context.Context) error {
	if f.seed == 0 {
		f.seed = uint64(time.Now().UnixNano())
	}
	f.rng, f.done = rand.New(rand.NewPCG(f.seed, 1)), map[string]int{}
	var err error
	if f.rig, err = openRig(f.folder, f.program, inboxCount); err != nil {
		return err
	}
	fmt.Printf("%d faults, seed %d, in %s\n", f.rounds, f.seed, f.dir)
	began := time.Now()
	err = f.prepare()
	if err == nil {
		err = f.rage(ctx)
	}
	if err == nil {
		err = f.calm()
	}
	f.end()
	if err == nil {
		err = f.account(time.Since(began))
	}
	for _, c := range f.cars {
		c.disk.close()
	}
	if err == nil {
		f.remove()
	}
	return err
}

func (f *faults) prepare() error {
	var err error
	if f.way, err = newNetwork(f.broker.Address()); err != nil {
		return err
	}
	f.way.set(conditions{rtt: 50 * time.Millisecond, loss: 0.05})
	for n := range carCount {
		c, err := newCar(f, n)
		if err != nil {
			return err
		}
		f.cars = append(f.cars, c)
		if err := c.start(); err != nil {
			return err
		}
	}
	return nil
}

// fault is something that happens, with how often it does.
type fault struct {
	name   string
	weight int
	do     func(*faults) error
}

var repertoire = []fault{
	{"vehicle killed", 8, func(f *faults) error { return f.car().crash(nil) }},
	{"inbox killed", 5, (*faults).killInbox},
	{"broker killed", 4, (*faults).killBroker},
	{"network cut", 4, func(f *faults) error { f.way.cut(); return nil }},
	{"network silent", 3, func(f *faults) error { f.way.hold(f.pause(2 * time.Second)); return nil }},
	{"network slow or lossy", 3, (*faults).changeNetwork},
	{"disk full", 3, func(f *faults) error { return f.cars[0].fillDisk(f.pause(800 * time.Millisecond)) }},
	{"index cut short", 2, func(f *faults) error { return f.car().crash((*car).truncateIndex) }},
	{"index bit flipped", 3, func(f *faults) error { return f.car().crash((*car).flipIndex) }},
	{"item cut short", 1, func(f *faults) error { return f.car().crash((*car).truncateItem) }},
	{"item bit flipped", 1, func(f *faults) error { return f.car().crash((*car).flipItem) }},
}

// rage lets faults happen, one after the other.
func (f *faults) rage(ctx context.Context) error {
	total := 0
	for _, r := range repertoire {
		total += r.weight
	}
	for round := range f.rounds {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		time.Sleep(f.pause(600 * time.Millisecond))
		pick := f.rng.IntN(total)
		for _, r := range repertoire {
			if pick -= r.weight; pick >= 0 {
				continue
			}
			if f.verbose {
				fmt.Printf("%4d  %s\n", round+1, r.name)
			}
			if err := r.do(f); err != nil {
				return fmt.Errorf("round %d, %s: %w", round+1, r.name, err)
			}
			f.done[r.name]++
			break
		}
	}
	return nil
}

// pause is a random time, at most so long.
func (f *faults) pause(most time.Duration) time.Duration {
	return time.Duration(f.rng.Int64N(int64(most)))
}

func (f *faults) car() *car { return f.cars[f.rng.IntN(len(f.cars))] }

func (f *faults) killInbox() error {
	p := f.office.inboxes[f.rng.IntN(len(f.office.inboxes))]
	p.Kill()
	time.Sleep(f.pause(300 * time.Millisecond))
	return p.Start()
}

func (f *faults) killBroker() error {
	f.broker.Kill()
	time.Sleep(f.pause(500 * time.Millisecond))
	return f.broker.Start()
}

func (f *faults) changeNetwork() error {
	c := conditions{rtt: 50 * time.Millisecond}
	if f.rng.IntN(2) == 0 {
		c.rtt = 600 * time.Millisecond
	}
	if f.rng.IntN(2) == 0 {
		c.loss = 0.05
	}
	f.way.set(c)
	return nil
}

// patience is how long a vehicle may take for what has piled up.
const patience = 10 * time.Minute

// calm ends the faults: each vehicle stops observing and drains its outbox.
func (f *faults) calm() error {
	f.way.set(conditions{rtt: 10 * time.Millisecond})
	f.way.hold(0)
	var errs []error
	for _, c := range f.cars {
		errs = append(errs, c.finish())
	}
	return errors.Join(errs...)
}

func (f *faults) end() {
	for _, c := range f.cars {
		c.Kill()
	}
	f.close()
	if f.way != nil {
		f.way.close()
	}
}

// account holds everything that was accepted against what is stored, and prints the
// figures.
func (f *faults) account(took time.Duration) error {
	b, excused := newBook(), map[string]bool{}
	var problems []error
	for _, c := range f.cars {
		if err := b.read(c.Log); err != nil {
			return err
		}
		reported, err := c.reported()
		if err != nil {
			return err
		}
		for parcel := range c.destroyed {
			excused[parcel] = reported[parcel]
		}
		for parcel := range reported {
			problems = appendError(problems, c.unexpected(b, parcel))
		}
	}
	found, twice, err := f.office.shelf()
	if err != nil {
		return err
	}
	problems = append(problems, b.check(found, excused)...)
	for _, name := range slices.Sorted(maps.Keys(f.done)) {
		fmt.Printf("  %-24s %4d\n", name, f.done[name])
	}
	delivered, lost := 0, 0
	for id, a := range b.ids {
		if _, ok := found[id]; ok {
			delivered++
		} else if excused[a.Parcel] {
			lost++
		}
	}
	fmt.Printf("accepted %d, stored %d of them, stored more than once %d, destroyed on purpose and reported %d, unaccounted or changed %d, in %s\n",
		len(b.ids), delivered, twice, lost, len(problems), took.Round(time.Second))
	fmt.Printf("stored without a word of acceptance, because the vehicle died before it could say so: %d\n", len(found)-delivered)
	if told := f.office.lines("msg=stored "); told > len(found) {
		problems = append(problems, fmt.Errorf("the inboxes say %d times that they have stored something, and %d observations are there", told, len(found)))
	}
	if twice > 0 {
		problems = append(problems, fmt.Errorf("%d observations are stored more than once", twice))
	}
	if len(problems) > 0 {
		return violation{errors.Join(problems...)}
	}
	return nil
}
