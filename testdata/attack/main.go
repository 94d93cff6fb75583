// Command attack tries to read number plates off published pictures.
//
//	go run ./testdata/attack [--seed 1] [--json] [--write docs/redaction.md] [--shared DIR]
//
// Plates with random texts are painted into streets, photographed by a camera with noise
// and a JPEG encoder, and published after package blur has covered them, and after what
// is often taken for redaction: blurs, mosaics, blocks that keep their mean. The attacker
// knows everything but the text: the method and its parameters, place, size and font of
// the plate, the street behind it, the camera's settings.
//
// Four attacks are made on each. Synthesis adds up what every character at every place
// does to the published picture and looks for the text that comes nearest to what is
// seen. A Wiener filter undoes a blur, and each character is compared with all glyphs.
// A lineup asks which of 100 texts it was, given the camera's frame to the last bit but
// for the plate. A pupil learns from published pictures with their texts.
//
// The exit code is 0 if ours tells no attack more than chance does and every attack
// succeeds where it has to, 1 if not, 2 if the attacks could not be made.
//
// # Caveats
//
// The same seed and the same pictures give the same figures on the same kind of
// processor; others may fuse a multiplication and an addition, which can tip a guess.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

func main() {
	err := run()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "attack:", err)
	if errors.Is(err, errUnexpected) {
		os.Exit(1)
	}
	os.Exit(2)
}

// errUnexpected is about what came out, in contrast to attacks that could not be made.
var errUnexpected = errors.New("not as it has to be")

func run() error {
	seed := flag.Uint64("seed", 1, "of the texts and the noise")
	asJSON := flag.Bool("json", false, "write JSON instead of tables")
	document := flag.String("write", "", "document to put the tables into, between its marks")
	folder := flag.String("shared", beside(), "folder of real pictures; without it the bundled drive serves alone")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("%q: there are only flags", flag.Arg(0))
	}
	y := full(*seed)
	y.workers = runtime.GOMAXPROCS(0)
	var err error
	if y.photos, err = photos(*folder); err != nil {
		return err
	}
	bar := progress(y.parts())
	y.step = func() { _ = bar.Add(1) } // a terminal that cannot be written to stops nothing
	findings, err := y.run()
	_ = bar.Finish()
	if err != nil {
		return err
	}
	r := newReport(&y, findings)
	return r.deliver(*asJSON, *document)
}

// deliver writes the report where it was asked for.
func (r *report) deliver(asJSON bool, document string) error {
	var err error
	if asJSON {
		err = r.json(os.Stdout)
	} else {
		_, err = fmt.Print(r.text())
	}
	if err == nil && document != "" {
		err = r.write(document)
	}
	if err != nil {
		return err
	}
	for _, p := range r.Problems {
		fmt.Fprintln(os.Stderr, p)
	}
	if n := len(r.Problems); n > 0 {
		return fmt.Errorf("%d results: %w", n, errUnexpected)
	}
	return nil
}

// beside is where the real pictures lie.
func beside() string {
	if dir := os.Getenv("GADEBLIK_SHARED"); dir != "" {
		return dir
	}
	return filepath.Join("..", "shared")
}

// progress is a bar on a terminal and silence elsewhere.
func progress(parts int) *progressbar.ProgressBar {
	return progressbar.NewOptions(parts,
		progressbar.OptionSetVisibility(term.IsTerminal(int(os.Stderr.Fd()))),
		progressbar.OptionSetWriter(os.Stderr),
		progressbar.OptionSetDescription("attacking"),
		progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(30),
		progressbar.OptionClearOnFinish(),
	)
}
