package agent

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Schedule says when a task may look, in the task's own time zone. The zero
// value allows every moment, in UTC.
type Schedule struct {
	zone  *time.Location
	days  [7]bool // by time.Weekday; all false means every day
	hours []clockSpan
	dates []dateSpan
}

// clockSpan is a span of the wall clock, [From, To) in minutes after midnight.
// From > To runs over midnight and belongs to the day it starts on.
type clockSpan struct{ from, to int }

// dateSpan is a span of days, both included, as yyyymmdd.
type dateSpan struct{ first, last int }

type scheduleJSON struct {
	Timezone string   `json:"timezone"`
	Weekdays []string `json:"weekdays"`
	Hours    []string `json:"hours"`
	Dates    []string `json:"dates"`
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// Location returns the time zone the schedule and the task's quota follow.
func (s Schedule) Location() *time.Location {
	if s.zone == nil {
		return time.UTC
	}
	return s.zone
}

// Allows tells whether the task may look at the moment utc. The wall clock of
// the task's time zone decides, summer time included.
func (s Schedule) Allows(utc time.Time) bool {
	if s.always() {
		return true
	}
	t := utc.In(s.Location())
	minute := t.Hour()*60 + t.Minute()
	if len(s.hours) == 0 {
		return s.day(t)
	}
	for _, h := range s.hours {
		switch {
		case h.from <= h.to:
			if minute >= h.from && minute < h.to && s.day(t) {
				return true
			}
		case minute >= h.from && s.day(t):
			return true
		case minute < h.to && s.day(yesterday(t)):
			return true
		}
	}
	return false
}

func (s Schedule) always() bool {
	return s.days == [7]bool{} && len(s.hours) == 0 && len(s.dates) == 0
}

// day tells whether the schedule includes the day of t.
func (s Schedule) day(t time.Time) bool {
	if s.days != [7]bool{} && !s.days[t.Weekday()] {
		return false
	}
	if len(s.dates) == 0 {
		return true
	}
	d := dayNumber(t)
	for _, span := range s.dates {
		if d >= span.first && d <= span.last {
			return true
		}
	}
	return false
}

// yesterday is noon of the day before: noon exists on every day of every zone.
func yesterday(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()-1, 12, 0, 0, 0, t.Location())
}

func dayNumber(t time.Time) int {
	y, m, d := t.Date()
	return y*10000 + int(m)*100 + d
}

func parseSchedule(c *complaints, j scheduleJSON) Schedule {
	s := Schedule{zone: time.UTC}
	if j.Timezone != "" {
		loc, err := time.LoadLocation(j.Timezone)
		if err != nil || j.Timezone == "Local" {
			c.add("schedule.timezone", "must be an IANA time zone such as Europe/Copenhagen (got %q)", j.Timezone)
		} else {
			s.zone = loc
		}
	} else if len(j.Weekdays)+len(j.Hours)+len(j.Dates) > 0 {
		c.add("schedule.timezone", "must be given where weekdays, hours or dates are, such as Europe/Copenhagen")
	}
	for i, w := range j.Weekdays {
		n := slices.Index(weekdays, strings.ToLower(w))
		if n < 0 {
			c.add(fmt.Sprintf("schedule.weekdays[%d]", i), "must be one of mon tue wed thu fri sat sun (got %q)", w)
			continue
		}
		s.days[n] = true
	}
	for i, h := range j.Hours {
		span, err := parseHours(h)
		if err != nil {
			c.add(fmt.Sprintf("schedule.hours[%d]", i), "%v", err)
			continue
		}
		s.hours = append(s.hours, span)
	}
	for i, d := range j.Dates {
		span, err := parseDates(d)
		if err != nil {
			c.add(fmt.Sprintf("schedule.dates[%d]", i), "%v", err)
			continue
		}
		s.dates = append(s.dates, span)
	}
	return s
}

// parseHours reads "07:00-15:30"; "22:00-05:00" runs over midnight, 24:00 is
// the end of the day.
func parseHours(text string) (clockSpan, error) {
	wrong := fmt.Errorf("must be a span such as 07:00-15:30 (got %q)", text)
	a, b, ok := strings.Cut(text, "-")
	if !ok {
		return clockSpan{}, wrong
	}
	from, ok1 := parseClock(a)
	to, ok2 := parseClock(b)
	if !ok1 || !ok2 || from == to || from == 24*60 {
		return clockSpan{}, wrong
	}
	return clockSpan{from, to}, nil
}

func parseClock(text string) (minutes int, ok bool) {
	if text == "24:00" {
		return 24 * 60, true
	}
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err == nil && len(text) == 5
}

// parseDates reads "2026-05-01" or "2026-05-01/2026-09-30".
func parseDates(text string) (dateSpan, error) {
	a, b, ok := strings.Cut(text, "/")
	if !ok {
		b = a
	}
	first, err1 := time.Parse(time.DateOnly, a)
	last, err2 := time.Parse(time.DateOnly, b)
	if err1 != nil || err2 != nil || last.Before(first) {
		return dateSpan{}, fmt.Errorf("must be a day or a span such as 2026-05-01/2026-09-30 (got %q)", text)
	}
	return dateSpan{dayNumber(first), dayNumber(last)}, nil
}
