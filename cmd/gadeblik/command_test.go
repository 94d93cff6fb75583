package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"

	"filippo.io/age"

	"gadeblik/cmd/gadeblik/config"
	"gadeblik/uplink"
)

// commandBroker runs a broker in this process and returns its address.
func commandBroker(t *testing.T) string {
	t.Helper()
	server := mqtt.New(&mqtt.Options{Capabilities: mqtt.NewDefaultServerCapabilities(), Logger: slog.New(slog.DiscardHandler)})
	l := listeners.NewTCP(listeners.Config{ID: "t", Address: "127.0.0.1:0"})
	if err := errors.Join(server.AddHook(new(auth.AllowHook), nil), server.AddListener(l), server.Serve()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return "tcp://" + l.Address()
}

// listening puts a vehicle on line that obeys the key's commands.
func listening(t *testing.T, broker, vehicle string, key uplink.SigningKey) *uplink.CommandStore {
	t.Helper()
	dir := t.TempDir()
	store, err := uplink.OpenCommandStore(filepath.Join(dir, "commands"),
		uplink.Verifier{Keys: []uplink.PublicKey{key.Public()}, Fleet: "town", Vehicle: vehicle})
	if err != nil {
		t.Fatal(err)
	}
	office, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := uplink.NewSealer(uplink.SealConfig{Signer: key, Recipients: []age.Recipient{office.Recipient()}})
	if err != nil {
		t.Fatal(err)
	}
	box, _, err := uplink.OpenOutbox(filepath.Join(dir, "outbox"), uplink.OutboxConfig{Seal: sealer})
	if err != nil {
		t.Fatal(err)
	}
	var answer atomic.Pointer[uplink.CommandReport]
	changed := make(chan struct{}, 1)
	link, err := uplink.NewLink(uplink.LinkConfig{
		Broker: broker, Fleet: "town", Vehicle: vehicle, Outbox: box, StatusChanged: changed, DrainTimeout: 10 * time.Millisecond,
		Status: func() uplink.Status {
			return uplink.Status{State: uplink.Armed, Reason: "outside", Paused: store.Paused(), Command: answer.Load()}
		},
		OnCommand: func(payload []byte) bool {
			r := store.Take(payload, time.Now())
			answer.Store(&r)
			changed <- struct{}{}
			return r.Accepted
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- link.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, box.Close()); err != nil {
			t.Error(err)
		}
	})
	for deadline := time.Now().Add(10 * time.Second); !link.Connected(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the vehicle does not come on line")
		}
	}
	return store
}

