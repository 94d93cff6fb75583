package main

import "testing"

// count returns how many pixels carry an id.
func (s *surface) count(id int32) int {
	n := 0
	for _, v := range s.id {
		if v == id {
			n++
		}
	}
	return n
}

func TestNearerTriangleWins(t *testing.T) {
	for _, order := range [][2]int32{{1, 2}, {2, 1}} {
		s := newSurface(20, 20, true)
		s.clear(0)
		for _, id := range order {
			z := 0.1 * float64(id) // 2 is nearer: depth is 1/distance
			s.fill(vec{0, 0, z}, vec{20, 0, z}, vec{0, 20, z}, id)
		}
		if s.count(1) != 0 || s.count(2) < 180 {
			t.Errorf("drawn in order %v: %d pixels of the farther, %d of the nearer, want 0 and at least 180", order, s.count(1), s.count(2))
		}
	}
}

func TestTrianglesThatShareAnEdgeLeaveNoHole(t *testing.T) {
	s := newSurface(31, 17, true)
	s.clear(0)
	a, b, c, d := vec{0, 0, 1}, vec{31, 0, 1}, vec{31, 17, 1}, vec{0, 17, 1}
	s.fill(a, b, c, 1)
	s.fill(a, c, d, 1)
	if got, want := s.count(1), 31*17; got != want {
		t.Errorf("two halves of a rectangle cover %d pixels, want %d", got, want)
	}
}

func TestTriangleBehindTheCameraIsCut(t *testing.T) {
	cam := newCamera(home(), 90, 40, 40)
	s := newSurface(40, 40, true)
	s.clear(0)
	drawCut(cam, s, [3]vec{{-1, -1, -5}, {1, -1, -5}, {0, 1, -4}}, 1)
	if n := s.count(1); n != 0 {
		t.Errorf("%d pixels of a triangle behind the camera", n)
	}
	drawCut(cam, s, [3]vec{{-5, -1, -5}, {5, -1, -5}, {0, -1, 20}}, 2)
	if n := s.count(2); n == 0 {
		t.Error("nothing of a floor that reaches from behind the camera to before it")
	}
}

func TestEmptyAndBrokenTrianglesDrawNothing(t *testing.T) {
	s := newSurface(8, 8, true)
	s.clear(0)
	var zero float64
	s.fill(vec{1, 1, 1}, vec{1, 1, 1}, vec{5, 5, 1}, 1)
	s.fill(vec{0 / zero, 1, 1}, vec{1, 1, 1}, vec{5, 5, 1}, 1)
	if n := s.count(1); n != 0 {
		t.Errorf("%d pixels drawn, want none", n)
	}
}
