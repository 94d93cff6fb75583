package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// The test's own program has modules, Go's library and the catalogue in it: enough to
// make a bill of.
func billOf(t *testing.T, out string) options {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	lib := filepath.Join(t.TempDir(), "libonnxruntime.so.1")
	if err := os.WriteFile(lib, []byte("a library"), 0o644); err != nil {
		t.Fatal(err)
	}
	o := options{binary: exe, runtime: lib, runtimeVersion: "1.2.3", version: "0.1-1", arch: runtime.GOARCH, out: out}
	if err := o.run(); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestBillNamesEverythingAndNothingOfTheDay(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	billOf(t, first)
	billOf(t, second)
	for _, name := range []string{"sbom.cdx.json", "copyright", "NOTICE", "licences.txt"} {
		a, err := os.ReadFile(filepath.Join(first, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(second, name))
		if err != nil {
			t.Fatal(err)
		}
		if len(a) == 0 || !bytes.Equal(a, b) {
			t.Errorf("%s is empty, or differs from one time to the next", name)
		}
	}
	raw, err := os.ReadFile(filepath.Join(first, "sbom.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var b bom
	if err := json.Unmarshal(raw, &b); err != nil {
		t.Fatal(err)
	}
	if b.Format != "CycloneDX" || b.Spec != "1.5" || len(b.Metadata.Component.Hashes) != 1 {
		t.Errorf("%s %s of a program with hashes %v", b.Format, b.Spec, b.Metadata.Component.Hashes)
	}
	var names, refs []string
	for _, c := range b.Components {
		names, refs = append(names, c.Name), append(refs, c.Ref)
		if len(c.Licences) != 1 || c.Version == "" {
			t.Errorf("%s has no version or not one licence: %+v", c.Name, c)
		}
	}
	for _, want := range []string{"go.yaml.in/yaml/v3", "Go standard library", "ONNX Runtime", "gadeblik_privacy", "gadeblik_street"} {
		if !slices.Contains(names, want) {
			t.Errorf("the bill lacks %s: %v", want, names)
		}
	}
	if !slices.Equal(refs, b.Dependencies[0].On) || len(slices.Compact(slices.Sorted(slices.Values(refs)))) != len(refs) {
		t.Errorf("references %v, and what the program depends on %v", refs, b.Dependencies[0].On)
	}
}

// Debian's form: stanzas of fields, whose further lines begin with a space.
func TestCopyrightIsMachineReadable(t *testing.T) {
	dir := t.TempDir()
	billOf(t, dir)
	raw, err := os.ReadFile(filepath.Join(dir, "copyright"))
	if err != nil {
		t.Fatal(err)
	}
	for i, stanza := range strings.Split(strings.TrimSpace(string(raw)), "\n\n") {
		for line := range strings.Lines(stanza) {
			field, _, _ := strings.Cut(line, ":")
			if !strings.HasPrefix(line, " ") && !slices.Contains([]string{"Format", "Upstream-Name", "Comment", "Files", "Copyright", "License"}, field) {
				t.Errorf("stanza %d: %q is neither a field nor the rest of one", i, line)
			}
		}
		if i > 0 && strings.HasPrefix(stanza, "Files:") && (!strings.Contains(stanza, "\nCopyright: ") || !strings.Contains(stanza, "\nLicense: ")) {
			t.Errorf("stanza %d lacks a holder or a licence:\n%s", i, stanza)
		}
	}
	if strings.Contains(string(raw), "TERMS AND CONDITIONS FOR USE, REPRODUCTION") {
		t.Error("the Apache licence is repeated, and Debian has it on every system")
	}
}

func TestClassify(t *testing.T) {
	bsd := "Copyright (c) 2009 The Authors. All rights reserved.\nRedistribution and use in source and binary forms, with or without\nmodification, are permitted provided that\n"
	for name, c := range map[string]struct {
		text, want, holder, err string
	}{
		"MIT":          {text: mit, want: "MIT", holder: "Microsoft Corporation"},
		"two clauses":  {text: bsd, want: "BSD-2-Clause", holder: "2009 The Authors. All rights reserved."},
		"three":        {text: bsd + "Neither the name of", want: "BSD-3-Clause", holder: "2009 The Authors. All rights reserved."},
		"Apache":       {text: "Apache License\n  Version 2.0, January 2004\n Copyright [yyyy] [name of copyright owner]", want: "Apache-2.0"},
		"two licences": {text: mit + "\nApache License, Version 2.0", want: "Apache-2.0 AND MIT", holder: "Microsoft Corporation"},
		"unknown":      {text: "all rights reserved", err: "no licence that is known here; read it, and add it to packaging/bill"},
		"not for us":   {text: "Mozilla Public License Version 2.0", err: "the licence is MPL-2.0, which the package may not pass on like this"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := classify(c.text)
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Fatalf("got %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if l.expression() != c.want || strings.Join(l.holders, ";") != c.holder {
				t.Errorf("got %s of %v, want %s of %s", l.expression(), l.holders, c.want, c.holder)
			}
		})
	}
}

func TestBillRefusesAnotherArchitecture(t *testing.T) {
	o := billOf(t, t.TempDir())
	o.arch = "riscv64"
	if err := o.run(); err == nil || !strings.Contains(err.Error(), "is built for "+runtime.GOARCH+", want riscv64") {
		t.Errorf("got %v", err)
	}
	o.arch = ""
	if err := o.run(); err == nil || err.Error() != "--arch is missing" {
		t.Errorf("got %v", err)
	}
}
