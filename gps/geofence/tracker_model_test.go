package geofence

import (
	"math/bits"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// model is a tracker that keeps all fixes and decides each time from the whole
// record: slow, but the rules can be read off.
type model struct {
	index  *Index
	fixes  []Position
	inside map[int]bool
}

// clean reports whether fix i can be used; the test draws no jumps.
func (m *model) clean(i int) bool {
	p := m.fixes[i]
	return p.Valid && !p.Estimated && p.Satellites >= 4 && p.HDOP > 0 && p.HDOP <= 4
}

func (m *model) holds(i, zone int, margin float64) bool {
	for _, z := range m.index.Containing(m.fixes[i].Point, m.fixes[i].HDOP*5+margin, nil) {
		if z == zone {
			return m.clean(i)
		}
	}
	return false
}

// marks counts the fixes of the last five, back to a break or to the last stay in
// the zone, that are deep in it.
func (m *model) marks(zone, since int) uint64 {
	var marks uint64
	for i := max(since, len(m.fixes)-5, 0); i < len(m.fixes); i++ {
		marks <<= 1
		if m.holds(i, zone, 5) {
			marks |= 1
		}
	}
	return marks
}

func TestTrackerAgainstModel(t *testing.T) {
	x := town(t)
	rapid.Check(t, func(t *rapid.T) {
		tr := NewTracker(x, TrackerConfig{})
		m := &model{index: x, inside: map[int]bool{}}
		since := map[int]int{} // first fix that counts for entering a zone
		ms := 0
		for i := range rapid.IntRange(1, 40).Draw(t, "fixes") {
			gap := rapid.SampledFrom([]int{1000, 1000, 1000, 200, 2000, 3000}).Draw(t, "gap")
			ms += gap
			p := fixAt(ms, 0, 100)
			// Never so far apart that two are a jump, even 0.2 s apart.
			p.Point = copenhagen.at(rapid.Float64Range(0, 18).Draw(t, "east"), 100)
			p.HDOP = rapid.SampledFrom([]float64{0.5, 1, 1, 2, 5, 0}).Draw(t, "hdop")
			p.Valid = rapid.IntRange(0, 9).Draw(t, "valid") > 0
			m.fixes = append(m.fixes, p)
			tr.Observe(p)

			var want []int
			for zone := range x.Len() {
				if gap > 2000 {
					m.inside[zone], since[zone] = false, i
				}
				if m.inside[zone] && !m.holds(i, zone, 0) {
					m.inside[zone], since[zone] = false, i
				} else if marks := m.marks(zone, since[zone]); marks&1 == 1 && bits.OnesCount64(marks) >= 3 {
					m.inside[zone] = true
				}
				if m.inside[zone] {
					want = append(want, zone)
				}
			}
			got, reason := tr.Inside(p.At)
			if !cmp.Equal(got, want) || (reason == OK) != (len(want) > 0) {
				t.Fatalf("fix %d: got %v %q, want %v", i, got, reason, want)
			}
		}
	})
}
