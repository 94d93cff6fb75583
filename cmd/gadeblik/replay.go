package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gadeblik/agent"
	"gadeblik/capture"
	"gadeblik/cmd/gadeblik/report"
	"gadeblik/gps"
	"gadeblik/uplink"
)

// replayOptions are the flags of replay.
type replayOptions struct {
	drive, orders, models, lib, out, vehicle string
	threads                                  int
}

func newReplay(std stdio) *cobra.Command {
	var o replayOptions
	c := &cobra.Command{
		Use:   "replay DRIVE",
		Short: "Play a recorded drive through the same pipeline, and report",
		Long: `Play a recorded drive, a folder or an MCAP file, through the pipeline that runs
on the vehicle. Into the folder named by --out come observations.jsonl,
decisions.csv (every answer of the gate with its reason), evidence/<id>.jpg,
summary.json, and report.html to show people. The same drive, orders and models
give the same bytes.

The models are those built in. With --models the best of that folder look too:
` + "`gadeblik models fetch`" + ` brings larger public ones into build/models, where they are
found without being named if the orders ask for what only they find.`,
		Example: "  gadeblik replay ../shared/drives/amsterdam_bags --out /tmp/bags",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.drive = args[0]
			s, err := replay(cmd.Context(), std, o)
			if err != nil {
				return err
			}
			return s.print(std, o.out)
		},
	}
	o.flags(c)
	c.Flags().StringVarP(&o.out, "out", "o", "", "folder to write into (required)")
	if err := c.MarkFlagRequired("out"); err != nil {
		panic("gadeblik: internal error: " + err.Error())
	}
	return c
}

func (o *replayOptions) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.orders, "orders", "", "orders, signed or not (default: the drive's own)")
	c.Flags().StringVar(&o.models, "models", "", "folder of models that look too (default: those built in alone)")
	c.Flags().StringVar(&o.lib, "onnxruntime", "", "ONNX Runtime library (default: found by itself)")
	c.Flags().StringVar(&o.vehicle, "vehicle", "replay", "pseudonym of the vehicle in the observations")
	c.Flags().IntVar(&o.threads, "threads", 1, "threads of one detection")
}

// summary is what summary.json says.
type summary struct {
	Drive        string            `json:"drive"`
	Started      time.Time         `json:"started"`
	Orders       uint64            `json:"orders_version"`
	Agent        string            `json:"agent"`
	Models       []string          `json:"models"`
	Counters     agent.Counters    `json:"counters"`
	Gate         map[string]uint64 `json:"gate"`
	GPS          gps.Counters      `json:"gps"`
	Observations int               `json:"observations"`
	Evidence     int               `json:"evidence"`
	Warnings     []string          `json:"warnings,omitempty"`
}

// replayRun is one replay under way.
type replayRun struct {
	drive  *capture.Drive
	plan   *agent.Plan
	models *agent.Models
	rec    *recorder
	// also, if set, gets every product after the recorder.
	also func(agent.Product) error
}

// replay plays a drive and writes everything the replay leaves.
func replay(ctx context.Context, std stdio, o replayOptions) (summary, error) {
	return replayInto(ctx, std, o, nil)
}

// replayInto finds what is wrong with the drive, the orders and the output folder
// before it loads the models, which takes longest.
func replayInto(ctx context.Context, std stdio, o replayOptions, also func(agent.Product) error) (summary, error) {
	drive, err := capture.OpenDrive(o.drive)
	if err != nil {
		return summary{}, err
	}
	orders, name, err := replayOrders(drive, o.orders)
	if err != nil {
		return summary{}, err
	}
	if _, err := agent.NewPlan(orders, nil); err != nil {
		return summary{}, fmt.Errorf("%s: %w", name, err)
	}
	if err := errors.Join(checkFolder(o.models), checkOutput(o.out)); err != nil {
		return summary{}, err
	}
	named, labels := wantedOf(orders)
	if o.models == "" {
		var foreign []string
		if o.models, foreign = folderFor(labels); o.models != "" {
			fmt.Fprintf(std.err, "note: only public models find %s: those of %s look too\n", strings.Join(foreign, ", "), o.models)
		}
	}
	c := chooseModels(o.models)
	l := loading{lib: o.lib, dir: o.models, threads: o.threads}
	models, loaded, err := c.open(l, append(named, c.lacking(o.models, labels)...))
	if err != nil {
		return summary{}, err
	}
	defer loaded.close() // read from only
	// A slow machine must not change what comes out: the time limit is for the
	// vehicle, where a hung model would stop everything else.
	models.Timeout = 10 * time.Minute
	plan, err := agent.NewPlan(orders, models)
	if err != nil {
		return summary{}, hinted(fmt.Errorf("%s: %w", name, err), "ask for what these models find, or bring others: `gadeblik models fetch`, then --models %s", defaultModels)
	}
	rec, err := newRecorder(o.out)
	if err != nil {
		return summary{}, err
	}
	run := replayRun{drive: drive, plan: plan, models: models, rec: rec, also: also}
	s, err := run.play(ctx, std, o)
	if err := errors.Join(err, rec.close()); err != nil {
		return summary{}, err
	}
	return s, run.finish(o.out, s)
}

