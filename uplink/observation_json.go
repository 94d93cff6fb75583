package uplink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// maxObservation bounds the JSON of one observation. A real one has about 1 KB.
const maxObservation = 64 << 10

// MarshalJSON returns the canonical form: fields in the order of the type, map
// keys sorted, times in UTC to the millisecond, coordinates to 7 decimals (1 cm),
// scores to 4, other numbers to 2.
func (o Observation) MarshalJSON() ([]byte, error) {
	type plain Observation // without this method
	return json.Marshal(plain(o.canonical()))
}

// ParseObservation reads the JSON of one valid observation. Fields that this
// version does not know are passed over: vehicles and inboxes are not updated on
// the same day.
func ParseObservation(data []byte) (Observation, error) {
	var o Observation
	if len(data) > maxObservation {
		return o, fmt.Errorf("parse observation: %d bytes, at most %d", len(data), maxObservation)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&o); err != nil {
		return Observation{}, fmt.Errorf("parse observation: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Observation{}, fmt.Errorf("parse observation: more follows after its end at byte %d", dec.InputOffset())
	}
	if err := o.Validate(); err != nil {
		return Observation{}, err
	}
	return o, nil
}

// canonical returns a copy with every number rounded and every time in UTC; it
// shares no memory that it changes.
func (o Observation) canonical() Observation {
	o.Time.UTC = o.Time.UTC.UTC().Truncate(time.Millisecond)
	o.ExpiresAt = o.ExpiresAt.UTC().Truncate(time.Second)
	o.Position = o.Position.canonical()
	if o.Object != nil {
		object := *o.Object
		object.Score = round(object.Score, 4)
		if object.Position != nil {
			p := *object.Position
			object.Position = &Place{round(p.Lat, 7), round(p.Lon, 7), round(p.Radius, 2)}
		}
		o.Object = &object
	}
	return o
}

func (p Position) canonical() Position {
	p.Lat, p.Lon, p.HDOP = round(p.Lat, 7), round(p.Lon, 7), round(p.HDOP, 2)
	if p.Course != nil {
		p.Course = new(roundCourse(*p.Course))
	}
	if p.Speed != nil {
		p.Speed = new(round(*p.Speed, 2))
	}
	return p
}

// roundCourse rounds to 2 decimals and stays below 360: 359.999 is north.
func roundCourse(course float64) float64 {
	if r := round(course, 2); r < 360 {
		return r
	}
	return 0
}

// round rounds to so many decimals. It never returns the negative zero, which
// JSON would tell from zero.
func round(v float64, decimals int) float64 {
	p := math.Pow10(decimals)
	if r := math.Round(v*p) / p; r != 0 {
		return r
	}
	return 0
}
