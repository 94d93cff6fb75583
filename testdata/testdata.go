// Package testdata carries the drive that comes with the program: demo plays it, and tests read it. It is drawn by
// testdata/generate; nobody in it exists.
package testdata

import (
	"embed"
	"io/fs"
)

// The whole folder, hidden files too, so that what is embedded is what lies on disk.
//
//go:embed all:drives/demo
var drives embed.FS

// Demo returns the bundled drive, rooted at the folder that holds drive.yaml, track.nmea, orders.geojson, truth.json and
// frames. It is read-only and safe for concurrent use.
func Demo() fs.FS {
	demo, err := fs.Sub(drives, "drives/demo")
	if err != nil {
		// The path is a constant: only a malformed one can fail.
		panic("testdata: internal error: " + err.Error())
	}
	return demo
}
