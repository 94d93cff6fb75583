package agent

import (
	"context"
	"errors"
	"time"

	"gadeblik/blur"
	"gadeblik/capture"
)

// The window in time. A frame that gives pictures is not redacted at once: people
// whom the models miss in it may be seen in the frame before or in the one after.
// So the newest frame is held until the next one comes, or none can come any more.
//
// Who owns what: [Pipeline.Frame] takes a frame and hands it to the window, which
// holds one frame between two calls and two within one. Of the frame before that
// only boxes are known. What is held is released, and so zeroed, as soon as the
// next frame takes its place or the gate closes.
//
// Which way it goes: look finds a picture worth having and claims it of its frame,
// with what its own models and those of the frame before say; settle, at the next
// frame or when there will be none, adds what that one shows, redacts, and gives
// the pass its candidate. Whatever ends a pass settles first.
type window struct {
	newest *held   // nil where nothing is held
	slots  [2]held // in turn: for the newest, and for the next
	turn   int
}

const (
	// neighbourly is how far apart in time two frames may be to speak for each
	// other. Who walks is then hardly further than a step from where the other
	// frame saw him; stills taken metres apart show other people.
	neighbourly = 500 * time.Millisecond
	// heldFor bounds how long a frame is held where none follows. It is longer than
	// neighbours can be apart so that a frame that waited for its turn still counts.
	heldFor = 2 * time.Second
)

// held is one frame in the window. It is opened when it is first looked at.
type held struct {
	view
	frame  *capture.Frame
	source blur.Source // what view.src points to once the frame is open
	claims []claim
	before []blur.Region // what the frame before showed, known where there are claims
}

// claim is a picture that is to be made of a frame.
type claim struct {
	sighting
	pass  *pass
	worth float64
}

// hold takes the next frame beside the newest; advance then puts it in its place.
func (w *window) hold(models *Models, f *capture.Frame) *held {
	w.turn = 1 - w.turn
	h := &w.slots[w.turn]
	if h.seen == nil {
		h.view = *newView(models, nil)
	}
	h.frame = f
	return h
}

func (w *window) advance(next *held) {
	w.clear()
	w.newest = next
}

// clear releases what is held.
func (w *window) clear() {
	if w.newest != nil {
		w.newest.release()
		w.newest = nil
	}
}

// release leaves nothing of the frame but an empty place for another.
func (h *held) release() {
	h.source.Close()
	h.frame.Release()
	h.forget()
	h.frame, h.claims, h.before = nil, nil, nil
}

// open reads the frame, once.
func (h *held) open() error {
	if h.src != nil {
		return nil
	}
	var err error
	if h.frame.YCbCr != nil {
		err = h.source.OpenYCbCr(h.frame.YCbCr)
	} else {
		err = h.source.Open(h.frame.JPEG)
	}
	if err == nil {
		h.src = &h.source
	}
	return err
}

// shows returns whom a neighbour shows: nobody where it is none, or no picture of
// the same size, or a damaged one.
func (h *held) shows(ctx context.Context, neighbour *held) ([]blur.Region, error) {
	if neighbour == nil || neighbour.frame.At.Sub(h.frame.At).Abs() > neighbourly {
		return nil, nil
	}
	if neighbour.open() != nil || neighbour.src.Bounds() != h.src.Bounds() {
		return nil, nil
	}
	seen, err := neighbour.people(ctx)
	if errors.Is(err, blur.ErrDamaged) {
		return nil, nil
	}
	return seen, err
}

// claim notes that a picture is to be made of a frame, and lets the models look at
// it and at the one before: if they fail, there will be no picture.
func (p *Pipeline) claim(ctx context.Context, h *held, c claim) error {
	if _, err := h.people(ctx); err != nil {
		return modelError{err}
	}
	before, err := h.shows(ctx, p.window.newest)
	if err != nil {
		return modelError{err}
	}
	h.before, h.claims = before, append(h.claims, c)
	return nil
}

