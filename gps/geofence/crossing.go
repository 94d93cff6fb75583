package geofence

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/paulmach/orb"
)

// side is one side of a ring; sides of no length are left out, so that n-1 is
// the neighbour of 0.
type side struct {
	a, b                   orb.Point
	ring, n                int // the n-th side of the ring
	sides                  int // of its ring
	minX, maxX, minY, maxY float64
}

// checkCrossings finds rings of one polygon that cross or touch themselves, or
// cross each other. Rings may touch each other: what they enclose is clear.
// Sides are compared only where their boxes meet, in order of longitude.
func checkCrossings(polygon orb.Polygon) error {
	var sides []side
	for i, ring := range polygon {
		sides = appendSides(sides, i, ring)
	}
	slices.SortFunc(sides, func(s, t side) int {
		return cmp.Or(cmp.Compare(s.minX, t.minX), cmp.Compare(s.ring, t.ring), cmp.Compare(s.n, t.n))
	})
	for i := range sides {
		s := &sides[i]
		for j := i + 1; j < len(sides) && sides[j].minX <= s.maxX; j++ {
			t := &sides[j]
			if t.minY > s.maxY || t.maxY < s.minY || !forbidden(s, t) {
				continue
			}
			return crossingError(s, t)
		}
	}
	return nil
}

func appendSides(sides []side, ring int, r orb.Ring) []side {
	first := len(sides)
	for i := 1; i < len(r); i++ {
		a, b := r[i-1], r[i]
		if a == b {
			continue
		}
		sides = append(sides, side{
			a: a, b: b, ring: ring, n: len(sides) - first,
			minX: min(a[0], b[0]), maxX: max(a[0], b[0]),
			minY: min(a[1], b[1]), maxY: max(a[1], b[1]),
		})
	}
	for i := first; i < len(sides); i++ {
		sides[i].sides = len(sides) - first
	}
	return sides
}

// forbidden reports whether two sides of one polygon meet where they must not.
// Neighbours may: where one doubles back on the other, the side after it meets
// the one before.
func forbidden(s, t *side) bool {
	if s.ring != t.ring {
		return cross(s.a, s.b, t.a, t.b)
	}
	apart := max(s.n, t.n) - min(s.n, t.n)
	return apart != 1 && apart != s.sides-1 && meet(s.a, s.b, t.a, t.b)
}

func crossingError(s, t *side) error {
	if s.ring > t.ring || s.ring == t.ring && s.n > t.n {
		s, t = t, s
	}
	where := fmt.Sprintf("the side from %s to %s meets the side from %s to %s", at(s.a), at(s.b), at(t.a), at(t.b))
	if s.ring == t.ring {
		return fmt.Errorf("%s: crosses or touches itself: %s; redraw it as simple rings", ringName(s.ring), where)
	}
	return fmt.Errorf("%s: crosses %s: %s; keep them apart", ringName(t.ring), ringName(s.ring), where)
}
