package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gadeblik/blur"
	"gadeblik/cmd/gadeblik/config"
)

// redactOptions are the flags of redact.
type redactOptions struct {
	out, models, lib, fill                             string
	labels                                             []string
	threads, jobs                                      int
	margin, minScore                                   float64
	force, resume, withReport, dryRun, asJSON, quietly bool
}

// The flags' own names for what package blur knows.
const (
	fillVeil  = "veil"
	fillSolid = "solid"
	// usualMargin is what blur takes where nothing is asked for; less of it
	// uncovers hair, chins and the frames of plates.
	usualMargin = 0.12
)

// redactLabels are the classes that are removed, in the order of every list.
func redactLabels() []string {
	return []string{string(blur.Person), string(blur.Face), string(blur.Plate)}
}

func newRedact(std stdio) *cobra.Command {
	var o redactOptions
	c := &cobra.Command{
		Use:   "redact IN... --out DIR",
		Short: "Remove persons, faces and number plates from JPEGs",
		Long: `Remove persons, faces and number plates from JPEGs: files, and every JPEG below
folders. A picture keeps its name and its place below IN, in DIR, and is whole but
for those who were in it: what stands in their place is computed from what
surrounds them. Nothing else of the file survives: no EXIF, no position, no
thumbnail. A picture that its EXIF data says is stored turned is set upright.

A picture that cannot be redacted is not written. It is named with its reason,
the others go on, and the exit code is 1. IN is never written to, files that are
no JPEGs are named and never copied, and links to folders are not followed.

A picture that is in DIR already is not overwritten. --resume leaves what an
earlier run made of the same picture with the same settings, and makes the rest;
with --force all is made anew. DIR/.gadeblik-redact.jsonl remembers for --resume
what was made, and how.

What no model sees is not removed. The models are those built in; with --models
the best of that folder look too, and more is found. docs/redact.md says more.`,
		Example: `  gadeblik redact photographs --out redacted --report
  gadeblik redact photographs --out redacted --models build/models --resume
  gadeblik redact a.jpg b.jpg --out redacted --fill solid --json
  gadeblik redact photographs --out redacted --dry-run`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), std, args) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"jpg", "jpeg", "JPG", "JPEG"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	o.flags(c)
	o.complete(c)
	return c
}

func (o *redactOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVarP(&o.out, "out", "o", "", "folder to write into (required)")
	f.StringSliceVar(&o.labels, "labels", redactLabels(), "what is removed; fewer leave people in the picture")
	f.StringVar(&o.models, "models", "", "folder of models that look too (default: those built in alone)")
	f.StringVar(&o.lib, "onnxruntime", "", "ONNX Runtime library (default: found by itself)")
	f.IntVar(&o.threads, "threads", 1, "threads of one detection")
	f.IntVar(&o.jobs, "jobs", 1, "pictures at a time; each more takes its own models into memory")
	f.StringVar(&o.fill, "fill", fillVeil, "what is painted: veil (continues the surroundings) or solid (grey)")
	f.Float64Var(&o.margin, "margin", usualMargin, "part of its size that a box grows by on each side, up to 2")
	f.Float64Var(&o.minScore, "min-score", 0, "remove also what a model is less sure of, down to this (default: the manifests')")
	f.BoolVar(&o.resume, "resume", false, "go on with an earlier run")
	f.BoolVar(&o.force, "force", false, "make anew what is in DIR already")
	f.BoolVar(&o.withReport, "report", false, "write DIR/report.json and, for people, DIR/report.html")
	f.BoolVar(&o.dryRun, "dry-run", false, "look at everything and write nothing")
	f.BoolVar(&o.asJSON, "json", false, "print a JSON line for each file, and one for the totals")
	f.BoolVarP(&o.quietly, "quiet", "q", false, "print nothing but what went wrong")
	if err := c.MarkFlagRequired("out"); err != nil {
		panic("gadeblik: internal error: " + err.Error())
	}
}

