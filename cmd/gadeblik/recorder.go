package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gadeblik/agent"
	"gadeblik/cmd/gadeblik/report"
	"gadeblik/uplink"
)

// recorder writes what a replay makes into a folder: observations.jsonl,
// decisions.csv and evidence/<id>.jpg. The same replay writes the same bytes.
type recorder struct {
	dir          string
	observations *os.File
	lines        *bufio.Writer
	decisions    *os.File
	rows         *csv.Writer
	err          error // of a decision that could not be written

	Observations []uplink.Observation
	track        []report.Point
	looks        []report.Look
}

// newRecorder starts in a folder that is empty or holds an earlier replay.
func newRecorder(dir string) (*recorder, error) {
	if err := clearReplay(dir); err != nil {
		return nil, err
	}
	r := &recorder{dir: dir}
	var err1, err2 error
	r.observations, err1 = os.Create(filepath.Join(dir, "observations.jsonl"))
	r.decisions, err2 = os.Create(filepath.Join(dir, "decisions.csv"))
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("start recording: %w", err)
	}
	r.lines, r.rows = bufio.NewWriter(r.observations), csv.NewWriter(r.decisions)
	r.err = r.rows.Write([]string{"utc", "event", "outcome", "lat", "lon", "speed_kmh", "hdop", "gate", "tasks"})
	return r, nil
}

// replayFiles is everything a replay leaves, and all it ever removes.
var replayFiles = [...]string{"observations.jsonl", "decisions.csv", "report.html", "summary.json"}

// checkOutput refuses a folder that holds anything but an earlier replay.
func checkOutput(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read output folder: %w", err)
	}
	earlier := slices.ContainsFunc(entries, func(e os.DirEntry) bool { return slices.Contains(replayFiles[:], e.Name()) })
	if len(entries) > 0 && !earlier {
		return fmt.Errorf("output folder %s holds other things; name an empty one with --out", dir)
	}
	return nil
}

// clearReplay makes the folder and removes what an earlier replay left in it.
func clearReplay(dir string) error {
	if err := checkOutput(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make output folder: %w", err)
	}
	errs := []error{os.RemoveAll(filepath.Join(dir, "evidence"))}
	for _, name := range replayFiles {
		if err := os.Remove(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	errs = append(errs, os.Mkdir(filepath.Join(dir, "evidence"), 0o755))
	return errors.Join(errs...)
}

// take is the pipeline's sink.
func (r *recorder) take(p agent.Product) error {
	line, err := json.Marshal(p.Observation)
	if err != nil {
		return fmt.Errorf("record observation: %w", err)
	}
	if _, err := r.lines.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("record observation: %w", err)
	}
	r.Observations = append(r.Observations, p.Observation)
	if p.Evidence == nil {
		return nil
	}
	name := filepath.Join(r.dir, "evidence", p.Observation.ID+".jpg")
	if err := os.WriteFile(name, p.Evidence.JPEG(), 0o644); err != nil {
		return fmt.Errorf("record evidence: %w", err)
	}
	return nil
}

// trace is the pipeline's trace.
func (r *recorder) trace(t agent.Trace) {
	event := "fix"
	if t.Frame {
		event = "frame"
	} else {
		r.track = append(r.track, report.Point{At: t.At, Lat: t.Fix.Lat, Lon: t.Fix.Lon, Valid: t.Fix.Valid, Reason: t.Decision.Reason})
	}
	if t.Outcome == agent.Looked {
		r.looks = append(r.looks, report.Look{At: t.At, Lat: t.Fix.Lat, Lon: t.Fix.Lon})
	}
	row := []string{
		t.At.UTC().Format("2006-01-02T15:04:05.000Z"), event, string(t.Outcome),
		"", "", "", "", t.Decision.Reason.String(), tasksOf(t),
	}
	if t.Fix.Valid {
		row[3], row[4] = decimal(t.Fix.Lat, 7), decimal(t.Fix.Lon, 7)
		if t.Fix.Speed >= 0 {
			row[5] = decimal(t.Fix.Speed*3.6, 1)
		}
		if t.Fix.HDOP > 0 {
			row[6] = decimal(t.Fix.HDOP, 2)
		}
	}
	if err := r.rows.Write(row); err != nil && r.err == nil {
		r.err = err
	}
}

func decimal(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }

// tasksOf writes each task's answer: "bins=open cars=quota".
func tasksOf(t agent.Trace) string {
	var b strings.Builder
	for i, td := range t.Decision.Tasks {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%s=%s", t.Plan.Tasks[td.Task].ID, td.Reason)
	}
	return b.String()
}

// close finishes the files. A file that could not be written whole is an error.
func (r *recorder) close() error {
	r.rows.Flush()
	return errors.Join(r.err, r.rows.Error(), r.lines.Flush(), r.observations.Close(), r.decisions.Close())
}

// report gathers what the report draws.
func (r *recorder) report(run *replayRun, s summary) (report.Report, error) {
	rep := report.Report{
		Drive: s.Drive, Started: s.Started, Version: s.Agent, Plan: run.plan,
		Track: r.track, Looks: r.looks, Counters: s.Counters, Warnings: s.Warnings,
	}
	for _, o := range r.Observations {
		if o.Kind != uplink.Finding {
			rep.Sums = append(rep.Sums, o)
			continue
		}
		jpeg, err := os.ReadFile(filepath.Join(r.dir, "evidence", o.ID+".jpg"))
		if err != nil {
			return rep, fmt.Errorf("draw report: %w", err)
		}
		rep.Found = append(rep.Found, report.Finding{Observation: o, JPEG: jpeg})
	}
	return rep, nil
}
