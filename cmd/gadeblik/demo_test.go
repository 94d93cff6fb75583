package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A second demo starts afresh; a folder that is not its own stays as it is.
func TestBeginDemo(t *testing.T) {
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
			err := beginDemo(dir)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			left := names(t, dir)
			if c.want == "" && !slices.Equal(left, []string{replayFolder}) {
				t.Errorf("it holds %v", left)
			}
			if c.want != "" && len(left) != len(c.there) {
				t.Errorf("%v left of %v", left, c.there)
			}
		})
	}
	dir := filepath.Join(t.TempDir(), "new")
	for range 2 { // the second finds what a demo without models leaves
		if err := beginDemo(dir); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, outboxFolder), true)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
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