// settle makes the pictures of the newest frame; next is the frame after it, nil
// where none may be waited for. It does not end with the agent's context: what was
// found is kept even while the agent stops, and each look has its own limit. It does
// end when the driver switches off. An error is the sink's.
func (p *Pipeline) settle(next *held) error {
	ctx := p.permit
	h := p.window.newest
	if h == nil || len(h.claims) == 0 {
		return nil
	}
	claims := h.claims
	h.claims = nil
	regions, err := p.everybody(ctx, h, next)
	for i, c := range claims {
		if err == nil {
			err = p.keep(ctx, h, c, regions)
		}
		if err != nil && ctx.Err() != nil {
			p.counters.Withdrawn += uint64(len(claims) - i)
			break
		}
		if err != nil {
			p.counters.Dropped += uint64(len(claims) - i)
			p.failed(h.frame.At)
			break
		}
	}
	if err == nil {
		p.failures = 0
	}
	var errs []error
	for _, c := range claims {
		errs = append(errs, p.emit(c.pass, c.pass.overflow()...))
	}
	return errors.Join(errs...)
}

// everybody returns what must be removed from a frame by its own word and by that
// of its neighbours.
func (p *Pipeline) everybody(ctx context.Context, h, next *held) ([]blur.Region, error) {
	own, err := h.people(ctx)
	if err != nil {
		return nil, err
	}
	after, err := h.shows(ctx, next)
	if err != nil {
		return nil, err
	}
	regions, added := followed(own, h.before, after)
	p.counters.Followed += uint64(added)
	return regions, nil
}

// keep makes one picture, and its pass's best of its object.
func (p *Pipeline) keep(ctx context.Context, h *held, c claim, regions []blur.Region) error {
	got, err := p.redactor.Remove(ctx, h.src, blur.Request{
		Regions: regions, Keep: c.object.Box, Context: c.pass.task.Context, Into: p.spares.take(),
	})
	p.countSecondLook(got, err)
	if errors.Is(err, ErrStillVisible) {
		// No model failed: this picture is lost, and the frame's others may do.
		p.counters.Dropped++
		return nil
	}
	if err != nil {
		return err
	}
	p.counters.Redacted++
	if worse, ok := c.pass.best[c.track]; ok {
		p.spares.put(worse.Image)
	}
	c.pass.best[c.track] = &candidate{sighting: c.sighting, worth: c.worth, Redacted: got}
	return nil
}

// failed counts a failure of models or redaction.
func (p *Pipeline) failed(at time.Time) {
	p.counters.Failed++
	p.failures++
	p.failedAt = at
}

// conclude ends what the newest decision ends: what is held where the gate is
// closed or no frame follows, and the passes of tasks that are not open any more.
func (p *Pipeline) conclude(now time.Time) error {
	late := p.window.newest != nil && now.Sub(p.window.newest.frame.At) > heldFor
	var err error
	switch {
	case p.decision.Reason != Open || late:
		err = p.forget()
	case p.ending():
		err = p.settle(nil)
	}
	return errors.Join(err, p.endClosed())
}

// ending tells whether a picture waits for a pass that is about to end.
func (p *Pipeline) ending() bool {
	h := p.window.newest
	if h == nil {
		return false
	}
	for _, c := range h.claims {
		if !p.isOpen(c.pass.number) {
			return true
		}
	}
	return false
}

// forget settles what is held and wipes it, and what the models remember of it. Once
// the driver has switched off there is no time for that: what is held is wiped.
func (p *Pipeline) forget() error {
	if h := p.window.newest; h != nil && !p.allowed {
		p.counters.Withdrawn += uint64(len(h.claims))
		h.claims = nil
	}
	err := p.settle(nil)
	p.window.clear()
	p.spares = nil
	if p.looked {
		p.cfg.Models.clear()
		p.looked = false
	}
	return err
}
