package uplink

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"sort"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

const (
	maxWord    = 64  // bytes of a name: task, zone, label, model, version
	maxText    = 512 // bytes of a text: purpose, routing hint
	maxEntries = 64  // entries of a list or map
)

// Validate returns every mistake of the observation, each with its field, or nil.
func (o Observation) Validate() error {
	o = o.canonical() // what counts is what would be sent
	var c checker
	c.id(o.ID)
	c.name("vehicle", o.Vehicle)
	c.text("task", o.Task, maxWord)
	c.text("purpose", o.Purpose, maxText)
	c.text("zone", o.Zone, maxWord)
	c.text("agent", o.Agent, maxWord)
	c.optional("notify", o.Notify, maxText)
	c.time("time.utc", o.Time.UTC)
	c.text("time.source", o.Time.Source, maxWord)
	c.position(o.Position)
	if !o.ExpiresAt.IsZero() {
		c.time("expires_at", o.ExpiresAt)
	}
	c.kind(o)
	c.object(o.Object)
	c.opinions(o)
	c.image(o.Image)
	c.counts("counts", o.Counts)
	c.check(o.Looks >= 0, "looks", "must not be negative (got %d)", o.Looks)
	if len(c.errs) == 0 {
		return nil
	}
	return fmt.Errorf("observation %s: %w", short(o.ID), errors.Join(c.errs...))
}

// checker collects mistakes.
type checker struct{ errs []error }

func (c *checker) check(ok bool, field, rule string, args ...any) {
	if !ok {
		c.errs = append(c.errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(rule, args...)))
	}
}

func (c *checker) id(id string) {
	c.check(validID(id), "id", "must be a UUID in lower case (got %q)", short(id))
}

func (c *checker) name(field, name string) {
	if err := checkName(name); err != nil {
		c.check(false, field, "%v", err)
	}
}

func (c *checker) text(field, s string, limit int) {
	c.check(s != "", field, "must not be empty")
	c.optional(field, s, limit)
}

func (c *checker) optional(field, s string, limit int) {
	c.check(len(s) <= limit, field, "must have at most %d bytes (got %d)", limit, len(s))
	c.check(printable(s), field, "must be printable text (got %q)", short(s))
}

func (c *checker) time(field string, t time.Time) {
	year := t.UTC().Year()
	c.check(year >= 2000 && year < 2200, field, "must be between the years 2000 and 2200 (got %s)", t.UTC().Format(time.DateTime))
}

func (c *checker) between(field string, v, low, high float64) {
	c.check(v >= low && v <= high, field, "must be between %g and %g (got %g)", low, high, v) // NaN is not
}

func (c *checker) position(p Position) {
	c.between("position.lat", p.Lat, -90, 90)
	c.between("position.lon", p.Lon, -180, 180)
	c.check(p.Lat != 0 || p.Lon != 0, "position", "must not be 0, 0, which is what a receiver without a fix reports")
	c.between("position.hdop", p.HDOP, 0, 100)
	if p.Course != nil {
		c.check(*p.Course >= 0 && *p.Course < 360, "position.course", "must be at least 0 and below 360 (got %g)", *p.Course)
	}
	if p.Speed != nil {
		c.between("position.speed", *p.Speed, 0, 200)
	}
}

func (c *checker) kind(o Observation) {
	switch o.Kind {
	case Finding:
		c.check(o.Object != nil, "object", "must be set in a finding")
		c.check(o.Assessment != nil, "assessment", "must be set in a finding")
		c.check(o.Image == nil || o.Redaction != nil, "redaction", "must be set where there is an image")
		c.check(len(o.Counts) == 0, "counts", "must not be set in a finding")
	case Count:
		c.check(len(o.Counts) > 0, "counts", "must be set in a count")
		c.numbersOnly(o)
	case Clear:
		c.numbersOnly(o)
	default:
		c.check(false, "kind", "must be finding, count or clear (got %q)", short(string(o.Kind)))
	}
}

