package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manualOptions are the flags of `man`.
type manualOptions struct {
	configuration string
	date          string
}

// newManual writes the manual for the packages. It is hidden: who reads the manual
// has it, and who has not has --help.
func newManual() *cobra.Command {
	var o manualOptions
	c := &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages into a folder",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE:   func(cmd *cobra.Command, args []string) error { return o.write(cmd.Root(), args[0]) },
	}
	c.Flags().StringVar(&o.configuration, "configuration", "", "example configuration to make gadeblik.yaml.5 of")
	c.Flags().StringVar(&o.date, "date", "", "date of the pages, such as 2026-05-01 (default: today)")
	return c
}

func (o manualOptions) write(root *cobra.Command, dir string) error {
	if o.date == "" {
		o.date = time.Now().UTC().Format(time.DateOnly)
	}
	if _, err := time.Parse(time.DateOnly, o.date); err != nil {
		return usageError{fmt.Errorf("--date: must be a day such as 2026-05-01 (got %s)", o.date)}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write manual: %w", err)
	}
	pages := map[string]string{}
	for _, c := range documented(root) {
		pages[pageName(c)+".1"] = commandPage(c, o.date)
	}
	if o.configuration != "" {
		raw, err := readFile(o.configuration, "example configuration")
		if err != nil {
			return err
		}
		pages["gadeblik.yaml.5"] = configurationPage(string(raw), o.date)
	}
	for name, page := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(page), 0o644); err != nil {
			return fmt.Errorf("write manual: %w", err)
		}
	}
	return nil
}

// documented lists c and the commands below it that people call, parents first.
func documented(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		if !sub.Hidden && sub.Name() != "help" && sub.Name() != "completion" {
			all = append(all, documented(sub)...)
		}
	}
	return all
}

// pageName is what a command's page is called: gadeblik-orders-sign.
func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// roff collects a page. What is written as text never becomes a request.
type roff struct{ strings.Builder }

// escaped is text as roff prints it.
func escaped(text string) string {
	text = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, "`", `\(ga`, `^`, `\(ha`, `~`, `\(ti`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}

func (r *roff) request(name string, args ...string) {
	r.WriteString("." + name)
	for _, a := range args {
		r.WriteString(` "` + strings.ReplaceAll(escaped(a), `"`, `\(dq`) + `"`)
	}
	r.WriteByte('\n')
}

// text writes paragraphs; lines that are indented stay as they are.
func (r *roff) text(s string) {
	verbatim, begun := false, false
	for line := range strings.Lines(strings.TrimSpace(s)) {
		line = strings.TrimRight(line, "\n")
		indented := strings.HasPrefix(line, "  ")
		switch {
		case indented && !verbatim:
			r.WriteString(".PP\n.EX\n")
		case !indented && verbatim:
			r.WriteString(".EE\n.PP\n")
		}
		if line == "" && begun && !verbatim {
			r.WriteString(".PP\n")
		}
		verbatim, begun = indented, line != ""
		if line != "" {
			r.WriteString(escaped(line) + "\n")
		}
	}
	if verbatim {
		r.WriteString(".EE\n")
	}
}

// example writes lines as they are.
func (r *roff) example(s string) {
	r.WriteString(".EX\n")
	for line := range strings.Lines(strings.TrimRight(s, "\n") + "\n") {
		r.WriteString(escaped(strings.TrimRight(line, "\n")) + "\n")
	}
	r.WriteString(".EE\n")
}

func (r *roff) title(name, section, date string) {
	r.request("TH", strings.ToUpper(name), section, date, "gadeblik "+version, "Gadeblik")
}

func commandPage(c *cobra.Command, date string) string {
	var r roff
	r.title(pageName(c), "1", date)
	r.request("SH", "NAME")
	r.WriteString(escaped(pageName(c)) + ` \- ` + escaped(lowerFirst(c.Short)) + "\n")
	r.request("SH", "SYNOPSIS")
	r.example(c.UseLine())
	r.request("SH", "DESCRIPTION")
	long := c.Long
	if long == "" {
		long = c.Short + "."
	}
	r.text(long)
	r.flags("OPTIONS", c.NonInheritedFlags())
	r.flags("OPTIONS OF ALL ITS COMMANDS", c.InheritedFlags())
	if c.Example != "" {
		r.request("SH", "EXAMPLES")
		r.example(c.Example)
	}
	r.request("SH", "EXIT STATUS")
	r.text("0 where all went well, 1 where something failed, 2 where it was called wrongly.")
	r.seeAlso(c)
	return r.String()
}

