package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// soak is what was asked for.
type soak struct {
	length                  time.Duration
	program, dir, lib, only string
	drive                   string
}

// phase is a part of the soak, with what it found.
type phase struct {
	name   string
	share  float64 // of the whole time
	around place   // where the vehicle drives
	faults bool

	length        time.Duration
	samples       []sample
	before, after condition
}

// idleCore is the share of a processor core that an idle agent stays below.
const idleCore = 0.01

// shortest is how long a phase must be to say something.
const shortest = 20 * time.Second

func (s *soak) phases() ([]*phase, error) {
	all := []*phase{{name: "idle", share: 0.3, around: outside}, {name: "work", share: 0.4, around: town}, {name: "faults", share: 0.3, around: town, faults: true}}
	if s.only != "" {
		for _, p := range all {
			if p.name == s.only {
				p.share, all = 1, []*phase{p}
			}
		}
		if len(all) != 1 {
			return nil, fmt.Errorf("--only must be idle, work or faults (got %q)", s.only)
		}
	}
	for _, p := range all {
		p.length = time.Duration(float64(s.length) * p.share)
		if p.length < shortest {
			return nil, fmt.Errorf("--for %s gives phase %s %s; at least %s say something", s.length, p.name, p.length, shortest)
		}
	}
	return all, nil
}

func (s *soak) run(ctx context.Context) (err error) {
	phases, err := s.phases()
	if err != nil {
		return err
	}
	keep, err := s.prepare()
	if err != nil {
		return err
	}
	defer func() {
		if keep || err != nil {
			fmt.Println("what was written is in", s.dir)
			return
		}
		err = os.RemoveAll(s.dir)
	}()
	r, err := openRig(ctx, s)
	if err != nil {
		return err
	}
	defer r.close()
	fmt.Printf("%s with mosquitto, process %d, in %s\n", s.length, r.agent.PID(), s.dir)
	for _, p := range phases {
		if err := p.run(ctx, r); err != nil {
			return err
		}
	}
	last, err := ask(ctx, r.socket, "GET", "/status", "")
	if err != nil {
		return violated("the agent does not answer at the end: %v", err)
	}
	return judge(phases, last, r.agent.Stop(time.Minute))
}

// prepare makes all paths absolute and a folder, and says whether that was there.
func (s *soak) prepare() (keep bool, err error) {
	if keep = s.dir != ""; !keep {
		if s.dir, err = os.MkdirTemp("", "gadeblik-soak-"); err != nil {
			return false, err
		}
	}
	s.drive = filepath.Join("testdata", "drives", "demo")
	for _, path := range []*string{&s.dir, &s.program, &s.drive, &s.lib} {
		if *path, err = filepath.Abs(*path); err != nil {
			return keep, err
		}
	}
	for _, need := range []string{s.program, s.drive, s.lib} {
		if _, err := os.Stat(need); err != nil {
			return keep, fmt.Errorf("%w; run `make soak` from the top of the checkout", err)
		}
	}
	return keep, os.MkdirAll(s.dir, 0o755)
}

// most samples are taken of a phase: the shortest has one each fifth of a second, an
// hour's one each three.
const most = 400

// run lets the agent work for the phase's time and takes samples.
func (p *phase) run(ctx context.Context, r *rig) error {
	r.gps.move(p.around)
	every := max(200*time.Millisecond, p.length/most)
	tick := time.NewTicker(every)
	defer tick.Stop()
	trouble := mishap{turn: min(max(p.length/8, shortestTurn), longestTurn)}
	began := time.Now()
	warm := began.Add(p.length / 4)
	for now := began; now.Sub(began) < p.length; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now = <-tick.C:
		}
		if err := r.agent.Ended(); err != nil {
			return violated("phase %s: %w", p.name, err)
		}
		s, err := look(r.agent.PID(), r.state)
		if err != nil {
			return err
		}
		c, err := ask(ctx, r.socket, "GET", "/status", "")
		if err != nil {
			return violated("the agent does not answer in phase %s: %v", p.name, err)
		}
		s.values[goroutines] = float64(c.Status.Counters["goroutines"])
		p.samples = append(p.samples, s)
		if p.before.Status.State == "" && now.After(warm) {
			p.before = c
		}
		if p.faults {
			if err := trouble.at(r, now.Sub(began)); err != nil {
				return err
			}
		}
	}
	var err error
	if p.after, err = ask(ctx, r.socket, "GET", "/status", ""); err != nil {
		return violated("the agent does not answer at the end of phase %s: %v", p.name, err)
	}
	return errors.Join(trouble.end(r), p.print())
}

// mishap takes the broker and the GPS away and gives them back, once each in a turn.
type mishap struct {
	turn              time.Duration
	brokerOff, gpsOff bool
}

// When in a turn what is away. A turn lasts at least half a minute; in long soaks it
// is longer, so that the agent, which waits the longer the more often a broker went
// away, comes to send between two faults.
const (
	shortestTurn, longestTurn = 30 * time.Second, 2 * time.Minute

	brokerFrom, brokerTo = 4 * time.Second, 10 * time.Second
	gpsFrom, gpsTo       = 16 * time.Second, 20 * time.Second
)

