package geofence

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

func TestContaining(t *testing.T) {
	m := copenhagen
	var (
		block     = orb.Polygon{m.square(0, 0, 100)}
		courtyard = orb.Polygon{m.square(0, 0, 100), m.square(40, 40, 20)}
		island    = orb.MultiPolygon{
			{m.square(0, 0, 100), m.square(20, 20, 60)},
			{m.square(30, 30, 40)},
		}
		filled = orb.MultiPolygon{ // the second polygon is the first one's hole
			{m.square(0, 0, 100), m.square(20, 20, 60)},
			{m.square(20, 20, 60)},
		}
		covered = orb.MultiPolygon{ // the second polygon lies over hole and solid
			{m.square(0, 0, 100), m.square(40, 40, 20)},
			{m.square(30, 30, 40)},
		}
		notched = orb.MultiPolygon{ // the hole has a notch; the second polygon's side crosses it
			{m.square(0, 0, 100), m.ring(20, 20, 80, 20, 80, 80, 55, 80, 50, 40, 45, 80, 20, 80)},
			{m.square(30, 30, 40)},
		}
		overlap  = orb.MultiPolygon{{m.square(0, 0, 100)}, {m.square(50, 0, 100)}}
		nested   = orb.MultiPolygon{{m.square(0, 0, 100)}, {m.square(30, 30, 40)}}
		adjacent = orb.MultiPolygon{{m.square(0, 0, 100)}, {m.square(100, 0, 100)}}
		apart    = orb.MultiPolygon{{m.square(0, 0, 100)}, {m.square(300, 0, 100)}}
		ell      = orb.Polygon{m.ring(0, 0, 100, 0, 100, 50, 50, 50, 50, 100, 0, 100)}
		diamond  = orb.Polygon{m.ring(50, 0, 100, 50, 50, 100, 0, 50)}
		doubled  = orb.Polygon{append(orb.Ring{m.at(0, 0), m.at(0, 0)}, m.square(0, 0, 100)[1:]...)}
	)
	tests := []struct {
		name        string
		area        orb.Geometry
		east, north float64
		radius      float64
		want        bool
	}{
		{"middle", block, 50, 50, 0, true},
		{"middle, just clear of all sides", block, 50, 50, 49.999, true},
		{"middle, just too wide", block, 50, 50, 50.001, false},
		{"near a side, clear", block, 5.01, 50, 5, true},
		{"near a side, over", block, 4.99, 50, 5, false},
		{"near a corner, clear", block, 5.01, 94.99, 5, true},
		{"near a corner, over", block, 4.99, 95.01, 5, false},
		{"outside", block, 101, 50, 0, false},
		{"outside, beside a corner's height", block, -10, 0, 0, false},
		{"outside, beyond a corner's height", block, 110, 100, 0, false},
		{"outside, circle reaches in", block, 101, 50, 5, false},
		{"outside, circle holds the zone", block, 50, 50, 500, false},
		{"on a side", block, 0, 50, 0, false},
		{"on the upper side", block, 50, 100, 0, false},
		{"on a corner", block, 0, 0, 0, false},
		{"on the far corner", block, 100, 100, 0, false},
		{"a tenth of a micrometre inside", block, 1e-7, 50, 0, false},
		{"ten micrometres inside", block, 1e-5, 50, 0, true},
		{"a millimetre inside", block, 0.001, 50, 0, true},
		{"a millimetre outside", block, -0.001, 50, 0, false},
		{"solid part", courtyard, 20, 50, 19, true},
		{"solid part, circle reaches the hole", courtyard, 20, 50, 20.001, false},
		{"solid part, circle spans the hole", courtyard, 35, 50, 30, false},
		{"level with the hole's corners", courtyard, 10, 40, 5, true},
		{"level with the hole's upper side", courtyard, 90, 60, 5, true},
		{"in the hole", courtyard, 50, 50, 0, false},
		{"in the hole, circle fills it", courtyard, 50, 50, 40, false},
		{"on the hole's side", courtyard, 40, 50, 0, false},
		{"on the hole's corner", courtyard, 40, 40, 0, false},
		{"round an island", island, 10, 50, 5, true},
		{"between island and solid", island, 25, 50, 0, false},
		{"on the island", island, 50, 50, 19.9, true},
		{"on the island, too wide", island, 50, 50, 20.1, false},
		{"on an island that fills its hole", filled, 50, 50, 29.9, true},
		{"on the seam of an island that fills its hole", filled, 20, 50, 0, false},
		{"hole covered by an overlapping polygon", covered, 50, 50, 1, false},
		{"overlap round a hole", covered, 35, 50, 1, false},
		{"clear of an overlap round a hole", covered, 10, 50, 5, true},
		{"in a hole, on a polygon that crosses its notch", notched, 35, 35, 1, false},
		{"in a notch of a hole, covered twice", notched, 50, 60, 1, false},
		{"first of two that overlap", overlap, 25, 50, 5, true},
		{"second of two that overlap", overlap, 125, 50, 5, true},
		{"overlap", overlap, 75, 50, 1, false},
		{"edge of the overlap", overlap, 49, 50, 5, false},
		{"polygon in a polygon", nested, 50, 50, 5, false},
		{"round a polygon in a polygon", nested, 15, 50, 5, true},
		{"in one of two that share a side", adjacent, 50, 50, 40, true},
		{"across a shared side", adjacent, 98, 50, 5, false},
		{"on a shared side", adjacent, 100, 50, 0, false},
		{"first of two apart", apart, 50, 50, 40, true},
		{"second of two apart", apart, 350, 50, 40, true},
		{"between two apart", apart, 200, 50, 0, false},
		{"inner corner, clear", ell, 45, 45, 7.0, true},
		{"inner corner, over", ell, 45, 45, 7.08, false},
		{"notch", ell, 75, 75, 0, false},
		{"level with the inner corner", ell, 25, 50, 24, true},
		{"level with two corners", diamond, 50, 50, 35.35, true},
		{"level with two corners, over", diamond, 50, 50, 35.36, false},
		{"left of a corner", diamond, -10, 50, 0, false},
		{"level with the top", diamond, 10, 100, 0, false},
		{"level with the bottom", diamond, 10, 0, 0, false},
		{"point written twice", doubled, 50, 50, 49, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := mustIndex(t, tt.area)
			got := len(x.Containing(m.at(tt.east, tt.north), tt.radius, nil)) == 1
			if got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// Every ring may start at any of its points and run either way round.
func TestContainingAnyWinding(t *testing.T) {
	m := copenhagen
	ring := m.ring(0, 0, 100, 0, 100, 50, 50, 50, 50, 100, 0, 100)
	n := len(ring) - 1
	for start := range n {
		for _, step := range []int{1, n - 1} {
			var turned orb.Ring
			for k := range n + 1 {
				turned = append(turned, ring[(start+k*step)%n])
			}
			x := mustIndex(t, orb.Polygon{turned})
			for _, tt := range []struct {
				east, north float64
				want        int
			}{{25, 75, 1}, {75, 25, 1}, {25, 25, 1}, {25, 50, 1}, {50, 25, 1}, {75, 75, 0}, {-1, 50, 0}, {50, 75, 0}} {
				if got := len(x.Containing(m.at(tt.east, tt.north), 0, nil)); got != tt.want {
					t.Errorf("start %d, step %d, at %v, %v: got %d zones, want %d", start, step, tt.east, tt.north, got, tt.want)
				}
			}
		}
	}
}

func TestContainingSeveral(t *testing.T) {
	m := copenhagen
	x := mustIndex(t,
		orb.Polygon{m.square(500, 500, 10)},
		orb.Polygon{m.square(0, 0, 100)},
		orb.Polygon{m.square(-1000, -1000, 5000), m.square(2000, 2000, 500)},
		orb.Polygon{m.square(50, 0, 100)},
	)
	tests := []struct {
		name        string
		east, north float64
		radius      float64
		want        []int
	}{
		{"three", 75, 50, 10, []int{7, 1, 2, 3}},
		{"two", 25, 50, 10, []int{7, 1, 2}},
		{"wide circle", 75, 50, 30, []int{7, 2}},
		{"one", 300, 300, 10, []int{7, 2}},
		{"first and third", 505, 505, 3, []int{7, 0, 2}},
		{"hole", 2100, 2100, 10, []int{7}},
		{"none", 9000, 9000, 10, []int{7}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := x.Containing(m.at(tt.east, tt.north), tt.radius, []int{7})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

// The order is that of the zones, not that of the places they lie in.
func TestContainingAscending(t *testing.T) {
	m := copenhagen
	var areas []orb.Geometry
	for i := range 100 {
		areas = append(areas, orb.Polygon{m.square(-float64(3*i), -500, 1000)})
	}
	got := mustIndex(t, areas...).Containing(m.at(350, 0), 1, nil)
	if len(got) != 100 || !slices.IsSorted(got) {
		t.Errorf("got %d zones: %v", len(got), got)
	}
}

func TestContainingSenseless(t *testing.T) {
	m := copenhagen
	nan, inf := math.NaN(), math.Inf(1)
	x := mustIndex(t, orb.Polygon{m.square(-30000, -30000, 60000)})
	tests := []struct {
		name   string
		p      orb.Point
		radius float64
		want   int
	}{
		{"sound", m.origin, 10_000, 1},
		{"radius beyond 10 km", m.origin, 10_001, 0},
		{"negative radius", m.origin, -1, 0},
		{"NaN radius", m.origin, nan, 0},
		{"infinite radius", m.origin, inf, 0},
		{"NaN longitude", orb.Point{nan, m.origin[1]}, 1, 0},
		{"NaN latitude", orb.Point{m.origin[0], nan}, 1, 0},
		{"infinite latitude", orb.Point{m.origin[0], inf}, 1, 0},
		{"pole", orb.Point{m.origin[0], 90}, 1, 0},
		{"other side of the world", orb.Point{m.origin[0] - 180, -m.origin[1]}, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := len(x.Containing(tt.p, tt.radius, nil)); got != tt.want {
				t.Errorf("got %d zones, want %d", got, tt.want)
			}
		})
	}
	if got := new(Index).Containing(m.origin, 1, nil); got != nil {
		t.Errorf("zero index: got %v", got)
	}
}

// A zone cut at the antimeridian holds what lies clear of the cut.
func TestContainingAtAntimeridian(t *testing.T) {
	east := orb.Ring{{179.99, -17.01}, {180, -17.01}, {180, -16.99}, {179.99, -16.99}, {179.99, -17.01}}
	west := orb.Ring{{-180, -17.01}, {-179.99, -17.01}, {-179.99, -16.99}, {-180, -16.99}, {-180, -17.01}}
	x := mustIndex(t, orb.MultiPolygon{{east}, {west}})
	for _, tt := range []struct {
		lon  float64
		want int
	}{{179.995, 1}, {-179.995, 1}, {180, 0}, {-180, 0}, {179.9999, 0}, {-179.9999, 0}, {179.98, 0}, {-179.98, 0}} {
		if got := len(x.Containing(orb.Point{tt.lon, -17}, 100, nil)); got != tt.want {
			t.Errorf("longitude %v: got %d zones, want %d", tt.lon, got, tt.want)
		}
	}
}

// The index keeps its answers when the zones it was made of change.
func TestIndexIsImmutable(t *testing.T) {
	m := copenhagen
	zones := []Zone{{ID: "a", Name: "Alley", Area: orb.MultiPolygon{{m.square(0, 0, 100)}}}}
	x, err := NewIndex(zones)
	if err != nil {
		t.Fatal(err)
	}
	zones[0].Area[0][0][0] = orb.Point{0, 0}
	zones[0].ID = "b"
	if got := x.Containing(m.at(10, 10), 5, nil); len(got) != 1 {
		t.Errorf("got %v, want one zone", got)
	}
	if x.Len() != 1 || x.Zone(0).ID != "a" || x.Zone(0).Name != "Alley" {
		t.Errorf("got %d zones, the first %q %q", x.Len(), x.Zone(0).ID, x.Zone(0).Name)
	}
	polygon := orb.Polygon{m.square(0, 0, 100)}
	z, err := NewZone("c", "", polygon)
	if err != nil {
		t.Fatal(err)
	}
	polygon[0][0] = orb.Point{0, 0}
	if z.Area[0][0][0] == polygon[0][0] {
		t.Error("NewZone kept the caller's points")
	}
}

// For the race detector: queries write nothing.
func TestContainingConcurrently(t *testing.T) {
	m := copenhagen
	x := mustIndex(t, orb.Polygon{m.square(0, 0, 100), m.square(40, 40, 20)})
	for _, name := range []string{"a", "b", "c", "d"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i := range 100 {
				want := 1
				if i >= 35 && i <= 65 || i <= 5 || i >= 95 {
					want = 0
				}
				if got := len(x.Containing(m.at(float64(i), 50), 5, nil)); got != want {
					t.Errorf("%d m in: got %d zones, want %d", i, got, want)
				}
			}
		})
	}
}

func TestContainingAllocatesNothing(t *testing.T) {
	m := copenhagen
	var areas []orb.Geometry
	for i := range 40 {
		areas = append(areas, orb.Polygon{m.star(40, 100+float64(i), 150+float64(i))})
	}
	x := mustIndex(t, areas...)
	dst := make([]int, 0, 64)
	if got := testing.AllocsPerRun(100, func() { dst = x.Containing(m.origin, 5, dst[:0]) }); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
	if len(dst) != 40 {
		t.Errorf("got %d zones, want 40", len(dst))
	}
}
