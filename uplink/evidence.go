package uplink

import (
	"errors"
	"fmt"
	"image"
	"time"

	"gadeblik/blur"
)

// maxEvidence bounds one picture. A 1080p JPEG has a few hundred KB.
const maxEvidence = 16 << 20

// Evidence is the picture of one observation: a redacted JPEG that carries the
// observation's place, time and id, and nothing else. It is immutable and safe
// for concurrent use; only [NewEvidence] makes a usable one.
type Evidence struct {
	id   string
	jpeg []byte
	ref  ImageRef
}

// Tags are what is written into a picture.
type Tags struct {
	ID        string    // of the observation
	Vehicle   string    // the pseudonym
	Agent     string    // version of the agent
	Time      time.Time // when the frame was taken
	Lat, Lon  float64   // degrees WGS 84
	Direction *float64  // that the camera looked in, degrees true; nil = unknown
	Speed     *float64  // metres per second over ground; nil = unknown
	HDOP      float64   // 0 = unknown
}

// TagsOf returns the tags that agree with an observation. The camera is taken to
// look along the vehicle's course.
func TagsOf(o Observation) Tags {
	o = o.canonical()
	return Tags{
		ID:        o.ID,
		Vehicle:   o.Vehicle,
		Agent:     o.Agent,
		Time:      o.Time.UTC,
		Lat:       o.Position.Lat,
		Lon:       o.Position.Lon,
		Direction: o.Position.Course,
		Speed:     o.Position.Speed,
		HDOP:      o.Position.HDOP,
	}
}

// NewEvidence returns the picture with the tags written into it. It takes nothing
// but a redacted image, and refuses one that carries any metadata of its own. The
// same image and tags give the same bytes.
func NewEvidence(img *blur.Image, t Tags) (*Evidence, error) {
	if img == nil {
		return nil, errors.New("make evidence: no picture")
	}
	return newEvidence(img.AppendJPEG, img.Bounds(), t)
}

// newEvidence has append put the picture behind what it is given.
func newEvidence(append func([]byte) []byte, bounds image.Rectangle, t Tags) (*Evidence, error) {
	if bounds.Empty() {
		return nil, errors.New("make evidence: the picture is empty; only blur.Redact makes one")
	}
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("make evidence: %w", err)
	}
	tagged, err := withEXIF(append, encodeEXIF(t))
	if err != nil {
		return nil, fmt.Errorf("make evidence: %w", err)
	}
	if len(tagged) > maxEvidence {
		return nil, fmt.Errorf("make evidence: the picture has %d bytes, at most %d", len(tagged), maxEvidence)
	}
	return &Evidence{
		id:   t.ID,
		jpeg: tagged,
		ref: ImageRef{
			SHA256: hexDigest(tagged),
			Bytes:  len(tagged),
			Width:  bounds.Dx(),
			Height: bounds.Dy(),
		},
	}, nil
}

// JPEG returns the picture with its tags. The caller must not change it.
func (e *Evidence) JPEG() []byte { return e.jpeg }

// Ref returns what the observation says about this picture.
func (e *Evidence) Ref() ImageRef { return e.ref }

// check holds the tags to what an observation may say.
func (t Tags) check() error {
	var c checker
	c.id(t.ID)
	c.name("vehicle", t.Vehicle)
	c.text("agent", t.Agent, maxWord)
	c.time("time", t.Time)
	c.position(Position{Lat: t.Lat, Lon: t.Lon, HDOP: t.HDOP, Course: t.Direction, Speed: t.Speed})
	return errors.Join(c.errs...)
}
