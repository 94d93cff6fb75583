package geofence

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

// box6 is a square of about 600 m with corners of few digits.
var box6 = orb.Ring{{12.56, 55.67}, {12.57, 55.67}, {12.57, 55.68}, {12.56, 55.68}, {12.56, 55.67}}

func within6(minX, minY, maxX, maxY float64) orb.Ring {
	return orb.Ring{{minX, minY}, {maxX, minY}, {maxX, maxY}, {minX, maxY}, {minX, minY}}
}

func TestNewZoneRefuses(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(-1)
	tests := []struct {
		name string
		id   string
		area orb.Geometry
		want string
	}{
		{"no id", "", orb.Polygon{box6}, "zone without id: tasks name their zones by id, give it one"},
		{"long id", strings.Repeat("x", 129), orb.Polygon{box6}, `zone "xxxxxxxxxxxxxxxx"...: id has 129 bytes: use at most 128`},
		{"unprintable id", "a\nb", orb.Polygon{box6}, `zone "a\nb": id holds the unprintable character '\n': leave it out`},
		{"id not UTF-8", "a\xff", orb.Polygon{box6}, `zone "a\xff": id is not UTF-8`},
		{"no geometry", "a", nil, `zone "a": no geometry: draw a Polygon or a MultiPolygon`},
		{"point", "a", orb.Point{12.56, 55.67}, `zone "a": geometry is a Point: a zone is a Polygon or a MultiPolygon`},
		{"line", "a", orb.LineString(box6), `zone "a": geometry is a LineString: a zone is a Polygon or a MultiPolygon`},
		{"collection", "a", orb.Collection{orb.Polygon{box6}}, `zone "a": geometry is a GeometryCollection: a zone is a Polygon or a MultiPolygon`},
		{"no polygons", "a", orb.MultiPolygon{}, `zone "a": geometry has no polygons: draw one`},
		{"no rings", "a", orb.Polygon{}, `zone "a": polygon has no rings: draw an outer ring`},
		{"no rings in the second", "a", orb.MultiPolygon{{box6}, {}}, `zone "a": polygon 2: polygon has no rings: draw an outer ring`},
		{"no points", "a", orb.Polygon{{}}, `zone "a": outer ring: 0 points: a ring needs at least 4, the last equal to the first`},
		{"one point", "a", orb.Polygon{box6[:1]}, `zone "a": outer ring: 1 point: a ring needs at least 4, the last equal to the first`},
		{"two points", "a", orb.Polygon{box6[:2]}, `zone "a": outer ring: 2 points: a ring needs at least 4, the last equal to the first`},
		{"open ring", "a", orb.Polygon{box6[:4]}, `zone "a": outer ring: not closed: starts at [12.56, 55.67] and ends at [12.56, 55.68], repeat the first point at the end`},
		{"NaN", "a", orb.Polygon{{box6[0], {nan, 55.67}, box6[2], box6[0]}}, `zone "a": outer ring: point 2 [NaN, 55.67]: not a finite number: write degrees`},
		{"infinite", "a", orb.Polygon{{box6[0], {12.57, inf}, box6[2], box6[0]}}, `zone "a": outer ring: point 2 [12.57, -Inf]: not a finite number: write degrees`},
		{
			"swapped", "a", orb.Polygon{{{1.35, 103.8}, {1.35, 103.9}, {1.4, 103.9}, {1.35, 103.8}}},
			`zone "a": outer ring: point 1 [1.35, 103.8]: latitude 103.8 is outside -85..85; GeoJSON wants [longitude, latitude], these look swapped`,
		},
		{"polar", "a", orb.Polygon{within6(12, 84, 13, 86)}, `zone "a": outer ring: point 3 [13, 86]: latitude 86 is outside -85..85`},
		{"latitude of no place", "a", orb.Polygon{within6(12, 84, 13, 860)}, `zone "a": outer ring: point 3 [13, 860]: latitude 860 is outside -85..85`},
		{"longitude of no place", "a", orb.Polygon{within6(179, -17, 181, -16)}, `zone "a": outer ring: point 2 [181, -17]: longitude 181 is outside -180..180`},
		{
			"antimeridian", "a", orb.Polygon{within6(179.9, -17, -179.9, -16)},
			`zone "a": outer ring: crosses the antimeridian from [179.9, -17] to [-179.9, -17]: cut it at longitude 180 into the polygons of a MultiPolygon`,
		},
		{"one place", "a", orb.Polygon{{box6[0], box6[0], box6[0], box6[0]}}, `zone "a": outer ring: no area: all its points lie on one line through [12.56, 55.67]`},
		{"there and back", "a", orb.Polygon{{{12.5, 55.5}, {12.75, 55.75}, {12.625, 55.625}, {12.5, 55.5}}}, `zone "a": outer ring: no area: all its points lie on one line through [12.5, 55.5]`},
		{"sliver", "a", orb.Polygon{{{12.5, 55.5}, {12.5001, 55.5}, {12.5001, 55.50000001}, {12.5, 55.5}}}, `zone "a": outer ring: area 0.0035 m² is below 1 m²: no vehicle fits, draw it larger`},
		{
			"bow-tie", "a", orb.Polygon{{{12.56, 55.67}, {12.57, 55.68}, {12.57, 55.67}, {12.56, 55.68}, {12.56, 55.67}}},
			`zone "a": outer ring: crosses or touches itself: the side from [12.56, 55.67] to [12.57, 55.68] meets the side from [12.57, 55.67] to [12.56, 55.68]; redraw it as simple rings`,
		},
		{
			"spike", "a", orb.Polygon{{{12.56, 55.67}, {12.57, 55.67}, {12.57, 55.68}, {12.57, 55.675}, {12.56, 55.68}, {12.56, 55.67}}},
			`zone "a": outer ring: crosses or touches itself: the side from [12.57, 55.67] to [12.57, 55.68] meets the side from [12.57, 55.675] to [12.56, 55.68]; redraw it as simple rings`,
		},
		{
			"touches itself at a corner", "a", orb.Polygon{{{12.56, 55.67}, {12.57, 55.67}, {12.565, 55.675}, {12.57, 55.68}, {12.56, 55.68}, {12.565, 55.675}, {12.56, 55.67}}},
			`zone "a": outer ring: crosses or touches itself: the side from [12.57, 55.67] to [12.565, 55.675] meets the side from [12.56, 55.68] to [12.565, 55.675]; redraw it as simple rings`,
		},
		{"hole outside", "a", orb.Polygon{box6, within6(12.58, 55.672, 12.59, 55.673)}, `zone "a": hole 1: point 1 [12.58, 55.672] lies outside the outer ring: make it a polygon of its own or move it in`},
		{
			"hole sticks out", "a", orb.Polygon{box6, within6(12.565, 55.672, 12.575, 55.673)},
			`zone "a": hole 1: crosses outer ring: the side from [12.57, 55.67] to [12.57, 55.68] meets the side from [12.565, 55.672] to [12.575, 55.672]; keep them apart`,
		},
		{
			"hole round the outer ring", "a", orb.Polygon{within6(12.561, 55.671, 12.562, 55.672), box6},
			`zone "a": hole 1: point 1 [12.56, 55.67] lies outside the outer ring: make it a polygon of its own or move it in`,
		},
		{"hole in a hole", "a", orb.Polygon{box6, within6(12.561, 55.671, 12.569, 55.679), within6(12.562, 55.672, 12.563, 55.673)}, `zone "a": hole 2: lies inside hole 1: make an island a polygon of its own`},
		{
			"holes cross", "a", orb.Polygon{box6, within6(12.561, 55.671, 12.565, 55.675), within6(12.563, 55.673, 12.569, 55.679)},
			`zone "a": hole 2: crosses hole 1: the side from [12.565, 55.675] to [12.561, 55.675] meets the side from [12.563, 55.679] to [12.563, 55.673]; keep them apart`,
		},
		{
			"several", "a", orb.MultiPolygon{{box6[:2], box6[:3]}, {box6}, {box6[:4]}},
			`zone "a": polygon 1: outer ring: 2 points: a ring needs at least 4, the last equal to the first
zone "a": polygon 1: hole 1: 3 points: a ring needs at least 4, the last equal to the first
zone "a": polygon 3: outer ring: not closed: starts at [12.56, 55.67] and ends at [12.56, 55.68], repeat the first point at the end`,
		},
		{"too many points", "a", orb.Polygon{copenhagen.star(10_000, 100, 200)}, `zone "a": area has 10001 points: simplify it to at most 10000`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			z, err := NewZone(tt.id, "", tt.area)
			if err == nil {
				t.Fatalf("got %v, want an error", z)
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
			if diff := cmp.Diff(Zone{}, z); diff != "" {
				t.Errorf("zone beside an error: want -, got +:\n%s", diff)
			}
		})
	}
}

