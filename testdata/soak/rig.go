package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gadeblik/testdata/program"
	"gadeblik/uplink"
)

const fleetName, vehicleName = "soak", "sweeper-01"

// rig is an agent with everything around it.
type rig struct {
	dir, state, socket string
	gps                *receiver
	broker             *program.Broker
	agent, inbox       *program.Program
	stopGPS            chan struct{}
}

// openRig starts everything, or leaves nothing running.
func openRig(ctx context.Context, s *soak) (r *rig, err error) {
	r = &rig{dir: s.dir, state: filepath.Join(s.dir, "state"), socket: filepath.Join(s.dir, "control.sock"), stopGPS: make(chan struct{})}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	r.gps = &receiver{name: filepath.Join(s.dir, "gps"), around: outside}
	if r.broker, err = program.NewBroker(s.dir, 0); err != nil {
		return r, err
	}
	if err := errors.Join(r.gps.plugIn(), r.broker.Start(), os.MkdirAll(r.state, 0o700)); err != nil {
		return r, err
	}
	go r.gps.drive(r.stopGPS)
	if err := r.furnish(s); err != nil {
		return r, err
	}
	r.inbox = program.New("the inbox", filepath.Join(s.dir, "inbox.log"), s.program, "inbox", "serve", "--broker", "tcp://"+r.broker.Address(),
		"--dir", filepath.Join(s.dir, "inbox"), "--identity", filepath.Join(s.dir, "office.age"), "--vehicles", filepath.Join(s.dir, "vehicles"), "--fleet", fleetName)
	r.agent = program.New("the agent", filepath.Join(s.dir, "agent.log"), s.program, "run", "--config", filepath.Join(s.dir, "gadeblik.yaml"))
	if err := errors.Join(r.inbox.Start(), r.agent.Start()); err != nil {
		return r, err
	}
	return r, r.switchOn(ctx)
}

// switchOn waits for the agent and lets it look.
func (r *rig) switchOn(ctx context.Context) error {
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if _, err = ask(ctx, r.socket, "PUT", "/switch", `{"on": true}`); err == nil {
			return nil
		}
		if r.agent.Ended() != nil {
			break
		}
	}
	return fmt.Errorf("the agent does not answer; its log is %s: %w", r.agent.Log, err)
}

// close ends everything.
func (r *rig) close() {
	r.agent.Kill()
	r.inbox.Kill()
	if r.broker != nil {
		r.broker.Kill()
	}
	close(r.stopGPS)
	r.gps.unplug()
}

// furnish makes keys, orders and the configuration.
func (r *rig) furnish(s *soak) error {
	key, err := uplink.NewKey()
	if err != nil {
		return err
	}
	fleet, err := uplink.NewKey()
	if err != nil {
		return err
	}
	identity, recipient, err := uplink.NewIdentity(true)
	if err != nil {
		return err
	}
	signed, err := uplink.SignOrders(orders(time.Now().UTC()), fleet)
	if err != nil {
		return err
	}
	vehicles := filepath.Join(r.dir, "vehicles")
	if err := errors.Join(
		uplink.WriteKey(filepath.Join(r.state, "device.key"), key),
		uplink.WriteKey(filepath.Join(r.dir, "fleet.key"), fleet),
		uplink.WriteIdentity(filepath.Join(r.dir, "office.age"), identity, recipient),
		os.MkdirAll(vehicles, 0o755),
		os.WriteFile(filepath.Join(r.dir, "orders.signed"), signed, 0o644),
	); err != nil {
		return err
	}
	public, err := os.ReadFile(filepath.Join(r.state, "device.key.pub"))
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(vehicles, vehicleName+".pub"), public, 0o644),
		os.WriteFile(filepath.Join(r.dir, "gadeblik.yaml"), []byte(r.configuration(s)), 0o644),
	)
}

// configuration is that of a vehicle. It is patient with models, because the machine
// that soaks may be busy, and hears soon of a broker that has gone.
func (r *rig) configuration(s *soak) string {
	return fmt.Sprintf(`vehicle: {id: %s, fleet: %s}
state_dir: %s
gps: {device: %s, baud: 115200}
camera: {drive: %s}
models: {onnxruntime: %s, timeout: 30s}
orders: {trusted_keys: [%s], file: %s}
switch: {socket: %s}
seal: {recipients: [%s]}
mqtt: {broker: '%s', keep_alive: 5s}
`, vehicleName, fleetName, r.state, r.gps.name, s.drive, s.lib, filepath.Join(r.dir, "fleet.key.pub"), filepath.Join(r.dir, "orders.signed"),
		r.socket, filepath.Join(r.dir, "office.age.pub"), "tcp://"+r.broker.Address())
}

// orders ask for what the demo's street shows, in two arcs of the circle that are
// half of it together.
func orders(now time.Time) []byte {
	var zones, ids []string
	for n := range 2 {
		from := time.Duration(n) * lap / 2
		south, west, north, east := 90.0, 180.0, -90.0, -180.0
		for t := from; t <= from+lap/4; t += lap / 80 {
			lat, lon, _ := town.at(t)
			south, north, west, east = min(south, lat), max(north, lat), min(west, lon), max(east, lon)
		}
		const lat, lon = 0.0002, 0.0003 // about 20 metres: the circle of error must lie within too
		south, north, west, east = south-lat, north+lat, west-lon, east+lon
		id := fmt.Sprintf(`"arc-%d"`, n+1)
		ids = append(ids, id)
		zones = append(zones, fmt.Sprintf(`{"type": "Feature", "id": %s, "properties": {"name": "Arc"}, "geometry": {"type": "Polygon", "coordinates": [[[%.6f, %.6f], [%.6f, %.6f], [%.6f, %.6f], [%.6f, %.6f], [%.6f, %.6f]]]}}`,
			id, west, south, east, south, east, north, west, north, west, south))
	}
	task := func(id, action, labels string) string {
		return fmt.Sprintf(`{"id": %q, "purpose": "A long run", "legal_basis": "none needed", "controller": "Nobody", "zones": [%s], "labels": [%s], "action": %q, "min_score": 0.3, "every_m": 8, "quota_per_day": 100000}`,
			id, strings.Join(ids, ", "), labels, action)
	}
	return fmt.Appendf(nil, `{"type": "FeatureCollection",
"gadeblik": {"version": 1, "fleet": %q, "vehicles": [%q], "not_before": %q, "not_after": %q},
"features": [%s],
"tasks": [%s, %s]}
`, fleetName, vehicleName, now.Add(-time.Hour).Format(time.RFC3339), now.Add(30*24*time.Hour).Format(time.RFC3339), strings.Join(zones, ",\n"),
		task("things", "evidence", `"car", "truck", "container", "bag"`), task("people", "count", `"person"`))
}
