package inference

import "math"

// textMap cuts patches of lettering out of a probability map [1, 1, height, width]: runs of likely
// pixels, joined where they touch above one another.
type textMap struct {
	Text
	width, height int
	score         float64
	name          string
	out           []float32

	runs    []textRun // of the row before and of this one
	patches []patch
}

// textRun is a stretch [x0, x1) of likely pixels in one row.
type textRun struct{ x0, x1, patch int }

// patch is a set of runs that touch; one that was joined to another points to it.
type patch struct {
	parent         int
	x0, y0, x1, y1 int
	pixels         int
	sum            float64
}

func (d *textMap) decode(dst []candidate) ([]candidate, error) {
	d.runs, d.patches = d.runs[:0], d.patches[:0]
	for y := range d.height {
		above := len(d.runs)
		if err := d.scan(y); err != nil {
			return dst, err
		}
		d.touch(above)
		d.runs = d.runs[:copy(d.runs, d.runs[above:])]
	}
	for i, p := range d.patches {
		if p.parent != i || p.pixels < d.MinPixels {
			continue
		}
		score := math.Min(1, p.sum/float64(p.pixels))
		if score < d.score {
			continue
		}
		b := box{float64(p.x0), float64(p.y0), float64(p.x1), float64(p.y1)}
		by := d.Unclip * b.width() * b.height() / (b.width() + b.height())
		b = box{b.x0 - by, b.y0 - by, b.x1 + by, b.y1 + by}
		dst = append(dst, candidate{box: b, score: score, order: i})
	}
	return dst, nil
}

// scan appends the runs of row y, each as a patch of its own.
func (d *textMap) scan(y int) error {
	row := d.out[y*d.width : (y+1)*d.width]
	threshold := float32(d.Threshold)
	open := false
	for x, v := range row {
		if !finite(v) {
			return notFinite(d.name, y*d.width+x, v)
		}
		if v < threshold {
			open = false
			continue
		}
		if !open {
			d.runs = append(d.runs, textRun{x, x, len(d.patches)})
			d.patches = append(d.patches, patch{len(d.patches), x, y, x, y + 1, 0, 0})
			open = true
		}
		p := &d.patches[len(d.patches)-1]
		p.x1, p.pixels, p.sum = x+1, p.pixels+1, p.sum+float64(v)
		d.runs[len(d.runs)-1].x1 = x + 1
	}
	return nil
}

// touch joins the patches of runs that share a column: d.runs[:above] is the row before.
func (d *textMap) touch(above int) {
	first := 0
	for _, r := range d.runs[above:] {
		for first < above && d.runs[first].x1 <= r.x0 {
			first++
		}
		for _, up := range d.runs[first:above] {
			if up.x0 >= r.x1 {
				break
			}
			d.join(up.patch, r.patch)
		}
	}
}

func (d *textMap) join(i, j int) {
	i, j = d.root(i), d.root(j)
	if i == j {
		return
	}
	if j < i {
		i, j = j, i
	}
	a, b := &d.patches[i], &d.patches[j]
	b.parent = i
	a.x0, a.y0 = min(a.x0, b.x0), min(a.y0, b.y0)
	a.x1, a.y1 = max(a.x1, b.x1), max(a.y1, b.y1)
	a.pixels += b.pixels
	a.sum += b.sum
}

// root follows the joins to the patch that stands for all, shortening the way for the next.
func (d *textMap) root(i int) int {
	for d.patches[i].parent != i {
		d.patches[i].parent = d.patches[d.patches[i].parent].parent
		i = d.patches[i].parent
	}
	return i
}
