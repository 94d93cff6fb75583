package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/spf13/cobra"

	"gadeblik/testdata/program"
)

// week is a vehicle that has had no network for a week.
type week struct {
	dir, program string
	items, size  int
	rate         float64 // bytes a second of the network that comes at last
	memory, disk int64   // bounds
}

func newWeek() *cobra.Command {
	w := week{memory: 64 << 20, disk: 5 << 20}
	c := &cobra.Command{
		Use: "week", Short: "A week without a network, then a slow one", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return w.run(cmd.Context()) },
	}
	f := c.Flags()
	f.StringVar(&w.dir, "dir", "", "folder to work in (default: a temporary one)")
	f.StringVar(&w.program, "program", "bin/gadeblik", "the program under test")
	f.IntVar(&w.items, "items", 5000, "observations of the week")
	f.IntVar(&w.size, "size", 100_000, "bytes of a picture")
	f.Float64Var(&w.rate, "rate", 1e6/8, "bytes a second of the network")
	return c
}

func (w *week) run(ctx context.Context) (err error) {
	r, err := openRig(w.dir, w.program, 1)
	if err != nil {
		return err
	}
	defer func() { r.end(err) }()
	order, err := watchOrder(r.broker.Address())
	if err != nil {
		return err
	}
	return w.drive(ctx, r.dir, r.broker.Address(), r.office, order)
}

func (w *week) drive(ctx context.Context, dir, broker string, o *office, order *arrivals) error {
	state := filepath.Join(dir, "vehicle")
	if err := o.introduce("sweeper-1", state); err != nil {
		return err
	}
	way, err := newNetwork("127.0.0.1:1") // nobody is there yet
	if err != nil {
		return err
	}
	defer way.close()
	way.set(conditions{rtt: 50 * time.Millisecond, rate: w.rate})
	self, err := os.Executable()
	if err != nil {
		return err
	}
	v := program.New("sweeper-1", filepath.Join(dir, "sweeper-1.log"), self, "vehicle", "--name", "sweeper-1", "--dir", state,
		"--office", o.identity+".pub", "--broker", way.url(), "--count", fmt.Sprint(w.items), "--size", fmt.Sprint(w.size), "--every", "0s", "--receipt", "60s")
	if err := v.Start(); err != nil {
		return err
	}
	defer v.Kill()
	mem := &memory{pid: v.PID()}
	if err := w.until(ctx, v, "idle", func(s said) bool { return s.Idle }); err != nil {
		return err
	}
	idle := mem.look()
	if err := w.until(ctx, v, "the week", func(s said) bool { mem.look(); return s.Done }); err != nil {
		return err
	}
	full := usage(filepath.Join(state, "outbox"))
	fmt.Printf("%d observations of %s collected without a network, %s on disk; idle memory %s\n", w.items, size(int64(w.size)), size(full), size(idle))

	began := time.Now()
	way.retarget(broker)
	if err := w.until(ctx, v, "the drain", func(s said) bool { mem.look(); return s.Drained != nil }); err != nil {
		return err
	}
	<-v.Done()
	return w.judge(o, v, order, mem, idle, usage(filepath.Join(state, "outbox")), time.Since(began))
}

// until waits for a line of the vehicle's log.
func (w *week) until(ctx context.Context, v *program.Program, what string, is func(said) bool) error {
	for last := time.Now(); ; time.Sleep(500 * time.Millisecond) {
		ended := v.Ended() != nil // before reading: its last word may be the one
		lines, err := readSaid(v.Log)
		if err != nil {
			return err
		}
		for _, s := range lines {
			if s.Error != "" {
				return violated("the vehicle says: %s", s.Error)
			}
			if is(s) {
				return nil
			}
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case ended:
			return violated("the vehicle ended before %s; its log is %s", what, v.Log)
		case time.Since(last) > 3*time.Hour:
			return violated("%s did not come", what)
		}
	}
}

func (w *week) judge(o *office, v *program.Program, order *arrivals, mem *memory, idle, left int64, took time.Duration) error {
	book := newBook()
	if err := book.read(v.Log); err != nil {
		return err
	}
	found, twice, err := o.shelf()
	if err != nil {
		return err
	}
	problems := book.check(found, nil)
	out := order.outOfOrder(book)
	above := mem.peak - idle
	fmt.Printf("drained in %s: %d stored, %d twice, %d missing or changed; %d out of order within their priority\n",
		took.Round(time.Second), len(found), twice, len(problems), out)
	fmt.Printf("memory at most %s above idle (bound %s); disk afterwards %s (bound %s)\n", size(above), size(w.memory), size(left), size(w.disk))
	if len(found) != w.items || twice > 0 || out > 0 || above > w.memory || left > w.disk {
		problems = append(problems, errors.New("a bound was missed"))
	}
	if len(problems) > 0 {
		return violation{errors.Join(problems...)}
	}
	return nil
}

// memory follows what a process holds.
type memory struct {
	pid  int
	peak int64
}

// look returns the resident bytes of the process: its own memory and what it has
// mapped.
func (m *memory) look() int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err == nil {
				m.peak = max(m.peak, kb<<10)
				return kb << 10
			}
		}
	}
	return 0
}

// usage is how many bytes of disk a folder takes.
func usage(dir string) int64 {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += blocks(info)
		}
		return err
	})
	if err != nil {
		return -1
	}
	return sum
}

// arrivals is the order in which a broker first sees the observations.
type arrivals struct {
	mu     sync.Mutex
	seen   map[string]bool
	parcel []string
}

func watchOrder(broker string) (*arrivals, error) {
	a := &arrivals{seen: map[string]bool{}}
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + broker).SetClientID("order").SetOrderMatters(true))
	if t := c.Connect(); t.Wait() && t.Error() != nil {
		return nil, t.Error()
	}
	t := c.Subscribe("gadeblik/v1/"+fleetName+"/+/observations/#", 1, func(_ mqtt.Client, m mqtt.Message) {
		parts := strings.Split(m.Topic(), "/")
		a.mu.Lock()
		defer a.mu.Unlock()
		if id := parts[5]; !a.seen[id] {
			a.seen[id] = true
			a.parcel = append(a.parcel, id)
		}
	})
	t.Wait()
	return a, t.Error()
}

// outOfOrder counts the observations that came after one of their priority that was
// accepted later.
func (a *arrivals) outOfOrder(b *book) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	highest, n := map[int]int{}, 0
	for _, id := range a.parcel {
		number := b.parcels[id].Number
		if number < highest[number%3] {
			n++
		}
		highest[number%3] = max(highest[number%3], number)
	}
	return n
}
