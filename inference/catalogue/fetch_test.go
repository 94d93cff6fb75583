package catalogue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gadeblik/inference"
)

const weightsText = "these are the weights"

// server serves weights over TLS: /good whole, /cut short, /long too long, /wrong other bytes, /down to
// plain HTTP, /hang until the client goes.
func server(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	text := func(path, body string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
	}
	text("/good", weightsText)
	text("/long", weightsText+strings.Repeat("!", 1<<20))
	text("/short", weightsText[1:])
	text("/wrong", strings.ToUpper(weightsText))
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "21")
		_, _ = w.Write([]byte("these"))
	})
	mux.HandleFunc("/down", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://example.org/weights", http.StatusFound)
	})
	mux.HandleFunc("/round", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/round", http.StatusFound) })
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	s := httptest.NewTLSServer(mux)
	t.Cleanup(s.Close)
	return s
}

// model is one whose file can be had at the given addresses.
func model(name string, urls ...string) Model {
	sum := sha256.Sum256([]byte(weightsText))
	m := Model{Bytes: int64(len(weightsText)), URLs: urls, Default: true}
	if len(urls) == 0 {
		m.MirrorOnly = "Nobody publishes it."
	}
	m.Manifest = inference.Manifest{
		Name: name, File: "weights.onnx", SHA256: hex.EncodeToString(sum[:]), Task: inference.TaskFaces,
		Licence: "Apache-2.0", Source: "a test",
		Input:   inference.Input{Name: "input", Width: 640, Height: 384, Colour: "bgr", Std: [3]float64{1, 1, 1}},
		Decoder: inference.DecoderYuNet, Classes: []string{"face"}, Score: 0.4, NMS: 0.45,
	}
	return m
}

