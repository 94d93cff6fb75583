package main

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"gadeblik/capture/v4l2"
	"gadeblik/cmd/gadeblik/config"
	"gadeblik/inference/onnx"
	"gadeblik/uplink"
)

// TestMain makes this test binary gadeblik when it is called by that name, so
// that scripts and the end-to-end test run the real main, under the race
// detector where the tests are.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gadeblik": main})
}

// TestScripts drives the program as a person at a terminal would:
// testdata/script has a file for each command.
func TestScripts(t *testing.T) {
	root := repository(t)
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join(root, "testdata", "script"),
		RequireUniqueNames: true,
		Setup:              func(e *testscript.Env) error { return furnish(e, root) },
		Condition:          func(name string) (bool, error) { return given(root, name) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"mode":    mode,
			"observe": observe,
		},
	})
}

// furnish gives a script its variables and two pictures: a whole one of nothing,
// and half of it.
func furnish(e *testscript.Env, root string) error {
	e.Setenv("ROOT", root)
	e.Setenv("MODELS", weights(root))
	e.Setenv("ONNXRUNTIME", runtimeLibrary())
	e.Setenv("DRIVES", filepath.Join(shared(root), "drives"))
	whole := emptyPicture()
	return errors.Join(
		os.WriteFile(filepath.Join(e.WorkDir, "picture.jpg"), whole, 0o644),
		os.WriteFile(filepath.Join(e.WorkDir, "truncated.jpg"), whole[:len(whole)/2], 0o644),
	)
}

// emptyPicture is a JPEG with a soft gradient, in which nobody sees anything.
func emptyPicture() []byte {
	return picture(func(x, y int) uint8 { return uint8(100 + x/16 + y/12) })
}

// noisyPicture is a JPEG that no other looks like.
func noisyPicture() []byte {
	noise := rand.New(rand.NewPCG(1, 2))
	return picture(func(int, int) uint8 { return uint8(noise.UintN(256)) })
}

func picture(luma func(x, y int) uint8) []byte {
	img := image.NewGray(image.Rect(0, 0, 640, 360))
	for y := range 360 {
		for x := range 640 {
			img.SetGray(x, y, color.Gray{Y: luma(x, y)})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		panic("encode a picture in memory: " + err.Error())
	}
	return b.Bytes()
}

// given answers the scripts' conditions: what this machine has.
func given(root, name string) (bool, error) {
	switch name {
	case "models":
		return weights(root) != "", nil
	case "onnxruntime":
		return runtimeLibrary() != "", nil
	case "drives":
		return isFolder(filepath.Join(shared(root), "drives")), nil
	case "camera":
		cams, err := v4l2.List()
		return err != nil || len(cams) > 0, nil
	}
	return false, errors.New("no such condition")
}

// exits runs a command and demands its exit code: exits CODE COMMAND ARG...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// mode demands a file's permissions: mode 0600 FILE.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode OCTAL FILE")
	}
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	st, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := st.Mode().Perm(); got != os.FileMode(want) {
		ts.Fatalf("%s has mode %04o, want %04o", args[1], got, want)
	}
}

// repository returns the module's root.
func repository(t testing.TB) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// shared returns the folder of real weights, drives and logs, which may not be there.
func shared(root string) string {
	if dir := os.Getenv("GADEBLIK_SHARED"); dir != "" {
		return dir
	}
	return filepath.Join(root, "..", "shared")
}

// weights returns a folder with public models for all that an agent needs, "" if
// there is none.
func weights(root string) string {
	for _, dir := range []string{filepath.Join(shared(root), "models"), filepath.Join(root, "build", "models")} {
		if isFile(filepath.Join(dir, "yolox_nano_416.onnx")) && isFile(filepath.Join(dir, "yunet_n_dynamic.onnx")) &&
			isFile(filepath.Join(dir, "en_PP-OCRv3_det.onnx")) {
			return dir
		}
	}
	return ""
}

// runtimeLibrary returns the ONNX Runtime that the program would find here, ""
// if there is none.
func runtimeLibrary() string {
	lib, err := onnx.Find("")
	if err != nil {
		return ""
	}
	return lib
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

func isFolder(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// observe makes a vehicle's state folder with two observations in its outbox, sealed
// to the keys named after it.
func observe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: observe FOLDER [KEY.pub...]")
	}
	dir := ts.MkAbs(args[0])
	seal := config.Seal{KeyFile: filepath.Join(dir, "device.key"), OwnFile: filepath.Join(dir, "device.age")}
	for _, key := range args[1:] {
		seal.Recipients = append(seal.Recipients, ts.MkAbs(key))
	}
	sealer, err := openSealer(seal, slog.New(slog.DiscardHandler))
	ts.Check(err)
	box, _, err := uplink.OpenOutbox(filepath.Join(dir, "outbox"), uplink.OutboxConfig{Seal: sealer, MinFree: -1})
	ts.Check(err)
	at := time.Date(2026, 6, 3, 10, 0, 0, 0, time.UTC)
	for n, p := range []uplink.Priority{uplink.Normal, uplink.High} {
		ts.Check(box.Put(uplink.Observation{
			ID: uplink.NewID("sweeper-01", "containers", at, n), Vehicle: "sweeper-01", Task: "containers", OrdersVersion: 1,
			Purpose: "Find containers without a permit", Kind: uplink.Count, Counts: map[string]int{"container": 2},
			Time: uplink.Time{UTC: at, Source: "gps"}, Position: uplink.Position{Lat: 55.4, Lon: 10.4}, Zone: "centre", Agent: "test",
			ExpiresAt: at.Add(30 * 24 * time.Hour),
		}, nil, uplink.Terms{Day: "2026-06-03", Priority: p}))
	}
	ts.Check(box.Close())
}
