// Package report draws what a replay did as one HTML page that needs nothing
// beside it: a map, a timeline, the evidence and the numbers. It is made to be
// shown to a data protection officer: what was looked at, what was not, what was
// removed and why something was kept.
package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"gadeblik/agent"
	"gadeblik/gps/geofence"
	"gadeblik/uplink"
)

// Report is everything the page says. The same report gives the same bytes.
type Report struct {
	Drive   string
	Started time.Time
	Version string // of the agent
	Plan    *agent.Plan
	Track   []Point
	Looks   []Look
	Found   []Finding
	// Sums are the observations without a picture.
	Sums     []uplink.Observation
	Counters agent.Counters
	Warnings []string
}

// Point is one fix and what the gate answered to it. Points without a valid
// position are in the timeline and not on the map.
type Point struct {
	At       time.Time
	Lat, Lon float64
	Valid    bool
	Reason   agent.Reason
}

// Look is where and when a frame was looked at.
type Look struct {
	At       time.Time
	Lat, Lon float64
}

// Finding is an observation with its picture, a redacted JPEG.
type Finding struct {
	uplink.Observation
	JPEG []byte
}

//go:embed page.html
var page string

//go:embed style.css
var style string

// maxPictures bounds the pictures in the page; the rest are named and lie in
// the evidence folder.
const maxPictures = 200

// Write draws the page.
func Write(w io.Writer, r Report) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"clock": func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"day":   func(t time.Time) string { return t.UTC().Format("2 January 2006") },
		"join":  func(s []string) string { return strings.Join(s, ", ") },
		"km":    func(v float64) string { return fmt.Sprintf("%.0f", v*3.6) },
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("read the report's page: %w", err)
	}
	v, err := viewOf(r)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		return fmt.Errorf("draw report: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// view is the report in the page's terms.
type view struct {
	Report
	Style    template.CSS
	Tasks    []taskView
	Map      mapView
	Timeline timelineView
	Cards    []card
	Hidden   int // findings without a picture in the page
	Reasons  []reasonView
	Unread   int // per cent of the frames that were never read
	Zones    int
}

type taskView struct {
	agent.Task
	Products int
}

type reasonView struct {
	Word, Meaning, Class string
	Count                uint64
	Percent              float64
}

func viewOf(r Report) (view, error) {
	v := view{Report: r, Style: template.CSS(style), Map: mapOf(r), Timeline: timelineOf(r), Zones: r.Plan.Zones()}
	for _, t := range r.Plan.Tasks {
		n := 0
		for _, f := range r.Found {
			if f.Task == t.ID {
				n++
			}
		}
		for _, o := range r.Sums {
			if o.Task == t.ID {
				n++
			}
		}
		v.Tasks = append(v.Tasks, taskView{t, n})
	}
	for i, f := range r.Found {
		if i >= maxPictures {
			v.Hidden = len(r.Found) - maxPictures
			break
		}
		c, err := cardOf(i+1, f, r.Plan)
		if err != nil {
			return view{}, err
		}
		v.Cards = append(v.Cards, c)
	}
	v.Reasons = reasonsOf(r.Counters)
	if c := r.Counters; c.Frames > 0 {
		v.Unread = int(100 * (c.Closed + c.Skipped) / c.Frames)
	}
	return v, nil
}

func reasonsOf(c agent.Counters) []reasonView {
	var total uint64
	for _, n := range c.No {
		total += n
	}
	var out []reasonView
	for i, n := range c.No {
		if n == 0 {
			continue
		}
		r := agent.Reason(i)
		out = append(out, reasonView{r.String(), meaning(r), class(r), n, 100 * float64(n) / float64(total)})
	}
	slices.SortStableFunc(out, func(a, b reasonView) int { return int(b.Count) - int(a.Count) })
	return out
}

// meaning says in a sentence what a reason means to somebody who is not an
// engineer.
func meaning(r agent.Reason) string {
	switch r {
	case agent.Open:
		return "A task was open: the camera was allowed to look."
	case agent.SwitchOff:
		return "The driver had not allowed it."
	case agent.Paused:
		return "The fleet's admin had paused the vehicle."
	case agent.NoOrders:
		return "No orders were in force."
	case agent.NoTime:
		return "The time was not yet certain."
	case agent.OrdersNotYetValid:
		return "The orders were not in force yet."
	case agent.OrdersExpired:
		return "The orders had expired."
	case agent.Storage:
		return "Nothing more could be stored safely."
	case agent.RedactorUnwell:
		return "What removes people was not working."
	case agent.NoFix:
		return "The position was not known."
	case agent.StaleFix:
		return "The newest position was too old."
	case agent.PoorQuality:
		return "The position was estimated, or rested on too few satellites."
	case agent.PoorAccuracy:
		return "The position was too inaccurate to be sure of the zone."
	case agent.ImplausibleJump:
		return "The position jumped farther than a vehicle can drive."
	case agent.Settling:
		return "In a zone, but not for long enough to be sure."
	case agent.Outside:
		return "Outside of every zone."
	case agent.OffSchedule:
		return "In a zone, but not at a time that the task allows."
	case agent.SpeedUnknown:
		return "The task bounds the speed, and it was not known."
	case agent.TooFast:
		return "Faster than the task allows."
	case agent.Quota:
		return "The task had made all the observations it may in a day."
	}
	return ""
}

// class groups reasons into the few colours a reader can tell apart.
func class(r agent.Reason) string {
	switch r {
	case agent.Open:
		return "open"
	case agent.Outside:
		return "outside"
	case agent.NoFix, agent.StaleFix, agent.PoorQuality, agent.PoorAccuracy, agent.ImplausibleJump, agent.NoTime, agent.Settling:
		return "unsure"
	}
	return "held"
}

// zonesOf returns the plan's zones.
func zonesOf(p *agent.Plan) []geofence.Zone {
	zones := make([]geofence.Zone, p.Zones())
	for i := range zones {
		zones[i] = p.Zone(i)
	}
	return zones
}
