package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"gadeblik/blur"
	"gadeblik/uplink"
)

// Action is what a task does with what it sees.
type Action string

const (
	// Evidence sends one redacted picture per object and pass.
	Evidence Action = "evidence"
	// Count sends numbers per pass and never a picture.
	Count Action = "count"
	// Survey sends, per pass, that the zone was inspected and all was well,
	// or how many of the labels were seen; never a picture.
	Survey Action = "survey"
)

// Task is one reason to look: why, where, when and for what. It is a value; the
// zones it names are resolved by the [Plan].
type Task struct {
	ID, Title, Purpose, LegalBasis, Controller string

	Zones          []string // ids of the orders' features
	Labels         []string // what to look for, in the detector's words
	MinScore       float64  // at least this sure, 0 to 1
	UncertainScore float64  // below MinScore and at least this: a second model decides
	Schedule       Schedule
	MaxSpeed       float64 // metres per second; 0 means the task sets no bound
	Every          float64 // metres between two looks
	Action         Action
	Context        blur.Context
	Redact         []blur.Class // always person, face and plate, and what the task adds
	Dedup          float64      // metres within which the same finding is the same thing
	Quota          int          // observations a day
	ExpiresAfter   time.Duration
	Priority       uplink.Priority // what is sent first when much waits
	Notify         string          // opaque routing hint for the receiver
	Primary        string          // model that looks; empty means the agent's default
	Fallback       string          // model that decides uncertain cases
}

// taskJSON is a task as the orders write it.
type taskJSON struct {
	ID             string       `json:"id"`
	Title          string       `json:"title"`
	Purpose        string       `json:"purpose"`
	LegalBasis     string       `json:"legal_basis"`
	Controller     string       `json:"controller"`
	Zones          []string     `json:"zones"`
	Labels         []string     `json:"labels"`
	MinScore       *float64     `json:"min_score"`
	UncertainScore *float64     `json:"uncertain_score"`
	Schedule       scheduleJSON `json:"schedule"`
	MaxSpeedKmh    float64      `json:"max_speed_kmh"`
	EveryM         float64      `json:"every_m"`
	Action         Action       `json:"action"`
	Context        string       `json:"context"`
	Redact         []blur.Class `json:"redact"`
	DedupM         float64      `json:"dedup_m"`
	QuotaPerDay    int          `json:"quota_per_day"`
	ExpiresAfter   string       `json:"expires_after"`
	Priority       string       `json:"priority"`
	Notify         string       `json:"notify"`
	Models         struct {
		Primary  string `json:"primary"`
		Fallback string `json:"fallback"`
	} `json:"models"`
}

// What a task gets when its orders say nothing.
const (
	defaultMinScore  = 0.5
	defaultEvery     = 5
	defaultQuota     = 100
	defaultRetention = 30 * 24 * time.Hour

	maxRetention = 366 * 24 * time.Hour
	maxQuota     = 100_000
	maxEvery     = 10_000

	maxSentence = 512 // bytes, as observations carry it
	maxWord     = 64
)

// people are the classes no task can leave unredacted.
var people = [...]blur.Class{blur.Person, blur.Face, blur.Plate}

// counted are the words for people and what stands for them: no task can ask a
// picture of these. A cyclist is a person, whom the built-in model tells apart.
var counted = [...]string{"person", "face", "plate", cyclist}

// parseTask reads task number i of the orders. The error joins every mistake,
// each with its path, the value and the rule.
func parseTask(raw json.RawMessage, i int) (Task, error) {
	path := fmt.Sprintf("tasks[%d]", i)
	var j taskJSON
	if err := uplink.DecodeStrict(raw, path, &j); err != nil {
		return Task{}, err
	}
	c := complaints{path: path}
	t := Task{
		ID: j.ID, Title: j.Title, Purpose: j.Purpose, LegalBasis: j.LegalBasis, Controller: j.Controller,
		Zones: j.Zones, Labels: j.Labels, Action: j.Action,
		MaxSpeed: j.MaxSpeedKmh / 3.6, Every: j.EveryM, Dedup: j.DedupM, Quota: j.QuotaPerDay,
		Notify: j.Notify, Primary: j.Models.Primary, Fallback: j.Models.Fallback,
	}
	t.words(&c)
	t.scores(&c, j)
	t.bounds(&c, j)
	t.privacy(&c, j)
	t.Schedule = parseSchedule(&c, j.Schedule)
	return t, c.err()
}

// words checks that the task says who wants what, why and where.
func (t *Task) words(c *complaints) {
	for _, f := range []struct{ key, value string }{
		{"id", t.ID}, {"purpose", t.Purpose}, {"legal_basis", t.LegalBasis}, {"controller", t.Controller},
	} {
		if strings.TrimSpace(f.value) == "" {
			c.add(f.key, "must say something: nobody may look without it")
		}
	}
	for _, f := range []struct{ key, value string }{
		{"title", t.Title}, {"purpose", t.Purpose}, {"legal_basis", t.LegalBasis}, {"controller", t.Controller}, {"notify", t.Notify},
	} {
		c.text(f.key, f.value, maxSentence)
	}
	for i, l := range t.Labels {
		c.text(fmt.Sprintf("labels[%d]", i), l, maxWord)
	}
	if t.Title == "" {
		t.Title = t.ID
	}
	if len(t.Zones) == 0 {
		c.add("zones", "must name at least one zone")
	}
	if len(t.Labels) == 0 {
		c.add("labels", "must name at least one thing to look for")
	}
	switch t.Action {
	case Evidence, Count, Survey:
	default:
		c.add("action", "must be evidence, count or survey (got %q)", t.Action)
	}
}

