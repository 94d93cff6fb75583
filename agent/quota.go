package agent

import "time"

// quota counts the observations made per task and day. A task's day is the day
// of its own time zone.
type quota struct {
	restore func(day, task string) int // what was accepted before a restart; nil means nothing
	days    map[string]map[string]int  // by day, then task
	today   []taskDay                  // by number of task in the plan
}

// taskDay is one task's current day, so that asking costs no look-up.
type taskDay struct {
	task        *Task
	from, until time.Time
	name        string
	used        int
}

func newQuota(restore func(day, task string) int) *quota {
	return &quota{restore: restore, days: map[string]map[string]int{}}
}

// setPlan follows the tasks of a new plan; what was used stays used.
func (q *quota) setPlan(p *Plan) {
	q.today = nil
	if p == nil {
		return
	}
	q.today = make([]taskDay, len(p.Tasks))
	for i := range p.Tasks {
		q.today[i].task = &p.Tasks[i]
	}
}

// used returns how many observations task number n made on the day of utc.
func (q *quota) used(n int, utc time.Time) int { return q.current(n, utc).used }

// add counts one more.
func (q *quota) add(n int, utc time.Time) {
	d := q.current(n, utc)
	d.used++
	q.days[d.name][d.task.ID] = d.used
}

func (q *quota) current(n int, utc time.Time) *taskDay {
	d := &q.today[n]
	if utc.Before(d.until) && !utc.Before(d.from) {
		return d
	}
	local := utc.In(d.task.Schedule.Location())
	y, m, day := local.Date()
	d.from = time.Date(y, m, day, 0, 0, 0, 0, local.Location())
	d.until = time.Date(y, m, day+1, 0, 0, 0, 0, local.Location())
	d.name = local.Format(time.DateOnly)
	d.used = q.made(d.name, d.task.ID)
	return d
}

// maxDays bounds what is remembered: two days can be current at once, in two
// time zones, and a journey over midnight needs the one before.
const maxDays = 4

// made returns how many observations a task made on a day.
func (q *quota) made(day, task string) int {
	m, ok := q.days[day]
	if !ok {
		if len(q.days) >= maxDays {
			clear(q.days)
		}
		m = map[string]int{}
		q.days[day] = m
	}
	n, ok := m[task]
	if !ok && q.restore != nil {
		n = q.restore(day, task)
		m[task] = n
	}
	return n
}
