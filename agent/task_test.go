package agent

import (
	"strings"
	"testing"
	"time"

	"gadeblik/uplink"
)

func TestPlanReportsEveryMistakeAtOnce(t *testing.T) {
	o, err := uplink.ParseOrders(document(
		task("bins", map[string]any{
			"purpose": " ", "action": "film", "min_score": 2, "uncertain_score": 0, "every_m": 0.1,
			"max_speed_kmh": -1, "quota_per_day": -4, "expires_after": "90d", "context": "blur",
			"redact": []string{"person", "dog"}, "dedup_m": 5000,
		}),
		task("people", map[string]any{"labels": []string{"bin", "person", "cyclist"}, "redact": []string{}}),
		task("nothing", map[string]any{"labels": []string{}, "expires_after": "10m"}),
	))
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewPlan(o, nil)
	want := `tasks[0].purpose: must say something: nobody may look without it
tasks[0].action: must be evidence, count or survey (got "film")
tasks[0].min_score: must be above 0 and at most 1 (got 2)
tasks[0].uncertain_score: must be above 0 and at most min_score 2 (got 0)
tasks[0].every_m: must be 0.5 to 10000 metres (got 0.1)
tasks[0].max_speed_kmh: must be 0 (no bound) to 200 (got -1)
tasks[0].dedup_m: must be 0 to 1000 metres (got 5000)
tasks[0].quota_per_day: must be 1 to 100000 (got -4)
tasks[0].expires_after: must be a duration such as 720h (got "90d")
tasks[0].context: must be coarse, crop or full (got "blur")
tasks[0].redact[1]: must be person, face or plate (got "dog")
tasks[1].redact: cannot be emptied: persons, faces and plates are always removed; leave it out
tasks[1].labels[1]: person can only be counted; use action count
tasks[1].labels[2]: cyclist can only be counted; use action count
tasks[2].labels: must name at least one thing to look for
tasks[2].expires_after: must be 1h to 8784h (got 10m)`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestTaskWordsFitIntoAnObservation(t *testing.T) {
	o, err := uplink.ParseOrders(document(task("bins", map[string]any{
		"purpose": strings.Repeat("x", 513), "notify": "two\nlines", "labels": []string{strings.Repeat("y", 65)},
	})))
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewPlan(o, nil)
	want := `tasks[0].purpose: must have at most 512 bytes (got 513)
tasks[0].notify: must be one line of printable characters (got "two\nlines")
tasks[0].labels[0]: must have at most 64 bytes (got 65)`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestPlanNeedsZonesThatExist(t *testing.T) {
	o, err := uplink.ParseOrders(document(task("bins", map[string]any{"zones": []string{"street", "alley"}})))
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewPlan(o, nil)
	want := `tasks[0].zones[1]: no feature has the id "alley"`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestPlanNeedsModelsThatKnowTheLabels(t *testing.T) {
	o, err := uplink.ParseOrders(document(
		task("bins", map[string]any{"labels": []string{"bin", "boat"}}),
		task("other", map[string]any{"models": map[string]any{"primary": "huge"}}),
	))
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewPlan(o, newSight().models())
	want := `tasks[0].labels[1]: looker does not find "boat"; it finds [bin car person]
tasks[1].models: this vehicle has no model "huge" (it has [faces looker persons plates])`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestTaskDefaults(t *testing.T) {
	p := planOf(t, newSight().models(), task("bins", map[string]any{"min_score": nil, "every_m": nil, "expires_after": nil}))
	got := p.Tasks[0]
	if got.MinScore != 0.5 || got.Every != 5 || got.Quota != 100 || got.ExpiresAfter != 30*24*time.Hour || got.Primary != "looker" || len(got.Redact) != 3 {
		t.Errorf("task = %+v", got)
	}
}

func TestModelsCheck(t *testing.T) {
	m := newSight().models()
	m.Primary = "huge"
	m.Redact = m.Redact[:2]
	m.Redact[1].Model = "persons"
	want := `models.detector: no model "huge" (there are [faces looker persons plates])
models.redact[1].model: persons does not find face (it finds [person])
models.redact: nothing finds plate, so no picture could be released; name a model for it`
	if err := m.Check(); err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func FuzzParseTask(f *testing.F) {
	f.Add(`{"id":"bins","purpose":"p","legal_basis":"l","controller":"c","zones":["z"],"labels":["bin"],"action":"evidence"}`)
	f.Add(`{"id":"bins","schedule":{"timezone":"Europe/Copenhagen","hours":["22:00-05:00"]},"expires_after":"720h"}`)
	f.Fuzz(func(t *testing.T, raw string) {
		task, err := parseTask([]byte(raw), 0)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Error("an error without a word")
			}
			return
		}
		if len(task.Redact) < 3 || task.Quota < 1 || task.Every <= 0 || task.ExpiresAfter <= 0 {
			t.Errorf("accepted %+v", task)
		}
	})
}
