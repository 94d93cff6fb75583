package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"gadeblik/capture"
	"gadeblik/gps"
	"gadeblik/gps/geofence"
	"gadeblik/uplink"
)

// Config is what an [Agent] is made of. Everything but Masks, Link, Store,
// Verifier, Commands, Unmetered, Depot and Figures must be set.
type Config struct {
	Fleet, Vehicle, Version string

	Models *Models
	Masks  []Mask // parts of every frame that no picture shows
	Fence  geofence.TrackerConfig
	Clock  gps.ClockConfig
	Switch *Switch
	Outbox *uplink.Outbox
	// HighWater is the share of the outbox's room at which capturing stops; what
	// was already seen still fits beyond it. 0 means 0.9.
	HighWater float64

	// GPS delivers fixes until ctx ends (nil) or the receiver is lost.
	GPS func(ctx context.Context, emit func(gps.Fix)) error
	// Camera opens the camera; it is not streaming yet.
	Camera func() (capture.Camera, error)

	// Link connects to the broker; the agent fills in outbox, status and orders.
	// Nil means that nothing is sent.
	Link *uplink.LinkConfig
	// Verifier and Store say whose orders are obeyed and keep the last good ones.
	Verifier uplink.Verifier
	Store    *uplink.OrdersStore
	// Commands verifies and remembers the admin's commands. Nil means that none is
	// obeyed.
	Commands *uplink.CommandStore

	// Unmetered and Depot, where set, both bound when items are sent: while the
	// connection's own address is one of those Unmetered agrees to, and while the
	// newest fix's whole circle of error lies in a zone of Depot. Status, orders
	// and commands go at all times.
	Unmetered func(local netip.Addr) bool
	Depot     *geofence.Index

	// Figures, if set, adds what is known of the computer to the counters of the
	// status. It is asked about once a second and must be quick.
	Figures func(counters map[string]uint64)

	Log *slog.Logger
}

// Agent looks, with devices and a clock, as its orders and its driver allow.
type Agent struct {
	cfg  Config
	pipe *Pipeline
	slot *capture.Slot

	fixes       chan gps.Fix
	plan        atomic.Pointer[Plan]
	planChanged chan struct{}
	look        signal      // the gate is open: the camera may stream
	streaming   atomic.Bool // the camera streams
	cameraErr   atomic.Pointer[string]
	gpsErr      atomic.Pointer[string]

	pending []Product // made, and not taken by the outbox yet
	refusal error     // why; of many refusals the first
	looking looking

	status        atomic.Pointer[uplink.Status]
	statusChanged chan struct{}
	commanded     chan struct{}                        // a command was answered: look at once
	answer        atomic.Pointer[uplink.CommandReport] // to the newest command
	depot         depot
	trusted       atomic.Pointer[instant] // newest trusted time
	hope          chan struct{}           // something has changed for which the uplink should try again soon
	beat          atomic.Int64            // host time of the loop's last turn, Unix nanoseconds
	lost          atomic.Uint64
	link          atomic.Pointer[uplink.Link] // nil where there is none
	vitals        []metrics.Sample            // of the process; the loop's
}

// maxFixes is how many fixes may wait for the loop: a fence that counts N of M must
// see each. Half a minute at 10 Hz is longer than any look takes; if the receiver had to
// wait, its fixes would come late, and the clock would not trust them.
const maxFixes = 300

// maxPending is how many products may wait for a failing outbox. The gate is
// closed meanwhile, so only the ends of open passes come here.
const maxPending = 128

// turn is how often the loop looks at the clock when nothing happens: a stale
// fix or an expired order must close the gate without an event.
const turn = 100 * time.Millisecond

// New returns an agent with the last good orders in force, and the reason where
// there are none: the agent runs without, and looks at nothing.
func New(cfg Config) (*Agent, error) {
	if err := cfg.Models.Check(); err != nil {
		return nil, err
	}
	if cfg.HighWater == 0 {
		cfg.HighWater = 0.9
	}
	a := &Agent{
		cfg:           cfg,
		slot:          capture.NewSlot(),
		fixes:         make(chan gps.Fix, maxFixes),
		planChanged:   make(chan struct{}, 1),
		statusChanged: make(chan struct{}, 1),
		commanded:     make(chan struct{}, 1),
		hope:          make(chan struct{}, 1),
		depot:         newDepot(cfg.Depot, cfg.Fence),
		vitals:        newVitals(),
	}
	a.pipe = NewPipeline(PipelineConfig{
		Vehicle: cfg.Vehicle, Version: cfg.Version,
		Models: cfg.Models, Masks: cfg.Masks, Fence: cfg.Fence, Clock: cfg.Clock,
		Sink: a.take, Used: cfg.Outbox.Used,
	})
	a.status.Store(&uplink.Status{State: uplink.Off, Reason: SwitchOff.String()})
	a.loadOrders()
	a.loadCommands()
	return a, nil
}