// at brings everything to how it must be some time into the phase.
func (m *mishap) at(r *rig, t time.Duration) error {
	t %= m.turn
	if off := t >= brokerFrom && t < brokerTo; off != m.brokerOff {
		m.brokerOff = off
		if !off {
			return r.broker.Start()
		}
		r.broker.Kill()
	}
	if off := t >= gpsFrom && t < gpsTo; off != m.gpsOff {
		m.gpsOff = off
		if !off {
			return r.gps.plugIn()
		}
		r.gps.unplug()
	}
	return nil
}

// end gives everything back.
func (m *mishap) end(r *rig) error {
	var errs []error
	if m.brokerOff {
		errs = append(errs, r.broker.Start())
	}
	if m.gpsOff {
		errs = append(errs, r.gps.plugIn())
	}
	return errors.Join(errs...)
}

// series are the samples of one measure; none where it could not be measured.
func (p *phase) series(m measure) []float64 {
	var all []float64
	for _, s := range p.samples {
		if v := s.values[m]; v >= 0 {
			all = append(all, v)
		}
	}
	return all
}

// core is the share of a processor core in the last three quarters.
func (p *phase) core() float64 {
	if len(p.samples) < fewest {
		return 0
	}
	from, to := p.samples[len(p.samples)/4], p.samples[len(p.samples)-1]
	return (to.cpu - from.cpu).Seconds() / to.at.Sub(from.at).Seconds()
}

// did is how far a counter of the agent has come in the last three quarters.
func (p *phase) did(counter string) uint64 {
	return p.after.Status.Counters[counter] - p.before.Status.Counters[counter]
}

// print shows what the phase found.
func (p *phase) print() error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s, %s, %d samples; in its last three quarters %.2f %% of a core, %d fixes, %d frames, %d looks, %d observations accepted, %d delivered, %d allocations\n", p.name, p.length, len(p.samples),
		100*p.core(), p.did("fixes"), p.did("frames"), p.did("looked"), p.did("outbox_accepted"), p.did("outbox_delivered"), p.did("heap_allocations"))
	fmt.Fprintf(&b, "  at its end the agent is %s: %s\n", p.after.Status.State, p.after.Status.Reason)
	fmt.Fprintf(&b, "  %-16s %12s %12s %12s %12s\n", "", "2nd quarter", "last quarter", "growth", "tolerance")
	for m := range measures {
		g := grown(m, p.series(m))
		if g.samples == 0 {
			fmt.Fprintf(&b, "  %-16s not measured: only root may\n", m)
			continue
		}
		word := ""
		if g.leaks() {
			word = "  grows"
		}
		fmt.Fprintf(&b, "  %-16s %12s %12s %12s %12s%s\n", m, m.write(g.second), m.write(g.last), m.write(g.by()), m.write(g.tolerance), word)
	}
	_, err := fmt.Print(b.String())
	return err
}

// judge prints the verdict, and returns it where something did not hold.
func judge(phases []*phase, last condition, stopped error) error {
	var wrong []string
	for _, p := range phases {
		wrong = append(wrong, p.wrong()...)
	}
	c := last.Status.Counters
	if n := c["lost"] + c["outbox_lost"]; n > 0 {
		wrong = append(wrong, fmt.Sprintf("%d observations were lost", n))
	}
	if stopped != nil {
		wrong = append(wrong, stopped.Error())
	}
	if len(wrong) > 0 {
		return violated("did not hold: %s", strings.Join(wrong, "; "))
	}
	fmt.Printf("\nheld: nothing grows, %d observations accepted, %d delivered\n", c["outbox_accepted"], c["outbox_delivered"])
	return nil
}

// wrong is what did not hold in a phase.
func (p *phase) wrong() []string {
	var all []string
	for m := range measures {
		if g := grown(m, p.series(m)); g.leaks() {
			all = append(all, fmt.Sprintf("%s: %s grows by %s in %s (tolerance %s)", p.name, m, m.write(g.by()), (p.length/2).Round(time.Second), m.write(g.tolerance)))
		}
	}
	if p.did("fixes") == 0 {
		all = append(all, p.name+": no fix arrived")
	}
	if p.name != "idle" {
		for _, need := range []string{"looked", "outbox_accepted", "outbox_delivered"} {
			if p.did(need) == 0 {
				all = append(all, fmt.Sprintf("%s: %s stands still, so this phase proves nothing", p.name, need))
			}
		}
		return all
	}
	if core := p.core(); core >= idleCore {
		all = append(all, fmt.Sprintf("idle: %.2f %% of a core, must be below %.0f %%", 100*core, 100*idleCore))
	}
	if n := p.did("frames"); n > 0 {
		all = append(all, fmt.Sprintf("idle: the camera gave %d frames", n))
	}
	return all
}