// replayOrders reads the orders given, or the drive's own, and says what to call
// them. A replay obeys unsigned orders: it looks at nothing that was not looked at
// already.
func replayOrders(d *capture.Drive, path string) (o *uplink.Orders, name string, err error) {
	var raw []byte
	if path != "" {
		name = path
		raw, err = readFile(path, "orders")
	} else {
		name = "the drive's orders.geojson"
		raw, err = d.Orders()
	}
	if err != nil {
		return nil, name, err
	}
	if raw == nil {
		return nil, name, hinted(fmt.Errorf("drive %s has no orders.geojson", d.Path), "name orders with --orders FILE")
	}
	o, err = parseAnyOrders(name, raw)
	return o, name, err
}

// parseAnyOrders reads orders as GeoJSON, or out of an envelope whose signatures
// do not matter here.
func parseAnyOrders(name string, raw []byte) (*uplink.Orders, error) {
	if payload, ok := uplink.UnverifiedPayload(raw); ok {
		raw = payload
	}
	o, err := uplink.ParseOrders(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return o, nil
}

// checkFolder demands that a folder of models that somebody named is there.
func checkFolder(dir string) error {
	if dir == "" {
		return nil
	}
	if _, err := os.ReadDir(dir); err != nil {
		return hinted(fmt.Errorf("read models folder: %w", err), "%s", fetchInto(dir))
	}
	return nil
}

// wantedOf returns the models that orders name, and what the tasks look for that
// name none.
func wantedOf(o *uplink.Orders) (models, labels []string) {
	for _, raw := range o.Tasks {
		var t struct {
			Labels []string
			Models struct{ Primary, Fallback string }
		}
		if json.Unmarshal(raw, &t) != nil {
			continue // NewPlan reports what is wrong with it
		}
		models = append(models, t.Models.Primary, t.Models.Fallback)
		if t.Models.Primary == "" {
			labels = append(labels, t.Labels...)
		}
	}
	return models, labels
}

func (r *replayRun) play(ctx context.Context, std stdio, o replayOptions) (summary, error) {
	bar := newProgress(std, r.drive.Frames, "replaying "+r.drive.Name)
	defer bar.done()
	result, err := agent.Replay(ctx, agent.ReplayConfig{
		Drive: r.drive, Plan: r.plan, Progress: bar.set,
		Pipeline: agent.PipelineConfig{
			Vehicle: o.vehicle, Version: version, Models: r.models,
			Sink: r.take, Trace: r.rec.trace,
		},
	})
	if err != nil {
		return summary{}, err
	}
	s := summary{
		Drive: r.drive.Name, Started: r.drive.Started, Orders: r.plan.Version, Agent: version,
		Counters: result.Counters, Gate: result.Counters.Reasons(), GPS: result.GPS,
		Observations: len(r.rec.Observations), Warnings: r.drive.Warnings,
	}
	for _, m := range r.models.Names() {
		s.Models = append(s.Models, m+" "+r.models.Detectors[m].Manifest().SHA256)
	}
	s.Evidence = int(result.Counters.Findings)
	return s, nil
}

func (r *replayRun) take(p agent.Product) error {
	if err := r.rec.take(p); err != nil || r.also == nil {
		return err
	}
	return r.also(p)
}

// finish writes the summary and draws the report.
func (r *replayRun) finish(dir string, s summary) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "summary.json"), append(raw, '\n'), 0o644); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	rep, err := r.rec.report(r, s)
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "report.html"))
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return errors.Join(report.Write(f, rep), f.Close())
}

func (s summary) print(std stdio, dir string) error {
	c := s.Counters
	_, err := fmt.Fprintf(std.out, `%s: %d frames, %d forgotten unread, %d looked at
  %d observations, %d with a picture; %d persons, %d faces, %d plates removed
  second looks at %d pictures: %d redacted further, %d dropped
  show people  %s
  evidence     %s
`,
		s.Drive, c.Frames, c.Closed+c.Skipped, c.Looked,
		s.Observations, s.Evidence, c.Persons, c.Faces, c.Plates,
		c.SecondLooks, c.Grown, c.StillVisible,
		filepath.Join(dir, "report.html"), filepath.Join(dir, "evidence"))
	return err
}
