package inference

// plane has width samples in each of its rows, which begin stride samples apart.
type plane struct {
	samples               []byte
	stride, width, height int
}

// lines is the inner loop of the letterbox: write scales a picture into the tensor, row by row.
type lines struct {
	luma, cb, cr plane
	x, y, cx, cy taps // of luma, and of both planes of chroma

	colours       [3][]float32 // red, green, blue: in the tensor, from the picture's first pixel on
	stride        int          // from one row of the tensor to the next
	width, height int          // of the picture in the tensor
	tone          tone

	rows  []float32 // scratch: six rows
	pairs []uint16  // scratch: one row, of two samples each
}

// JFIF colour conversion, full range (ITU-T T.871, section 7). A neutral sample of chroma is 128.
const (
	neutral = 128
	redCr   = 1.402
	greenCb = 0.344136
	greenCr = 0.714136
	blueCb  = 1.772
)

// tone makes the tensor's values of levels, by colour: what level 255 is, and what is taken from that
// for each quarter of a level less.
type tone struct{ top, quarter [3]float32 }

func (t *tone) set(colour int, mean, std float64) {
	t.top[colour], t.quarter[colour] = float32((255-mean)/std), float32(1/(4*std))
}

// value is the tensor's value of a level, which is first brought between 0 and 255. A comparison would
// keep a C compiler from taking several at once unless it may forget about NaN. Here v+|v| is 0 or 2v,
// and the same again with what is missing to 510 leaves four times what is missing to 255.
func (t *tone) value(colour int, v float32) float32 {
	missing := 510 - (v + abs(v))
	missing += abs(missing)
	return t.top[colour] - float32(missing*t.quarter[colour])
}

func abs(v float32) float32 { return max(v, -v) }

// scaled is a row of a plane, scaled to the picture's width in the tensor; index is its number there.
type scaled struct {
	index  int
	values []float32
}

// meeting is the two rows that meet in a row of the tensor, and the weight of the second.
type meeting struct {
	a, b   []float32
	weight float32
}

// writeGo is write for programs built without C. Products are converted to float32, which keeps them
// from being fused with a sum where a processor could.
func (l *lines) writeGo() {
	var kept [6]scaled // by plane, and in it by parity: two rows that meet are neighbours
	for i := range kept {
		kept[i] = scaled{-1, l.rows[i*l.width:][:l.width]}
	}
	for i := range l.height {
		y := meet(kept[0:2], l.luma, &l.x, &l.y, i)
		cb, cr := meet(kept[2:4], l.cb, &l.cx, &l.cy, i), meet(kept[4:6], l.cr, &l.cx, &l.cy, i)
		l.down(i*l.stride, y, cb, cr)
	}
}

// meet finds the rows of a plane that meet in row i of the tensor. What is kept is of this plane.
func meet(kept []scaled, p plane, x, y *taps, i int) meeting {
	var two [2][]float32
	for j := range two {
		index := min(int(y.at[i])+j, p.height-1)
		r := &kept[index&1]
		if r.index != index {
			r.index = index
			across(r.values, p.samples[index*p.stride:][:p.width], x)
		}
		two[j] = r.values
	}
	return meeting{two[0], two[1], y.weight[i]}
}

// across scales a row.
func across(out []float32, row []byte, x *taps) {
	if len(row) == 1 {
		fillWith(out, float32(row[0]))
		return
	}
	at, weight := x.at[:len(out)], x.weight[:len(out)]
	for i := range out {
		a, b := float32(row[at[i]]), float32(row[at[i]+1])
		out[i] = a + float32((b-a)*weight[i])
	}
}

// down writes a row of the tensor: it blends the rows that meet there and converts the colour.
func (l *lines) down(at int, luma, blue, red meeting) {
	r, g, b := l.colours[0][at:][:l.width], l.colours[1][at:][:l.width], l.colours[2][at:][:l.width]
	for i := range r {
		y, cb, cr := luma.blend(i), blue.blend(i)-neutral, red.blend(i)-neutral
		r[i] = l.tone.value(0, y+float32(redCr*cr))
		g[i] = l.tone.value(1, y-float32(greenCb*cb)-float32(greenCr*cr))
		b[i] = l.tone.value(2, y+float32(blueCb*cb))
	}
}

func (m *meeting) blend(i int) float32 { return m.a[i] + float32((m.b[i]-m.a[i])*m.weight) }
