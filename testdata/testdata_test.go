package testdata

import (
	"io/fs"
	"path"
	"testing"
)

// maxBytes is what the bundled drive may add to the program.
const maxBytes = 4_000_000

func TestDemoIsComplete(t *testing.T) {
	size, frames := 0, 0
	err := fs.WalkDir(Demo(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := fs.ReadFile(Demo(), name)
		size += len(b)
		if ok, _ := path.Match("frames/[0-9]*.jpg", name); ok {
			frames++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"drive.yaml", "track.nmea", "orders.geojson", "truth.json"} {
		if _, err := fs.Stat(Demo(), name); err != nil {
			t.Errorf("demo drive: %v", err)
		}
	}
	if frames < 60 || size > maxBytes {
		t.Errorf("demo drive: %d frames, %d bytes; want at least 60 and at most %d", frames, size, maxBytes)
	}
}
