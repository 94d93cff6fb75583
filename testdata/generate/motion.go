package main

// seconds is the length of the drive.
const seconds = 88

// pace is the sweeper's speed at a time; between two paces it changes evenly.
type pace struct{ at, speed float64 }

// paces is the drive: it comes up the street, sweeps the first zone past the school yard, hurries, sweeps the
// second zone, and leaves.
func paces() []pace {
	return []pace{
		{0, 5.5}, {5.5, 5.5}, {8, 2}, {30, 2}, {31, 2.4}, {40, 2.4}, {41, 2}, {53, 2},
		{55, 9.7}, {59, 9.7}, {61.5, 2}, {77, 2}, {79, 3}, {84, 3}, {85, 5.5}, {seconds + 2, 5.5},
	}
}

// travelled returns the metres along the street and the speed at t seconds; before 0 and after the end the first and
// the last speed go on.
func travelled(t float64) (s, speed float64) {
	p := paces()
	if t < 0 {
		return t * p[0].speed, p[0].speed
	}
	for i := 1; i < len(p); i++ {
		a, b := p[i-1], p[i]
		if t <= b.at {
			speed = mix(a.speed, b.speed, (t-a.at)/(b.at-a.at))
			return s + (t-a.at)*(a.speed+speed)/2, speed
		}
		s += (b.at - a.at) * (a.speed + b.speed) / 2
	}
	last := p[len(p)-1]
	return s + (t-last.at)*last.speed, last.speed
}

// shots returns the times of the pictures in milliseconds: every 1.1 s where the sweeper works inside an open zone,
// every 2.5 s elsewhere.
func shots() []int {
	var out []int
	for t := 1000; t < seconds*1000; {
		out = append(out, t)
		s, speed := travelled(float64(t) / 1000)
		if speed < 2.3 && working(s) {
			t += 1100
			continue
		}
		t += 2500
	}
	return out
}

// working tells whether the street at s lies in a zone with something to look for.
func working(s float64) bool {
	if zoneOne().covers(s) {
		return !schoolYard().covers(s)
	}
	return zoneTwo().covers(s)
}