func TestNewZoneAccepts(t *testing.T) {
	m := copenhagen
	tests := []struct {
		name string
		area orb.Geometry
	}{
		{"polygon", orb.Polygon{box6}},
		{"multipolygon", orb.MultiPolygon{{box6}}},
		{"clockwise", orb.Polygon{{box6[0], box6[3], box6[2], box6[1], box6[0]}}},
		{"triangle", orb.Polygon{{box6[0], box6[1], box6[2], box6[0]}}},
		{"corner written twice", orb.Polygon{{box6[0], box6[1], box6[1], box6[2], box6[3], box6[0], box6[0]}}},
		{"corner on a straight side", orb.Polygon{{box6[0], {12.565, 55.67}, box6[1], box6[2], box6[3], box6[0]}}},
		{"hole touches the outer ring", orb.Polygon{box6, {{12.56, 55.675}, {12.565, 55.674}, {12.565, 55.676}, {12.56, 55.675}}}},
		{"hole along the outer ring", orb.Polygon{box6, within6(12.56, 55.672, 12.565, 55.674)}},
		{"holes touch", orb.Polygon{box6, within6(12.561, 55.671, 12.565, 55.675), within6(12.565, 55.675, 12.569, 55.679)}},
		{"polygons overlap", orb.MultiPolygon{{box6}, {within6(12.565, 55.672, 12.575, 55.673)}}},
		{"edge of the world", orb.Polygon{within6(179, -17, 180, -16)}},
		{"edge of the north", orb.Polygon{within6(12, 84, 13, 85)}},
		{"null island", orb.Polygon{within6(-0.001, -0.001, 0.001, 0.001)}},
		{"as many points as allowed", orb.Polygon{m.star(9_999, 1000, 2000)}},
		{"comb", orb.Polygon{comb(m, 2000)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			z, err := NewZone("a", "Alley", tt.area)
			if err != nil {
				t.Fatal(err)
			}
			if z.ID != "a" || z.Name != "Alley" || len(z.Area) == 0 {
				t.Errorf("got %q, %q, %d polygons", z.ID, z.Name, len(z.Area))
			}
		})
	}
}

