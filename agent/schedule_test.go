package agent

import (
	"testing"
	"time"
)

func mustSchedule(t *testing.T, j scheduleJSON) Schedule {
	t.Helper()
	c := complaints{path: "tasks[0]"}
	s := parseSchedule(&c, j)
	if err := c.err(); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScheduleAllows(t *testing.T) {
	const copenhagen = "Europe/Copenhagen"
	tests := []struct {
		name string
		in   scheduleJSON
		utc  string
		want bool
	}{
		{"empty allows every moment", scheduleJSON{}, "2026-07-01T03:00:00Z", true},
		{"zone alone allows every moment", scheduleJSON{Timezone: copenhagen}, "2026-07-01T03:00:00Z", true},
		{"hours are local, summer", scheduleJSON{Timezone: copenhagen, Hours: []string{"07:00-15:30"}}, "2026-07-01T05:00:00Z", true},
		{"hours are local, summer, a second before", scheduleJSON{Timezone: copenhagen, Hours: []string{"07:00-15:30"}}, "2026-07-01T04:59:59Z", false},
		{"hours are local, winter", scheduleJSON{Timezone: copenhagen, Hours: []string{"07:00-15:30"}}, "2026-01-01T05:30:00Z", false},
		{"end is excluded", scheduleJSON{Timezone: copenhagen, Hours: []string{"07:00-15:30"}}, "2026-07-01T13:30:00Z", false},
		{"second span", scheduleJSON{Timezone: copenhagen, Hours: []string{"07:00-08:00", "20:00-24:00"}}, "2026-07-01T21:59:59Z", true},
		{"over midnight, before", scheduleJSON{Timezone: copenhagen, Weekdays: []string{"fri"}, Hours: []string{"22:00-05:00"}}, "2026-07-03T20:00:00Z", true},
		{"over midnight, after, belongs to Friday", scheduleJSON{Timezone: copenhagen, Weekdays: []string{"fri"}, Hours: []string{"22:00-05:00"}}, "2026-07-04T02:59:00Z", true},
		{"over midnight, Saturday evening", scheduleJSON{Timezone: copenhagen, Weekdays: []string{"fri"}, Hours: []string{"22:00-05:00"}}, "2026-07-04T21:00:00Z", false},
		{"over midnight, Friday early", scheduleJSON{Timezone: copenhagen, Weekdays: []string{"fri"}, Hours: []string{"22:00-05:00"}}, "2026-07-03T01:00:00Z", false},
		{"weekday is local", scheduleJSON{Timezone: copenhagen, Weekdays: []string{"mon"}}, "2026-07-05T22:30:00Z", true},
		{"date span, last day included", scheduleJSON{Timezone: copenhagen, Dates: []string{"2026-05-01/2026-09-30"}}, "2026-09-30T21:59:59Z", true},
		{"date span, day after", scheduleJSON{Timezone: copenhagen, Dates: []string{"2026-05-01/2026-09-30"}}, "2026-09-30T22:00:00Z", false},
		{"one date", scheduleJSON{Timezone: copenhagen, Dates: []string{"2026-05-01"}}, "2026-05-01T10:00:00Z", true},
		{"the hour that summer time skips", scheduleJSON{Timezone: copenhagen, Hours: []string{"02:00-03:00"}}, "2026-03-29T01:00:00Z", false},
		{"the hour that winter time doubles, first", scheduleJSON{Timezone: copenhagen, Hours: []string{"02:00-03:00"}}, "2026-10-25T00:30:00Z", true},
		{"the hour that winter time doubles, second", scheduleJSON{Timezone: copenhagen, Hours: []string{"02:00-03:00"}}, "2026-10-25T01:30:00Z", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			utc, err := time.Parse(time.RFC3339, tt.utc)
			if err != nil {
				t.Fatal(err)
			}
			if got := mustSchedule(t, tt.in).Allows(utc); got != tt.want {
				t.Errorf("Allows(%s) = %t, want %t", tt.utc, got, tt.want)
			}
		})
	}
}

func TestScheduleMistakes(t *testing.T) {
	c := complaints{path: "tasks[3]"}
	parseSchedule(&c, scheduleJSON{
		Timezone: "Europe/Kopenhagen",
		Weekdays: []string{"monday"},
		Hours:    []string{"7-15", "08:00-08:00", "24:00-03:00", "10:00"},
		Dates:    []string{"2026-13-01", "2026-05-02/2026-05-01"},
	})
	want := `tasks[3].schedule.timezone: must be an IANA time zone such as Europe/Copenhagen (got "Europe/Kopenhagen")
tasks[3].schedule.weekdays[0]: must be one of mon tue wed thu fri sat sun (got "monday")
tasks[3].schedule.hours[0]: must be a span such as 07:00-15:30 (got "7-15")
tasks[3].schedule.hours[1]: must be a span such as 07:00-15:30 (got "08:00-08:00")
tasks[3].schedule.hours[2]: must be a span such as 07:00-15:30 (got "24:00-03:00")
tasks[3].schedule.hours[3]: must be a span such as 07:00-15:30 (got "10:00")
tasks[3].schedule.dates[0]: must be a day or a span such as 2026-05-01/2026-09-30 (got "2026-13-01")
tasks[3].schedule.dates[1]: must be a day or a span such as 2026-05-01/2026-09-30 (got "2026-05-02/2026-05-01")`
	if got := c.err().Error(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestScheduleNeedsAZoneWhereItSpeaksOfDays(t *testing.T) {
	c := complaints{path: "tasks[0]"}
	parseSchedule(&c, scheduleJSON{Weekdays: []string{"mon"}})
	want := "tasks[0].schedule.timezone: must be given where weekdays, hours or dates are, such as Europe/Copenhagen"
	if got := c.err(); got == nil || got.Error() != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func FuzzParseSchedule(f *testing.F) {
	f.Add("Europe/Copenhagen", "mon", "07:00-15:30", "2026-05-01/2026-09-30", int64(1780000000))
	f.Add("", "", "", "", int64(0))
	f.Fuzz(func(t *testing.T, zone, day, hours, dates string, unix int64) {
		c := complaints{path: "tasks[0]"}
		s := parseSchedule(&c, scheduleJSON{zone, []string{day}, []string{hours}, []string{dates}})
		if c.err() == nil {
			s.Allows(time.Unix(unix%4e9, 0))
		}
	})
}
