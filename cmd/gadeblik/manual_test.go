package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// manual makes the manual as a package does, and returns its pages by name.
func manual(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	var out, errs bytes.Buffer
	args := []string{"man", dir, "--date", "2026-05-01", "--configuration", filepath.Join(repository(t), "configs", "gadeblik.yaml")}
	if code := execute(t.Context(), args, stdio{in: strings.NewReader(""), out: &out, err: &errs}); code != exitOK {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	pages := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		pages[e.Name()] = string(raw)
	}
	return pages
}

func TestManualHasEveryCommandAndEveryFlag(t *testing.T) {
	pages := manual(t)
	root := newRoot(stdio{})
	for _, c := range documented(root) {
		page := pages[pageName(c)+".1"]
		for _, piece := range []string{".TH \"" + strings.ToUpper(escaped(pageName(c))) + "\" \"1\"", `.SH "SYNOPSIS"`, `.SH "EXIT STATUS"`, escaped(c.UseLine())} {
			if !strings.Contains(page, piece) {
				t.Errorf("%s.1 lacks %q", pageName(c), piece)
			}
		}
		for line := range strings.Lines(c.NonInheritedFlags().FlagUsages()) {
			_, flag, _ := strings.Cut(line, "--")
			flag, _, _ = strings.Cut(flag, " ")
			if flag != "help" && !strings.Contains(page, escaped("--"+flag)) {
				t.Errorf("%s.1 lacks --%s", pageName(c), flag)
			}
		}
		for _, sub := range c.Commands() {
			if !sub.Hidden && !strings.Contains(page, `.BR `+escaped(pageName(sub))+` (1)`) && sub.Name() != "help" && sub.Name() != "completion" {
				t.Errorf("%s.1 does not point to %s", pageName(c), pageName(sub))
			}
		}
	}
	if len(pages) != len(documented(root))+1 {
		t.Errorf("%d pages, want one for each of %d commands and the configuration", len(pages), len(documented(root)))
	}
	if _, there := pages["gadeblik-man.1"]; there {
		t.Error("the hidden command is in the manual")
	}
}

// The configuration's page is the example: nothing of it is lost.
func TestManualHasTheWholeConfiguration(t *testing.T) {
	page := manual(t)["gadeblik.yaml.5"]
	raw, err := os.ReadFile(filepath.Join(repository(t), "configs", "gadeblik.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		said := strings.TrimRight(line, "\n")
		if strings.HasPrefix(said, "#") {
			said = strings.TrimPrefix(strings.TrimPrefix(said, "#"), " ")
		}
		if !strings.Contains(page, escaped(said)) {
			t.Errorf("gadeblik.yaml.5 lacks %q", said)
		}
	}
}

func TestManualEscapesWhatRoffWouldObey(t *testing.T) {
	var r roff
	r.text(".SH is no heading\nback\\slash, 'quote', --flag\n\n  .verbatim\nplain")
	want := "\\&.SH is no heading\nback\\eslash, \\(aqquote\\(aq, \\-\\-flag\n.PP\n.PP\n.EX\n  .verbatim\n.EE\n.PP\nplain\n"
	if got := r.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, page := range manual(t) {
		for line := range strings.Lines(page) {
			request, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			if strings.HasPrefix(line, ".") && !strings.Contains(".TH .SH .SS .PP .EX .EE .TP .BR", request) || strings.HasPrefix(line, "'") {
				t.Errorf("roff would take %q for a request", line)
			}
		}
	}
}

func TestManualTakesADay(t *testing.T) {
	var errs bytes.Buffer
	code := execute(t.Context(), []string{"man", t.TempDir(), "--date", "1.5.2026"}, stdio{in: strings.NewReader(""), out: &errs, err: &errs})
	if want := "gadeblik: --date: must be a day such as 2026-05-01 (got 1.5.2026)\n"; code != exitUsage || !strings.HasPrefix(errs.String(), want) {
		t.Errorf("exit code %d, %q, want %d, %q", code, errs.String(), exitUsage, want)
	}
}
