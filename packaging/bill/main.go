// Command bill writes what a package has to say of its contents: a bill of materials
// (CycloneDX 1.5), the copyright file in Debian's machine-readable form, the notices
// that go with it, and a list of the licences. It reads the modules off the program
// that was built, so that nothing is forgotten and nothing is claimed.
//
// The same program and library give the same bytes: there is neither a time nor a
// random number in them.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// options are the command's flags.
type options struct {
	binary, runtime, runtimeVersion string
	version, arch                   string
	out                             string
}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "", "the program, of whatever architecture")
	flag.StringVar(&o.runtime, "onnxruntime", "", "the ONNX Runtime library that goes with it")
	flag.StringVar(&o.runtimeVersion, "onnxruntime-version", "", "its version")
	flag.StringVar(&o.version, "version", "", "version of the package")
	flag.StringVar(&o.arch, "arch", "", "architecture of the package: amd64 or arm64")
	flag.StringVar(&o.out, "out", "", "folder to write sbom.cdx.json, copyright, NOTICE and licences.txt into")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintf(os.Stderr, "bill: %v\n", err)
		os.Exit(1)
	}
}

func (o options) run() error {
	for name, value := range map[string]string{
		"binary": o.binary, "onnxruntime": o.runtime, "onnxruntime-version": o.runtimeVersion,
		"version": o.version, "arch": o.arch, "out": o.out,
	} {
		if value == "" {
			return fmt.Errorf("--%s is missing", name)
		}
	}
	parts, err := o.parts()
	if err != nil {
		return err
	}
	sbom, err := cyclone(o, parts)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	return errors.Join(
		write(o.out, "sbom.cdx.json", sbom),
		write(o.out, "copyright", []byte(copyrightFile(parts))),
		write(o.out, "NOTICE", []byte(noticeFile(parts))),
		write(o.out, "licences.txt", []byte(licenceList(parts))),
	)
}

func write(dir, name string, data []byte) error {
	return os.WriteFile(filepath.Join(dir, name), data, 0o644)
}