// lowerFirst is a sentence as NAME wants it: without a capital.
func lowerFirst(s string) string {
	if len(s) > 1 && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

func (r *roff) flags(heading string, flags *pflag.FlagSet) {
	begun := false
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		if !begun {
			r.request("SH", heading)
			begun = true
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		kind, usage := pflag.UnquoteUsage(f)
		if kind != "" {
			name += " " + kind
		}
		r.WriteString(".TP\n\\fB" + escaped(name) + "\\fR\n" + escaped(usage))
		if shown := defaultOf(f); shown != "" {
			r.WriteString(escaped(" (default: " + shown + ")"))
		}
		r.WriteByte('\n')
	})
}

// defaultOf is what a flag is without being given, or "" where that says nothing or
// its usage says it.
func defaultOf(f *pflag.Flag) string {
	if slices.Contains([]string{"", "false", "0", "[]", "0s"}, f.DefValue) || strings.Contains(f.Usage, "(default") {
		return ""
	}
	return f.DefValue
}

func (r *roff) seeAlso(c *cobra.Command) {
	var names []string
	if c.HasParent() {
		names = append(names, pageName(c.Parent())+"(1)")
	}
	for _, sub := range documented(c)[1:] {
		if sub.Parent() == c {
			names = append(names, pageName(sub)+"(1)")
		}
	}
	names = append(names, "gadeblik.yaml(5)")
	r.request("SH", "SEE ALSO")
	for i, n := range names {
		end := ","
		if i == len(names)-1 {
			end = ""
		}
		page, section, _ := strings.Cut(n, "(")
		r.WriteString(".BR " + escaped(page) + " (" + section + end + "\n")
	}
}

// configurationPage makes gadeblik.yaml(5) of the example, which explains itself: its
// first comment is the description, each of its sections a section here.
func configurationPage(example, date string) string {
	var r roff
	r.title("gadeblik.yaml", "5", date)
	r.request("SH", "NAME")
	r.WriteString("gadeblik.yaml \\- configuration of one vehicle computer\n")
	r.request("SH", "SYNOPSIS")
	r.example("/etc/gadeblik/gadeblik.yaml")
	blocks := strings.Split(strings.TrimSpace(example), "\n\n")
	r.request("SH", "DESCRIPTION")
	if comment, rest := leadingComment(blocks[0]); rest == "" {
		r.text(comment)
		blocks = blocks[1:]
	}
	r.request("SH", "KEYS")
	for _, b := range blocks {
		comment, rest := leadingComment(b)
		key, _, _ := strings.Cut(rest, ":")
		r.request("SS", key)
		if comment != "" {
			r.text(comment)
			r.WriteString(".PP\n")
		}
		r.example(rest)
	}
	r.request("SH", "FILES")
	r.example("/usr/share/doc/gadeblik/examples/gadeblik.yaml")
	r.request("SH", "SEE ALSO")
	r.WriteString(".BR gadeblik\\-run (1),\n.BR gadeblik\\-check (1),\n.BR gadeblik\\-doctor (1)\n")
	return r.String()
}

// leadingComment splits the comment that a block begins with from the rest.
func leadingComment(block string) (comment, rest string) {
	var text, lines []string
	s := bufio.NewReader(strings.NewReader(block))
	for {
		line, err := s.ReadString('\n')
		line = strings.TrimRight(line, "\n")
		if said, is := strings.CutPrefix(line, "#"); is && len(lines) == 0 {
			text = append(text, strings.TrimPrefix(said, " "))
		} else if line != "" {
			lines = append(lines, line)
		}
		if err == io.EOF {
			return strings.Join(text, "\n"), strings.Join(lines, "\n")
		}
	}
}
