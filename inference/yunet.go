package inference

import "math"

// yunet reads three grids of faces: class, objectness and box. The landmarks beside them are not
// bound: where eyes and mouth lie is nobody's business here.
type yunet struct {
	width  int
	score  float64
	levels [3]yunetLevel
}

type yunetLevel struct {
	names              [3]string // of the three below
	class, object, box []float32
}

func (d *yunet) decode(dst []candidate) ([]candidate, error) {
	first := 0
	for i := range d.levels {
		var err error
		if dst, err = d.level(dst, i, first); err != nil {
			return dst, err
		}
		first += len(d.levels[i].class)
	}
	return dst, nil
}

func (d *yunet) level(dst []candidate, which, first int) ([]candidate, error) {
	l, stride := &d.levels[which], strides[which]
	across := d.width / stride
	for i, class := range l.class {
		object := l.object[i]
		if !finite(class) {
			return dst, notFinite(l.names[0], i, class)
		}
		if !finite(object) {
			return dst, notFinite(l.names[1], i, object)
		}
		score := math.Sqrt(probability(class) * probability(object))
		if score < d.score {
			continue
		}
		b, bad := cellBox(i%across, i/across, stride, l.box[4*i:])
		if bad >= 0 {
			return dst, notFinite(l.names[2], 4*i+bad, l.box[4*i+bad])
		}
		dst = append(dst, candidate{box: b, score: score, order: first + i})
	}
	return dst, nil
}

// probability clamps a score: the exported network leaves the sigmoid's rounding to us.
func probability(v float32) float64 {
	return math.Max(0, math.Min(1, float64(v)))
}
