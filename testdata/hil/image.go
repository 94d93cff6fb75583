package main

import (
	"debug/elf"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gadeblik/testdata/program"
)

// diskSize is that of the vehicle's disk, of which a few megabytes are ever written. The
// outbox takes nothing where less than a part of it is free.
const diskSize = 1 << 30

//go:embed boot.sh
var bootScript []byte

// programDisk makes the disk that the guest starts from: the daemon with its libraries,
// this program, and the configurations and keys of the run.
func (r *rig) programDisk() error {
	root := filepath.Join(r.dir, "programs")
	lib := filepath.Join(root, "lib")
	if err := os.MkdirAll(lib, 0o755); err != nil {
		return err
	}
	built := filepath.Join(r.o.cache, r.o.arch)
	runtime := filepath.Join(built, "libonnxruntime.so.1")
	daemon := filepath.Join(built, "gadeblik")
	err := errors.Join(
		copyFile(daemon, filepath.Join(root, "gadeblik"), 0o755),
		copyFile(filepath.Join(built, "hil"), filepath.Join(root, "hil"), 0o755),
		os.WriteFile(filepath.Join(root, "boot.sh"), bootScript, 0o755),
		copyFile(runtime, filepath.Join(lib, "libonnxruntime.so.1"), 0o755),
		copyFile(filepath.Join(r.dir, "fleet.key.pub"), filepath.Join(root, "fleet.key.pub"), 0o644),
		copyFile(r.office.broker.CAFile, filepath.Join(root, "broker.pem"), 0o644),
		copyFile(filepath.Join(r.dir, "office.age.pub"), filepath.Join(root, "office.age.pub"), 0o644),
	)
	for name, text := range r.configurations() {
		err = errors.Join(err, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	if err != nil {
		return err
	}
	if err := copyLibraries(lib, boards[r.o.arch].libraries, daemon, runtime); err != nil {
		return err
	}
	_, err = program.Output(r.mkfs, "-q", "-F", "-O", "^has_journal", "-d", root, filepath.Join(r.dir, "programs.img"), "256M")
	return err
}

// stateDisk makes the vehicle's own disk, empty.
func (r *rig) stateDisk() error {
	_, err := program.Output(r.mkfs, "-q", "-F", filepath.Join(r.dir, "state.img"), fmt.Sprint(diskSize>>10)+"k")
	return err
}

func copyFile(from, to string, mode os.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() // only read
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// copyLibraries copies what programs load at their start, and what that loads, from
// the first folder that has it.
func copyLibraries(to string, folders []string, programs ...string) error {
	have := map[string]bool{}
	for todo := programs; len(todo) > 0; todo = todo[1:] {
		names, err := loads(todo[0])
		if err != nil {
			return fmt.Errorf("find what %s loads: %w", todo[0], err)
		}
		for _, name := range names {
			if have[name] {
				continue
			}
			have[name] = true
			path, err := findLibrary(folders, name)
			if err != nil {
				return fmt.Errorf("%s loads %w", todo[0], err)
			}
			if err := copyFile(path, filepath.Join(to, name), 0o755); err != nil {
				return err
			}
			todo = append(todo, path)
		}
	}
	return nil
}

// loads lists the libraries of an ELF file, its loader among them.
func loads(path string) ([]string, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	names, err := f.ImportedLibraries()
	if err != nil {
		return nil, err
	}
	if s := f.Section(".interp"); s != nil {
		raw, err := s.Data()
		if err != nil {
			return nil, err
		}
		names = append(names, filepath.Base(string(raw[:max(0, len(raw)-1)])))
	}
	return names, nil
}

func findLibrary(folders []string, name string) (string, error) {
	for _, dir := range folders {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s, which is in none of %v", name, folders)
}
