package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gadeblik/agent"
	"gadeblik/blur"
	"gadeblik/inference"
	"gadeblik/inference/catalogue"
)

// defaultModels is where models are fetched to on a desk; a vehicle's
// configuration names another folder.
const defaultModels = "build/models"

func newModels(std stdio) *cobra.Command {
	c := &cobra.Command{
		Use:   "models",
		Short: "List, fetch, verify, try and time the models that look",
		Long: `List, fetch, verify, try and time the models that look. Two of our own are built
in and need no download: gadeblik_street looks for what tasks name, gadeblik_privacy
finds the persons, faces and plates that are removed. Larger public ones come with
` + "`gadeblik models fetch`" + `; name their folder to replay, and themselves in the
configuration of run.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newModelsList(std), newModelsFetch(std), newModelsVerify(std), newModelsTry(std), newModelsBench(std))
	return c
}

func newModelsList(std stdio) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the catalogue: what each model finds, its size and licence",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return printCatalogue(std)
			}
			w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tFINDS\tINPUT\tKB\tLICENCE\tFROM")
			for _, m := range catalogue.Models() {
				finds, from := string(m.Task), "network"
				if labels := m.Labels(); len(labels) <= 3 {
					finds = strings.Join(labels, ", ")
				}
				switch {
				case m.BuiltIn():
					from = "built in"
				case m.MirrorOnly != "":
					from = "mirror only"
				}
				fmt.Fprintf(w, "%s\t%s\t%dx%d\t%d\t%s\t%s\n", m.Name, finds, m.Input.Width, m.Input.Height, m.Bytes/1024, m.Licence, from)
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// listed is a model as `models list --json` prints it.
type listed struct {
	Name    string   `json:"name"`
	Task    string   `json:"task"`
	Labels  []string `json:"labels"`
	Width   int      `json:"width"`
	Height  int      `json:"height"`
	File    string   `json:"file"`
	Bytes   int64    `json:"bytes"`
	SHA256  string   `json:"sha256"`
	Licence string   `json:"licence"`
	Source  string   `json:"source"`
	URLs    []string `json:"urls,omitempty"`
	Default bool     `json:"default"`
	BuiltIn bool     `json:"built_in"`
}

func printCatalogue(std stdio) error {
	var list []listed
	for _, m := range catalogue.Models() {
		list = append(list, listed{
			Name: m.Name, Task: string(m.Task), Labels: m.Labels(), Width: m.Input.Width, Height: m.Input.Height,
			File: m.File, Bytes: m.Bytes, SHA256: m.SHA256, Licence: m.Licence, Source: m.Source,
			URLs: m.URLs, Default: m.Default, BuiltIn: m.BuiltIn(),
		})
	}
	return json.NewEncoder(std.out).Encode(list)
}

func newModelsFetch(std stdio) *cobra.Command {
	var dir, mirror string
	c := &cobra.Command{
		Use:   "fetch [NAME...]",
		Short: "Fetch models into a folder, checked against the catalogue",
		Long: `Fetch models into a folder, each with its manifest, checked against the
catalogue's sha256. Without names: the larger public models that replay --models
takes beside what is built in. A mirror, a folder with the files, is asked before the
network; ../shared/models is one where it exists. A model that is built in is
written out, for whoever wants other thresholds: of two of one name, the folder's
is used.`,
		Example: "  gadeblik models fetch --dir /var/lib/gadeblik/models",
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return knownModels(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			fetched, err := fetchModels(cmd, std, args, catalogue.FetchOptions{Dir: dir, Mirror: mirror})
			for _, f := range fetched {
				from := f.From
				if from == "" {
					from = "already there"
				}
				fmt.Fprintf(std.out, "%s  %s (%s)\n", f.Name, f.Path, from)
			}
			return err
		},
	}
	c.Flags().StringVar(&dir, "dir", defaultModels, "folder to fetch into")
	c.Flags().StringVar(&mirror, "mirror", foundMirror(), "folder that is asked before the network")
	return c
}

// foundMirror returns the folder of models beside the project, if there is one.
func foundMirror() string {
	for _, dir := range []string{os.Getenv("GADEBLIK_SHARED"), "../shared"} {
		m := filepath.Join(dir, "models")
		if st, err := os.Stat(m); dir != "" && err == nil && st.IsDir() {
			return m
		}
	}
	return ""
}

func fetchModels(cmd *cobra.Command, std stdio, names []string, o catalogue.FetchOptions) ([]catalogue.Fetched, error) {
	var bar *progress
	current := ""
	o.Progress = func(p catalogue.Progress) {
		if p.Model != current {
			bar, current = newProgress(std, int(p.Total), "fetching "+p.Model), p.Model
		}
		bar.set(int(p.Done))
	}
	fetched, err := catalogue.Fetch(cmd.Context(), names, o)
	return fetched, hinted(err, "get the files elsewhere and name their folder with --mirror; `gadeblik models list` says which")
}

func newModelsVerify(std stdio) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "verify",
		Short: "Check every model, built in or in a folder, against its manifest",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("dir") && !exists(dir) {
				dir = "" // nobody has fetched any
			}
			good, err := catalogue.Verify(dir)
			for _, m := range good {
				fmt.Fprintf(std.out, "ok  %s  %s\n", m.Name, place(m))
			}
			return err
		},
	}
	c.Flags().StringVar(&dir, "dir", defaultModels, "folder of the models")
	return c
}

// place says where a model's file is.
func place(m inference.Manifest) string {
	if m.BuiltIn() {
		return "built in"
	}
	return m.Path()
}

// knownModels names every model of the catalogue.
func knownModels() []string {
	var names []string
	for _, m := range catalogue.Models() {
		names = append(names, m.Name)
	}
	return names
}

// seen is a detection as `models try --json` prints it.
type seen struct {
	File  string  `json:"file"`
	Label string  `json:"label"`
	Score float64 `json:"score"`
	Box   [4]int  `json:"box"` // left, top, right, bottom in pixels
	Model string  `json:"model"`
}

// trial is what `models try` was asked for.
type trial struct {
	model, dir, lib string
	score           float64
	asJSON          bool
}

func newModelsTry(std stdio) *cobra.Command {
	var t trial
	c := &cobra.Command{
		Use:   "try IMAGE...",
		Short: "Say what a model sees in JPEGs",
		Example: `  gadeblik models try street.jpg --model gadeblik_privacy --json
  gadeblik models try drives/*/frames/*.jpg --score 0.05 --json > seen.jsonl`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return t.run(cmd, std, args) },
	}
	c.Flags().StringVar(&t.model, "model", catalogue.Street, "model that is built in or in the folder")
	c.Flags().StringVar(&t.dir, "models", modelsFolder(), "folder of public models")
	c.Flags().StringVar(&t.lib, "onnxruntime", "", "ONNX Runtime library (default: found by itself)")
	c.Flags().Float64Var(&t.score, "score", 0, "report what scores at least this (default: the manifest's)")
	c.Flags().BoolVar(&t.asJSON, "json", false, "print JSON lines")
	err := c.RegisterFlagCompletionFunc("model", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return catalogue.Present(t.dir), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic("gadeblik: internal error: " + err.Error())
	}
	return c
}

func (t trial) run(cmd *cobra.Command, std stdio, files []string) error {
	l := loading{lib: t.lib, dir: t.dir, threads: 1}
	if cmd.Flags().Changed("score") {
		l.adjust = func(_ string, m inference.Manifest) inference.Manifest {
			m.Score, m.Scores = t.score, nil
			return m
		}
	}
	d, err := l.load([]string{t.model})
	if err != nil {
		return err
	}
	defer d.close()
	bar := newProgress(std, len(files), "looking")
	defer bar.done()
	var dets []inference.Detection
	for i, file := range files {
		src, err := readPicture(file)
		if err != nil {
			return err
		}
		if dets, err = agent.Look(cmd.Context(), d.byName[t.model], src, dets[:0]); err != nil {
			return err
		}
		if err := t.print(std, file, dets, len(files) > 1); err != nil {
			return err
		}
		bar.set(i + 1)
	}
	return nil
}

func readPicture(path string) (*blur.Source, error) {
	raw, err := readFile(path, "picture")
	if err != nil {
		return nil, err
	}
	return decodePicture(path, raw)
}

func decodePicture(name string, raw []byte) (*blur.Source, error) {
	src, err := blur.Open(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return src, nil
}

func (t trial) print(std stdio, file string, dets []inference.Detection, many bool) error {
	if t.asJSON {
		return printSeen(std, file, dets)
	}
	if many {
		if _, err := fmt.Fprintf(std.out, "%s\n", file); err != nil {
			return err
		}
	}
	if len(dets) == 0 {
		_, err := fmt.Fprintln(std.out, "nothing")
		return err
	}
	for _, d := range dets {
		if _, err := fmt.Fprintf(std.out, "%-16s %.3f  %v\n", d.Label, d.Score, d.Box); err != nil {
			return err
		}
	}
	return nil
}

func printSeen(std stdio, file string, dets []inference.Detection) error {
	enc := json.NewEncoder(std.out)
	for _, d := range dets {
		b := d.Box
		if err := enc.Encode(seen{file, d.Label, d.Score, [4]int{b.Min.X, b.Min.Y, b.Max.X, b.Max.Y}, d.Model}); err != nil {
			return err
		}
	}
	return nil
}
