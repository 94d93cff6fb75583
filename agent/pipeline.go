package agent

import (
	"context"
	"errors"
	"time"

	"gadeblik/blur"
	"gadeblik/capture"
	"gadeblik/gps"
	"gadeblik/gps/geofence"
	"gadeblik/inference"
)

// Pipeline takes fixes and frames in order of time and makes products. The same
// events give the same products, byte for byte, at any speed. While the gate is
// open it holds the newest frame until the next one comes; what it holds of an
// object until its pass ends is redacted.
//
// Make one with [NewPipeline]; it belongs to one goroutine.
type Pipeline struct {
	cfg      PipelineConfig
	redactor *Redactor
	gate     *Gate
	clock    *gps.Clock
	plan     *Plan
	quota    *quota
	passes   map[int]*pass // by task
	repeats  repeats
	window   window
	spares   spares

	allowed  bool            // the switch
	permit   context.Context // ends when the switch goes off
	paused   bool
	storage  bool
	looked   bool // the models hold something of a picture
	failures int  // looks in a row that failed
	failedAt time.Time

	found     []inference.Detection // memory of wanted
	looking   []*pass               // and of due
	decision  Decision
	usedToday func(task int) int // made once: a method value would allocate at each use
	before    gps.Fix            // the valid fix before the newest
	utc       time.Time          // trusted time of the newest decision; zero if none
	source    string
	counters  Counters
}

// PipelineConfig is what a pipeline needs; Vehicle, Models and Sink must be set.
type PipelineConfig struct {
	Vehicle string // pseudonym
	Version string // of the agent, as observations give it
	Models  *Models
	Masks   []Mask // parts of every frame that no picture shows
	Fence   geofence.TrackerConfig
	Clock   gps.ClockConfig

	// Sink takes every product, in order. An error of its ends the call that
	// made the product.
	Sink func(Product) error
	// Trace, if set, is told every decision. It must not keep what t points at.
	Trace func(t Trace)
	// Used returns how many observations of a task were accepted on a day before
	// this pipeline was made; nil means none.
	Used func(day, task string) int
}

// Trace is one decision and what came of it.
type Trace struct {
	At       time.Time
	UTC      time.Time // trusted; zero if none
	Frame    bool      // decided for a frame; otherwise for a fix or a moment
	Outcome  Outcome   // of the frame
	Fix      gps.Fix
	Decision *Decision
	Plan     *Plan
}

// Outcome is what became of a frame.
type Outcome string

// What can become of a frame.
const (
	Closed  Outcome = "closed"  // no task was open: forgotten unread
	Late    Outcome = "late"    // taken too long before the newest fix to belong to it: forgotten unread
	Skipped Outcome = "skipped" // not far enough from the last look: forgotten unread
	Looked  Outcome = "looked"
	Bad     Outcome = "bad"    // not a picture
	Failed  Outcome = "failed" // a model failed: forgotten

	// Withdrawn is a frame that was being looked at when the driver switched off, or
	// the agent stopped: forgotten.
	Withdrawn Outcome = "withdrawn"
)

// NewPipeline returns a pipeline with the switch off and no plan.
func NewPipeline(cfg PipelineConfig) *Pipeline {
	p := &Pipeline{
		cfg:      cfg,
		redactor: &Redactor{Models: cfg.Models, Masks: cfg.Masks},
		gate:     NewGate(cfg.Fence),
		clock:    gps.NewClock(cfg.Clock),
		quota:    newQuota(cfg.Used),
		passes:   map[int]*pass{},
		permit:   context.Background(),
		storage:  true,
	}
	p.usedToday = func(task int) int { return p.quota.used(task, p.utc) }
	return p
}

// SetPlan puts a plan in force, or none. Passes of the old plan end.
func (p *Pipeline) SetPlan(plan *Plan) error {
	err := errors.Join(p.forget(), p.endAll())
	p.plan = plan
	p.gate.SetPlan(plan)
	p.quota.setPlan(plan)
	return err
}

// SetSwitch tells whether the driver allows capture. When he does not any more, what
// is held of frames is wiped at the next decision, and pictures that were not made of
// it by then never are.
func (p *Pipeline) SetSwitch(on bool) { p.allowed = on }

// SetPermit gives a context that ends when the switch goes off: pictures that are being
// made then are given up.
func (p *Pipeline) SetPermit(permit context.Context) { p.permit = permit }

// SetPaused tells whether a command has paused the vehicle.
func (p *Pipeline) SetPaused(paused bool) { p.paused = paused }

// SetStorage tells whether the outbox takes observations.
func (p *Pipeline) SetStorage(healthy bool) { p.storage = healthy }

// When so many looks in a row failed, the models count as unwell and the gate
// closes; after the pause one more look shows whether they still are.
const (
	maxFailures  = 5
	failurePause = 30 * time.Second
)

func (p *Pipeline) redactorWell(now time.Time) bool {
	return p.failures < maxFailures || now.Sub(p.failedAt) >= failurePause
}

// Fix takes the next fix, valid or not, and reconsiders.
func (p *Pipeline) Fix(f gps.Fix) error {
	p.counters.Fixes++
	if last, known := p.gate.Fix(); known && last.Valid {
		p.before = last
	}
	p.clock.Observe(f)
	p.gate.Observe(f)
	if f.Valid {
		for _, ps := range p.passes {
			ps.sampler.Move(f.Lat, f.Lon, f.At)
		}
	}
	err := p.Reconsider(f.At)
	p.record(f.At, "")
	return err
}

// Reconsider decides anew for the moment now, and ends the passes of tasks that
// are no longer open. Call it when the switch, the health or the time changed.
func (p *Pipeline) Reconsider(now time.Time) error {
	p.decide(now)
	return p.conclude(now)
}

