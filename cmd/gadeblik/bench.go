package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"gadeblik/agent"
	"gadeblik/blur"
	"gadeblik/inference"
	"gadeblik/inference/catalogue"
	"gadeblik/testdata"
)

// race is what `models bench` was asked for.
type race struct {
	loading
	image  string
	runs   int
	asJSON bool
}

func newModelsBench(std stdio) *cobra.Command {
	var r race
	c := &cobra.Command{
		Use:   "bench [NAME...]",
		Short: "Time whole looks of models, in turns",
		Long: `Time whole looks of models: fitting the picture in, running the model, reading
what it says. The models take turns, so that whatever else the machine does hurts
all alike; the ratio is the median of each round's, to the first model. Without
names: what is built in, and every model of the folder.`,
		Example: "  gadeblik models bench gadeblik_street yolox_nano --image street.jpg",
		RunE:    func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), std, args) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return catalogue.Present(r.dir), cobra.ShellCompDirectiveNoFileComp
		},
	}
	c.Flags().StringVar(&r.image, "image", "", "JPEG to look at (default: one of the bundled drive)")
	c.Flags().IntVar(&r.runs, "runs", 20, "looks of each model")
	c.Flags().IntVar(&r.threads, "threads", 1, "threads of one look")
	c.Flags().StringVar(&r.dir, "models", modelsFolder(), "folder of public models")
	c.Flags().StringVar(&r.lib, "onnxruntime", "", "ONNX Runtime library (default: found by itself)")
	c.Flags().BoolVar(&r.asJSON, "json", false, "print JSON lines")
	return c
}

func (r race) run(ctx context.Context, std stdio, names []string) error {
	if r.runs < 1 || r.threads < 1 {
		return usageError{fmt.Errorf("--runs and --threads must be at least 1 (got %d and %d)", r.runs, r.threads)}
	}
	src, err := r.picture()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		names = catalogue.Present(r.dir)
	}
	d, err := r.load(names)
	if err != nil {
		return err
	}
	took, err := r.turns(ctx, std, d.loaded, src)
	if err := errors.Join(err, d.close()); err != nil {
		return err
	}
	var laps []lap
	for i, det := range d.loaded {
		m := det.Manifest()
		laps = append(laps, lap{
			Model: m.Name, Width: m.Input.Width, Height: m.Input.Height, Bytes: d.bytes[i],
			Runs: r.runs, Threads: r.threads,
			Milliseconds: median(took[i]), Ratio: median(ratios(took[i], took[0])),
		})
	}
	return r.print(std, laps)
}

// picture is the one to look at.
func (r race) picture() (*blur.Source, error) {
	if r.image != "" {
		return readPicture(r.image)
	}
	frames, err := fs.Glob(testdata.Demo(), "frames/*.jpg")
	if err != nil {
		return nil, err
	}
	name := frames[len(frames)/2]
	raw, err := fs.ReadFile(testdata.Demo(), name)
	if err != nil {
		return nil, err
	}
	return decodePicture(name, raw)
}

// turns lets each model look once in each round and returns the milliseconds by
// model and round. A round before that warms caches up and is not counted.
func (r race) turns(ctx context.Context, std stdio, models []*inference.Detector, src *blur.Source) ([][]float64, error) {
	bar := newProgress(std, (r.runs+1)*len(models), "looking")
	defer bar.done()
	took := make([][]float64, len(models))
	var dets []inference.Detection
	for round := range r.runs + 1 {
		for i, m := range models {
			begin := time.Now()
			var err error
			if dets, err = agent.Look(ctx, m, src, dets[:0]); err != nil {
				return nil, err
			}
			if round > 0 {
				took[i] = append(took[i], time.Since(begin).Seconds()*1000)
			}
			bar.set(round*len(models) + i + 1)
		}
	}
	return took, nil
}

// lap is what `models bench --json` prints of one model.
type lap struct {
	Model        string  `json:"model"`
	Width        int     `json:"width"`
	Height       int     `json:"height"`
	Bytes        int     `json:"bytes"`
	Runs         int     `json:"runs"`
	Threads      int     `json:"threads"`
	Milliseconds float64 `json:"median_ms"`
	Ratio        float64 `json:"ratio"` // to the first model
}

func (r race) print(std stdio, laps []lap) error {
	if r.asJSON {
		enc := json.NewEncoder(std.out)
		for _, l := range laps {
			if err := enc.Encode(l); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tINPUT\tKB\tMS\tRATIO")
	for _, l := range laps {
		fmt.Fprintf(w, "%s\t%dx%d\t%d\t%.1f\t%.2f\n", l.Model, l.Width, l.Height, l.Bytes/1024, l.Milliseconds, l.Ratio)
	}
	return w.Flush()
}

// ratios divides round by round.
func ratios(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] / b[i]
	}
	return out
}

// median returns the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}
