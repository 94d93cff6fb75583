package geofence

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

// The tree finds the same zones as asking them one by one, whatever their number.
func TestTreeFindsAll(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	m := copenhagen
	for _, n := range []int{0, 1, 7, 8, 9, 63, 64, 65, 72, 500, 513, 4097} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			boxes := make([]box, n)
			for i := range boxes {
				size := 10 * math.Pow(1000, random.Float64())
				boxes[i] = boxOf(m.square(40000*random.Float64(), 10000*random.Float64(), size).Bound())
				if i%5 == 4 {
					boxes[i] = boxes[i-1]
				}
			}
			tr := newTree(boxes)
			for range 200 {
				p := m.at(44000*random.Float64()-2000, 14000*random.Float64()-2000)
				if diff := cmp.Diff(brute(boxes, p), tr.search(p)); diff != "" {
					t.Fatalf("at %v: want -, got +:\n%s", p, diff)
				}
			}
		})
	}
}

// search returns the items whose box holds p, ascending.
func (t *tree) search(p orb.Point) []uint32 {
	var found []uint32
	if len(t.nodes) == 0 {
		return nil
	}
	stack := []uint32{uint32(len(t.nodes) - 1)}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		at := &t.nodes[n]
		for hits := at.match(float32(p[0]), float32(p[1])); hits != 0; hits &= hits - 1 {
			child := at.first + uint32(bits.TrailingZeros32(hits))
			if int(n) >= t.leaves {
				stack = append(stack, child)
			} else {
				found = append(found, t.items[child])
			}
		}
	}
	slices.Sort(found)
	return found
}

// brute is what search must return.
func brute(boxes []box, p orb.Point) []uint32 {
	var found []uint32
	x, y := float32(p[0]), float32(p[1])
	for i, b := range boxes {
		if b.minX <= x && x <= b.maxX && b.minY <= y && y <= b.maxY {
			found = append(found, uint32(i))
		}
	}
	return found
}
