package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"gadeblik/cmd/gadeblik/config"
)

// usualConfig is where the service has its configuration.
const usualConfig = "/etc/gadeblik/gadeblik.yaml"

// lookWithin bounds one look, and graceful what it may take beyond that to say
// why it has come to nothing.
const (
	lookWithin = 10 * time.Second
	graceful   = time.Second
)

// visit is what all looks of one round know of this computer.
type visit struct {
	kernelFiles
	cfg      *config.Config // the defaults where the configuration cannot be read
	path     string         // of the configuration file, "" for none
	mistakes error          // in the configuration
	lacking  error          // what run needs and nobody has configured
	agent    *condition     // what a running agent says; nil where none answers
	agentPID int            // its process; 0 where nobody knows
	self     account        // who asks
	who      account        // as whom permissions are judged
}

// arrive reads the configuration and asks for a running agent.
func (d *doctor) arrive(ctx context.Context) *visit {
	v := &visit{kernelFiles: kernelFiles{"/"}, path: d.path}
	if v.path == "" {
		v.path = os.Getenv("GADEBLIK_CONFIG")
	}
	if v.path == "" && exists(usualConfig) {
		v.path = usualConfig
	}
	o := config.Options{Path: v.path, Env: os.Environ(), Flags: d.flags}
	if v.cfg, v.mistakes = config.Load(o); v.mistakes == nil {
		o.Run = true
		_, v.lacking = config.Load(o)
	} else if v.cfg, _ = config.Load(config.Options{}); v.cfg == nil {
		panic("gadeblik: internal error: the defaults are no configuration")
	}
	if cond, err := askControl(ctx, v.cfg.Switch.Socket, "GET", "/status", nil); err == nil {
		v.agent, v.agentPID = &cond, listener(ctx, v.cfg.Switch.Socket)
	}
	v.self = v.asker()
	v.who = v.judged(v.self)
	return v
}

// round is one look at everything.
type round struct {
	sections []heard
	skipped  []string // parts that wait for a configuration
}

// heard is what the looks of one section have found.
type heard struct {
	title string
	lines []checkup
}

// round looks at everything at once and returns it in order.
func (d *doctor) round(ctx context.Context) *round {
	v := d.arrive(ctx)
	all, r := sections(), &round{}
	count := 0
	for _, s := range all {
		for _, l := range s.looks {
			if !l.configured || v.mistakes == nil {
				count++
			}
		}
	}
	bar := newProgress(d.std, count, "looking")
	defer bar.done()
	var wg sync.WaitGroup
	var mu sync.Mutex // guards d.hanging and the bar
	done := 0
	lines := make([][][]checkup, len(all))
	for i, s := range all {
		lines[i] = make([][]checkup, len(s.looks))
		for j, l := range s.looks {
			if l.configured && v.mistakes != nil {
				r.skipped = append(r.skipped, l.part)
				continue
			}
			wg.Go(func() {
				lines[i][j] = d.within(ctx, v, l, &mu)
				mu.Lock()
				defer mu.Unlock()
				done++
				bar.set(done)
			})
		}
	}
	wg.Wait()
	for i, s := range all {
		r.sections = append(r.sections, heard{s.title, slices.Concat(lines[i]...)})
	}
	return r
}

