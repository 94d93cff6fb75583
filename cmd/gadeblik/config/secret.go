package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

const maxSecret = 4 << 10

// ReadSecret reads a password from its file: one line, without its end. A file
// that everybody on the machine may read is refused. The secret is in no error.
func ReadSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("read secret %s: is not a file", path)
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		return "", fmt.Errorf("read secret %s: mode %04o lets everybody read it; run: chmod o= %s", path, mode, path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	secret, err := oneLine(data)
	if err != nil {
		return "", fmt.Errorf("read secret %s: %w", path, err)
	}
	return secret, nil
}

func oneLine(data []byte) (string, error) {
	if len(data) > maxSecret {
		return "", fmt.Errorf("has more than %d bytes", maxSecret)
	}
	line := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if line == "" {
		return "", errors.New("is empty")
	}
	if strings.ContainsAny(line, "\r\n\x00") {
		return "", errors.New("must hold one line")
	}
	return line, nil
}
