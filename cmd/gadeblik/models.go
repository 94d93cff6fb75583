package main

import (
	"encoding/json"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

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
		Short: "List, fetch, verify and try the models that look",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newModelsList(std), newModelsFetch(std), newModelsVerify(std), newModelsTry(std))
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
				if len(m.Labels()) == 1 {
					finds = m.Labels()[0]
				}
				if m.MirrorOnly != "" {
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
}

func printCatalogue(std stdio) error {
	var list []listed
	for _, m := range catalogue.Models() {
		list = append(list, listed{
			Name: m.Name, Task: string(m.Task), Labels: m.Labels(), Width: m.Input.Width, Height: m.Input.Height,
			File: m.File, Bytes: m.Bytes, SHA256: m.SHA256, Licence: m.Licence, Source: m.Source,
			URLs: m.URLs, Default: m.Default,
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
catalogue's sha256. Without names: what an agent needs. A mirror, a folder with
the files, is asked before the network; ../shared/models is one where it exists.`,
		Example: "  gadeblik models fetch --dir /var/lib/gadeblik/models",
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
		Short: "Check every model in a folder against its manifest",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			good, err := catalogue.Verify(dir)
			for _, m := range good {
				fmt.Fprintf(std.out, "ok  %s  %s\n", m.Name, m.Path())
			}
			return err
		},
	}
	c.Flags().StringVar(&dir, "dir", defaultModels, "folder of the models")
	return c
}

// seen is a detection as `models try --json` prints it.
type seen struct {
	Label string  `json:"label"`
	Score float64 `json:"score"`
	Box   [4]int  `json:"box"` // left, top, right, bottom in pixels
	Model string  `json:"model"`
}

func newModelsTry(std stdio) *cobra.Command {
	var dir, name, lib string
	var asJSON bool
	c := &cobra.Command{
		Use:     "try IMAGE",
		Short:   "Say what a model sees in a JPEG",
		Example: "  gadeblik models try street.jpg --model yolox_nano --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			img, err := readPicture(args[0])
			if err != nil {
				return err
			}
			loaded, err := loadDetectors(lib, dir, 1, []string{name})
			if err != nil {
				return err
			}
			defer loaded.close()
			dets, err := loaded.byName[name].Detect(cmd.Context(), img, nil)
			if err != nil {
				return err
			}
			return printSeen(std, dets, asJSON)
		},
	}
	c.Flags().StringVar(&name, "model", "yolox_nano", "model of the folder or the catalogue")
	c.Flags().StringVar(&dir, "models", modelsFolder(), "folder of the models")
	c.Flags().StringVar(&lib, "onnxruntime", "", "ONNX Runtime library (default: found by itself)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON lines")
	return c
}

func readPicture(path string) (*image.YCbCr, error) {
	raw, err := readFile(path, "picture")
	if err != nil {
		return nil, err
	}
	src, err := blur.Open(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return src.Planes(), nil
}

func printSeen(std stdio, dets []inference.Detection, asJSON bool) error {
	if !asJSON && len(dets) == 0 {
		_, err := fmt.Fprintln(std.out, "nothing")
		return err
	}
	enc := json.NewEncoder(std.out)
	for _, d := range dets {
		s := seen{d.Label, d.Score, [4]int{d.Box.Min.X, d.Box.Min.Y, d.Box.Max.X, d.Box.Max.Y}, d.Model}
		var err error
		if asJSON {
			err = enc.Encode(s)
		} else {
			_, err = fmt.Fprintf(std.out, "%-16s %.3f  %v\n", s.Label, s.Score, s.Box)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
