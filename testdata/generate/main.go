// Command generate draws the drive that demo and the tests play: a street as a sweeper's camera sees it, with cars,
// people and plates that exist nowhere. It uses no photograph and no network, only the code of this folder.
//
//	go run ./testdata/generate --out testdata/drives/demo
//
// The same code on the same kind of processor writes the same bytes each time.
//
// # Caveats
//
// Compilers may fuse a multiplication and an addition on other processors, which can move a colour by one step:
// regenerate the drive on amd64.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

func main() {
	d := drive{width: 960, height: 544, quality: 72, workers: runtime.GOMAXPROCS(0)}
	flag.StringVar(&d.out, "out", "", "folder to write the drive to; its frames are replaced")
	flag.Parse()
	if d.out == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "usage: go run ./testdata/generate --out FOLDER")
		os.Exit(2)
	}
	begin := time.Now()
	d.progress = func(done, of int) {
		fmt.Fprintf(os.Stderr, "\rframe %d of %d, %s ", done, of, time.Since(begin).Round(time.Second))
	}
	size, err := d.write()
	fmt.Fprintln(os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
	fmt.Printf("%s: %d bytes\n", d.out, size)
}