func writtenKey(t *testing.T) (uplink.SigningKey, string) {
	t.Helper()
	key, err := uplink.NewKey()
	path := filepath.Join(t.TempDir(), "admin.key")
	if err == nil {
		err = uplink.WriteKey(path, key)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key, path
}

func TestCommandsFromTheCommandLine(t *testing.T) {
	broker := commandBroker(t)
	key, admin := writtenKey(t)
	_, stranger := writtenKey(t)
	one := listening(t, broker, "v1", key)
	two := listening(t, broker, "v2", key)
	call := func(args ...string) (code int, out, said string) {
		var stdout, stderr bytes.Buffer
		args = append([]string{"command"}, args...)
		args = append(args, "--broker", broker, "--fleet", "town")
		code = execute(t.Context(), args, stdio{in: strings.NewReader(""), out: &stdout, err: &stderr})
		return code, stdout.String(), stderr.String()
	}

	code, out, said := call("pause", "--key", admin, "--vehicle", "v1", "--vehicle", "v2")
	if want := "v1: armed (outside), paused, orders version 0, outbox 0 waiting\nv2: armed (outside), paused, orders version 0, outbox 0 waiting\n"; code != exitOK || out != want || said != "" {
		t.Errorf("pause: exit code %d, %q, %q; want %q", code, out, said, want)
	}
	if !one.Paused() || !two.Paused() {
		t.Error("a vehicle is not paused")
	}
	code, out, _ = call("resume", "--key", admin, "--vehicle", "v2", "--json")
	var answer commandAnswer
	if err := json.Unmarshal([]byte(out), &answer); err != nil || code != exitOK || !answer.Accepted || answer.Vehicle != "v2" || answer.Status.Paused {
		t.Errorf("resume: exit code %d, %q (%v)", code, out, err)
	}
	if !one.Paused() || two.Paused() {
		t.Error("resume reached another vehicle, or not its own")
	}
	if code, out, _ = call("status", "--key", admin, "--vehicle", "v1"); code != exitOK || !strings.Contains(out, "paused") {
		t.Errorf("status: exit code %d, %q", code, out)
	}
	code, out, said = call("resume", "--key", stranger, "--vehicle", "v1")
	if code != exitFailure || out != "" || !strings.Contains(said, "v1: refuses: verify command: signed by 0 of the trusted keys") || !one.Paused() {
		t.Errorf("by a stranger: exit code %d, %q, %q", code, out, said)
	}
	code, out, said = call("resume", "--key", admin, "--vehicle", "v1", "--vehicle", "v3", "--wait", "700ms")
	if code != exitFailure || !strings.HasPrefix(out, "v1: ") || !strings.Contains(said, "v3: the vehicle has not answered") || one.Paused() {
		t.Errorf("with a vehicle that is off line: exit code %d, %q, %q", code, out, said)
	}
	if code, _, said = call("pause", "--key", admin, "--vehicle", "v1", "--expires", "25h"); code != exitFailure || !strings.Contains(said, "must be at most 24h0m0s after issued_at") {
		t.Errorf("for too long: exit code %d, %q", code, said)
	}
	for _, args := range [][]string{{"stop", "--key", admin, "--vehicle", "v1"}, {"pause", "--vehicle", "v1"}, {"pause", "--key", admin}, {}} {
		if code, _, said := call(args...); code != exitUsage {
			t.Errorf("%v: exit code %d (%s), want %d", args, code, said, exitUsage)
		}
	}
}

func TestUnmeteredInterfaces(t *testing.T) {
	have := map[string][]netip.Addr{"wlan0": {netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("fe80::7")}}
	i := interfaces{names: []string{"eth9", "wlan0"}, addresses: func(name string) ([]netip.Addr, error) {
		if a, ok := have[name]; ok {
			return a, nil
		}
		return nil, errors.New("no such interface")
	}}
	for a, want := range map[string]bool{"192.0.2.7": true, "fe80::7%wlan0": true, "192.0.2.8": false, "::1": false} {
		if got := i.have(netip.MustParseAddr(a)); got != want {
			t.Errorf("%s: unmetered = %t, want %t", a, got, want)
		}
	}
	if i.have(netip.Addr{}) {
		t.Error("no connection is unmetered")
	}
	have["wlan0"] = nil
	i.asked = time.Now().Add(-2 * askAgainAfter)
	if i.have(netip.MustParseAddr("192.0.2.7")) {
		t.Error("an address counts that the interface has lost")
	}
	real, _, err := whenToSend(config.MQTT{When: config.Unmetered, Unmetered: []string{"lo"}})
	if err != nil || !real(netip.MustParseAddr("127.0.0.1")) || real(netip.MustParseAddr("192.0.2.7")) {
		t.Errorf("the loopback does not have its address (%v)", err)
	}
}

func TestDepotFiles(t *testing.T) {
	if _, depot, err := whenToSend(config.MQTT{When: config.Depot, DepotFile: filepath.Join(repository(t), "configs", "orders.geojson")}); err != nil || depot.Len() != 3 {
		t.Errorf("a file of three zones: %v", err)
	}
	for name, want := range map[string]string{
		"none.geojson":                         "mqtt.depot_file: read area of the depot: there is no file none.geojson",
		filepath.Join(repository(t), "go.mod"): "mqtt.depot_file: ",
	} {
		if _, _, err := whenToSend(config.MQTT{When: config.Depot, DepotFile: name}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	if u, d, err := whenToSend(config.MQTT{When: config.Always, DepotFile: "none"}); u != nil || d != nil || err != nil {
		t.Errorf("always: %v", err)
	}
}
