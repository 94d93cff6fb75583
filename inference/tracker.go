package inference

import (
	"cmp"
	"image"
	"slices"
)

// TrackerConfig says when two boxes of successive looks are the same object. The zero value is usable.
type TrackerConfig struct {
	MinOverlap float64 // intersection over union from which boxes match; 0 means 0.2
	Reach      float64 // boxes are compared after growing this fraction on each side; 0 means 0.3, below 0 not at all
	MaxMissed  int     // looks in a row that may miss the object, one more ends its track; 0 means 2, below 0 none
}

func (c TrackerConfig) withDefaults() TrackerConfig {
	if c.MinOverlap == 0 {
		c.MinOverlap = 0.2
	}
	if c.Reach == 0 {
		// Looks are metres apart: what is near moves by its own width between two of them.
		c.Reach = 0.3
	}
	if c.MaxMissed == 0 {
		c.MaxMissed = 2
	}
	c.Reach, c.MaxMissed = max(c.Reach, 0), max(c.MaxMissed, 0)
	return c
}

// Overlap returns by how much two boxes of neighbouring looks agree, and 0 where they are too far apart to
// be the same object.
func (c TrackerConfig) Overlap(a, b image.Rectangle) float64 {
	c = c.withDefaults()
	if o := overlap(c.reach(a), c.reach(b)); o >= c.MinOverlap {
		return o
	}
	return 0
}

// Track is one object followed through a pass.
type Track struct {
	ID          int // from 1, in order of first sight
	Label       string
	Box         image.Rectangle // at the last look that saw it
	Score       float64         // at that look
	Best        float64         // the highest score so far
	First, Last uint64          // looks that saw it
	Hits        int             // how many did
}

// Tracker follows objects from look to look by the overlap of their boxes, each label for itself. The
// same detections give the same tracks. It belongs to one goroutine.
type Tracker struct {
	config TrackerConfig
	lastID int
	tracks []Track // by ID
	taken  []bool  // per track: seen at this look
	boxes  []box   // per track: grown
	pairs  []pair
	live   []Track
	ended  []Track
}

// pair is a detection that may be a track.
type pair struct {
	overlap    float64
	det, track int
}

// NewTracker returns a tracker that has seen nothing.
func NewTracker(c TrackerConfig) *Tracker {
	return &Tracker{config: c.withDefaults()}
}

// Update takes the detections of a look, whose number must be higher than that of the look before;
// looks left out count as looks that saw nothing. live[i] is the track of dets[i], ended are the
// tracks that have now been missed too often, in order of their IDs. Both are valid until the next
// call.
func (t *Tracker) Update(look uint64, dets []Detection) (live, ended []Track) {
	t.ended = t.ended[:0]
	t.end(look, uint64(t.config.MaxMissed)+1) // by looks left out: too late even if it is seen now
	t.live = slices.Grow(t.live[:0], len(dets))[:len(dets)]
	clear(t.live)
	t.match(dets)
	for _, p := range t.pairs {
		if t.taken[p.track] || t.live[p.det].ID != 0 {
			continue
		}
		t.taken[p.track] = true
		t.see(&t.tracks[p.track], look, dets[p.det])
		t.live[p.det] = t.tracks[p.track]
	}
	for i, d := range dets {
		if t.live[i].ID != 0 {
			continue
		}
		t.lastID++
		n := Track{ID: t.lastID, Label: d.Label, First: look}
		t.see(&n, look, d)
		t.tracks = append(t.tracks, n)
		t.live[i] = n
	}
	t.end(look, uint64(t.config.MaxMissed))
	slices.SortFunc(t.ended, func(a, b Track) int { return cmp.Compare(a.ID, b.ID) })
	return t.live, t.ended
}

// Flush ends every track and returns them in order of their IDs, valid until the next call. The
// numbering goes on.
func (t *Tracker) Flush() []Track {
	t.ended = append(t.ended[:0], t.tracks...)
	t.tracks = t.tracks[:0]
	return t.ended
}

func (t *Tracker) see(k *Track, look uint64, d Detection) {
	k.Box, k.Score, k.Last = d.Box, d.Score, look
	k.Best = max(k.Best, d.Score)
	k.Hits++
}

// end moves the tracks that were last seen more than patience looks ago to t.ended.
func (t *Tracker) end(look, patience uint64) {
	kept := t.tracks[:0]
	for _, k := range t.tracks {
		if look > k.Last && look-k.Last > patience {
			t.ended = append(t.ended, k)
			continue
		}
		kept = append(kept, k)
	}
	t.tracks = kept
}

// match lists the pairs that may be the same object, the best first.
func (t *Tracker) match(dets []Detection) {
	t.boxes, t.taken, t.pairs = t.boxes[:0], t.taken[:0], t.pairs[:0]
	for _, k := range t.tracks {
		t.boxes = append(t.boxes, t.config.reach(k.Box))
		t.taken = append(t.taken, false)
	}
	for i, d := range dets {
		b := t.config.reach(d.Box)
		for j, k := range t.tracks {
			if k.Label != d.Label {
				continue
			}
			if o := overlap(b, t.boxes[j]); o >= t.config.MinOverlap {
				t.pairs = append(t.pairs, pair{o, i, j})
			}
		}
	}
	slices.SortFunc(t.pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(b.overlap, a.overlap), cmp.Compare(a.det, b.det), cmp.Compare(a.track, b.track))
	})
}

// reach is what a box is compared by, with the defaults filled in.
func (c TrackerConfig) reach(r image.Rectangle) box {
	return box{float64(r.Min.X), float64(r.Min.Y), float64(r.Max.X), float64(r.Max.Y)}.grown(c.Reach)
}