// Run works until ctx ends; then it stops the camera, hands over what it found,
// and gives the uplink its time to empty the outbox. It returns nil when all of
// that was done.
func (a *Agent) Run(ctx context.Context) error {
	// The uplink outlives the rest: what is found at the end must still leave.
	linkCtx, stopLink := context.WithCancel(context.WithoutCancel(ctx))
	defer stopLink()
	linked := make(chan error, 1)
	go func() { linked <- a.runLink(linkCtx) }()

	sources, stopSources := context.WithCancel(ctx)
	defer stopSources()
	parts := make(chan error, 2)
	go func() { parts <- keep(sources, a.devicePart("gps", a.runGPS)) }()
	go func() { parts <- keep(sources, a.devicePart("camera", a.runCamera)) }()
	tidied := make(chan struct{})
	go func() { defer close(tidied); a.upkeep(sources) }()

	err := a.loop(ctx)
	stopSources()
	<-tidied
	err = errors.Join(err, <-parts, <-parts, a.finish())
	stopLink()
	return errors.Join(err, <-linked)
}

func (a *Agent) runGPS(ctx context.Context) error {
	err := a.cfg.GPS(ctx, func(f gps.Fix) {
		a.gpsErr.Store(nil)
		select {
		case a.fixes <- f:
		case <-ctx.Done():
		}
	})
	return remember(&a.gpsErr, err)
}

// runCamera streams while the gate is open, and closes the device on the first
// error; keep opens it anew.
func (a *Agent) runCamera(ctx context.Context) error {
	if err := a.look.wait(ctx); err != nil {
		return nil
	}
	cam, err := a.cfg.Camera()
	if err != nil {
		return remember(&a.cameraErr, err)
	}
	defer func() { a.streaming.Store(false) }()
	for a.mayStream(ctx) == nil {
		if err := a.stream(ctx, cam); err != nil {
			return remember(&a.cameraErr, errors.Join(err, cam.Close()))
		}
	}
	return cam.Close()
}

// mayStream waits until the gate is open and the switch is on, and returns the error
// of ctx where that ends first. When the driver switches off during a look, the gate
// closes only when the look is over.
func (a *Agent) mayStream(ctx context.Context) error {
	for {
		if err := a.look.wait(ctx); err != nil || a.cfg.Switch.permit().Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(turn):
		}
	}
}

// stream runs from one opening of the gate to its closing, or until the driver switches
// off. When it returns, the device streams nothing and no frame waits.
func (a *Agent) stream(ctx context.Context, cam capture.Camera) error {
	looking, done := a.look.while(ctx)
	defer done()
	defer context.AfterFunc(a.cfg.Switch.permit(), done)()
	if looking.Err() != nil {
		return nil
	}
	if err := cam.Start(looking); err != nil {
		if looking.Err() != nil {
			return cam.Stop() // it was not to be started any more
		}
		return fmt.Errorf("start camera: %w", err)
	}
	a.streaming.Store(true)
	var err error
	for err == nil {
		var f *capture.Frame
		if f, err = cam.Next(looking); err == nil {
			a.cameraErr.Store(nil)
			a.slot.Put(f)
		}
	}
	if looking.Err() != nil {
		err = nil
	}
	err = errors.Join(err, cam.Stop())
	a.streaming.Store(false)
	a.slot.Clear()
	return err
}

// remember keeps the text of an error for the status.
func remember(at *atomic.Pointer[string], err error) error {
	if err != nil {
		text := err.Error()
		at.Store(&text)
	}
	return err
}

// Switch returns the driver's switch.
func (a *Agent) Switch() *Switch { return a.cfg.Switch }

// Status returns what the agent last said of itself.
func (a *Agent) Status() uplink.Status { return *a.status.Load() }

// Alive tells whether the loop made a turn within the given time: whether a
// watchdog may be told that all is well.
func (a *Agent) Alive(within time.Duration, now time.Time) bool {
	return now.UnixNano()-a.beat.Load() < int64(within)
}
