package agent

import (
	"maps"
	"slices"
	"time"

	"gadeblik/capture"
	"gadeblik/gps"
	"gadeblik/inference"
)

// pass is one task's stay in one zone, from the gate opening to its closing.
// One object in one pass is one observation.
type pass struct {
	serial  int // of the pass, from 1
	number  int // of the task in the plan
	task    *Task
	zone    string
	sampler capture.Sampler
	tracker *inference.Tracker
	things  []inference.Detection // memory of look

	first moment // of the first look
	last  moment // of the newest look
	looks int
	seen  map[string]int     // objects by label
	best  map[int]*candidate // best look at each object, by track
}

// moment is where and when a look was taken.
type moment struct {
	utc    time.Time
	source string // of utc
	fix    gps.Fix
}

// sighting is one object in one look.
type sighting struct {
	at     moment
	object inference.Detection
	number int // of the object in its frame, from 1
	track  int
}

// candidate is the best look at an object so far: redacted, and not yet an
// observation.
type candidate struct {
	sighting
	worth float64
	Redacted
}

// maxCandidates bounds the pictures one pass holds in memory; the oldest object
// is reported when there would be more.
const maxCandidates = 32

// betterBy is how much better a look must be to replace the one we have:
// redacting every slightly larger box would cost a redaction per frame.
const betterBy = 1.2

// newPass begins a pass of task number n of the plan.
func newPass(n int, task *Task, zone string) *pass {
	return &pass{
		number: n, task: task, zone: zone,
		tracker: inference.NewTracker(inference.TrackerConfig{}),
		seen:    map[string]int{},
		best:    map[int]*candidate{},
	}
}

// look records that the task looked, and returns its objects by track.
func (p *pass) look(at moment, dets []inference.Detection) (live, ended []inference.Track) {
	if p.looks == 0 {
		p.first = at
	}
	p.last = at
	p.looks++
	// Tracks follow things, not labels: a model may call the same vehicle a lorry
	// in one look and a bus in the next.
	p.things = append(p.things[:0], dets...)
	for i := range p.things {
		p.things[i].Label = ""
	}
	live, ended = p.tracker.Update(uint64(p.looks), p.things)
	for i, t := range live {
		if t.Hits == 1 {
			p.seen[dets[i].Label]++
		}
	}
	return live, ended
}

// improves tells whether a look of this worth should replace what we have.
func (p *pass) improves(track int, worth float64) bool {
	c, ok := p.best[track]
	return !ok || worth > betterBy*c.worth
}

// take removes and returns the candidate of a track, nil where there is none.
func (p *pass) take(track int) *candidate {
	c := p.best[track]
	delete(p.best, track)
	return c
}

// overflow removes and returns the oldest candidates beyond the bound.
func (p *pass) overflow() []*candidate {
	var out []*candidate
	for len(p.best) > maxCandidates {
		out = append(out, p.take(slices.Min(slices.Collect(maps.Keys(p.best)))))
	}
	return out
}

// rest removes and returns every candidate, oldest track first.
func (p *pass) rest() []*candidate {
	var out []*candidate
	for _, track := range slices.Sorted(maps.Keys(p.best)) {
		out = append(out, p.take(track))
	}
	return out
}
