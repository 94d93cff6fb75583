package agent

import (
	"errors"

	"gadeblik/blur"
	"gadeblik/uplink"
)

// endClosed ends the passes of tasks that are not open any more, in the plan's
// order.
func (p *Pipeline) endClosed() error {
	if len(p.passes) == 0 {
		return nil
	}
	return p.endWhere(func(n int) bool { return !p.isOpen(n) })
}

// endAll ends every pass.
func (p *Pipeline) endAll() error {
	return p.endWhere(func(int) bool { return true })
}

func (p *Pipeline) endWhere(over func(task int) bool) error {
	if p.plan == nil {
		return nil
	}
	var errs []error
	for n := range p.plan.Tasks {
		ps, ok := p.passes[n]
		if !ok || !over(n) {
			continue
		}
		delete(p.passes, n)
		errs = append(errs, p.end(ps))
	}
	return errors.Join(errs...)
}

// isOpen tells whether the task is open in the zone its pass is in.
func (p *Pipeline) isOpen(task int) bool {
	for _, td := range p.decision.Tasks {
		if td.Task == task {
			return td.Reason == Open && p.plan.Zone(td.Zone).ID == p.passes[task].zone
		}
	}
	return false
}

// end hands over what a pass found.
func (p *Pipeline) end(ps *pass) error {
	if ps.looks == 0 {
		return nil
	}
	if ps.task.Action == Evidence {
		return p.emit(ps, ps.rest()...)
	}
	return p.deliver(ps, p.summing(ps))
}

// emit makes observations of candidates and hands them over. Nil candidates are
// passed over: not every track has a picture.
func (p *Pipeline) emit(ps *pass, candidates ...*candidate) error {
	var errs []error
	for _, c := range candidates {
		if c == nil {
			continue
		}
		product, err := p.finding(ps, c)
		p.spares.put(c.Image) // evidence is a copy
		if err != nil {
			p.counters.Dropped++
			continue
		}
		errs = append(errs, p.deliver(ps, product))
	}
	return errors.Join(errs...)
}

// deliver hands a product to the sink unless the day's quota is used up.
func (p *Pipeline) deliver(ps *pass, product Product) error {
	utc := product.Observation.Time.UTC
	if p.quota.used(ps.number, utc) >= ps.task.Quota {
		p.counters.OverQuota++
		return nil
	}
	if product.Observation.Kind == uplink.Finding && p.repeats.seen(ps, &product.Observation) {
		p.counters.Repeated++
		return nil
	}
	product.Terms = uplink.Terms{Day: ps.task.Day(utc), Priority: ps.task.Priority}
	if err := p.cfg.Sink(product); err != nil {
		return err
	}
	p.quota.add(ps.number, utc)
	switch product.Observation.Kind {
	case uplink.Finding:
		p.counters.Findings++
		p.repeats.add(ps, &product.Observation)
		p.countRemoved(product.Observation.Redaction.Regions)
	case uplink.Count:
		p.counters.Counts++
	case uplink.Clear:
		p.counters.Clears++
	}
	return nil
}

func (p *Pipeline) countRemoved(regions map[string]int) {
	p.counters.Persons += uint64(regions[string(blur.Person)])
	p.counters.Faces += uint64(regions[string(blur.Face)])
	p.counters.Plates += uint64(regions[string(blur.Plate)])
}
