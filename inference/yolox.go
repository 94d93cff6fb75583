package inference

import "math"

// yoloxFields come before the class scores of a cell: x, y, log width, log height, objectness.
const yoloxFields = 5

// yolox reads outputs [1, cells, 5+classes], finest grid first, rows first. Objectness and class
// scores are probabilities already. A head taught later has an output, and boxes, of its own.
type yolox struct {
	width, height int
	scores        []float64 // by class
	least         float64   // of them
	heads         []yoloxHead
}

type yoloxHead struct {
	name   string
	fields int
	class  int // number of the head's first class among all labels
	out    []float32
}

// yoloxLevel is the grid of one stride in one head; its cells begin at first.
type yoloxLevel struct {
	*yoloxHead
	stride, across, cells int
	first, order          int
}

func newYOLOX(m Manifest, bound [][]float32) *yolox {
	d := &yolox{width: m.Input.Width, height: m.Input.Height}
	d.scores, d.least = m.scores()
	d.heads = append(d.heads, yoloxHead{name: m.Output, fields: yoloxFields + len(m.Classes), out: bound[0]})
	class := len(m.Classes)
	for i, h := range m.Heads {
		n := len(h.Classes)
		d.heads = append(d.heads, yoloxHead{name: h.Output, fields: yoloxFields + n, class: class, out: bound[i+1]})
		class += n
	}
	return d
}

func (d *yolox) decode(dst []candidate) ([]candidate, error) {
	order := 0
	for i := range d.heads {
		l := yoloxLevel{yoloxHead: &d.heads[i]}
		for _, s := range strides {
			l.stride, l.across, l.order = s, d.width/s, order
			l.cells = l.across * (d.height / s)
			var err error
			if dst, err = d.level(dst, l); err != nil {
				return dst, err
			}
			l.first += l.cells
			order += l.cells
		}
	}
	return dst, nil
}

func (d *yolox) level(dst []candidate, l yoloxLevel) ([]candidate, error) {
	for i := range l.cells {
		at := (l.first + i) * l.fields
		cell := l.out[at : at+l.fields]
		object := cell[4]
		if !finite(object) {
			return dst, notFinite(l.name, at+4, object)
		}
		if float64(object) < d.least {
			continue // no class can lift it: class scores are at most 1
		}
		class, best, bad := strongest(cell[yoloxFields:])
		if bad >= 0 {
			return dst, notFinite(l.name, at+yoloxFields+bad, cell[yoloxFields+bad])
		}
		score := math.Min(1, float64(object)*float64(best))
		if score < d.scores[l.class+class] {
			continue
		}
		b, bad := cellBox(i%l.across, i/l.across, l.stride, cell)
		if bad >= 0 {
			return dst, notFinite(l.name, at+bad, cell[bad])
		}
		dst = append(dst, candidate{box: b, score: score, class: l.class + class, order: l.order + i})
	}
	return dst, nil
}

// strongest is the class with the best score; bad is the place of a value that is not finite, or -1.
func strongest(scores []float32) (class int, best float32, bad int) {
	for i, v := range scores {
		if !finite(v) {
			return 0, 0, i
		}
		if v > best {
			class, best = i, v
		}
	}
	return class, best, -1
}
