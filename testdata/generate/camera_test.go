package main

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var close6 = cmpopts.EquateApprox(0, 1e-6)

func TestProjection(t *testing.T) {
	// 90 degrees across 1000 pixels: one metre at ten metres is 50 pixels.
	cam := newCamera(pose{X: vec{1, 0, 0}, Y: vec{0, 1, 0}, Z: vec{0, 0, 1}, O: vec{0, 2, 0}}, 90, 1000, 600)
	for _, c := range []struct {
		name  string
		world vec
		want  vec
	}{
		{"straight ahead", vec{0, 2, 10}, vec{500, 300, 0.1}},
		{"one metre right", vec{1, 2, 10}, vec{550, 300, 0.1}},
		{"on the ground", vec{0, 0, 10}, vec{500, 400, 0.1}},
		{"at the edge", vec{10, 2, 10}, vec{1000, 300, 0.1}},
		{"twice as far", vec{1, 2, 20}, vec{525, 300, 0.05}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := cam.screen(cam.view(c.world))
			if d := cmp.Diff(got, c.want, close6); d != "" {
				t.Errorf("projection (-got +want):\n%s", d)
			}
			back := cam.pose.O.add(cam.ray(got.X, got.Y).mul(c.world.sub(cam.pose.O).len()))
			if d := cmp.Diff(back, c.world, close6); d != "" {
				t.Errorf("ray through the pixel (-got +want):\n%s", d)
			}
		})
	}
}

func TestNodLooksDown(t *testing.T) {
	cam := newCamera(home().nod(0.1), 70, 640, 360)
	if y := cam.screen(cam.view(vec{0, 0, 10})).Y; y >= 180 {
		t.Errorf("a camera looking down shows the horizon at row %.1f, want above the middle", y)
	}
}

func TestTurningRight(t *testing.T) {
	got := at(vec{}, math.Pi/2).dir(vec{0, 0, 1})
	if d := cmp.Diff(got, vec{1, 0, 0}, close6); d != "" {
		t.Errorf("forward after a right turn (-got +want):\n%s", d)
	}
}
