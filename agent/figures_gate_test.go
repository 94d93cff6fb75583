//go:build figures && linux

package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"gadeblik/capture"
	"gadeblik/gps"
	"gadeblik/gps/geofence"
	"gadeblik/uplink"
)

// The city of the figures: zones of some 150 m across, 600 m apart.
const (
	cityZones    = 10_000
	cityVertices = 50
	cityRow      = 100
	citySpacing  = 600.0
	cityPlaces   = 4096
)

// cityPlace is east and north of the city's corner by so many metres.
func cityPlace(east, north float64) (lat, lon float64) {
	const metre = 1 / 111_320.0
	lat = 55.5 + north*metre
	return lat, 12 + east*metre/math.Cos(55.7*math.Pi/180)
}

func cityCentre(zone int) (east, north float64) {
	return citySpacing * float64(zone%cityRow), citySpacing * float64(zone/cityRow)
}

// cityOrders are the orders of one task in all zones of the city.
func cityOrders(t *testing.T) *uplink.Orders {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	b.WriteString(`{"type":"FeatureCollection","features":[`)
	ids := make([]string, cityZones)
	for i := range ids {
		ids[i] = fmt.Sprint("zone-", i)
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"Feature","id":%q,"properties":{},"geometry":{"type":"Polygon","coordinates":[[%s]]}}`,
			ids[i], cityRing(i, random))
	}
	b.WriteString(`]}`)
	raw, err := json.Marshal(task("bins", map[string]any{"zones": ids}))
	if err != nil {
		t.Fatal(err)
	}
	return &uplink.Orders{
		Header: uplink.Header{
			Version: 1, Fleet: "figures", Vehicles: []string{"*"},
			NotBefore: began.AddDate(-1, 0, 0), NotAfter: began.AddDate(2, 0, 0),
		},
		Tasks:   []json.RawMessage{raw},
		Payload: b.Bytes(),
	}
}

// cityRing is a star of cityVertices positions, the last being the first.
func cityRing(zone int, random *rand.Rand) []byte {
	east, north := cityCentre(zone)
	var ring, first []byte
	for k := range cityVertices - 1 {
		angle, r := 2*math.Pi*float64(k)/(cityVertices-1), 60+40*random.Float64()
		lat, lon := cityPlace(east+r*math.Cos(angle), north+r*math.Sin(angle))
		ring = append(ring, '[')
		ring = strconv.AppendFloat(ring, lon, 'f', 7, 64)
		ring = append(ring, ',')
		ring = strconv.AppendFloat(ring, lat, 'f', 7, 64)
		ring = append(ring, ']', ',')
		if k == 0 {
			first = bytes.TrimSuffix(bytes.Clone(ring), []byte(","))
		}
	}
	return append(ring, first...)
}

// cityFixes are all over the city, so many metres from the centre of some zone.
// An hour lies between two, so that no zone is entered and none is a jump: each
// fix is looked up from nothing, and memory is as cold as it gets.
func cityFixes(from, to float64) []gps.Fix {
	random := rand.New(rand.NewPCG(3, 4))
	fixes := make([]gps.Fix, cityPlaces)
	for i := range fixes {
		east, north := cityCentre(random.IntN(cityZones))
		angle, r := 2*math.Pi*random.Float64(), from+(to-from)*random.Float64()
		fixes[i] = fixAt(float64(i)*3600, 0)
		fixes[i].Lat, fixes[i].Lon = cityPlace(east+r*math.Cos(angle), north+r*math.Sin(angle))
	}
	return fixes
}

// gateSides are what a gate does, each at many places.
type gateSides struct {
	plan *Plan
	gate *Gate
	dst  []int
}

func newGateSides(plan *Plan) *gateSides {
	g := &gateSides{plan: plan, gate: NewGate(geofence.TrackerConfig{}), dst: make([]int, 0, 8)}
	g.gate.SetPlan(plan)
	return g
}

// lookedUp asks the plan's index which zones hold each place, with a circle of
// error of 5 m.
func (g *gateSides) lookedUp(fixes []gps.Fix) side {
	return eachOf(len(fixes), func() error {
		for _, f := range fixes {
			g.dst = g.plan.zones.Containing(orb.Point{f.Lon, f.Lat}, 5, g.dst[:0])
		}
		return nil
	})
}

// decided gives each fix to the gate and asks it; at least a tenth of the
// answers must be the one for which the places were chosen.
func (g *gateSides) decided(fixes []gps.Fix, want Reason) side {
	return eachOf(len(fixes), func() error {
		var given [reasons]int
		var d Decision
		c := Conditions{UTC: began, Switch: true, Storage: true, Redactor: true}
		for _, f := range fixes {
			g.gate.Observe(f)
			c.Now = f.At
			g.gate.Decide(c, &d)
			given[d.Reason]++
		}
		if given[want] < len(fixes)/10 {
			return fmt.Errorf("the gate said %s %d times of %d: %v", want, given[want], len(fixes), given)
		}
		return nil
	})
}

// parked decides for a vehicle that stands in an open zone, as for each frame.
func parked(plan *Plan) side {
	gate := NewGate(geofence.TrackerConfig{})
	gate.SetPlan(plan)
	var f gps.Fix
	for s := range 6 {
		f = fixAt(float64(s), 0)
		f.Lat, f.Lon = cityPlace(cityCentre(cityZones/2 + cityRow/2))
		gate.Observe(f)
	}
	c := Conditions{Now: f.At, UTC: f.At, Switch: true, Storage: true, Redactor: true}
	var d Decision
	return eachOf(cityPlaces, func() error {
		for range cityPlaces {
			gate.Decide(c, &d)
		}
		if d.Reason != Open {
			return fmt.Errorf("the gate says %s in an open zone", d.Reason)
		}
		return nil
	})
}

func gateFigures(t *testing.T) []row {
	orders := cityOrders(t)
	plan, err := NewPlan(orders, nil)
	if err != nil {
		t.Fatal(err)
	}
	g := newGateSides(plan)
	away, beside := cityFixes(250, 300), cityFixes(60, 100)
	sides := []side{g.lookedUp(away), g.lookedUp(beside), g.decided(away, Outside), g.decided(beside, Settling), parked(plan)}
	costs := inTurns(t, 60, sides...)
	allocs := testing.AllocsPerRun(3, func() {
		for _, work := range sides {
			if _, err := work(); err != nil {
				t.Error(err)
			}
		}
	})
	far := row{what: "gate, 10,000 zones x 50 vertices, far from a zone", bar: "≤ 250 ns"}
	far.measured, far.result = costs[0].with(0, "ns"), judged(costs[0].median(), 250)
	far.note = fmt.Sprintf("CPU for the look-up of a place 250 to 300 m from a centre, all over the city; orders of %d MB, put into the plan "+
		"directly%s", len(orders.Payload)/1_000_000, refusedOrders(orders.Payload))
	near := row{what: "gate, near a zone", bar: "≤ 1 µs"}
	near.measured, near.result = costs[1].with(0, "ns"), judged(costs[1].median(), 1000)
	near.note = "CPU for the look-up of a place 60 to 100 m from a centre, where the border runs" +
		near.result.unless("the dearest places there are, in caches shared with what else runs")
	whole := row{what: "  a fix and its decision, far / near", result: noBar}
	whole.measured = fmt.Sprintf("%.0f / %.0f ns", costs[2].median(), costs[3].median())
	whole.note = fmt.Sprintf("each fix looked up from nothing, twice: for staying and for entering; the decision alone, in an open zone: %s",
		costs[4].with(0, "ns"))
	none := row{what: "gate, allocations, any of these", measured: fmt.Sprint(allocs), bar: "0", result: judged(allocs, 0)}
	return []row{far, near, whole, none, outsideRow(t, plan, away)}
}

// refusedOrders says so where orders of this size would not be taken from
// outside.
func refusedOrders(payload []byte) string {
	if _, err := uplink.ParseOrders(payload); err != nil && len(err.Error()) < 120 {
		return fmt.Sprintf(" (from outside: %v)", err)
	}
	return ""
}

// outsideRow gives frames whose bytes are no picture: reading one would be counted.
func outsideRow(t *testing.T, plan *Plan, fixes []gps.Fix) row {
	const frames = 20_000
	p := NewPipeline(PipelineConfig{Vehicle: "sweeper-07", Version: "figures", Models: &Models{}, Sink: func(Product) error { return nil }})
	if err := p.SetPlan(plan); err != nil {
		t.Fatal(err)
	}
	p.SetSwitch(true)
	place := fixes[0]
	for s := range 8 {
		f := fixAt(float64(s), 0)
		f.Lat, f.Lon = place.Lat, place.Lon
		if err := p.Fix(f); err != nil {
			t.Fatal(err)
		}
	}
	noPicture := []byte("no picture")
	frame := capture.Frame{At: began.Add(7500 * time.Millisecond)}
	pass := func() error {
		frame.JPEG = noPicture // the pipeline has released the one before
		return p.Frame(context.Background(), &frame)
	}
	costs := inTurns(t, 60, eachOf(frames, func() error {
		for range frames {
			if err := pass(); err != nil {
				return err
			}
		}
		return nil
	}))
	allocs := testing.AllocsPerRun(1000, func() {
		if err := pass(); err != nil {
			t.Error(err)
		}
	})
	if c := p.Counters(); c.Closed != c.Frames || c.BadFrames != 0 || p.Decision().Reason != Outside {
		t.Errorf("of %d frames %d found the gate closed, last %s; all should, outside", c.Frames, c.Closed, p.Decision().Reason)
	}
	r := row{what: "frame outside open zones", bar: "≤ 2 µs, 0"}
	r.measured, r.result = costs[0].with(0, "ns"), judged(costs[0].median(), 2000).and(judged(allocs, 0))
	r.note = fmt.Sprintf("the same city; %v allocations; never decoded: its bytes are no picture, and none was found to be bad", allocs)
	return r
}
