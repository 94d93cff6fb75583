package agent

import (
	"fmt"
	"slices"
	"time"

	"gadeblik/uplink"
)

// Product is what a pipeline makes: an observation, with a picture where its
// kind is finding.
type Product struct {
	Observation uplink.Observation
	Evidence    *uplink.Evidence // nil unless the kind is finding
	Terms       uplink.Terms     // the day by which its quota counts, and the task's priority
}

// base fills what every observation says. Its time is that of the look at; its
// id follows from the vehicle, the task, the moment and the object's number.
func (p *Pipeline) base(ps *pass, at moment, object int) uplink.Observation {
	t := ps.task
	return uplink.Observation{
		ID:            uplink.NewID(p.cfg.Vehicle, t.ID, at.utc, object),
		Vehicle:       p.cfg.Vehicle,
		Task:          t.ID,
		OrdersVersion: p.plan.Version,
		Purpose:       t.Purpose,
		Time:          uplink.Time{UTC: at.utc, Source: at.source},
		Position:      position(at),
		Zone:          ps.zone,
		Notify:        t.Notify,
		Agent:         p.cfg.Version,
		ExpiresAt:     at.utc.Add(t.ExpiresAfter).Truncate(time.Second),
	}
}

func position(at moment) uplink.Position {
	f := at.fix
	pos := uplink.Position{Lat: f.Lat, Lon: f.Lon, HDOP: f.HDOP}
	if f.Course >= 0 {
		pos.Course = &f.Course
	}
	if f.Speed >= 0 {
		pos.Speed = &f.Speed
	}
	return pos
}

// finding makes the observation of one object and its picture.
func (p *Pipeline) finding(ps *pass, c *candidate) (Product, error) {
	o := p.base(ps, c.at, c.number)
	o.Kind = uplink.Finding
	box := c.object.Box.Sub(c.Image.Offset()).Intersect(c.Image.Bounds())
	o.Object = &uplink.Object{
		Label: c.object.Label,
		Score: c.object.Score,
		Box:   [4]int{box.Min.X, box.Min.Y, box.Max.X, box.Max.Y},
	}
	o.Assessment = &uplink.Assessment{Primary: c.object.Model, Verdict: uplink.Confirmed}
	o.Redaction = &uplink.Redaction{Mode: "veil", Regions: c.Removed, SecondLook: c.Second}
	o.Models = p.modelRefs(ps.task)
	ev, err := uplink.NewEvidence(c.Image, uplink.TagsOf(o))
	if err != nil {
		return Product{}, fmt.Errorf("make evidence: %w", err)
	}
	ref := ev.Ref()
	o.Image = &ref
	return Product{Observation: o, Evidence: ev}, nil
}

// summing makes the observation that ends a pass of a task that counts or
// surveys: what was seen by label, or that all was well.
func (p *Pipeline) summing(ps *pass) Product {
	o := p.base(ps, ps.first, 0)
	o.Kind = uplink.Count
	o.Looks = ps.looks
	o.Counts = map[string]int{}
	total := 0
	for _, label := range ps.task.Labels {
		o.Counts[label] = ps.seen[label]
		total += ps.seen[label]
	}
	if ps.task.Action == Survey && total == 0 {
		o.Kind = uplink.Clear
	}
	o.Models = p.modelRefs(ps.task)
	return Product{Observation: o}
}

// modelRefs names the models whose word the observation rests on.
func (p *Pipeline) modelRefs(t *Task) []uplink.ModelRef {
	names := []string{t.Primary}
	if t.Action == Evidence {
		for _, r := range slices.Concat(p.cfg.Models.Redact, p.cfg.Models.SecondLook) {
			names = append(names, r.Model)
		}
	}
	var refs []uplink.ModelRef
	done := map[string]bool{}
	for _, n := range names {
		d, ok := p.cfg.Models.Detectors[n]
		if !ok || done[n] {
			continue
		}
		done[n] = true
		refs = append(refs, uplink.ModelRef{Name: n, SHA256: d.Manifest().SHA256})
	}
	return refs
}
