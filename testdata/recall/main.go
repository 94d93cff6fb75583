// Command recall measures what redaction removes from real pictures, and what it misses.
//
//	go run ./testdata/recall [--all] [--json] [--doc docs/redaction.md]
//
// It redacts the annotated photographs that lie beside the repository in several ways:
// the product's own with the built-in model, with the models of the example
// configuration and with the largest there are, and the way of a common tool that looks
// for faces once. It then says of each way which share of annotated persons, faces and
// number plates is gone, what other models still find in the result, and how much of a
// picture is lost for it. The pictures are those that no built-in model was taught with.
//
// With --doc it writes its tables between two marked lines of a document. The same
// pictures and models give the same tables. No picture leaves memory.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "recall:", err)
		os.Exit(1)
	}
}

// options are the flags that are not a run's own.
type options struct {
	all, json bool
	doc       string
}

func newCommand() *cobra.Command {
	var (
		r run
		o options
	)
	c := &cobra.Command{
		Use: "recall", Short: "Measure what redaction removes, and what it misses", Args: cobra.NoArgs,
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c, &r) },
	}
	shared := os.Getenv("GADEBLIK_SHARED")
	if shared == "" {
		shared = "../shared"
	}
	f := c.Flags()
	f.StringVar(&r.shared, "pictures", shared, "folder of annotated pictures")
	f.StringSliceVar(&r.models, "models", []string{shared + "/models", "build/models"}, "folders of public models, looked through in order")
	f.StringVar(&r.labels, "labels", "inference/training/labels", "folder of what humans said of the pictures")
	f.StringVar(&r.config, "config", "configs/gadeblik.yaml", "configuration whose redaction is the example")
	f.StringVar(&r.only, "only", "", "measure pictures alone whose path has this in it")
	f.IntVar(&r.every, "every", 2, "other models look at one picture of a set in so many")
	f.IntVar(&r.workers, "workers", min(2, runtime.NumCPU()), "pictures at a time")
	f.BoolVar(&o.all, "all", false, "other models look at every picture")
	f.BoolVar(&o.json, "json", false, "print the figures, every object's fate and every hit as JSON instead of tables")
	f.StringVar(&o.doc, "doc", "", "write the tables into this document")
	return c
}

func (o options) run(c *cobra.Command, r *run) error {
	if o.all {
		r.every = 1
	}
	if r.every < 1 || r.workers < 1 {
		return fmt.Errorf("--every and --workers must be at least 1 (got %d and %d)", r.every, r.workers)
	}
	jobs, err := r.jobs()
	if err != nil {
		return err
	}
	r.witness = witnesses()
	done := follow(c.ErrOrStderr(), len(jobs), r)
	found, err := r.measure(c.Context(), jobs)
	done()
	if err != nil {
		return err
	}
	rep, err := newReport(r, found)
	if err != nil {
		return err
	}
	return o.write(c.OutOrStdout(), rep)
}

func (o options) write(w io.Writer, rep *report) error {
	if o.doc != "" {
		if err := intoDocument(o.doc, rep.markdown()); err != nil {
			return err
		}
	}
	if o.json {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(rep)
	}
	if o.doc != "" {
		return nil
	}
	_, err := io.WriteString(w, rep.markdown())
	return err
}

// follow shows a bar on a terminal and nothing elsewhere.
func follow(w io.Writer, total int, r *run) (done func()) {
	r.step = func() {}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func() {}
	}
	bar := progressbar.NewOptions(total,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("pictures"), progressbar.OptionShowCount(),
		progressbar.OptionThrottle(65*time.Millisecond), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
	// A terminal that cannot be written to is no reason to stop.
	r.step = func() { _ = bar.Add(1) }
	return func() { _ = bar.Finish() }
}