// numbersOnly holds what a task that asked for numbers must not get.
func (c *checker) numbersOnly(o Observation) {
	c.check(o.Object == nil, "object", "must not be set in a %s", o.Kind)
	c.check(o.Image == nil, "image", "must not be set in a %s", o.Kind)
}

func (c *checker) object(o *Object) {
	if o == nil {
		return
	}
	c.text("object.label", o.Label, maxWord)
	c.between("object.score", o.Score, 0, 1)
	b := o.Box
	ok := b[0] >= 0 && b[1] >= 0 && b[2] >= b[0] && b[3] >= b[1] && b[2] <= maxSide && b[3] <= maxSide
	c.check(ok, "object.box", "must be left, top, right, bottom within the picture (got %v)", b)
	if p := o.Position; p != nil {
		c.between("object.position.lat", p.Lat, -90, 90)
		c.between("object.position.lon", p.Lon, -180, 180)
		c.between("object.position.radius", p.Radius, 0, 1e4)
	}
}

func (c *checker) opinions(o Observation) {
	if a := o.Assessment; a != nil {
		c.text("assessment.primary", a.Primary, maxWord)
		c.optional("assessment.fallback", a.Fallback, maxWord)
		ok := a.Verdict == Confirmed || a.Verdict == Uncertain
		c.check(ok, "assessment.verdict", "must be confirmed or uncertain (got %q)", short(string(a.Verdict)))
	}
	if r := o.Redaction; r != nil {
		c.text("redaction.mode", r.Mode, maxWord)
		c.counts("redaction.regions", r.Regions)
		c.secondLook(r.SecondLook)
	}
	c.check(len(o.Models) <= maxEntries, "models", "must have at most %d entries (got %d)", maxEntries, len(o.Models))
	for i, m := range o.Models {
		c.text(fmt.Sprintf("models[%d].name", i), m.Name, maxWord)
		c.digest(fmt.Sprintf("models[%d].sha256", i), m.SHA256)
	}
}

func (c *checker) secondLook(s *SecondLook) {
	if s == nil {
		return
	}
	n := len(s.Models)
	c.check(n > 0 && n <= maxEntries, "redaction.second_look.models", "must have 1 to %d entries (got %d)", maxEntries, n)
	for i, m := range s.Models {
		c.text(fmt.Sprintf("redaction.second_look.models[%d]", i), m, maxWord)
	}
	c.counts("redaction.second_look.hits", s.Hits)
}

// maxSide bounds the sides of a picture; JPEG can't have longer ones.
const maxSide = math.MaxUint16

func (c *checker) image(r *ImageRef) {
	if r == nil {
		return
	}
	c.digest("image.sha256", r.SHA256)
	c.check(r.Bytes > 0, "image.bytes", "must be above 0 (got %d)", r.Bytes)
	c.check(r.Width > 0 && r.Width <= maxSide, "image.width", "must be between 1 and %d (got %d)", maxSide, r.Width)
	c.check(r.Height > 0 && r.Height <= maxSide, "image.height", "must be between 1 and %d (got %d)", maxSide, r.Height)
}

func (c *checker) digest(field, s string) {
	raw, err := hex.DecodeString(s)
	ok := err == nil && len(raw) == 32 && hex.EncodeToString(raw) == s
	c.check(ok, field, "must be 64 hexadecimal digits in lower case (got %q)", short(s))
}

func (c *checker) counts(field string, m map[string]int) {
	c.check(len(m) <= maxEntries, field, "must have at most %d entries (got %d)", maxEntries, len(m))
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys) // messages in the same order every time
	for _, k := range keys {
		c.text(field, k, maxWord)
		c.check(m[k] >= 0, field, "%q must not be negative (got %d)", short(k), m[k])
	}
}

func validID(id string) bool {
	u, err := uuid.Parse(id)
	return err == nil && u.String() == id
}

func printable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// short cuts what a stranger may have written to a length fit for a message.
func short(s string) string {
	if len(s) <= maxWord {
		return s
	}
	return s[:maxWord] + "…"
}