func (o *redactOptions) complete(c *cobra.Command) {
	folders := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	err := errors.Join(
		c.RegisterFlagCompletionFunc("out", folders),
		c.RegisterFlagCompletionFunc("models", folders),
		c.RegisterFlagCompletionFunc("fill", cobra.FixedCompletions([]string{fillVeil, fillSolid}, cobra.ShellCompDirectiveNoFileComp)),
		c.RegisterFlagCompletionFunc("labels", func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
			return moreLabels(begun), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		}),
	)
	if err != nil {
		panic("gadeblik: internal error: " + err.Error())
	}
}

// moreLabels completes the last word of a list with each label that is not in it.
func moreLabels(begun string) []string {
	before := begun[:strings.LastIndex(begun, ",")+1]
	var out []string
	for _, l := range redactLabels() {
		if !slices.Contains(strings.Split(before, ","), l) {
			out = append(out, before+l)
		}
	}
	return out
}

// request checks the flags and returns what is asked of package blur. Every
// mistake is reported at once.
func (o *redactOptions) request() (blur.Request, error) {
	req := blur.Request{Context: blur.Full, Margin: o.margin}
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch o.fill {
	case fillVeil:
		req.Fill = blur.Veil
	case fillSolid:
		req.Fill = blur.Solid
	default:
		wrong("--fill: must be %s or %s (got %q)", fillVeil, fillSolid, o.fill)
	}
	errs = append(errs, o.checkLabels())
	if !(o.margin > 0 && o.margin <= 2) { // the negation refuses NaN too
		wrong("--margin: must be above 0 and at most 2 (got %v)", o.margin)
	}
	if !(o.minScore >= 0 && o.minScore < 1) {
		wrong("--min-score: must be at least 0 and below 1 (got %v)", o.minScore)
	}
	if o.threads < 1 || o.jobs < 1 {
		wrong("--threads and --jobs must be at least 1 (got %d and %d)", o.threads, o.jobs)
	}
	if o.out == "" {
		wrong("--out: must name a folder")
	}
	if o.force && o.resume {
		wrong("--force makes all anew and --resume what is missing: give one of them")
	}
	if o.dryRun && o.withReport {
		wrong("--dry-run writes nothing, so no --report: --json prints the same records")
	}
	if err := errors.Join(errs...); err != nil {
		return req, usageError{err}
	}
	return req, nil
}

// checkLabels brings the labels into their order, each once.
func (o *redactOptions) checkLabels() error {
	var errs []error
	known := redactLabels()
	for _, l := range o.labels {
		if slices.Contains(known, l) {
			continue
		}
		say := fmt.Sprintf("--labels: nothing finds %q; there are %s", l, strings.Join(known, ", "))
		if near := config.Nearest(l, known); near != "" {
			say += "; did you mean " + near + "?"
		}
		errs = append(errs, errors.New(say))
	}
	if len(o.labels) == 0 {
		errs = append(errs, fmt.Errorf("--labels: must name at least one of %s", strings.Join(known, ", ")))
	}
	o.labels = slices.DeleteFunc(known, func(l string) bool { return !slices.Contains(o.labels, l) })
	return errors.Join(errs...)
}

// warnings are what somebody must know who asks for less than there is. They are
// printed even by --quiet.
func (o *redactOptions) warnings() []string {
	var out []string
	if left := slices.DeleteFunc(redactLabels(), func(l string) bool { return slices.Contains(o.labels, l) }); len(left) > 0 {
		out = append(out, fmt.Sprintf("only %s is removed: every %s stays in the pictures, which are not fit to be given away",
			strings.Join(o.labels, " and "), strings.Join(left, " and ")))
	}
	if o.margin < usualMargin {
		out = append(out, fmt.Sprintf("a margin of %v uncovers hair, chins and the frames of plates; %v is usual", o.margin, usualMargin))
	}
	return out
}
