package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A second demo starts afresh; a folder that is not its own stays as it is.
func TestClearDemo(t *testing.T) {
	for _, c := range []struct {
		name  string
		there []string // folders end in a slash
		want  string   // of the error
	}{
		{"nothing", nil, ""},
		{"an earlier demo", []string{"outbox/items/", "inbox/", "replay/"}, ""},
		{"an earlier demo that was stopped", []string{"outbox/", "replay/"}, ""},
		{"a vehicle's outbox", []string{"outbox/"}, "was not made by the demo: it holds no replay"},
		{"somebody's folder", []string{"outbox/", "replay/", "thesis.tex"}, "was not made by the demo: it holds thesis.tex"},
		{"a file of that name", []string{"replay"}, "was not made by the demo: it holds replay"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range c.there {
				put(t, filepath.Join(dir, name), strings.HasSuffix(name, "/"))
			}
			err := clearDemo(dir)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			left, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" && len(left) > 0 {
				t.Errorf("%v is still there", left)
			}
			if c.want != "" && len(left) != len(c.there) {
				t.Errorf("%d entries left of %d", len(left), len(c.there))
			}
		})
	}
	if err := clearDemo(filepath.Join(t.TempDir(), "new")); err != nil {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func put(t *testing.T, path string, folder bool) {
	t.Helper()
	var err error
	if folder {
		err = os.MkdirAll(path, 0o700)
	} else {
		err = os.WriteFile(path, nil, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