// comb has long teeth, all side by side: the worst for looking at sides in order
// of longitude.
func comb(m plane, teeth int) orb.Ring {
	metres := []float64{-10, 0}
	for i := range teeth {
		y := float64(4 * i)
		metres = append(metres, 0, y, 5000, y+1, 0, y+2)
	}
	metres = append(metres, -10, float64(4*teeth))
	return m.ring(metres...)
}

func TestNewIndexRefuses(t *testing.T) {
	good := orb.MultiPolygon{{box6}}
	full := orb.MultiPolygon{{copenhagen.star(9_999, 1000, 2000)}}
	many := make([]Zone, 101)
	for i := range many {
		many[i] = Zone{ID: fmt.Sprint("z", i), Area: full}
	}
	bad := make([]Zone, 60)
	for i := range bad {
		bad[i] = Zone{ID: fmt.Sprint("z", i), Area: orb.MultiPolygon{}}
	}
	var fifty []string
	for _, z := range bad[:50] {
		fifty = append(fifty, fmt.Sprintf("zone %q: geometry has no polygons: draw one", z.ID))
	}
	tests := []struct {
		name  string
		zones []Zone
		want  string
	}{
		{"id twice", []Zone{{ID: "a", Area: good}, {ID: "b", Area: good}, {ID: "a", Area: good}}, `zone "a": zones 1 and 3 have this id: give each its own`},
		{
			"everything at once",
			[]Zone{{ID: "a"}, {Area: good}, {ID: "a", Area: orb.MultiPolygon{{box6[:2]}, {box6[:3]}}}, {ID: "c", Area: good}},
			`zone "a": geometry has no polygons: draw one
zone without id: tasks name their zones by id, give it one
zone "a": polygon 1: outer ring: 2 points: a ring needs at least 4, the last equal to the first
zone "a": polygon 2: outer ring: 3 points: a ring needs at least 4, the last equal to the first
zone "a": zones 1 and 3 have this id: give each its own`,
		},
		{"too many mistakes to print", bad, strings.Join(fifty, "\n") + "\nand 10 more"},
		{"too many zones", make([]Zone, 100_001), "index zones: 100001 zones: use at most 100000"},
		{"too many points", many, "index zones: 1010000 points in all: simplify to at most 1000000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x, err := NewIndex(tt.zones)
			if err == nil {
				t.Fatalf("got %d zones, want an error", x.Len())
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func TestNewIndexOfNothing(t *testing.T) {
	x, err := NewIndex(nil)
	if err != nil {
		t.Fatal(err)
	}
	if x.Len() != 0 || x.Containing(orb.Point{12.5, 55.6}, 1, nil) != nil {
		t.Error("an index of no zones holds something")
	}
}