// files lists a folder with the contents of the models and the hour of each file.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		raw, err := os.ReadFile(path)
		all[d.Name()] = info.ModTime().String() + " " + info.Mode().String() + " " + string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFetchFromTheNetwork(t *testing.T) {
	s := server(t)
	dir := filepath.Join(t.TempDir(), "state", "models")
	known := []Model{model("faces", s.URL+"/missing", s.URL+"/good"), model("faces_large", s.URL+"/good")}
	known[1].Input.Width, known[1].Input.Height = 1280, 736
	var progress []Progress
	o := FetchOptions{Dir: dir, Client: s.Client(), Progress: func(p Progress) { progress = append(progress, p) }}
	got, err := fetch(context.Background(), known, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	want := []Fetched{
		{"faces", filepath.Join(dir, "faces.yaml"), s.URL + "/good"},
		{"faces_large", filepath.Join(dir, "faces_large.yaml"), ""}, // the file is shared
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if n := len(progress); n == 0 || progress[n-1] != (Progress{"faces", s.URL + "/good", 21, 21}) {
		t.Errorf("progress %+v", progress)
	}
	good, err := verifyFolder(dir)
	if err != nil || len(good) != 2 || good[0].Input.Width != 640 || good[1].Input.Width != 1280 {
		t.Errorf("verify: %v, %v", good, err)
	}

	before := files(t, dir)
	if len(before) != 3 {
		t.Errorf("%d files, want weights and two manifests", len(before))
	}
	o.Client = nil // nothing is asked of the network
	got, err = fetch(context.Background(), known, nil, o)
	if err != nil || got[0].From != "" || got[1].From != "" {
		t.Errorf("second time: %v, %v", got, err)
	}
	if d := cmp.Diff(before, files(t, dir)); d != "" {
		t.Errorf("second time: %s", d)
	}
}

func TestFetchFromAMirror(t *testing.T) {
	mirror, dir := t.TempDir(), t.TempDir()
	write(t, filepath.Join(mirror, "weights.onnx"), weightsText)
	known := []Model{model("faces", "https://localhost:1/never-asked"), model("own")}
	got, err := fetch(context.Background(), known, []string{"own", "faces"}, FetchOptions{Dir: dir, Mirror: mirror})
	if err != nil {
		t.Fatal(err)
	}
	want := []Fetched{
		{"own", filepath.Join(dir, "own.yaml"), filepath.Join(mirror, "weights.onnx")},
		{"faces", filepath.Join(dir, "faces.yaml"), ""},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	info, err := os.Stat(filepath.Join(dir, "weights.onnx"))
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestFetchPassesADamagedMirrorOver(t *testing.T) {
	s := server(t)
	mirror, dir := t.TempDir(), t.TempDir()
	write(t, filepath.Join(mirror, "weights.onnx"), strings.ToUpper(weightsText))
	got, err := fetch(context.Background(), []Model{model("faces", s.URL+"/good")}, nil, FetchOptions{Dir: dir, Mirror: mirror, Client: s.Client()})
	if err != nil || got[0].From != s.URL+"/good" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestFetchReplacesWhatIsWrongAndKeepsWhatWasChanged(t *testing.T) {
	s := server(t)
	dir := t.TempDir()
	known := []Model{model("faces", s.URL+"/good")}
	o := FetchOptions{Dir: dir, Client: s.Client()}
	weights, manifest := filepath.Join(dir, "weights.onnx"), filepath.Join(dir, "faces.yaml")
	run := func(from string) {
		t.Helper()
		got, err := fetch(context.Background(), known, nil, o)
		if err != nil {
			t.Fatal(err)
		}
		if got[0].From != from {
			t.Errorf("from %q, want %q", got[0].From, from)
		}
	}
	score := func() float64 {
		t.Helper()
		m, err := inference.LoadManifest(manifest)
		if err != nil {
			t.Fatal(err)
		}
		return m.Score
	}
	write(t, weights, "damaged")
	write(t, manifest, "damaged: true\n")
	run(s.URL + "/good")
	if got := score(); got != 0.4 {
		t.Errorf("score %v", got)
	}
	raw, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	write(t, manifest, strings.Replace(string(raw), "score: 0.4", "score: 0.25", 1))
	run("")
	if got := score(); got != 0.25 {
		t.Errorf("a changed threshold was overwritten with %v", got)
	}
	write(t, manifest, strings.Replace(string(raw), known[0].SHA256, strings.Repeat("0", 64), 1))
	run("")
	if _, err := Verify(dir); err != nil {
		t.Errorf("a manifest of other bytes was kept: %v", err)
	}
}

func TestFetchErrors(t *testing.T) {
	s := server(t)
	mirror := t.TempDir()
	for _, c := range []struct {
		name  string
		model Model
		want  string // %s is the server
	}{
		{"not there", model("m", s.URL+"/missing"), "fetch model m: get %s/missing: 404 Not Found"},
		{"too long", model("m", s.URL+"/long"), "fetch model m: get %s/long: larger than the 21 bytes it should have"},
		{"too short", model("m", s.URL+"/short"), "fetch model m: get %s/short: 20 bytes, want 21"},
		{"cut off", model("m", s.URL+"/cut"), "fetch model m: get %s/cut: unexpected EOF"},
		{"other bytes", model("m", s.URL+"/wrong"), "fetch model m: get %s/wrong: sha256 81879fb531a7…, want 1f37de1efe65…"},
		{"redirected to plain HTTP", model("m", s.URL+"/down"),
			"fetch model m: get %s/down: redirected to http://example.org/weights, which is not https"},
		{"redirected for ever", model("m", s.URL+"/round"), "fetch model m: get %s/round: redirected more than 5 times"},
		{"every way", model("m", s.URL+"/missing", s.URL+"/wrong"),
			"fetch model m: get %s/missing: 404 Not Found; get %s/wrong: sha256 81879fb531a7…, want 1f37de1efe65…"},
		{"mirror only", model("m"),
			"fetch model m: only a mirror has weights.onnx: Nobody publishes it. Put it into a folder and name that with --mirror"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			got, err := fetch(context.Background(), []Model{c.model}, []string{"m"}, FetchOptions{Dir: dir, Client: s.Client()})
			want := strings.ReplaceAll(c.want, "%s", s.URL)
			if err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if left := files(t, dir); len(left) != 0 || len(got) != 0 {
				t.Errorf("left behind %v, returned %v", left, got)
			}
		})
	}
	t.Run("not in the mirror", func(t *testing.T) {
		_, err := fetch(context.Background(), []Model{model("m")}, []string{"m"}, FetchOptions{Dir: t.TempDir(), Mirror: mirror})
		want := "fetch model m: mirror: open " + filepath.Join(mirror, "weights.onnx") + ": no such file or directory; " +
			"only a mirror has weights.onnx: Nobody publishes it. Put it into a folder and name that with --mirror"
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
	t.Run("one of two", func(t *testing.T) {
		dir := t.TempDir()
		bad := model("bad", s.URL+"/wrong")
		bad.File = "bad.onnx"
		got, err := fetch(context.Background(), []Model{bad, model("good", s.URL+"/good")}, nil, FetchOptions{Dir: dir, Client: s.Client()})
		if err == nil || len(got) != 1 || got[0].Name != "good" {
			t.Errorf("got %v, %v", got, err)
		}
	})
	t.Run("unknown names come before any work", func(t *testing.T) {
		_, err := fetch(context.Background(), []Model{model("good", s.URL+"/good")}, []string{"good", "x", "y"}, FetchOptions{Dir: filepath.Join(t.TempDir(), "new")})
		want := "fetch models: model \"x\" is not in the catalogue, which has good\nmodel \"y\" is not in the catalogue, which has good"
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
	t.Run("no folder", func(t *testing.T) {
		_, err := fetch(context.Background(), nil, nil, FetchOptions{})
		if err == nil || err.Error() != "fetch models: no folder to put them" {
			t.Errorf("got %v", err)
		}
	})
}

func TestFetchEndsWithItsContext(t *testing.T) {
	s := server(t)
	dir := t.TempDir()
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("the operator pressed control-C")
	client := s.Client()
	inner := client.Transport
	client.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		cancel(why) // while the request is under way
		return inner.RoundTrip(r)
	})
	_, err := fetch(ctx, []Model{model("m", s.URL+"/hang", s.URL+"/good")}, nil, FetchOptions{Dir: dir, Client: client})
	want := "fetch model m: get " + s.URL + "/hang: " + why.Error()
	if err == nil || err.Error() != want || !errors.Is(err, why) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left behind %v", left)
	}
}

func TestFetchGivesUpWhenNothingArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			trickle := readerFunc(func(p []byte) (int, error) {
				<-r.Context().Done()
				return 0, r.Context().Err()
			})
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(trickle), Request: r}, nil
		})}
		start := time.Now()
		_, err := fetch(t.Context(), []Model{model("m", "https://example.org/m")}, nil, FetchOptions{Dir: t.TempDir(), Client: client})
		want := "fetch model m: get https://example.org/m: nothing arrived for 45s"
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		if took := time.Since(start); took != stalled {
			t.Errorf("took %v, want %v", took, stalled)
		}
	})
}

