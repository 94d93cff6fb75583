package gps

import (
	"strings"
	"time"

	"github.com/adrianmo/go-nmea"
)

const (
	// weekTurn is how far back a receiver falls that does not know how often
	// the ten-bit week counter of GPS has turned over: 1024 weeks, in days.
	weekTurn = 7 * 1024

	// plausibleYears is how long after its Floor a date is believed if no
	// Ceiling is given: less than a turn of the week counter.
	plausibleYears = 19

	// carryDate is how long the date of one sentence serves others that have
	// only a time of day.
	carryDate = time.Minute
)

// daytime is a time of day in milliseconds since midnight, or noTime.
type daytime int32

const noTime daytime = -1

// date is midnight UTC of a day, the zero time if unknown.
type date = time.Time

// clock checks a time of day. The library accepts 25:99:61.
func (f *fields) clock(t nmea.Time) daytime {
	if !t.Valid {
		return noTime
	}
	if t.Hour > 23 || t.Minute > 59 || t.Second > 59 {
		f.wrong = true
		return noTime
	}
	return daytime(((t.Hour*60+t.Minute)*60+t.Second)*1000 + t.Millisecond)
}

// shortDate checks the date of RMC. The century is ours to choose: the
// library takes it from the clock of the board, which may stand at 1970. GPS
// began in 1980, so no receiver means an earlier year.
func (f *fields) shortDate(d nmea.Date) date {
	if !d.Valid {
		return date{}
	}
	year := 2000 + d.YY
	if d.YY >= 80 {
		year = 1900 + d.YY
	}
	// "2208-1" is the 22nd of August of the year "-1" to the library.
	return f.day(year, d.MM, d.DD, strings.ContainsAny(f.at(8), "+-"))
}

// longDate checks the date of ZDA.
func (f *fields) longDate(m nmea.ZDA) date {
	if f.at(1) == "" || f.at(2) == "" || f.at(3) == "" {
		return date{}
	}
	odd := m.Year < 1980 || m.Year > 9999 || m.Month < 1 || m.Month > 12 || m.Day < 1 || m.Day > 31
	return f.day(int(m.Year), int(m.Month), int(m.Day), odd)
}

// day returns the date, unless it is odd or there is no such day: time.Date
// would make the 3rd of March of the 31st of February.
func (f *fields) day(year, month, day int, odd bool) date {
	d := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if odd || d.Year() != year || int(d.Month()) != month || d.Day() != day {
		f.wrong = true
		return date{}
	}
	return d
}

// A calendar puts dates to times of day.
type calendar struct {
	floor, ceiling time.Time
	seen           time.Time // newest full time, as the receiver gave it
}

func newCalendar(floor, ceiling time.Time) calendar {
	return calendar{floor: floor, ceiling: defaultCeiling(floor, ceiling)}
}

// defaultCeiling fills in a ceiling that was not given.
func defaultCeiling(floor, ceiling time.Time) time.Time {
	if ceiling.IsZero() && !floor.IsZero() {
		return floor.AddDate(plausibleYears, 0, 0)
	}
	return ceiling
}

// see remembers a date for sentences that have none.
func (c *calendar) see(d date, t daytime) {
	if !d.IsZero() && t != noTime {
		c.seen = join(d, t)
	}
}

// reported returns the full time of t: on date d or, if that is unknown, on the
// day that brings it nearest to what was seen last; the zero time if unknown.
func (c *calendar) reported(d date, t daytime) time.Time {
	switch {
	case t == noTime:
		return time.Time{}
	case d.IsZero():
		return c.carried(t)
	}
	return join(d, t)
}

// turned returns the time 1024 weeks after one that lies before the floor, if
// that is plausible.
func (c *calendar) turned(utc time.Time) (time.Time, bool) {
	later := utc.AddDate(0, 0, weekTurn)
	return later, utc.Before(c.floor) && c.plausible(later)
}

// carried returns t on the day of the last full time seen, or on the day after
// or before when midnight lies between, if it is near enough to that time.
func (c *calendar) carried(t daytime) time.Time {
	if c.seen.IsZero() {
		return time.Time{}
	}
	midnight := c.seen.Truncate(24 * time.Hour)
	for _, days := range []int{0, 1, -1} {
		utc := join(midnight.AddDate(0, 0, days), t)
		if utc.Sub(c.seen).Abs() <= carryDate {
			return utc
		}
	}
	return time.Time{}
}

func (c *calendar) plausible(t time.Time) bool { return within(t, c.floor, c.ceiling) }

// within reports whether t is in [floor, ceiling); a zero bound is none.
func within(t, floor, ceiling time.Time) bool {
	return (floor.IsZero() || !t.Before(floor)) && (ceiling.IsZero() || t.Before(ceiling))
}

func join(d date, t daytime) time.Time {
	return d.Add(time.Duration(t) * time.Millisecond)
}
