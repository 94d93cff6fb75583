package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"

	"gadeblik/agent"
	"gadeblik/blur"
	"gadeblik/inference"
)

// again is what a second look did to one picture.
type again struct {
	looked, grown bool
	counts        map[string]int // what it saw, by class, as the redactor says
	hits          []seen         // the same, in places
	still         *seen          // what it saw even after these were removed; nil where it saw nothing
	covered       *area          // what was removed when it still saw that
}

// seen is what a model sees somewhere.
type seen struct {
	class string
	box   image.Rectangle
}

// stillVisible returns what a picture is dropped for if a second look is why, and nil
// if something else is. Only the text of the error says what and where.
func stillVisible(why error) (*seen, error) {
	if !errors.Is(why, agent.ErrStillVisible) {
		return nil, nil
	}
	var s seen
	b := &s.box
	_, what, _ := strings.Cut(why.Error(), agent.ErrStillVisible.Error()+": ")
	if _, err := fmt.Sscanf(what, "%s at (%d,%d)-(%d,%d)", &s.class, &b.Min.X, &b.Min.Y, &b.Max.X, &b.Max.Y); err != nil {
		return nil, fmt.Errorf("read what is still visible in %q: %w", why, err)
	}
	return &s, nil
}

// compare adds to an outcome what the first look alone removes, and what the second
// look saw in that.
func (o *outcome) compare(ctx context.Context, e *eyes, with choice, jpeg []byte) error {
	// The same redactor, but for the second look: its models are asked the same.
	redactor, err := with.redactor(e)
	if err != nil {
		return err
	}
	redactor.Models.SecondLook = nil
	first, err := apply(ctx, redactor, jpeg, blur.Request{Context: blur.Full})
	if err != nil {
		return err
	}
	o.first = first.removed
	if first.dropped != "" || !o.again.looked {
		return nil
	}
	if o.again.hits, err = with.exposed(ctx, e, first); err != nil {
		return err
	}
	if o.again.still != nil {
		if o.again.covered, err = with.grown(ctx, e, jpeg); err != nil {
			return err
		}
	}
	return o.again.agrees()
}

// grown returns what is removed from a picture after a second look, whoever is still
// seen then: its models see nothing the next time.
func (c choice) grown(ctx context.Context, e *eyes, jpeg []byte) (*area, error) {
	redactor, err := c.redactor(e)
	if err != nil {
		return nil, err
	}
	m := redactor.Models
	for _, line := range c.second {
		looks := 1
		if slices.ContainsFunc(c.redact, func(r redactModel) bool { return r.Model == line.Model }) {
			looks = 2
		}
		if d, err := c.open(e, line.Model); err == nil {
			m.Detectors[line.Model] = &brief{d, looks}
		}
	}
	o, err := apply(ctx, redactor, jpeg, blur.Request{Context: blur.Full})
	if err == nil && o.dropped != "" {
		err = fmt.Errorf("recall: internal error: nobody looks, and %s", o.dropped)
	}
	return o.removed, err
}

// brief is a detector that sees nothing after so many looks.
type brief struct {
	agent.Detector
	looks int
}

// Detect does as that of the detector does, while there are looks left.
func (b *brief) Detect(ctx context.Context, v inference.View, dst []inference.Detection) ([]inference.Detection, error) {
	if b.looks == 0 {
		return dst, nil
	}
	b.looks--
	return b.Detector.Detect(ctx, v, dst)
}

// sliver is the agent's: how much of what a model sees may show without being removed.
const sliver = 0.05

// exposed returns what the second look sees in a redacted picture outside of what was
// removed, as the agent decides it.
func (c choice) exposed(ctx context.Context, e *eyes, o outcome) ([]seen, error) {
	src, err := blur.Open(o.jpeg)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	var out []seen
	for _, line := range lines(c.second) {
		d, err := c.open(e, line.Model)
		if err != nil {
			return nil, err
		}
		found, err := agent.Look(ctx, d, src, nil)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			bare := f.Box.Intersect(o.removed.bounds)
			left := bare.Dx()*bare.Dy() - o.removed.count(bare)
			if line.Finds(f.Label) && f.Score >= line.MinScore && float64(left) > sliver*float64(f.Box.Dx()*f.Box.Dy()) {
				out = append(out, seen{string(line.Class), f.Box})
			}
		}
	}
	return out, nil
}

// agrees fails if the places are not of as many hits as the redactor says: then the
// rule above is no longer the agent's.
func (a again) agrees() error {
	n := map[string]int{}
	for _, h := range a.hits {
		n[h.class]++
	}
	for class, want := range a.counts {
		if n[class] != want {
			return fmt.Errorf("recall: internal error: %d hits of class %s in a second look, and the agent has %d", n[class], class, want)
		}
	}
	return nil
}

// secondLook is what a second look did to one picture, as it is reported.
type secondLook struct {
	Grown bool  `json:"grown"`
	Hits  []hit `json:"hits,omitempty"`
	Still *hit  `json:"still,omitempty"` // for what it was dropped
}

// hit is what a second look saw, and what was there.
type hit struct {
	Class string  `json:"class"`
	Box   [4]int  `json:"box"`
	Fill  float64 `json:"fill"` // how much of it was removed already
	On    string  `json:"on"`
}

// What a hit is on.
const (
	onMissed = "missed"    // somebody, perhaps, whom the looks before left
	onFill   = "fill"      // at least half of it is fill
	onOther  = "elsewhere" // nobody whom a human has marked
)

// onWhat returns all of them, in the order of the tables.
func onWhat() []string { return []string{onMissed, onFill, onOther} }

// secondOf says what the second look did to a picture that shows s; nil if none was done.
func secondOf(o outcome, s scene) *secondLook {
	if !o.again.looked {
		return nil
	}
	l := &secondLook{Grown: o.again.grown}
	for _, h := range o.again.hits {
		l.Hits = append(l.Hits, s.hit(h, o.first))
	}
	if o.again.still == nil {
		return l
	}
	still := s.hit(*o.again.still, o.again.covered)
	l.Still = &still
	return l
}

func (s scene) hit(h seen, removed *area) hit {
	out := hit{h.class, corners(h.box), removed.share(h.box), onOther}
	switch {
	case s.missed(h, removed):
		out.On = onMissed
	case out.Fill >= 0.5:
		out.On = onFill
	}
	return out
}

// missed tells whether somebody is where a hit is who is not gone. Faces and persons
// stand for each other; what is doubtful may be anything.
func (s scene) missed(h seen, removed *area) bool {
	there := func(box image.Rectangle) bool {
		both := box.Intersect(h.box)
		small := min(box.Dx()*box.Dy(), h.box.Dx()*h.box.Dy())
		return 2*both.Dx()*both.Dy() >= small && small > 0 && removed.share(box) < goneFrom
	}
	for _, o := range s.objects {
		if (o.class == "plate") == (h.class == "plate") && there(o.box) {
			return true
		}
	}
	for _, d := range s.doubtful {
		if there(d) {
			return true
		}
	}
	return false
}
