package agent

import (
	"context"
	"image"
	"slices"

	"gadeblik/blur"
	"gadeblik/inference"
)

// modelError marks the failure of a model or of redaction: the frame is
// forgotten and counted. Every other error of a look is the sink's.
type modelError struct{ error }

// look lets one task look at a frame.
func (p *Pipeline) look(ctx context.Context, ps *pass, v *view, at moment) error {
	dets, err := v.detect(ctx, ps.task.Primary)
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
		if err := p.consider(ctx, ps, v, s); err != nil {
			return err
		}
	}
	for _, t := range ended {
		if err := p.emit(ps, ps.take(t.ID)); err != nil {
			return err
		}
	}
	return p.emit(ps, ps.overflow()...)
}

// wanted returns what the task looks for, best first. Of boxes on the same thing
// the best stays, whatever the labels: a lorry that could be a bus is one vehicle.
func (p *Pipeline) wanted(t *Task, dets []inference.Detection) []inference.Detection {
	var found []inference.Detection
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
	return found
}

// sameThing tells whether two boxes of one look lie on the same thing: whether
// they share more than 0.6 of what they cover together.
func sameThing(a, b image.Rectangle) bool {
	both := a.Intersect(b)
	area := func(r image.Rectangle) int { return r.Dx() * r.Dy() }
	return 10*area(both) > 6*(area(a)+area(b)-area(both))
}

// consider keeps this look at an object if it is the best so far. Only then is
// the frame redacted: a picture that is kept is redacted from the start.
func (p *Pipeline) consider(ctx context.Context, ps *pass, v *view, s sighting) error {
	w := worth(s.object, v.src.Bounds())
	if !ps.improves(s.track, w) {
		return nil
	}
	regions, err := v.regions(ctx)
	if err != nil {
		return modelError{err}
	}
	got, err := p.redactor.Remove(ctx, v.src, blur.Request{
		Regions: regions,
		Keep:    s.object.Box,
		Context: ps.task.Context,
	})
	if err != nil {
		p.counters.Dropped++
		return modelError{err}
	}
	p.counters.Redacted++
	ps.best[s.track] = &candidate{sighting: s, worth: w, img: got.Image, removed: got.Removed}
	return nil
}

// byClass counts regions; every class that is always looked for is in it.
func byClass(regions []blur.Region) map[string]int {
	n := map[string]int{}
	for _, c := range people {
		n[string(c)] = 0
	}
	for _, r := range regions {
		n[string(r.Class)]++
	}
	return n
}
