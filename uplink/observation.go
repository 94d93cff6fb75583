package uplink

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Kind says what an observation tells.
type Kind string

// The kinds of observations.
const (
	Finding Kind = "finding" // one object, usually with a picture
	Count   Kind = "count"   // numbers by label, never a picture
	Clear   Kind = "clear"   // the zone was inspected and all was well, never a picture
)

// Verdict says how sure the models were of a finding.
type Verdict string

// The verdicts of an assessment.
const (
	Confirmed Verdict = "confirmed"
	Uncertain Verdict = "uncertain"
)

// Observation is the record of one finding, count or all-clear. It is a value:
// [Outbox.Put] keeps a copy. Its JSON is canonical: equal observations have
// equal bytes, whatever the location of their times and the last digits of their
// coordinates.
type Observation struct {
	ID            string         `json:"id"`      // as NewID makes it
	Vehicle       string         `json:"vehicle"` // the pseudonym
	Task          string         `json:"task"`
	OrdersVersion uint64         `json:"orders_version"`
	Purpose       string         `json:"purpose"`
	Kind          Kind           `json:"kind"`
	Time          Time           `json:"time"`
	Position      Position       `json:"position"`
	Zone          string         `json:"zone"`
	Object        *Object        `json:"object,omitempty"`
	Assessment    *Assessment    `json:"assessment,omitempty"`
	Redaction     *Redaction     `json:"redaction,omitempty"`
	Models        []ModelRef     `json:"models,omitempty"`
	Image         *ImageRef      `json:"image,omitempty"`
	Counts        map[string]int `json:"counts,omitempty"` // by label
	Looks         int            `json:"looks,omitempty"`  // looks that a count or all-clear rests on
	Notify        string         `json:"notify,omitempty"` // the task's routing hint for the receiver
	Agent         string         `json:"agent"`            // version of the agent
	ExpiresAt     time.Time      `json:"expires_at,omitzero"`
}

// Time is a moment and the source of trust in it, such as "gps".
type Time struct {
	UTC    time.Time `json:"utc"` // to the millisecond
	Source string    `json:"source"`
}

// Position is where the vehicle was.
type Position struct {
	Lat    float64  `json:"lat"` // degrees WGS 84
	Lon    float64  `json:"lon"`
	HDOP   float64  `json:"hdop,omitempty"`   // 0 = unknown
	Course *float64 `json:"course,omitempty"` // degrees true, 0 <= course < 360; nil = unknown
	Speed  *float64 `json:"speed,omitempty"`  // metres per second over ground; nil = unknown
}

// Object is what a finding found.
type Object struct {
	Label    string  `json:"label"`
	Score    float64 `json:"score"`              // 0 to 1
	Box      [4]int  `json:"box"`                // left, top, right, bottom in pixels of the evidence
	Position *Place  `json:"position,omitempty"` // estimated; nil = not estimated
}

// Place is an estimated position on the ground.
type Place struct {
	Lat    float64 `json:"lat"`
	Lon    float64 `json:"lon"`
	Radius float64 `json:"radius"` // metres; the object is this near to the point
}

// Assessment says which models were asked and what they concluded.
type Assessment struct {
	Primary   string  `json:"primary"`             // model that found the object
	Fallback  string  `json:"fallback,omitempty"`  // model that was asked next; empty = none
	Agreement *bool   `json:"agreement,omitempty"` // whether the fallback agreed; nil = not asked
	Verdict   Verdict `json:"verdict"`
}

// Redaction says what was removed from the picture.
type Redaction struct {
	Mode       string         `json:"mode"`
	Regions    map[string]int `json:"regions"`               // how many, by class
	SecondLook *SecondLook    `json:"second_look,omitempty"` // nil = not done
}

// SecondLook says what other models than those that found the regions saw in the
// redacted picture.
type SecondLook struct {
	Models []string       `json:"models"` // that looked
	Hits   map[string]int `json:"hits"`   // what they still saw, by class; a class that is not in it was not looked for
	Grown  bool           `json:"grown"`  // there were hits; they were removed too, and a third look saw nobody
}

// ModelRef names a model that an observation rests on.
type ModelRef struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// ImageRef identifies the picture of an observation.
type ImageRef struct {
	SHA256 string `json:"sha256"`
	Bytes  int    `json:"bytes"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

// NewID returns the id of the object'th observation that the vehicle made for
// the task of the frame taken at this time. It is a UUID version 5 over exactly
// these four (the time to the millisecond, as observations carry it): the same
// look has the same id after a crash and in every replay.
func NewID(vehicle, task string, frame time.Time, object int) string {
	var name strings.Builder
	// Each part is preceded by its length: "a"+"bc" is not "ab"+"c".
	for _, part := range []string{
		vehicle, task,
		strconv.FormatInt(frame.UnixMilli(), 10),
		strconv.Itoa(object),
	} {
		name.WriteString(strconv.Itoa(len(part)))
		name.WriteByte(':')
		name.WriteString(part)
	}
	// Never to be changed: with another name space every id would change.
	space := uuid.NewSHA1(uuid.NameSpaceURL, []byte("gadeblik:observation"))
	return uuid.NewSHA1(space, []byte(name.String())).String()
}
