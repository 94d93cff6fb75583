package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"gadeblik/cmd/gadeblik/report"
)

// report writes report.json and report.html. It has no time in it: the same pictures
// and settings give the same bytes.
func (r *redaction) report() error {
	t := count(r.pictures, r.labels)
	page := report.Redaction{Version: version, Fill: r.fill, Margin: r.margin, Labels: r.labels, Regions: t.Regions,
		Redacted: t.Redacted, Failed: t.Failed, Skipped: t.Skipped, Pending: t.Pending}
	for _, m := range r.settings.Models {
		page.Models = append(page.Models, report.Model{Name: m.Name, SHA256: m.SHA256, Finds: m.Finds})
	}
	for _, p := range r.pictures {
		row := report.Row{Path: p.Path, Status: string(p.Status), Reason: p.Reason, Width: p.Width, Height: p.Height, Regions: map[string]int{}}
		for class, boxes := range p.Regions {
			row.Regions[class] = len(boxes)
		}
		page.Rows = append(page.Rows, row)
	}
	raw, err := r.records(t)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	var html bytes.Buffer
	if err := report.WriteRedaction(&html, page); err != nil {
		return err
	}
	nothing := func() error { return nil }
	if err := r.album.replace(reportJSON, raw, nothing); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := r.album.replace(reportHTML, html.Bytes(), nothing); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// records is report.json: one line for each file, so that it can be read by eye and
// compared by line.
func (r *redaction) records(t totals) ([]byte, error) {
	used, err1 := json.MarshalIndent(r.settings, "  ", "  ")
	sums, err2 := json.Marshal(t)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n  \"settings\": %s,\n  \"totals\": %s,\n  \"pictures\": [", used, sums)
	for i, p := range r.pictures {
		line, err := json.Marshal(p.record)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n    %s", line)
	}
	b.WriteString("\n  ]\n}\n")
	return b.Bytes(), nil
}
