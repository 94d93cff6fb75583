package report

import (
	"fmt"
	"time"
)

// timelineView is the drive from left to right in the SVG's terms.
type timelineView struct {
	Spans []spanView
	Looks []string // x
	Pins  []pin
	Ticks []tickView
	Rows  []string
}

type spanView struct{ X, W, Class, Title string }

type tickView struct{ X, Label string }

const timelineWidth = 1000 // SVG units

func timelineOf(r Report) timelineView {
	var v timelineView
	if len(r.Track) < 2 {
		return v
	}
	from, to := r.Track[0].At, r.Track[len(r.Track)-1].At
	length := to.Sub(from).Seconds()
	if length <= 0 {
		return v
	}
	x := func(t time.Time) float64 {
		return min(max(t.Sub(from).Seconds()/length, 0), 1) * timelineWidth
	}
	start := r.Track[0]
	for i := 1; i <= len(r.Track); i++ {
		if i < len(r.Track) && r.Track[i].Reason == start.Reason {
			continue
		}
		end := to
		if i < len(r.Track) {
			end = r.Track[i].At
		}
		title := fmt.Sprintf("%s to %s, %s: %s", start.At.UTC().Format("15:04:05"), end.UTC().Format("15:04:05"), start.Reason, meaning(start.Reason))
		v.Spans = append(v.Spans, spanView{coord(x(start.At)), coord(max(x(end)-x(start.At), 0.5)), class(start.Reason), title})
		if i < len(r.Track) {
			start = r.Track[i]
		}
	}
	for _, l := range r.Looks {
		v.Looks = append(v.Looks, coord(x(l.At)))
	}
	for i, f := range r.Found {
		v.Pins = append(v.Pins, pin{X: coord(x(f.Time.UTC)), N: i + 1, Title: f.Object.Label})
	}
	v.Ticks = ticks(from, to, x)
	return v
}

// ticks puts round times along the line, six or so.
func ticks(from, to time.Time, x func(time.Time) float64) []tickView {
	steps := []time.Duration{5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}
	step := steps[len(steps)-1]
	for _, s := range steps {
		if to.Sub(from)/s <= 8 {
			step = s
			break
		}
	}
	var out []tickView
	for t := from.Truncate(step).Add(step); t.Before(to); t = t.Add(step) {
		out = append(out, tickView{coord(x(t)), t.UTC().Format("15:04:05")})
		if len(out) > 20 {
			break
		}
	}
	return out
}

func coord(v float64) string { return fmt.Sprintf("%.1f", v) }
