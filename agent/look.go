package agent

import (
	"context"
	"errors"
	"image"
	"slices"

	"gadeblik/inference"
)

// modelError marks the failure of a model or of redaction: the frame is
// forgotten and counted. Every other error of a look is the sink's.
type modelError struct{ error }

// look lets one task look at a frame.
func (p *Pipeline) look(ctx context.Context, ps *pass, h *held, at moment) error {
	dets, err := h.detect(ctx, ps.task.Primary)
	if err != nil {
		return modelError{err}
	}
	found := p.wanted(ps.task, dets)
	live, ended := ps.look(at, found)
	if ps.task.Action != Evidence {
		return nil
	}
	for i, t := range live {
		s := sighting{at: at, object: found[i], number: i + 1, track: t.ID}
		if err := p.consider(ctx, ps, h, s); err != nil {
			return err
		}
	}
	for _, t := range ended {
		if err := p.emit(ps, ps.take(t.ID)); err != nil {
			return err
		}
	}
	return nil
}

// wanted returns what the task looks for, best first. Of boxes on the same thing
// the best stays, whatever the labels: a lorry that could be a bus is one vehicle.
// The result is good until the next call.
func (p *Pipeline) wanted(t *Task, dets []inference.Detection) []inference.Detection {
	found := p.found[:0]
	for _, d := range dets {
		switch {
		case !t.wants(d.Label):
		case d.Score >= t.MinScore:
			if !slices.ContainsFunc(found, func(f inference.Detection) bool { return sameThing(f.Box, d.Box) }) {
				found = append(found, d)
			}
		case d.Score >= t.UncertainScore:
			p.counters.Uncertain++
		}
	}
	p.counters.Detections += uint64(len(found))
	p.found = found
	return found
}

// sameThing tells whether two boxes of one look lie on the same thing: whether
// they share more than 0.6 of what they cover together.
func sameThing(a, b image.Rectangle) bool {
	both := a.Intersect(b)
	return 10*area(both) > 6*(area(a)+area(b)-area(both))
}

// consider claims a picture of this look at an object if it is the best so far.
// Only then do the models look for people: a picture that is kept is redacted from
// the start.
func (p *Pipeline) consider(ctx context.Context, ps *pass, h *held, s sighting) error {
	w := worth(s.object, h.src.Bounds())
	if !ps.improves(s.track, w) {
		return nil
	}
	return p.claim(ctx, h, claim{sighting: s, pass: ps, worth: w})
}

// countSecondLook counts what came of a second look, of pictures that were kept
// and of such that were not.
func (p *Pipeline) countSecondLook(got Redacted, err error) {
	if got.Second == nil {
		return
	}
	p.counters.SecondLooks++
	switch {
	case errors.Is(err, ErrStillVisible):
		p.counters.StillVisible++
	case err == nil && got.Second.Grown:
		p.counters.Grown++
	}
}
