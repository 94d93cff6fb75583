package scan

import "fmt"

// maxDC bounds the quantised DC coefficients: eight times a sample of eight bits
// around zero. The difference of any two has a code.
const maxDC = 1024

// Walk follows the scan from its first code to its last: it finds the position
// of each MCU and the DC coefficients. Walking twice costs nothing.
func (p *Picture) Walk() error {
	if p.walked {
		return nil
	}
	return p.walk(nil)
}

// walk also paints v, unless that is nil.
func (p *Picture) walk(v *view) error {
	total := p.cols * p.rows
	p.position = sized(p.position, total)
	p.stop = sized(p.stop, len(p.ends))
	for i := range p.components {
		c := &p.components[i]
		c.dc = sized(c.dc, c.cols*c.rows)
	}
	r := reader{buf: p.data}
	lanes := p.lanes()
	for i, end := range p.ends {
		from, to := p.interval(i)
		if err := p.walkInterval(&r, lanes, v, i); err != nil {
			return fmt.Errorf("%w: MCUs %d to %d: %w", ErrDamaged, from, to-1, err)
		}
		if p.stop[i] > uint32(end)*8 {
			return fmt.Errorf("%w: the codes of MCUs %d to %d go on behind their end", ErrDamaged, from, to-1)
		}
	}
	p.walked = true
	return nil
}

// lane is what a component is to a walk.
type lane struct {
	dc, ac     *table
	means      []int16
	cols, h, v int
	predicted  int32 // the DC coefficient before
}

func (p *Picture) lanes() []lane {
	for i := range p.components {
		c := &p.components[i]
		p.lane[i] = lane{dc: p.table(dcClass, i), ac: p.table(acClass, i), means: c.dc, cols: c.cols, h: c.h, v: c.v}
	}
	return p.lane[:len(p.components)]
}

// walkInterval follows the MCUs between two restarts.
func (p *Picture) walkInterval(r *reader, lanes []lane, v *view, i int) error {
	r.seek(uint32(p.begins[i]) * 8)
	end := uint32(p.ends[i]) * 8
	for j := range lanes {
		lanes[j].predicted = 0
	}
	from, to := p.interval(i)
	x, y := from%p.cols, from/p.cols
	for m := from; m < to; m++ {
		p.position[m] = r.position()
		if p.position[m] > end { // or it could get beyond what is there to be read
			return fmt.Errorf("the codes end before MCU %d", m)
		}
		ok := v == nil && index(r, lanes, x, y) || v != nil && p.show(r, lanes, v, place{x: x, y: y})
		if !ok {
			return fmt.Errorf("no code at bit %d, in MCU %d", r.position(), m)
		}
		if x++; x == p.cols {
			x, y = 0, y+1
		}
	}
	p.stop[i] = r.position()
	return nil
}

// index follows the blocks of the MCU in column x and row y.
func index(r *reader, lanes []lane, x, y int) bool {
	for i := range lanes {
		l := &lanes[i]
		at := y*l.v*l.cols + x*l.h
		for range l.v {
			for bx := range l.h {
				diff, ok := r.follow(l.dc, l.ac, 1, nil)
				l.predicted += diff
				if !ok || l.predicted < -maxDC || l.predicted >= maxDC {
					return false
				}
				l.means[at+bx] = int16(l.predicted)
			}
			at += l.cols
		}
	}
	return true
}

// show follows the blocks of an MCU and paints them.
func (p *Picture) show(r *reader, lanes []lane, v *view, mcu place) bool {
	for i := range lanes {
		l := &lanes[i]
		p.wanted.quant = &p.quant[p.components[i].quant]
		for by := mcu.y * l.v; by < (mcu.y+1)*l.v; by++ {
			for bx := mcu.x * l.h; bx < (mcu.x+1)*l.h; bx++ {
				diff, ok := r.follow(l.dc, l.ac, 1, &p.wanted)
				l.predicted += diff
				if !ok || l.predicted < -maxDC || l.predicted >= maxDC {
					return false
				}
				l.means[by*l.cols+bx] = int16(l.predicted)
				p.paint(v, place{i, bx, by}, l.predicted)
			}
		}
	}
	return true
}
