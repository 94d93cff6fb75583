package agent

import (
	"testing"
	"time"
)

func TestQuotaFollowsTheTasksDay(t *testing.T) {
	task := Task{ID: "bins", Schedule: mustSchedule(t, scheduleJSON{Timezone: "Europe/Copenhagen"})}
	q := newQuota(func(day, task string) int {
		if day == "2026-07-01" && task == "bins" {
			return 3 // accepted before a restart
		}
		return 0
	})
	q.setPlan(&Plan{Tasks: []Task{task}})
	noon := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	if got := q.used(0, noon); got != 3 {
		t.Errorf("used = %d after a restart, want 3", got)
	}
	q.add(0, noon)
	if got := q.used(0, noon); got != 4 {
		t.Errorf("used = %d after one more, want 4", got)
	}
	if got := q.used(0, noon.Add(12*time.Hour)); got != 0 {
		t.Errorf("used = %d at local midnight, want 0", got)
	}
	if got := q.used(0, noon); got != 4 {
		t.Errorf("used = %d back on the first day, want 4", got)
	}
	q.setPlan(&Plan{Tasks: []Task{{ID: "other"}, task}})
	if got := q.used(1, noon); got != 4 {
		t.Errorf("used = %d under a new plan, want 4", got)
	}
	if n := testing.AllocsPerRun(100, func() { q.used(1, noon) }); n != 0 {
		t.Errorf("asking allocates %v times", n)
	}
}
