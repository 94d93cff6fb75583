package inference

import (
	"image"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func seen(label string, score float64, x, y, w, h int) Detection {
	return Detection{Label: label, Score: score, Box: image.Rect(x, y, x+w, y+h)}
}

func ids(tracks []Track) []int {
	var all []int
	for _, k := range tracks {
		all = append(all, k.ID)
	}
	return all
}

func TestTracker(t *testing.T) {
	type step struct {
		look  uint64
		dets  []Detection
		live  []int
		ended []int
	}
	for _, c := range []struct {
		name   string
		config TrackerConfig
		steps  []step
	}{
		{"an object that grows as it comes nearer", TrackerConfig{}, []step{
			{1, []Detection{seen("container", 0.5, 100, 100, 40, 40)}, []int{1}, nil},
			{2, []Detection{seen("container", 0.6, 130, 96, 50, 52)}, []int{1}, nil},
			{3, []Detection{seen("container", 0.7, 175, 90, 70, 75)}, []int{1}, nil},
			{4, nil, nil, nil},
			{5, nil, nil, nil},
			{6, nil, nil, []int{1}},
		}},
		{"missed twice and back", TrackerConfig{}, []step{
			{1, []Detection{seen("container", 0.5, 100, 100, 40, 40)}, []int{1}, nil},
			{4, []Detection{seen("container", 0.5, 104, 100, 40, 40)}, []int{1}, nil},
			{8, []Detection{seen("container", 0.5, 104, 100, 40, 40)}, []int{2}, []int{1}},
		}},
		{"no patience", TrackerConfig{MaxMissed: -1}, []step{
			{1, []Detection{seen("container", 0.5, 100, 100, 40, 40)}, []int{1}, nil},
			{2, []Detection{seen("container", 0.5, 100, 100, 40, 40)}, []int{1}, nil},
			{4, []Detection{seen("container", 0.5, 100, 100, 40, 40)}, []int{2}, []int{1}},
		}},
		{"labels do not mix", TrackerConfig{}, []step{
			{1, []Detection{seen("car", 0.5, 0, 0, 40, 40), seen("truck", 0.5, 0, 0, 40, 40)}, []int{1, 2}, nil},
			{2, []Detection{seen("truck", 0.5, 0, 0, 40, 40), seen("bus", 0.5, 0, 0, 40, 40)}, []int{2, 3}, nil},
		}},
		{"the better overlap wins, whatever the order", TrackerConfig{}, []step{
			{1, []Detection{seen("bin", 0.5, 0, 0, 40, 40), seen("bin", 0.5, 30, 0, 40, 40)}, []int{1, 2}, nil},
			{2, []Detection{seen("bin", 0.5, 28, 0, 40, 40), seen("bin", 0.5, 2, 0, 40, 40)}, []int{2, 1}, nil},
		}},
		{"reach bridges boxes that do not touch", TrackerConfig{}, []step{
			{1, []Detection{seen("bin", 0.5, 0, 0, 40, 40)}, []int{1}, nil},
			{2, []Detection{seen("bin", 0.5, 41, 0, 40, 40)}, []int{1}, nil},
		}},
		{"without reach they are two", TrackerConfig{Reach: -1}, []step{
			{1, []Detection{seen("bin", 0.5, 0, 0, 40, 40)}, []int{1}, nil},
			{2, []Detection{seen("bin", 0.5, 41, 0, 40, 40)}, []int{2}, nil},
		}},
		{"one track for one of two", TrackerConfig{}, []step{
			{1, []Detection{seen("bin", 0.5, 0, 0, 40, 40)}, []int{1}, nil},
			{2, []Detection{seen("bin", 0.5, 4, 0, 40, 40), seen("bin", 0.9, 1, 0, 40, 40)}, []int{2, 1}, nil},
		}},
		{"a look that does not count up ends nothing", TrackerConfig{}, []step{
			{9, []Detection{seen("bin", 0.5, 0, 0, 40, 40)}, []int{1}, nil},
			{2, []Detection{seen("bin", 0.5, 0, 0, 40, 40)}, []int{1}, nil},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := NewTracker(c.config)
			for _, s := range c.steps {
				live, ended := k.Update(s.look, s.dets)
				if d := cmp.Diff(s.live, ids(live)); d != "" {
					t.Errorf("look %d, live: %s", s.look, d)
				}
				if d := cmp.Diff(s.ended, ids(ended)); d != "" {
					t.Errorf("look %d, ended: %s", s.look, d)
				}
			}
		})
	}
}

func TestTrackTellsItsStory(t *testing.T) {
	k := NewTracker(TrackerConfig{})
	k.Update(3, []Detection{seen("container", 0.5, 100, 100, 40, 40)})
	k.Update(4, []Detection{seen("container", 0.8, 110, 100, 44, 44)})
	live, _ := k.Update(6, []Detection{seen("container", 0.6, 120, 100, 48, 48)})
	want := Track{ID: 1, Label: "container", Box: image.Rect(120, 100, 168, 148), Score: 0.6, Best: 0.8, First: 3, Last: 6, Hits: 3}
	if d := cmp.Diff([]Track{want}, live); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]Track{want}, k.Flush()); d != "" {
		t.Errorf("flush: %s", d)
	}
	if left := k.Flush(); len(left) != 0 {
		t.Errorf("second flush: %v", left)
	}
	if live, _ := k.Update(7, []Detection{seen("container", 0.6, 120, 100, 48, 48)}); live[0].ID != 2 {
		t.Errorf("numbering after a flush: got %d, want 2", live[0].ID)
	}
}

