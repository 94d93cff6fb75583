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
	for i, end := range p.ends {
		from, to := p.interval(i)
		if err := p.walkInterval(&r, v, i); err != nil {
			return fmt.Errorf("%w: MCUs %d to %d: %w", ErrDamaged, from, to-1, err)
		}
		if p.stop[i] > uint32(end)*8 {
			return fmt.Errorf("%w: the codes of MCUs %d to %d go on behind their end", ErrDamaged, from, to-1)
		}
	}
	p.walked = true
	return nil
}

// walkInterval follows the MCUs between two restarts.
func (p *Picture) walkInterval(r *reader, v *view, i int) error {
	r.seek(uint32(p.begins[i]) * 8)
	end := uint32(p.ends[i]) * 8
	var predicted [3]int32
	from, to := p.interval(i)
	x, y := from%p.cols, from/p.cols
	for m := from; m < to; m++ {
		p.position[m] = r.position()
		if p.position[m] > end { // or it could get beyond what is there to be read
			return fmt.Errorf("the codes end before MCU %d", m)
		}
		if !p.walkMCU(r, v, &predicted, x, y) {
			return fmt.Errorf("no code at bit %d, in MCU %d", r.position(), m)
		}
		if x++; x == p.cols {
			x, y = 0, y+1
		}
	}
	p.stop[i] = r.position()
	return nil
}

// walkMCU follows the blocks of the MCU in column x and row y.
func (p *Picture) walkMCU(r *reader, v *view, predicted *[3]int32, x, y int) bool {
	for i := range p.components {
		c := &p.components[i]
		dc, ac := &p.tables[dcClass][c.huffman[dcClass]], &p.tables[acClass][c.huffman[acClass]]
		for by := y * c.v; by < (y+1)*c.v; by++ {
			for bx := x * c.h; bx < (x+1)*c.h; bx++ {
				var diff int32
				var ok bool
				if v == nil {
					diff, ok = r.follow(dc, ac, 1)
				} else {
					diff, ok = r.dc(dc)
				}
				predicted[i] += diff
				if !ok || predicted[i] < -maxDC || predicted[i] >= maxDC {
					return false
				}
				c.dc[by*c.cols+bx] = int16(predicted[i])
				if v != nil && !p.paint(r, ac, v, place{i, bx, by}) {
					return false
				}
			}
		}
	}
	return true
}
