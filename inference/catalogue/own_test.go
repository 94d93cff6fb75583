package catalogue

import (
	"context"
	"encoding/json"
	"image"
	"image/jpeg"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"gadeblik/inference"
	"gadeblik/inference/onnx"
	"gadeblik/testdata"
)

// maxOwn is what the models may add to the program, in bytes.
const maxOwn = 6_000_000

func TestOwnModelsAreWhatTheirManifestsSay(t *testing.T) {
	total := int64(0)
	for i, m := range own() {
		if Models()[i].Name != m.Name {
			t.Errorf("%s does not come first in the catalogue", m.Name)
		}
		data, err := m.Read()
		if err != nil {
			t.Error(err)
		}
		if int64(len(data)) != m.Bytes || m.Path() != "" || len(m.URLs) > 0 {
			t.Errorf("%s: %d bytes of %d, path %q, addresses %v", m.Name, len(data), m.Bytes, m.Path(), m.URLs)
		}
		if m.Licence != "Apache-2.0" {
			t.Errorf("%s: licence %s, want that of the project", m.Name, m.Licence)
		}
		total += m.Bytes
	}
	if total == 0 || total > maxOwn {
		t.Errorf("%d bytes in all, want at most %d", total, maxOwn)
	}
	if files, err := fs.Glob(ownFiles, "own/*.onnx"); err != nil || len(files) != len(own()) {
		t.Errorf("files %v (%v), %d manifests", files, err, len(own()))
	}
	privacy, err := Find(Privacy)
	if err != nil {
		t.Fatal(err)
	}
	for _, label := range []string{"person", "face", "plate"} {
		if !slices.Contains(privacy.Labels(), label) {
			t.Errorf("%s finds no %s, so no picture could be released", Privacy, label)
		}
	}
	if _, err := Find(Street); err != nil {
		t.Error(err)
	}
}

func TestEveryModelHasANameOfItsOwn(t *testing.T) {
	all := names(Models())
	slices.Sort(all)
	if once := slices.Compact(slices.Clone(all)); len(once) != len(all) {
		t.Errorf("a name is there twice: %v", all)
	}
}

func TestBuiltInNamesWhatIsWrong(t *testing.T) {
	manifest := func(text string) fstest.MapFS { return fstest.MapFS{"own/m.yaml": {Data: []byte(text)}} }
	good, err := fs.ReadFile(ownFiles, "own/"+Street+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		files      fstest.MapFS
	}{
		{"no manifest", "manifest m.yaml: name: must be ", manifest("name: ''\n")},
		{"no weights", "manifest m.yaml: open " + Street + ".onnx: file does not exist", manifest(string(good))},
	} {
		if _, err := builtIn(c.files); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	damaged := manifest(string(good))
	damaged["own/"+Street+".onnx"] = &fstest.MapFile{Data: []byte("damaged")}
	models, err := builtIn(damaged)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := models[0].Read(); data != nil || err == nil || !strings.HasSuffix(err.Error(), "; build the program again, from a clean checkout") {
		t.Errorf("damaged weights: %d bytes, %v", len(data), err)
	}
}

// detector loads a model that is built in, or skips where nothing could run it.
func detector(t *testing.T, name string) *inference.Detector {
	t.Helper()
	lib, err := onnx.Find("")
	if err != nil {
		t.Skip(err)
	}
	rt, err := onnx.Open(lib)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Load("", name)
	if err != nil {
		t.Fatal(err)
	}
	data, err := m.Read()
	if err != nil {
		t.Fatal(err)
	}
	session, err := rt.Load(m, data, 2)
	if err != nil {
		t.Fatal(err)
	}
	d, err := inference.NewDetector(m, session)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestOwnModelsLook(t *testing.T) {
	for _, m := range own() {
		t.Run(m.Name, func(t *testing.T) {
			frame := frames(t)[0]
			d := detector(t, m.Name)
			dets, err := d.Detect(context.Background(), inference.Whole(picture(t, frame)), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range dets {
				if !slices.Contains(m.Labels(), x.Label) || x.Model != m.Name {
					t.Errorf("%+v", x)
				}
			}
		})
	}
}

// frames names the pictures of the bundled drive.
func frames(t *testing.T) []string {
	t.Helper()
	all, err := fs.Glob(testdata.Demo(), "frames/*.jpg")
	if err != nil || len(all) == 0 {
		t.Fatalf("%d frames: %v", len(all), err)
	}
	return all
}

func picture(t *testing.T, name string) *image.YCbCr {
	t.Helper()
	f, err := testdata.Demo().Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := jpeg.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img.(*image.YCbCr)
}

// The bars that the models have to hold on the bundled drive: the share of what is drawn, and
// not nearly hidden, that they find as surely as their manifests ask.
func TestOwnModelsSeeTheBundledDrive(t *testing.T) {
	const (
		overlap = 0.3  // intersection over union from which on a box is that of the thing
		shown   = 0.25 // share of the thing that shows; truth.json also tells of slivers
	)
	marks := truth(t)
	for _, c := range []struct {
		model, label string
		least        int // pixels of height; what is lower is not asked for
		bar          float64
	}{
		{Privacy, "person", 48, 0.8},
		{Privacy, "plate", 12, 0.8},
		{Street, "container", 24, 0.6},
	} {
		t.Run(c.label, func(t *testing.T) {
			d := detector(t, c.model)
			there, found := 0, 0
			for _, name := range frames(t) {
				dets, err := d.Detect(context.Background(), inference.Whole(picture(t, name)), nil)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range marks[path.Base(name)] {
					if m.Class != c.label || m.Shown < shown || m.box().Dy() < c.least {
						continue
					}
					there++
					if slices.ContainsFunc(dets, func(x inference.Detection) bool { return x.Label == c.label && iou(x.Box, m.box()) >= overlap }) {
						found++
					}
				}
			}
			t.Logf("found %d of %d", found, there)
			if there == 0 || float64(found) < c.bar*float64(there) {
				t.Errorf("found %d of %d, want %v of them", found, there, c.bar)
			}
		})
	}
}

// mark is what truth.json says of one thing in one picture.
type mark struct {
	Class string
	Box   [4]int
	Shown float64
}

func (m mark) box() image.Rectangle { return image.Rect(m.Box[0], m.Box[1], m.Box[2], m.Box[3]) }

// truth returns what is drawn in each frame of the bundled drive.
func truth(t *testing.T) map[string][]mark {
	t.Helper()
	raw, err := fs.ReadFile(testdata.Demo(), "truth.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Frames map[string][]mark }
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	return all.Frames
}

func iou(a, b image.Rectangle) float64 {
	area := func(r image.Rectangle) float64 { return float64(r.Dx()) * float64(r.Dy()) }
	in := area(a.Intersect(b))
	return in / (area(a) + area(b) - in)
}
