package panel

import "time"

// Light is what the lamp tells the driver.
type Light uint8

// The lights.
const (
	Dark      Light = iota // capture is off
	Armed                  // one short flash every two seconds: capture is allowed
	Capturing              // lit: the camera streams
	Fault                  // four flashes a second: something is broken
	Paused                 // two short flashes every two seconds: no capture until somebody lifts that
)

var lightWords = [...]string{Dark: "dark", Armed: "armed", Capturing: "capturing", Fault: "fault", Paused: "paused"}

// String returns the light's word.
func (l Light) String() string {
	if int(l) < len(lightWords) {
		return lightWords[l]
	}
	return "unknown"
}

// Lengths of a pattern: lit, dark, lit, dark and so on, then from the start.
var patterns = [...][]time.Duration{
	Armed:     {100 * time.Millisecond, 1900 * time.Millisecond},
	Capturing: {time.Hour},
	Fault:     {125 * time.Millisecond, 125 * time.Millisecond},
	Paused:    {100 * time.Millisecond, 200 * time.Millisecond, 100 * time.Millisecond, 1600 * time.Millisecond},
}

// at tells whether the lamp is lit so long after the light began, and for how long
// that holds. Every light but Dark begins lit: a change is seen at once.
func (l Light) at(t time.Duration) (lit bool, holds time.Duration) {
	if l == Dark || int(l) >= len(patterns) {
		return false, time.Hour
	}
	var whole time.Duration
	for _, d := range patterns[l] {
		whole += d
	}
	t = max(t, 0) % whole
	for i, d := range patterns[l] {
		if t < d {
			return i%2 == 0, d - t
		}
		t -= d
	}
	return false, 0 // not reached: t is below the sum
}
