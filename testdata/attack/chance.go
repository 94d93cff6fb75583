package main

import "math"

// rate is how often something came out right.
type rate struct {
	Right int `json:"right"`
	Of    int `json:"of"`
}

func (r rate) add(s rate) rate { return rate{r.Right + s.Right, r.Of + s.Of} }

// yes is one case.
func yes(right bool) rate {
	if right {
		return rate{1, 1}
	}
	return rate{0, 1}
}

func (r rate) share() float64 { return float64(r.Right) / float64(max(r.Of, 1)) }

// atLeast is the probability of so many right or more if each is right with
// probability p.
func (r rate) atLeast(p float64) float64 {
	if r.Right == 0 {
		return 1
	}
	sum := 0.0
	for k := r.Right; k <= r.Of; k++ {
		sum += binomial(r.Of, k, p)
	}
	return min(sum, 1)
}

func binomial(n, k int, p float64) float64 {
	if p <= 0 || p >= 1 {
		if p <= 0 && k == 0 || p >= 1 && k == n {
			return 1
		}
		return 0
	}
	return math.Exp(gamma(n) - gamma(k) - gamma(n-k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}

// gamma is the logarithm of n!.
func gamma(n int) float64 {
	v, _ := math.Lgamma(float64(n + 1))
	return v
}

// interval is the exact 95 % interval of Clopper and Pearson.
func (r rate) interval() (low, high float64) {
	const tail = 0.025
	low, high = 0, 1
	if r.Right > 0 {
		low = bisect(func(p float64) bool { return r.atLeast(p) < tail })
	}
	if r.Right < r.Of {
		more := rate{r.Right + 1, r.Of}
		high = bisect(func(p float64) bool { return 1-more.atLeast(p) > tail })
	}
	return low, high
}

// bisect returns where below, true from 0 on, becomes false.
func bisect(below func(p float64) bool) float64 {
	low, high := 0.0, 1.0
	for range 40 {
		if middle := (low + high) / 2; below(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// What blind guessing gets right.
const (
	chance = 1.0 / float64(symbols)
	// certain is how improbable a result must be by chance alone before it counts
	// against ours. There are about a hundred results in a run: all together, chance
	// spoils one run in a thousand.
	certain = 1e-5
)

// aucAbove is how many standard deviations the mean of n ranks lies above chance.
func aucAbove(auc float64, n int) float64 { return (auc - 0.5) * math.Sqrt(12*float64(n)) }
