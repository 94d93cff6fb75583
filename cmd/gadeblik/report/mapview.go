package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/paulmach/orb"
)

// mapView is the map in the SVG's terms.
type mapView struct {
	Width, Height int
	Zones         []zoneView
	Lines         []lineView
	Looks         []dot
	Pins          []pin
	Scale         scaleView
}

type zoneView struct{ Name, Path string }

// lineView is a stretch of the track on which the gate gave one kind of answer.
type lineView struct{ Class, Title, Points string }

type dot struct{ X, Y string }

type pin struct {
	X, Y  string
	N     int
	Title string
}

// scaleView is the bar that says how long a metre is.
type scaleView struct {
	X1, X2, Y string
	Label     string
}

const (
	mapWidth  = 1000 // SVG units
	mapMargin = 36
	maxHeight = 720
	minHeight = 260
)

// projection is equirectangular about the middle of what is drawn, north up.
type projection struct {
	west, north  float64 // degrees
	perLon, perY float64 // SVG units per degree
}

func (p projection) xy(lon, lat float64) (x, y float64) {
	return mapMargin + (lon-p.west)*p.perLon, mapMargin + (p.north-lat)*p.perY
}

func (p projection) point(lon, lat float64) dot {
	x, y := p.xy(lon, lat)
	return dot{fmt.Sprintf("%.1f", x), fmt.Sprintf("%.1f", y)}
}

func mapOf(r Report) mapView {
	zones := zonesOf(r.Plan)
	var b orb.Bound
	first := true
	extend := func(p orb.Point) {
		if first {
			b, first = p.Bound(), false
			return
		}
		b = b.Extend(p)
	}
	for _, pt := range r.Track {
		if pt.Valid {
			extend(orb.Point{pt.Lon, pt.Lat})
		}
	}
	// Zones far from the drive would make it a dot: the map shows the drive,
	// and of the zones what lies around it.
	if first {
		for _, z := range zones {
			extend(z.Area.Bound().Min)
			extend(z.Area.Bound().Max)
		}
	}
	proj, height := fit(b)
	m := mapView{Width: mapWidth, Height: height, Scale: scaleOf(proj, b, height)}
	for _, z := range zones {
		m.Zones = append(m.Zones, zoneView{z.Name, proj.path(z.Area)})
	}
	m.Lines = proj.lines(r.Track)
	for _, l := range r.Looks {
		m.Looks = append(m.Looks, proj.point(l.Lon, l.Lat))
	}
	for i, f := range r.Found {
		d := proj.point(f.Position.Lon, f.Position.Lat)
		m.Pins = append(m.Pins, pin{d.X, d.Y, i + 1, f.Object.Label})
	}
	return m
}

// fit chooses the scale at which the bound fills the map.
func fit(b orb.Bound) (projection, int) {
	lat := b.Center().Lat()
	shrink := math.Cos(lat * math.Pi / 180)
	// Some street around the track, and never less than about 60 m.
	pad := math.Max(0.0003, 0.08*math.Max((b.Max[0]-b.Min[0])*shrink, b.Max[1]-b.Min[1]))
	b.Min[0] -= pad / shrink
	b.Max[0] += pad / shrink
	b.Min[1] -= pad
	b.Max[1] += pad
	w, h := (b.Max[0]-b.Min[0])*shrink, b.Max[1]-b.Min[1]
	per := math.Min((mapWidth-2*mapMargin)/w, (maxHeight-2*mapMargin)/h)
	height := int(math.Max(minHeight, h*per+2*mapMargin))
	p := projection{perLon: per * shrink, perY: per}
	mid := b.Center()
	p.west = mid[0] - (mapWidth-2*mapMargin)/2/p.perLon
	p.north = mid[1] + (float64(height)-2*mapMargin)/2/p.perY
	return p, height
}

func (p projection) path(area orb.MultiPolygon) string {
	var s strings.Builder
	for _, poly := range area {
		for _, ring := range poly {
			for i, pt := range ring {
				x, y := p.xy(pt[0], pt[1])
				op := "L"
				if i == 0 {
					op = "M"
				}
				fmt.Fprintf(&s, "%s%.1f %.1f", op, x, y)
			}
			s.WriteString("Z")
		}
	}
	return s.String()
}

// lines cuts the track where the answer changes or the position was lost.
func (p projection) lines(track []Point) []lineView {
	var out []lineView
	var pts []string
	flush := func(r Point) {
		if len(pts) > 1 {
			out = append(out, lineView{class(r.Reason), r.Reason.String() + ": " + meaning(r.Reason), strings.Join(pts, " ")})
		}
		pts = nil
	}
	for i, pt := range track {
		if !pt.Valid {
			if i > 0 {
				flush(track[i-1])
			}
			continue
		}
		x, y := p.xy(pt.Lon, pt.Lat)
		here := fmt.Sprintf("%.1f,%.1f", x, y)
		if i > 0 && track[i-1].Valid && track[i-1].Reason != pt.Reason {
			last := pts[len(pts)-1:]
			flush(track[i-1])
			pts = append(pts, last...)
		}
		pts = append(pts, here)
	}
	if n := len(track); n > 0 {
		flush(track[n-1])
	}
	return out
}

// scaleOf draws a round number of metres of about a fifth of the map.
func scaleOf(p projection, b orb.Bound, height int) scaleView {
	const metresPerDegree = 111_195
	perMetre := p.perY / metresPerDegree
	want := mapWidth / 5 / perMetre
	round := math.Pow(10, math.Floor(math.Log10(want)))
	for _, f := range []float64{5, 2} {
		if round*f <= want {
			round *= f
			break
		}
	}
	label := fmt.Sprintf("%.0f m", round)
	if round >= 1000 {
		label = fmt.Sprintf("%.0f km", round/1000)
	}
	return scaleView{
		X1: fmt.Sprint(mapMargin), X2: fmt.Sprintf("%.1f", mapMargin+round*perMetre),
		Y: fmt.Sprint(height - 16), Label: label,
	}
}
