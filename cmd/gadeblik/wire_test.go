package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gadeblik/agent"
	"gadeblik/cmd/gadeblik/config"
	"gadeblik/uplink"
)

// What a configuration says of redaction is what the agent does.
func TestRedactionReachesTheAgent(t *testing.T) {
	lib := runtimeLibrary()
	if lib == "" {
		t.Skip("needs ONNX Runtime")
	}
	dir := t.TempDir()
	key, err := uplink.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	admin := filepath.Join(dir, "admin.key")
	if err := uplink.WriteKey(admin, key); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "gadeblik.yaml")
	text := fmt.Sprintf(`
vehicle: {id: v1, fleet: town}
state_dir: %s
gps: {device: none}
camera: {device: none, masks: [{x0: 0, y0: 0.85, x1: 1, y1: 1}]}
models: {onnxruntime: %s}
orders: {trusted_keys: [%s]}
mqtt: {broker: 'tcp://127.0.0.1:1'}
`, dir, lib, admin+".pub")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Options{Path: path, Run: true})
	if err != nil {
		t.Fatal(err)
	}
	v := &vehicle{}
	a, err := v.config(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.close(); err != nil {
			t.Error(err)
		}
	})
	if want := []agent.Mask{{X0: 0, Y0: 0.85, X1: 1, Y1: 1}}; !slices.Equal(a.Masks, want) {
		t.Errorf("masks = %v, want %v", a.Masks, want)
	}
	second := chosen(cfg.Models).second
	if len(second) == 0 || !slices.Equal(a.Models.SecondLook, second) {
		t.Errorf("second look = %v, want %v", a.Models.SecondLook, second)
	}
}