func TestFetchReadsNoMoreThanItShould(t *testing.T) {
	read := 0
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		endless := readerFunc(func(p []byte) (int, error) {
			if read += len(p); read > 1<<20 {
				return 0, errors.New("asked for a megabyte")
			}
			return len(p), nil
		})
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(endless), Request: r}, nil
	})}
	_, err := fetch(t.Context(), []Model{model("m", "https://example.org/m")}, nil, FetchOptions{Dir: t.TempDir(), Client: client})
	want := "fetch model m: get https://example.org/m: larger than the 21 bytes it should have"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestFetchGivesUpWhenTooLittleArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			trickle := readerFunc(func(p []byte) (int, error) {
				select {
				case <-r.Context().Done():
					return 0, r.Context().Err()
				case <-time.After(stalled * 2 / 3):
					return copy(p[:1], "x"), nil
				}
			})
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(trickle), Request: r}, nil
		})}
		m := model("m", "https://example.org/m")
		m.Bytes = 1 << 20
		_, err := fetch(t.Context(), []Model{m}, nil, FetchOptions{Dir: t.TempDir(), Client: client})
		want := "fetch model m: get https://example.org/m: not finished after 30m0s"
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestVerifyNamesWhatIsWrong(t *testing.T) {
	s := server(t)
	dir := t.TempDir()
	if _, err := Verify(dir); err == nil || err.Error() != "verify models: no manifest in "+dir+"; fetch some with `gadeblik models fetch`" {
		t.Errorf("got %v", err)
	}
	if _, err := Verify(filepath.Join(dir, "no")); err == nil || !strings.HasPrefix(err.Error(), "verify models: open ") {
		t.Errorf("got %v", err)
	}
	if _, err := fetch(context.Background(), []Model{model("good", s.URL+"/good")}, nil, FetchOptions{Dir: dir, Client: s.Client()}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "good.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "bad.yaml"), strings.Replace(string(raw), "weights.onnx", "bad.onnx", 1))
	write(t, filepath.Join(dir, "bad.onnx"), strings.ToUpper(weightsText))
	write(t, filepath.Join(dir, "worse.yaml"), "name: worse\ncolour: blue\n")
	good, err := verifyFolder(dir)
	if len(good) != 1 || good[0].Name != "good" {
		t.Errorf("good: %v", good)
	}
	want := "model bad.onnx: sha256 81879fb531a7…, manifest says 1f37de1efe65…; fetch it again with `gadeblik models fetch`\n" +
		"manifest " + filepath.Join(dir, "worse.yaml") + ": yaml: unmarshal errors:\n  line 2: field colour not found in type inference.Manifest"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// verifyFolder is Verify without what is built in.
func verifyFolder(dir string) ([]inference.Manifest, error) {
	good, err := Verify(dir)
	return slices.DeleteFunc(good, inference.Manifest.BuiltIn), err
}

// A model that is built in can be written out, changed, and is then the one that is found.
func TestFetchWritesOutWhatIsBuiltIn(t *testing.T) {
	dir := t.TempDir()
	run := func(from string) {
		t.Helper()
		got, err := Fetch(context.Background(), []string{Privacy}, FetchOptions{Dir: dir, Mirror: filepath.Join(dir, "none")})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]Fetched{{Privacy, filepath.Join(dir, Privacy+".yaml"), from}}, got); d != "" {
			t.Error(d)
		}
	}
	run("built in")
	run("")
	m, err := Load(dir, Privacy)
	if err != nil {
		t.Fatal(err)
	}
	if m.BuiltIn() || filepath.Dir(m.Path()) != dir {
		t.Errorf("found at %q, want the one in the folder", m.Path())
	}
	held, err := Find(Privacy)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(held.Manifest, m, cmpopts.IgnoreUnexported(inference.Manifest{})); d != "" {
		t.Errorf("written and read again: %s", d)
	}
	if _, err := m.Read(); err != nil {
		t.Error(err)
	}
}

// The files of the mirror beside the repository are those of the catalogue, which it has but for one
// that came later.
func TestFetchEverythingFromTheRealMirror(t *testing.T) {
	root := os.Getenv("GADEBLIK_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	mirror := filepath.Join(root, "models")
	if _, err := os.Stat(mirror); err != nil {
		t.Skip("no test data: ", err)
	}
	dir := t.TempDir()
	all := names(slices.DeleteFunc(Models(), func(m Model) bool {
		return m.File == "ultraface_rfb_1280_masked_v2.onnx" && !present(mirror, m.File)
	}))
	got, err := Fetch(context.Background(), all, FetchOptions{Dir: dir, Mirror: mirror})
	if err != nil || len(got) != len(all) {
		t.Fatalf("fetched %d of %d: %v", len(got), len(all), err)
	}
	good, err := verifyFolder(dir)
	if err != nil || len(good) != len(all) {
		t.Errorf("verified %d of %d: %v", len(good), len(all), err)
	}
}
