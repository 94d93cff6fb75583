// Command generate draws. Its first job is the drive that demo and the tests play: a street as a sweeper's camera sees
// it, with cars, people and plates that exist nowhere. Its second is random scenes to train detectors on, with a label
// for each person, face, plate, vehicle, container and so on that shows. These use no photograph and no network, only
// the code of this folder. Its third job is people cut out, to be pasted into photographs: it dresses and poses
// MakeHuman's body, which lies in a folder that is no part of the repository.
//
//	go run ./testdata/generate --out testdata/drives/demo
//	go run ./testdata/generate scenes --count 2000 --first 0 --seed 1 --out DIR [--width 960 --height 544]
//	go run ./testdata/generate people --assets DIR --count 1600 --first 0 --seed 1 --out DIR
//
// The same code on the same kind of processor writes the same bytes each time. A scene depends on the seed and its
// number only: any part of a series can be drawn anywhere.
//
// DIR/labels.jsonl has a line for each thing:
//
//	{"file":"000000.jpg","label":"face","box":[311,90,342,131],"shown":0.83,"turned":120,"pixels":812}
//
// The box is that of the pixels to be seen, its last two numbers exclusive; shown is its share of the box that the
// thing would have if nothing hid it or cut it off; turned is how many degrees a face looks past the camera. A cyclist
// is rider and bicycle; the rider has a second line as a person with "of":"cyclist". Things that night or fog hides
// have no line.
//
// # Caveats
//
// Compilers may fuse a multiplication and an addition on other processors, which can move a colour by one step:
// regenerate the drive on amd64.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

const usage = `usage: go run ./testdata/generate --out FOLDER
       go run ./testdata/generate scenes --out FOLDER [--count N] [--first N] [--seed N] [--width PIXELS] [--height PIXELS]
       go run ./testdata/generate people --assets FOLDER --out FOLDER [--count N] [--first N] [--seed N]
`

func main() {
	begin := time.Now()
	progress := func(done, of int) {
		fmt.Fprintf(os.Stderr, "\r%d of %d, %s ", done, of, time.Since(begin).Round(time.Second))
	}
	var err error
	switch {
	case len(os.Args) > 1 && os.Args[1] == "scenes":
		err = drawScenes(os.Args[2:], progress)
	case len(os.Args) > 1 && os.Args[1] == "people":
		err = drawPeople(os.Args[2:], progress)
	default:
		err = drawDrive(os.Args[1:], progress)
	}
	fmt.Fprintln(os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// flags reads the command line into a set that was prepared; a wrong one, which check tells, ends the program.
func flags(set *flag.FlagSet, args []string, check func() error) {
	set.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	// The set ends the program itself on an error.
	_ = set.Parse(args)
	err := check()
	if set.NArg() > 0 {
		err = fmt.Errorf("%q is neither a flag nor scenes nor people", set.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		set.Usage()
		os.Exit(2)
	}
}

var errNoFolder = errors.New("--out: name the folder to write to")

func drawDrive(args []string, progress func(done, of int)) error {
	d := drive{width: 960, height: 544, quality: 72, workers: runtime.GOMAXPROCS(0), progress: progress}
	set := flag.NewFlagSet("generate", flag.ExitOnError)
	set.StringVar(&d.out, "out", "", "folder to write the drive to; its frames are replaced")
	flags(set, args, func() error {
		if d.out == "" {
			return errNoFolder
		}
		return nil
	})
	size, err := d.write()
	if err == nil {
		fmt.Printf("%s: %d bytes\n", d.out, size)
	}
	return err
}

func drawScenes(args []string, progress func(done, of int)) error {
	j := scenes{workers: runtime.GOMAXPROCS(0), progress: progress}
	set := flag.NewFlagSet("scenes", flag.ExitOnError)
	set.StringVar(&j.out, "out", "", "folder to write the scenes to")
	set.IntVar(&j.count, "count", 100, "how many scenes")
	set.IntVar(&j.first, "first", 0, "number of the first scene")
	set.IntVar(&j.seed, "seed", 1, "names the series")
	set.IntVar(&j.size.X, "width", 960, "pixels")
	set.IntVar(&j.size.Y, "height", 544, "pixels")
	flags(set, args, j.check)
	return j.write()
}
