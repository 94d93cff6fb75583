package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gadeblik/agent"
	"gadeblik/blur"
	"gadeblik/cmd/gadeblik/config"
	"gadeblik/inference"
	"gadeblik/inference/catalogue"
)

// removed is a choice of models for what is always removed: the built-in one, and
// beside it others where they are named.
func removed(person, face, plate string) []agent.RedactModel {
	var all []agent.RedactModel
	for _, m := range []agent.RedactModel{{Class: blur.Person, Model: person}, {Class: blur.Face, Model: face}, {Class: blur.Plate, Model: plate}} {
		all = append(all, agent.RedactModel{Class: m.Class, Model: catalogue.Privacy})
		if m.Model != "" {
			all = append(all, m)
		}
	}
	return all
}

func again(class blur.Class, model string) []agent.RedactModel {
	return []agent.RedactModel{{Class: class, Model: model}}
}

func TestChooseModels(t *testing.T) {
	street := again(blur.Person, catalogue.Street)
	street[0].MinScore = config.Defaults().Models.SecondLook[0].MinScore
	own := choice{catalogue.Street, removed("", "", ""), street}
	for _, tt := range []struct {
		name  string
		files []string
		want  choice
	}{
		{"an empty folder", nil, own},
		{"files that nobody knows", []string{"mine.onnx", "gadeblik_street.onnx"}, own},
		{"a manifest without its file", []string{"yunet_n.yaml"}, own},
		{"plates alone", []string{"en_PP-OCRv3_det.onnx"},
			choice{catalogue.Street, removed("", "", "en_PP-OCRv3_det"), street}},
		{"public models", []string{"yolox_nano_416.onnx", "yunet_n_dynamic.onnx", "en_PP-OCRv3_det.onnx"},
			choice{"yolox_nano", removed("yolox_nano", "yunet_n_1280x736", "en_PP-OCRv3_det"), street}},
		{"the best", []string{"yolox_nano_416.onnx", "yolox_nano_dyn.onnx", "yolox_nano_container.onnx", "yunet_n_dynamic.onnx", "en_PP-OCRv3_det.onnx"},
			choice{"yolox_nano_container", removed("yolox_nano_960x544", "yunet_n_1280x736", "en_PP-OCRv3_det"), street}},
		{"other weights for a second look", []string{"yunet_n_dynamic.onnx", "yunet_s_dynamic.onnx", "ch_PP-OCRv3_det.onnx"},
			choice{catalogue.Street, removed("", "yunet_n_1280x736", ""),
				slices.Concat(street, again(blur.Face, "yunet_s_1280x736"), again(blur.Plate, "ch_PP-OCRv3_det"))}},
	} {
		dir := t.TempDir()
		for _, name := range tt.files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("weights"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if d := cmp.Diff(tt.want, chooseModels(dir), cmp.AllowUnexported(choice{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
	if d := cmp.Diff(own, chooseModels(""), cmp.AllowUnexported(choice{})); d != "" {
		t.Errorf("without a folder (-want +got):\n%s", d)
	}
	// The configuration cannot ask the catalogue what is built in: it says so again.
	if d := cmp.Diff(own, chosen(config.Defaults().Models), cmp.AllowUnexported(choice{})); d != "" {
		t.Errorf("the configuration's defaults (-want +got):\n%s", d)
	}
}

// Where the folder's model does not know a word, the one that is built in may.
func TestLackingLabels(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "yolox_nano_416.onnx"), []byte("weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := chooseModels(dir)
	for label, want := range map[string][]string{"car": nil, "couch": nil, "container": {catalogue.Street}, "dragon": {catalogue.Street}} {
		if d := cmp.Diff(want, c.lacking(dir, []string{"car", label})); d != "" {
			t.Errorf("%s (-want +got):\n%s", label, d)
		}
	}
}

// Orders in the words of public models bring the folder of these in, and no others do.
func TestFolderForLabels(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("GADEBLIK_SHARED", dir)
	asked := []string{"truck", "bus", "bicycle", "bus"}
	if got, _ := folderFor(asked); got != "" {
		t.Errorf("without a folder of models: %q", got)
	}
	if err := os.MkdirAll("models", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("models/yolox_nano_416.onnx", []byte("weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, foreign := folderFor(asked)
	if want := filepath.Join(dir, "models"); got != want || !slices.Equal(foreign, []string{"bicycle", "bus"}) {
		t.Errorf("folder %q for %v, want %q for bicycle and bus", got, foreign, want)
	}
	for _, labels := range [][]string{{"truck", "container"}, {"bus", "dragon"}, nil} {
		if got, _ := folderFor(labels); got != "" {
			t.Errorf("%v: folder %q, want none", labels, got)
		}
	}
}

// A lower score than the manifest's lets the model report more; a higher one is for
// the agent to apply, since tasks may ask the same model.
func TestConfiguredScoresReachTheModel(t *testing.T) {
	c := choice{"all", []agent.RedactModel{
		{Class: blur.Person, Model: "all", MinScore: 0.1}, {Class: blur.Person, Model: "all", MinScore: 0.2}, {Class: blur.Person, Model: "other", MinScore: 0.01},
		{Class: blur.Face, Model: "all", MinScore: 0.9}, {Class: blur.Plate, Model: "all"},
	}, []agent.RedactModel{{Class: blur.Person, Model: "second", MinScore: 0.05}}}
	m := c.adjust("all", inference.Manifest{Classes: []string{"person", "face", "plate", "car"}, Score: 0.3, Scores: map[string]float64{"plate": 0.25}})
	want := map[string]float64{"person": 0.1, "face": 0.3, "plate": 0.25, "car": 0.3}
	for label, score := range want {
		if got := m.ScoreOf(label); got != score {
			t.Errorf("%s: score %v, want %v", label, got, score)
		}
	}
	m = c.adjust("second", inference.Manifest{Classes: []string{"person", "cyclist", "car"}, Score: 0.3})
	if m.ScoreOf("person") != 0.05 || m.ScoreOf("cyclist") != 0.05 || m.ScoreOf("car") != 0.3 {
		t.Errorf("scores %v of the second look, want 0.05 for persons and cyclists, who are persons", m.Scores)
	}
	if m := c.adjust("all", inference.Manifest{Classes: []string{"car"}, Score: 0.3}); len(m.Scores) != 0 {
		t.Errorf("scores %v for what the model does not find", m.Scores)
	}
}

// The orders that come with the program can be obeyed with the models that do.
func TestBundledOrdersAskForWhatIsBuiltIn(t *testing.T) {
	cfg := config.Defaults()
	models, err := checkModels(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	root := repository(t)
	for _, path := range []string{"configs/orders.geojson", "testdata/drives/demo/orders.geojson"} {
		raw, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
		if err != nil {
			t.Fatal(err)
		}
		o, err := parseAnyOrders(path, raw)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := agent.NewPlan(o, models); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestMedianOfRatios(t *testing.T) {
	a, b := []float64{30, 10, 80}, []float64{10, 10, 20}
	if got := median(ratios(a, b)); got != 3 {
		t.Errorf("got %v, want 3, the ratio of the middle round", got)
	}
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("got %v, want 2.5", got)
	}
}
