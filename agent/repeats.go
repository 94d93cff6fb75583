package agent

import (
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"

	"gadeblik/uplink"
)

// repeats remembers what was reported lately, so that a thing that a vehicle
// passes again is not reported again. Within one pass tracks tell things apart;
// between passes the place does: the vehicle's at the best look, until objects
// have positions of their own. Where that takes two things for one, less is sent.
type repeats struct {
	places map[string][]place // by task
	passes int                // passes so far
}

// place is where something was reported, and in which pass.
type place struct {
	label string
	point orb.Point
	at    time.Time
	pass  int
}

const (
	// repeatsFor is how long a report counts as lately.
	repeatsFor = 24 * time.Hour
	// maxPlaces bounds the memory of one task; the oldest are forgotten.
	maxPlaces = 2048
)

// seen tells whether the finding was reported in an earlier pass within the
// task's distance.
func (r *repeats) seen(ps *pass, o *uplink.Observation) bool {
	if ps.task.Dedup <= 0 {
		return false
	}
	here := orb.Point{o.Position.Lon, o.Position.Lat}
	for _, p := range r.places[ps.task.ID] {
		if p.pass != ps.serial && p.label == o.Object.Label &&
			o.Time.UTC.Sub(p.at) < repeatsFor && geo.Distance(p.point, here) <= ps.task.Dedup {
			return true
		}
	}
	return false
}

// add remembers a finding that was reported.
func (r *repeats) add(ps *pass, o *uplink.Observation) {
	if ps.task.Dedup <= 0 {
		return
	}
	if r.places == nil {
		r.places = map[string][]place{}
	}
	list := append(r.places[ps.task.ID], place{
		label: o.Object.Label, point: orb.Point{o.Position.Lon, o.Position.Lat}, at: o.Time.UTC, pass: ps.serial,
	})
	if len(list) > maxPlaces {
		list = append(list[:0], list[len(list)-maxPlaces:]...)
	}
	r.places[ps.task.ID] = list
}
