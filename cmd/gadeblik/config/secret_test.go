package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	for _, tt := range []struct {
		name, data string
		mode       os.FileMode
		want, err  string
	}{
		{"line", "s3cret\n", 0o600, "s3cret", ""},
		{"no end", "s3cret", 0o400, "s3cret", ""},
		{"carriage return", "s3cret\r\n", 0o640, "s3cret", ""},
		{"spaces count", " s3cret ", 0o600, " s3cret ", ""},
		{"empty", "", 0o600, "", "is empty"},
		{"only an end", "\n", 0o600, "", "is empty"},
		{"two lines", "s3cret\nmore\n", 0o600, "", "must hold one line"},
		{"long", strings.Repeat("x", maxSecret+1), 0o600, "", "has more than 4096 bytes"},
		{"open", "s3cret", 0o644, "", "mode 0644 lets everybody read it; run: chmod o= " + path},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_ = os.Remove(path)
			if err := os.WriteFile(path, []byte(tt.data), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			got, err := ReadSecret(path)
			if got != tt.want || tt.err == "" && err != nil || tt.err != "" && fmt.Sprint(err) != "read secret "+path+": "+tt.err {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	if _, err := ReadSecret(filepath.Dir(path)); err == nil || !strings.HasSuffix(err.Error(), ": is not a file") {
		t.Errorf("folder: %v", err)
	}
	if _, err := ReadSecret(path + ".none"); err == nil || !strings.HasPrefix(err.Error(), "read secret: open ") {
		t.Errorf("missing: %v", err)
	}
}
