package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

const (
	rounds = 1000 // bootstrap samples of one figure
	seed   = 1
)

// tally is what one picture says of a share: so many of so many.
type tally struct{ hits, of float64 }

// estimate is a share or a mean, and between what it lies in 95 of 100 cases if the
// pictures are drawn again.
type estimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// shareOf estimates a share of objects. Drawing again says nothing where all or none
// are hit; the interval then is the exact one (Clopper and Pearson 1934) of as many
// objects as there are pictures. ok is false if there is nothing to count.
func shareOf(tallies []tally) (e estimate, ok bool) {
	tallies = slices.DeleteFunc(slices.Clone(tallies), func(t tally) bool { return t.of == 0 })
	if len(tallies) == 0 {
		return estimate{}, false
	}
	e = ratio(tallies)
	switch e.Value {
	case 0:
		e.High = 1 - surely(len(tallies))
	case 1:
		e.Low = surely(len(tallies))
	}
	return e, true
}

// surely is the share of hits below which n hits of n happen in fewer than 1 in 40 cases.
func surely(n int) float64 { return math.Pow(0.025, 1/float64(n)) }

// perHundred estimates hits in a hundred pictures. Where there is none, the upper bound
// is that of the share of pictures with one.
func perHundred(hits []int) estimate {
	if len(hits) == 0 {
		return estimate{}
	}
	var tallies []tally
	for _, n := range hits {
		tallies = append(tallies, tally{float64(n), 1})
	}
	e := ratio(tallies)
	if e.Value == 0 {
		e.High = 1 - surely(len(hits))
	}
	return e.perHundred()
}

func (e estimate) perHundred() estimate { return estimate{100 * e.Value, 100 * e.Low, 100 * e.High} }

// ratio estimates hits over of, drawing whole pictures (Efron 1979): ten faces in one
// picture are not ten witnesses. The same tallies give the same estimate; there must be
// something to count.
func ratio(tallies []tally) estimate {
	total := sum(tallies, func(i int) int { return i })
	random := rand.New(rand.NewPCG(seed, 0))
	drawn := make([]float64, 0, rounds)
	for range rounds {
		t := sum(tallies, func(int) int { return random.IntN(len(tallies)) })
		drawn = append(drawn, t.hits/t.of)
	}
	return estimate{total.hits / total.of, quantile(drawn, 0.025), quantile(drawn, 0.975)}
}

func sum(tallies []tally, pick func(int) int) tally {
	var all tally
	for i := range tallies {
		t := tallies[pick(i)]
		all.hits += t.hits
		all.of += t.of
	}
	return all
}

// quantile returns the value below which the share q of values lies, interpolated
// between neighbours; NaN of none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// sizes are the lower bounds of the classes of size of each class of object: persons
// and faces by height, plates by width, in pixels.
func sizes(class string) []int {
	if class == "plate" {
		return []int{0, 32, 64, 128}
	}
	return []int{0, 16, 32, 64, 128}
}

// sizeOf returns the number of the class that an object of so many pixels is in.
func sizeOf(class string, pixels int) int {
	bounds := sizes(class)
	for i := len(bounds) - 1; i > 0; i-- {
		if pixels >= bounds[i] {
			return i
		}
	}
	return 0
}

// sizeName says what is in class number i.
func sizeName(class string, i int) string {
	bounds, side := sizes(class), "high"
	if class == "plate" {
		side = "wide"
	}
	switch {
	case i == 0:
		return fmt.Sprintf("below %d px %s", bounds[1], side)
	case i == len(bounds)-1:
		return fmt.Sprintf("%d px %s and more", bounds[i], side)
	}
	return fmt.Sprintf("%d to %d px %s", bounds[i], bounds[i+1]-1, side)
}
