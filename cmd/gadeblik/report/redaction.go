package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"strings"
)

// Redaction is what the page of a redaction says. It holds no picture: the page lies
// beside the redacted ones and points to them. The same Redaction gives the same bytes.
type Redaction struct {
	Version string // of the agent
	Fill    string
	Margin  float64
	Labels  []string
	Models  []Model
	Rows    []Row
	Regions map[string]int // removed, by label

	Redacted, Failed, Skipped, Pending int
}

// Model is one of the models that looked, and how sure it had to be of what it finds.
type Model struct {
	Name, SHA256 string
	Finds        map[string]float64
}

// Row is what became of one file.
type Row struct {
	Path, Status, Reason string
	Width, Height        int
	Regions              map[string]int
}

// Link is where the redacted picture lies, as seen from the page.
func (r Row) Link() string { return (&url.URL{Path: "./" + r.Path}).String() }

//go:embed redaction.html
var redactionPage string

// maxRows bounds each table of the page; report.json has all.
const maxRows = 2000

// WriteRedaction draws the page.
func WriteRedaction(w io.Writer, r Redaction) error {
	t, err := template.New("redaction").Funcs(template.FuncMap{
		"join":   func(s []string) string { return strings.Join(s, ", ") },
		"margin": func(v float64) string { return fmt.Sprintf("%g", 100*v) },
	}).Parse(redactionPage)
	if err != nil {
		return fmt.Errorf("read the report's page: %w", err)
	}
	v := redactionView{Redaction: r, Style: template.CSS(style)}
	for i := range v.Tables {
		v.Tables[i] = r.table([...]string{"failed", "redacted", "skipped", "pending"}[i])
	}
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		return fmt.Errorf("draw report: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

type redactionView struct {
	Redaction
	Style  template.CSS
	Tables [4]rows // what failed comes first
}

// rows are the files of one status.
type rows struct {
	Status string
	Rows   []Row
	Hidden int
}

func (r Redaction) table(status string) rows {
	t := rows{Status: status}
	for _, row := range r.Rows {
		switch {
		case row.Status != status:
		case len(t.Rows) == maxRows:
			t.Hidden++
		default:
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}