// Every track that begins ends once, hits add up, and the same detections give the same tracks.
func TestTrackerLosesNothing(t *testing.T) {
	follow := func(seed uint64) (all []Track, hits int) {
		rng := rand.New(rand.NewPCG(seed, 1))
		k := NewTracker(TrackerConfig{})
		for look := uint64(1); look < 200; look += 1 + rng.Uint64N(3) {
			var dets []Detection
			for range rng.IntN(12) {
				label := []string{"car", "bin"}[rng.IntN(2)]
				dets = append(dets, seen(label, rng.Float64(), rng.IntN(300), rng.IntN(100), 1+rng.IntN(80), 1+rng.IntN(80)))
			}
			live, ended := k.Update(look, dets)
			hits += len(dets)
			for i, l := range live {
				if l.Label != dets[i].Label || l.Box != dets[i].Box || l.Last != look {
					t.Fatalf("live[%d] is %+v, detection %+v", i, l, dets[i])
				}
			}
			all = append(all, ended...)
		}
		return append(all, k.Flush()...), hits
	}
	for seed := range uint64(20) {
		all, hits := follow(seed)
		once, sum := map[int]bool{}, 0
		for _, k := range all {
			if once[k.ID] {
				t.Errorf("track %d ended twice", k.ID)
			}
			once[k.ID] = true
			sum += k.Hits
		}
		if sum != hits {
			t.Errorf("tracks have %d hits, there were %d detections", sum, hits)
		}
		for id := 1; id <= len(all); id++ {
			if !once[id] {
				t.Errorf("track %d never ended", id)
			}
		}
		again, _ := follow(seed)
		if d := cmp.Diff(all, again); d != "" {
			t.Errorf("second time: %s", d)
		}
	}
}

func TestTrackerDoesNotAllocate(t *testing.T) {
	k := NewTracker(TrackerConfig{})
	dets := []Detection{seen("car", 0.5, 0, 0, 40, 40), seen("bin", 0.5, 100, 0, 40, 40)}
	look := uint64(0)
	update := func() { look++; k.Update(look, dets) }
	update()
	update()
	if n := testing.AllocsPerRun(100, update); n != 0 {
		t.Errorf("%v allocations a look, want 0", n)
	}
}