func (t *Task) scores(c *complaints, j taskJSON) {
	t.MinScore = orDefault(j.MinScore, defaultMinScore)
	t.UncertainScore = orDefault(j.UncertainScore, t.MinScore)
	if !(t.MinScore > 0 && t.MinScore <= 1) {
		c.add("min_score", "must be above 0 and at most 1 (got %v)", t.MinScore)
	}
	if !(t.UncertainScore > 0 && t.UncertainScore <= t.MinScore) {
		c.add("uncertain_score", "must be above 0 and at most min_score %v (got %v)", t.MinScore, t.UncertainScore)
	}
}

func (t *Task) bounds(c *complaints, j taskJSON) {
	if t.Every == 0 {
		t.Every = defaultEvery
	}
	if !(t.Every >= 0.5 && t.Every <= maxEvery) {
		c.add("every_m", "must be 0.5 to %d metres (got %v)", maxEvery, j.EveryM)
	}
	if !(j.MaxSpeedKmh >= 0 && j.MaxSpeedKmh <= 200) {
		c.add("max_speed_kmh", "must be 0 (no bound) to 200 (got %v)", j.MaxSpeedKmh)
	}
	if !(t.Dedup >= 0 && t.Dedup <= 1000) {
		c.add("dedup_m", "must be 0 to 1000 metres (got %v)", j.DedupM)
	}
	if t.Quota == 0 {
		t.Quota = defaultQuota
	}
	if t.Quota < 1 || t.Quota > maxQuota {
		c.add("quota_per_day", "must be 1 to %d (got %d)", maxQuota, j.QuotaPerDay)
	}
	t.Priority = c.priority(j.Priority)
	t.ExpiresAfter = defaultRetention
	if j.ExpiresAfter == "" {
		return
	}
	d, err := time.ParseDuration(j.ExpiresAfter)
	switch {
	case err != nil:
		c.add("expires_after", "must be a duration such as 720h (got %q)", j.ExpiresAfter)
	case d < time.Hour || d > maxRetention:
		c.add("expires_after", "must be 1h to %s (got %s)", hours(maxRetention), j.ExpiresAfter)
	}
	t.ExpiresAfter = d
}

// privacy checks the context and the redaction, and refuses tasks after people.
func (t *Task) privacy(c *complaints, j taskJSON) {
	if j.Context != "" {
		var err error
		if t.Context, err = blur.ParseContext(j.Context); err != nil {
			c.add("context", "must be coarse, crop or full (got %q)", j.Context)
		}
	}
	t.Redact = slices.Clone(people[:])
	for i, class := range j.Redact {
		if !slices.Contains(people[:], class) {
			c.add(fmt.Sprintf("redact[%d]", i), "must be person, face or plate (got %q)", class)
		}
	}
	if j.Redact != nil && len(j.Redact) == 0 {
		c.add("redact", "cannot be emptied: persons, faces and plates are always removed; leave it out")
	}
	for i, label := range t.Labels {
		if t.Action != Count && slices.Contains(counted[:], label) {
			c.add(fmt.Sprintf("labels[%d]", i), "%s can only be counted; use action count", label)
		}
	}
}

// wants tells whether the task looks for things of this label.
func (t *Task) wants(label string) bool { return slices.Contains(t.Labels, label) }

// Day names the day of utc in the task's time zone, by which its quota counts.
func (t *Task) Day(utc time.Time) string {
	return utc.In(t.Schedule.Location()).Format(time.DateOnly)
}

func orDefault(v *float64, d float64) float64 {
	if v == nil {
		return d
	}
	return *v
}

func hours(d time.Duration) string { return fmt.Sprintf("%dh", int(d.Hours())) }

// complaints gathers every mistake of one object with its path.
type complaints struct {
	path string
	errs []error
}

func (c *complaints) add(key, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%s.%s: %s", c.path, key, fmt.Sprintf(format, args...)))
}

// text checks what will be part of every observation of the task.
func (c *complaints) text(key, value string, limit int) {
	if len(value) > limit {
		c.add(key, "must have at most %d bytes (got %d)", limit, len(value))
	}
	if strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }) {
		c.add(key, "must be one line of printable characters (got %q)", value)
	}
}

func (c *complaints) err() error { return errors.Join(c.errs...) }

// priorities are the words for what is sent first.
var priorities = map[string]uplink.Priority{"": uplink.Normal, "high": uplink.High, "normal": uplink.Normal, "low": uplink.Low}

func (c *complaints) priority(word string) uplink.Priority {
	p, ok := priorities[word]
	if !ok {
		c.add("priority", "must be high, normal or low (got %q)", word)
	}
	return p
}
