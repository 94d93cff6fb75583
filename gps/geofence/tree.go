package geofence

import (
	"cmp"
	"math"
	"slices"
)

const (
	fanout = 8
	// stackSize holds the siblings of every level on the way down; eight levels
	// of eight are more boxes than an index may hold points.
	stackSize = 8 * fanout
)

// tree is a static R-tree over boxes, packed at build time and never changed.
// It holds no pointers. The zero value holds nothing.
type tree struct {
	nodes  []node // level by level, leaves first; the last is the root
	leaves int    // nodes[:leaves] are leaves
	items  []uint32
}

// node holds the boxes of up to eight children, side by side.
type node struct {
	minX, maxX, minY, maxY [fanout]float32
	first                  uint32 // of the children: nodes, or items if a leaf
}

// newTree packs the boxes; items are their positions in boxes.
func newTree(boxes []box) tree {
	if len(boxes) == 0 {
		return tree{}
	}
	t := tree{items: make([]uint32, len(boxes))}
	for i := range t.items {
		t.items[i] = uint32(i)
	}
	arrange(t.items, boxes)

	level := make([]box, len(boxes))
	for i, item := range t.items {
		level[i] = boxes[item]
	}
	first := 0
	for {
		above := make([]box, 0, (len(level)+fanout-1)/fanout)
		start := len(t.nodes)
		for i := 0; i < len(level); i += fanout {
			children := level[i:min(i+fanout, len(level))]
			n, all := packNode(children, uint32(first+i))
			t.nodes, above = append(t.nodes, n), append(above, all)
		}
		if t.leaves == 0 {
			t.leaves = len(t.nodes)
		}
		if len(above) == 1 {
			return t
		}
		level, first = above, start
	}
}

// arrange orders the items so that every run of 8, 64, 512... is close together:
// halves along the longer axis, cut where the runs end.
func arrange(items []uint32, boxes []box) {
	if len(items) <= fanout {
		return
	}
	axis := longAxis(items, boxes)
	slices.SortFunc(items, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(boxes[a].centre(axis), boxes[b].centre(axis)), cmp.Compare(a, b))
	})
	half := fanout
	for 2*half < len(items) {
		half *= 2
	}
	arrange(items[:half], boxes)
	arrange(items[half:], boxes)
}

// longAxis returns 0 if the centres of the items spread farther east and west, 1
// if north and south.
func longAxis(items []uint32, boxes []box) int {
	var spread [2]float32
	for axis := range spread {
		low, high := boxes[items[0]].centre(axis), boxes[items[0]].centre(axis)
		for _, i := range items {
			low, high = min(low, boxes[i].centre(axis)), max(high, boxes[i].centre(axis))
		}
		spread[axis] = high - low
	}
	if spread[1] > spread[0] {
		return 1
	}
	return 0
}

func (b *box) centre(axis int) float32 {
	if axis == 0 {
		return (b.minX + b.maxX) / 2
	}
	return (b.minY + b.maxY) / 2
}

// packNode returns the node of the children and the box round them all.
func packNode(children []box, first uint32) (node, box) {
	n := node{first: first}
	all := children[0]
	for i, b := range children {
		n.minX[i], n.maxX[i], n.minY[i], n.maxY[i] = b.minX, b.maxX, b.minY, b.maxY
		all.minX, all.maxX = min(all.minX, b.minX), max(all.maxX, b.maxX)
		all.minY, all.maxY = min(all.minY, b.minY), max(all.maxY, b.maxY)
	}
	for i := len(children); i < fanout; i++ {
		n.minX[i], n.maxX[i] = float32(math.Inf(1)), float32(math.Inf(-1))
	}
	return n, all
}

// match returns a bit for every child whose box holds the point, rounded as boxes are.
func (n *node) match(x, y float32) uint32 {
	var hits uint32
	for i := range fanout {
		if x >= n.minX[i] && x <= n.maxX[i] && y >= n.minY[i] && y <= n.maxY[i] {
			hits |= 1 << i
		}
	}
	return hits
}
