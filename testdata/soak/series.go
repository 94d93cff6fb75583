package main

import (
	"fmt"
	"math"
	"slices"
)

// What grows is found in the samples of each phase by itself, because phases differ
// in what they need and not in what they leak. Of a phase
//
//   - the first quarter is thrown away: caches fill, the heap finds its size, the
//     kernel's threads are made;
//   - the medians of the second and of the last quarter are compared. A median does
//     not see the saw-tooth of a garbage collector, nor a look, a burst or an outage
//     that takes less than half of a quarter;
//   - growth is the difference of the two. It is more than noise where it exceeds
//     the tolerance: a floor for each measure (below), and twice the median absolute
//     deviation within the two quarters, so that a measure that swings by itself must
//     grow by more than it swings. The deviation is that from the straight line through
//     the two medians: a steady leak must not pass for its own noise.
//
// The middles of these quarters are half a phase apart: a leak is seen if it passes
// the tolerance in that time. Ten minutes find what would fill a vehicle's memory in
// a shift, an hour what would in a week.

// measure is what is looked at of the agent.
type measure int

const (
	rss         measure = iota // memory in use, bytes
	anon                       // of that, what is no file: heap, stacks, arenas
	descriptors                // open files, sockets and devices
	threads                    // of the kernel
	goroutines                 // as the agent counts them
	disk                       // bytes of the state folder
	measures
)

func (m measure) String() string {
	return [...]string{"memory", "heap and stacks", "descriptors", "threads", "goroutines", "disk"}[m]
}

// floor is how much of a measure is no growth whatever the noise: the heap of a
// runtime that has decided for a larger step, a thread that a slow disk has made, an
// index that has taken its next page.
func (m measure) floor() float64 {
	return [...]float64{6 << 20, 6 << 20, 2, 3, 3, 1 << 20}[m]
}

// write says a value of the measure for people.
func (m measure) write(v float64) string {
	switch m {
	case descriptors, threads, goroutines:
		return fmt.Sprintf("%.0f", v)
	default:
		return fmt.Sprintf("%.1f MiB", v/(1<<20))
	}
}

// growth is what became of a measure in a phase.
type growth struct {
	second, last float64 // medians of these quarters
	tolerance    float64
	samples      int // 0 where it could not be measured
}

// fewest samples of a phase say something: five in each quarter.
const fewest = 20

// grown compares the quarters of a series.
func grown(m measure, series []float64) growth {
	n := len(series)
	if n < fewest {
		return growth{}
	}
	second, last := series[n/4:n/2], series[n*3/4:]
	g := growth{second: median(second), last: median(last), samples: n}
	slope := g.by() / float64(n/2) // from sample to sample: the quarters' middles are half a phase apart
	g.tolerance = m.floor() + 2*max(deviation(second, slope), deviation(last, slope))
	return g
}

// by is how much more there is at the end.
func (g growth) by() float64 { return g.last - g.second }

// leaks tells whether that is beyond noise. Not having been measured is no leak.
func (g growth) leaks() bool { return g.samples > 0 && g.by() > g.tolerance }

// median is NaN of nothing.
func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	if n == 0 {
		return math.NaN()
	}
	return (v[(n-1)/2] + v[n/2]) / 2
}

// deviation is the median absolute deviation from a line of a slope through the
// median.
func deviation(values []float64, slope float64) float64 {
	m, middle := median(values), float64(len(values)-1)/2
	off := make([]float64, len(values))
	for i, v := range values {
		off[i] = math.Abs(v - m - slope*(float64(i)-middle))
	}
	return median(off)
}
