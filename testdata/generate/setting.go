package main

import (
	"fmt"
	"math"
)

// newStage builds the whole street with everything on it.
func newStage() *stage {
	st := &stage{line: newLine(), places: map[int]pose{}}
	st.set(ground(st.line))
	st.set(row(st.line, rightFront, -40, yardFrom))
	st.set(row(st.line, rightFront, yardTo, 470))
	st.set(row(st.line, leftFront, -40, 470))
	st.yard()
	st.parking()
	st.furnish()
	st.traffic()
	st.people()
	return st
}

// yard is the school behind its fence.
func (st *stage) yard() {
	fence, wall := &mesh{}, &mesh{}
	l := st.line
	for s := yardFrom; s < yardTo-0.1; s += 0.15 {
		foot := l.at(s, rightFront).O
		fence.tube([]vec{foot, foot.add(vec{Y: 1.5})}, []float64{0.012, 0.012}, 4)
	}
	for _, y := range []float64{0.2, 1.4} {
		a, b := l.at(yardFrom, rightFront).O.add(vec{Y: y}), l.at(yardTo, rightFront).O.add(vec{Y: y})
		fence.tube([]vec{a, b}, []float64{0.02, 0.02}, 6)
	}
	l.wall(wall, rightFront+24, [2]float64{yardFrom - 20, yardTo + 20}, [2]float64{0, 9})
	school := house{seed: 777, wall: srgb(0xa8553c), brick: true, floors: 2, width: 66, reading: -1}
	st.set([]*instance{
		{mesh: fence, pose: home(), mat: painted(srgb(0x2c4a3a), 0.04, 0.5), far: 90},
		{mesh: wall, pose: home(), mat: school.front},
	})
	for i := range 3 {
		st.set(plant(l.at(yardFrom+4+7*float64(i), rightFront+7+3*float64(i%2)), 300+i))
	}
}

// plateText invents a number plate. Denmark issues none that begin with Q, so it is nobody's.
func plateText(n int) string {
	return fmt.Sprintf("Q%c %02d %03d", 'A'+rune(hash(n, 1, 9)%26), 20+hash(n, 2, 9)%79, hash(n, 3, 9)%1000)
}

// parking fills the parked rows, leaving the gaps where something else is to be seen.
func (st *stage) parking() {
	bodies := []*body{hatchback(), estate(), suv(), saloon(), hatchback(), van()}
	paints := []uint32{0x8d1f1d, 0xc9cbcd, 0x2c3e66, 0x222325, 0x8b9198, 0x3d5b4a, 0xe6e3da, 0x5f6a72, 0x9a7b4f, 0x4b6a8a}
	deal := &dice{seed: 1207}
	rightGaps := [][2]float64{{41, 51}, {55, 63.5}, {71, 86}, {115, 125}, {194, 199}, {211, 221}, {222, 231}}
	leftGaps := [][2]float64{{70, 87}, {128, 133}, {206, 212}}
	for _, side := range []struct {
		d    float64
		gaps [][2]float64
	}{{rightPark, rightGaps}, {leftPark, leftGaps}} {
		for s := 9.0; s < 400; {
			b := bodies[deal.pick(len(bodies))]
			paint := paints[deal.pick(len(paints))]
			mid := s + b.half()
			s += b.length + deal.between(0.7, 1.6)
			if deal.next() < 0.08 {
				s += 4
			}
			if covered(side.gaps, mid, b.half()) {
				continue
			}
			p := st.line.at(mid, side.d+deal.between(-0.08, 0.1))
			if side.d < 0 {
				p.X, p.Z = p.X.mul(-1), p.Z.mul(-1)
			}
			st.park(st.newCar(b, paint, plateText(len(st.objects))), p)
		}
	}
	st.park(st.newLorry(0xe9e7e1, 0xd8dadb, "FRUGT & GRØNT", plateText(9001)), st.line.at(59.2, rightPark-0.05))
	st.park(st.newLorry(0xdcdcd8, 0x2c3e66, "MØBLER", plateText(9002)), st.line.at(226.5, rightPark-0.05))
}

func covered(gaps [][2]float64, mid, half float64) bool {
	for _, g := range gaps {
		if mid+half > g[0] && mid-half < g[1] {
			return true
		}
	}
	return false
}

// onPavement is a pose on the pavement, facing d-wards: turn 0 looks along the street, -pi/2 to the road on the right.
func (st *stage) onPavement(s, d, turn float64) pose {
	p := st.line.at(s, d)
	q := p.in(at(vec{Y: pavementY}, turn))
	return q
}

// furnish places containers, bags, benches, lights, signs, lamps, trees and parked bicycles.
func (st *stage) furnish() {
	grey, green := srgb(0x3b3f42), srgb(0x2c4236)
	for _, c := range []struct {
		s, turn float64
		paint   vec
	}{{46.5, 0.55, grey}, {48.6, 0.6, grey}, {117.5, 0.5, green}, {119.6, 0.6, grey}, {121.7, 0.5, grey}, {213.5, 0.55, grey}, {215.7, 0.55, green}, {246, 0.6, grey}} {
		st.put("container", container(st.onPavement(c.s, rightKerb+0.95, c.turn), c.paint))
	}
	dark, blue := srgb(0x1c1d1f), srgb(0x3d6a8a)
	for i, c := range [][2]float64{{45.2, 5.2}, {45.5, 4.8}, {44.9, 4.7}, {123.2, 5.0}, {123.5, 5.5}, {217.0, 5.0}, {217.4, 4.7}, {217.3, 5.4}} {
		paint := dark
		if i%3 == 2 {
			paint = blue
		}
		st.put("bag", sack(st.onPavement(c[0], c[1], float64(i)), paint))
	}
	for _, s := range []float64{50.0, 88, 125.5, 219.6} {
		st.put("bench", bench(st.onPavement(s, rightKerb+1.0, 0.35)))
	}
	for _, c := range []struct{ s, d float64 }{{zebraFrom - 1.4, rightKerb + 0.5}, {zebraFrom - 1.4, leftKerb - 0.5}, {204.5, rightKerb + 0.5}} {
		st.put("traffic light", trafficLight(st.onPavement(c.s, c.d, 0), 2))
	}
	for i, s := range []float64{24, 68.5, 131, 200.5, 262} {
		face := noStopping
		if i == 1 {
			face = crossing
		}
		st.put("sign", sign(st.onPavement(s, rightKerb+0.45, 0), face, i != 1))
	}
	for s := 12.0; s < 330; s += 28 {
		st.set(lampPost(st.onPavement(s, rightKerb+0.6, 0)))
		st.set(lampPost(st.onPavement(s+14, leftKerb-0.6, math.Pi)))
	}
	for i, s := range []float64{35, 89.5, 138, 152, 166, 180, 240, 256, 272} {
		st.set(plant(st.onPavement(s, rightKerb+0.75, float64(i)), 100+i%4))
	}
	for i, s := range []float64{64.6, 65.3, 66.0, 66.7, 67.4, 126.8, 127.5, 128.2, 208.0, 208.7, 209.4} {
		paint := srgb([]uint32{0x1f1f20, 0x7a1f24, 0x2a4a6a, 0x3c5a3c, 0xc8c4b8}[i%5])
		st.put("bicycle", parkedBike(st.onPavement(s, rightKerb+1.1, -math.Pi/2+0.25), paint))
	}
}
