package geofence

import (
	"errors"
	"fmt"
	"time"
)

const maxWindow = 64 // fixes in the record of a trial

// TrackerConfig says what a [Tracker] asks of a fix. A field left 0 takes its
// default; a negative EnterMargin or MinSatellites asks for nothing. Any other
// field below its range, and any that is not a number, keeps the vehicle outside
// everything.
type TrackerConfig struct {
	EnterMargin   float64       // metres of clearance beyond the circle of error to get in; default 5
	Enter         int           // fixes with that clearance to get in...; default 3
	Of            int           // ...of so many last fixes, at most 64; default 5
	MaxAge        time.Duration // of the newest fix, and between two; default 2 s
	MaxSpeed      float64       // metres per second, reported or from fix to fix; default 70
	MaxHDOP       float64       // default 4
	MetresPerHDOP float64       // radius of the circle of error at HDOP 1; default 5
	MinSatellites int           // default 4; negative: any number, also an unknown one
}

func (c TrackerConfig) withDefaults() TrackerConfig {
	set(&c.EnterMargin, 5)
	set(&c.Enter, 3)
	set(&c.Of, 5)
	set(&c.MaxAge, 2*time.Second)
	set(&c.MaxSpeed, 70)
	set(&c.MaxHDOP, 4)
	set(&c.MetresPerHDOP, 5)
	set(&c.MinSatellites, 4)
	c.EnterMargin = max(c.EnterMargin, 0)
	if c.Enter < 1 || c.Of < 1 {
		c.Enter, c.Of = maxWindow+1, maxWindow // never
	}
	c.Of = min(c.Of, maxWindow)
	return c
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate returns every mistake in the config, with field, value and rule.
func (c TrackerConfig) Validate() error {
	d := c.withDefaults()
	var mistakes []error
	refuse := func(field string, got any, rule string) {
		mistakes = append(mistakes, fmt.Errorf("%s: must be %s (got %v)", field, rule, got))
	}
	if !(d.EnterMargin <= 1000) {
		refuse("EnterMargin", d.EnterMargin, "at most 1000")
	}
	if c.Of < 0 || c.Of > maxWindow {
		refuse("Of", c.Of, "between 1 and 64")
	}
	if c.Enter < 0 || c.Of >= 0 && d.Enter > d.Of {
		refuse("Enter", c.Enter, "between 1 and Of")
	}
	if d.MaxAge < 0 || d.MaxAge > time.Minute {
		refuse("MaxAge", d.MaxAge, "more than 0 and at most 1m0s")
	}
	positive := []struct {
		field string
		got   float64
		most  float64
	}{{"MaxSpeed", d.MaxSpeed, 1000}, {"MaxHDOP", d.MaxHDOP, 50}, {"MetresPerHDOP", d.MetresPerHDOP, 100}}
	for _, p := range positive {
		if !(p.got > 0 && p.got <= p.most) {
			refuse(p.field, p.got, fmt.Sprintf("more than 0 and at most %g", p.most))
		}
	}
	return errors.Join(mistakes...)
}
