package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Several files give what each gives alone, one after the other: nothing of a
// picture is seen in the next.
func TestTrySeveralFiles(t *testing.T) {
	lib := needs(t)
	dir := t.TempDir()
	for name, jpeg := range map[string][]byte{"a.jpg": emptyPicture(), "b.jpg": noisyPicture()} {
		if err := os.WriteFile(filepath.Join(dir, name), jpeg, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	try := func(files ...string) string {
		t.Helper()
		args := []string{"models", "try", "--json", "--score", "0.0000001", "--onnxruntime", lib}
		cmd := exec.Command("gadeblik", append(args, files...)...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil || len(out) == 0 {
			t.Fatalf("%d bytes: %v", len(out), err)
		}
		return string(out)
	}
	if together, alone := try("a.jpg", "b.jpg", "a.jpg"), try("a.jpg")+try("b.jpg")+try("a.jpg"); together != alone {
		t.Errorf("%d bytes together, %d alone", len(together), len(alone))
	}
}
