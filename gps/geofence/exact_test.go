package geofence

import (
	"math"
	"math/big"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

// orientRat is orient in rational numbers.
func orientRat(a, b, c orb.Point) int {
	difference := func(x, y float64) *big.Rat {
		return new(big.Rat).Sub(new(big.Rat).SetFloat64(x), new(big.Rat).SetFloat64(y))
	}
	left := new(big.Rat).Mul(difference(a[0], c[0]), difference(b[1], c[1]))
	right := new(big.Rat).Mul(difference(a[1], c[1]), difference(b[0], c[0]))
	return left.Cmp(right)
}

// point leaves out what would underflow in a product: 1e-100° is nowhere.
func point(x, y float64) orb.Point {
	for _, v := range []*float64{&x, &y} {
		if math.Abs(*v) < 1e-100 {
			*v = 0
		}
	}
	return orb.Point{x, y}
}

func TestOrientIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		degree := rapid.Float64Range(-180, 180)
		a := point(degree.Draw(t, "ax"), degree.Draw(t, "ay"))
		b := point(degree.Draw(t, "bx"), degree.Draw(t, "by"))
		f := rapid.Float64Range(-1, 2).Draw(t, "f")
		c := point(a[0]+f*(b[0]-a[0]), a[1]+f*(b[1]-a[1])) // on the line but for rounding
		for range rapid.IntRange(0, 3).Draw(t, "steps") {
			c = point(c[0], math.Nextafter(c[1], 1000))
		}
		for _, p := range [][3]orb.Point{{a, b, c}, {b, c, a}, {c, b, a}, {a, a, c}} {
			if got, want := orient(p[0], p[1], p[2]), orientRat(p[0], p[1], p[2]); got != want {
				t.Fatalf("orient(%v, %v, %v) = %d, want %d", p[0], p[1], p[2], got, want)
			}
		}
	})
}

func TestMeetAndCross(t *testing.T) {
	o := orb.Point{0, 0}
	tests := []struct {
		name        string
		a, b, c, d  orb.Point
		meet, cross bool
	}{
		{"cross", o, orb.Point{2, 2}, orb.Point{0, 2}, orb.Point{2, 0}, true, true},
		{"apart", o, orb.Point{2, 2}, orb.Point{3, 0}, orb.Point{3, 3}, false, false},
		{"lines cross beyond the ends", o, orb.Point{1, 1}, orb.Point{0, 3}, orb.Point{3, 0}, false, false},
		{"common end", o, orb.Point{2, 2}, orb.Point{2, 2}, orb.Point{3, 0}, true, false},
		{"end on the other", o, orb.Point{2, 2}, orb.Point{1, 1}, orb.Point{3, 0}, true, false},
		{"along each other", o, orb.Point{2, 2}, orb.Point{1, 1}, orb.Point{3, 3}, true, false},
		{"on one line, apart", o, orb.Point{1, 1}, orb.Point{2, 2}, orb.Point{3, 3}, false, false},
		{"parallel", o, orb.Point{2, 2}, orb.Point{1, 0}, orb.Point{3, 2}, false, false},
		{"same", o, orb.Point{2, 2}, o, orb.Point{2, 2}, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, s := range [][4]orb.Point{{tt.a, tt.b, tt.c, tt.d}, {tt.b, tt.a, tt.c, tt.d}, {tt.c, tt.d, tt.a, tt.b}, {tt.d, tt.c, tt.b, tt.a}} {
				if got := meet(s[0], s[1], s[2], s[3]); got != tt.meet {
					t.Errorf("meet(%v) = %v, want %v", s, got, tt.meet)
				}
				if got := cross(s[0], s[1], s[2], s[3]); got != tt.cross {
					t.Errorf("cross(%v) = %v, want %v", s, got, tt.cross)
				}
			}
		})
	}
}

func TestLocate(t *testing.T) {
	diamond := orb.Ring{{1, 0}, {2, 1}, {1, 2}, {0, 1}, {1, 0}}
	tests := []struct {
		p    orb.Point
		want place
	}{
		{orb.Point{1, 1}, inside},
		{orb.Point{0.5, 1}, inside},
		{orb.Point{1, 0}, onRing},
		{orb.Point{0, 1}, onRing},
		{orb.Point{0.5, 0.5}, onRing},
		{orb.Point{1.5, 1.5}, onRing},
		{orb.Point{math.Nextafter(0.5, 0), 0.5}, outside},
		{orb.Point{math.Nextafter(0.5, 1), 0.5}, inside},
		{orb.Point{-1, 1}, outside},
		{orb.Point{3, 1}, outside},
		{orb.Point{0, 0}, outside},
		{orb.Point{0, 2}, outside},
		{orb.Point{1, 3}, outside},
	}
	for _, tt := range tests {
		if got := locate(tt.p, diamond); got != tt.want {
			t.Errorf("locate(%v) = %d, want %d", tt.p, got, tt.want)
		}
	}
}
