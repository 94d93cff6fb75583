package geofence

import (
	"math"

	"github.com/paulmach/orb"
)

// place is where a point lies with regard to a ring.
type place int8

const (
	outside place = -1
	onRing  place = 0
	inside  place = 1
)

// orient returns +1 if a, b, c turn left, -1 if they turn right, and 0 only if
// they lie exactly on one line: a zone is not refused, nor a bow-tie accepted,
// for a rounding error. (Coordinates that are not 0 must be above 1e-100, or products
// underflow: real ones are. Shewchuk, "Adaptive Precision Floating-Point
// Arithmetic", 1997: a filter first, the exact sum for the few that need it.)
func orient(a, b, c orb.Point) int {
	left := float64((a[0] - c[0]) * (b[1] - c[1]))
	right := float64((a[1] - c[1]) * (b[0] - c[0]))
	det := left - right
	if left == 0 || right == 0 || (left > 0) != (right > 0) {
		return sign(det)
	}
	const bound = 3.3306690738754716e-16
	if math.Abs(det) >= bound*(math.Abs(left)+math.Abs(right)) {
		return sign(det)
	}
	return orientExact(a, b, c)
}

// orientExact sums the six products of the determinant without rounding.
func orientExact(a, b, c orb.Point) int {
	factors := [6][2]float64{
		{a[0], b[1]}, {-a[0], c[1]}, {-c[0], b[1]},
		{-a[1], b[0]}, {a[1], c[0]}, {c[1], b[0]},
	}
	var sum [12]float64 // non-overlapping, smallest first
	n := 0
	for _, f := range factors {
		// The conversion forbids fusing the product into a later sum.
		product := float64(f[0] * f[1])
		n = grow(&sum, n, math.FMA(f[0], f[1], -product))
		n = grow(&sum, n, product)
	}
	for i := n - 1; i >= 0; i-- {
		if sum[i] != 0 {
			return sign(sum[i])
		}
	}
	return 0
}

// grow adds v to the n parts of sum exactly and returns the new number of parts.
func grow(sum *[12]float64, n int, v float64) int {
	for i := range n {
		total := v + sum[i]
		virtual := total - v
		sum[i] = (v - (total - virtual)) + (sum[i] - virtual)
		v = total
	}
	sum[n] = v
	return n + 1
}

func sign(v float64) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// onSegment reports whether p, known to be on the line through a and b, lies
// between them.
func onSegment(p, a, b orb.Point) bool {
	return min(a[0], b[0]) <= p[0] && p[0] <= max(a[0], b[0]) &&
		min(a[1], b[1]) <= p[1] && p[1] <= max(a[1], b[1])
}

// cross reports whether the segments ab and cd cut through each other at a
// point that is an end of neither.
func cross(a, b, c, d orb.Point) bool {
	return orient(c, d, a)*orient(c, d, b) < 0 && orient(a, b, c)*orient(a, b, d) < 0
}

// meet reports whether the segments ab and cd have any point in common.
func meet(a, b, c, d orb.Point) bool {
	ca, cb := orient(c, d, a), orient(c, d, b)
	if ca*cb > 0 {
		return false
	}
	ac, ad := orient(a, b, c), orient(a, b, d)
	return ca*cb < 0 && ac*ad < 0 ||
		ca == 0 && onSegment(a, c, d) || cb == 0 && onSegment(b, c, d) ||
		ac == 0 && onSegment(c, a, b) || ad == 0 && onSegment(d, a, b)
}

// locate says exactly where p lies with regard to the closed ring r.
func locate(p orb.Point, r orb.Ring) place {
	odd := false
	for i := 1; i < len(r); i++ {
		a, b := r[i-1], r[i]
		if max(a[1], b[1]) < p[1] || min(a[1], b[1]) > p[1] || max(a[0], b[0]) < p[0] {
			continue
		}
		turn := orient(a, b, p)
		if turn == 0 && onSegment(p, a, b) {
			return onRing
		}
		if (a[1] > p[1]) != (b[1] > p[1]) && (turn > 0) == (b[1] > a[1]) {
			odd = !odd
		}
	}
	if odd {
		return inside
	}
	return outside
}

// encloses reports whether no part of inner sticks out of outer, as far as ends
// and crossings tell; the two may touch.
func encloses(outer, inner orb.Ring) bool {
	for _, p := range inner {
		if locate(p, outer) == outside {
			return false
		}
	}
	for i := 1; i < len(inner); i++ {
		for j := 1; j < len(outer); j++ {
			if cross(inner[i-1], inner[i], outer[j-1], outer[j]) {
				return false
			}
		}
	}
	return true
}