// within lets one look take its time and no more. A call into a driver may hang
// beyond any context; the look then stays where it is, and is not begun a second
// time until it has come back.
func (d *doctor) within(ctx context.Context, v *visit, l look, mu *sync.Mutex) []checkup {
	mu.Lock()
	back := d.hanging[l.part]
	mu.Unlock()
	if back != nil {
		select {
		case <-back: // late, and of an earlier round
		default:
			return []checkup{hangs(l.part, "still ")}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	back = make(chan []checkup, 1)
	go func() { back <- l.do(v, ctx) }()
	select {
	case lines := <-back:
		back = nil
		mu.Lock()
		defer mu.Unlock()
		delete(d.hanging, l.part)
		return lines
	case <-after(ctx, graceful):
	}
	mu.Lock()
	defer mu.Unlock()
	d.hanging[l.part] = back
	return []checkup{hangs(l.part, "")}
}

// after is closed some time after ctx has ended.
func after(ctx context.Context, d time.Duration) <-chan struct{} {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return late.Done()
}

func hangs(part, still string) checkup {
	return checkup{part, ill, fmt.Sprintf("%sno answer in %s", still, lookWithin+graceful), "a driver or a disk hangs: `dmesg | tail` says more; unplug the device, or restart the computer"}
}

// err is [unwell] where something fails.
func (r *round) err() error {
	for _, c := range r.lines() {
		if c.State == ill {
			return unwell{}
		}
	}
	return nil
}

func (r *round) lines() []checkup {
	var all []checkup
	for _, s := range r.sections {
		all = append(all, s.lines...)
	}
	return all
}

// parts names the lines in a state, in order.
func (r *round) parts(state string) []string {
	var names []string
	for _, c := range r.lines() {
		if c.State == state {
			names = append(names, c.Part)
		}
	}
	return names
}

// figure is what changes without being news: temperatures, rooms, times.
var figure = regexp.MustCompile(`[0-9][0-9.,:+-]*`)

// since returns the lines that differ from those seen, figures aside, and takes
// them into seen. A part that has gone is forgotten, so that it is news again.
func (r *round) since(seen map[string]string) []checkup {
	var news []checkup
	now := map[string]bool{}
	for _, c := range r.lines() {
		now[c.Part] = true
		gist := c.State + " " + figure.ReplaceAllString(c.Says+" "+c.Mend, "#")
		if seen[c.Part] != gist {
			seen[c.Part], news = gist, append(news, c)
		}
	}
	for part := range seen {
		if !now[part] {
			delete(seen, part)
		}
	}
	return news
}

// diagnosis is the last word of a round.
type diagnosis struct {
	Summary string   `json:"summary"`
	OK      int      `json:"ok"`
	Warn    int      `json:"warn"`
	Fail    int      `json:"fail"`
	Skipped []string `json:"skipped,omitempty"`
}

func (r *round) summary() diagnosis {
	must, might := r.parts(ill), r.parts(doubt)
	s := diagnosis{OK: len(r.parts(healthy)), Warn: len(might), Fail: len(must), Skipped: r.skipped}
	switch {
	case len(must)+len(might) == 0:
		s.Summary = fmt.Sprintf("all %d things are in order", s.OK)
	case len(might) == 0:
		s.Summary = fmt.Sprintf("%s must be mended: %s", things(len(must)), strings.Join(must, ", "))
	case len(must) == 0:
		s.Summary = fmt.Sprintf("nothing must be mended, %d looked at: %s", len(might), strings.Join(might, ", "))
	default:
		s.Summary = fmt.Sprintf("%s must be mended, %d looked at: %s; %s", things(len(must)), len(might), strings.Join(must, ", "), strings.Join(might, ", "))
	}
	if len(r.skipped) > 0 {
		s.Summary += fmt.Sprintf(" (%d wait for the configuration: %s)", len(r.skipped), strings.Join(r.skipped, ", "))
	}
	return s
}

func things(n int) string {
	if n == 1 {
		return "1 thing"
	}
	return fmt.Sprintf("%d things", n)
}

// configuration says what is configured, and every mistake in it.
func (v *visit) configuration(context.Context) []checkup {
	const part = "config"
	if v.mistakes != nil {
		return []checkup{{part, ill, strings.TrimSpace(v.mistakes.Error()), "correct these; `gadeblik check` says the same, configs/gadeblik.yaml shows every key"}}
	}
	if v.path == "" && v.lacking != nil {
		return []checkup{{part, ill, "there is no configuration: no --config, no GADEBLIK_CONFIG, no " + usualConfig,
			"copy the example configs/gadeblik.yaml to " + usualConfig + " and change the lines marked CHANGE; until then the defaults are looked at"}}
	}
	if v.path == "" {
		return []checkup{{part, healthy, "no file; variables and flags have all that is needed", ""}}
	}
	path, err := filepath.Abs(v.path)
	if err == nil {
		err = v.reach(path, v.who, mayRead)
	}
	var d denied
	switch {
	case errors.As(err, &d):
		return []checkup{{part, ill, err.Error(), d.mend()}}
	case err != nil:
		return []checkup{{part, ill, err.Error(), ""}}
	case v.lacking != nil:
		return []checkup{{part, doubt, v.path + " is valid, but lacks what `gadeblik run` needs; it is named below", "see the lines that fail"}}
	}
	return []checkup{{part, healthy, v.path + " is valid", ""}}
}