// Frame takes the next frame and owns it from then on: decides, and looks where a
// task is open and the vehicle has moved far enough. While no task is open, and when
// it was taken more than a second before the newest fix, the frame is released at once
// and unread. When ctx ends, the look is given up. An error
// is the sink's; a frame that cannot be read or looked at is counted and forgotten.
func (p *Pipeline) Frame(ctx context.Context, f *capture.Frame) error {
	p.counters.Frames++
	at := f.At
	p.decide(at)
	if p.decision.Reason != Open {
		p.counters.Closed++
		return p.letGo(f, Closed)
	}
	if fix, _ := p.gate.Fix(); fix.At.Sub(at) > maxLag {
		p.counters.Late++
		return p.letGo(f, Late)
	}
	next := p.window.hold(p.cfg.Models, f)
	// The pictures of the frame before first: what this one shows belongs to them,
	// and whether its objects are better looks depends on them.
	err := errors.Join(p.settle(next), p.conclude(at))
	outcome, err2 := p.frame(ctx, next)
	p.window.advance(next)
	p.record(at, outcome)
	return errors.Join(err, err2)
}

// maxLag is how much older than the newest fix a frame may be: what the gate knows is
// of that fix. One that waited longer for its turn shows where the vehicle was.
const maxLag = time.Second

// letGo lets a frame go by unread.
func (p *Pipeline) letGo(f *capture.Frame, o Outcome) error {
	at := f.At
	f.Release()
	err := p.conclude(at)
	p.record(at, o)
	return err
}

// Damaged counts a frame that was found not to be a picture before it came here.
func (p *Pipeline) Damaged(at time.Time) error {
	p.counters.Frames++
	p.counters.BadFrames++
	err := p.Reconsider(at)
	p.record(at, Bad)
	return err
}

// Finish ends every pass and hands over what it found. Nothing is held after it.
func (p *Pipeline) Finish() error { return errors.Join(p.forget(), p.endAll()) }

// Decision returns the newest decision; valid until the next call.
func (p *Pipeline) Decision() *Decision { return &p.decision }

// Counters returns the figures so far.
func (p *Pipeline) Counters() Counters { return p.counters }

// decide asks the gate. It allocates nothing in the steady state, so that
// outside of open zones a frame costs next to nothing.
func (p *Pipeline) decide(now time.Time) {
	utc, source, ok := p.clock.UTC(now)
	if !ok {
		utc, source = time.Time{}, ""
	}
	p.utc, p.source = utc, source
	p.gate.Decide(Conditions{
		Now: now, UTC: utc,
		Switch: p.allowed, Paused: p.paused, Storage: p.storage, Redactor: p.redactorWell(now),
		Used: p.usedToday,
	}, &p.decision)
}

// record counts a decision made at a fix or a frame, and tells the trace.
func (p *Pipeline) record(now time.Time, o Outcome) {
	p.counters.No[p.decision.Reason]++
	if p.cfg.Trace == nil {
		return
	}
	fix, _ := p.gate.Fix()
	p.cfg.Trace(Trace{At: now, UTC: p.utc, Frame: o != "", Outcome: o, Fix: fix, Decision: &p.decision, Plan: p.plan})
}

// frame lets the tasks that are due look at a frame. What of it cannot be read is
// nobody's neighbour either.
func (p *Pipeline) frame(ctx context.Context, h *held) (Outcome, error) {
	due := p.due()
	if len(due) == 0 {
		p.counters.Skipped++
		return Skipped, nil
	}
	if err := h.open(); err != nil {
		p.counters.BadFrames++
		return Bad, nil
	}
	at := moment{utc: p.utc, source: p.source, fix: p.placeAt(h.frame.At)}
	p.looked = true
	for _, ps := range due {
		err := p.look(ctx, ps, h, at)
		if failure, ok := err.(modelError); ok {
			return p.unseen(ctx, h, failure), nil
		}
		if err != nil {
			return Looked, err
		}
	}
	p.counters.Looked++
	if len(h.claims) == 0 { // else settling says whether the models are well
		p.failures = 0
	}
	return Looked, nil
}

// placeAt returns where the vehicle was when a frame was taken, by the two newest
// fixes; where they do not tell, the newest is the best there is. It is what is said of
// a look: whether there may be one, the fixes decide as they came.
func (p *Pipeline) placeAt(at time.Time) gps.Fix {
	newest, _ := p.gate.Fix()
	if f, ok := gps.Between(p.before, newest, at); ok {
		return f
	}
	return newest
}

// unseen counts a frame that could not be looked at. That a scan is damaged only
// who follows it finds out, and no model is to blame.
func (p *Pipeline) unseen(ctx context.Context, h *held, failure modelError) Outcome {
	if ctx.Err() != nil {
		p.counters.Withdrawn++
		return Withdrawn
	}
	if errors.Is(failure.error, blur.ErrDamaged) {
		p.counters.BadFrames++
		return Bad
	}
	p.failed(h.frame.At)
	return Failed
}

// due returns the passes that look now: those of open tasks that have moved far
// enough since their last look.
func (p *Pipeline) due() []*pass {
	fix, _ := p.gate.Fix()
	due := p.looking[:0]
	for _, td := range p.decision.Tasks {
		if td.Reason != Open {
			continue
		}
		ps := p.passes[td.Task]
		if ps == nil {
			ps = newPass(td.Task, &p.plan.Tasks[td.Task], p.plan.Zone(td.Zone).ID)
			p.repeats.passes++
			ps.serial = p.repeats.passes
			p.passes[td.Task] = ps
		}
		if ps.sampler.Look(fix.Lat, fix.Lon, fix.At, ps.task.Every) {
			due = append(due, ps)
		}
	}
	p.looking = due
	return due
}
