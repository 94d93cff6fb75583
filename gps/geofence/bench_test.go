package geofence

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/tidwall/rtree"
)

const (
	benchZones  = 10_000
	benchPoints = 50
)

// city is a hundred by a hundred star-shaped zones of 50 points, 600 m apart and
// some 150 m across, as far north as Copenhagen.
func city(tb testing.TB) *Index {
	tb.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	perLon, perLat := metresPerDegree(55.7)
	zones := make([]Zone, benchZones)
	for i := range zones {
		centre := cityPoint(i)
		ring := make(orb.Ring, 0, benchPoints)
		for k := range benchPoints - 1 {
			angle := 2 * math.Pi * float64(k) / (benchPoints - 1)
			r := 60 + 40*random.Float64()
			ring = append(ring, orb.Point{centre[0] + r*math.Cos(angle)/perLon, centre[1] + r*math.Sin(angle)/perLat})
		}
		ring = append(ring, ring[0])
		zones[i] = Zone{ID: fmt.Sprint(i), Area: orb.MultiPolygon{{ring}}}
	}
	x, err := NewIndex(zones)
	if err != nil {
		tb.Fatal(err)
	}
	return x
}

// cityPoint is the centre of zone i, or a place in the pattern if i is not whole.
func cityPoint[T int | float64](i T) orb.Point {
	perLon, perLat := metresPerDegree(55.7)
	row, column := math.Floor(float64(i)/100), math.Mod(float64(i), 100)
	return orb.Point{12 + 600*column/perLon, 55.5 + 600*row/perLat}
}

// queries are places all over the city, each so many metres from a zone's centre.
func queries(from, to float64) []orb.Point {
	random := rand.New(rand.NewPCG(3, 4))
	perLon, perLat := metresPerDegree(55.7)
	points := make([]orb.Point, 4096)
	for i := range points {
		centre := cityPoint(random.IntN(benchZones))
		angle, r := 2*math.Pi*random.Float64(), from+(to-from)*random.Float64()
		points[i] = orb.Point{centre[0] + r*math.Cos(angle)/perLon, centre[1] + r*math.Sin(angle)/perLat}
	}
	return points
}

func BenchmarkContaining(b *testing.B) {
	x := city(b)
	for _, bm := range []struct {
		name     string
		from, to float64 // metres from the centre of some zone
	}{
		{"far", 250, 300},
		{"border", 60, 100},
		{"near", 0, 120},
		{"inside", 0, 40},
	} {
		b.Run(bm.name, func(b *testing.B) {
			points := queries(bm.from, bm.to)
			dst := make([]int, 0, 8)
			b.ReportAllocs()
			hits, i := 0, 0
			for b.Loop() {
				dst = x.Containing(points[i&4095], 5, dst[:0])
				hits += len(dst)
				i++
			}
			b.ReportMetric(float64(hits)/float64(b.N), "zones/op")
		})
	}
}

// BenchmarkContainingLarge asks about places in one zone of 9,000 points.
func BenchmarkContainingLarge(b *testing.B) {
	x := mustIndex(b, orb.Polygon{plane{orb.Point{12.5, 55.7}}.star(9000, 4000, 5000)})
	points := make([]orb.Point, 4096)
	random := rand.New(rand.NewPCG(5, 6))
	for i := range points {
		points[i] = orb.Point{12.42 + 0.16*random.Float64(), 55.655 + 0.09*random.Float64()}
	}
	dst := make([]int, 0, 8)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		dst = x.Containing(points[i&4095], 5, dst[:0])
		i++
	}
}

// BenchmarkTree compares ways to find the boxes that hold a point: ours with a
// whole query, in which a far point meets the tree alone.
func BenchmarkTree(b *testing.B) {
	x := city(b)
	points := queries(250, 300)
	b.Run("tidwall", func(b *testing.B) {
		var tr rtree.RTreeGN[float32, uint32]
		for i, z := range x.zones {
			o := boxOf(z.Area.Bound())
			tr.Insert([2]float32{o.minX, o.minY}, [2]float32{o.maxX, o.maxY}, uint32(i))
		}
		b.ReportAllocs()
		hits, i := 0, 0
		for b.Loop() {
			p := [2]float32{float32(points[i&4095][0]), float32(points[i&4095][1])}
			tr.Search(p, p, func(_, _ [2]float32, _ uint32) bool {
				hits++
				return true
			})
			i++
		}
	})
	b.Run("ours", func(b *testing.B) {
		dst := make([]int, 0, 8)
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			dst = x.Containing(points[i&4095], 5, dst[:0])
			i++
		}
	})
}

// BenchmarkTracker has one vehicle cross the city, so that its zones are warm.
func BenchmarkTracker(b *testing.B) {
	x := city(b)
	const steps = 4096
	track := make([]Position, steps)
	start := time.Date(2026, 6, 2, 7, 20, 0, 0, time.UTC)
	for i := range track {
		at := start.Add(time.Duration(i) * time.Second)
		track[i] = Position{At: at, Point: cityPoint(5020 + float64(i)*10/600), Valid: true, HDOP: 0.9, Satellites: 9, Speed: 10}
	}
	b.Run("Observe", func(b *testing.B) {
		t := NewTracker(x, TrackerConfig{})
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			t.Observe(track[i&(steps-1)])
			i++
		}
	})
	b.Run("Inside", func(b *testing.B) {
		t := NewTracker(x, TrackerConfig{})
		for _, p := range track[:5] {
			t.Observe(p)
		}
		b.ReportAllocs()
		for b.Loop() {
			t.Inside(track[5].At)
		}
	})
}

// BenchmarkNewIndex is what a new set of orders costs.
func BenchmarkNewIndex(b *testing.B) {
	zones := city(b).zones
	for b.Loop() {
		if _, err := NewIndex(zones); err != nil {
			b.Fatal(err)
		}
	}
}
